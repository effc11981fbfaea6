"""What an agent hears about himself when he dials the code `status`: his state, why, since when, who waits for him,
and how to be ready again. Clip names only; a clip that the site doesn't have is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import pauses
from engine.dialplan.speaking import clips_for

if TYPE_CHECKING:
    from engine.call.agents import AgentRow
    from engine.call.room import Room
    from engine.dialplan.model import Site

STATES = {
    "logged_out": "agent_logged_out", "ready": "agent_ready", "not_ready": "agent_not_ready",
    "talking": "agent_talking", "alerting": "agent_talking", "wrap_up": "agent_wrap_up", "resting": "agent_resting",
    "occupied": "agent_occupied",
}  # fmt: skip
BACK = {  # state -> (prompt, code that it leads to)
    "logged_out": ("agent_to_log_in", "login"), "not_ready": ("agent_to_return", "ready"),
    "resting": ("agent_to_return", "ready"), "wrap_up": ("agent_to_return", "ready"),
}  # fmt: skip


def clips(room: Room, row: AgentRow, site: Site, language: str, now_ms: int) -> tuple[str, ...]:
    """The names of the clips, in order."""
    tenant = row.key.split("/")[0]
    found = list(words(site, tenant, language, STATES.get(row.state, "")))
    if row.state == "not_ready":
        found += _reason(room, row, site, tenant, language)
    found += _since(site, tenant, language, now_ms - row.since_ms)
    model = site.agents.get(row.key)
    waiting = sum(
        room.acd.queue_length(room.queue_ids[queue])
        for queue, _, _ in (model.queues if model is not None else ())
        if queue in room.queue_ids
    )
    if waiting > 1:
        found += clips_for("number", str(waiting), language, site, tenant)
        found += words(site, tenant, language, "agent_waiting_many")
    else:
        found += words(site, tenant, language, "agent_waiting_one" if waiting else "agent_waiting_none")
    prompt, word = BACK.get(row.state, ("", ""))
    codes = site.tenants[tenant].codes if tenant in site.tenants else {}
    code = next((code for code, meant in codes.items() if meant == word), "")
    if code:
        found += [*words(site, tenant, language, prompt), *clips_for("digits", code, language, site, tenant)]
    return tuple(found)


def words(site: Site, tenant: str, language: str, name: str) -> tuple[str, ...]:
    """The clip of a prompt, the tenant's own before the stock one; () when there is none."""
    for clip in (f"{tenant}:{language}/{name}", f"{language}/{name}"):
        if clip in site.prompts:
            return (clip,)
    return ()


def _reason(room: Room, row: AgentRow, site: Site, tenant: str, language: str) -> tuple[str, ...]:
    """`The reason is` and its name, where it was recorded (prompt reason_NAME), else the key that stands for it."""
    said = words(site, tenant, language, f"reason_{row.reason}")
    if not said:
        key = next((key for key, each in pauses.reasons(room, row).items() if each.name == row.reason), "")
        said = clips_for("digits", key, language, site, tenant)
    return (*words(site, tenant, language, "agent_reason"), *said) if said else ()


def _since(site: Site, tenant: str, language: str, ms: int) -> tuple[str, ...]:
    """`For`, a number, and its unit: whole minutes, seconds below one."""
    seconds = max(0, ms) // 1_000
    if not seconds:
        return ()
    number, unit = (seconds, "second") if seconds < 60 else (seconds // 60, "minute")
    return (
        *words(site, tenant, language, "agent_for"), *clips_for("number", str(number), language, site, tenant),
        *words(site, tenant, language, f"unit_{unit}" if number == 1 else f"unit_{unit}s"),
    )  # fmt: skip

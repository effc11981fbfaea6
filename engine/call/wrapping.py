"""Wrap-up as the agent handles it: asked for while he talks, extended, given a code, held to its time.

How long it lasts is the distributor's affair; which codes there are is his queue's. One conversation has one code, the
last one given; a code belongs to the call, so it is recorded under the call's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.acd.events import AgentWrapUp

if TYPE_CHECKING:
    from engine.call.agents import AgentRow
    from engine.call.room import Room
    from engine.dialplan.model import WrapUp

OVER = ("talking", "wrap_up")  # in these states his last call still takes a code


class Said(msgspec.Struct, frozen=True):
    """What came of an act: `word` is also the prompt that says so (agent_WORD), `detail` for people who read."""

    done: bool
    word: str
    detail: str = ""


def begins(row: AgentRow, call: str, queue: str) -> None:
    """He has a queue's caller."""
    row.wrap_call, row.wrap_queue, row.wrap_code = call, queue, ""


def rules(room: Room, row: AgentRow) -> WrapUp | None:
    """The wrap-up of the queue that gave him his present or last call."""
    site = room.sites.get(room.site)
    queue = site.queues.get(row.wrap_queue) if site is not None else None
    return queue.wrap_up if queue is not None else None


def listed(codes: dict[str, str]) -> str:
    """`1 sold, 2 complaint`."""
    return ", ".join(f"{key} {name}" for key, name in codes.items())


def ask(room: Room, row: AgentRow, now_ms: int) -> Said:
    """While he talks: a wrap-up shall follow, in the modes that leave it to him."""
    state = room.acd.agent_state(row.id)
    if state != "talking":
        return Said(False, "no_wrap_up", "in no conversation of a queue, so there is nothing to wrap up")
    found = room.acd.wrap_up(row.id, now_ms)
    if found["planned_ms"]:
        return Said(True, "wrap_up_follows", f"a wrap-up of at most {found['planned_ms'] // 1_000} s follows")
    if not found["asked_ms"]:
        return Said(False, "no_wrap_up", f"the queue {row.wrap_queue} has no wrap-up")
    room.distribute(AgentWrapUp(row.id, "ask"))
    return Said(True, "wrap_up_follows", f"a wrap-up of at most {found['asked_ms'] // 1_000} s follows")


def extend(room: Room, row: AgentRow, by: str, now_ms: int) -> Said:
    """Once more the queue's extension, as often as it allows."""
    before = room.acd.wrap_up(row.id, now_ms)
    if room.acd.agent_state(row.id) != "wrap_up":
        return Said(False, "no_wrap_up", "not in wrap-up, so there is nothing to extend")
    if not before["extensions"]:
        return Said(False, "no_extension", "no extension is left for this wrap-up")
    room.distribute(AgentWrapUp(row.id, "extend"))
    after = room.acd.wrap_up(row.id, now_ms)
    room.emit(
        "agent.wrap_up_extended", row.key.split("/")[0], row.wrap_call, agent=row.key, queue=row.wrap_queue, by=by,
        left_ms=after["left_ms"], extensions=after["extensions"],
    )  # fmt: skip
    return Said(True, "extended", f"wrap-up lasts {after['left_ms'] // 1_000} s more; extensions left: "
                f"{after['extensions']}")  # fmt: skip


def code(room: Room, row: AgentRow, typed: str, by: str, *, call: str = "") -> Said:
    """The code of his call, by key or by name. `call`: the one that is meant, where the asker knows it."""
    tenant, state = row.key.split("/")[0], room.acd.agent_state(row.id)
    if call and call != row.wrap_call:
        return Said(False, "no_call", f"{call} is not the call of {row.key}, or it is over and wrapped up")
    found = rules(room, row)
    if state not in OVER or not row.wrap_call or found is None:
        return Said(False, "no_call", "there is no call to give a code to: his last one is over and wrapped up")
    if not found.codes:
        return Said(False, "no_code", f"the queue {row.wrap_queue} has no wrap-up codes")
    key = typed if typed in found.codes else next((key for key, name in found.codes.items() if name == typed), "")
    if not key:
        return Said(False, "no_code", f"no wrap-up code {typed[:24]!r}; there are: {listed(found.codes)}")
    row.wrap_code = key
    room.emit(
        "agent.wrap_up_code", tenant, row.wrap_call, agent=row.key, queue=row.wrap_queue, code=key,
        name=found.codes[key], by=by,
    )  # fmt: skip
    room.distribute(AgentWrapUp(row.id, "coded"))
    return Said(True, "code_noted", f"{row.wrap_call}: {key} {found.codes[key]}")


def ended(room: Room, row: AgentRow) -> None:
    """His call is over and wrapped up. A code that was required and never came is recorded as missing."""
    found = rules(room, row)
    if found is not None and found.required and not row.wrap_code and row.wrap_call:
        room.emit(
            "agent.wrap_up_code", row.key.split("/")[0], row.wrap_call, agent=row.key, queue=row.wrap_queue, code="",
            name="", by="nobody",
        )  # fmt: skip
    row.wrap_call = row.wrap_queue = row.wrap_code = ""


def kept(room: Room, row: AgentRow, now_ms: int) -> Said | None:
    """Why he is still in a wrap-up that he wanted to leave; None when he isn't."""
    if room.acd.agent_state(row.id) != "wrap_up":
        return None
    found = room.acd.wrap_up(row.id, now_ms)
    codes = rules(room, row)
    if codes is not None and codes.required and not row.wrap_code:
        return Said(False, "code_needed", f"a wrap-up code is required first: {listed(codes.codes)}")
    return Said(False, "wrap_up_lasts", f"wrap-up lasts {-(-found['left_ms'] // 1_000)} s more")

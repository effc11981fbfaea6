"""Reasons for not being ready, and their budgets: how much of each a shift has.

A shift begins with a login after SHIFT_BREAK_MS logged out, so that nobody gains by logging out and in again. When a
budget is used up, that is an event and a warning; nobody is ever forced back to work by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.call.agents import AgentRow
    from engine.call.room import Room
    from engine.dialplan.model import Reason

SHIFT_BREAK_MS = 4 * 3_600_000
ENGINES = ("missed", "on_demand")  # reasons that the engine gives; a restart keeps them as it does his own


def reasons(room: Room, row: AgentRow) -> dict[str, Reason]:
    """The reasons of his tenant by key; {} where it names none."""
    site = room.sites.get(room.site)
    tenant = site.tenants.get(row.key.split("/")[0]) if site is not None else None
    return tenant.reasons if tenant is not None else {}


def named(room: Room, row: AgentRow, text: str) -> str | None:
    """The name of a reason given by its key or its name; None when the tenant has reasons and this is none of them.

    Where a tenant names no reasons, every word is one.
    """
    known = reasons(room, row)
    if text in known:
        return known[text].name
    if not known or any(each.name == text for each in known.values()):
        return text
    return None


def listed(room: Room, row: AgentRow) -> str:
    """`1 break, 2 lunch`."""
    return ", ".join(f"{key} {each.name}" for key, each in reasons(room, row).items())


def _budget_ms(room: Room, row: AgentRow, name: str) -> int:
    return next((each.budget_ms for each in reasons(room, row).values() if each.name == name), 0)


def logged_in(row: AgentRow, now_ms: int) -> None:
    """A shift may begin."""
    if not row.logout_ms or now_ms - row.logout_ms >= SHIFT_BREAK_MS:
        row.spent_ms = {}


def changed(room: Room, row: AgentRow, old: str, old_reason: str, since_ms: int, now_ms: int) -> None:
    """His state or its reason has changed (`row` says the new one): book the time, watch the new budget."""
    if old == "not_ready" and _budget_ms(room, row, old_reason):
        row.spent_ms[old_reason] = row.spent_ms.get(old_reason, 0) + now_ms - since_ms
    row.over_budget = False
    watch(room, row, now_ms)
    if row.state == "not_ready" and row.reason in ENGINES and (old, old_reason) != ("not_ready", row.reason):
        room.emit("agent.paused", row.key.split("/")[0], "", agent=row.key, paused=True, reason=row.reason)


def watch(room: Room, row: AgentRow, now_ms: int) -> None:
    """Set the deadline of the budget of the reason that he has now; a reload may have changed it."""
    room.deadlines.cancel(("budget", row.id))
    if row.state != "not_ready" or row.over_budget:
        return
    budget_ms = _budget_ms(room, row, row.reason)
    if budget_ms:
        left_ms = budget_ms - row.spent_ms.get(row.reason, 0)
        room.deadlines.arm(("budget", row.id), max(now_ms, row.since_ms + left_ms))


def used_up(room: Room, row: AgentRow, now_ms: int) -> int:
    """The deadline of his budget has come: recorded; returns the budget in ms, 0 when it means nothing any more."""
    budget_ms = _budget_ms(room, row, row.reason)
    if row.state != "not_ready" or not budget_ms or row.over_budget:
        return 0
    row.over_budget = True
    spent_ms = row.spent_ms.get(row.reason, 0) + now_ms - row.since_ms
    room.emit(
        "agent.over_budget", row.key.split("/")[0], "", agent=row.key, name=row.name, reason=row.reason,
        budget_ms=budget_ms, spent_ms=spent_ms,
    )  # fmt: skip
    return budget_ms

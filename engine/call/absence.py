"""Agents whose program has gone without a word: paused with a reason of its own, and back when it is.

That it is gone for good is decided outside (the broker tells a last will, a grace runs): here is what follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import agents, levers

if TYPE_CHECKING:
    from engine.call.agents import AgentRow
    from engine.call.room import Room

LOST = "lost"  # no reason of a tenant's list: nobody can choose it


def lost(room: Room, row: AgentRow, author: str, now_ms: int) -> str:
    """Nobody is offered to him any more; a conversation goes on. Returns what was done."""
    if not row.logged_in or row.state in ("not_ready", "logged_out"):
        return "takes no calls already"
    agents.not_ready(room, row, LOST, author)
    levers.move(room, "agent", row.key, "not_ready", author, now_ms, reason=LOST)
    return f"not ready ({LOST})"


def found(room: Room, row: AgentRow, author: str) -> str:
    """He is there again: ready, unless something else than his absence keeps him from it."""
    if (row.state, row.reason) != ("not_ready", LOST):
        return "nothing to do"
    agents.ready(room, row, author)
    return "ready"

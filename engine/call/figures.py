"""Figures of the room for machines that watch: read, never changed, and cheap enough to be read at any moment."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.call.room import Room


def totals(room: Room) -> dict[str, Any]:
    """Counts of the whole engine: calls by phase, legs, SIP's own things, agents by state, refusals by kind."""
    core = room.endpoint.core
    return {
        "calls": dict(sorted(Counter(call.phase for call in room.calls.values()).items())),
        "legs": len(room.legs), "media_rows": room.rows.used, "media_rows_max": room.rows.rows_max,
        "transactions": len(core.transactions), "sessions": len(core.sessions),
        "bindings": sum(map(len, core.bindings.values())),
        "agents": room.acd.agent_totals(), "refused": dict(sorted(room.refused.items())),
        "full": room.full(), "draining": room.draining,
    }  # fmt: skip


def trunks(room: Room) -> dict[str, tuple[int, int]]:
    """Trunk -> (calls now, calls at most; 0: no limit of its own). Those of the site for new calls."""
    site = room.sites.get(room.site)
    return {} if site is None else {
        name: (room.trunk_calls.get(name, 0), trunk.calls_max) for name, trunk in sorted(site.trunks.items())
    }  # fmt: skip


def queues(room: Room, first: int, count: int, now_ms: int) -> list[dict[str, Any]]:
    """Figures of queues by row, a slice at a time: hundreds of them at once would hold up calls."""
    return room.acd.gauges(first, count, now_ms)

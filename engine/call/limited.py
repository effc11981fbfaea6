"""A limit of the node was met: which one, and what to do about it, for the log, the records and whoever is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import limits
from engine.errors import LimitExceeded

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.room import Room

WORDS = {
    "draining": "the node drains and takes no new calls",
    "calls_max": "as many calls as one engine takes are in progress: another engine must take the rest",
    "legs_max": "all media legs are in use: serve --legs allows more",
    "rtp_port_last": f"no RTP port is ready, for each rests {limits.port_rest_ms // 1_000} s after its call:"
    " serve --rtp-ports allows more",
}


def node(room: Room) -> LimitExceeded | None:
    """Why the node itself takes no new call now; None when it does."""
    if room.draining:
        return LimitExceeded("draining", len(room.calls))
    if len(room.calls) >= limits.calls_max:
        return LimitExceeded("calls_max", len(room.calls))
    return LimitExceeded("legs_max", room.rows.used) if room.full() else None


def words(full: LimitExceeded) -> str:
    """Which limit, and what to do."""
    return f"limit {full.name} ({full.value}): {WORDS.get(full.name, 'see engine.limits')}"


def told(room: Room, call: Call, full: LimitExceeded) -> None:
    """A leg of this call got no place."""
    room.emit("engine.limit", call.tenant, call.name, name=full.name, value=full.value)
    room.log("warning", f"{call.name}: {words(full)}", f"limit.{full.name}")

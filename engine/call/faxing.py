"""A fax machine on the line: it is told, and a calling one goes the number's own way for faxes.

    numbers:
      '+493022334455': {dialplan: front, fax: to_fax}

A caller who is with somebody stays with him: people recognise the tone, and may transfer it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import ending, operating, script
from engine.call.call import tread

if TYPE_CHECKING:
    from engine.call.leg import Leg
    from engine.call.room import Room

HEARD = ("offered", "up")  # early media counts: a fax machine calls before anybody has answered it
ALONE = ("script", "queue", "dial")  # phases in which nobody talks with the caller


def heard(room: Room, leg: Leg, tone: str, now_ms: int) -> None:
    """The plane has heard a fax on a leg: `tone` is cng (it calls) or ced (it has answered)."""
    call = room.calls.get(leg.call)
    if call is None or call.phase == "closing":
        return
    own = leg.id == call.leg
    way = leg.fax if own and tone == "cng" and leg.state in HEARD and call.phase in ALONE else None
    room.emit(
        "call.fax", call.tenant, call.name, tone=tone, leg="caller" if own else leg.party,
        to=way[1] if way is not None else "",
    )  # fmt: skip
    if way is None:
        return
    operating.take_out(room, call, now_ms)
    if call.running is not None:
        call.running.waiting = "ended"
    call.queue = ""
    tread(call, "fax")
    if not script.begin(room, call, *way, now_ms):
        ending.hang_up(room, call, "system", "failed", 41, now_ms)

"""Pick-up by code: an agent takes the call that rings at a colleague's phone.

    *78        of all that ring in my group (my team, my queues) the one that has rung longest
    *78201     the one that rings at 201

The same rules as for a lamp key (`replacing`): only what rings at an agent of one's own tenant, and where lamps are
kept to groups (`lamps: group`), only there or where one supervises. A queue's caller is answered by whoever took
him (`picking`); the phone that rang is free at once, and hasn't missed him.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import oversight, replacing, watching
from engine.call.call import Call

if TYPE_CHECKING:
    from engine.call.leg import Leg
    from engine.call.room import Room
    from engine.dialplan.model import TenantModel

WORD = "pickup"


def meant(tenant: TenantModel, dialled: str) -> tuple[bool, str]:
    """(True, "201") of *78201, (True, "") of *78, (False, "") of anything else."""
    for code, word in tenant.codes.items():
        rest = dialled.removeprefix(code)
        if word == WORD and (dialled == code or (rest != dialled and rest.isascii() and rest.isdigit())):
            return True, rest
    return False, ""


def dialled(room: Room, own: Call, number: str, now_ms: int) -> None:
    """An agent's phone has dialled the code: `own` is his call, `number` the colleague, '' his whole group."""
    site = room.sites[room.site]
    key = f"{own.tenant}/{number}"
    own.path.append(f"pick up {number}".strip())
    if number and key not in site.agents:
        oversight.refuse(room, own, "unknown", f"no agent {number}", now_ms)
    elif number and not watching.may(site, own.agent, key):
        oversight.refuse(room, own, "right", f"agent {own.agent} may not take a call from {key}", now_ms)
    else:
        leg = _rings(room, own, key if number else "")
        if leg is None:
            where = f"at {key}" if number else f"in the group of {own.agent}"
            oversight.refuse(room, own, "idle", f"nothing rings {where}", now_ms)
        else:
            replacing.take(room, own, leg, now_ms)


def _rings(room: Room, own: Call, key: str) -> Leg | None:
    """The leg that has rung longest, of this agent or of the whole group. What rings at himself he can answer."""
    agent = room.sites[room.site].agents[own.agent]
    theirs = [leg for leg in room.legs.values() if leg.agent and leg.agent != own.agent]
    if key:
        found = [leg for leg in theirs if leg.agent == key]
    else:
        found = [leg for leg in theirs if watching.near(room.sites[room.site], own.agent, leg.agent)]
    ringing = [leg for leg in found if replacing.rings(room, leg, agent)]
    return min(ringing, key=lambda leg: (leg.created_ms, leg.id), default=None)

"""The transfer budget: how often one caller may be passed on, and how many people he may be given to (default 2, 3).

A caller explains himself once, to a second one and, if it must be, to a third; whoever has him then finds the answer.
The bounds are the queue's through which he came, else the tenant's. What is over them is refused before anything moves:
caller and agent stay together. An operator isn't bound: that is how a supervisor takes a case out of its round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

from engine.acd.events import CallJoined
from engine.call import routing
from engine.call.call import Call

if TYPE_CHECKING:
    from engine.call.room import Room
    from engine.dialplan.actions import JoinQueue
    from engine.dialplan.model import QueueModel

HEAD_MS = 172_800_000  # priority that no dialplan can give: before everybody who doesn't starve
PEOPLE_KEPT_MAX = 64


def met(call: Call, agent: str) -> None:
    """The caller speaks with this agent (key)."""
    if agent and agent not in call.people and len(call.people) < PEOPLE_KEPT_MAX:
        call.people.append(agent)


def bounds(room: Room, call: Call) -> tuple[int, int]:
    """(transfers, people) that this call may have."""
    site = room.site_of(call)
    tenant, queue = site.tenants.get(call.tenant), site.queues.get(call.queue)
    hops, people = (tenant.hops_max, tenant.people_max) if tenant is not None else (2, 3)
    if queue is not None:
        hops = queue.hops_max if queue.hops_max >= 0 else hops
        people = queue.people_max if queue.people_max >= 0 else people
    return hops, people


def spent(room: Room, call: Call, target: str = "") -> bool:
    """Would one more transfer, to this agent (key; "": to somebody, by a queue or a number), be one too many?"""
    hops, people = bounds(room, call)
    return call.transfers >= hops or len(call.people) + (target not in call.people) > people


def people_spent(room: Room, call: Call) -> bool:
    """Has he met as many people as he may? Then a dialplan doesn't queue him for one more."""
    return bool(call.people) and len(call.people) >= bounds(room, call)[1]


def joined(
    room: Room, call: Call, wish: JoinQueue, queue: QueueModel, number: int, priority_ms: int, wait_ms: int,
    now_ms: int, *, refused: str = "",
) -> CallJoined:  # fmt: skip
    """What the distributor is told of a caller, with what a transfer brings: the wait he has served (`credit`), and
    who has just passed him on and isn't offered him for a while.
    """
    needs = tuple((routing.skill_id(room, name), level) for name, level in wish.needs)
    avoid, avoid_ms = -1, 0
    by, tenant = room.agents.get(call.transfer_by), room.site_of(call).tenants.get(call.tenant)
    if by is not None and tenant is not None and call.transferred_ms:
        avoid, avoid_ms = by.id, max(0, call.transferred_ms + tenant.transfer_avoid_ms - now_ms)
    wishes = routing.wishes(room, call, wish, now_ms)
    if avoid_ms and wishes.get("prefer") == avoid:
        wishes["prefer_ms"] = 0  # "last" is the one who has just passed him on
    credit = queue.credit == "full" and call.transferred_ms > 0
    return CallJoined(
        call.id, number, priority_ms, needs, wait_ms, avoid, avoid_ms,
        credit_ms=call.waited_ms if credit else 0, group=crc32(wish.group.encode()) if wish.group else 0,
        hard=wish.hard or queue.hard, refused=refused,
        office=routing.office_of(room.site_of(call), call), **wishes,
    )  # fmt: skip

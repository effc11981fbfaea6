"""What an agent's calls to the outside cost, by the minute, and what he has spent this day and month."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.call.identity import whole
from engine.dialplan import calendars
from engine.dialplan.model import matches

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.leg import Leg
    from engine.call.room import Room
    from engine.call.site_index import SiteIndex

_MINUTE_MS = 60_000


class Spent(msgspec.Struct):
    """What an agent's calls have cost, in thousandths; `day` "2026-03-04" and `month` "2026-03" say of when."""

    day: str = ""
    today: int = 0
    this_month: int = 0


def in_full(index: SiteIndex, tenant: str, team: str, number: str) -> str:
    """E.164 of what was dialled, by the trunk that would carry it; the digits as they leave where it has no plan."""
    found = index.outbound(tenant, team, number)
    if found is None:
        return number
    rule, digits = found
    return carried(index, rule.trunk, digits)


def carried(index: SiteIndex, name: str, digits: str) -> str:
    """E.164 of the digits that a rule gave to the trunk `name` (its prefix for the outside is off already)."""
    trunk = index.site.trunks.get(name)
    if trunk is None or trunk.numbers is None:
        return digits if digits.startswith("+") else f"+{digits}"
    return whole(trunk.numbers, digits)


def spend(room: Room, call: Call, leg: Leg, now_ms: int) -> None:
    """An outside leg that an agent has dialled, or has sent a call on by, is over: its begun minutes, at the
    rate of the longest pattern."""
    agent = leg.payer or payer(call)
    site = room.sites[room.site] if room.site else None
    model = site.agents.get(agent) if site is not None else None
    if site is None or model is None or not leg.up_ms:
        return
    rates = site.tenants[model.tenant].rates
    number = carried(room.index(), leg.trunk, leg.digits or leg.party)
    rate = max((each for each in rates if matches(each[0], number)), key=lambda each: len(each[0]), default=("", 0))[1]
    if not rate:
        return
    cost = rate * -(-(now_ms - leg.up_ms) // _MINUTE_MS)
    spent = current(room, agent)
    spent.today += cost
    spent.this_month += cost
    room.spent[agent] = spent
    room.emit(
        "dial.cost", call.tenant, call.name, agent=agent, number=number, cost=f"{cost / 1_000:.3f}",
        today=f"{spent.today / 1_000:.3f}",
    )  # fmt: skip


def payer(call: Call) -> str:
    """The agent on whose account the call goes out: who sends it on, or who dials."""
    return call.transfer_by or call.agent or call.served_by


def current(room: Room, agent: str) -> Spent:
    """His account, begun anew with each day and month of his tenant's clock."""
    site = room.sites[room.site]
    tenant = site.tenants.get(agent.partition("/")[0])
    zone = site.zones.get(tenant.time_zone, ()) if tenant is not None else ()
    day, _ = calendars.local(zone, room.now_ms + room.wall_offset_ms)
    today = calendars.written(day)
    spent = room.spent.get(agent, Spent())
    if spent.day == today:
        return spent
    return Spent(today, 0, spent.this_month if spent.day[:7] == today[:7] else 0)

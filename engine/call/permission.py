"""Whom an agent may dial outside: his class of service, its hours, and what he has spent.

A call is refused before it begins. One that runs isn't cut off when the money is used up while it lasts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import telling
from engine.call.spending import current, in_full
from engine.dialplan import calendars
from engine.dialplan.model import matches

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.room import Room
    from engine.call.site_index import SiteIndex
    from engine.dialplan.outgoing_model import ServiceClass

DEFAULT = "default"
REFUSED = "not_allowed"
TEXTS = {
    "prefix": "{number}: your class {name} doesn't dial there.",
    "hours": "{number}: your class {name} dials out in its hours only.",
    "day": "{number}: today's money of your class {name} is used up.",
    "month": "{number}: this month's money of your class {name} is used up.",
}


def refusal(room: Room, call: Call, index: SiteIndex, agent: str, number: str) -> str:
    """REFUSED when this agent may not dial the number, '' when he may. He and his record are told why."""
    model = index.site.agents.get(agent)
    tenant = index.site.tenants.get(model.tenant) if model is not None else None
    if model is None or tenant is None:
        return ""
    served = tenant.classes.get(model.service_class or DEFAULT)
    if served is None:
        return ""
    why = _why(room, index, served, agent, in_full(index, model.tenant, model.team, number))
    if not why:
        return ""
    text = TEXTS[why].format(number=number, name=served.name)
    room.emit("dial.refused", call.tenant, call.name, agent=agent, number=number, service_class=served.name, why=why)
    if agent in room.agents:
        telling.send(room, room.agents[agent], text, room.now_ms)
    return REFUSED


def _why(room: Room, index: SiteIndex, served: ServiceClass, agent: str, number: str) -> str:
    allowed, refused = _longest(served.allow, number), _longest(served.refuse, number)
    if refused > allowed or (served.allow and allowed < 0):
        return "prefix"
    calendar = index.site.calendars.get(served.hours)
    wall_ms = room.now_ms + room.wall_offset_ms
    if served.hours and (
        calendar is None
        or calendars.state(calendar, index.site.zones.get(calendar.zone, ()), wall_ms, "") != "open"
    ):
        return "hours"
    spent = current(room, agent)
    if served.day_max and spent.today >= served.day_max:
        return "day"
    return "month" if served.month_max and spent.this_month >= served.month_max else ""


def _longest(patterns: tuple[str, ...], number: str) -> int:
    """The length of the longest pattern that the number matches, -1 for none."""
    return max((len(each) for each in patterns if matches(each, number)), default=-1)

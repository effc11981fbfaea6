"""What an emergency call is, where it comes from, and what its trunk is told (RFC 6442, RFC 4119).

`emergency` leads it through the trunks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from engine.call import location
from engine.call.outside import Target, by_trunk
from engine.dialplan.number_plans import write
from engine.sip.multipart import Part
from engine.sip.uri import escape_user, format_host

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.room import Room
    from engine.call.site_index import SiteIndex
    from engine.dialplan.model import TrunkModel
    from engine.dialplan.outgoing_model import Location

From = tuple[str, str, str]


def meant(index: SiteIndex, dialled: str) -> str:
    """The emergency number that was dialled, '' for every other."""
    return index.urgent.get(dialled, "")


def site_loaded(room: Room) -> None:
    """The SIP room learns which numbers it lets in whatever it is full of. Ways out without a way for them are told."""
    index = room.index()
    room.endpoint.core.urgent = tuple(index.urgent)
    if index.site.outbound and index.site.emergency is None:
        room.log("warning", "people here can dial out, and emergency calls go nowhere: see ringdown check, RD361")


def begin(room: Room, call: Call, number: str) -> None:
    """Ops are told before anything else happens: somebody here needs help."""
    call.emergency = number
    site = room.sites[room.site]
    found = site.emergency
    place = where(room, call)
    room.emit(
        "emergency.dialled", call.tenant, call.name, agent=call.agent or call.served_by or call.caller, number=number,
        trunks=", ".join(found.trunks) if found is not None else "", location=location.line(place) if place else "",
        call_back=found.call_back if found is not None else "",
    )  # fmt: skip
    room.log("error", f"EMERGENCY: {call.agent or call.caller} dials {number} ({call.name})")


def where(room: Room, call: Call) -> Location | None:
    """The agent's registered place, else the site's."""
    site = room.sites[room.site]
    agent = site.agents.get(call.agent or call.served_by)
    if agent is not None and agent.location is not None:
        return agent.location
    return site.emergency.location if site.emergency is not None else None


def full(room: Room, trunk: TrunkModel) -> bool:
    """Are all its lines taken, as far as we count them?"""
    return bool(trunk.calls_max) and room.trunk_calls.get(trunk.name, 0) >= trunk.calls_max


def targets(room: Room, call: Call, number: str) -> list[Target] | str:
    """For a transfer or a conference that dials it: the first trunk that has room, the first of all when none has."""
    site = room.sites[room.site]
    found = [site.trunks[name] for name in site.emergency.trunks if name in site.trunks] if site.emergency else []
    if not found:
        return "unreachable"
    if not call.emergency:
        begin(room, call, number)
    ways = [(trunk, by_trunk(room, trunk, number)) for trunk in found]
    there = [(trunk, each) for trunk, each in ways if each is not None]
    free = [each for trunk, each in there if not full(room, trunk)]
    return (free or [each for _, each in there])[:1] or "unreachable"


def way(room: Room, name: str) -> list[Target] | str:
    """ "TRUNK/NUMBER": past the trunk's limit."""
    trunk_name, _, number = name.partition("/")
    trunk = room.sites[room.site].trunks.get(trunk_name)
    found = by_trunk(room, trunk, number) if trunk is not None else None
    return [found] if found is not None else "unreachable"


# --- what the trunk is told ----------------------------------------------------------------------------------
def told(
    room: Room, call: Call, trunk: TrunkModel, own_host: str
) -> tuple[From, list[tuple[str, str]], tuple[Part, ...]]:  # fmt: skip
    """(From, headers, bodies) of the INVITE. Who dials for help withholds nothing: they must call him back."""
    site, host = room.sites[room.site], format_host(own_host)
    back, plan = site.emergency.call_back if site.emergency is not None else "", trunk.numbers
    number = write(back, plan) if plan is not None else back or trunk.user
    headers = [("Priority", "emergency")]
    if number:
        headers.append(("P-Asserted-Identity", f"<sip:{escape_user(number)}@{host}>"))
    place, way = where(room, call), plan.location if plan is not None else "pidf"
    if place is None or way == "none":
        return ("", number, own_host), headers, ()
    if way != "pidf":
        return ("", number, own_host), [*headers, (way, quote(location.line(place), safe=" ,.'-/"))], ()
    serial = room.tokens.hex(16)
    content_id = f"{serial}@{own_host.replace(':', '.')}"
    body = location.pidf(place, f"pres:{escape_user(back or 'site')}@{host}", f"d{serial}")
    headers += [("Geolocation", f"<cid:{quote(content_id, safe='@.')}>"), ("Geolocation-Routing", "yes")]
    return ("", number, own_host), headers, (Part(location.CONTENT_TYPE, content_id, body),)

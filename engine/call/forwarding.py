"""3xx: a phone or a trunk names somebody else (RFC 3261 §8.1.3.4, §21.3); followed where `forward: follow` says so.

A Contact is never called as it stands: its user part is dialled as a number of the tenant, so that it leads to the
tenant's agents and through his outbound rules, and nowhere else. Its host must be ours, or that of whoever forwards.

| what | bound |
|---|---|
| contacts of one attempt | `CONTACTS_MAX`, by q, then as they stand |
| circles | nobody is rung twice in one attempt |
| an offer of a queue | is its agent's: it follows him outside, never to a colleague |
| a way outside | is on the account of the agent whose phone forwards: his class, his money, his limits against fraud |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.call.leg import AGENT, OUTSIDE
from engine.call.outside import Target
from engine.call.targets import resolve
from engine.errors import ProtocolError
from engine.sip.uri import parse_uri

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.dial import Attempt
    from engine.call.leg import Leg
    from engine.call.room import Room

CONTACTS_MAX = 3


def targets(room: Room, call: Call, attempt: Attempt, leg: Leg, contacts: tuple[str, ...]) -> list[Target]:
    """Whom to ring in the place of `leg`; empty: nobody, and the refusal stands."""
    if not _may(room, call, leg):
        return []
    found: list[Target] = []
    for uri in contacts:
        number = _number(room, leg, uri)
        if len(attempt.followed) >= CONTACTS_MAX or not number or number in _known(attempt, leg):
            continue
        attempt.followed.append(number)
        phones = resolve(room, call, f"number/{number}", _team(room, call, attempt, leg), by=leg.agent)
        if isinstance(phones, str):
            room.log("info", f"{call.name}: {leg.party} forwards to {number[:32]!r}: {phones}", "forward")
            continue
        for phone in phones:
            if phone.kind != OUTSIDE:
                found += [phone] if attempt.purpose != "offer" else []
            elif attempt.purpose != "offer":
                found.append(msgspec.structs.replace(phone, payer=leg.agent))
            else:
                found.append(msgspec.structs.replace(
                    phone, kind=AGENT, agent=leg.agent, party=leg.party, payer=leg.agent
                ))  # fmt: skip
    return found


def _may(room: Room, call: Call, leg: Leg) -> bool:
    if leg.trunk:
        trunk = room.site_of(call).trunks.get(leg.trunk)
        return trunk is not None and trunk.forward
    model = room.index().site.agents.get(leg.agent)
    return model is not None and model.forward


def _team(room: Room, call: Call, attempt: Attempt, leg: Leg) -> str:
    """Whose way out it is: the forwarding agent's, or of whoever was dialling."""
    model = room.index().site.agents.get(leg.agent)
    return model.team if model is not None else attempt.team


def _known(attempt: Attempt, leg: Leg) -> tuple[str, ...]:
    return (*attempt.followed, leg.agent.partition("/")[2], leg.party)


def _number(room: Room, leg: Leg, uri: str) -> str:
    """The number that a Contact means here; '' when it isn't one of ours or of the far end's own."""
    try:
        parts = parse_uri(uri)
    except ProtocolError:
        return ""
    if parts.scheme == "tel":
        return parts.user
    site = room.index().site
    ours = [name for listener in room.listeners for name in (listener.host, listener.advertise_host)]
    ours += [name for tenant in site.tenants.values() for name in (tenant.domain, tenant.realm) if name]
    ours.append(leg.path.host)
    return parts.user.partition(";")[0] if parts.scheme in ("sip", "sips") and parts.host in ours else ""

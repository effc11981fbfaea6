"""A number behind a trunk: which trunk carries it, and how it is called there.

Neither who may call it nor what identity it is told is decided here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine import limits
from engine.call import gateways, identity, trunks
from engine.call.leg import OUTSIDE
from engine.sip.events import Path
from engine.sip.uri import escape_user, format_host

if TYPE_CHECKING:
    from engine.call.room import Room
    from engine.call.site_index import SiteIndex
    from engine.dialplan.model import TrunkModel
    from engine.sip.locating import Place


class Target(msgspec.Struct, frozen=True):
    """One phone to ring."""

    uri: str
    path: Path
    kind: str
    party: str
    agent: str = ""
    trunk: str = ""
    secret: tuple[str, str] | None = None
    user: str = ""
    auto_answer: str = ""
    dtmf: str = "auto"
    accept: str = "any"
    session_timer_s: int = 1_800
    confirm_ms: int = 0  # only his key within this time counts as an answer
    nail: int = 0  # not rung: the call that keeps his nailed-up leg
    others: tuple[Target, ...] = ()  # the same number by other trunks and addresses, in the order of their turn
    digits: str = ""  # the number, where it is behind a trunk
    payer: str = ""  # the agent whose phone has sent the call on there


def outside(room: Room, index: SiteIndex, tenant: str, team: str, number: str) -> Target | str:
    """A number behind the trunks of the tenant's outbound rule: the first that may carry it, the others behind it.

    A word (the result) when there is none. Trunks that are down come last: a probe may be wrong, and
    the caller has no other hope.
    """
    found = index.outbound(tenant, team, number)
    if found is None:
        return "unreachable"
    rule, digits = found
    good, bad, full = list[Target](), list[Target](), list["tuple[TrunkModel, str]"]()
    for name in trunks.in_order(room, rule):
        trunk = index.site.trunks.get(name)
        if trunk is None or not (trunk.host or trunk.accounts):
            continue
        why = trunks.refusal(room, trunk, room.now_ms)
        if why:
            full.append((trunk, why))
            continue
        up, down = trunks.places(room, trunk, room.now_ms)
        good += [_trunk_target(room, trunk, place, digits, rule.caller_id) for place in up]
        bad += [_trunk_target(room, trunk, place, digits, rule.caller_id) for place in down]
    for trunk, why in full:
        trunks.limited(room, trunk, why)
    ways = (good + bad)[: limits.trunk_ways_max]
    if not ways:
        return "trunk_full" if full else "unreachable"
    return msgspec.structs.replace(ways[0], others=tuple(ways[1:])) if len(ways) > 1 else ways[0]


def _trunk_target(room: Room, trunk: TrunkModel, place: Place, digits: str, caller_id: str) -> Target:
    path = path_to(room, trunk, place)
    user = escape_user(identity.sent(trunk.numbers, digits))
    # a server that is found by its domain is called by its domain (RFC 3263 §4)
    uri = f"sip:{user}@{format_host(trunk.host.strip('[]'), place.port if trunk.find == 'host' else 0)}"
    uri += f";transport={place.transport}" if place.transport != "udp" and trunk.find != "naptr" else ""
    if trunk.accounts:
        uri, path = gateways.way(room, trunk, place, user) or (uri, path)
    return Target(
        uri, path, OUTSIDE, digits, trunk=trunk.name, secret=room.trunk_secrets.get(trunk.name), user=caller_id,
        dtmf=trunk.dtmf, accept=trunk.media_from, session_timer_s=trunk.session_timer_s, digits=digits,
    )  # fmt: skip


def path_to(room: Room, trunk: TrunkModel, place: Place) -> Path:
    """The way to one address of a trunk. With TLS its certificate must be for the trunk's name, whatever the DNS says
    (RFC 5922 §4)."""
    flow = flow_of(room, place.transport, place.host)
    return Path(flow, place.host, place.port, place.transport, certified_for(trunk, place.transport))


def certified_for(trunk: TrunkModel, transport: str) -> str:
    """What a trunk's certificate must be for; '' without TLS."""
    return (trunk.tls_name or trunk.host.strip("[]")) if transport == "tls" else ""


def by_trunk(room: Room, trunk: TrunkModel, number: str) -> Target | None:
    """A number behind this trunk, whatever its limits, at each of its addresses; None: it has none."""
    up, down = trunks.places(room, trunk, room.now_ms)
    ways = [_trunk_target(room, trunk, place, number, "") for place in up + down]
    if not ways or not (trunk.host or trunk.accounts):
        return None
    return msgspec.structs.replace(ways[0], others=tuple(ways[1:]))


def flow_of(room: Room, transport: str, host: str = "") -> int:
    """The listening UDP flow of the far end's address family; stream flows are chosen by the endpoint (0)."""
    if transport == "udp":
        listener = room.endpoint.core.flows.first_listener("udp", host)
        return listener.flow if listener is not None else 0
    return 0

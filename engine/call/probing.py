"""Trunks are looked after: their names are looked up again in time (RFC 3263), and OPTIONS tell which addresses answer.

A trunk that has died is known within its probe's time, however its death falls between two probes: they go out twice as
often, an answer is waited for as long as so many bad ones fit into the other half, and the first bad one is followed by
the next at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import limits
from engine.call import agents, dial, enrolling, gateways, outcomes, outside, trunks
from engine.call.effects import ResolveWanted
from engine.call.trunks import Hop, TrunkRow
from engine.sip.events import Path
from engine.sip.flows import is_literal
from engine.sip.locating import Place
from engine.sip.uri import format_host

if TYPE_CHECKING:
    from engine.call.effects import Resolved
    from engine.call.room import Room
    from engine.dialplan.model import Site, TrunkModel
    from engine.dialplan.trunk_model import ProbeModel
    from engine.sip.events import Qualified

TOKEN = " trunk"  # no realm begins with a blank
SECRETS_MS = 100  # a site's secrets come right after it
KINDS = ("trunk_name", "trunk_probe", "trunk_rest", "trunk_enrol", "trunk_again")


# --- the site -----------------------------------------------------------------------------------------------------
def load(room: Room, site: Site, now_ms: int) -> None:
    """The site's trunks, and no others. What hasn't changed goes on as it was."""
    for name in [name for name in room.trunk_rows if name not in site.trunks]:
        _drop(room, room.trunk_rows.pop(name), now_ms)
    for name, model in site.trunks.items():
        basis = repr((model.host, model.port, model.transport, model.find, model.user, model.enrol))
        basis += model.tls_name
        basis += repr(model.accounts) if model.accounts else ""
        row = room.trunk_rows.get(name)
        if row is not None and row.basis == basis:
            _watch(room, row, model, now_ms)
            continue
        if row is not None:
            _drop(room, row, now_ms)
        most = trunks.CALL * max(model.calls_per_second, 1)
        row = room.trunk_rows[name] = TrunkRow(_fresh_id(room), name, basis, credit=most, credit_ms=now_ms)
        if model.host:
            _look_up(room, row, model, now_ms)
        if model.accounts:
            gateways.load(room, row, model)
        if model.enrol is not None:
            row.enrolled, row.enrolled_ms = "waiting", now_ms
            room.deadlines.arm(("trunk_enrol", row.id), now_ms + SECRETS_MS)


def _fresh_id(room: Room) -> int:
    room.trunk_serial += 1
    return room.trunk_serial


def _drop(room: Room, row: TrunkRow, now_ms: int) -> None:
    enrolling.drop(room, row, now_ms)
    for kind in KINDS:
        room.deadlines.cancel((kind, row.id))


def _model(room: Room, number: int) -> tuple[TrunkRow, TrunkModel] | None:
    row = trunks.by_id(room, number)
    model = room.sites[room.site].trunks.get(row.name) if row is not None and room.site else None
    return (row, model) if row is not None and model is not None else None


# --- names ----------------------------------------------------------------------------------------------------------
def _look_up(room: Room, row: TrunkRow, model: TrunkModel, now_ms: int) -> None:
    if is_literal(model.host.strip("[]")):
        row.hops = [Hop(Place(model.host.strip("[]"), model.port, model.transport))]
        _watch(room, row, model, now_ms)
        return
    room.out.append(ResolveWanted(row.id, model.host, model.port, model.transport, model.find))
    room.deadlines.arm(("trunk_name", row.id), now_ms + limits.name_retry_ms)


def look_again(room: Room, number: int, now_ms: int) -> None:
    """What the DNS said has run out, or it hasn't answered."""
    found = _model(room, number)
    if found is not None:
        _look_up(room, *found, now_ms)


def resolved(room: Room, event: Resolved, now_ms: int) -> None:
    """Where the name leads. An address that stays keeps what is known of it; no answer keeps all of them."""
    found = _model(room, event.trunk)
    if found is None or found[1].host != event.host:
        return
    row, model = found
    before = trunks.state(row, model, now_ms)
    row.detail = event.detail
    if event.places:
        known = {hop.place: hop for hop in row.hops}
        row.hops = [known.get(place) or Hop(place) for place in event.places[: limits.trunk_hops_max]]
        again_ms = min(max(event.ttl_ms, limits.name_ttl_ms_min), limits.name_ttl_ms_max)
        _watch(room, row, model, now_ms)
    else:
        again_ms = limits.name_retry_ms
    enrolling.found(room, row, now_ms)
    room.deadlines.arm(("trunk_name", row.id), now_ms + again_ms)
    trunks.tell(room, row, model, before, event.detail or "its name was found", now_ms)


# --- probes -----------------------------------------------------------------------------------------------------------
def _watch(room: Room, row: TrunkRow, model: TrunkModel, now_ms: int) -> None:
    """Begin or end to probe, as the site says now."""
    if model.accounts:  # the registrar asks whoever is registered
        return
    if model.probe is None or not row.hops:
        room.deadlines.cancel(("trunk_probe", row.id))
        for hop in row.hops:
            hop.down = False
    elif room.deadlines.at(("trunk_probe", row.id)) is None:
        room.deadlines.arm(("trunk_probe", row.id), now_ms + SECRETS_MS)


def every_ms(probe: ProbeModel) -> int:
    """From one probe to the next while all is well."""
    return probe.within_ms // 2


def answer_ms(probe: ProbeModel) -> int:
    """How long an answer is waited for."""
    return min(limits.probe_answer_ms_max, probe.within_ms // (2 * probe.bad))


def due(room: Room, number: int, now_ms: int) -> None:
    """Ask all its addresses."""
    found = _model(room, number)
    if found is None or found[1].probe is None:
        return
    row, probe = found[0], found[1].probe
    room.deadlines.arm(("trunk_probe", row.id), now_ms + every_ms(probe))
    for place, hop in enumerate(row.hops):
        at = hop.place
        tail = f";transport={at.transport}" if at.transport != "udp" else ""
        target = f"sip:{format_host(at.host, at.port)}{tail}"
        token = f"{TOKEN}/{row.id}/{place}/{at.host}"
        path = Path(0, at.host, at.port, at.transport, outside.certified_for(found[1], at.transport))
        room.endpoint.qualify(token, target, path, now_ms, answer_ms=answer_ms(probe))


def qualified(room: Room, event: Qualified, now_ms: int) -> None:
    """An answer to OPTIONS, or its absence: of a trunk's address, else of an agent's phone."""
    if not event.token.startswith(TOKEN + "/"):
        agents.qualified(room, event, now_ms)
        return
    _, number, place, host = event.token.split("/", 3)
    found = _model(room, int(number))
    if found is None or int(place) >= len(found[0].hops) or found[0].hops[int(place)].place.host != host:
        return
    row, model = found
    if model.probe is None:
        return
    hop, before = row.hops[int(place)], trunks.state(row, model, now_ms)
    good = event.reachable and event.status != 503
    hop.status = event.status
    if good:
        hop.round_trip_ms = max(event.round_trip_ms, 0)
    hop.streak = max(hop.streak, 0) + 1 if good else min(hop.streak, 0) - 1
    if good and hop.down and hop.streak >= model.probe.good:
        hop.down = False
    elif not good and hop.streak <= -model.probe.bad:
        hop.down = True
    if hop.down == good:  # the verdict is about to change: hurry, but don't flood
        soon_ms = min(limits.probe_again_ms, every_ms(model.probe))
        room.deadlines.arm(("trunk_probe", row.id), now_ms + soon_ms)
    elif not good and not hop.down:
        room.deadlines.arm(("trunk_probe", row.id), now_ms)
    said = f"says {event.status}" if event.status else "doesn't answer OPTIONS"
    trunks.tell(room, row, model, before, f"{format_host(host, hop.place.port)} {said}", now_ms)
    if hop.down and not good:
        _rescue(room, row, hop, now_ms)


def _rescue(room: Room, row: TrunkRow, hop: Hop, now_ms: int) -> None:
    """Calls that wait there for a first ring go on by their next way."""
    where = (hop.place.host, hop.place.port)
    for leg in [each for each in room.legs.values() if each.trunk == row.name and each.state == "calling"]:
        attempt = room.attempts.get(leg.attempt)
        outcome = dial.abandoned(room, leg, now_ms) if (leg.path.host, leg.path.port) == where else None
        if attempt is not None and outcome is not None:
            outcomes.over(room, attempt, outcome, now_ms)

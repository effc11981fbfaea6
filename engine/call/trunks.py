"""What is known of each trunk now: its addresses, which of them answer, how many calls it may still get; and the order
in which the trunks of a rule are tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine import limits
from engine.call import edge
from engine.sip.locating import Place, ordered

if TYPE_CHECKING:
    from engine.call.room import Room
    from engine.call.site_index import SiteIndex
    from engine.dialplan.model import OutboundRule, TrunkModel
    from engine.sip.events import Incoming

CALL = 1_000  # thousandths of a call: what the rate limit counts in


class Hop(msgspec.Struct):
    """One address of a trunk. `streak`: probes in a row that were good, below 0 bad."""

    place: Place
    down: bool = False
    streak: int = 0
    round_trip_ms: int = -1  # of its latest answer, -1 none yet
    status: int = 0  # of its latest answer to a probe
    rests_until_ms: int = 0  # it left an INVITE without a word, and no probe tells when it is back


class TrunkRow(msgspec.Struct):
    """One trunk of the site. `basis`: what its addresses and its registration were made of; another one begins anew."""

    id: int
    name: str
    basis: str
    hops: list[Hop] = []
    detail: str = ""  # why its name leads nowhere
    credit: int = CALL  # of the rate limit, in thousandths of a call
    credit_ms: int = 0
    account: int = 0  # its registration at the endpoint, 0 none
    enrolled: str = ""  # '' not asked for | waiting | registered | renewed | refused | failed | lapsed | left
    enrolled_status: int = 0
    enrolled_detail: str = ""
    enrolled_ms: int = 0  # since when
    next_ms: int = 0  # when it is tried again
    placed: int = 0  # calls sent to it
    moved: int = 0  # of them, given to the next trunk or address
    asked: bool = False  # it was to be registered with before its name was found
    limited: int = 0  # calls that it was not given: too many at once, or in a second


# --- its state --------------------------------------------------------------------------------------------------
def usable(hop: Hop, now_ms: int) -> bool:
    """May the next call go there?"""
    return not hop.down and hop.rests_until_ms <= now_ms


def state(row: TrunkRow, model: TrunkModel, now_ms: int) -> str:
    """up | down | unknown (nobody asks, and nothing has gone wrong) | unresolved (its name leads nowhere)."""
    if model.accounts and not row.hops:
        return "down"
    if not model.host and not model.accounts:
        return "unknown"
    if not row.hops:
        return "unresolved" if row.detail else "unknown"
    if not any(usable(hop, now_ms) for hop in row.hops):
        return "down"
    answers = model.accounts or any(usable(hop, now_ms) and hop.round_trip_ms >= 0 for hop in row.hops)
    return "up" if answers else "unknown"


def registered(row: TrunkRow) -> bool:
    return row.enrolled in ("registered", "renewed")


def tell(room: Room, row: TrunkRow, model: TrunkModel, before: str, detail: str, now_ms: int) -> None:
    """Say that the state has changed, once."""
    after = state(row, model, now_ms)
    if after == before:
        return
    best = min((hop.round_trip_ms for hop in row.hops if hop.round_trip_ms >= 0), default=-1)
    room.emit("trunk.state", model.tenant, "", trunk=row.name, state=after, detail=detail, round_trip_ms=best)
    if after in ("down", "unresolved"):
        room.log("warning", f"trunk {row.name} is {after}: {detail}; calls take the next trunk of their rule",
                 f"trunk.{row.name}")  # fmt: skip
    elif before in ("down", "unresolved"):
        room.log("info", f"trunk {row.name} is {after} again", f"trunk.{row.name}")


# --- how many calls ------------------------------------------------------------------------------------------------
def refusal(room: Room, model: TrunkModel, now_ms: int) -> str:
    """Why the trunk may not get a call now: calls_max | calls_per_second, '' it may."""
    if model.calls_max and room.trunk_calls.get(model.name, 0) >= model.calls_max:
        return "calls_max"
    row = room.trunk_rows.get(model.name)
    if row is None or not model.calls_per_second:
        return ""
    most = CALL * model.calls_per_second
    row.credit = min(most, row.credit + (now_ms - row.credit_ms) * model.calls_per_second)
    row.credit_ms = now_ms
    return "" if row.credit >= CALL else "calls_per_second"


def limited(room: Room, model: TrunkModel, why: str) -> None:
    """A call that the trunk would have got goes elsewhere, or nowhere."""
    row = room.trunk_rows.get(model.name)
    if row is not None:
        row.limited += 1
    most = model.calls_max if why == "calls_max" else model.calls_per_second
    text = f"{most} calls" if why == "calls_max" else f"{most} calls a second"
    room.log("warning", f"trunk {model.name} is full: {text}", f"trunk.{model.name}")
    room.emit("engine.limit", model.tenant, "", name=f"trunk.{model.name}.{why}", value=most)


def spend(room: Room, name: str) -> None:
    """A call goes out through it."""
    row = room.trunk_rows.get(name)
    if row is not None:
        row.credit -= CALL
        row.placed += 1


def left(room: Room, name: str) -> None:
    """A call has gone on to the next trunk or address."""
    row = room.trunk_rows.get(name)
    if row is not None:
        row.moved += 1


# --- which one -------------------------------------------------------------------------------------------------------
def in_order(room: Room, rule: OutboundRule) -> list[str]:
    """The rule's trunks in the order for one call: by priority, within one by weight."""
    if not rule.routes:
        return [rule.trunk]
    places = [Place(each.trunk, 0, "", each.priority, each.weight) for each in rule.routes]
    return [each.host for each in ordered(places, room.tokens.number)]


def places(room: Room, model: TrunkModel, now_ms: int) -> tuple[list[Place], list[Place]]:
    """(addresses to try for one call, in order; those that are down). A name that nobody has looked up yet stands for
    itself: the runtime looks it up when it sends."""
    row = room.trunk_rows.get(model.name)
    if model.accounts and (row is None or not row.hops):
        return [], []
    if row is None or not row.hops:
        unknown = Place(model.host, model.port, model.transport)
        return ([], [unknown]) if row is not None and row.detail else ([unknown], [])
    good = [hop.place for hop in row.hops if usable(hop, now_ms)]
    bad = [hop.place for hop in row.hops if not usable(hop, now_ms)]
    return (ordered(good, room.tokens.number) if len(good) > 1 else good), bad


def silent(room: Room, name: str, host: str, port: int, detail: str, now_ms: int) -> None:
    """An address that left a call without a word isn't tried again before a probe was answered, or it has rested."""
    row, model = room.trunk_rows.get(name), room.sites[room.site].trunks.get(name)
    if row is None or model is None:
        return
    before = state(row, model, now_ms)
    for hop in row.hops:
        if (hop.place.host, hop.place.port) != (host, port):
            continue
        if model.probe is not None:
            hop.down, hop.streak = True, min(hop.streak, -1)
            room.deadlines.arm(("trunk_probe", row.id), now_ms)
        else:
            hop.rests_until_ms = now_ms + limits.trunk_rest_ms
            room.deadlines.arm(("trunk_rest", row.id), hop.rests_until_ms)
    tell(room, row, model, before, detail, now_ms)


def rested(room: Room, number: int, now_ms: int) -> None:
    """An address may be tried again."""
    row = by_id(room, number)
    model = room.sites[room.site].trunks.get(row.name) if row is not None else None
    if row is not None and model is not None:
        tell(room, row, model, "down", "it has rested", now_ms)


def by_id(room: Room, number: int) -> TrunkRow | None:
    return next((row for row in room.trunk_rows.values() if row.id == number), None)


# --- whose call is it -----------------------------------------------------------------------------------------------
def source(room: Room, index: SiteIndex, event: Incoming) -> tuple[TrunkModel | None, Incoming]:
    """The trunk that an INVITE came by, and the INVITE as the number that was dialled.

    By the contact that we registered, wherever it comes from (RFC 3261 §16.5); else by its source: the trunk's
    addresses, or those that its name leads to. A registrar that calls our contact says the number in To.
    """
    trunk = index.site.trunks.get(room.endpoint.account_of(event.request_uri))
    if trunk is not None:
        known = index.number(event.dialled, trunk.tenant) is not None
        if not known and index.number(event.called.user, trunk.tenant) is not None:
            event = msgspec.structs.replace(event, dialled=event.called.user)
        return trunk, event
    host, port = event.path.host, event.path.port
    trunk = index.trunk_at(host, port)
    if trunk is not None and edge.denied(trunk, host):
        return None, event
    if trunk is None:
        for row in room.trunk_rows.values():
            model = index.site.trunks.get(row.name)
            if model is None or model.accounts:  # where a box has registered from is `gateways`'s to know
                continue
            if not model.addresses and any(hop.place.host == host for hop in row.hops):
                return model, event
    return trunk, event

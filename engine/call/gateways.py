"""Gateways that register with us: a box with an account whose bindings are a trunk's addresses.

`register: accept` in trunks.yaml. What comes from where a box has registered is the trunk's call, with or without its
password; its password alone, from anywhere, is as good. Calls to the trunk go to the contacts that are registered:
those of its first account first, the others behind them, whoever doesn't answer OPTIONS last.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from engine.call import trunks
from engine.call.trunks import Hop, TrunkRow
from engine.sip import digest
from engine.sip.locating import Place
from engine.sip.uri import format_host

if TYPE_CHECKING:
    from engine.call.room import Room
    from engine.dialplan.model import TenantModel, TrunkModel
    from engine.sip.binding import Binding
    from engine.sip.events import BindingChanged, Incoming, Path

_CONTACT = re.compile(r"(sips?:)(?:[^@;?>]*@)?([^?]*)")
_CHANGES = {"added": "registered", "moved": "registered", "removed": "left", "expired": "lapsed"}


def of(room: Room, key: str) -> TrunkModel | None:
    """The trunk whose account "tenant/user" is."""
    return room.index().accounts.get(key)


def secret(room: Room, tenant: TenantModel, user: str) -> dict[str, str] | None:
    """HA1 of an account, None for other users and where no password lies in the data folder."""
    model = of(room, f"{tenant.name}/{user}")
    kept = room.trunk_secrets.get(model.name) if model is not None else None
    return digest.ha1(user, tenant.realm, kept[1]) if kept is not None else None


def source(room: Room, event: Incoming) -> TrunkModel | None:
    """The trunk that has registered from where this INVITE comes."""
    for model in room.index().accounts.values():
        for each in bindings(room, model):
            if (each.path.host, each.path.port, each.path.transport) == (
                event.path.host, event.path.port, event.path.transport,
            ):  # fmt: skip
                return model
    return None


def bindings(room: Room, model: TrunkModel) -> list[Binding]:
    """Of all its accounts, the latest registration of each account first."""
    tenant = room.sites[room.site].tenants.get(model.tenant)
    if tenant is None:
        return []
    return [each for user in model.accounts for each in room.endpoint.bindings(tenant.realm, user)]


def load(room: Room, row: TrunkRow, model: TrunkModel) -> None:
    """Its addresses, as they are registered now. What is known of one that stays is kept."""
    known = {hop.place: hop for hop in row.hops}
    found: dict[Place, Hop] = {}
    for each in bindings(room, model):
        place = Place(each.path.host, each.path.port, each.path.transport)
        hop = found[place] = known.get(place) or Hop(place)
        hop.down, hop.round_trip_ms = not each.reachable, each.round_trip_ms
    row.hops = list(found.values())
    row.detail = "" if row.hops else f"nobody has registered as {' or '.join(model.accounts)}"


def changed(room: Room, model: TrunkModel, event: BindingChanged, now_ms: int) -> None:
    """A box has registered, moved or left."""
    where = f"{event.path.transport}:{format_host(event.path.host, event.path.port)}"
    box = f" ({event.user_agent[:64]})" if event.user_agent else ""
    change = _CHANGES.get(event.change, event.change)
    room.emit(
        "trunk.registered", model.tenant, "", trunk=model.name, change=change, status=200,
        detail=f"{event.user} at {where}{box}", granted_s=0, next_ms=0,
    )  # fmt: skip
    if event.change in ("removed", "expired"):
        room.log("warning", f"trunk {model.name}: {event.user} at {where} has {change}", f"binding.{model.name}")
    look(room, model, f"{event.user} at {where} has {change}", now_ms)


def look(room: Room, model: TrunkModel, why: str, now_ms: int) -> None:
    """Its addresses anew; a change of its state is told."""
    row = room.trunk_rows.get(model.name)
    if row is not None:
        before = trunks.state(row, model, now_ms)
        load(room, row, model)
        trunks.tell(room, row, model, before, why, now_ms)


def way(room: Room, model: TrunkModel, place: Place, user: str) -> tuple[str, Path] | None:
    """(URI, path) by which `user` (escaped) is called behind the box that has registered from `place`."""
    for each in bindings(room, model):
        if (each.path.host, each.path.port, each.path.transport) == (place.host, place.port, place.transport):
            parts = _CONTACT.match(each.contact)
            if parts is not None:
                return f"{parts[1]}{user}@{parts[2]}", each.path
    return None

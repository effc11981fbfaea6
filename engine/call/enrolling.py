"""Trunks that want to be registered with: when we register, what is said about it, and how it ends.

The protocol is `sip.registration`'s. Here are the reasons: a site that was loaded, secrets that changed, addresses that
were found, an engine that drains or comes back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import limits
from engine.call import trunks
from engine.call.outside import certified_for
from engine.call.trunks import TrunkRow
from engine.errors import ProtocolError
from engine.sip.account import UP, Account, Life
from engine.sip.events import Enrolled, Path
from engine.sip.flows import is_literal
from engine.sip.registration import address_of
from engine.sip.uri import format_host

if TYPE_CHECKING:
    from engine.call.room import Room
    from engine.dialplan.model import TrunkModel

BACK_MS = 500  # after an outage: until the listeners have been told again
REMEDY = {
    401: "its password was refused: put the right one into the data folder under the trunk's name, then reload",
    407: "its password was refused: put the right one into the data folder under the trunk's name, then reload",
    403: "the carrier forbids it: check user: and password, and ask the carrier whether the account is open",
    404: "the carrier doesn't know the user: check user: and register: {domain: …}",
}
NO_PASSWORD = "there is no password for it: write auth: secret NAME at the trunk, then ringdown secret set NAME"


def begin(room: Room, number: int, now_ms: int) -> None:
    """The site and its secrets are there: register."""
    row = trunks.by_id(room, number)
    model = room.sites[room.site].trunks.get(row.name) if row is not None else None
    if row is None or model is None or model.enrol is None or row.account or room.draining:
        return
    enrol = model.enrol
    if not row.hops and not row.detail and enrol.registrar == model.host and not row.asked:
        row.asked = True  # its name is being looked up: `resolved` comes back here, and a silent DNS isn't waited for
        room.deadlines.arm(("trunk_enrol", row.id), now_ms + limits.name_retry_ms)
        return
    registrar = f"sip:{format_host(enrol.registrar, enrol.port)}"
    try:
        row.account = room.endpoint.register(
            row.name, registrar, address_of(enrol.user, enrol.domain), enrol.contact, room.trunk_secrets.get(row.name),
            _paths(row, model), enrol.expires_s, now_ms,
        )  # fmt: skip
    except ProtocolError as error:  # the reader has looked at it; a site from elsewhere may still be wrong
        room.log("error", f"trunk {row.name} can't register: {error}", f"enrol.{row.name}")


def _paths(row: TrunkRow, model: TrunkModel) -> tuple[Path, ...]:
    """Where the registrar may be asked. A registrar of its own is looked up by the runtime when it sends."""
    enrol = model.enrol
    if enrol is not None and (enrol.registrar != model.host or enrol.port):
        host = enrol.registrar.strip("[]")
        name = (model.tls_name or host) if model.transport == "tls" else ""
        return (Path(0, host, enrol.port or model.port, model.transport, name),)
    found = tuple(
        Path(0, at.host, at.port, at.transport, certified_for(model, at.transport))
        for at in (hop.place for hop in row.hops)
    )  # fmt: skip
    if not found and (model.transport == "udp" or is_literal(model.host)):
        return (Path(0, model.host, model.port, model.transport, certified_for(model, model.transport)),)
    return found


def found(room: Room, row: TrunkRow, now_ms: int) -> None:
    """The trunk's name leads elsewhere now, or somewhere at last."""
    if row.asked and not row.account:
        room.deadlines.arm(("trunk_enrol", row.id), now_ms)
    account, model = _account(room, row), room.sites[room.site].trunks.get(row.name)
    if account is None or model is None:
        return
    paths = _paths(row, model)
    if paths == account.paths:
        return
    present = account.paths[account.turn % len(account.paths)] if account.paths else None
    account.turn = paths.index(present) if present in paths else 0
    account.paths = paths
    if present not in paths and account.life not in (Life.IDLE, Life.LEAVING, Life.ENDING):
        room.endpoint.register_again(account.id, now_ms)


def _account(room: Room, row: TrunkRow) -> Account | None:
    return next((each for each in room.endpoint.accounts() if each.id == row.account), None)


def secrets_changed(room: Room, before: dict[str, tuple[str, str]], now_ms: int) -> None:
    """Whoever has another password now registers with it at once."""
    for row in room.trunk_rows.values():
        account = _account(room, row)
        now = room.trunk_secrets.get(row.name)
        if account is not None and now != before.get(row.name):
            account.secret = now
            if not room.draining:
                room.endpoint.register_again(account.id, now_ms)


def drop(room: Room, row: TrunkRow, now_ms: int) -> None:
    """The trunk is gone from the site, or is another one now."""
    if row.account:
        room.endpoint.unregister(row.account, now_ms, forget=True)
        row.account = 0


def leave(room: Room, now_ms: int) -> None:
    """No new calls from now on: carriers shall send them elsewhere."""
    for row in room.trunk_rows.values():
        if row.account:
            room.endpoint.unregister(row.account, now_ms)


def leaving(room: Room) -> bool:
    """Does a registrar still have to answer?"""
    return any(each.life in (Life.ENDING, Life.LEAVING) for each in room.endpoint.accounts())


def back(room: Room, now_ms: int) -> None:
    """The engine goes on after an outage or a drain that was called off: registrars are told at once, since nobody
    knows what they did meanwhile."""
    for row in room.trunk_rows.values():
        model = room.sites[room.site].trunks.get(row.name) if room.site else None
        if model is not None and model.enrol is not None:
            room.deadlines.arm(("trunk_again" if row.account else "trunk_enrol", row.id), now_ms + BACK_MS)


def again(room: Room, number: int, now_ms: int) -> None:
    """See `back`."""
    row = trunks.by_id(room, number)
    if row is not None and row.account and not room.draining:
        room.endpoint.register_again(row.account, now_ms)


def told(room: Room, event: Enrolled, now_ms: int) -> None:
    """What the registrar said, or didn't: kept, told, and put into one line where somebody has to act."""
    row = room.trunk_rows.get(event.token)
    model = room.sites[room.site].trunks.get(event.token) if room.site else None
    if row is None or model is None:
        return
    was, account = row.enrolled, _account(room, row)
    still = event.change == "failed" and account is not None and account.life in UP
    if not still:
        row.enrolled = event.change
    row.enrolled_status, row.enrolled_ms = event.status, now_ms
    row.next_ms = now_ms + event.next_ms if event.next_ms else 0
    row.enrolled_detail = _detail(room, row, event)
    room.emit(
        "trunk.registered", model.tenant, "", trunk=row.name, change=event.change, status=event.status,
        detail=row.enrolled_detail, granted_s=event.granted_s, next_ms=event.next_ms,
    )  # fmt: skip
    if event.change in ("refused", "failed"):
        left = "; registered until it runs out" if still else "; nobody can call in by it"
        when = f"; next try in {event.next_ms // 1_000} s"
        level = "error" if event.change == "refused" else "warning"
        room.log(level, f"trunk {row.name} is not registered: {row.enrolled_detail}{left}{when}", f"enrol.{row.name}")
    elif event.change == "registered" or (event.change == "renewed" and was not in ("registered", "renewed")):
        room.log("info", f"trunk {row.name} is registered for {event.granted_s} s", f"enrol.{row.name}")


def _detail(room: Room, row: TrunkRow, event: Enrolled) -> str:
    said = f"{event.status} {event.phrase}".strip() if event.status >= 300 else ""
    if event.change != "refused":
        return said
    remedy = REMEDY.get(event.status, "")
    if event.status in (401, 407) and row.name not in room.trunk_secrets:
        remedy = NO_PASSWORD
    return f"{said}: {remedy}"

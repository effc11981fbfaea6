"""Whom a target means: the phones of an agent, a number behind a trunk, a SIP address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.call import fraud, permission, urgent
from engine.call.leg import AGENT, PHONE
from engine.call.outside import Target, flow_of, outside
from engine.call.spending import in_full, payer
from engine.errors import ProtocolError
from engine.sip.events import Path
from engine.sip.uri import parse_uri

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.room import Room
    from engine.dialplan.model import AgentModel, Reach
    from engine.sip.binding import Binding


def resolve(room: Room, call: Call, target: str, team: str = "", *, by: str = "") -> list[Target] | str:
    """The phones behind "agent/201", "number/0044…" or "sip:…"; a word (the result) when there are none.

    `by`: the agent who sends the call on to a number, when that isn't who dials."""
    kind, _, name = target.partition("/")
    if kind == "agent":
        tenant, _, number = name.rpartition("/")
        return _agent_targets(room, tenant or call.tenant, number)
    if kind == "emergency":
        return urgent.way(room, name)
    if kind == "number":
        return _number_targets(room, call, name, team, by or payer(call))
    path, uri = static_path(room, target)
    return [Target(uri, path, PHONE, uri)] if path else "unreachable"


def _agent_targets(room: Room, tenant: str, number: str) -> list[Target] | str:
    index = room.index()
    model = index.agent(tenant, number)
    if model is None:
        return "unreachable"
    key, party = f"{tenant}/{number}", f"agent {number}"
    reach, found, why = model.reach, list[Target](), "unreachable"
    if reach is not None and reach.nailed_up:
        return _nailed(room, key, party, reach)
    if reach is not None and reach.number:
        behind = outside(room, index, tenant, model.team, reach.number)
        if isinstance(behind, str):
            why = behind
        else:
            confirm_ms = reach.confirm_ms if reach.confirm else 0
            found.append(
                msgspec.structs.replace(behind, kind=AGENT, party=party, agent=key, confirm_ms=confirm_ms)
            )  # fmt: skip
        if not reach.registered:
            return found or why
    if model.contact:
        path, uri = static_path(room, model.contact)
        found += [_phone(uri, path, party, key, model)] if path else []
    else:
        realm = index.site.tenants[tenant].realm
        bindings = [b for b in room.endpoint.bindings(realm, number) if b.reachable]
        for flows in _by_phone(bindings):
            ways = [_phone(b.contact, b.path, party, key, model) for b in flows]
            found.append(msgspec.structs.replace(ways[0], others=tuple(ways[1:])))
    return found or why


def _by_phone(bindings: list[Binding]) -> list[list[Binding]]:
    """A phone with several flows is rung by one at a time, the latest first (RFC 5626 §5.3, §6); the other contacts
    are phones of their own."""
    found: dict[str | int, list[Binding]] = {}
    for binding in bindings:
        found.setdefault(binding.instance if binding.reg_id else binding.id, []).append(binding)
    return list(found.values())


def _nailed(room: Room, key: str, party: str, reach: Reach) -> list[Target] | str:
    row = room.agents.get(key)
    own = room.calls.get(row.nail) if row is not None else None
    if own is None or own.phase != "nailed":
        return "unreachable"
    if own.leg not in room.legs:
        return "busy"  # somebody has it already
    confirm_ms = reach.confirm_ms if reach.confirm else 0
    return [Target("", room.legs[own.leg].path, AGENT, party, agent=key, confirm_ms=confirm_ms, nail=own.id)]


def _phone(uri: str, path: Path, party: str, key: str, model: AgentModel) -> Target:
    return Target(uri, path, AGENT, party, agent=key, auto_answer=model.auto_answer, dtmf=model.dtmf)


def _number_targets(room: Room, call: Call, number: str, team: str, by: str) -> list[Target] | str:
    index = room.index(call.site)
    if urgent.meant(room.index(), number):
        return urgent.targets(room, call, urgent.meant(room.index(), number))
    if index.agent(call.tenant, number) is not None:
        return _agent_targets(room, call.tenant, number)
    if team != "*":  # a dialplan and an operator dial on the site's own account
        refused = permission.refusal(room, call, index, by, number)
        if refused:
            return refused
    found = outside(room, index, call.tenant, team, number)
    if isinstance(found, str):
        return found
    return _unstopped(room, call, found, in_full(index, call.tenant, team, number), by)


def _unstopped(room: Room, call: Call, found: Target, number: str, by: str) -> list[Target] | str:
    """The ways to a number that no rule against fraud stops."""
    ways = [each for each in (found, *found.others) if not fraud.stops(room, call, each.trunk, number, by)]
    if not ways:
        return permission.REFUSED
    return [msgspec.structs.replace(ways[0], others=tuple(ways[1:]))]


def static_path(room: Room, text: str) -> tuple[Path | None, str]:
    """Where a literal SIP URI leads. Only addresses: names are resolved when the site is loaded."""
    try:
        uri = parse_uri(text if text.startswith(("sip:", "sips:")) else f"sip:{text}")
    except ProtocolError:
        return None, text
    transport = uri.params.get("transport", "udp").lower() if uri.params else "udp"
    if uri.scheme == "sips" or transport == "tls":
        return Path(0, uri.host, uri.port or 5061, "tls", uri.host), text
    if transport not in ("udp", "tcp"):
        return None, text
    return Path(flow_of(room, transport, uri.host), uri.host, uri.port or 5060, transport), text

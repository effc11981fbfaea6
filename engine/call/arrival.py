"""An INVITE from outside: who is it, may he, and where does the number lead?

Rules: a trunk is known by its address; an agent by digest credentials (he is asked for them when his registered
phone calls); everyone else reaches public numbers only, and never a trunk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import limits
from engine.call import (
    agents,
    canary,
    codes,
    edge,
    ending,
    gateways,
    limited,
    menus,
    nailed,
    numbers,
    oversight,
    parking,
    pickup,
    replacing,
    script,
    securing,
    signatures,
    talking,
    trunks,
    urgent,
)
from engine.call.call import Call
from engine.call.leg import CALLER
from engine.call.signature_wall import SignatureChecked
from engine.ids import call_name
from engine.sip.events import Incoming, Replaces
from engine.sip.uri import unescape

if TYPE_CHECKING:
    from engine.call.room import Room
    from engine.call.site_index import SiteIndex
    from engine.dialplan.model import AgentModel, NumberModel, TenantModel, TrunkModel


def incoming(room: Room, event: Incoming, now_ms: int) -> None:
    """Decide about a new INVITE: challenge, refuse, or begin a call."""
    if not room.site:
        room.endpoint.reject(event.session, 503, now_ms, phrase="Not Ready", headers=(("Retry-After", "5"),))
        return
    full = limited.node(room)
    if full is not None and not urgent.meant(room.index(), event.dialled):
        room.endpoint.reject(event.session, 503, now_ms, headers=(("Retry-After", "10"),))
        room.emit("engine.limit", "", "", name=full.name, value=full.value)
        return
    index = room.index()
    trunk, event = trunks.source(room, index, event)
    trunk = trunk or gateways.source(room, event)
    tenant = index.tenant(event.domain)
    own_phone = _own_phone(room, event, tenant)
    if trunk is not None and event.credentials is None and not own_phone and event.replaces is None:
        _from_trunk(room, event, index, trunk, now_ms)
        return
    verdict, key = agents.identify(room, tenant, event.credentials, "INVITE", event.path.host, now_ms)
    if verdict == "good" and (not _meant_for(event) or edge.refuses(tenant, event.path.host)):
        verdict = "bad"
    who = edge.account(event.credentials, event.caller.user)
    if verdict == "good":
        edge.judge(room, event.path, verdict, who)
    if verdict == "good" and key in index.accounts:  # a box, by its password from wherever it is
        trunk, own_phone, verdict = index.accounts[key], False, "none"
    if verdict == "good" and event.replaces is not None:
        _replaces(room, event, event.replaces, tenant, index.site.agents[key], now_ms)
        return
    if verdict == "good":
        _from_agent(room, event, index, tenant, index.site.agents[key], now_ms)
        return
    if trunk is not None and not own_phone and event.replaces is not None:
        room.endpoint.reject(event.session, 403, now_ms, cause=21)
        agents.refused(room, "replaces", event.path.host, "a trunk may not take a call's place")
        return
    if trunk is not None and not own_phone:  # a gateway may send credentials that mean nothing here
        _from_trunk(room, event, index, trunk, now_ms)
        return
    if verdict == "bad":
        agents.refused(room, "password", event.path.host, f"INVITE as {event.caller.user[:32]}: wrong user or password")
    box = f"{tenant.name}/{event.caller.user}" in index.accounts  # one that calls from elsewhere than it registers
    if verdict == "none" and not own_phone and not box and event.replaces is None:
        number = index.number(event.dialled, tenant.name)
        if number is not None and number.public:
            edge.judge(room, event.path, "taken", "")
            _begin(room, event, number.tenant, "public", now_ms, number=number)
            return
        if number is None and not _somebodys(index, tenant, event.dialled):
            _unknown(room, event, now_ms)
            return
    edge.judge(room, event.path, verdict, who)
    agents.challenge(room, "invite", event.session, tenant.realm, event.path.host, now_ms, verdict, who)


def _meant_for(event: Incoming) -> bool:
    """Do the credentials name the number that is dialled? Overheard ones must not open another (RFC 7616 §3.4.6)."""
    user, at, _ = event.credentials.uri.partition(":")[2].partition("@") if event.credentials else ("", "", "")
    return not at or unescape(user.partition(";")[0]) == event.dialled.partition(";")[0]


def _own_phone(room: Room, event: Incoming, tenant: TenantModel) -> bool:
    """Does the INVITE come from where this agent's phone is registered? Then it must say who it is: it occupies him."""
    if f"{tenant.name}/{event.caller.user}" not in room.agents:
        return False
    for binding in room.endpoint.bindings(tenant.realm, event.caller.user):
        if binding.path.host == event.path.host and binding.path.port == event.path.port:
            return True
    return False


def _somebodys(index: SiteIndex, tenant: TenantModel, dialled: str) -> bool:
    """Could the number mean something to an agent of the tenant? Then the caller is asked who he is before a 404."""
    return (
        urgent.meant(index, dialled) != ""
        or index.agent(tenant.name, dialled) is not None
        or dialled in tenant.codes
        or codes.meant(tenant, dialled)[0] != ""
        or oversight.meant(tenant, dialled)[0] != ""
        or parking.meant(tenant, dialled) != ""
        or pickup.meant(tenant, dialled)[0]
        or index.outbound(tenant.name, "*", dialled) is not None
    )


def _from_trunk(room: Room, event: Incoming, index: SiteIndex, trunk: TrunkModel, now_ms: int) -> None:
    if signatures.wanted(room, event, trunk, now_ms):
        return
    number = numbers.lookup(index, event, trunk)
    if number is None:
        _unknown(room, event, now_ms)
        return
    if trunk.calls_max and room.trunk_calls.get(trunk.name, 0) >= trunk.calls_max:
        room.log("warning", f"trunk {trunk.name} is full: {trunk.calls_max} calls", f"trunk.{trunk.name}")
        room.emit("engine.limit", trunk.tenant, "", name=f"trunk.{trunk.name}.calls_max", value=trunk.calls_max)
        room.endpoint.reject(event.session, 486, now_ms, cause=34)
        return
    _begin(room, event, number.tenant, "trunk", now_ms, number=number, trunk=trunk)


def checked(room: Room, event: SignatureChecked, now_ms: int) -> None:
    """The verdict on a caller's signature: his call begins."""
    waited = signatures.answered(room, event)
    if waited is not None:
        incoming(room, waited, now_ms)
        room.verdicts.pop(event.session, None)


def unchecked(room: Room, session: int, now_ms: int) -> None:
    """No verdict in time: his call begins without."""
    checked(room, SignatureChecked(session, "unknown"), now_ms)


def _from_agent(
    room: Room, event: Incoming, index: SiteIndex, tenant: TenantModel, agent: AgentModel, now_ms: int
) -> None:
    dialled = event.dialled
    help_number = urgent.meant(index, dialled)
    if help_number:
        call = _begin(room, event, tenant.name, "agent", now_ms, agent=agent)
        if call is not None:
            talking.dial_emergency(room, call, help_number, now_ms)
        return
    word, digits = codes.meant(tenant, dialled)
    if word:
        busy = word in menus.WORDS  # no caller is offered to him while he hears messages
        call = _begin(room, event, tenant.name, "agent", now_ms, agent=agent, occupies=busy)
        if call is not None:
            codes.dialled(room, call, word, digits, now_ms)
        return
    if tenant.codes.get(dialled) == nailed.CODE:
        call = _begin(room, event, tenant.name, "agent", now_ms, agent=agent, occupies=False)
        if call is not None:
            nailed.begin(room, call, now_ms)
        return
    word, rest = oversight.meant(tenant, dialled)
    if word:
        call = _begin(room, event, tenant.name, "agent", now_ms, agent=agent, occupies=word != oversight.PICK)
        if call is not None:
            oversight.dialled(room, call, word, rest, now_ms)
        return
    slot = parking.meant(tenant, dialled)
    if slot:
        call = _begin(room, event, tenant.name, "agent", now_ms, agent=agent)
        if call is not None:
            parking.dialled(room, call, slot, now_ms)
        return
    picks, whose = pickup.meant(tenant, dialled)
    if picks:
        call = _begin(room, event, tenant.name, "agent", now_ms, agent=agent, occupies=False)
        if call is not None:
            pickup.dialled(room, call, whose, now_ms)
        return
    number = index.number(dialled, tenant.name)
    if number is not None:
        _begin(room, event, number.tenant, "agent", now_ms, number=number, agent=agent)
    elif index.agent(tenant.name, dialled) is not None:
        _direct(room, event, tenant, agent, f"agent/{tenant.name}/{dialled}", now_ms)
    elif index.outbound(tenant.name, agent.team, dialled) is not None:
        _direct(room, event, tenant, agent, f"number/{dialled}", now_ms)
    else:
        _unknown(room, event, now_ms)


def _replaces(
    room: Room, event: Incoming, what: Replaces, tenant: TenantModel, agent: AgentModel, now_ms: int
) -> None:
    """He wants the place of a call that rings or stands."""
    found = replacing.look(room, what, agent)
    if isinstance(found, int):
        room.endpoint.reject(event.session, found, now_ms)
        return
    call = _begin(room, event, tenant.name, "agent", now_ms, agent=agent, occupies=False)
    if call is not None:
        replacing.take(room, call, found, now_ms)


def _direct(room: Room, event: Incoming, tenant: TenantModel, agent: AgentModel, target: str, now_ms: int) -> None:
    call = _begin(room, event, tenant.name, "agent", now_ms, agent=agent)
    if call is not None:
        talking.dial_direct(room, call, target, agent.team, now_ms)


def _unknown(room: Room, event: Incoming, now_ms: int) -> None:
    room.endpoint.reject(event.session, 404, now_ms, cause=1)
    edge.judge(room, event.path, "unknown", event.dialled)
    agents.refused(room, "number", event.path.host, f"nobody has the number {event.dialled[:32]!r}")


def _begin(
    room: Room, event: Incoming, tenant: str, via: str, now_ms: int, *, number: NumberModel | None = None,
    trunk: TrunkModel | None = None, agent: AgentModel | None = None, occupies: bool = True,
) -> Call | None:  # fmt: skip
    """A call exists from here on. With a number its dialplan starts; otherwise the owner goes on."""
    room.call_serial += 1
    caller = _caller(room, event, trunk, agent)
    site = room.site
    if number is not None:
        site, number = canary.version_for(room, number, event.caller.user, room.call_serial)
    call = Call(
        room.call_serial, call_name(room.call_serial), tenant, site, caller.number, caller.name,
        numbers.dialled(event, trunk), via, trunk.name if trunk is not None else "", now_ms, hops=event.max_forwards,
        identity=caller.identity,
    )  # fmt: skip
    room.calls[call.id] = call
    room.deadlines.arm(("call", call.id), now_ms + limits.early_ms_max)
    party = f"agent {agent.number}" if agent is not None else caller.number or event.path.host
    leg = room.new_leg(call, CALLER, event.session, event.path, party, outgoing=False)
    call.leg, leg.their_offer = leg.id, event.sdp
    leg.fax = (number.dialplan, number.fax) if number is not None and number.fax else None
    if trunk is not None:
        leg.trunk, leg.accept, leg.dtmf = trunk.name, trunk.media_from, trunk.dtmf
        room.trunk_calls[trunk.name] = room.trunk_calls.get(trunk.name, 0) + 1
    leg.secure = securing.policy(room, trunk, agent)
    if agent is not None:
        leg.agent, leg.dtmf, call.agent = f"{agent.tenant}/{agent.number}", agent.dtmf, f"{agent.tenant}/{agent.number}"
        if occupies:
            talking.mark_agent_call(room, leg, "outbound" if number is None else "internal")
    room.emit(
        "call.started", tenant, call.name, caller=call.caller, name=call.caller_name, dialled=call.dialled,
        trunk=call.trunk, via=via, peer=f"{event.path.transport}:{event.path.host}:{event.path.port}",
        sip=event.call_id,
    )  # fmt: skip
    told = numbers.told(caller.identity, call.caller, call.dialled)
    if told is not None:
        room.emit("call.identity", tenant, call.name, **told)
    if site != room.site:
        room.emit("call.shared", tenant, call.name, site=site)
    if number is not None and not script.begin(room, call, *script.way(room, call, number, now_ms), now_ms):
        ending.hang_up(room, call, "system", "failed", 41, now_ms, status=500)
    return call


def _caller(room: Room, event: Incoming, trunk: TrunkModel | None, agent: AgentModel | None) -> numbers.Caller:
    """An agent is who his password says he is; everybody else what the INVITE says of him."""
    if agent is None:
        found = numbers.identify(event, trunk, event.dialled)
        if trunk is not None:
            signatures.mark(room, event, trunk, found.identity, found.number, numbers.dialled(event, trunk))
        return found
    return numbers.Caller(agent.number, agent.name, numbers.preferred(event, None))

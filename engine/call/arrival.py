"""An INVITE from outside: who is it, may he, and where does the number lead?

Rules: a trunk is known by its address; an agent by digest credentials (he is asked for them when his registered
phone calls); everyone else reaches public numbers only, and never a trunk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import limits
from engine.call import agents, canary, codes, ending, menus, nailed, oversight, parking, script, talking
from engine.call.call import Call
from engine.call.leg import CALLER
from engine.ids import call_name
from engine.sip.events import Incoming
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
    if room.full() or room.draining:
        room.endpoint.reject(event.session, 503, now_ms, headers=(("Retry-After", "10"),))
        room.emit("engine.limit", "", "", name="draining" if room.draining else "calls_max", value=len(room.calls))
        return
    index = room.index()
    trunk = index.trunk_at(event.path.host, event.path.port)
    tenant = index.tenant(event.domain)
    own_phone = _own_phone(room, event, tenant)
    if trunk is not None and event.credentials is None and not own_phone:
        _from_trunk(room, event, index, trunk, now_ms)
        return
    verdict, key = agents.identify(room, tenant, event.credentials, "INVITE", event.path.host, now_ms)
    if verdict == "good" and not _meant_for(event):
        verdict = "bad"
    if verdict == "good":
        _from_agent(room, event, index, tenant, index.site.agents[key], now_ms)
        return
    if trunk is not None and not own_phone:  # a gateway may send credentials that mean nothing here
        _from_trunk(room, event, index, trunk, now_ms)
        return
    if verdict == "bad":
        agents.refused(room, "password", event.path.host, f"INVITE as {event.caller.user[:32]}: wrong user or password")
    if verdict == "none" and not own_phone:
        number = index.number(event.dialled, tenant.name)
        if number is not None and number.public:
            _begin(room, event, number.tenant, "public", now_ms, number=number)
            return
        if number is None and not _somebodys(index, tenant, event.dialled):
            _unknown(room, event, now_ms)
            return
    agents.challenge(room, "invite", event.session, tenant.realm, event.path.host, now_ms, verdict)


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
        index.agent(tenant.name, dialled) is not None
        or dialled in tenant.codes
        or codes.meant(tenant, dialled)[0] != ""
        or oversight.meant(tenant, dialled)[0] != ""
        or parking.meant(tenant, dialled) != ""
        or index.outbound(tenant.name, "*", dialled) is not None
    )


def _from_trunk(room: Room, event: Incoming, index: SiteIndex, trunk: TrunkModel, now_ms: int) -> None:
    number = index.number(event.dialled, trunk.tenant)
    if number is None:
        _unknown(room, event, now_ms)
        return
    if trunk.calls_max and room.trunk_calls.get(trunk.name, 0) >= trunk.calls_max:
        room.log("warning", f"trunk {trunk.name} is full: {trunk.calls_max} calls", f"trunk.{trunk.name}")
        room.emit("engine.limit", trunk.tenant, "", name=f"trunk.{trunk.name}.calls_max", value=trunk.calls_max)
        room.endpoint.reject(event.session, 486, now_ms, cause=34)
        return
    _begin(room, event, number.tenant, "trunk", now_ms, number=number, trunk=trunk)


def _from_agent(
    room: Room, event: Incoming, index: SiteIndex, tenant: TenantModel, agent: AgentModel, now_ms: int
) -> None:
    dialled = event.dialled
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
        call = _begin(room, event, tenant.name, "agent", now_ms, agent=agent)
        if call is not None:
            oversight.dialled(room, call, word, rest, now_ms)
        return
    slot = parking.meant(tenant, dialled)
    if slot:
        call = _begin(room, event, tenant.name, "agent", now_ms, agent=agent)
        if call is not None:
            parking.dialled(room, call, slot, now_ms)
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


def _direct(room: Room, event: Incoming, tenant: TenantModel, agent: AgentModel, target: str, now_ms: int) -> None:
    call = _begin(room, event, tenant.name, "agent", now_ms, agent=agent)
    if call is not None:
        talking.dial_direct(room, call, target, agent.team, now_ms)


def _unknown(room: Room, event: Incoming, now_ms: int) -> None:
    room.endpoint.reject(event.session, 404, now_ms, cause=1)
    agents.refused(room, "number", event.path.host, f"nobody has the number {event.dialled[:32]!r}")


def _begin(
    room: Room, event: Incoming, tenant: str, via: str, now_ms: int, *, number: NumberModel | None = None,
    trunk: TrunkModel | None = None, agent: AgentModel | None = None, occupies: bool = True,
) -> Call | None:  # fmt: skip
    """A call exists from here on. With a number its dialplan starts; otherwise the owner goes on."""
    room.call_serial += 1
    caller = (
        event.asserted if event.asserted is not None and trunk is not None and trunk.trust_identity else event.caller
    )
    site = room.site
    if number is not None:
        site, number = canary.version_for(room, number, caller.user, room.call_serial)
    call = Call(
        room.call_serial, call_name(room.call_serial), tenant, site,
        agent.number if agent is not None else caller.user, agent.name if agent is not None else caller.display,
        event.dialled, via, trunk.name if trunk is not None else "", now_ms, hops=event.max_forwards,
    )  # fmt: skip
    room.calls[call.id] = call
    room.deadlines.arm(("call", call.id), now_ms + limits.early_ms_max)
    party = f"agent {agent.number}" if agent is not None else caller.user or event.path.host
    leg = room.new_leg(call, CALLER, event.session, event.path, party, outgoing=False)
    call.leg, leg.their_offer = leg.id, event.sdp
    if trunk is not None:
        leg.trunk, leg.accept, leg.dtmf = trunk.name, trunk.media_from, trunk.dtmf
        room.trunk_calls[trunk.name] = room.trunk_calls.get(trunk.name, 0) + 1
    if agent is not None:
        leg.agent, leg.dtmf, call.agent = f"{agent.tenant}/{agent.number}", agent.dtmf, f"{agent.tenant}/{agent.number}"
        if occupies:
            talking.mark_agent_call(room, leg, "outbound" if number is None else "internal")
    room.emit(
        "call.started", tenant, call.name, caller=call.caller, name=call.caller_name, dialled=call.dialled,
        trunk=call.trunk, via=via, peer=f"{event.path.transport}:{event.path.host}:{event.path.port}",
        sip=event.call_id,
    )  # fmt: skip
    if site != room.site:
        room.emit("call.shared", tenant, call.name, site=site)
    if number is not None and not script.begin(room, call, *script.way(room, call, number, now_ms), now_ms):
        ending.hang_up(room, call, "system", "failed", 41, now_ms, status=500)
    return call

"""How supervisors and picking agents come on: by a code of their phone, or rung at an operator's word.

    *57<agent>   listen to an agent of mine; then 4 listen, 5 whisper, 6 barge in, 7 take over, * leave
    *58          pick the caller who has waited longest in my queues

Operators say the same: `call ID listen --as AGENT`, `agent ID listen --as SUPERVISOR`, `call ID pick --as AGENT`,
`call ID conference --with WHO`. Who has no right, or names what isn't there, gets an answer and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine import limits
from engine.call import conference, dial, ending, mixing, operating, picking, supervision, talking
from engine.call.agents import refused
from engine.call.call import Call
from engine.call.operating import Unknown
from engine.ids import call_name

if TYPE_CHECKING:
    from engine.call.dial import Attempt, Outcome
    from engine.call.effects import Operator
    from engine.call.leg import Leg
    from engine.call.room import Room
    from engine.dialplan.model import TenantModel

RING_MS_MAX = 30_000
PICK = "pick"
_REFUSED = {"unknown": (404, 1), "right": (403, 21), "idle": (480, 20), "full": (486, 34)}  # SIP status, Q.850 cause


# --- by phone ----------------------------------------------------------------------------------------------------
def meant(tenant: TenantModel, number: str) -> tuple[str, str]:
    """("supervise", "201") of *57201, ("pick", "") of *58, ("", "") of anything else."""
    for code, word in tenant.codes.items():
        if word == PICK and number == code:
            return PICK, ""
        if word == "supervise" and number.startswith(code) and len(number) > len(code):
            return word, number[len(code) :]
    return "", ""


def dialled(room: Room, own: Call, word: str, number: str, now_ms: int) -> None:
    """An agent's phone has dialled one of the codes: `own` is his call."""
    if word == PICK:
        _pick_dialled(room, own, now_ms)
        return
    key = f"{own.tenant}/{number}"
    site = room.site_of(own)
    found = supervision.conversation(room, key)
    if key not in site.agents:
        refuse(room, own, "unknown", f"no agent {number}", now_ms)
    elif not supervision.may(site, own.agent, key):
        refuse(room, own, "right", f"agent {own.agent} may not follow {key}", now_ms)
    elif found is None:
        refuse(room, own, "idle", f"agent {key} is in no conversation", now_ms)
    elif _full(room, found[0]):
        refuse(room, own, "full", f"call {found[0].name} is full", now_ms)
    else:
        supervision.expect(own, *found, mixing.LISTEN)
        if talking.answer_caller(room, own, now_ms):
            supervision.begin(room, own, now_ms)


def _pick_dialled(room: Room, own: Call, now_ms: int) -> None:
    call = picking.longest(room, own.agent)
    if call is None:
        refuse(room, own, "idle", f"nobody waits for {own.agent}", now_ms)
    elif talking.answer_caller(room, own, now_ms):
        picking.take(room, own, call, now_ms)


def refuse(room: Room, own: Call, why: str, detail: str, now_ms: int) -> None:
    """What he wants can't be: `why` unknown | right | idle | full, told to his phone and to who reads the call."""
    status, cause = _REFUSED[why]
    if why == "right":
        refused(room, "supervision", room.legs[own.leg].path.host, detail)
    room.emit("call.fault", own.tenant, own.name, where=own.dialled, detail=detail)
    ending.hang_up(room, own, "system", "failed", cause, now_ms, status=status)


def _full(room: Room, call: Call) -> bool:
    return mixing.seats_free(call) < 1 or (call.mix < 0 and mixing.free_number(room) < 0)


# --- rung at an operator's word ------------------------------------------------------------------------------------
def _summon(room: Room, key: str, call: Call, leg: Leg | None, mode: str, now_ms: int) -> Call:
    """Ring an agent for what he is to do with `call`; a call of his own, like one that he dialled himself."""
    site = room.sites[room.site]
    agent = site.agents[key]
    room.call_serial += 1
    own = Call(
        room.call_serial, call_name(room.call_serial), agent.tenant, room.site, agent.number, agent.name,
        f"{mode} {call.name}", "agent", "", now_ms, agent=key,
    )  # fmt: skip
    room.calls[own.id] = own
    room.deadlines.arm(("call", own.id), now_ms + limits.early_ms_max)
    room.emit(
        "call.started", own.tenant, own.name, caller=own.caller, name=own.caller_name, dialled=own.dialled, trunk="",
        via="agent", peer="", sip="",
    )  # fmt: skip
    if leg is not None:
        supervision.expect(own, call, leg, mode)
    else:
        own.phase, own.watches, own.mode = "picking", call.id, mode
    attempt, outcome = dial.start(
        room, own, "summon", (f"agent/{key}",), now_ms, ring_ms_max=RING_MS_MAX, display=f"[{mode}] {call.caller}",
        caller_id=call.caller,
    )  # fmt: skip
    own.attempt = attempt.id
    if outcome is not None:
        attempt_over(room, attempt, outcome, now_ms)
    return own


def attempt_over(room: Room, attempt: Attempt, outcome: Outcome, now_ms: int) -> None:
    """He answered, and goes on to what he was rung for, if that is still there; or he didn't."""
    own = room.calls.get(attempt.call)
    if own is None:
        return
    own.attempt = 0
    if outcome.result != "answered":
        status, cause = talking.STATUS_OF_RESULT.get(outcome.result, (480, 41))
        ending.hang_up(room, own, "callee", "failed", cause, now_ms, status=status)
        return
    own.leg, own.answered_ms = outcome.leg, now_ms
    room.deadlines.arm(("call", own.id), now_ms + limits.call_ms_max)
    room.emit("call.answered", own.tenant, own.name, after_ms=now_ms - own.started_ms)
    call = room.calls.get(own.watches)
    if own.mode == PICK and call is not None and picking.waits(call):
        picking.take(room, own, call, now_ms)
    elif own.mode == PICK or call is None:
        supervision.dismiss(room, own, now_ms)
    else:
        supervision.begin(room, own, now_ms)


# --- an operator's commands ------------------------------------------------------------------------------------------
def _agent_of(room: Room, tenant: str, name: str) -> str:
    """The key of "210" or "tenant/210". Raises Unknown."""
    agents = room.sites[room.site].agents if room.site else {}
    key = name if "/" in name else f"{tenant}/{name}"
    if not name or key not in agents:
        raise Unknown(f"no agent {name!r} in tenant {tenant}; `ringdown agents` lists them")
    return key


def _ringable(room: Room, key: str) -> None:
    row = room.agents[key]
    if not row.reachable:
        raise Unknown(f"agent {key} has no phone that can be rung; nothing was changed")


def _follow(room: Room, order: Operator, call: Call, mode: str, now_ms: int) -> dict[str, str]:
    """A supervisor comes on a conversation, or changes how he is on it."""
    wanted = order.arguments.get("as", "")
    key = _agent_of(room, call.tenant, wanted)
    own = next((each for each in mixing.watchers(room, call) if each.agent == key), None)
    if own is not None:
        return _change(room, call, own, mode, now_ms)
    leg = _followed(room, call, key)
    if not supervision.may(room.sites[room.site], key, leg.agent):
        right = "agents.yaml gives the right by supervisor or supervises"
        raise Unknown(f"agent {key} may not follow {leg.agent}: {right}; nothing was changed")
    if any(room.calls[number].agent == key for number in call.watchers if number in room.calls):
        raise Unknown(f"agent {key} is being rung for call {call.name} already; nothing was changed")
    if _full(room, call):
        raise Unknown(f"call {call.name} is full; nothing was changed")
    _ringable(room, key)
    own = _summon(room, key, call, leg, mode, now_ms)
    return {"call": call.name, "done": f"rings {key} to {_words(mode)}", "undo": f"ringdown call {own.name} hangup"}


def _followed(room: Room, call: Call, key: str) -> Leg:
    """The agent's leg of a conversation (not the supervisor's own). Raises Unknown."""
    legs = [room.legs[number] for number in (call.other, call.leg) if number in room.legs]
    found = [leg for leg in legs if leg.agent and leg.agent != key]
    if call.phase != "talking" or not found:
        raise Unknown(f"call {call.name} is no conversation with an agent now ({call.phase}); nothing was changed")
    return found[0]


def _change(room: Room, call: Call, own: Call, mode: str, now_ms: int) -> dict[str, str]:
    before = own.mode
    if mode == supervision.TAKE_OVER:
        if not supervision.take_over(room, own, now_ms):
            raise Unknown(f"call {call.name} can't be taken over now; nothing was changed")
        return {"call": call.name, "done": f"taken over by {own.agent}", "undo": "none: the agent was let go"}
    if before == mode:
        raise Unknown(f"agent {own.agent} is on call {call.name} to {_words(mode)} already; nothing was changed")
    supervision.change(room, own, mode)
    undo = f"ringdown call {call.name} {before} --as {own.agent}"
    return {"call": call.name, "done": f"{own.agent} is on it to {_words(mode)}", "undo": undo}


def _words(mode: str) -> str:
    return "take over" if mode == supervision.TAKE_OVER else mode


def _call_verb(mode: str) -> Callable[[Room, Operator, int], dict[str, str]]:
    def rule(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
        return _follow(room, order, operating.find(room, order.arguments.get("call", "")), mode, now_ms)

    return rule


def _agent_verb(mode: str) -> Callable[[Room, Operator, int], dict[str, str]]:
    def rule(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
        name = order.arguments.get("agent", "")
        tenant = name.split("/")[0] if "/" in name else order.arguments.get("as", "").rpartition("/")[0] or "default"
        key = _agent_of(room, tenant, name)
        found = supervision.conversation(room, key)
        if found is None:
            raise Unknown(f"agent {key} is in no conversation; nothing was changed")
        return {"agent": key, **_follow(room, order, found[0], mode, now_ms)}

    return rule


def _pick(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    call = operating.find(room, order.arguments.get("call", ""))
    key = _agent_of(room, call.tenant, order.arguments.get("as", ""))
    if not picking.waits(call):
        raise Unknown(f"call {call.name} doesn't wait in a queue ({call.phase}); nothing was changed")
    _ringable(room, key)
    own = _summon(room, key, call, None, PICK, now_ms)
    done = f"rings {key} for him; he keeps his place meanwhile"
    return {"call": call.name, "done": done, "undo": f"ringdown call {own.name} hangup"}


def _conference(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    call = operating.find(room, order.arguments.get("call", ""))
    who = order.arguments.get("with", "")
    leg = room.legs.get(call.other) or room.legs.get(call.leg)
    if leg is None:
        raise Unknown(f"call {call.name} is no conversation: nobody can be added to it")
    if not leg.agent and room.legs[call.leg].agent:
        leg = room.legs[call.leg]
    why = conference.invite(room, call, leg, who, now_ms, operator=order.author)
    if why:
        raise Unknown(f"{why}; nothing was changed")
    return {"call": call.name, "done": f"rings {who} for the conference", "undo": "none: he may hang up"}


_MODES = (*supervision.MODES, supervision.TAKE_OVER)
VERBS: dict[str, Callable[[Room, Operator, int], dict[str, str]]] = {
    **{f"call.{mode}": _call_verb(mode) for mode in _MODES},
    **{f"agent.{mode}": _agent_verb(mode) for mode in _MODES},
    "call.pick": _pick, "call.conference": _conference,
}  # fmt: skip

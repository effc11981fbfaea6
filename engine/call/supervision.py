"""Supervisors on a conversation: they listen, whisper to the agent, barge in, take over, and leave unnoticed.

A supervisor's leg lies in a call of his own (`phase` supervising) that names the one he follows. Whatever ends the
conversation of the agent whom he follows ends his part with a tone; his own hanging up changes nothing for the two.
How he comes on is `oversight`'s: by a code of his phone, or rung at an operator's word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import bridge, conference, dial, mixing, waiting
from engine.call import leg as legs
from engine.call.call import Call, end_leg, tread

if TYPE_CHECKING:
    from engine.call.leg import Leg
    from engine.call.room import Room
    from engine.dialplan.model import Site

MODES = (mixing.LISTEN, mixing.WHISPER, mixing.BARGE)
TAKE_OVER, LEAVE = "takeover", "leave"
KEYS = {"4": mixing.LISTEN, "5": mixing.WHISPER, "6": mixing.BARGE, "7": TAKE_OVER, "*": LEAVE}
END_TONES = 3  # periods of the busy tone: told that it is over, then hung up
END_MS_MAX = 10_000


def may(site: Site, supervisor: str, agent: str) -> bool:
    """May this agent follow that one? By `supervisor: yes` everybody of his tenant, else by team or queue."""
    who, whom = site.agents.get(supervisor), site.agents.get(agent)
    if who is None or whom is None or who is whom or who.tenant != whom.tenant:
        return False
    if who.supervisor:
        return True
    theirs = [f"queue/{queue}" for queue, _, _ in whom.queues] + ([f"team/{whom.team}"] if whom.team else [])
    return any(name in who.supervises for name in theirs)


def conversation(room: Room, agent: str) -> tuple[Call, Leg] | None:
    """The call in which this agent talks now, with his leg."""
    for leg in room.legs.values():
        call = room.calls.get(leg.call)
        if leg.agent == agent and call is not None and call.phase == "talking" and leg.id in (call.leg, call.other):
            return call, leg
    return None


# --- coming, changing, going -------------------------------------------------------------------------------------
def expect(own: Call, call: Call, leg: Leg, mode: str) -> None:
    """`own`'s supervisor is on his way to `call`, to the agent of `leg`: his seat is taken, nobody hears him yet."""
    own.phase, own.watches, own.mode, own.coaches = "supervising", call.id, mode, leg.id
    call.watchers.append(own.id)


def begin(room: Room, own: Call, now_ms: int) -> None:
    """His leg is up: he hears, and is heard, as his mode says."""
    call = room.calls[own.watches]
    taking, own.mode = own.mode == TAKE_OVER, mixing.LISTEN if own.mode == TAKE_OVER else own.mode
    own.outcome = "served"
    tread(own, f"{own.mode} {call.name}")
    _tell(room, "started", own, call)
    _refresh(room, call)
    if taking:
        take_over(room, own, now_ms)


def change(room: Room, own: Call, mode: str) -> None:
    """Another mode, at once; the same one changes nothing."""
    call = room.calls[own.watches]
    if mode == own.mode:
        return
    own.mode = mode
    _tell(room, "changed", own, call)
    _refresh(room, call)


def keyed(room: Room, own: Call, digit: str, now_ms: int) -> None:
    """A key of a supervisor on the line. Other keys mean nothing, and nobody hears any."""
    word = KEYS.get(digit, "")
    if own.watches not in room.calls or not word:
        return
    if word in MODES:
        change(room, own, word)
    elif word == TAKE_OVER:
        take_over(room, own, now_ms)
    else:
        unwatch(room, own, "left", now_ms)
        dismiss(room, own, now_ms, tone=False)


def unwatch(room: Room, own: Call, reason: str, now_ms: int) -> None:
    """He follows nobody any more; the others notice nothing. Nothing when he follows nobody."""
    call = room.calls.get(own.watches)
    if call is not None and own.id in call.watchers:
        if own.leg in room.legs and room.legs[own.leg].state == "up":
            _tell(room, "ended", own, call, reason)
        call.watchers.remove(own.id)
        _refresh(room, call)
    own.watches = own.coaches = 0


def over(room: Room, call: Call, reason: str, now_ms: int) -> None:
    """The conversation that supervisors follow is over: each hears that, and his phone is hung up."""
    following, call.watchers = call.watchers, []
    for number in following:
        own = room.calls.get(number)
        if own is None:
            continue
        if own.leg in room.legs:
            _tell(room, "ended", own, call, reason)
        own.watches = own.coaches = 0
        dismiss(room, own, now_ms)
    if following and not call.guests:
        mixing.over(room, call)


def dismiss(room: Room, own: Call, now_ms: int, *, tone: bool = True) -> None:
    """A tone, then the end; who is still being rung is rung no longer."""
    own.phase, own.outcome = "code", "served"
    attempt, leg = room.attempts.get(own.attempt), room.legs.get(own.leg)
    if attempt is not None:
        dial.cancel(room, attempt, now_ms)
        own.attempt = 0
    site = room.site_of(own)
    country = site.tenants[own.tenant].country if own.tenant in site.tenants else "us"
    clips = room.clips(site, (f"tone/busy.{country}",) * END_TONES)
    playing = tone and leg is not None and bool(legs.play(room, leg, "code", clips))
    room.deadlines.arm(("tone", own.id), now_ms + (END_MS_MAX if playing else 0))


def _refresh(room: Room, call: Call) -> None:
    caller = room.legs.get(call.leg)
    if call.phase == "talking" and caller is not None:
        bridge.rejoin(room, call, caller)


def _tell(room: Room, what: str, own: Call, call: Call, reason: str = "") -> None:
    leg = room.legs.get(own.coaches)
    told = {"supervisor": own.agent, "agent": leg.agent if leg is not None else "", "mode": own.mode}
    if what == "ended":
        told["reason"] = reason
    room.emit(f"supervision.{what}", call.tenant, call.name, **told)


# --- taking over -------------------------------------------------------------------------------------------------
def take_over(room: Room, own: Call, now_ms: int) -> bool:
    """The supervisor gets the caller, the agent is released into his wrap-up; False when there is nothing to take."""
    call, leg = room.calls.get(own.watches), room.legs.get(own.coaches)
    if call is None or leg is None or call.phase != "talking" or leg.id not in (call.leg, call.other):
        return False
    own.mode = TAKE_OVER
    _tell(room, "changed", own, call)
    _tell(room, "ended", own, call, TAKE_OVER)
    call.watchers.remove(own.id)
    own.watches = own.coaches = 0
    over(room, call, "agent left", now_ms)  # whoever else followed the agent
    conference.withdraw(room, call, now_ms)
    if leg.id == call.leg:
        bridge.swap(room, call, leg)
    stays = room.legs[call.leg]
    bridge.part(room, call, leg, quiet=False)
    waiting.completed(room, call, "transfer", now_ms)
    end_leg(room, leg, now_ms)
    mine = bridge.adopt(room, own, call, now_ms)
    tread(call, mine.party)
    bridge.join(room, call, stays, mine, now_ms)
    return True

"""Emergency calls on their way, dialled by an agent's phone or by a dialplan: past every limit but the caller's
password.

They go by the trunks of `emergency:` in order, twice round; a trunk that is full, or has said that it is, loses a lower
call first (Q.850 cause 8). What such a call says of itself is in `urgent`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import dial, ending, urgent
from engine.sip.session import Phase

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.dial import Attempt, Outcome
    from engine.call.room import Room

PREEMPTED = 8  # Q.850: preemption
RING_MS_MAX = 180_000
SILENT_MS = 4_000  # without a word from a trunk: the next one's turn
ROUNDS = 2
PURPOSES = ("direct", "dial", "handover")  # of attempts that go by one trunk after the other


def meant(room: Room, targets: tuple[str, ...]) -> str:
    """The emergency number among what a dialplan would ring, '' none."""
    for target in targets:
        kind, _, name = target.partition("/")
        number = urgent.meant(room.index(), name) if kind == "number" else ""
        if number:
            return number
    return ""


def begin(
    room: Room, call: Call, number: str, purpose: str = "direct", *, record: bool = False
) -> tuple[Attempt, Outcome | None]:  # fmt: skip
    """An agent, or a dialplan, has dialled it. As `next_way`."""
    urgent.begin(room, call, number)
    found = room.sites[room.site].emergency
    call.phase = "dial"
    call.ways = list(found.trunks) * ROUNDS if found is not None else []
    return next_way(room, call, purpose, record=record)


def next_way(room: Room, call: Call, purpose: str, *, record: bool) -> tuple[Attempt, Outcome | None]:
    """Ring by the next trunk: its attempt, and the failure when there is none any more."""
    site, failed = room.sites[room.site], dial.Outcome("unreachable", status=503, cause=38)
    attempt, _ = dial.start(room, call, purpose, (), room.now_ms)
    while call.ways:
        name = call.ways.pop(0)
        second = len(call.ways) < len(site.emergency.trunks) if site.emergency is not None else False
        trunk = site.trunks.get(name)
        if trunk is not None and (second or urgent.full(room, trunk)):
            preempt(room, call, name, room.now_ms)
        target = f"emergency/{name}/{call.emergency}"
        attempt, outcome = dial.start(room, call, purpose, (target,), room.now_ms, ring_ms_max=RING_MS_MAX)
        if outcome is None:
            call.attempt, attempt.forward_early, attempt.record = attempt.id, True, record
            room.deadlines.arm(("urgent", call.id), room.now_ms + SILENT_MS)
            return attempt, None
        failed = outcome
    return attempt, failed


def again(room: Room, call: Call, attempt: Attempt, outcome: Outcome) -> Outcome | None:
    """An attempt has ended: None while the next trunk is tried, else how it all went."""
    failed: Outcome | None = outcome
    if outcome.result != "answered" and call.ways:
        _, failed = next_way(room, call, attempt.purpose, record=attempt.record)
    if failed is not None:
        room.deadlines.cancel(("urgent", call.id))
        over(room, call, failed.result)
    return failed


def silent(room: Room, call: Call) -> Outcome | None:
    """Its time for a first word is over: the next trunk's turn, unless this one works on it or is the last."""
    attempt = room.attempts.get(call.attempt)
    if attempt is None or not call.ways:
        return None
    for number in attempt.legs:
        session = room.endpoint.core.sessions.get(room.legs[number].session)
        if session is not None and session.phase != Phase.CALLING:
            return None
    dial.cancel(room, attempt, room.now_ms)
    return again(room, call, attempt, dial.Outcome("no_answer", status=408))


def make_way(room: Room, call: Call, target: str) -> None:
    """Before somebody is sent to an emergency number, or it is added to a conversation: where every trunk is full the
    first loses a lower call."""
    site = room.sites[room.site]
    if site.emergency is None or not meant(room, (target,)):
        return
    found = [site.trunks[name] for name in site.emergency.trunks if name in site.trunks]
    if found and all(urgent.full(room, trunk) for trunk in found):
        preempt(room, call, found[0].name, room.now_ms)


def preempt(room: Room, call: Call, trunk: str, now_ms: int) -> None:
    """The lower call that began last on the trunk ends, on all its legs with the cause that says why."""
    lower = [
        each for each in room.calls.values()
        if each.id != call.id and not each.emergency and each.phase != "closing"
        and any(room.legs[leg].trunk == trunk for leg in each.legs if leg in room.legs)
    ]  # fmt: skip
    if not lower:
        return
    victim = max(lower, key=lambda each: (not each.answered_ms, each.started_ms, each.id))
    room.emit("emergency.preempted", victim.tenant, victim.name, trunk=trunk, by=call.name, cause=PREEMPTED)
    room.log("warning", f"{victim.name} ends: the emergency call {call.name} needs the trunk {trunk}")
    ending.hang_up(room, victim, "system", "preempted", PREEMPTED, now_ms, others=PREEMPTED)


def over(room: Room, call: Call, result: str) -> None:
    """How it went, for those who watch."""
    room.emit("emergency.ended", call.tenant, call.name, number=call.emergency, result=result)
    if result != "answered":
        room.log("error", f"EMERGENCY CALL FAILED: {call.emergency} of {call.name}: {result} by every trunk")
        call.emergency = ""  # what its dialplan does now is a call like any other

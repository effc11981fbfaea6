"""How calls end: who hung up, what is freed, and the closing record once every leg has reported its quality."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import limits
from engine.call import bridge, canary, dial, hearing, rooms, sound, staying, streaming, supervision, waiting
from engine.call.call import Call, busy, drop_leg, end_leg, legs_of
from engine.call.effects import RemoveFile
from engine.dialplan.actions import CallerGone
from engine.sip.causes import status_of

if TYPE_CHECKING:
    from engine.call.room import Room
    from engine.media.commands import LegClosed

REPORT_MS_MAX = 1_000

# deadlines that belong to a call and end with its dialplan
_CALL_DEADLINES = (
    "script", "urgent", "record", "position", "wait", "overflow", "whisper", "tone", "call", "nail", "park", "room",
    "menu", "words", "refusal",
)  # fmt: skip


def caller_gone(room: Room, call: Call, by: str, now_ms: int) -> None:
    """The caller's leg is over (its session has ended already). The dialplan's `finally:` runs without audio."""
    if call.phase == "closing":
        return
    if not call.outcome:
        talked = call.talked_ms or call.talk_from_ms
        call.outcome = "served" if talked or (call.stays and call.waiting is None) else "abandoned"
    call.ended_by = call.ended_by or by
    _free_others(room, call, now_ms, by="caller")
    leg = room.legs.get(call.leg)
    if leg is not None:
        drop_leg(room, leg, now_ms)
    _finish_script(room, call, now_ms)


def hang_up(
    room: Room, call: Call, by: str, outcome: str, cause: int, now_ms: int, *, status: int = 0, others: int = 16
) -> None:  # fmt: skip
    """We end it: `status` is said to a caller who was never answered (from the cause when 0), `others` is the cause for
    everybody else's leg."""
    if call.phase == "closing":
        return
    call.outcome, call.cause, call.ended_by = outcome, cause, call.ended_by or by
    _free_others(room, call, now_ms, by="system", cause=others)
    leg = room.legs.get(call.leg)
    if leg is not None:
        if leg.state == "offered":
            told = cause if cause != 16 else 0
            status = status or status_of(cause)
            headers = (("Retry-After", "10"),) if status == 503 else ()
            room.endpoint.reject(leg.session, status, now_ms, cause=told, headers=headers)
            drop_leg(room, leg, now_ms)
        else:
            end_leg(room, leg, now_ms, cause=cause)
    _finish_script(room, call, now_ms)


def _free_others(room: Room, call: Call, now_ms: int, *, by: str, cause: int = 16) -> None:
    """Queue place, ringing phones, the partner: nobody stays behind."""
    caller = room.legs.get(call.leg)
    supervision.unwatch(room, call, "hung up", now_ms)
    call.guests = []
    rooms.leave(room, call)
    supervision.over(room, call, "call ended", now_ms)
    if call.waiting is not None:
        staying.leave(room, call, "abandoned" if by == "caller" else "closed", now_ms)
    if caller is not None and (caller.partner or call.talk_from_ms):
        bridge.part(room, call, caller)
    waiting.completed(room, call, by, now_ms)
    attempt = room.attempts.get(call.attempt)
    if attempt is not None:
        dial.cancel(room, attempt, now_ms)
    for leg in legs_of(room, call):
        if leg.id != call.leg and leg.offer not in room.offers:  # offered phones are the distributor's to cancel
            end_leg(room, leg, now_ms, cause=call.cause if by == "caller" and call.cause else cause)


def _finish_script(room: Room, call: Call, now_ms: int) -> None:
    call.phase = "closing"
    call.ended_ms = now_ms
    hearing.stop(room, call)
    streaming.over(room, call, now_ms)
    if call.menu is not None and call.menu.file:
        room.out.append(RemoveFile(call.menu.file))  # a prompt that he recorded and did not choose
    for kind in _CALL_DEADLINES:
        room.deadlines.cancel((kind, call.id))
    if call.running is not None and call.running.waiting != "ended":
        room.happen(call, CallerGone())
    if call.reports > 0 or call.legs:
        room.deadlines.arm(("report", call.id), now_ms + REPORT_MS_MAX)
    else:
        room.deadlines.arm(("report", call.id), now_ms)


def leg_closed(room: Room, event: LegClosed, now_ms: int) -> None:
    """A leg's quality; the last one of an ended call completes its record."""
    if (event.row, event.generation) not in room.closing:
        return
    call_id, name, trunk = room.closing.pop((event.row, event.generation))
    room.rows.give_back(event.row)
    known = room.parted.pop(event.row, None)
    call = room.calls.get(call_id)
    if call is None:
        return
    verdict, far = sound.judge(event, known), event.sound
    room.emit(
        "call.quality", call.tenant, call.name, leg=name, trunk=trunk, packets_in=event.packets_in,
        packets_out=event.packets_out, lost=event.lost, jitter_us=event.jitter_us, gap_max_us=event.gap_max_us,
        ignored=event.ignored, digits=event.digits, mos_in=verdict.heard, mos_out=verdict.sent,
        far_lost=far.far_lost if far.about else -1, round_trip_us=far.round_trip_us, side=verdict.side,
        cause=verdict.cause,
    )  # fmt: skip
    call.reports -= 1
    if call.phase == "closing" and call.reports <= 0 and not call.legs:
        room.deadlines.arm(("report", call.id), now_ms)


def record(room: Room, call: Call, now_ms: int) -> None:
    """The call's last event; then it is forgotten."""
    answered_ms = call.answered_ms - call.started_ms if call.answered_ms else -1
    room.emit(
        "call.ended", call.tenant, call.name, by=call.ended_by, outcome=call.outcome, cause=call.cause,
        duration_ms=call.ended_ms - call.started_ms, answered_ms=answered_ms, waited_ms=call.waited_ms,
        talked_ms=call.talked_ms, held_ms=call.held_ms, path=" > ".join(call.path),
    )  # fmt: skip
    room.calls.pop(call.id, None)
    if room.draining and not busy(room):
        room.deadlines.arm(("drained", 0), now_ms)
    if call.site != room.site:
        canary.forget(room, call.site)


def too_long(room: Room, call: Call, now_ms: int) -> None:
    """No call lasts for ever: the last net under every state (DESIGN law 6)."""
    if not call.answered_ms:
        room.emit("engine.limit", call.tenant, call.name, name="early_ms_max", value=limits.early_ms_max)
        hang_up(room, call, "limit", call.outcome or "failed", 19, now_ms)
        return
    room.emit("engine.limit", call.tenant, call.name, name="call_ms_max", value=limits.call_ms_max)
    hang_up(room, call, "limit", call.outcome or "failed", 31, now_ms)

"""Recording a caller's leg: what he says on the left, what he hears on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import boxes
from engine.call import leg as legs
from engine.call.call import Call
from engine.call.effects import Media
from engine.dialplan.actions import RecordDone
from engine.media.commands import PauseTap, StartTap, StopTap, TapEnded

if TYPE_CHECKING:
    from engine.call.leg import Leg
    from engine.call.room import Room

TAP_ANSWER_MS_MAX = 5_000
BEEP = "tone/beep"


def start(
    room: Room, call: Call, now_ms: int, *, ticket: int = 0, ms_max: int = 0, keys: str = "", beep: bool = False,
    name: str = "",
) -> None:
    """Begin; with a ticket the dialplan waits for its end (key, `ms_max` or hang-up). `name`: its file's."""
    leg = room.legs.get(call.leg)
    refused = call.consent == "declined" and not ticket  # a message is his own wish
    if leg is None or leg.row < 0 or leg.tap or refused:
        if ticket:
            room.happen(call, RecordDone(ticket, "", 0))
        return
    call.record_ticket, call.record_keys = ticket, keys
    if ticket and ms_max:
        room.deadlines.arm(("record", call.id), now_ms + ms_max)
    beeps = room.clips(room.site_of(call), (BEEP,)) if beep else ()
    if not (beeps and ticket):
        tap(room, call, name)  # nobody waits for the beep, and the next words cut it short: the tap can't wait
    if beeps:
        legs.play(room, leg, "beep" if ticket else "notice", beeps)


def tap(room: Room, call: Call, name: str = "") -> None:
    """Open the tap (after the beep, so that it isn't on the recording)."""
    _open(room, call, room.legs[call.leg], name)
    call.recording_paused = False


def _open(room: Room, call: Call, leg: Leg, name: str = "") -> None:
    room.tap_serial += 1
    leg.tap = room.tap_serial
    name = name or f"recordings/{call.tenant}/{call.name}-{room.boot}-{leg.tap}.wav"
    if call.box:
        name = boxes.begun(room, call, leg.tap)
    room.taps[leg.tap] = (call.id, call.tenant, call.name)
    call.recording = name
    room.out.append(Media(StartTap(leg.row, leg.generation, leg.tap, name)))
    room.emit("call.recording", call.tenant, call.name, name=name, state="started", duration_ms=0)
    if call.hushed:
        room.out.append(Media(PauseTap(leg.row, leg.generation, leg.tap, True)))


def follow(room: Room, call: Call, old: Leg) -> None:
    """The one whose leg was recorded leaves the call, the other stays (`call.leg` is his by now): the recording goes
    on there, as the call's next one."""
    leg = room.legs.get(call.leg)
    if not old.tap or leg is None or leg.row < 0 or leg.tap:
        return
    room.out.append(Media(StopTap(old.row, old.generation, old.tap)))
    old.tap = 0
    _open(room, call, leg)
    if call.recording_paused and not call.hushed:
        room.out.append(Media(PauseTap(leg.row, leg.generation, leg.tap, True)))


def stop(room: Room, call: Call, now_ms: int) -> None:
    leg = room.legs.get(call.leg)
    if leg is None:
        return
    if leg.tap:
        room.out.append(Media(StopTap(leg.row, leg.generation, leg.tap)))
        room.deadlines.arm(("record", call.id), now_ms + TAP_ANSWER_MS_MAX)
        leg.tap = 0
    elif call.record_ticket:
        done(room, call, "", 0)


def pause(room: Room, call: Call, paused: bool) -> bool:
    """Pause or go on; False when nothing is being recorded."""
    leg = room.legs.get(call.leg)
    if leg is None or not leg.tap:
        return False
    before = call.recording_paused or call.hushed
    call.recording_paused = paused
    _told(room, call, leg, before)
    return True


def hush(room: Room, call: Call, hushed: bool) -> None:
    """A sensitive step listens from now on (or not any more): no secret is kept in a recording."""
    leg = room.legs.get(call.leg)
    before = call.recording_paused or call.hushed
    call.hushed = hushed
    if leg is not None and leg.tap:
        _told(room, call, leg, before)


def _told(room: Room, call: Call, leg: Leg, before: bool) -> None:
    """The plane and the records are told when it has changed whether the recording pauses."""
    paused = call.recording_paused or call.hushed
    if paused == before:
        return
    room.out.append(Media(PauseTap(leg.row, leg.generation, leg.tap, paused)))
    state = "paused" if paused else "resumed"
    room.emit("call.recording", call.tenant, call.name, name=call.recording, state=state, duration_ms=0)


def due(room: Room, call: Call, now_ms: int) -> None:
    """The longest time has passed, or the plane never answered a stop."""
    leg = room.legs.get(call.leg)
    if leg is not None and (leg.tap or leg.playing == "beep"):
        stop(room, call, now_ms)
    elif call.record_ticket:
        done(room, call, "", 0)


def done(room: Room, call: Call, name: str, duration_ms: int) -> None:
    ticket, call.record_ticket, call.box = call.record_ticket, 0, ""
    leg = room.legs.get(call.leg)
    if leg is not None and leg.playing == "beep":
        legs.quiet(room, leg)  # its end would begin a recording that nobody wants any more
    room.deadlines.cancel(("record", call.id))
    if ticket:
        room.happen(call, RecordDone(ticket, name, duration_ms))


def tap_ended(room: Room, event: TapEnded) -> None:
    """The file is complete, or the disk refused it: ops are told, the call goes on."""
    call_id, tenant, call_name = room.taps.pop(event.tap, (0, "", ""))
    state = "failed" if event.detail else "complete"
    room.emit("call.recording", tenant, call_name, name=event.name, state=state, duration_ms=event.duration_ms)
    if event.detail:
        room.log("error", f"recording {event.name}: {event.detail}", "recording")
    message = boxes.ended(room, event)
    call = room.calls.get(call_id)
    if call is None:
        return
    leg = room.legs.get(call.leg)
    if leg is not None and leg.tap == event.tap:
        leg.tap = 0
    another = call.box or (leg is not None and leg.tap)  # a message follows the recording that gave way to it
    if call.record_ticket and not another:
        done(room, call, event.name, -1 if message and event.detail else event.duration_ms)

"""Bots in a call: connected by the runtime, ended with the call, told of in the records.

The runtime answers with StreamDone; behind a stream that has the caller stands the dialplan's timer, behind a fork the
end of its call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine import limits
from engine.call import leg as legs
from engine.call.stream_wall import Stream, StreamDone, StreamHushed, StreamPressed, StreamUnwanted, StreamWanted
from engine.dialplan import stream_actions as wishes

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.room import Room

GONE = "the engine was restarted"
AFTER_RESTART_MS = 1_000  # by then the runtime has told where we listen, and legs can be ended


def begin(room: Room, call: Call, wish: wishes.StartStream, now_ms: int) -> None:
    """Ask the runtime; without a leg that is heard, or with too many under way, it has failed at once."""
    leg = room.legs[call.leg]
    made = Stream(wish.ticket, wish.tracks, wish.url.split("?", 1)[0], now_ms)
    call.streams.append(made)
    if not wish.tracks:
        call.stays = False  # whoever hangs up on a bot was not served by that alone
        legs.quiet(room, leg)
    busy = sum(len(each.streams) for each in room.calls.values()) > limits.streams_under_way_max
    if leg.row < 0 or busy:
        why = f"{limits.streams_under_way_max} calls are with bots already" if busy else "the caller has no sound"
        _over(room, call, made, StreamDone(call.id, wish.ticket, "failed", why), now_ms)
        return
    room.out.append(
        StreamWanted(
            call.id, wish.ticket, call.name, call.tenant, leg.row, leg.generation, wish.url, wish.secret, wish.auth,
            wish.connect_ms, wish.ms_max, wish.tracks, wish.send, bool(wish.tracks) and call.sensitive,
        )
    )  # fmt: skip


def done(room: Room, event: StreamDone, now_ms: int) -> None:
    """The runtime's answer; one that comes too late is dropped."""
    call = room.calls.get(event.call)
    made = _find(call, event.ticket)
    if call is not None and made is not None:
        _over(room, call, made, event, now_ms)


def stop(room: Room, call: Call, wish: wishes.StopStream, now_ms: int) -> None:
    made = _find(call, wish.ticket)
    if made is not None:
        _end(room, call, made, wish.result, wish.reason, now_ms)


def press(room: Room, call: Call, wish: wishes.StreamKey, now_ms: int) -> None:
    if _find(call, wish.ticket) is not None:
        room.out.append(StreamPressed(call.id, wish.ticket, wish.digit))


def hush(room: Room, call: Call, hushed: bool) -> None:
    """A sensitive step listens from now on (or not any more): no fork hears it."""
    for made in call.streams:
        if made.tracks:
            room.out.append(StreamHushed(call.id, made.ticket, hushed))


def over(room: Room, call: Call, now_ms: int) -> None:
    """The call ends, and all its streams with it."""
    for made in list(call.streams):
        _end(room, call, made, "done", "the call ended", now_ms)


def resumed(room: Room, now_ms: int) -> None:
    """The connections were the old engine's: whoever was with a bot goes on by `failed`, once calls can be acted on."""
    if any(call.streams for call in room.calls.values()):
        room.deadlines.arm(("streams", 0), now_ms + AFTER_RESTART_MS)


def lost(room: Room, now_ms: int) -> None:
    """Since the restart nobody serves the streams that began before it."""
    for call in list(room.calls.values()):
        for made in list(call.streams):
            if made.since_ms <= now_ms - AFTER_RESTART_MS:
                _over(room, call, made, StreamDone(call.id, made.ticket, "failed", GONE), now_ms)


def _find(call: Call | None, ticket: int) -> Stream | None:
    if call is None:
        return None
    return next((made for made in call.streams if made.ticket == ticket), None)


def _end(room: Room, call: Call, made: Stream, result: str, reason: str, now_ms: int) -> None:
    """We end it."""
    call.streams.remove(made)
    room.out.append(StreamUnwanted(call.id, made.ticket))
    _tell(room, call, made, StreamDone(call.id, made.ticket, result, reason, ms=now_ms - made.since_ms))


def _over(room: Room, call: Call, made: Stream, event: StreamDone, now_ms: int) -> None:
    """It has ended by itself."""
    call.streams.remove(made)
    _tell(room, call, made, event)
    if not made.tracks:
        room.happen(call, wishes.StreamOver(made.ticket, event.result, event.values, event.next))


def _tell(room: Room, call: Call, made: Stream, event: StreamDone) -> None:
    room.emit(
        "call.stream", call.tenant, call.name, url=made.url, tracks=made.tracks or "talk", result=event.result,
        reason=event.reason, ms=event.ms, sent=event.sent, heard=event.heard, dropped=event.dropped,
    )  # fmt: skip
    if event.result == "failed":
        room.log("warning", f"{call.name}: the bot at {made.url} failed: {event.reason}", f"stream {made.url}")


RULES: dict[type, Callable[[Room, Call, Any, int], None]] = {
    wishes.StartStream: begin, wishes.StopStream: stop, wishes.StreamKey: press,
}  # fmt: skip

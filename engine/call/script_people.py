"""The wishes of the verbs that record, transfer, park, confer and ask, carried out: a part of `script`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.call import consent, handover, parking, recording, rooms
from engine.dialplan import people_actions as wishes

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.room import Room


def _tell_recording(room: Room, call: Call, wish: wishes.TellRecording, now_ms: int) -> None:
    consent.tell(room, call, wish, now_ms)


def _pause_record(room: Room, call: Call, wish: wishes.PauseRecord, now_ms: int) -> None:
    recording.pause(room, call, wish.paused)


def _hand_over(room: Room, call: Call, wish: wishes.HandOver, now_ms: int) -> None:
    handover.begin(room, call, wish, now_ms)


def _park(room: Room, call: Call, wish: wishes.ParkCaller, now_ms: int) -> None:
    parking.wished(room, call, wish, now_ms)


def _enter_room(room: Room, call: Call, wish: wishes.EnterRoom, now_ms: int) -> None:
    rooms.enter(room, call, wish, now_ms)


RULES: dict[type, Callable[[Room, Call, Any, int], None]] = {
    wishes.TellRecording: _tell_recording, wishes.PauseRecord: _pause_record,
    wishes.HandOver: _hand_over, wishes.ParkCaller: _park, wishes.EnterRoom: _enter_room,
}  # fmt: skip

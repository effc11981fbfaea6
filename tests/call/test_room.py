"""The room's state: encoded whole, restored whole, bounded, with clips and bind addresses found."""

from __future__ import annotations

import msgspec
import pytest

from engine.call.effects import Listening, LogLine
from engine.call.room import Held, Room
from engine.sip.events import Path
from tests.call.calls import SITE, talk, world


def test_everything_a_room_holds_is_encoded_or_derived() -> None:
    w = world()
    talk(w)
    room = w.switch.room
    again = Room.decode(room.encode())
    assert set(vars(again)) == set(vars(room))
    assert again.encode() == room.encode()
    assert again.agent_keys == room.agent_keys and again.queue_names == room.queue_names
    held = set(Held.__struct_fields__)
    derived = {
        "endpoint",
        "acd",
        "now_ms",
        "indexes",
        "out",
        "happenings",
        "joining", "parting",
        "unsettled", "lit", "stirred",
        "agent_keys",
        "queue_names",
    }
    serials = {name for name in vars(room) if name.endswith("_serial")}
    assert set(vars(room)) <= held | derived | serials


def test_torn_bytes_are_refused() -> None:
    data = world().switch.encode()
    for cut in (0, 1, len(data) // 2, len(data) - 1):
        with pytest.raises(msgspec.DecodeError):
            Room.decode(data[:cut])


def test_an_unknown_clip_is_silence_and_one_line() -> None:
    room = Room(b"k" * 32, boot="b", seed=1)
    assert room.clips(SITE, ("en/welcome", "en/nobody_said_this")) == room.clips(SITE, ("en/welcome",))
    lines = [output for output in room.out if isinstance(output, LogLine)]
    assert len(lines) == 1 and "nobody_said_this" in lines[0].text


def test_media_is_bound_where_the_call_came_in() -> None:
    room = Room(b"k" * 32, boot="b", seed=1)
    assert room.bind_host(Path(1, "10.0.0.9", 5060)) == "127.0.0.1"
    room.listeners = [
        Listening(1, "udp", "10.0.0.1", 5060, "203.0.113.1", 5060), Listening(2, "tcp", "10.0.0.2", 5060, "", 0),
    ]  # fmt: skip
    assert room.bind_host(Path(1, "10.0.0.9", 5060)) == "10.0.0.1"
    assert room.bind_host(Path(1_000_001, "10.0.0.9", 5060, "tcp")) == "10.0.0.2"


def test_events_are_numbered_without_gaps_within_a_boot() -> None:
    w = world()
    talk(w)
    assert [event.n for event in w.events] == list(range(1, len(w.events) + 1))
    assert all(
        event.boot == "sim1" and event.at_ms - event.now_ms == w.switch.room.wall_offset_ms for event in w.events
    )

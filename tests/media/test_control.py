"""Commands: generations, rows, rubbish."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import limits
from engine.media import columns as c
from engine.media import control
from engine.media.commands import LegClosed, LegFailed
from tests.media.rig import Rig, Sent, rtp, tone


def test_open_watches_and_close_forgets_the_socket() -> None:
    rig = Rig()
    assert rig.apply(control.OPEN_LEG, 3, 7, 55, 1, 2, 3) == control.DO_WATCH
    assert rig.plane.legs[3, c.FD] == 55
    assert rig.apply(control.CLOSE_LEG, 3, 7) == control.DO_UNWATCH
    assert [(closed.row, closed.generation) for closed in rig.take(LegClosed)] == [(3, 7)]
    assert rig.plane.counters[c.ACTIVE] == 0


def test_a_row_in_use_is_not_opened_again() -> None:
    rig = Rig()
    rig.leg()
    assert rig.apply(control.OPEN_LEG, 0, 2, 99, 1, 2, 3) == control.DO_NOTHING
    assert rig.plane.legs[0, c.GENERATION] == 1
    assert rig.plane.counters[c.COMMANDS_LATE] == 1


@pytest.mark.parametrize(
    "kind", [control.SET_LEG, control.PLAY, control.STOP, control.ECHO, control.BRIDGE, control.HEAR,
             control.SEND_DIGITS, control.START_TAP, control.CLOSE_LEG, control.STAGE_CLIPS]
)
def test_commands_for_another_generation_do_nothing(kind: int) -> None:
    rig = Rig()
    rig.leg(0)
    rig.leg(1)
    before = rig.plane.legs[0].copy()
    rig.apply(kind, 0, 2, 1, 1, 1, 1)
    assert (rig.plane.legs[0] == before).all()
    assert rig.plane.counters[c.COMMANDS_LATE] == 1


def test_a_bridge_to_another_generation_or_to_itself_does_nothing() -> None:
    rig = Rig()
    rig.leg(0)
    rig.leg(1)
    for other, generation in ((1, 5), (0, 1), (-1, 1), (9_999_999, 1), (2, 0)):
        rig.apply(control.BRIDGE, 0, 1, other, generation)
    assert rig.plane.counters[c.COMMANDS_LATE] == 5
    assert rig.plane.legs[0, c.SOURCE] == c.NOTHING


def test_a_used_row_begins_clean() -> None:
    rig = Rig()
    rig.clip(1, tone(5))
    rig.leg()
    rig.receive(rtp(1, 1))
    rig.play(1)
    rig.digits("123")
    rig.apply(control.CLOSE_LEG, 0, 1)
    rig.open(0, 2)
    assert rig.plane.legs[0, c.LATCHED] == rig.plane.legs[0, c.DIGIT_COUNT] == 0
    assert not rig.plane.quality[0].any() and not rig.plane.presses[0].any()
    assert (rig.plane.payloads[0] == c.NO_CODEC).all()
    assert rig.tick(20) == []


def test_closing_in_any_order_keeps_the_active_rows_dense() -> None:
    rig = Rig()
    for row in (5, 2, 9, 7):
        rig.leg(row)
    for row, left in ((2, {5, 9, 7}), (7, {5, 9}), (5, {9}), (9, set())):
        rig.apply(control.CLOSE_LEG, row, 1)
        count = int(rig.plane.counters[c.ACTIVE])
        assert set(rig.plane.active[:count].tolist()) == left
        assert all(rig.plane.active[rig.plane.legs[other, c.ACTIVE_AT]] == other for other in left)


def test_a_port_that_cannot_be_watched_fails_and_frees_the_row() -> None:
    rig = Rig()
    rig.open()
    control.abandon(rig.plane, 0)
    rig._collect()
    assert [failed.row for failed in rig.take(LegFailed)] == [0]
    assert rig.plane.legs[0, c.STATE] == c.FREE


def test_bad_frames_and_codecs_fall_back() -> None:
    rig = Rig()
    rig.leg(frame_ms_out=25, codecs_in=((0, 0), (96, 18), (200, 8), (8, 8)), events_in=300, events_out=999)
    leg = rig.plane.legs[0]
    assert (leg[c.FRAME], leg[c.EVENTS_OUT]) == (160, -1)
    known = {number: int(codec) for number, codec in enumerate(rig.plane.payloads[0]) if codec >= 0}
    assert known == {0: 0, 8: 8, 72: 8, 13: 13}  # comfort noise is heeded, agreed or not


def test_halt() -> None:
    assert Rig().apply(control.HALT) == control.DO_HALT


def consistent(rig: Rig) -> None:
    """Every listener is in its source's list once, every buffer has one owner, active rows are the open ones."""
    legs = rig.plane.legs
    heard: dict[int, int] = {}
    for source in range(12):
        listener, steps = int(legs[source, c.FIRST_LISTENER]), 0
        if legs[source, c.STATE] == c.FREE:
            continue
        while listener >= 0:
            assert legs[listener, c.SOURCE_ROW] == source and listener not in heard
            heard[listener] = source
            listener, steps = int(legs[listener, c.NEXT_LISTENER]), steps + 1
            assert steps < 20
    opened = [row for row in range(12) if legs[row, c.STATE] == c.OPEN]
    hearing = {row for row in opened if legs[row, c.SOURCE] in (c.HEARING, c.ECHOING)}
    assert hearing == set(heard)
    owned = [int(legs[row, c.SLOT]) for row in opened if legs[row, c.SLOT] >= 0]
    assert len(set(owned)) == len(owned)
    free = int(rig.plane.counters[c.FREE_SLOTS])
    assert len(owned) + free == c.SLOTS
    assert not set(owned) & set(rig.plane.free_slots[:free].tolist())
    active = rig.plane.active[: int(rig.plane.counters[c.ACTIVE])].tolist()
    assert sorted(active) == [row for row in range(limits.legs_max) if legs[row, c.STATE] != c.FREE]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["open", "set", "bridge", "hear", "echo", "stop", "close", "play", "packet",
                                           "odd packet", "tick"]), st.integers(0, 5), st.integers(0, 5)), max_size=60))
def test_any_commands_leave_the_columns_consistent(acts: list[tuple[str, int, int]]) -> None:
    rig = Rig()
    rig.clip(1, tone(0.1))
    for number, (act, row, other) in enumerate(acts, 1):
        if act == "open":
            rig.open(row)
        elif act == "set":
            rig.set(row, frame_ms_out=(10, 20, 30, 40, 60, 20)[other])
        elif act == "bridge":
            rig.bridge(row, other)
        elif act == "hear":
            rig.apply(control.HEAR, row, 1, other, 1)
        elif act == "echo":
            rig.apply(control.ECHO, row, 1)
        elif act == "stop":
            rig.apply(control.STOP, row, 1)
        elif act == "close":
            rig.apply(control.CLOSE_LEG, row, 1)
        elif act == "play":
            rig.play(1, row=row)
        elif act == "tick":
            rig.tick(other + 1)
        else:
            rig.receive(rtp(number, 160 * number, b"\x55" * (80 * (other + 1) if act == "odd packet" else 160)), row)
        consistent(rig)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=3, max_size=32), st.integers(0, 20))
def test_any_words_are_harmless(words: list[int], kind: int) -> None:
    """Commands come from our own process; even so a wrong number must not write outside a row."""
    rig = Rig()
    rig.leg(0)
    words[0] = kind
    record = np.zeros(c.COMMAND_WORDS, np.int64)
    record[: len(words)] = words
    if kind != control.SET_CLIP:  # clip tables are our own: their offsets are trusted
        control.apply(rig.plane, record, rig.now_us)
        rig.tick(2)
        consistent(rig)


@pytest.mark.parametrize("source", ["play", "paced"])
def test_the_first_packet_of_another_codec_carries_the_marker(source: str) -> None:
    """RFC 3551 §4.1: far ends begin their decoder and their buffer anew there."""
    rig = Rig()
    rig.leg(0)
    rig.leg(1, frame_ms_out=30)
    rig.receive(rtp(1, 160, ssrc=5), 0)
    if source == "play":
        rig.clip(1, np.full(16_000, 1_000, np.int16))
        rig.play(1)
    else:
        rig.apply(control.HEAR, 0, 1, 1, 1)

    def pass_time(first: int) -> list[Sent]:
        before = len(rig.sent)
        for number in range(first, first + 10):
            rig.receive(rtp(number, 240 * number, b"\x20" * 240, ssrc=6), 1)
            rig.tick(3, fine=True)
        return [packet for packet in rig.sent[before:] if packet.row == 0]

    pass_time(0)
    rig.set(0)  # a refresh changes nothing
    assert {packet.marker for packet in pass_time(10)} == {0}
    rig.set(0, codec_out=8, payload_type_out=8)
    changed = pass_time(20)
    assert {packet.payload_type for packet in changed} == {8}
    assert [packet.marker for packet in changed] == [1] + [0] * (len(changed) - 1)

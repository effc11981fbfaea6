"""A datagram on a leg's port: what is heard, what is ignored, and what is told."""

from __future__ import annotations

import struct

import pytest

from engine.media import columns as c
from engine.media import control, rings
from engine.media.commands import DigitHeard, DigitStarted, LegClosed, MediaBack, MediaMissing, PlayEnded
from engine.rtp import quality
from tests.media.rig import FAR, Rig, rtp, tone


def event(sequence: int, timestamp: int, code: int, duration: int, *, end: int = 0, marker: int = 0,
          payload_type: int = 101) -> bytes:
    payload = struct.pack(">BBH", code, end << 7 | 10, duration)
    return rtp(sequence, timestamp, payload, payload_type=payload_type, marker=marker)


def press(rig: Rig, code: int, *, sequence: int = 10, timestamp: int = 5_000, row: int = 0) -> None:
    for place in range(8):
        rig.now_us += 20_000
        rig.receive(event(sequence + place, timestamp, code, min(place + 1, 6) * 160, end=int(place > 4),
                          marker=int(place == 0)), row)


def test_a_press_is_told_twice_begun_and_over() -> None:
    rig = Rig()
    rig.leg()
    press(rig, 11)
    assert rig.take(DigitStarted) == [DigitStarted(0, 1, "#")]
    assert rig.take(DigitHeard) == [DigitHeard(0, 1, "#", 120, "rfc4733")]


def test_the_events_payload_type_is_the_answers() -> None:
    rig = Rig()
    rig.leg(events_in=96)
    rig.receive(event(1, 1, 5, 160, end=1, payload_type=101))
    assert rig.take(DigitHeard) == []
    rig.receive(event(2, 1, 5, 160, end=1, payload_type=96))
    assert [heard.digit for heard in rig.take(DigitHeard)] == ["5"]
    rig.set(events_in=-1)
    rig.receive(event(9, 900, 5, 160, end=1, payload_type=96))
    assert rig.take(DigitHeard) == []


@pytest.mark.parametrize("code", [16, 36, 64, 255])
def test_codes_that_are_no_keys_are_ignored(code: int) -> None:
    rig = Rig()
    rig.leg()
    press(rig, code)
    assert rig.take(DigitHeard) == rig.take(DigitStarted) == []
    assert rig.plane.legs[0, c.IGNORED] == 8


def test_short_event_payloads_are_ignored() -> None:
    rig = Rig()
    rig.leg()
    for length in range(4):
        rig.receive(rtp(length, 0, b"\x05\x8a\x03"[:length], payload_type=101))
    assert rig.plane.legs[0, c.IGNORED] == 4
    assert rig.take(DigitHeard) == []


def test_longer_event_payloads_are_read() -> None:
    """Some senders append redundant events."""
    rig = Rig()
    rig.leg()
    rig.receive(rtp(1, 0, b"\x05\x8a\x03\x20" + bytes(8), payload_type=101))
    assert [heard.digit for heard in rig.take(DigitHeard)] == ["5"]


def test_a_key_can_stop_the_play_inside_the_plane() -> None:
    rig = Rig()
    rig.clip(1, tone(5))
    rig.leg()
    rig.play(1, flags=control.FLAG_STOP_ON_DIGIT)
    rig.tick(3)
    rig.receive(event(1, 1, 5, 160, marker=1))
    assert rig.tick(5) == []
    assert rig.take(PlayEnded) == []
    rig.play(1)
    rig.receive(event(20, 9_000, 5, 160, marker=1))
    assert len(rig.tick(5)) == 5


def test_digits_count_while_the_leg_is_on_hold() -> None:
    rig = Rig()
    rig.leg(receive=False, send=False)
    press(rig, 3)
    assert [heard.digit for heard in rig.take(DigitHeard)] == ["3"]


def test_lost_ends_are_found_by_the_tick() -> None:
    rig = Rig()
    rig.leg()
    rig.receive(event(1, 1, 5, 480, marker=1))
    rig.tick(8)
    assert rig.take(DigitHeard) == []
    rig.tick(10)
    assert rig.take(DigitHeard) == [DigitHeard(0, 1, "5", 60, "rfc4733")]


def test_another_ssrc_ends_a_press() -> None:
    rig = Rig()
    rig.leg()
    rig.receive(event(1, 1, 5, 480, marker=1))
    rig.receive(rtp(500, 0, ssrc=1234))
    assert [heard.digit for heard in rig.take(DigitHeard)] == ["5"]


def test_a_full_ring_never_loses_a_digit() -> None:
    rig = Rig()
    rig.leg()
    while rings.emit(rig.plane, rings.NUDGE, 0, 0, 0, 0, True):
        pass
    collect, rig._collect = rig._collect, lambda: None  # type: ignore[method-assign]
    for place, code in enumerate([1, 2, 3, 4, 5]):
        press(rig, code, sequence=10 + 20 * place, timestamp=5_000 + 3_000 * place)
    rig._collect = collect  # type: ignore[method-assign]
    rig._collect()
    assert rig.take(DigitHeard) == []
    rig.tick(10)
    assert "".join(heard.digit for heard in rig.take(DigitHeard)) == "12345"
    assert rig.plane.counters[c.EVENTS_LOST] == 0


def test_digits_held_back_go_out_before_the_leg_closes() -> None:
    rig = Rig()
    rig.leg()
    while rings.emit(rig.plane, rings.NUDGE, 0, 0, 0, 0, True):
        pass
    collect, rig._collect = rig._collect, lambda: None  # type: ignore[method-assign]
    press(rig, 7)
    rig.apply(control.CLOSE_LEG, 0, 1)
    assert rig.plane.legs[0, c.STATE] == c.CLOSING
    rig._collect = collect  # type: ignore[method-assign]
    rig._collect()
    rig.tick(10)
    assert [type(event) for event in rig.events] == [DigitHeard, LegClosed]
    assert rig.plane.legs[0, c.STATE] == c.FREE


PLAIN = rtp(1, 160)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x80", PLAIN[:11], PLAIN[:12], b"\x40" + PLAIN[1:], rtp(1, 1, payload_type=3), rtp(1, 1, b"x" * 961),
        b"\x00\x01" + bytes(18), b"\x16\xfe\xfd" + bytes(20), b"\x80\xc8" + bytes(26), b"\xff" * 40, bytes(1_501),
        PLAIN + bytes(1_400), b"\x8f" + PLAIN[1:60], b"\x90" + PLAIN[1:12] + b"\0\0\xff\xff" + bytes(200),
        b"\xa0" + PLAIN[1:-1] + b"\xff",
    ],
)
def test_what_is_no_audio_of_this_leg_is_not_heard(data: bytes) -> None:
    rig = Rig()
    rig.leg(0)
    rig.leg(1)
    rig.bridge()
    assert rig.receive(data) == []
    assert rig.plane.quality[0, quality.PACKETS] == 0
    assert rig.plane.legs[0, c.LATCHED] == 0


def test_extensions_csrcs_and_padding_are_taken_off() -> None:
    rig = Rig()
    rig.leg(0)
    rig.leg(1)
    rig.bridge()
    audio = b"A" * 160
    decorated = struct.pack(">BBHII", 0xB2, 0, 1, 160, 99) + bytes(8) + b"\xbe\xde\0\1\x10\xaa\0\0" + audio + b"\0\0\3"
    assert rig.receive(decorated)[0].payload == audio


def test_strangers_are_counted_and_leave_no_trace() -> None:
    rig = Rig()
    rig.leg(0)
    rig.leg(1)
    rig.bridge()
    rig.receive(rtp(1, 160))
    before = rig.plane.quality[0].copy()
    for number in range(50):
        assert rig.receive(rtp(number, 0, ssrc=number), host="198.51.100.1") == []
    assert (rig.plane.quality[0] == before).all()
    assert rig.plane.legs[0, c.IGNORED] == 50


@pytest.mark.parametrize("reports", ["theirs", "none", "a stranger's", "malformed"])
def test_who_only_reports_is_missed_but_not_asked_whether_he_lives(reports: str) -> None:
    rig = Rig()
    rig.leg()
    rig.receive(rtp(1, 1))
    data = b"\x80\xc9\0\1" + bytes(4) if reports != "malformed" else b"\x80\xc9" + bytes(6)
    for _ in range(8):
        rig.tick(200)
        if reports != "none":
            rig.receive_report(data, host="198.51.100.1" if reports == "a stranger's" else FAR)
    told = [each.silent_ms for each in rig.take(MediaMissing)]
    assert told == ([3_000] if reports == "theirs" else [3_000, 15_000])
    assert rig.take(MediaBack) == []
    rig.receive(rtp(2, 161))
    assert rig.take(MediaBack) == [MediaBack(0, 1)]


def test_comfort_noise_keeps_the_leg_alive_and_the_bridge_whole() -> None:
    rig = Rig()
    rig.leg(0)
    rig.leg(1)
    rig.bridge()
    rig.receive(rtp(1, 160))
    assert rig.receive(rtp(2, 320, b"\x40", payload_type=13)) == []
    rig.receive(rtp(3, 480))
    assert [packet.sequence for packet in rig.sent] == [100, 101]
    assert rig.plane.legs[0, c.IGNORED] == 0


def test_packets_for_a_closed_row_are_ignored() -> None:
    rig = Rig()
    assert rig.receive(rtp(1, 1)) == []
    assert rig.plane.counters[c.PACKETS_IGNORED] == 1


def test_the_legs_quality_is_told_when_it_closes() -> None:
    rig = Rig()
    rig.leg()
    for number in [1, 2, 4, 3, 3, 7]:
        rig.now_us += 20_000
        rig.receive(rtp(number, 160 * number))
    rig.receive(PLAIN[:11])
    press(rig, 1, sequence=8)
    rig.apply(control.CLOSE_LEG, 0, 1)
    closed = rig.take(LegClosed)[0]
    assert (closed.packets_in, closed.lost, closed.duplicated, closed.reordered) == (14, 2, 1, 1)
    assert (closed.ignored, closed.digits) == (1, 1)
    assert closed.gap_max_us == 20_000
    assert closed.jitter_max_us >= closed.jitter_us > 0

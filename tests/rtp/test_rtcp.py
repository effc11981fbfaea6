"""Reports by hand, against themselves, and with bytes that nobody should send."""

from __future__ import annotations

import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.rtp import quality as q
from engine.rtp import rtcp

OURS, THEIRS = 0x1111_2222, 0x3333_4444
WALL_US = 1_700_000_000_500_000
NAME = np.frombuffer(b"0123456789abcdef", np.uint8).copy()


def state() -> np.ndarray:
    return np.zeros(rtcp.FIELDS, np.int64)


def heard(lost_each: int = 0, count: int = 100) -> np.ndarray:
    """A stream of theirs of `count` packets at 20 ms, each `lost_each`-th of them missing."""
    row = np.zeros(q.FIELDS, np.int64)
    for index in range(count):
        if not lost_each or (index + 1) % lost_each:
            q.arrive(row, index, THEIRS, index * 20_000)
            q.time_packet(row, index * 160, index * 20_000)
    return row


def write(known: np.ndarray, stream: np.ndarray, *, packets: int = 50, now_us: int = 2_000_000) -> bytes:
    packet = np.zeros(256, np.uint8)
    length = rtcp.write(packet, known, stream, NAME, OURS, 0x01020304, packets, 8_000, 8_000, WALL_US, now_us)
    return packet[:length].tobytes()


def read(known: np.ndarray, data: bytes, *, wall_us: int = WALL_US, now_us: int = 5_000_000, ssrc: int = OURS) -> bool:
    packet = np.frombuffer(data.ljust(512, b"\xee"), np.uint8).copy()
    return bool(rtcp.read(packet, len(data), known, ssrc, 8_000, wall_us, now_us))


def block(ssrc: int = OURS, fraction: int = 0, lost: int = 0, jitter: int = 0, last: int = 0, delay: int = 0) -> bytes:
    return struct.pack(">IIIIII", ssrc, fraction << 24 | lost & 0xFFFFFF, 7, jitter, last, delay)


def receiver_report(*blocks: bytes) -> bytes:
    return struct.pack(">BBHI", 0x80 | len(blocks), 201, 1 + 6 * len(blocks), THEIRS) + b"".join(blocks)


def test_a_sender_report_byte_by_byte() -> None:
    data = write(state(), heard())
    assert len(data) == rtcp.BYTES_MAX
    first, kind, words, ssrc, seconds, fraction, timestamp, packets, octets = struct.unpack_from(">BBHIIIIII", data)
    assert (first, kind, words, ssrc) == (0x81, 200, 12, OURS)
    assert (seconds - 2_208_988_800, fraction) == (1_700_000_000, 1 << 31)
    assert (timestamp, packets, octets) == (0x01020304, 50, 8_000)
    assert struct.unpack_from(">I", data, 28) == (THEIRS,)
    assert struct.unpack_from(">II", data, 44) == (0, 0), "no sender report of theirs: no LSR, no DLSR"
    assert data[52:] == struct.pack(">BBHIBB", 0x81, 202, 6, OURS, 1, 16) + NAME.tobytes() + b"\0\0"
    assert rtcp.middle(WALL_US) == ((seconds & 0xFFFF) << 16) | fraction >> 16


def test_who_sends_nothing_reports_as_a_receiver_and_who_hears_nothing_without_a_block() -> None:
    known = state()
    assert write(known, heard())[1] == 200
    again = write(known, heard())
    assert again[:4] == bytes((0x81, 201, 0, 7))
    silent = np.zeros(q.FIELDS, np.int64)
    assert write(known, silent)[:4] == bytes((0x80, 201, 0, 1))
    assert write(known, heard(), now_us=60_000_000)[0] == 0x80, "what ended long ago is not reported any more"


def test_loss_in_all_and_since_the_last_report() -> None:
    known, stream = state(), heard(lost_each=4, count=99)  # 24 of 99 lost
    data = write(known, stream)
    assert struct.unpack_from(">I", data, 32) == ((24 * 256 // 99) << 24 | 24,)
    for index in range(99, 199):
        q.arrive(stream, index, THEIRS, index * 20_000)
    data = write(known, stream, packets=60, now_us=4_000_000)
    assert struct.unpack_from(">I", data, 32) == (24,), "nothing was lost lately"
    assert struct.unpack_from(">I", data, 36) == (198,)


def test_both_ends_know_the_round_trip_and_what_the_other_lost() -> None:
    """Theirs reports, 30 ms later it is here; we wait 1 s; 50 ms later our report is there."""
    here, there = state(), state()
    sent = write(there, heard(), packets=80)
    far_wall = WALL_US + 777_000_000  # their clock is off: it doesn't matter
    packet = np.zeros(256, np.uint8)
    rtcp.write(packet, there, heard(), NAME, THEIRS, 0, 81, 0, 8_000, far_wall, 0)
    assert read(here, packet[:80].tobytes(), now_us=1_030_000)
    assert here[rtcp.SENDER_US] == 1_030_000 and len(sent) == 80
    answer = np.zeros(256, np.uint8)
    length = rtcp.write(answer, here, heard(lost_each=10), NAME, OURS, 0, 9, 0, 8_000, WALL_US, 2_030_000)
    assert read(there, answer[:length].tobytes(), ssrc=THEIRS, wall_us=far_wall + 1_080_000)
    assert abs(int(there[rtcp.ROUND_TRIP_SUM_US]) - 80_000) < 50
    assert (there[rtcp.FAR_LOST], there[rtcp.ABOUT], there[rtcp.ROUND_TRIPS]) == (9, 1, 1)


def test_a_trip_of_nothing_and_one_that_can_not_be() -> None:
    known = state()
    now = rtcp.middle(WALL_US)
    assert read(known, receiver_report(block(last=now, delay=3)))
    assert (known[rtcp.ROUND_TRIPS], known[rtcp.ROUND_TRIP_SUM_US]) == (1, 0)
    assert read(known, receiver_report(block(last=(now - (60 << 16)) & 0xFFFFFFFF)))
    assert known[rtcp.ROUND_TRIPS] == 1


def test_only_blocks_about_our_stream_count() -> None:
    known = state()
    assert read(known, receiver_report(block(ssrc=5, lost=9, fraction=200), block(lost=3, fraction=26, jitter=80)))
    assert (known[rtcp.ABOUT], known[rtcp.FAR_LOST], known[rtcp.FAR_FRACTION]) == (1, 3, 26)
    assert known[rtcp.FAR_JITTER_US] == 10_000
    assert read(known, receiver_report(block(lost=-4)))
    assert (known[rtcp.FAR_LOST], known[rtcp.FAR_FRACTION_MAX]) == (0, 26)


def test_voip_metrics_are_read() -> None:
    body = struct.pack(">BBHI", 7, 0, 8, OURS) + bytes((5, 12)) + bytes(8) + struct.pack(">H", 85) + bytes(4)
    body += bytes((90, 127, 41, 40)) + bytes(8)
    extended = struct.pack(">BBHI", 0x80, 207, 1 + len(body) // 4, THEIRS) + body
    known = state()
    assert read(known, receiver_report() + extended)
    assert [int(known[word]) for word in (rtcp.FAR_DISCARDED, rtcp.FAR_DELAY_MS, rtcp.FAR_OPINION)] == [12, 85, 40]


def test_a_malformed_part_spoils_the_whole() -> None:
    good = receiver_report(block(lost=3))
    for bad in (
        b"", good[:-1], good + b"\0\0\0", b"\x40" + good[1:], good + good[:8], good[:4],
        bytes((0xA0, 201, 0, 1)) + bytes(4), good + b"\x81\x10\0\0",
    ):  # fmt: skip
        known = state()
        assert not read(known, bad), bad
        assert not known.any()


def test_padding_belongs_to_the_last_part() -> None:
    good = receiver_report(block(lost=3))
    padded = bytes((0xA1, 201, 0, 8)) + good[4:] + bytes((0, 0, 0, 4))
    assert read(state(), padded)
    assert not read(state(), padded + receiver_report())


def test_reports_are_spread_over_half_to_one_and_a_half_intervals() -> None:
    known = state()
    known[rtcp.SEED] = OURS
    assert not rtcp.due(known, 1_000_000)
    assert 1_250_000 <= known[rtcp.NEXT_US] - 1_000_000 <= 3_750_000
    waits = []
    for _ in range(200):
        now_us = int(known[rtcp.NEXT_US])
        assert rtcp.due(known, now_us) and not rtcp.due(known, now_us - 1)
        write(known, heard(count=3), now_us=now_us)
        waits.append(int(known[rtcp.NEXT_US]) - now_us)
    assert 2_500_000 <= min(waits) < 3_000_000 and 7_000_000 < max(waits) <= 7_500_000
    assert 4_500_000 < sum(waits) / len(waits) < 5_500_000


@given(st.binary(max_size=120), st.booleans())
def test_whatever_comes_is_taken_or_left(data: bytes, plausible: bool) -> None:
    known = state()
    if plausible and len(data) >= 8:
        count = len(data) // 4
        data = bytes((0x80 | data[0] & 31, 200 + data[1] % 8)) + struct.pack(">H", count - 1) + data[4 : 4 * count]
        assert read(known, data)
        assert known[rtcp.HEARD] == 1
    elif not read(known, data):
        assert not known.any()


@given(st.integers(0, 40), st.integers(2, 50), st.integers(0, 2**33), st.integers(0, 100_000))
def test_what_we_write_can_be_read(count: int, lost_each: int, packets: int, clock_us: int) -> None:
    data = write(state(), heard(lost_each, count), packets=packets, now_us=clock_us)
    known = state()
    assert read(known, data)
    assert len(data) % 4 == 0

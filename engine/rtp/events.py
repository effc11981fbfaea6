"""Telephone events, RFC 4733: the four-byte payload, and a receiver that tells presses from packets.

The field breaks every rule of the RFC: markers are lost or never sent, all three ends are lost, end packets carry
another timestamp, two presses share one, packets come twice or in the wrong order. `hear` therefore decides by
sequence numbers first, then by timestamp and duration, and by the marker only where these leave it open.
One leg's receiver is a row of FIELDS int64 words; durations are 8 kHz samples, times microseconds.
"""

from __future__ import annotations

from typing import Any

from engine.jit import i64, kernel
from engine.rtp.packet import read_u16
from engine.rtp.sequence import ahead16, ahead32

DIGITS = "0123456789*#ABCD"  # by event code
PAYLOAD_BYTES = 4
CODE_MAX = 15
DURATION_MAX = 0xFFFF

(
    ACTIVE,  # 1 while a press is going on
    CODE,
    TIMESTAMP,
    DURATION,
    LAST_SEQUENCE,
    START_US,
    LAST_US,
    REPORTED,  # 1: a long press, told already
    DONE,  # 0 none, 1 ended by an end packet, 2 ended by silence or the next press
    DONE_CODE,
    DONE_TIMESTAMP,
    DONE_DURATION,
    DONE_SEQUENCE,
    DONE_US,
    ALLOWANCE,  # presses that may start now, times 1,000
    ALLOWANCE_US,
    OLD_CODE,
    OLD_DURATION,
) = range(18)
FIELDS = 20

# What `hear` and `expire` tell: bits of their result.
OLD_ENDED, STARTED, ENDED = 1, 2, 4

_SILENCE_US = 200_000  # packets come every 20–50 ms: after this the ends were lost
_LONG_US = 3_000_000
_LONG_SAMPLES = 24_000
_NEAR_WRAP = 60_000
_STALE_US = 2_000_000
_REPEAT_US = 150_000
_PRESSES_BURST = 32
_PRESSES_PER_SECOND = 25


@kernel
def write_event(packet: Any, at: int, code: int, end: int, volume: int, duration: int) -> None:
    """Write the four payload bytes of RFC 4733 §2.3 at `at`."""
    packet[at] = code & 0xFF
    packet[at + 1] = ((end & 1) << 7) | (volume & 0x3F)
    packet[at + 2] = (duration >> 8) & 0xFF
    packet[at + 3] = duration & 0xFF


@kernel
def read_event(packet: Any, at: int) -> tuple[int, int, int]:
    """(code, end bit, duration) of the payload at `at`, which must hold four bytes."""
    return i64(packet[at]), i64(packet[at + 1]) >> 7, read_u16(packet, at + 2)


@kernel
def _finish(row: Any, by: int, now_us: int) -> int:
    """End the press; returns 1 if it is still to be told."""
    row[ACTIVE] = 0
    row[DONE] = by
    row[DONE_CODE] = row[CODE]
    row[DONE_TIMESTAMP] = row[TIMESTAMP]
    row[DONE_DURATION] = row[DURATION]
    row[DONE_SEQUENCE] = row[LAST_SEQUENCE]
    row[DONE_US] = now_us
    return 1 - row[REPORTED]  # type: ignore[no-any-return]


@kernel
def _may_start(row: Any, now_us: int) -> bool:
    """Bound the rate of presses: nobody presses 25 keys a second, but a stalled network delivers some at once."""
    grown = row[ALLOWANCE] + (now_us - row[ALLOWANCE_US]) * _PRESSES_PER_SECOND // 1_000
    row[ALLOWANCE] = min(grown, _PRESSES_BURST * 1_000)
    row[ALLOWANCE_US] = now_us
    if row[ALLOWANCE] < 1_000:
        return False
    row[ALLOWANCE] -= 1_000
    return True


@kernel
def _same_press(row: Any, code: int, end: int, duration: int, timestamp: int, age: int, marker: int) -> bool:
    """Does a packet that is newer than the last one of the press belong to it?"""
    if code != row[CODE]:
        return False
    if timestamp == row[TIMESTAMP]:
        # the same timestamp with a shorter duration: a sender that reuses timestamps began another press
        return bool(duration >= row[DURATION] or row[DURATION] > _NEAR_WRAP)
    if row[DURATION] > _NEAR_WRAP and abs(ahead32(timestamp, row[TIMESTAMP]) - DURATION_MAX) < 2_000:
        return True  # the next segment of a long press, RFC 4733 §2.5.1.3
    if marker:
        return False
    if age == 1:
        return True  # nothing lay between: a sender that moves the timestamp
    return bool(end and duration >= row[DURATION] and age <= 4)


@kernel
def _belongs_to_done(row: Any, code: int, end: int, duration: int, timestamp: int, age: int, marker: int,
                     now_us: int) -> bool:
    """Is a packet outside a press a remainder of the one that has ended?"""
    since_us = now_us - row[DONE_US]
    if age <= 0 and since_us < _STALE_US:
        return True  # late or twice
    if code != row[DONE_CODE]:
        return False
    if timestamp == row[DONE_TIMESTAMP]:
        return bool(end or duration > row[DONE_DURATION])
    # an end sent again with another timestamp
    return bool(end and not marker and age <= 3 and since_us < _REPEAT_US and duration >= row[DONE_DURATION])


@kernel
def hear(row: Any, code: int, end: int, duration: int, timestamp: int, sequence: int, marker: int,
         now_us: int) -> int:
    """Take in one event packet; returns bits.

    OLD_ENDED: a press whose ends were lost is over (OLD_CODE, OLD_DURATION). STARTED: a press began (CODE).
    ENDED: the press that CODE names is over or held for 3 s (CODE, DURATION). Every press gives STARTED once and
    one of the other two once. Codes above 15 are no keys: the caller drops them.
    """
    told = 0
    if row[ACTIVE] == 1:
        age = ahead16(sequence, row[LAST_SEQUENCE])
        if age <= 0:
            if code != row[CODE] or timestamp != row[TIMESTAMP]:
                return 0
            row[DURATION] = max(row[DURATION], duration)
            return 0 if end == 0 or _finish(row, 1, now_us) == 0 else ENDED
        if _same_press(row, code, end, duration, timestamp, age, marker):
            return _continue(row, end, duration, timestamp, sequence, now_us)
        if _finish(row, 2, now_us):
            row[OLD_CODE] = row[DONE_CODE]
            row[OLD_DURATION] = row[DONE_DURATION]
            told |= OLD_ENDED
    elif row[DONE] != 0:
        age = ahead16(sequence, row[DONE_SEQUENCE])
        if _belongs_to_done(row, code, end, duration, timestamp, age, marker, now_us):
            return 0
    if not _may_start(row, now_us):
        return told
    row[ACTIVE] = 1
    row[CODE] = code
    row[TIMESTAMP] = timestamp
    row[DURATION] = duration
    row[LAST_SEQUENCE] = sequence
    row[START_US] = now_us
    row[LAST_US] = now_us
    row[REPORTED] = 0
    told |= STARTED
    if end:
        _finish(row, 1, now_us)
        told |= ENDED
    return told


@kernel
def _continue(row: Any, end: int, duration: int, timestamp: int, sequence: int, now_us: int) -> int:
    row[TIMESTAMP] = timestamp
    row[DURATION] = duration if duration < row[DURATION] and row[DURATION] > _NEAR_WRAP else max(
        row[DURATION], duration)
    row[LAST_SEQUENCE] = sequence
    row[LAST_US] = now_us
    if end:
        return ENDED if _finish(row, 1, now_us) else 0
    return _long(row, now_us)


@kernel
def _long(row: Any, now_us: int) -> int:
    if row[REPORTED] == 0 and (row[DURATION] >= _LONG_SAMPLES or now_us - row[START_US] >= _LONG_US):
        row[REPORTED] = 1
        return ENDED
    return 0


@kernel
def expire(row: Any, now_us: int) -> int:
    """Call some times a second: ENDED when the ends of a press were lost, or it has been held for 3 s; else 0."""
    if row[ACTIVE] == 0:
        return 0
    if now_us - row[LAST_US] >= _SILENCE_US:
        return ENDED if _finish(row, 2, now_us) else 0
    return _long(row, now_us)


@kernel
def restart(row: Any, now_us: int) -> int:
    """Another SSRC: what came before says nothing about sequence numbers now. ENDED if a press was going on."""
    told = 0
    if row[ACTIVE] == 1 and _finish(row, 2, now_us):
        told = ENDED
    row[DONE] = 0
    return told

"""What a receiver knows of a stream: loss, order, duplicates, jitter, gaps (RFC 3550 §6.4.1, A.1, A.3, A.8), and its
lateness and level.

One stream's counters are a row of FIELDS int64 words. Times are microseconds, timestamps 8 kHz samples.
"""

from __future__ import annotations

from typing import Any

from engine.jit import i64, kernel
from engine.rtp.sequence import ahead16, ahead32

(
    SSRC,
    LIVE,  # 1 once a packet came
    HIGHEST,  # extended highest sequence number
    BASE,  # extended sequence number the present run began with
    SEEN,  # bit i: packet HIGHEST - i has come
    RECEIVED,  # distinct packets of the present run
    LOST_BEFORE,  # lost in earlier runs (another SSRC, a jump)
    PACKETS,
    DUPLICATED,
    REORDERED,
    LAST_US,
    LAST_TIMED_US,
    LAST_TIMESTAMP,
    TIMED,  # 1 once LAST_TIMESTAMP is valid
    JITTER_16,  # RFC 3550 A.8 estimate, scaled by 16
    JITTER_MAX_US,
    GAP_MAX_US,
    LAST_GAP_US,
    LOSS_RUNS,  # holes in the sequence, of one packet or more
    DELAY_US,  # of the last media packet, against the first of the run …
    FLOOR_US,  # … and what is usual: follows a smaller one at once, a larger one slowly
    DELAYED,  # packets later than LATE_LIMIT_US
    DELAYED_MAX_US,
    WEIGHED,  # samples looked at
    CLIPPED,  # of them at the law's ceiling
    LOUDEST,  # largest magnitude among them
) = range(26)
FIELDS = 28

NEW, LATE, DUPLICATE, RESTART = range(4)
_WINDOW = 62  # bits of SEEN: int64 without its sign, shifted by at most this
_SEEN_MASK = (1 << _WINDOW) - 1
_DROPOUT_MAX = 3_000  # RFC 3550 A.1
_RESYNC_US = 2_000_000  # a transit that jumps further is another clock, not jitter
_SAMPLE_US = 125
LATE_LIMIT_US = 60_000  # over the usual delay: what common jitter buffers still wait for
_FLOOR_SHIFT = 10  # a lasting change of delay is usual after some 20 s, as in a jitter buffer; drift is too
_CEILING = 32_000  # only the topmost code of either law decodes to more


@kernel
def _begin(row: Any, sequence: int, ssrc: int) -> None:
    if row[LIVE] == 1:
        row[LOST_BEFORE] += max(row[HIGHEST] - row[BASE] + 1 - row[RECEIVED], 0)
    row[LIVE] = 1
    row[SSRC] = ssrc
    row[HIGHEST] = sequence
    row[BASE] = sequence
    row[SEEN] = 1
    row[RECEIVED] = 1
    row[TIMED] = 0


@kernel
def arrive(row: Any, sequence: int, ssrc: int, now_us: int) -> int:
    """Count a packet: NEW (in order), LATE (fills a hole), DUPLICATE, or RESTART (first, other SSRC, far jump)."""
    row[PACKETS] += 1
    if row[LIVE] == 1:
        row[LAST_GAP_US] = now_us - row[LAST_US]
        row[GAP_MAX_US] = max(row[GAP_MAX_US], row[LAST_GAP_US])
    row[LAST_US] = now_us
    if row[LIVE] == 0 or row[SSRC] != ssrc:
        _begin(row, sequence, ssrc)
        return RESTART
    step = ahead16(sequence, row[HIGHEST] & 0xFFFF)
    if 0 < step <= _DROPOUT_MAX:
        row[SEEN] = ((row[SEEN] << step) | 1) & _SEEN_MASK if step < _WINDOW else 1
        row[HIGHEST] += step
        row[RECEIVED] += 1
        row[LOSS_RUNS] += step > 1
        return NEW
    if step <= 0 and -step < _WINDOW:
        bit = 1 << -step
        if row[SEEN] & bit:
            row[DUPLICATED] += 1
            return DUPLICATE
        row[SEEN] |= bit
        row[REORDERED] += 1
        if row[HIGHEST] + step >= row[BASE]:
            row[RECEIVED] += 1
        return LATE
    _begin(row, sequence, ssrc)
    return RESTART


@kernel
def time_packet(row: Any, timestamp: int, now_us: int, marker: int = 0) -> None:
    """Add a media packet that came in order to the interarrival jitter (RFC 3550 A.8) and to the lateness.

    A marker begins a talkspurt, whose delay a far end may have chosen anew: it is late against none before it.
    """
    if row[TIMED] == 1:
        spacing = now_us - row[LAST_TIMED_US]
        later = spacing - ahead32(timestamp, row[LAST_TIMESTAMP]) * _SAMPLE_US
        difference = abs(later)
        if difference < _RESYNC_US:
            row[JITTER_16] += difference - ((row[JITTER_16] + 8) >> 4)
            row[JITTER_MAX_US] = max(row[JITTER_MAX_US], row[JITTER_16] >> 4)
        row[DELAY_US] += later
        if marker == 1 or difference >= _RESYNC_US or row[DELAY_US] < row[FLOOR_US]:
            row[FLOOR_US] = row[DELAY_US]
        late_us = row[DELAY_US] - row[FLOOR_US]
        row[DELAYED_MAX_US] = max(row[DELAYED_MAX_US], late_us)
        row[DELAYED] += late_us > LATE_LIMIT_US
        row[FLOOR_US] += late_us >> _FLOOR_SHIFT
    else:
        row[DELAY_US] = 0
        row[FLOOR_US] = 0
    row[TIMED] = 1
    row[LAST_TIMED_US] = now_us
    row[LAST_TIMESTAMP] = timestamp


@kernel
def weigh(row: Any, decode: Any, packet: Any, start: int, end: int) -> None:
    """Look at the samples of a G.711 packet: how many stand at the ceiling, and the largest. `decode`: its law's."""
    clipped, loudest = 0, row[LOUDEST]
    for index in range(start, end):
        magnitude = abs(i64(decode[packet[index]]))
        clipped += magnitude > _CEILING
        loudest = max(loudest, magnitude)
    row[WEIGHED] += end - start
    row[CLIPPED] += clipped
    row[LOUDEST] = loudest


@kernel
def lost(row: Any) -> int:
    """Packets that never came, over all runs (RFC 3550 A.3); never negative."""
    if row[LIVE] == 0:
        return 0
    total: int = row[LOST_BEFORE] + max(row[HIGHEST] - row[BASE] + 1 - row[RECEIVED], 0)
    return total


@kernel
def jitter_us(row: Any) -> int:
    """The present interarrival jitter in microseconds."""
    return row[JITTER_16] >> 4  # type: ignore[no-any-return]

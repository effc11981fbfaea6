"""Adaptive playout: a ring of samples addressed by timestamp, with loss concealment (DESIGN §2, decode paths only).

Writers put each packet's samples where its timestamp says; a reader takes frames of any length at its own pace, so
re-framing, reordering and duplicates need no code. A place that nothing was written to holds NOTHING_HERE, a value
nothing decodes to; reading it means a loss, which is concealed by repeating the last pitch period with falling
gain (in the manner of G.711 Appendix I). The delay follows the arrivals: a packet that comes too late moves the read
position back by what it lacked; a window in which every packet came early lets it catch up, one pitch period at
a time, by overlapping.
"""

from __future__ import annotations

from typing import Any

from engine.jit import i64, kernel
from engine.media import coding
from engine.media import columns as c
from engine.media.columns import Plane
from engine.rtp.sequence import ahead32

NOTHING_HERE = -32_768
MARGIN = 40  # 5 ms
DELAY_START = 160
DELAY_MAX = 1_600
_MASK = c.PLAYOUT_SAMPLES - 1
_HISTORY_MASK = c.HISTORY_SAMPLES - 1
_FRAME_MAX = 960
_WINDOW = 100  # packets between two looks at the delay
_FAR = 1 << 30
_BLEND = 32  # 4 ms between concealment and the next real samples
_FADED = 480  # 60 ms
_PITCH_MIN, _PITCH_MAX = 40, 160
_MATCH = 100  # 12.5 ms: of 8 to 24 ms this sounded best, by ViSQOL, in two voices
_DRY = 800  # reading this far past the newest sample ends the stream: the next packet starts afresh


@kernel
def reset(p: Plane, slot: int) -> None:
    """Empty a buffer, history included."""
    row = p.playout[slot]
    for word in range(c.PLAYOUT_FIELDS):
        row[word] = 0
    row[c.TARGET] = DELAY_START
    row[c.CONCEALED] = _FADED
    row[c.PITCH] = _PITCH_MIN
    for index in range(c.HISTORY_SAMPLES):
        p.history[slot, index] = 0


@kernel
def seed(p: Plane, slot: int, octets: Any, length: int, law: int) -> None:
    """Give an emptied buffer the samples that were heard last, so that what comes next joins them."""
    row = p.playout[slot]
    for index in range(length):
        place = (row[c.HISTORY_AT] + index) & _HISTORY_MASK
        p.history[slot, place] = coding.sample(p, law, octets, 0, index)
    row[c.HISTORY_AT] = (row[c.HISTORY_AT] + length) & _HISTORY_MASK
    row[c.CONCEALED] = 0


@kernel
def copy(p: Plane, source: int, target: int) -> None:
    """Make buffer `target` what `source` is: who reads on there hears no seam."""
    for word in range(c.PLAYOUT_FIELDS):
        p.playout[target, word] = p.playout[source, word]
    for index in range(c.PLAYOUT_SAMPLES):
        p.samples[target, index] = p.samples[source, index]
    for index in range(c.HISTORY_SAMPLES):
        p.history[target, index] = p.history[source, index]


@kernel
def _start(p: Plane, slot: int, timestamp: int, ssrc: int) -> None:
    row = p.playout[slot]
    for index in range(c.PLAYOUT_SAMPLES):
        p.samples[slot, index] = NOTHING_HERE
    row[c.LIVE] = 1
    row[c.P_SSRC] = ssrc
    row[c.READ_AT] = (timestamp - row[c.TARGET]) & 0xFFFFFFFF
    row[c.END_AT] = timestamp
    row[c.MIN_SLACK] = _FAR
    row[c.WINDOW] = 0
    row[c.SHRINK] = 0


@kernel
def write(p: Plane, slot: int, timestamp: int, ssrc: int, packet: Any, start: int, length: int, law: int) -> None:
    """Put the `length` samples at packet[start:], bytes in a law, where they belong."""
    row = p.playout[slot]
    slack = ahead32(timestamp, row[c.READ_AT])
    if row[c.LIVE] == 0 or row[c.P_SSRC] != ssrc or slack > c.PLAYOUT_SAMPLES - 2 * _FRAME_MAX or slack < -8_000:
        _start(p, slot, timestamp, ssrc)
        slack = row[c.TARGET]
    row[c.MIN_SLACK] = min(row[c.MIN_SLACK], slack)
    if slack < 0:
        slack = _grow(row, slack, length)
    ring = p.samples[slot]
    if law == coding.LINEAR:
        for index in range(max(0, -slack), length):
            heard = coding.sample(p, coding.LINEAR, packet, start, index)
            ring[(timestamp + index) & _MASK] = max(heard, NOTHING_HERE + 1)
    else:
        for index in range(max(0, -slack), length):
            ring[(timestamp + index) & _MASK] = p.decode[law, packet[start + index]]
    end = (timestamp + length) & 0xFFFFFFFF
    if ahead32(end, row[c.END_AT]) > 0:
        row[c.END_AT] = end
    row[c.WINDOW] += 1
    if row[c.WINDOW] >= _WINDOW:
        _shrink(row)


@kernel
def _grow(row: Any, slack: int, length: int) -> int:
    """A packet came too late by -slack: read from further back in future. Returns the packet's new slack.

    The places read again were emptied when they were read, so moving back means concealment there.
    """
    delay = max(0, ahead32(row[c.END_AT], row[c.READ_AT]))
    grow = min(-slack + MARGIN, DELAY_MAX + length - delay)
    if grow <= 0 or -slack > DELAY_MAX:
        return slack
    row[c.READ_AT] = (row[c.READ_AT] - grow) & 0xFFFFFFFF
    row[c.TARGET] = min(row[c.TARGET] + grow, DELAY_MAX)
    row[c.MIN_SLACK] = _FAR
    row[c.WINDOW] = 0
    row[c.SHRINK] = 0
    return slack + grow


@kernel
def _shrink(row: Any) -> None:
    """After a window without lateness: catch up by part of what every packet came too early."""
    surplus = row[c.MIN_SLACK] - 2 * MARGIN
    row[c.SHRINK] = min(surplus, _PITCH_MAX) if surplus >= 80 else 0
    row[c.MIN_SLACK] = _FAR
    row[c.WINDOW] = 0


@kernel
def _find_pitch(history: Any, at: int) -> int:
    """The lag between _PITCH_MIN and _PITCH_MAX at which the last _MATCH samples resemble what came before."""
    best, best_lag = 0.0, _PITCH_MIN * 2
    for lag in range(_PITCH_MIN, _PITCH_MAX + 1):
        product, energy = 0.0, 1.0
        for index in range(0, _MATCH, 2):
            here = float(history[(at - 1 - index) & _HISTORY_MASK])
            there = float(history[(at - 1 - index - lag) & _HISTORY_MASK])
            product += here * there
            energy += there * there
        if product > 0.0:
            score = product * product / energy
            if score > best:
                best, best_lag = score, lag
    return best_lag


@kernel
def _gain(concealed: int) -> int:
    """Of 256: falling from the first sample on, nothing at 60 ms. Ten steady milliseconds first sounded worse."""
    return max(0, (_FADED - concealed) * 256 // _FADED)


@kernel
def read(p: Plane, slot: int, length: int, target: Any) -> int:
    """Take the next `length` samples into `target` (int16); returns how many of them were heard, not concealed.

    0 for some frames on end means that there is nothing to play: `faded` tells.
    """
    row = p.playout[slot]
    if row[c.LIVE] == 1 and row[c.SHRINK] > 0:
        _catch_up(p, slot, length)
    ring, history = p.samples[slot], p.history[slot]
    heard = 0
    for index in range(length):
        place = (row[c.READ_AT] + index) & _MASK
        sample = take(ring, place, row[c.LIVE])
        at = row[c.HISTORY_AT]
        if sample == NOTHING_HERE:
            if row[c.CONCEALED] == 0:
                row[c.PITCH] = _find_pitch(history, at)
            sample = i64(history[(at - row[c.PITCH]) & _HISTORY_MASK])
            history[at] = sample
            target[index] = sample * _gain(row[c.CONCEALED]) >> 8
            row[c.CONCEALED] = min(row[c.CONCEALED] + 1, _FADED)
            row[c.BLEND] = _BLEND
        else:
            heard += 1
            history[at] = sample
            if row[c.BLEND] > 0:
                imagined = i64(history[(at - row[c.PITCH]) & _HISTORY_MASK]) * _gain(row[c.CONCEALED]) >> 8
                sample = (sample * (_BLEND - row[c.BLEND]) + imagined * row[c.BLEND]) // _BLEND
                row[c.BLEND] -= 1
            if row[c.BLEND] == 0:
                row[c.CONCEALED] = 0
            target[index] = sample
        row[c.HISTORY_AT] = (at + 1) & _HISTORY_MASK
    row[c.READ_AT] = (row[c.READ_AT] + length) & 0xFFFFFFFF
    if row[c.LIVE] == 1 and ahead32(row[c.READ_AT], row[c.END_AT]) > _DRY:
        row[c.LIVE] = 0
    return heard


@kernel
def take(ring: Any, place: int, live: int) -> int:
    """Take the sample at `place` out of the ring."""
    if live == 0:
        return NOTHING_HERE
    sample: int = i64(ring[place])
    ring[place] = NOTHING_HERE
    return sample


@kernel
def dry(p: Plane, slot: int) -> bool:
    """Has everything been played that was written?"""
    row = p.playout[slot]
    return bool(row[c.LIVE] == 0 or ahead32(row[c.END_AT], row[c.READ_AT]) <= 0)


@kernel
def faded(p: Plane, slot: int) -> bool:
    """Nothing has come for so long that concealment has fallen silent."""
    return bool(p.playout[slot, c.CONCEALED] >= _FADED)


@kernel
def _catch_up(p: Plane, slot: int, length: int) -> None:
    """Skip one pitch period by overlapping: samples from behind it fade in over those before it, in place.

    Done only where all samples concerned are there; otherwise the next read tries again.
    """
    row, ring = p.playout[slot], p.samples[slot]
    at = row[c.READ_AT]
    skip = _find_pitch(p.history[slot], row[c.HISTORY_AT])
    if skip > row[c.SHRINK]:
        skip = row[c.SHRINK]
    if ahead32(row[c.END_AT], at) < length + skip:
        return
    for index in range(length + skip):
        if ring[(at + index) & _MASK] == NOTHING_HERE:
            return
    for index in range(length):
        early, late = i64(ring[(at + index) & _MASK]), i64(ring[(at + index + skip) & _MASK])
        ring[(at + index + skip) & _MASK] = (early * (length - index) + late * index) // length
    for index in range(skip):
        ring[(at + index) & _MASK] = NOTHING_HERE
    row[c.READ_AT] = (at + skip) & 0xFFFFFFFF
    row[c.TARGET] = max(row[c.TARGET] - skip, DELAY_START // 2)
    row[c.SHRINK] = 0

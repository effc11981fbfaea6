"""Ears: what a leg's caller says, told as it arrives in frames of 20 ms; beside each, what the leg was sent then.

No playout delay: a frame is told with the packet that completes it. Samples are placed by the stream's own timestamps,
so re-framing, duplicates and packets that overtook each other need no code; a packet that is missing holds its frame
back until `_REORDER` samples of later ones have come, then its place is silence and the frame says so. When nothing
comes (a pause that isn't sent, a hold, digits, a dead network), the tick tells silence instead, so that time passes for
whoever waits for an end; what comes after all is told behind it and not thrown away.

A frame is EAR_WORDS of int16: the header (`HEADER`, 24 bytes, little-endian), EAR_FRAME samples that were said,
EAR_FRAME samples that were being sent. Rings are single-producer (the media thread), single-consumer (`drain`).
"""

from __future__ import annotations

from typing import Any

from engine.jit import i64, kernel, load_acquire, store_release
from engine.media import coding, rings
from engine.media import columns as c
from engine.media.columns import Plane
from engine.rtp import events
from engine.rtp.sequence import ahead16, ahead32

# struct format of a frame's header: ear; flags; its listening's token (modulo 2**32); when it was complete,
# monotonic µs; number of the frame since this ear was started (modulo 2**32); frames that found the ring full before it
# (modulo 2**16); samples of it that never came
HEADER = "<HHIqIHH"
FRAME_BYTES = 2 * c.EAR_WORDS
SILENT, KEY, PLAYING, LOST = 1, 2, 4, 8  # flags: nothing came; a key is down; a prompt is being played; parts are lost

_MASK = c.EAR_SAMPLES - 1
_NOTHING_HERE = -32_768  # no sample is
_REORDER = 320  # samples that a missing packet is waited for
_WINDOW = 960  # samples behind the next frame that the ring must have room for: the longest packet
_JUMP = 4_000  # samples that a stream's clock may run ahead of ours before it counts as another clock
_FRAME_US = 20_000
_SAMPLE_US = 125
_QUIET_US = 100_000  # without a packet: silence. More than the longest usual frame, and than usual jitter
_FILLED_MAX = 6
_SENT_SLIP = 480  # samples by which sent audio may shift against arrivals before it is lined up anew


# --- life -----------------------------------------------------------------------------------------------
@kernel
def start(p: Plane, row: int, ear: int, token: int, now_us: int) -> None:
    """Listen to a leg from now on. `ear` is free and empty."""
    state, leg = p.ears[ear], p.legs[row]
    for word in range(c.EAR_FIELDS):
        state[word] = 0
    for index in range(c.EAR_SAMPLES):
        p.ear_said[ear, index] = _NOTHING_HERE
        p.ear_sent[ear, index] = 0
    state[c.EAR_STATE] = c.EAR_RUNNING
    state[c.EAR_ROW] = row
    state[c.EAR_TOKEN] = token
    state[c.EAR_LAST_US] = now_us
    state[c.EAR_FILL_US] = now_us + _QUIET_US
    state[c.EAR_SENT_AT] = (_sent_until(leg, now_us) - c.EAR_FRAME) & 0xFFFFFFFF
    state[c.EAR_NEXT] = leg[c.FIRST_EAR]
    leg[c.FIRST_EAR] = ear
    p.counters[c.EARS_RUNNING] += 1


@kernel
def stop(p: Plane, ear: int) -> None:
    """Take a running ear off its leg; the number is free once EAR_DONE has gone out."""
    state = p.ears[ear]
    leg = p.legs[state[c.EAR_ROW]]
    if leg[c.FIRST_EAR] == ear:
        leg[c.FIRST_EAR] = state[c.EAR_NEXT]
    else:
        before = leg[c.FIRST_EAR]
        while before >= 0 and p.ears[before, c.EAR_NEXT] != ear:
            before = p.ears[before, c.EAR_NEXT]
        if before >= 0:
            p.ears[before, c.EAR_NEXT] = state[c.EAR_NEXT]
    state[c.EAR_NEXT] = -1
    state[c.EAR_STATE] = c.EAR_STOPPING
    _finish(p, ear)


@kernel
def refuse(p: Plane, row: int, ear: int) -> None:
    """The leg is gone: the ear never ran. Told at the next tick when the ring is full."""
    if 0 <= ear < c.EAR_COUNT and p.ears[ear, c.EAR_STATE] == c.EAR_FREE:
        state = p.ears[ear]
        for word in range(c.EAR_FIELDS):
            state[word] = 0
        state[c.EAR_STATE] = c.EAR_STOPPING
        state[c.EAR_ROW] = row
        state[c.EAR_NEXT] = -1
        p.counters[c.EARS_RUNNING] += 1
        _finish(p, ear)


@kernel
def _finish(p: Plane, ear: int) -> None:
    """Say that all of its frames are in its ring; a full event ring leaves it STOPPING and each tick tries again."""
    state = p.ears[ear]
    if rings.emit(p, rings.EAR_DONE, state[c.EAR_ROW], ear, state[c.EAR_FRAMES], state[c.EAR_DROPPED], True):
        state[c.EAR_STATE] = c.EAR_FREE
        p.counters[c.EARS_RUNNING] -= 1


# --- what the caller says ---------------------------------------------------------------------------------
@kernel
def listen(p: Plane, row: int, sequence: int, timestamp: int, ssrc: int, packet: Any, start_at: int, length: int,
           law: int, now_us: int) -> None:
    """The `length` samples of an audio payload at packet[start_at:] came for a leg that has ears."""
    ear = p.legs[row, c.FIRST_EAR]
    while ear >= 0:
        _place(p, ear, sequence, timestamp, ssrc, packet, start_at, length, law, now_us)
        ear = p.ears[ear, c.EAR_NEXT]


@kernel
def _place(p: Plane, ear: int, sequence: int, timestamp: int, ssrc: int, packet: Any, start_at: int, length: int,
           law: int, now_us: int) -> None:
    state, ring = p.ears[ear], p.ear_said[ear]
    newest = _follow(p, ear, sequence, timestamp, ssrc, now_us)
    state[c.EAR_LAST_US] = now_us
    state[c.EAR_FILL_US] = now_us + _QUIET_US
    state[c.EAR_FILLED] = 0
    if newest:
        while ahead32(timestamp, state[c.EAR_AT]) >= c.EAR_FRAME and not _expected(state, sequence):
            if ahead32(timestamp + length, state[c.EAR_AT]) <= _WINDOW:
                break  # a packet is missing: it may still come
            _tell(p, ear, now_us, 0)
        if _expected(state, sequence):
            _close_gap(p, ear, timestamp, now_us)
        state[c.EAR_HIGHEST] = sequence
    ahead = ahead32(timestamp, state[c.EAR_AT])
    if ahead > c.EAR_SAMPLES - _WINDOW:
        return
    for index in range(max(0, -ahead), length):
        heard = coding.sample(p, law, packet, start_at, index)
        ring[(timestamp + index) & _MASK] = max(heard, _NOTHING_HERE + 1)
    end = (timestamp + length) & 0xFFFFFFFF
    if ahead32(end, state[c.EAR_END]) > 0:
        state[c.EAR_END] = end
    while _complete(p, ear):
        _tell(p, ear, now_us, 0)


@kernel
def _follow(p: Plane, ear: int, sequence: int, timestamp: int, ssrc: int, now_us: int) -> bool:
    """Bring the ear's place in the stream up to a packet; False when it is one that others have overtaken."""
    state = p.ears[ear]
    ahead = ahead32(timestamp, state[c.EAR_AT])
    filled = state[c.EAR_FILLED]
    passed = (now_us - state[c.EAR_LAST_US]) // _SAMPLE_US
    if state[c.EAR_LIVE] == 0 or state[c.EAR_SSRC] != ssrc or ahead > passed - filled + _JUMP or ahead < -8_000:
        _begin(p, ear, sequence, timestamp, ssrc)
        return True
    if ahead16(sequence, state[c.EAR_HIGHEST]) <= 0:
        return False
    if ahead < 0 and filled > 0:  # it came so late that its time has been told as silence: told behind it
        state[c.EAR_AT] = timestamp
        state[c.EAR_END] = timestamp
        state[c.EAR_HIGHEST] = (sequence - 1) & 0xFFFF
    return True


@kernel
def _begin(p: Plane, ear: int, sequence: int, timestamp: int, ssrc: int) -> None:
    """Another stream, or the same after a jump: what is left of the old one in the ring goes."""
    state, ring = p.ears[ear], p.ear_said[ear]
    for index in range(c.EAR_SAMPLES):
        ring[index] = _NOTHING_HERE
    state[c.EAR_LIVE] = 1
    state[c.EAR_LINED_UP] = 0
    state[c.EAR_SSRC] = ssrc
    state[c.EAR_AT] = timestamp
    state[c.EAR_END] = timestamp
    state[c.EAR_HIGHEST] = (sequence - 1) & 0xFFFF


@kernel
def _expected(state: Any, sequence: int) -> bool:
    """Does this packet follow the last one, so that nothing before it can still come?"""
    return bool(sequence == (state[c.EAR_HIGHEST] + 1) & 0xFFFF)


@kernel
def _close_gap(p: Plane, ear: int, timestamp: int, now_us: int) -> None:
    """Nothing was sent between the last packet and this one: the gap is silence, and final."""
    state, ring = p.ears[ear], p.ear_said[ear]
    first = state[c.EAR_END]
    if ahead32(first, state[c.EAR_AT]) < 0:
        first = state[c.EAR_AT]
    while ahead32(timestamp, state[c.EAR_AT]) >= c.EAR_FRAME:
        _tell(p, ear, now_us, 0 if ahead32(first, state[c.EAR_AT]) > 0 else SILENT)
    if ahead32(first, state[c.EAR_AT]) < 0:
        first = state[c.EAR_AT]
    for index in range(max(0, ahead32(timestamp, first))):
        ring[(first + index) & _MASK] = 0


@kernel
def _complete(p: Plane, ear: int) -> bool:
    """Is the next frame whole, or has what it lacks been waited for long enough?"""
    state, ring = p.ears[ear], p.ear_said[ear]
    have = ahead32(state[c.EAR_END], state[c.EAR_AT])
    if have < c.EAR_FRAME:
        return False
    if have >= c.EAR_FRAME + _REORDER:
        return True
    at = state[c.EAR_AT]
    missing = 0
    for index in range(c.EAR_FRAME):
        missing += ring[(at + index) & _MASK] == _NOTHING_HERE
    return missing == 0


@kernel
def pass_time(p: Plane, ear: int, now_us: int) -> None:
    """The tick's part: while nothing comes, silence, as often as time has passed (at most `_FILLED_MAX` at once)."""
    state = p.ears[ear]
    if state[c.EAR_STATE] == c.EAR_FREE:
        return
    if state[c.EAR_STATE] == c.EAR_STOPPING:
        _finish(p, ear)
        return
    told = 0
    if now_us >= state[c.EAR_FILL_US] and state[c.EAR_FILLED] == 0:  # the time that it took to be sure, too
        state[c.EAR_FILL_US] = state[c.EAR_LAST_US] + 2 * _FRAME_US
    while now_us >= state[c.EAR_FILL_US]:
        state[c.EAR_FILL_US] += _FRAME_US
        if told < _FILLED_MAX:  # after a stall of the thread the rest is no news to anybody
            _tell(p, ear, now_us, SILENT)
            state[c.EAR_FILLED] += c.EAR_FRAME
            told += 1


# --- what is sent to it -------------------------------------------------------------------------------------
@kernel
def remember_sent(p: Plane, row: int, packet: Any, start_at: int, length: int, timestamp: int, law: int) -> None:
    """What is sent to a leg now, for its ears: `timestamp` is the leg's own."""
    ear = p.legs[row, c.FIRST_EAR]
    while ear >= 0:
        state, ring = p.ears[ear], p.ear_sent[ear]
        ahead = ahead32(timestamp, state[c.EAR_SENT_AT])
        if ahead > -_WINDOW and ahead + length <= c.EAR_SAMPLES:
            for index in range(max(0, -ahead), length):
                ring[(timestamp + index) & _MASK] = coding.sample(p, law, packet, start_at, index)
        ear = state[c.EAR_NEXT]


@kernel
def _sent_until(leg: Any, now_us: int) -> int:
    """The leg's own timestamp of this moment."""
    return (leg[c.TIMESTAMP] - (leg[c.DUE_US] - now_us) // _SAMPLE_US) & 0xFFFFFFFF  # type: ignore[no-any-return]


@kernel
def _line_up(p: Plane, ear: int, now_us: int) -> None:
    """Let the next frame lie beside what was sent up to now.

    Both run by sample, so that an echo keeps its place from frame to frame whatever the packets' jitter; the sent side
    jumps only beyond `_SENT_SLIP`, with a new stream, or when it would run ahead of what has been sent.
    """
    state, ring, leg = p.ears[ear], p.ear_sent[ear], p.legs[p.ears[ear, c.EAR_ROW]]
    sent = _sent_until(leg, now_us)
    slip = ahead32(sent, state[c.EAR_SENT_AT] + c.EAR_FRAME)
    unsent = ahead32(state[c.EAR_SENT_AT] + c.EAR_FRAME, leg[c.TIMESTAMP])
    early = unsent > 0 and leg[c.DUE_US] > now_us
    if -_SENT_SLIP <= slip <= _SENT_SLIP and state[c.EAR_LINED_UP] == 1 and not early:
        return
    state[c.EAR_LINED_UP] = 1
    for index in range(min(max(slip, 0), c.EAR_SAMPLES)):
        ring[(state[c.EAR_SENT_AT] + index) & _MASK] = 0
    state[c.EAR_SENT_AT] = (sent - c.EAR_FRAME) & 0xFFFFFFFF


@kernel
def _tell(p: Plane, ear: int, now_us: int, flags: int) -> None:
    """Put the next frame into the ring, or count it when the ring is full; either way it is taken."""
    state, leg = p.ears[ear], p.legs[p.ears[ear, c.EAR_ROW]]
    shared = p.ear_shared[ear]
    _line_up(p, ear, now_us)
    head = load_acquire(shared, c.HEAD)
    room = head - load_acquire(shared, c.TAIL) < c.EAR_RING_FRAMES
    frame = p.ear_frames[ear, head % c.EAR_RING_FRAMES]
    missing = 0
    for index in range(c.EAR_FRAME):
        said, sent = (state[c.EAR_AT] + index) & _MASK, (state[c.EAR_SENT_AT] + index) & _MASK
        sample = i64(p.ear_said[ear, said])
        if sample == _NOTHING_HERE:
            missing += 1
            sample = 0
        if room:
            frame[c.EAR_HEADER + index] = sample
            frame[c.EAR_HEADER + c.EAR_FRAME + index] = p.ear_sent[ear, sent]
        p.ear_said[ear, said] = _NOTHING_HERE
        p.ear_sent[ear, sent] = 0
    state[c.EAR_AT] = (state[c.EAR_AT] + c.EAR_FRAME) & 0xFFFFFFFF
    state[c.EAR_SENT_AT] = (state[c.EAR_SENT_AT] + c.EAR_FRAME) & 0xFFFFFFFF
    number = state[c.EAR_FRAMES]
    state[c.EAR_FRAMES] += 1
    if not room:
        state[c.EAR_DROPPED] += 1
        p.counters[c.EAR_FRAMES_LOST] += 1
        return
    if missing > 0 and flags & SILENT == 0:
        flags |= LOST
    if p.presses[state[c.EAR_ROW], events.ACTIVE] == 1:
        flags |= KEY
    if leg[c.SOURCE] == c.PLAYING or leg[c.SOURCE] == c.SPEAKING:
        flags |= PLAYING
    frame[0] = ear
    frame[1] = flags
    _spread(frame, 2, state[c.EAR_TOKEN], 2)
    _spread(frame, 4, now_us, 4)
    _spread(frame, 8, number, 2)
    _spread(frame, 10, state[c.EAR_DROPPED], 1)
    frame[11] = missing
    store_release(shared, c.HEAD, head + 1)


@kernel
def _spread(frame: Any, first: int, figure: int, words: int) -> None:
    """Write the lowest `words` times 16 bits of a figure, lowest first."""
    for word in range(words):
        part = (figure >> (16 * word)) & 0xFFFF
        frame[first + word] = part - 0x10000 if part >= 0x8000 else part


# --- Python's side ---------------------------------------------------------------------------------------------
@kernel
def drain(frames: Any, rings_of: Any, numbers: Any, count: int, target: Any) -> int:
    """Move waiting frames of the first `count` ears in `numbers` into the rows of `target`; returns how many.

    Ear after ear in turn, each in order; what `target` has no row for stays. `frames` and `rings_of` are the plane's
    `ear_frames` and `ear_shared`, `target` int16[rows, EAR_WORDS].
    """
    taken = 0
    for place in range(count):
        ear = numbers[place]
        tail = load_acquire(rings_of[ear], c.TAIL)
        head = load_acquire(rings_of[ear], c.HEAD)
        first = taken
        while tail < head and taken < target.shape[0]:
            frame, row = frames[ear, tail % c.EAR_RING_FRAMES], target[taken]
            for word in range(c.EAR_WORDS):
                row[word] = frame[word]
            tail += 1
            taken += 1
        if taken > first:
            store_release(rings_of[ear], c.TAIL, tail)
    return taken

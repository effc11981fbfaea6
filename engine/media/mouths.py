"""Mouths: audio that Python pushes while a call runs (a bot's answers), played by a leg as any other source.

A mouth's ring of samples has one writer, Python, and one reader, the media thread. How far the thread has read is how
much the far end was sent: that is what marks are measured by. A talkspurt begins when `_PRIME` samples lie ready, or
with what there is after `_PRIME_K`, so that a writer that keeps the pace of speech has some room for being late; it
ends when nothing is left, without packets of silence.
"""

from __future__ import annotations

from typing import Any

from engine.jit import i64, kernel, load_acquire, store_release
from engine.media import coding, forward, rings, timeline
from engine.media import columns as c
from engine.media.columns import Plane
from engine.rtp.packet import HEADER_BYTES

_PRIME = 480
_PRIME_K = 6
_MASK = c.MOUTH_SAMPLES - 1


# --- life -----------------------------------------------------------------------------------------------
@kernel
def open_on(p: Plane, row: int, mouth: int, first: int) -> None:
    """Let a leg play a free mouth, from sample `first` of all that were ever pushed on; or the one that it has already
    (after a prompt, say) again."""
    state, leg = p.mouths[mouth], p.legs[row]
    mine = state[c.MOUTH_STATE] == c.MOUTH_OPEN and state[c.MOUTH_ROW] == row
    if not mine and (state[c.MOUTH_STATE] != c.MOUTH_FREE or leg[c.MOUTH] >= 0):
        refuse(p, row, mouth)
        return
    if not mine:
        clear(p, mouth, first)
    state[c.MOUTH_STATE] = c.MOUTH_OPEN
    state[c.MOUTH_ROW] = row
    state[c.MOUTH_PRIME_K] = -1
    leg[c.MOUTH] = mouth
    forward.detach(p, row)
    leg[c.SOURCE] = c.SPEAKING
    leg[c.NEXT_K] = p.counters[c.TICK_K] + 1


@kernel
def refuse(p: Plane, row: int, mouth: int) -> None:
    """The leg is gone or has another mouth."""
    if 0 <= mouth < c.MOUTH_COUNT and p.mouths[mouth, c.MOUTH_STATE] == c.MOUTH_FREE:
        p.mouths[mouth, c.MOUTH_ROW] = row
        _close(p, mouth)


@kernel
def shut(p: Plane, mouth: int) -> None:
    """Take a mouth off its leg: silence if it was speaking. What it still held isn't said."""
    state = p.mouths[mouth]
    row = state[c.MOUTH_ROW]
    if p.legs[row, c.SOURCE] == c.SPEAKING:
        forward.detach(p, row)
    p.legs[row, c.MOUTH] = -1
    _close(p, mouth)


@kernel
def _close(p: Plane, mouth: int) -> None:
    p.mouths[mouth, c.MOUTH_STATE] = c.MOUTH_CLOSING
    p.counters[c.MOUTHS_CLOSING] += 1
    finish(p, mouth)


@kernel
def finish(p: Plane, mouth: int) -> None:
    """Say that a mouth is shut; a full event ring leaves it CLOSING and each tick tries again."""
    state = p.mouths[mouth]
    if state[c.MOUTH_STATE] == c.MOUTH_CLOSING and rings.emit(
        p, rings.MOUTH_DONE, state[c.MOUTH_ROW], mouth, 0, 0, True
    ):
        state[c.MOUTH_STATE] = c.MOUTH_FREE
        p.counters[c.MOUTHS_CLOSING] -= 1


@kernel
def clear(p: Plane, mouth: int, upto: int) -> None:
    """Forget what was pushed before sample `upto` and hasn't been said."""
    shared = p.mouth_shared[mouth]
    tail, head = load_acquire(shared, c.TAIL), load_acquire(shared, c.HEAD)
    if tail < upto <= head:
        store_release(shared, c.TAIL, upto)


# --- the tick ------------------------------------------------------------------------------------------------
@kernel
def due(p: Plane, row: int, k: int) -> bool:
    """Has the leg's mouth something to say in tick `k`?"""
    leg = p.legs[row]
    mouth = leg[c.MOUTH]
    state, shared = p.mouths[mouth], p.mouth_shared[mouth]
    ready = load_acquire(shared, c.HEAD) - load_acquire(shared, c.TAIL)
    if ready <= 0:
        leg[c.FLOWING] = 0
        state[c.MOUTH_PRIME_K] = -1
        return False
    if leg[c.FLOWING] == 1 or ready >= _PRIME:
        return True
    if state[c.MOUTH_PRIME_K] < 0:
        state[c.MOUTH_PRIME_K] = k
    return bool(k - state[c.MOUTH_PRIME_K] >= _PRIME_K)


@kernel
def send_next(p: Plane, row: int, nominal_us: int, now_us: int) -> None:
    """The tick's part: the next frame, its rest silence where too little is ready. Unheard, it is passed over."""
    leg = p.legs[row]
    mouth = leg[c.MOUTH]
    shared, ring = p.mouth_shared[mouth], p.mouth_samples[mouth]
    tail = load_acquire(shared, c.TAIL)
    ready = min(load_acquire(shared, c.HEAD) - tail, leg[c.FRAME])
    slot = timeline.out_slot(p)
    if slot >= 0 and timeline.may_send(p, row, now_us):
        if leg[c.FLOWING] == 0:
            timeline.begin_talkspurt(p, row, nominal_us)
            leg[c.FLOWING] = 1
        samples = p.frame[0]
        for index in range(leg[c.FRAME]):
            samples[index] = i64(ring[(tail + index) & _MASK]) if index < ready else 0
        coding.put_all(p, leg[c.LAW_OUT], p.out[slot], HEADER_BYTES, samples, leg[c.FRAME])
        timeline.send_frame(p, row, slot, leg[c.FRAME], now_us)
    else:
        leg[c.FLOWING] = 0
    store_release(shared, c.TAIL, tail + ready)


# --- Python's side ---------------------------------------------------------------------------------------------
@kernel
def push(ring: Any, shared: Any, samples: Any, first: int) -> int:
    """Append samples[first:] (int16) as far as there is room; returns how many were taken."""
    head, tail = load_acquire(shared, c.HEAD), load_acquire(shared, c.TAIL)
    count: int = min(samples.shape[0] - first, c.MOUTH_SAMPLES - (head - tail))
    for index in range(count):
        ring[(head + index) & _MASK] = samples[first + index]
    store_release(shared, c.HEAD, head + count)
    return count


@kernel
def said(shared: Any) -> int:
    """Samples that have been said or forgotten, of all that were ever pushed."""
    return load_acquire(shared, c.TAIL)


@kernel
def pushed(shared: Any) -> int:
    """Samples that were ever pushed."""
    return load_acquire(shared, c.HEAD)

"""The mix: up to eight legs of which each hears a chosen few of the others, summed (DESIGN §2).

A leg has a *seat*: what it says is decoded through the seat's adaptive playout buffer, once a tick, into a ring that
all seats read (`said`). A leg whose source is MIXING sends, in its own frames and its own law, the sum of the seats in
its ears, never itself. Who hears whom is therefore one mask a leg: a conference is all ears open, listening is a leg
that nobody hears, whispering one that only the agent hears. Sums are int32 and bend softly above the knee.

Nothing clicks: ears that open or close do so over one frame, a bridge that becomes a mix goes on from the last frame
that was sent, and one that is a bridge again goes on out of the seat's buffer (`forward.attach`). A seat outlives what
its leg hears: somebody on hold music may still be heard. Only `control` seats and unseats.
"""

from __future__ import annotations

from typing import Any

from engine.jit import i64, kernel
from engine.media import coding, playout, timeline
from engine.media import columns as c
from engine.media.columns import Plane
from engine.rtp.packet import HEADER_BYTES

_MASK = c.SAID_SAMPLES - 1
_K_SAMPLES = 80
_STEPS_MAX = 2  # of 10 ms: the longest tick; what a stall missed is not made up for
_KNEE = 24_576
_ROOM = 32_767 - _KNEE
_LEFT = -1  # in MIX_ROW: its leg is gone, its last frame fades


@kernel
def slot_of(mix: int, seat: int) -> int:
    """The playout buffer of a seat: what its leg says."""
    return c.MIX_SLOTS + mix * c.SEATS + seat


@kernel
def bend(total: int) -> int:
    """A sum as a 16-bit sample: itself up to the knee, then ever closer to full scale and never beyond."""
    over = abs(total) - _KNEE
    if over <= 0:
        return total
    bent = _KNEE + over * _ROOM // (over + _ROOM)
    return bent if total > 0 else -bent


# --- seats ------------------------------------------------------------------------------------------------
@kernel
def sit(p: Plane, row: int, mix: int) -> bool:
    """Give a leg a seat with an empty buffer, heard by nobody yet; False when all are taken."""
    state, leg = p.mixes[mix], p.legs[row]
    if state[c.MIX_SEATED] == 0:
        state[c.MIX_LAST_K] = p.counters[c.TICK_K]
        p.counters[c.MIXES_RUNNING] += 1
    for seat in range(c.SEATS):
        if state[c.MIX_ROW + seat] == 0:
            state[c.MIX_ROW + seat] = row + 1
            state[c.MIX_BEFORE + seat] = 0
            state[c.MIX_SEATED] += 1
            leg[c.MIX] = mix
            leg[c.SEAT] = seat
            leg[c.EARS] = 0
            playout.reset(p, slot_of(mix, seat))
            return True
    p.counters[c.SLOTS_EXHAUSTED] += 1
    return False


@kernel
def leave(p: Plane, row: int) -> None:
    """Take a leg's seat away: it hears silence if it heard the mix, and who heard it hears it fade over one frame."""
    leg = p.legs[row]
    mix = leg[c.MIX]
    if mix < 0:
        return
    state, seat = p.mixes[mix], leg[c.SEAT]
    leg[c.MIX] = -1
    leg[c.EARS] = 0
    if leg[c.SOURCE] == c.MIXING:
        leg[c.SOURCE] = c.NOTHING
        leg[c.FLOWING] = 0
    state[c.MIX_ROW + seat] = _LEFT
    state[c.MIX_LEAVING] |= 1 << seat
    state[c.MIX_SEATED] -= 1
    others = ~(1 << seat)
    for other in range(c.SEATS):
        seated = state[c.MIX_ROW + other] - 1
        if seated >= 0:
            p.legs[seated, c.EARS] &= others
    if state[c.MIX_SEATED] == 0:
        p.counters[c.MIXES_RUNNING] -= 1
        for other in range(c.SEATS):
            _free(p, mix, other)
        for word in range(c.MIX_FIELDS):
            state[word] = 0


@kernel
def _free(p: Plane, mix: int, seat: int) -> None:
    p.mixes[mix, c.MIX_ROW + seat] = 0
    for index in range(c.SAID_SAMPLES):
        p.said[mix, seat, index] = 0


@kernel
def open_ears(p: Plane, row: int, ears: int, before: int) -> None:
    """Let a seated leg hear the seats in `ears` from its next frame on; it has heard those in `before` until now."""
    leg = p.legs[row]
    state, seat = p.mixes[leg[c.MIX]], leg[c.SEAT]
    state[c.MIX_BEFORE + seat] = before
    leg[c.EARS] = ears & ~(1 << seat)
    if leg[c.SOURCE] != c.MIXING:
        leg[c.SOURCE] = c.MIXING
        leg[c.NEXT_K] = p.counters[c.TICK_K] + leg[c.FRAME_K]
        state[c.MIX_READ + seat] = state[c.MIX_AT]


@kernel
def listen_up(p: Plane, mix: int) -> None:
    """After ears have changed: which seats anybody hears. The others are not decoded."""
    state = p.mixes[mix]
    heard = 0
    for seat in range(c.SEATS):
        row = state[c.MIX_ROW + seat] - 1
        if row >= 0:
            heard |= p.legs[row, c.EARS] | state[c.MIX_BEFORE + seat]
    state[c.MIX_HEARD] = heard


# --- the tick ---------------------------------------------------------------------------------------------
@kernel
def write(p: Plane, row: int, timestamp: int, ssrc: int, packet: Any, start: int, length: int, law: int) -> None:
    """An audio packet of a seated leg."""
    mix, seat = p.legs[row, c.MIX], p.legs[row, c.SEAT]
    if p.mixes[mix, c.MIX_HEARD] >> seat & 1 == 1:
        playout.write(p, slot_of(mix, seat), timestamp, ssrc, packet, start, length, law)


@kernel
def decode(p: Plane, mix: int, k: int) -> None:
    """Tick `k`, before the legs': what every seat said in it."""
    state = p.mixes[mix]
    steps = min(k - state[c.MIX_LAST_K], _STEPS_MAX)
    if state[c.MIX_SEATED] == 0 or steps <= 0:
        return
    state[c.MIX_LAST_K] = k
    length, at, live = steps * _K_SAMPLES, state[c.MIX_AT], 0
    samples = p.frame[0]
    for seat in range(c.SEATS):
        held = state[c.MIX_ROW + seat]
        if held == 0:
            continue
        if held == _LEFT and state[c.MIX_LEAVING] >> seat & 1 == 0:
            _free(p, mix, seat)
            continue
        state[c.MIX_LEAVING] &= ~(1 << seat)
        ring = p.said[mix, seat]
        if state[c.MIX_HEARD] >> seat & 1 == 0:
            for index in range(length):
                ring[(at + index) & _MASK] = 0
            continue
        slot = slot_of(mix, seat)
        heard = playout.read(p, slot, length, samples)
        for index in range(length):
            ring[(at + index) & _MASK] = samples[index]
        if heard > 0 or not playout.faded(p, slot):
            live |= 1 << seat
    state[c.MIX_LIVE] = live
    state[c.MIX_AT] = at + length


@kernel
def due(p: Plane, row: int) -> bool:
    """Is there a whole frame for this leg?"""
    leg = p.legs[row]
    state = p.mixes[leg[c.MIX]]
    return bool(state[c.MIX_AT] - state[c.MIX_READ + leg[c.SEAT]] >= leg[c.FRAME])


@kernel
def send_next(p: Plane, row: int, nominal_us: int, now_us: int) -> None:
    """The tick's part of a leg that hears a mix: the sum of its ears, or nothing while they are all silent."""
    leg = p.legs[row]
    mix, seat, length = leg[c.MIX], leg[c.SEAT], leg[c.FRAME]
    state = p.mixes[mix]
    at = state[c.MIX_READ + seat]
    if state[c.MIX_AT] - at >= 2 * length:  # digits or a stall came between: what was said then is past
        at = state[c.MIX_AT] - length
    state[c.MIX_READ + seat] = at + length
    ears, before = leg[c.EARS], state[c.MIX_BEFORE + seat]
    state[c.MIX_BEFORE + seat] = ears
    if (ears | before) & state[c.MIX_LIVE] == 0 or not timeline.may_send(p, row, now_us):
        leg[c.FLOWING] = 0
        return
    slot = timeline.out_slot(p)
    if slot < 0:
        return
    if leg[c.FLOWING] == 0:
        timeline.begin_talkspurt(p, row, nominal_us)
        leg[c.FLOWING] = 1
    sums = p.sums
    for index in range(length):
        sums[index] = 0
    for other in range(c.SEATS):
        opening, closing = ears >> other & 1, before >> other & 1
        if opening + closing > 0:
            _add(p.said[mix, other], at, length, opening, closing, sums)
    samples = p.frame[0]
    for index in range(length):
        samples[index] = bend(i64(sums[index]))
    coding.put_all(p, leg[c.LAW_OUT], p.out[slot], HEADER_BYTES, samples, length)
    timeline.send_frame(p, row, slot, length, now_us)


@kernel
def _add(ring: Any, at: int, length: int, opening: int, closing: int, sums: Any) -> None:
    """Add a seat's samples; an ear that opens or closes does so over the frame."""
    if opening == closing:
        for index in range(length):
            sums[index] += ring[(at + index) & _MASK]
        return
    for index in range(length):
        part = index if opening == 1 else length - index
        sums[index] += i64(ring[(at + index) & _MASK]) * part // length

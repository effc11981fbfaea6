"""Comfort noise, RFC 3389: a far end that sends nothing while nobody speaks has said how its silence sounds.

From such a packet to the next of speech, whoever hears the leg hears noise of that level and colour, and its
recording has it, too: nobody takes the silence for a dead line. The packet counts as a sign of life for 15 s.

Noise is white, through an all-pole lattice of the packet's reflection coefficients (their sign as in A(z) = 1 + k1·z⁻¹
…, as in G.711 Appendix II and the programs in the field), and scaled so that its level doesn't depend on them.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

from engine.jit import i64, kernel
from engine.media import coding, forward, mix, playout, timeline
from engine.media import columns as c
from engine.media.columns import Plane
from engine.rtp.packet import HEADER_BYTES

_FULL_SCALE = 32_767.0  # 0 dBov: a square wave as loud as there is
_LEVEL_MIN = 24  # louder "silence" than −24 dBov is a mistake, and hurts
_FRAME = 160
_STEP_K = 2
_LATE_K = 10
_GAIN, _COEFFICIENTS, _LATTICE = 0, 1, 1 + c.NOISE_ORDER


@kernel
def hear(p: Plane, row: int, packet: Any, start: int, end: int, timestamp: int, ssrc: int) -> None:
    """Take in a comfort noise payload: its level in −dBov, then reflection coefficients, as many as there are."""
    state, noise = p.coding[row], p.noise[row]
    rest = 1.0
    for index in range(c.NOISE_ORDER):
        coefficient = 0.0
        if start + 1 + index < end:
            coefficient = float((min(i64(packet[start + 1 + index]), 254) - 127) * 258) / 32_768.0
        coefficient = min(max(coefficient, -0.98), 0.98)
        noise[_COEFFICIENTS + index] = coefficient
        rest *= 1.0 - coefficient * coefficient
    level = max(i64(packet[start]) & 0x7F, _LEVEL_MIN)
    noise[_GAIN] = _FULL_SCALE * 10.0 ** (-float(level) / 20.0) * sqrt(rest)
    if state[c.COMFORT] == 0:
        for index in range(c.NOISE_ORDER + 1):
            noise[_LATTICE + index] = 0.0
        state[c.COMFORT_AT] = timestamp
        state[c.COMFORT_K] = p.counters[c.TICK_K] + 1
        state[c.COMFORT_SEED] = (ssrc ^ timestamp) & 0x7FFFFFFF
    state[c.COMFORT_SSRC] = ssrc
    state[c.COMFORT] = 1


@kernel
def _uniform(state: Any) -> float:
    """White, of power one: the sum of two even distributions is a better hiss than one, for nothing."""
    total = 0.0
    for _ in range(2):
        state[c.COMFORT_SEED] = (state[c.COMFORT_SEED] * 1_103_515_245 + 12_345) & 0x7FFFFFFF
        total += float(state[c.COMFORT_SEED] >> 7) / 16_777_216.0 - 0.5
    return total * 2.449489742783178  # √6: the variance of the sum is a sixth


@kernel
def fill(p: Plane, row: int, samples: Any, length: int) -> None:
    """The next `length` samples of how a leg's silence sounds."""
    state, noise = p.coding[row], p.noise[row]
    for index in range(length):
        value = _uniform(state) * noise[_GAIN]
        for stage in range(c.NOISE_ORDER - 1, -1, -1):
            before = noise[_LATTICE + stage]
            value -= noise[_COEFFICIENTS + stage] * before
            noise[_LATTICE + stage + 1] = before + noise[_COEFFICIENTS + stage] * value
        noise[_LATTICE] = value
        samples[index] = i64(min(max(value, -32_768.0), 32_767.0))


@kernel
def sounds(p: Plane, row: int) -> bool:
    """Does leg `row` hear the silence of a far end that has described it, and nothing else?"""
    leg = p.legs[row]
    if leg[c.SOURCE] != c.HEARING and leg[c.SOURCE] != c.ECHOING:
        return False
    return bool(p.coding[leg[c.SOURCE_ROW], c.COMFORT] == 1 and (leg[c.SLOT] < 0 or playout.dry(p, leg[c.SLOT])))


@kernel
def send_next(p: Plane, row: int, nominal_us: int, now_us: int) -> None:
    """The tick's part of a leg of which `sounds` is true: the next frame of noise."""
    leg = p.legs[row]
    slot = timeline.out_slot(p)
    if slot < 0 or not timeline.may_send(p, row, now_us):
        leg[c.FLOWING] = 0
        return
    forward.release_slot(p, row)
    if leg[c.FLOWING] == 0:
        timeline.begin_talkspurt(p, row, nominal_us)
        leg[c.FLOWING] = 1
    samples = p.frame[0]
    fill(p, leg[c.SOURCE_ROW], samples, leg[c.FRAME])
    coding.put_all(p, leg[c.LAW_OUT], p.out[slot], HEADER_BYTES, samples, leg[c.FRAME])
    timeline.send_frame(p, row, slot, leg[c.FRAME], now_us)


@kernel
def pass_time(p: Plane, row: int, k: int) -> None:
    """The tick's part of a leg that is silent so: noise for its recording and for the mix that it sits in."""
    state, leg = p.coding[row], p.legs[row]
    if k - state[c.COMFORT_K] > _LATE_K:
        missed = (k - state[c.COMFORT_K]) // _STEP_K
        state[c.COMFORT_K] += _STEP_K * missed
        state[c.COMFORT_AT] = (state[c.COMFORT_AT] + missed * _FRAME) & 0xFFFFFFFF
    while k >= state[c.COMFORT_K]:
        state[c.COMFORT_K] += _STEP_K
        at, ssrc = state[c.COMFORT_AT], state[c.COMFORT_SSRC]
        state[c.COMFORT_AT] = (at + _FRAME) & 0xFFFFFFFF
        if leg[c.TAP] < 0 and leg[c.MIX] < 0:
            continue
        samples = p.frame[0]
        fill(p, row, samples, _FRAME)
        coding.put_all(p, coding.LINEAR, p.heard, 0, samples, _FRAME)
        if leg[c.TAP] >= 0:
            playout.write(p, c.SLOTS + 2 * leg[c.TAP], at, ssrc, p.heard, 0, _FRAME, coding.LINEAR)
        if leg[c.MIX] >= 0:
            mix.write(p, row, at, ssrc, p.heard, 0, _FRAME, coding.LINEAR)

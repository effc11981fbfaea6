"""Keys and fax tones in the sound itself: heard, told once a press, and cut out of what others hear (ITU-T Q.23, Q.24).

Blocks of 10 ms are looked at as packets come: eight Goertzel filters name the pair that a block may hold. Two such
blocks are a candidate, and a candidate is *fitted*: two sines of free frequency, amplitude and phase, by least
squares over the samples themselves. It is a key when both frequencies are within 2.5 %, one is no more than 9.5 dB
(low) or 5.5 dB (high) above the other, what the sines leave is 10 dB below them, and the very same sines stand for
30 ms. Voices and music hold none of this for so long, so the blocks need not be strict and weak keys aren't lost.

A packet that is missing is waited for 40 ms; then it is unknown: it neither ends a press nor begins one, and what was
heard on both sides of it may be one key. Silence that wasn't sent is silence. From the second block of a candidate on
its packets are to be silenced, so that less than 20 ms of a key gets through, which nobody takes for one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.jit import i64, kernel
from engine.media import coding
from engine.media import columns as c
from engine.media.columns import Plane
from engine.rtp.sequence import ahead16, ahead32

DIGITS_ON, FAX_ON = 1, 2  # bits of a leg's TONES: what is listened for
STARTED, ENDED, CNG, CED = 1, 2, 3, 4  # kinds of what is told
FAX_HZ = (1_100.0, 2_100.0)  # ITU-T T.30 §4.3: the calling tone, the called one

_HZ = np.array([697.0, 770.0, 852.0, 941.0, 1_209.0, 1_336.0, 1_477.0, 1_633.0, *FAX_HZ])
_COEFFICIENTS = 2.0 * np.cos(2.0 * np.pi * _HZ / 8_000.0)
_LANES = 10
# event code (RFC 4733) of a pair: row of four columns
_CODES = np.array([1, 2, 3, 12, 4, 5, 6, 13, 7, 8, 9, 14, 10, 0, 11, 15])

_BLOCK = c.TONE_BLOCK
_MASK = c.TONE_SAMPLES - 1
_NOTHING_HERE = -32_768  # no sample is
_REORDER = 320  # samples that a missing packet is waited for
_JUMP = 1_200  # samples: further on (or back) it is another stream
_QUIET_US = 200_000  # without a packet: the press is over
_LONG_BLOCKS = 300

_ENERGY_MIN = 80 * 100.0**2  # -44 dBm0: less is no key
_PAIR = 0.55  # of a block's energy lies in the pair …
_WEAKEST = 0.02  # … and this much of it in the weaker tone
_SILENT, _UNKNOWN = -1, -2  # codes of blocks without a pair, and of those that never came
_MISSES = 3  # blocks without the pair that end a press: a pause of 40 ms always, one of 20 ms never
_UNKNOWN_MAX = 8  # blocks in a row that may be lost within a press

_DEVIATION = 0.025
_STEP = 0.0125
_FINE_HZ = 5.0
_REST = 0.1  # of the energy that the sines leave
_NORMAL_TWIST, _REVERSE_TWIST = 8.9, 3.55  # power ratios: 9.5 and 5.5 dB
_SLICE = 20  # samples: 2.5 ms
_SLICE_REST = 0.4
_BREAK = 5  # slices that a break within a key may touch: 10 ms
_LASTING = 12  # slices that make a key: 30 ms
_KNOWN = 6  # … of which so many were heard
_PERHAPS = 6  # slices that are enough to keep the packet from others
_ECHO_US = 400_000  # a tone that we sent may come back so late

_FAX_SHARE = 0.5
_FAX_LEVEL = 80 * 160.0**2  # -40 dBm0
_CNG_BLOCKS = (38, 62)  # 0.5 s ± 15 %, and the blocks at its edges
_CNG_QUIET = 30  # blocks of the three seconds' pause that must have come
_CED_BLOCKS = 60
_FAX_BLOCKS_MAX = 6_000  # a fax makes itself known within a minute


# --- what a leg listens for -----------------------------------------------------------------------------------
@kernel
def set_mode(p: Plane, row: int, mode: int) -> None:
    """What to listen for from now on (bits), except what is done with on this leg. A leg that finds no free state
    (there is one for every second) listens for nothing."""
    leg = p.legs[row]
    mode &= ~leg[c.TONES_DONE]
    if mode != 0 and leg[c.TONE_EAR] < 0 and p.counters[c.FREE_TONES] > 0:
        p.counters[c.FREE_TONES] -= 1
        leg[c.TONE_EAR] = p.free_tones[p.counters[c.FREE_TONES]]
        for word in range(c.TONE_FIELDS):
            p.tones[leg[c.TONE_EAR], word] = 0
    leg[c.TONES] = mode if leg[c.TONE_EAR] >= 0 else 0


@kernel
def release(p: Plane, row: int) -> None:
    """The leg is over."""
    leg = p.legs[row]
    if leg[c.TONE_EAR] >= 0:
        p.free_tones[p.counters[c.FREE_TONES]] = leg[c.TONE_EAR]
        p.counters[c.FREE_TONES] += 1
    leg[c.TONE_EAR] = -1
    leg[c.TONES] = 0


@kernel
def _done(p: Plane, row: int, what: int) -> None:
    p.legs[row, c.TONES_DONE] |= what
    p.legs[row, c.TONES] &= ~what


@kernel
def give_way(p: Plane, row: int) -> None:
    """An RFC 4733 event has come: the far end tells its keys, and tones beside them are the same presses."""
    ear = p.legs[row, c.TONE_EAR]
    if ear >= 0:
        p.tones[ear, c.TONE_ACTIVE] = 0
        p.tones[ear, c.TONE_CUT] = 0
    _done(p, row, DIGITS_ON)


# --- packets ------------------------------------------------------------------------------------------------
@kernel
def listen(p: Plane, row: int, sequence: int, timestamp: int, ssrc: int, packet: Any, start_at: int, length: int,
           law: int, now_us: int) -> bool:
    """Sound came, `length` samples as bytes in a law. True: a key sounds in it, others should get silence instead.

    What is to be told is fetched by `take_told` afterwards.
    """
    state, ring = p.tones[p.legs[row, c.TONE_EAR]], p.tone_samples[p.legs[row, c.TONE_EAR]]
    ahead = ahead32(timestamp, state[c.TONE_END])
    if state[c.TONE_LIVE] == 0 or state[c.TONE_SSRC] != ssrc or ahead > _JUMP or ahead < -_JUMP:
        _begin(state, sequence, timestamp, ssrc)
        ahead = 0
    state[c.TONE_LAST_US] = now_us
    # between two packets that follow each other nothing was sent
    hole = 0 if sequence == (state[c.TONE_HIGHEST] + 1) & 0xFFFF else _NOTHING_HERE
    for index in range(ahead):
        ring[(state[c.TONE_END] + index) & _MASK] = hole
    for index in range(max(0, -ahead32(timestamp, state[c.TONE_AT])), length):
        ring[(timestamp + index) & _MASK] = max(coding.sample(p, law, packet, start_at, index), _NOTHING_HERE + 1)
    if ahead + length > 0:
        state[c.TONE_END] = (timestamp + length) & 0xFFFFFFFF
    if ahead16(sequence, state[c.TONE_HIGHEST]) > 0:
        state[c.TONE_HIGHEST] = sequence
    cut = state[c.TONE_CUT] == 1 and state[c.TONE_ACTIVE] == 1
    while True:
        waiting = ahead32(state[c.TONE_END], state[c.TONE_AT])
        if waiting < _BLOCK or (waiting < _BLOCK + _REORDER and not _whole(state, ring)):
            break
        _take(p, row, now_us)
        cut = cut or state[c.TONE_CUT] == 1
    return bool(cut)


@kernel
def _begin(state: Any, sequence: int, timestamp: int, ssrc: int) -> None:
    """Another stream, or a pause that ended whatever sounded."""
    _end_press(state)
    state[c.TONE_LIVE] = 1
    state[c.TONE_SSRC] = ssrc
    state[c.TONE_AT] = timestamp
    state[c.TONE_END] = timestamp
    state[c.TONE_HIGHEST] = (sequence - 1) & 0xFFFF
    _forget(state)
    for fax in range(2):
        state[c.TONE_FAX_RUN + fax] = 0
    state[c.TONE_FAX_QUIET] = 0


@kernel
def _forget(state: Any) -> None:
    """No block that has been heard counts any more."""
    for place in range(c.TONE_HISTORY):
        state[c.TONE_CODES + place] = _SILENT
        state[c.TONE_ENERGIES + place] = 0


@kernel
def _whole(state: Any, ring: Any) -> bool:
    """Has every sample of the next block come?"""
    at, missing = state[c.TONE_AT], 0
    for index in range(_BLOCK):
        missing += ring[(at + index) & _MASK] == _NOTHING_HERE
    return bool(missing == 0)


@kernel
def expire(p: Plane, row: int, now_us: int) -> None:
    """Call some times a second: a press whose packets have stopped is over."""
    state = p.tones[p.legs[row, c.TONE_EAR]]
    if state[c.TONE_ACTIVE] == 1 and now_us - state[c.TONE_LAST_US] >= _QUIET_US:
        _end_press(state)
        _forget(state)


# --- what is told -------------------------------------------------------------------------------------------
@kernel
def _tell(state: Any, kind: int, code: int, duration_ms: int) -> None:
    if state[c.TONE_TOLD_COUNT] < c.TONE_TOLD_MAX:
        state[c.TONE_TOLD + state[c.TONE_TOLD_COUNT]] = kind | code << 4 | duration_ms << 8
        state[c.TONE_TOLD_COUNT] += 1


@kernel
def _start_press(state: Any, code: int, samples: int) -> None:
    _end_press(state)
    state[c.TONE_ACTIVE] = 1
    state[c.TONE_CODE] = code
    state[c.TONE_MISSES] = 0
    state[c.TONE_BLOCKS] = samples // _BLOCK
    state[c.TONE_REPORTED] = 0
    _tell(state, STARTED, code, 0)


@kernel
def _end_press(state: Any) -> None:
    if state[c.TONE_ACTIVE] == 1:
        state[c.TONE_ACTIVE] = 0
        if state[c.TONE_REPORTED] == 0:
            _tell(state, ENDED, state[c.TONE_CODE], state[c.TONE_BLOCKS] * 10)


@kernel
def take_told(p: Plane, row: int, place: int) -> tuple[int, int, int]:
    """(kind, event code, ms) of what is to be told at `place`; kind 0 behind the last, and all is forgotten."""
    state = p.tones[p.legs[row, c.TONE_EAR]]
    if place >= state[c.TONE_TOLD_COUNT]:
        state[c.TONE_TOLD_COUNT] = 0
        return 0, 0, 0
    told = state[c.TONE_TOLD + place]
    return told & 15, told >> 4 & 15, told >> 8


# --- blocks ---------------------------------------------------------------------------------------------------
@kernel
def _take(p: Plane, row: int, now_us: int) -> None:
    """Look at the next 10 ms."""
    state, ring, powers = p.tones[p.legs[row, c.TONE_EAR]], p.tone_samples[p.legs[row, c.TONE_EAR]], p.tone_work[0]
    at, energy, known = state[c.TONE_AT], 0.0, 1
    for index in range(_BLOCK):
        sample = ring[(at + index) & _MASK]
        known = 0 if sample == _NOTHING_HERE else known
        energy += float(sample) * float(sample)
    code = _UNKNOWN if known == 0 else _SILENT
    mode = p.legs[row, c.TONES]
    if known == 1 and energy >= _ENERGY_MIN:
        _filter(p, ring, at, powers)
        code = _pair(powers, energy)
    state[c.TONE_AT] = (at + _BLOCK) & 0xFFFFFFFF
    if mode & FAX_ON:
        _fax(p, row, powers, energy, known)
    if mode & DIGITS_ON:
        own = now_us - p.legs[row, c.TONE_SENT_US] < _ECHO_US and p.legs[row, c.TONE_SENT_US] > 0
        if own and code == p.legs[row, c.TONE_SENT]:
            code = _SILENT
        _press(p, row, code, energy)


@kernel
def _filter(p: Plane, ring: Any, at: int, powers: Any) -> None:
    """Goertzel: the squared magnitude of a block at each of the ten frequencies into `powers`."""
    one, two = p.tone_work[1], p.tone_work[2]
    for lane in range(_LANES):
        one[lane] = 0.0
        two[lane] = 0.0
    for index in range(_BLOCK):
        sample = float(ring[(at + index) & _MASK])
        for lane in range(_LANES):
            fresh = sample + _COEFFICIENTS[lane] * one[lane] - two[lane]
            two[lane] = one[lane]
            one[lane] = fresh
    for lane in range(_LANES):
        powers[lane] = one[lane] * one[lane] + two[lane] * two[lane] - _COEFFICIENTS[lane] * one[lane] * two[lane]


@kernel
def _pair(powers: Any, energy: float) -> int:
    """The event code of the pair that may be in a block, or _SILENT."""
    low, high = 0, 4
    for lane in range(1, 4):
        low = lane if powers[lane] > powers[low] else low
        high = lane + 4 if powers[lane + 4] > powers[high] else high
    whole = energy * _BLOCK / 2.0  # what one sine of this energy gives
    if powers[low] + powers[high] < _PAIR * whole or min(powers[low], powers[high]) < _WEAKEST * whole:
        return _SILENT
    return i64(_CODES[4 * low + high - 4])  # type: ignore[no-any-return]


@kernel
def _press(p: Plane, row: int, code: int, energy: float) -> None:
    """What a block means for the press that goes on, or for one that may begin."""
    state = p.tones[p.legs[row, c.TONE_EAR]]
    for place in range(c.TONE_HISTORY - 1, 0, -1):
        state[c.TONE_CODES + place] = state[c.TONE_CODES + place - 1]
        state[c.TONE_ENERGIES + place] = state[c.TONE_ENERGIES + place - 1]
    state[c.TONE_CODES] = code
    state[c.TONE_ENERGIES] = i64(energy)
    active = state[c.TONE_ACTIVE] == 1
    state[c.TONE_CUT] = 1 if active else 0
    if active:
        _go_on(state, code)
    wanted = _candidate(state)
    if code == _UNKNOWN or wanted < 0 or (state[c.TONE_ACTIVE] == 1 and wanted == state[c.TONE_CODE]):
        return
    length = _run(state, wanted)
    if length > 0:
        slices = _fit(p, row, wanted, length, code != wanted)
        if slices >= _LASTING:
            _start_press(state, wanted, slices * _SLICE)
        if slices >= _PERHAPS:
            state[c.TONE_CUT] = 1


@kernel
def _candidate(state: Any) -> int:
    """The key of the newest block that has one, unless two without it came since; -1: none."""
    others = 0
    for place in range(c.TONE_HISTORY):
        found = state[c.TONE_CODES + place]
        others += found == _SILENT
        if found >= 0:
            return found  # type: ignore[no-any-return]
        if others > 2:
            break
    return -1


@kernel
def _go_on(state: Any, code: int) -> None:
    """A block of a press: another one, or one of the misses that end it."""
    if code == state[c.TONE_CODE]:
        state[c.TONE_BLOCKS] += 1 + max(state[c.TONE_MISSES], 0)
        state[c.TONE_MISSES] = 0
        state[c.TONE_UNKNOWNS] = 0
    elif code == _UNKNOWN and state[c.TONE_UNKNOWNS] < _UNKNOWN_MAX:
        state[c.TONE_UNKNOWNS] += 1
    else:
        state[c.TONE_MISSES] += 1
    if state[c.TONE_MISSES] >= _MISSES:
        _end_press(state)
        _forget(state)
    elif state[c.TONE_BLOCKS] >= _LONG_BLOCKS and state[c.TONE_REPORTED] == 0:
        state[c.TONE_REPORTED] = 1
        _tell(state, ENDED, state[c.TONE_CODE], state[c.TONE_BLOCKS] * 10)


@kernel
def _run(state: Any, code: int) -> int:
    """How many of the newest blocks belong to a candidate; 0: too little for one.

    Up to two others may lie within: a break, or blocks at its edges.
    """
    hits = unknown = others = length = 0
    for place in range(c.TONE_HISTORY):
        found = state[c.TONE_CODES + place]
        if found == code:
            hits += 1
            length = place + 1
            others = 0
        elif found == _UNKNOWN:
            unknown += 1
            length = place + 1 if hits > 0 else length
        else:
            others += 1
            if others > 2:
                break
    return length if hits >= 2 or (hits == 1 and unknown > 0) else 0


# --- the fit ------------------------------------------------------------------------------------------------
@kernel
def _fit(p: Plane, row: int, code: int, length: int, over: bool) -> int:
    """For how many slices of 2.5 ms two sines of this key stand in the newest `length` blocks and the one before
    them; 0: they don't. Once it is `over`, lost slices beside those count, too: before, waiting tells more."""
    count = (min(length, c.TONE_HISTORY - 1) + 1) * _BLOCK
    _gather(p, row, code, count)
    place = 0
    for index in range(16):
        place = index if _CODES[index] == code else place
    low, high = _HZ[place >> 2], _HZ[4 + (place & 3)]
    gaps = 0
    for index in range(count):
        gaps += p.tone_work[2, index] < 0.0
    low_hz = _search(p, count, low, high, True, gaps > 0)
    high_hz = _search(p, count, low_hz, high, False, gaps > 0)
    low_hz = _refine(p, count, low_hz, high_hz, True)
    high_hz = _refine(p, count, low_hz, high_hz, False)
    if abs(low_hz - low) > _DEVIATION * low or abs(high_hz - high) > _DEVIATION * high:
        return 0
    rest = _solve(p, count, low_hz, high_hz)
    weights = p.tone_work[1]
    energy = 1e-9
    for index in range(count):
        energy += weights[index] * p.tone_work[0, index] ** 2
    # at the edges of the key its sines meet silence: judged below, slice by slice
    if rest > 3.0 * _REST * energy:
        return 0
    lasting = _slices(p, count, low_hz, high_hz, True, over)
    if lasting < _PERHAPS or _solve(p, count, low_hz, high_hz) > _REST * _weighed(p, count):
        return 0
    answer = p.tone_work[5]
    low_power, high_power = answer[0] ** 2 + answer[1] ** 2, answer[2] ** 2 + answer[3] ** 2
    if low_power > _NORMAL_TWIST * high_power or high_power > _REVERSE_TWIST * low_power:
        return 0
    return _slices(p, count, low_hz, high_hz, False, over)


@kernel
def _gather(p: Plane, row: int, code: int, count: int) -> None:
    """The newest `count` samples into work row 0; row 1 weighs them: 1 in the candidate's own loud blocks, else 0.
    A sample that never came is -1 in row 2."""
    state, ring = p.tones[p.legs[row, c.TONE_EAR]], p.tone_samples[p.legs[row, c.TONE_EAR]]
    samples, weights, known = p.tone_work[0], p.tone_work[1], p.tone_work[2]
    loudest = 0
    for place in range(c.TONE_HISTORY):
        if state[c.TONE_CODES + place] == code:
            loudest = max(loudest, state[c.TONE_ENERGIES + place])
    for index in range(count):
        sample = ring[(state[c.TONE_AT] - count + index) & _MASK]
        place = (count - 1 - index) // _BLOCK
        own = state[c.TONE_CODES + place] == code and 2 * state[c.TONE_ENERGIES + place] >= loudest
        known[index] = -1.0 if sample == _NOTHING_HERE else 1.0
        samples[index] = 0.0 if sample == _NOTHING_HERE else float(sample)
        weights[index] = 1.0 if own and sample != _NOTHING_HERE else 0.0


@kernel
def _weighed(p: Plane, count: int) -> float:
    energy = 1e-9
    for index in range(count):
        energy += p.tone_work[1, index] * p.tone_work[0, index] ** 2
    return energy


@kernel
def _search(p: Plane, count: int, low: float, high: float, of_low: bool, gaps: bool) -> float:
    """The frequency of one of the two sines that leaves least: five places, and a parabola.

    Around a gap several frequencies fit, one of them best: it is looked for further out and more closely.
    """
    rests, centre = p.tone_work[6], low if of_low else high
    places = 17 if gaps else 5
    step = (0.5 * _STEP if gaps else _STEP) * centre
    best = 0
    for place in range(places):
        hz = centre + (place - places // 2) * step
        rests[place] = _solve(p, count, hz if of_low else low, high if of_low else hz)
        best = place if rests[place] < rests[best] else best
    inner = min(max(best, 1), places - 2)
    return centre + (inner - places // 2 + _vertex(rests[inner - 1], rests[inner], rests[inner + 1])) * step


@kernel
def _refine(p: Plane, count: int, low: float, high: float, of_low: bool) -> float:
    rests, centre = p.tone_work[6], low if of_low else high
    for place in range(3):
        hz = centre + (place - 1) * _FINE_HZ
        rests[place] = _solve(p, count, hz if of_low else low, high if of_low else hz)
    return centre + _vertex(rests[0], rests[1], rests[2]) * _FINE_HZ


@kernel
def _vertex(before: float, here: float, after: float) -> float:
    """Where a parabola through three neighbours is lowest, at most two places aside."""
    bend = before - 2.0 * here + after
    if bend <= 1e-9:
        return 0.0 if before == after else (-1.0 if before < after else 1.0)
    return min(max((before - after) / (2.0 * bend), -2.0), 2.0)


@kernel
def _solve(p: Plane, count: int, low: float, high: float) -> float:
    """Least squares of two sines over the weighed samples: the energy that is left; amplitudes into work row 5."""
    samples, weights = p.tone_work[0], p.tone_work[1]
    wave, sums, answer = p.tone_work[3], p.tone_work[4], p.tone_work[5]
    for place in range(20):
        sums[place] = 0.0
    energy = 0.0
    turns = p.tone_work[7]
    turns[0], turns[1] = math.cos(2.0 * math.pi * low / 8_000.0), math.sin(2.0 * math.pi * low / 8_000.0)
    turns[2], turns[3] = math.cos(2.0 * math.pi * high / 8_000.0), math.sin(2.0 * math.pi * high / 8_000.0)
    wave[0], wave[1], wave[2], wave[3] = 1.0, 0.0, 1.0, 0.0
    for index in range(count):
        if weights[index] > 0.0:
            sample = samples[index]
            energy += sample * sample
            for one in range(4):
                sums[16 + one] += sample * wave[one]
                for other in range(one, 4):
                    sums[4 * one + other] += wave[one] * wave[other]
        for tone in range(0, 4, 2):
            cosine, sine = wave[tone], wave[tone + 1]
            wave[tone] = cosine * turns[tone] - sine * turns[tone + 1]
            wave[tone + 1] = sine * turns[tone] + cosine * turns[tone + 1]
    return energy - _eliminate(sums, answer)


@kernel
def _eliminate(sums: Any, answer: Any) -> float:
    """Solve the four normal equations (upper triangle in sums[0:16], right side in sums[16:20]) by Cholesky's way;
    returns the energy that the answer explains."""
    for one in range(4):
        answer[4 + one] = sums[16 + one]
    for one in range(4):
        pivot = max(sums[5 * one], 1e-9)
        for other in range(one + 1, 4):
            factor = sums[4 * one + other] / pivot
            for place in range(other, 4):
                sums[4 * other + place] -= factor * sums[4 * one + place]
            answer[4 + other] -= factor * answer[4 + one]
    explained = 0.0
    for back in range(4):
        one = 3 - back
        total = answer[4 + one]
        for other in range(one + 1, 4):
            total -= sums[4 * one + other] * answer[other]
        answer[one] = total / max(sums[5 * one], 1e-9)
        explained += answer[one] * sums[16 + one]
    return explained


@kernel
def _slices(p: Plane, count: int, low: float, high: float, weigh: bool, lost_too: bool) -> int:
    """The longest stretch of slices in which the solved sines stand: how many slices were heard, with `lost_too`
    lost ones beside them when _KNOWN were. `weigh`: weigh just these slices' samples for the next solution."""
    samples, weights, known = p.tone_work[0], p.tone_work[1], p.tone_work[2]
    answer, wave, turns = p.tone_work[5], p.tone_work[3], p.tone_work[7]
    turns[0], turns[1] = math.cos(2.0 * math.pi * low / 8_000.0), math.sin(2.0 * math.pi * low / 8_000.0)
    turns[2], turns[3] = math.cos(2.0 * math.pi * high / 8_000.0), math.sin(2.0 * math.pi * high / 8_000.0)
    wave[0], wave[1], wave[2], wave[3] = 1.0, 0.0, 1.0, 0.0
    best = heard = lost = broken = lost_before = 0
    for first in range(0, count, _SLICE):
        model = rest = 0.0
        came = 1
        for index in range(first, first + _SLICE):
            sines = 0.0
            for one in range(4):
                sines += answer[one] * wave[one]
            came = 0 if known[index] < 0.0 else came
            model += sines * sines
            rest += (samples[index] - sines) ** 2
            for tone in range(0, 4, 2):
                cosine, sine = wave[tone], wave[tone + 1]
                wave[tone] = cosine * turns[tone] - sine * turns[tone + 1]
                wave[tone + 1] = sine * turns[tone] + cosine * turns[tone + 1]
        stands = came == 1 and rest <= _SLICE_REST * model
        if weigh:
            for index in range(first, first + _SLICE):
                weights[index] = 1.0 if stands else 0.0
        if stands:
            lost += lost_before
            heard += 1
            lost_before = broken = 0
        elif came == 0:
            lost_before += 1 if broken <= 1 or heard == 0 else 0
        else:
            broken += 1
            lost_before = 0 if heard == 0 else lost_before
            if broken > _BREAK:
                heard = lost = lost_before = broken = 0
        length = heard + lost + lost_before if lost_too and heard >= _KNOWN else heard
        best = max(best, length)
    return best


# --- fax ------------------------------------------------------------------------------------------------------
@kernel
def _fax(p: Plane, row: int, powers: Any, energy: float, known: int) -> None:
    """The calling tone is told in the pause behind it, the called one while it sounds; lost blocks count for it."""
    state = p.tones[p.legs[row, c.TONE_EAR]]
    state[c.TONE_FAX_BLOCKS] += 1
    whole = energy * _BLOCK / 2.0
    loud = known == 1 and energy >= _FAX_LEVEL
    if state[c.TONE_FAX_QUIET] > 0:
        quiet = known == 0 or 10.0 * energy < float(state[c.TONE_FAX_ENERGY])
        state[c.TONE_FAX_QUIET] = state[c.TONE_FAX_QUIET] + 1 if quiet else 0
        if state[c.TONE_FAX_QUIET] > _CNG_QUIET:
            _tell_fax(p, row, CNG)
            return
    for fax in range(2):
        run, misses = state[c.TONE_FAX_RUN + fax], state[c.TONE_FAX_MISSES + fax]
        if loud and powers[8 + fax] >= _FAX_SHARE * whole:
            run, misses = run + 1 + misses, 0
            if fax == 0:
                state[c.TONE_FAX_ENERGY] = i64(energy)
        elif run > 0 and known == 1:
            misses += 1
        if misses >= _MISSES:
            if fax == 0 and _CNG_BLOCKS[0] <= run <= _CNG_BLOCKS[1]:
                state[c.TONE_FAX_QUIET] = 1
            run = misses = 0
        state[c.TONE_FAX_RUN + fax], state[c.TONE_FAX_MISSES + fax] = run, misses
    if state[c.TONE_FAX_RUN + 1] >= _CED_BLOCKS:
        _tell_fax(p, row, CED)
    elif state[c.TONE_FAX_BLOCKS] >= _FAX_BLOCKS_MAX:
        _done(p, row, FAX_ON)


@kernel
def _tell_fax(p: Plane, row: int, kind: int) -> None:
    _done(p, row, FAX_ON)
    _tell(p.tones[p.legs[row, c.TONE_EAR]], kind, 0, 0)

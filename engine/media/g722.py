"""G.722 at 64 kbit/s: 16 kHz speech in two bands of ADPCM, an octet for each pair of samples (ITU-T G.722, 11/88).

The lower band (0–4 kHz) is coded with six bits, the higher one with two; both predict from two poles and six zeros
and adapt their step logarithmically. The quadrature mirror filters between the bands and 16 kHz cost as much as one
band, so a narrowband user of the codec leaves them out: the lower band, sampled at 8 kHz and halved, *is* what a
telephone line carries. Bit-exact: `tests/interop/test_codecs.py` holds it against spandsp's.

A coder's or decoder's state is a row of FIELDS int64 words; `reset` makes it the Recommendation's. Coder and decoder
adapt alike: who has decoded what a far end decoded may go on coding from that state.
RTP names it with a clock of 8,000 Hz by mistake, for ever (RFC 3551 §4.5.2): 160 octets are 20 ms and 160 ticks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.jit import i64, kernel

Samples = npt.NDArray[np.int16]

# --- a band: words from LOWER or HIGHER on --------------------------------------------------------------
(
    _PREDICTED,  # s: what the next sample is expected to be
    _ZEROS,  # sz: the zeros' part of it
    _RECONSTRUCTED,  # the last two
    _RECONSTRUCTED_2,
    _PARTIAL,  # p: reconstructed without the poles, the last two
    _PARTIAL_2,
    _POLE,  # a1, a2
    _POLE_2,
    _LOG_STEP,  # nb
    _STEP,  # det
    _DIFFERENCES,  # d: the last six …
) = range(11)
_WEIGHTS = _DIFFERENCES + 6  # … and b: the zeros' coefficients
_BAND = _WEIGHTS + 6
LOWER, HIGHER, _HISTORY = 0, _BAND, 2 * _BAND
_TAPS = 24
FIELDS = _HISTORY + _TAPS + 2

# --- tables (G.722 tables 7 to 14 …) ------------------------------------------------------------------------
# Decision levels of the lower band's quantiser, in units of the step / 4096: table 14.
_LEVELS = np.array([
    35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219, 1339,
    1458, 1612, 1765, 1980, 2195, 2557, 2919,
], np.int64)  # fmt: skip
# What a code stands for, by its interval: of six bits and of the four that the predictor sees (tables 9 and 7).
_SIX = (
    136, 432, 728, 1040, 1360, 1688, 2032, 2400, 2776, 3168, 3576, 4008, 4464, 4944, 5456, 6000, 6576, 7192, 7856, 8576,
    9360, 10232, 11192, 12280, 13512, 14984, 16704, 19008, 21904, 24808,
)  # fmt: skip
_FOUR = (1200, 2584, 4240, 6288, 8968, 12896, 20456)
_GAIN_LOWER = (-60, -30, 58, 172, 334, 538, 1198, 3042)  # of the logarithmic step, by interval
_NEAR, _FAR = 1616, 7408  # the higher band's two magnitudes
_GAIN_NEAR, _GAIN_FAR = -214, 798
_DECISION_HIGHER = 564
_LOG_LOWER_MAX, _LOG_HIGHER_MAX = 18_432, 22_528
# The quadrature mirror filter's first half (table 11); the second mirrors it.
_MIRROR = np.array([3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11], np.int64)


def _six_bits() -> npt.NDArray[np.int64]:
    """Of each lower-band code: codes below 4 are not sent (transmission errors read as −136), then magnitudes fall."""
    codes = np.full(64, -_SIX[0], np.int64)
    for interval, magnitude in enumerate(_SIX):
        codes[61 - interval] = magnitude
        if interval >= 2:
            codes[33 - interval] = -magnitude
    codes[63], codes[62] = -_SIX[0], -_SIX[1]
    return codes


def _four_bits() -> npt.NDArray[np.int64]:
    codes = np.zeros(16, np.int64)
    for interval, magnitude in enumerate(_FOUR):
        codes[14 - interval] = magnitude
        codes[7 - interval] = -magnitude
    return codes


def _gains() -> npt.NDArray[np.int64]:
    """Of each four-bit code: how the logarithmic step changes."""
    gains = np.zeros(16, np.int64)
    for interval in range(8):
        if interval > 0:
            gains[15 - interval] = _GAIN_LOWER[interval]
            gains[8 - interval] = _GAIN_LOWER[interval]
        else:
            gains[15] = gains[0] = _GAIN_LOWER[0]
    return gains


_SIX_BITS, _FOUR_BITS, _GAINS = _six_bits(), _four_bits(), _gains()
_POWERS = np.rint(2_048 * 2 ** (np.arange(32) / 32)).astype(np.int64)  # of 2, in 32nds: table 12


@kernel
def reset(state: Any) -> None:
    """The state that both ends begin with."""
    for word in range(FIELDS):
        state[word] = 0
    state[LOWER + _STEP] = 32
    state[HIGHER + _STEP] = 8


@kernel
def reset_higher(state: Any) -> None:
    """The higher band and the mirror filter as at the beginning: they have missed something."""
    for word in range(HIGHER, FIELDS):
        state[word] = 0
    state[HIGHER + _STEP] = 8


@kernel
def _clip(number: int) -> int:
    return min(max(number, -32_768), 32_767)


@kernel
def _adapt(state: Any, at: int, difference: int) -> None:
    """Bring a band's predictor (BLOCK 4) up to the sample whose quantised difference this is."""
    zeros, partial_1 = state[at + _ZEROS], state[at + _PARTIAL]
    reconstructed = _clip(state[at + _PREDICTED] + difference)
    partial = _clip(zeros + difference)
    pole, pole_2 = state[at + _POLE], state[at + _POLE_2]
    alike = (partial ^ partial_1) >= 0
    lean = _clip(4 * pole)
    lean = min(-lean, 32_767) if alike else lean
    second = (128 if (partial ^ state[at + _PARTIAL_2]) >= 0 else -128) + (lean >> 7) + (pole_2 * 32_512 >> 15)
    second = min(max(second, -12_288), 12_288)
    first = _clip((192 if alike else -192) + (pole * 32_640 >> 15))
    bound = 15_360 - second
    first = min(max(first, -bound), bound)
    state[at + _POLE], state[at + _POLE_2] = first, second
    state[at + _PARTIAL], state[at + _PARTIAL_2] = partial, partial_1
    poles = (first * _clip(2 * reconstructed) >> 15) + (second * _clip(2 * state[at + _RECONSTRUCTED]) >> 15)
    state[at + _RECONSTRUCTED_2] = state[at + _RECONSTRUCTED]
    state[at + _RECONSTRUCTED] = reconstructed
    push = 128 if difference != 0 else 0
    total, newer = 0, difference
    for index in range(6):
        older = state[at + _DIFFERENCES + index]
        weight = state[at + _WEIGHTS + index]
        weight = _clip((weight * 32_640 >> 15) + (push if (older ^ difference) >= 0 else -push))
        state[at + _WEIGHTS + index] = weight
        state[at + _DIFFERENCES + index] = newer
        total += weight * _clip(2 * newer) >> 15
        newer = older
    zeros = _clip(total)
    state[at + _ZEROS] = zeros
    state[at + _PREDICTED] = _clip(_clip(poles) + zeros)


@kernel
def _rescale(state: Any, at: int, gain: int, log_max: int, shift: int) -> None:
    """Adapt a band's step to the code just used (BLOCK 3)."""
    log = (state[at + _LOG_STEP] * 127 >> 7) + gain
    log = min(max(log, 0), log_max)
    state[at + _LOG_STEP] = log
    down = shift - (log >> 11)
    power = _POWERS[(log >> 6) & 31]
    state[at + _STEP] = (power >> down if down >= 0 else power << -down) << 2


@kernel
def _lower(state: Any, code: int) -> None:
    """What coder and decoder do alike with a lower band's four bits."""
    difference = state[LOWER + _STEP] * _FOUR_BITS[code] >> 15
    _rescale(state, LOWER, _GAINS[code], _LOG_LOWER_MAX, 8)
    _adapt(state, LOWER, difference)


@kernel
def _higher(state: Any, code: int) -> int:
    """What coder and decoder do alike with a higher band's two bits; returns the quantised difference."""
    far = code & 1 == 0
    magnitude = _FAR if far else _NEAR
    difference = state[HIGHER + _STEP] * (magnitude if code & 2 else -magnitude) >> 15
    _rescale(state, HIGHER, _GAIN_FAR if far else _GAIN_NEAR, _LOG_HIGHER_MAX, 10)
    _adapt(state, HIGHER, difference)
    return difference  # type: ignore[no-any-return]


# --- one octet ----------------------------------------------------------------------------------------------
@kernel
def encode_pair(state: Any, low: int, high: int) -> int:
    """The octet of one sample in each band (15 bits each: half of what a 16-bit sample of the band would be)."""
    error = _clip(low - state[LOWER + _PREDICTED])
    wanted = error if error >= 0 else -(error + 1)
    step = state[LOWER + _STEP]
    first, last = 0, 29  # the first interval whose upper level lies above
    while first < last:
        middle = (first + last) >> 1
        if wanted < _LEVELS[middle] * step >> 12:
            last = middle
        else:
            first = middle + 1
    code = 61 - first if error >= 0 else 63 - first if first < 2 else 33 - first
    _lower(state, code >> 2)
    error = _clip(high - state[HIGHER + _PREDICTED])
    wanted = error if error >= 0 else -(error + 1)
    far = wanted >= _DECISION_HIGHER * state[HIGHER + _STEP] >> 12
    above = (2 if far else 3) if error >= 0 else (0 if far else 1)
    _higher(state, above)
    return above << 6 | code


@kernel
def decode_lower(state: Any, octet: int) -> int:
    """The lower band's sample of one octet, 15 bits. Leaves the higher band where it was."""
    low = state[LOWER + _PREDICTED] + (state[LOWER + _STEP] * _SIX_BITS[octet & 63] >> 15)
    _lower(state, octet >> 2 & 15)
    return min(max(low, -16_384), 16_383)  # type: ignore[no-any-return]


@kernel
def decode_higher(state: Any, octet: int) -> int:
    """The higher band's sample of one octet, 15 bits."""
    predicted = state[HIGHER + _PREDICTED]
    return min(max(predicted + _higher(state, octet >> 6), -16_384), 16_383)  # type: ignore[no-any-return]


@kernel
def split(state: Any, samples: Any, first: int) -> tuple[int, int]:
    """Two samples at 16 kHz, samples[first:first + 2], as one of each band (the transmit mirror filter)."""
    at = _HISTORY
    for index in range(_TAPS - 2):
        state[at + index] = state[at + index + 2]
    state[at + _TAPS - 2], state[at + _TAPS - 1] = i64(samples[first]), i64(samples[first + 1])
    odd, even = 0, 0
    for tap in range(_TAPS // 2):
        odd += state[at + 2 * tap] * _MIRROR[tap]
        even += state[at + 2 * tap + 1] * _MIRROR[_TAPS // 2 - 1 - tap]
    return (even + odd) >> 14, (even - odd) >> 14


@kernel
def join(state: Any, low: int, high: int, target: Any, first: int) -> None:
    """One sample of each band as two at 16 kHz, target[first:first + 2] (the receive mirror filter)."""
    at = _HISTORY
    for index in range(_TAPS - 2):
        state[at + index] = state[at + index + 2]
    state[at + _TAPS - 2], state[at + _TAPS - 1] = low + high, low - high
    earlier, later = 0, 0
    for tap in range(_TAPS // 2):
        later += state[at + 2 * tap] * _MIRROR[tap]
        earlier += state[at + 2 * tap + 1] * _MIRROR[_TAPS // 2 - 1 - tap]
    target[first], target[first + 1] = _clip(earlier >> 11), _clip(later >> 11)


# --- whole frames, at 16 kHz ---------------------------------------------------------------------------------
@kernel
def encode(state: Any, samples: Any, target: Any) -> None:
    """Code int16 samples at 16 kHz into half as many octets. A narrowband user gives bands to `encode_pair` itself."""
    for place in range(samples.shape[0] // 2):
        low, high = split(state, samples, 2 * place)
        target[place] = encode_pair(state, low, high)


@kernel
def decode(state: Any, octets: Any, target: Any) -> None:
    """Decode octets into twice as many int16 samples at 16 kHz."""
    for place in range(octets.shape[0]):
        octet = i64(octets[place])
        low = decode_lower(state, octet)
        join(state, low, decode_higher(state, octet), target, 2 * place)


def fresh() -> npt.NDArray[np.int64]:
    """A state to begin with."""
    state = np.zeros(FIELDS, np.int64)
    reset(state)
    return state


def encoded(samples: Samples) -> bytes:
    """A whole recording at 16 kHz, from a fresh state."""
    target = np.zeros(samples.size // 2, np.uint8)
    encode(fresh(), samples, target)
    return target.tobytes()


def decoded(octets: bytes) -> Samples:
    """The 16 kHz samples of octets, from a fresh state."""
    target = np.zeros(2 * len(octets), np.int16)
    decode(fresh(), np.frombuffer(octets, np.uint8).copy(), target)
    return target

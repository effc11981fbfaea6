"""The prompt's own echo, taken out of what the caller says.

An analogue gateway sends part of what it plays back to us: 10 to 30 dB weaker, 20 to 300 ms late, smeared over some
milliseconds by its hybrid. What was sent is known, so the echo is found by correlation (its delay) and least squares
(its shape, `TAPS` samples long). A first guess must explain nearly all of what came, and be weaker than what was sent:
two voices of like pitch resemble each other, too. Once it has done so for a while it is trusted: then it is subtracted
whatever else is heard, learns only while nobody talks over the prompt, and what it leaves is the caller. Where nothing
was sent, or nothing loud is heard, nothing is computed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.jit import kernel
from engine.speech.ports import FRAME_SAMPLES

TAPS = 48  # 6 ms
DELAY_SAMPLES_MAX = 3_200  # 400 ms
_LEAD = 8  # taps before the strongest
_WINDOW = 480  # samples in which an unknown delay is looked for
_HISTORY = DELAY_SAMPLES_MAX + _WINDOW + TAPS + FRAME_SAMPLES
_KEEP_NEW, _KEEP = 0.8, 0.95  # of what earlier frames said of the echo's shape, per frame: before it is trusted, after
_ALIKE = 0.12  # share of the power that one delay must explain to be worth a filter
_GUESS = 0.2  # share of the power that a first guess may leave …
_ALONE = 0.5  # … and a trusted filter, while nobody talks over the prompt
_WELL = 0.05  # who leaves no more needs not learn
_WEAKER = 0.3  # of the power sent: no echo is louder
_TRUSTED = 8  # frames
_MOVED = 16  # samples by which an echo must have moved to have moved …
_MOVED_FRAMES = 3  # … and in how many frames in a row it must be seen there
_QUIET = 33.0  # root mean square, -60 dBFS: nothing was sent
_STIFF = 1e-3  # of the sent power, added to every tap's own: no filter out of nothing

Frame = npt.NDArray[np.float64]
DELAY, TRUST, ECHO_DBFS, ELSEWHERE, SEEN_THERE = range(5)  # words of `state`
_SILENT_DBFS = -100.0


class EchoFilter:
    """One line's. `hear` takes 20 ms of both sides (int16[160]); times between must not be left out."""

    def __init__(self) -> None:
        self._sent = np.zeros(_HISTORY)
        self._said = np.zeros(_WINDOW)
        self._state = np.array([-1.0, 0.0, _SILENT_DBFS, -1.0, 0.0])
        # of a filter: the sent side's own correlation by [tap, tap], the correlation with the said side; the factor of
        # these equations, the taps. The second is a guess beside one that is trusted.
        self._shapes = np.zeros((2, TAPS + 1, TAPS))
        self._factors = np.zeros((2, TAPS + 1, TAPS))
        self._alike = np.zeros((3, _HISTORY), np.float32)
        self._rest = np.zeros(FRAME_SAMPLES)
        self._since_sent = _HISTORY

    @property
    def delay_ms(self) -> int:
        """Of the echo that is known, against what lay beside it; -1 for none."""
        return int(self._state[DELAY]) // 8 if self._state[DELAY] >= 0 else -1

    @property
    def echo_dbfs(self) -> float:
        """How loud the echo in the last frame was; -100 for none."""
        return float(self._state[ECHO_DBFS])

    def hear(self, said: npt.NDArray[np.int16], sent: npt.NDArray[np.int16], *, loud: bool = True) -> Frame | None:
        """What is left of `said` (float64[160], overwritten by the next call); None when there was no echo in it.

        `loud`: the frame stands out from the line's noise. Otherwise it is only remembered.
        """
        self._since_sent = 0 if sent.any() else self._since_sent + FRAME_SAMPLES
        take_in(self._sent, self._said, self._state, said, sent)
        if not loud or self._since_sent >= _HISTORY:
            return None
        found = cancel(self._sent, self._said, self._state, self._shapes, self._factors, self._alike, self._rest)
        return self._rest if found else None


@kernel
def take_in(sent: Any, said: Any, state: Any, new_said: Any, new_sent: Any) -> None:
    """A frame of both sides into the histories."""
    _append(sent, new_sent)
    _append(said, new_said)
    state[ECHO_DBFS] = _SILENT_DBFS


@kernel
def cancel(sent: Any, said: Any, state: Any, shapes: Any, factors: Any, alike: Any, rest: Any) -> bool:
    """`EchoFilter.hear` over its arrays; True when `rest` holds what is left of the newest frame."""
    if _rms(sent) < _QUIET:
        return False
    if state[TRUST] >= _TRUSTED:
        return _follow(sent, said, state, shapes, factors, alike, rest)
    if state[DELAY] >= 0:
        _add_frame(sent, said, int(state[DELAY]), shapes[0], FRAME_SAMPLES, _KEEP_NEW)
        if _solve(shapes[0], factors[0]) and _credible(sent, said, state, factors[0, TAPS], rest):
            state[TRUST] += 1.0
            return True
    return _guess(sent, said, state, shapes[0], factors[0], alike, rest)


@kernel
def _follow(sent: Any, said: Any, state: Any, shapes: Any, factors: Any, alike: Any, rest: Any) -> bool:
    """A frame against a filter that is trusted."""
    taps = factors[0, TAPS]
    left, echo, _ = _subtract(sent, said, int(state[DELAY]), taps, rest, FRAME_SAMPLES)
    if left < _ALONE:
        if left > _WELL:
            _add_frame(sent, said, int(state[DELAY]), shapes[0], FRAME_SAMPLES, _KEEP)
            if _solve(shapes[0], factors[0]):
                _, echo, _ = _subtract(sent, said, int(state[DELAY]), taps, rest, FRAME_SAMPLES)
    else:  # somebody talks over the prompt, or the echo has moved
        known = state[DELAY]
        found = _guess(sent, said, state, shapes[1], factors[1], alike, rest)
        moved = found and abs(state[DELAY] - known) > _MOVED
        again = moved and abs(state[DELAY] - state[ELSEWHERE]) <= _MOVED
        state[SEEN_THERE] = state[SEEN_THERE] + 1.0 if again else 1.0 if moved else 0.0
        state[ELSEWHERE] = state[DELAY]
        if state[SEEN_THERE] >= _MOVED_FRAMES:
            for row in range(TAPS + 1):
                for column in range(TAPS):
                    shapes[0, row, column] = shapes[1, row, column]
                    factors[0, row, column] = factors[1, row, column]
            return True
        state[DELAY], state[TRUST] = known, float(_TRUSTED)
        _, echo, _ = _subtract(sent, said, int(known), taps, rest, FRAME_SAMPLES)
    _say_level(said, state, echo)
    return True


@kernel
def _guess(sent: Any, said: Any, state: Any, shape: Any, factor: Any, alike: Any, rest: Any) -> bool:
    """Look for an echo of any delay; True when one was found that is credible."""
    state[TRUST] = 0.0
    state[DELAY] = float(_find_delay(sent, said, alike))
    if state[DELAY] < 0:
        return False
    _add_frame(sent, said, int(state[DELAY]), shape, _WINDOW, 0.0)
    if _solve(shape, factor) and _credible(sent, said, state, factor[TAPS], rest):
        state[TRUST] = 1.0
        return True
    state[DELAY] = -1.0
    return False


@kernel
def _credible(sent: Any, said: Any, state: Any, taps: Any, rest: Any) -> bool:
    """Does a filter that isn't trusted yet explain nearly all that came last, as something weaker than was sent?"""
    left, echo, gain = 0.0, 0.0, 0.0
    for count in (_WINDOW, FRAME_SAMPLES):
        left, echo, gain = _subtract(sent, said, int(state[DELAY]), taps, rest, count)
        if left > _GUESS or gain > _WEAKER:
            return False
    _say_level(said, state, echo)
    return True


@kernel
def _say_level(said: Any, state: Any, share: float) -> None:
    """ECHO_DBFS, of an echo that has this share of the newest frame's power."""
    total = 1e-6
    for index in range(said.shape[0] - FRAME_SAMPLES, said.shape[0]):
        total += said[index] * said[index]
    power = total * share / FRAME_SAMPLES / (32_768.0 * 32_768.0)
    state[ECHO_DBFS] = 10.0 * math.log10(power) if power > 1e-10 else _SILENT_DBFS


@kernel
def _append(history: Any, frame: Any) -> None:
    size, count = history.shape[0], frame.shape[0]
    for index in range(size - count):
        history[index] = history[index + count]
    for index in range(count):
        history[size - count + index] = float(frame[index])


@kernel
def _rms(history: Any) -> float:
    total = 0.0
    for index in range(history.shape[0]):
        total += history[index] * history[index]
    return math.sqrt(total / history.shape[0])


@kernel
def _find_delay(sent: Any, said: Any, alike: Any) -> int:
    """The delay at which the sent side resembles the newest _WINDOW samples best; -1 when none does.

    Differences of neighbours instead of samples: else the low vowels of two talkers would resemble each other.
    """
    ours, far, scores = alike[0], alike[1], alike[2]
    delays = DELAY_SAMPLES_MAX
    first = sent.shape[0] - _WINDOW - delays  # of the samples that the longest delay needs
    for index in range(_WINDOW + delays):
        far[index] = np.float32(sent[first + index] - sent[first + index - 1])
    power = np.float32(1.0)
    for index in range(1, _WINDOW):
        ours[index] = np.float32(said[index] - said[index - 1])
        power += ours[index] * ours[index]
    for place in range(delays + 1):
        scores[place] = np.float32(0.0)
    for index in range(1, _WINDOW):  # in this order the inner loop is one that processors do eight at a time
        value = ours[index]
        for place in range(delays + 1):
            scores[place] += value * far[place + index]
    window = 1.0
    for index in range(1, _WINDOW):
        window += far[index] * far[index]
    best, best_place = 0.0, -1
    for place in range(delays + 1):
        if scores[place] != 0.0 and window > 1.0:
            share = float(scores[place]) * float(scores[place]) / (float(power) * window)
            if share > best:
                best, best_place = share, place
        if place < delays:
            window += far[place + _WINDOW] * far[place + _WINDOW] - far[place + 1] * far[place + 1]
            window = max(window, 1.0)
    if best < _ALIKE:
        return -1
    return delays - best_place


@kernel
def _add_frame(sent: Any, said: Any, delay: int, shape: Any, count: int, keep: float) -> None:
    """Take the newest `count` samples into the normal equations of the filter at this delay."""
    end = sent.shape[0] - delay + _LEAD  # behind the sent sample of the first tap for the newest said one
    if end > sent.shape[0]:
        end = sent.shape[0]
    begin = end - count
    for row in range(TAPS + 1):
        for column in range(TAPS):
            shape[row, column] *= keep
    for column in range(TAPS):
        total, crossed = 0.0, 0.0
        for index in range(begin, end):
            total += sent[index] * sent[index - column]
        for index in range(count):
            crossed += said[said.shape[0] - count + index] * sent[begin + index - column]
        shape[TAPS, column] += crossed
        # each further diagonal place differs from the one before by a sample that enters and one that leaves
        for row in range(TAPS - column):
            shape[row, row + column] += total
            total += sent[begin - 1 - row] * sent[begin - 1 - row - column]
            total -= sent[end - 1 - row] * sent[end - 1 - row - column]


@kernel
def _subtract(sent: Any, said: Any, delay: int, taps: Any, rest: Any, count: int) -> tuple[float, float, float]:
    """Take what the filter makes of what was sent out of the newest `count` samples, their last frame into `rest`:
    (share of their power that is left, that the echo has; power of the echo over that sent)."""
    end = min(sent.shape[0] - delay + _LEAD, sent.shape[0])
    begin, first = end - count, said.shape[0] - count
    before, after, echo, source = 1.0, 0.0, 0.0, 1.0
    for index in range(count):
        explained = 0.0
        for tap in range(TAPS):
            explained += taps[tap] * sent[begin + index - tap]
        sample = said[first + index]
        remains = sample - explained
        rest[max(0, index - count + FRAME_SAMPLES)] = remains
        before += sample * sample
        after += remains * remains
        echo += explained * explained
        source += sent[begin + index - _LEAD] * sent[begin + index - _LEAD]
    return after / before, echo / before, echo / source


@kernel
def _solve(shape: Any, factor: Any) -> bool:
    """The filter's taps into factor[TAPS], by Cholesky's way; False when nothing was sent."""
    ridge = shape[0, 0] * _STIFF + 1.0
    if shape[0, 0] < FRAME_SAMPLES:
        return False
    for row in range(TAPS):
        for column in range(row + 1):
            total = shape[column, row]
            if row == column:
                total += ridge
            for index in range(column):
                total -= factor[row, index] * factor[column, index]
            if row == column:
                if total <= 0.0:
                    return False
                factor[row, row] = math.sqrt(total)
            else:
                factor[row, column] = total / factor[column, column]
    taps = factor[TAPS]
    for row in range(TAPS):
        total = shape[TAPS, row]
        for index in range(row):
            total -= factor[row, index] * taps[index]
        taps[row] = total / factor[row, row]
    for row in range(TAPS - 1, -1, -1):
        total = taps[row]
        for index in range(row + 1, TAPS):
            total -= factor[index, row] * taps[index]
        taps[row] = total / factor[row, row]
    return True

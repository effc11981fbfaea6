"""The prompt's own echo, taken out of what the caller says.

An analogue gateway sends part of what it plays back to us: 10 to 30 dB weaker, 20 to 300 ms late, smeared over some
milliseconds by its hybrid. Where a call passes two hybrids there are two echoes, a near one and a far one, and either
may jump. What was sent is known, so each echo's delay is found by correlation, the strongest first, the next in what
the filter of those before leaves; then the shapes of all of them, `TAPS` samples each, by least squares together.

A first guess must explain nearly all of what came, and be weaker than what was sent: two voices of like pitch resemble
each other, too. Once it has done so for a while it is trusted: then it is subtracted whatever else is heard, learns
only while nobody talks over the prompt, and what it leaves is the caller. An echo that has moved keeps its shape and
its strength: so the frame alone that it appears in shows where it is now, and two such frames are believed. Where
nothing was sent, or nothing loud is heard, nothing is computed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.jit import kernel
from engine.speech import echo_paths
from engine.speech.ports import FRAME_SAMPLES

_KEEP_NEW, _KEEP = 0.8, 0.95  # of what earlier frames said of the echo's shape, per frame: before it is trusted, after
_GUESS = 0.2  # share of the power that a first guess may leave …
_ALONE = 0.5  # … and a trusted filter, while nobody talks over the prompt
_WELL = 0.05  # who leaves no more needs not learn
_WEAKER = 0.3  # of the power sent: no echo is louder
_TRUSTED = 8  # frames
_MOVED = 16  # samples by which an echo must have moved to have moved …
_MOVED_FRAMES = 3  # … and in how many frames in a row it must be seen there
_QUIET = 33.0  # root mean square, -60 dBFS: nothing was sent
_STRANGE = 0.04  # share of the power that a trusted filter may leave, and …
_HEARD = 82.0  # … root mean square of that, -52 dBFS, before it is asked whether one of its echoes has moved
_DOUBTFUL = 0.1  # … and before it may be that
_THERE = 0.25  # … and of what it should explain, that it may leave at its new place …
_BETTER = 0.5  # … and of what it left at its old one

Frame = npt.NDArray[np.float64]
_DOUBT_FRAMES = 8  # loud ones that nothing explains, in which an echo that has moved may be what is heard
_WELL_ENOUGH = 0.25  # who leaves no more is alone: a frame more of doubt, later
_GAIN_STEP = 0.05  # a frame: of what is known of how much weaker than the prompt this line's echo is
# words of `state`. GAIN: of the known echo's power over that sent; DOUBT: frames left in which it may have moved;
# MAY_BE_DBFS: how loud it would be; SINCE_SENT: samples since something was sent; AT: where what was sent ends in its
# memory
TRUST, ECHO_DBFS, ELSEWHERE, SEEN_THERE, GAIN, DOUBT, MAY_BE_DBFS, SINCE_SENT, AT = range(9)
_SILENT_DBFS = -100.0


class EchoFilter:
    """One line's. `hear` takes 20 ms of both sides (int16[160]); times between must not be left out."""

    def __init__(self) -> None:
        self._sent = np.zeros(2 * echo_paths.HISTORY)  # twice as long: moved once in a while, not in each frame
        self._said = np.zeros(echo_paths.LONG)
        self._state = np.array(
            [0.0, _SILENT_DBFS, -1.0, 0.0, 0.0, 0.0, _SILENT_DBFS, echo_paths.HISTORY, echo_paths.HISTORY]
        )
        # a filter, and a guess beside one that is trusted: `echo_paths` says what each array holds. The third row of
        # paths: where those that have moved seemed to be in the frame before
        self._paths = np.zeros((3, echo_paths.PATHS + 1), np.int64)
        self._shapes = np.zeros((2, echo_paths.ORDER + 1, echo_paths.ORDER))
        self._factors = np.zeros((2, echo_paths.ORDER + 1, echo_paths.ORDER))
        self._alike = np.zeros((3, echo_paths.HISTORY), np.float32)
        self._rest = np.zeros(echo_paths.LONG)

    @property
    def memory(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """What `take_in` takes a frame into."""
        return self._sent, self._said, self._state

    @property
    def delays_ms(self) -> tuple[int, ...]:
        """Of the echoes that are known, against what lay beside them, the first found first."""
        return tuple(int(delay) // 8 for delay in self._paths[0, 1 : 1 + self._paths[0, 0]])

    @property
    def echo_dbfs(self) -> float:
        """How loud the echo in the last frame was; -100 for none."""
        return float(self._state[ECHO_DBFS])

    @property
    def may_be_dbfs(self) -> float:
        """How loud the echo could be in the last frame, which the filter doesn't explain: a network whose delay has
        jumped takes the echo along, and it takes a moment to find it again. -100 when it isn't that."""
        return float(self._state[MAY_BE_DBFS])

    def hear(self, said: npt.NDArray[np.int16], sent: npt.NDArray[np.int16], *, loud: bool = True) -> Frame | None:
        """What is left of `said` (float64[160], overwritten by the next call); None when there was no echo in it.

        `loud`: the frame stands out from the line's noise. Otherwise it is only remembered.
        """
        take_in(self._sent, self._said, self._state, said, sent)
        if not loud or self._state[SINCE_SENT] >= echo_paths.HISTORY:
            return None
        end = int(self._state[AT])
        found = cancel(
            self._sent[end - echo_paths.HISTORY : end], self._said, self._state, self._paths, self._shapes,
            self._factors, self._alike, self._rest,
        )  # fmt: skip
        return self._rest[-FRAME_SAMPLES:] if found else None


def warm() -> None:
    """Compile every kernel: none of them may be met for the first time in a call."""
    noise = (np.arange(FRAME_SAMPLES) * 1_999 % 3_001).astype(np.int16)
    echoes = EchoFilter()
    for _ in range(2):
        echoes.hear(noise, noise)


@kernel
def take_in(sent: Any, said: Any, state: Any, new_said: Any, new_sent: Any) -> None:
    """A frame of both sides into the histories. `sent` holds the last HISTORY samples before `state[AT]`; they are
    left alone while nothing but silence is in them and comes."""
    silent = True
    for index in range(FRAME_SAMPLES):
        silent = silent and new_sent[index] == 0
    state[SINCE_SENT] = state[SINCE_SENT] + FRAME_SAMPLES if silent else 0.0
    if state[SINCE_SENT] <= echo_paths.HISTORY + FRAME_SAMPLES:
        end = int(state[AT])
        if end + FRAME_SAMPLES > sent.shape[0]:
            for index in range(echo_paths.HISTORY):
                sent[index] = sent[end - echo_paths.HISTORY + index]
            end = echo_paths.HISTORY
        for index in range(FRAME_SAMPLES):
            sent[end + index] = float(new_sent[index])
        state[AT] = float(end + FRAME_SAMPLES)
    echo_paths.append(said, new_said)
    state[ECHO_DBFS] = state[MAY_BE_DBFS] = _SILENT_DBFS


@kernel
def cancel(sent: Any, said: Any, state: Any, paths: Any, shapes: Any, factors: Any, alike: Any, rest: Any) -> bool:
    """`EchoFilter.hear` over its arrays; True when `rest` ends with what is left of the newest frame."""
    if echo_paths.rms(sent) < _QUIET:
        return False
    if state[TRUST] >= _TRUSTED:
        return _follow(sent, said, state, paths, shapes, factors, alike, rest)
    if paths[0, 0] > 0:
        echo_paths.add_frame(sent, said, paths[0], shapes[0], FRAME_SAMPLES, _KEEP_NEW)
        solved = echo_paths.solve(paths[0], shapes[0], factors[0])
        if solved and _credible(sent, said, state, paths[0], factors[0], rest, echo_paths.WINDOW):
            state[TRUST] += 1.0
            if state[TRUST] >= _TRUSTED:
                state[DOUBT] = float(_DOUBT_FRAMES)
            return True
    paths[0, 0] = 0
    state[TRUST] = 0.0
    if _guess(sent, said, state, paths[0], shapes[0], factors[0], alike, rest, echo_paths.PATHS - 1):
        state[TRUST] = 1.0
        return True
    paths[0, 0] = 0
    return False


@kernel
def _follow(sent: Any, said: Any, state: Any, paths: Any, shapes: Any, factors: Any, alike: Any, rest: Any) -> bool:
    """A frame against a filter that is trusted."""
    left, echo, gain = echo_paths.subtract(sent, said, paths[0], factors[0], rest, FRAME_SAMPLES)
    if left > _STRANGE and echo_paths.power_of(rest) > _HEARD * _HEARD * FRAME_SAMPLES:
        if _moved(sent, said, paths, factors[0], alike, rest):
            if echo_paths.same(paths[1], paths[2]):
                paths[0] = paths[1]
                echo_paths.begin_anew(sent, said, paths[0], shapes[0], factors[0])
            paths[2] = paths[1]
            _, echo, _ = echo_paths.subtract(sent, said, paths[1], factors[0], rest, FRAME_SAMPLES)
            _say_level(said, state, echo)
            return True
        paths[1] = paths[0]
        if _beside(sent, said, state, paths[1], shapes[1], factors, alike, rest):
            _, echo, _ = echo_paths.subtract(sent, said, paths[1], factors[1], rest, FRAME_SAMPLES)
            _say_level(said, state, echo)
            _count(state, paths, shapes, factors, found=True)
            return True
        echo_paths.subtract(sent, said, paths[0], factors[0], rest, FRAME_SAMPLES)
    paths[2, 0] = 0
    if left < _ALONE:
        state[GAIN] += (gain - state[GAIN]) * (_GAIN_STEP if state[GAIN] > 0.0 else 1.0)
        if left < _WELL_ENOUGH:
            state[DOUBT] = min(state[DOUBT] + 1.0, float(_DOUBT_FRAMES))
        if left > _WELL:
            echo_paths.add_frame(sent, said, paths[0], shapes[0], FRAME_SAMPLES, _KEEP)
            if echo_paths.solve(paths[0], shapes[0], factors[0]):
                echo_paths.forget_faint(paths[0], shapes[0], factors[0])
                _, echo, _ = echo_paths.subtract(sent, said, paths[0], factors[0], rest, FRAME_SAMPLES)
    else:  # somebody talks over the prompt, or all is different
        found = _guess_another(sent, said, state, paths, shapes[1], factors, alike, rest)
        if _count(state, paths, shapes, factors, found):
            return True
        _, echo, _ = echo_paths.subtract(sent, said, paths[0], factors[0], rest, FRAME_SAMPLES)
    if left > _DOUBTFUL and state[DOUBT] > 0.0:
        state[DOUBT] -= 1.0
        state[MAY_BE_DBFS] = _dbfs(state[GAIN] * paths[0, 0] * _loudest(sent))
    _say_level(said, state, echo)
    return True


@kernel
def _count(state: Any, paths: Any, shapes: Any, factors: Any, found: bool) -> bool:
    """Another filter was found, or not: in the last of so many frames in a row it takes the place of the known one."""
    where = float(paths[1, paths[1, 0]])
    again = found and abs(where - state[ELSEWHERE]) <= _MOVED
    state[SEEN_THERE] = state[SEEN_THERE] + 1.0 if again else 1.0 if found else 0.0
    state[ELSEWHERE] = where
    if state[SEEN_THERE] < _MOVED_FRAMES:
        return False
    state[SEEN_THERE] = 0.0
    paths[0] = paths[1]
    shapes[0] = shapes[1]
    factors[0] = factors[1]
    return True


@kernel
def _moved(sent: Any, said: Any, paths: Any, factor: Any, alike: Any, rest: Any) -> bool:
    """Have echoes moved, their shapes and strengths being what they were? Then the newest frame alone shows it: their
    places are in paths[1]."""
    mine = paths[1]
    mine[:] = paths[0]
    before = echo_paths.power_of(rest)
    for _ in range(echo_paths.PATHS):
        best, best_path, best_delay, best_share = 1e30, -1, -1, 1.0
        for path in range(mine[0]):
            delay, error, share = echo_paths.find_moved(sent, mine, factor, alike, rest, path)
            if delay != mine[1 + path] and error < best:
                best, best_path, best_delay, best_share = error, path, delay, share
        if best_path < 0 or best > 0.9 * echo_paths.power_of(rest):
            return False
        mine[1 + best_path] = best_delay
        if best_share < _THERE and best < _BETTER * before:
            return True
        echo_paths.subtract(sent, said, mine, factor, rest, FRAME_SAMPLES)
    return False


@kernel
def _guess_another(sent: Any, said: Any, state: Any, paths: Any, shape: Any, factors: Any, alike: Any,
                   rest: Any) -> bool:
    """In the known paths' stead; True when it's credible."""
    mine, factor = paths[1], factors[1]
    mine[0] = 0
    found = _guess(sent, said, state, mine, shape, factor, alike, rest, echo_paths.PATHS - 1)
    if not found:
        return False
    for place in range(1, mine[0] + 1):
        known = False
        for other in range(1, paths[0, 0] + 1):
            known = known or abs(mine[place] - paths[0, other]) <= _MOVED
        if not known:
            return True
    return False


@kernel
def _beside(sent: Any, said: Any, state: Any, mine: Any, shape: Any, factors: Any, alike: Any, rest: Any) -> bool:
    """Is what the known paths leave one more echo? They keep their taps; the filter of all is in factors[1] then."""
    taps = factors[1, echo_paths.ORDER]
    if mine[0] == echo_paths.PATHS:
        faintest = echo_paths.faintest_of(mine, factors[0])
        echo_paths.leave_out(mine, faintest)
    else:
        faintest = echo_paths.PATHS
    for tap in range(mine[0] * echo_paths.TAPS):
        taps[tap] = factors[0, echo_paths.ORDER, tap if tap < faintest * echo_paths.TAPS else tap + echo_paths.TAPS]
    known = mine[0]
    echo_paths.subtract(sent, said, mine, factors[1], rest, echo_paths.LONG)
    delay = echo_paths.find_delay(sent, rest, alike)
    if delay < 0 or not echo_paths.take_on(mine, delay):
        return False
    delay = mine[mine[0]]
    kept = np.zeros(known * echo_paths.TAPS)
    for tap in range(known * echo_paths.TAPS):
        kept[tap] = taps[tap]
    alone = np.array([1, delay])
    echo_paths.add_frame(sent, rest, alone, shape, echo_paths.WINDOW, 0.0)
    if not echo_paths.solve(alone, shape, factors[1]):
        return False
    whole = np.zeros(echo_paths.LONG)
    for count in (echo_paths.WINDOW, FRAME_SAMPLES):
        left, _, gain = echo_paths.subtract(sent, rest, alone, factors[1], whole, count)
        if left > _GUESS or gain > _WEAKER:
            return False
    for tap in range(echo_paths.TAPS):
        taps[known * echo_paths.TAPS + tap] = taps[tap]
    for tap in range(known * echo_paths.TAPS):
        taps[tap] = kept[tap]
    echo_paths.begin_anew(sent, said, mine, shape, factors[1])
    return True


@kernel
def _loudest(sent: Any) -> float:
    """The power of the loudest frame that an echo could be of now."""
    loudest, count = 0.0, sent.shape[0] // FRAME_SAMPLES
    for frame in range(count):
        total = 0.0
        for index in range(FRAME_SAMPLES):
            sample = sent[sent.shape[0] - 1 - frame * FRAME_SAMPLES - index]
            total += sample * sample
        loudest = max(loudest, total / FRAME_SAMPLES)
    return loudest


@kernel
def _dbfs(power: float) -> float:
    share = power / (32_768.0 * 32_768.0)
    return 10.0 * math.log10(share) if share > 1e-10 else _SILENT_DBFS


@kernel
def _guess(sent: Any, said: Any, state: Any, mine: Any, shape: Any, factor: Any, alike: Any, rest: Any,
           paths_max: int) -> bool:
    """Look for so many echoes of any delay; True when they are credible."""
    mine[0] = 0
    for index in range(echo_paths.LONG):
        rest[index] = said[index]
    for path in range(paths_max):
        window = echo_paths.WINDOW if path == 0 else echo_paths.LONG
        delay = echo_paths.find_delay(sent, rest, alike)
        if delay < 0 or not echo_paths.take_on(mine, delay):
            return False
        echo_paths.add_frame(sent, said, mine, shape, window, 0.0)
        if not echo_paths.solve(mine, shape, factor):
            return False
        if _credible(sent, said, state, mine, factor, rest, window):
            return True
        echo_paths.subtract(sent, said, mine, factor, rest, echo_paths.LONG)
    return False


@kernel
def _credible(sent: Any, said: Any, state: Any, mine: Any, factor: Any, rest: Any, window: int) -> bool:
    """Does a filter that isn't trusted yet explain nearly all that came last, as something weaker than was sent?"""
    left, echo, gain = 0.0, 0.0, 0.0
    for count in (window, echo_paths.WINDOW, FRAME_SAMPLES):
        left, echo, gain = echo_paths.subtract(sent, said, mine, factor, rest, count)
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
    state[ECHO_DBFS] = _dbfs(total * share / FRAME_SAMPLES)

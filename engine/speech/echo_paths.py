"""What a filter with few paths is made of: their delays, by correlation, and their shapes, by least squares together.

A filter of `engine.speech.echo` is: `mine`, int64[PATHS + 1], how many paths there are and their delays in samples;
`shape`, float64[ORDER + 1, ORDER], the normal equations (the sent side's own correlation by [tap, tap], of which only
what stands on and above the diagonal is kept, then its correlation with the said side); `factor`, of the same size,
their factor, then the taps. `sent` holds the last HISTORY samples of what was sent, `said` and `rest` the last LONG of
what came and of what is left of it; `alike`, float32[3, HISTORY], is scratch. Kernels, over these arrays alone.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.jit import kernel
from engine.speech.ports import FRAME_SAMPLES

TAPS = 48  # of one path: 6 ms
PATHS = 3  # two, and one that has moved
DELAY_SAMPLES_MAX = 3_200  # 400 ms
LEAD = 8  # taps before the strongest
WINDOW = 480  # samples in which an unknown delay is looked for …
LONG = 960  # … and to which two paths at once must be true, which can be bent to more than one
ORDER = PATHS * TAPS
HISTORY = DELAY_SAMPLES_MAX + LONG + 2 * TAPS + FRAME_SAMPLES
_ALIKE = 0.12  # share of the power that one delay must explain to be worth a filter
_STIFF = 1e-3  # of the sent power, added to every tap's own: no filter out of nothing
_FAINT = 2e-4  # of the power sent: a path that gives back less is none any more


@kernel
def append(history: Any, frame: Any) -> None:
    """The oldest samples go, a frame's come."""
    size, count = history.shape[0], frame.shape[0]
    for index in range(size - count):
        history[index] = history[index + count]
    for index in range(count):
        history[size - count + index] = float(frame[index])


@kernel
def rms(history: Any) -> float:
    """The root mean square of everything."""
    total = 0.0
    for index in range(history.shape[0]):
        total += history[index] * history[index]
    return math.sqrt(total / history.shape[0])


@kernel
def power_of(rest: Any) -> float:
    """The sum of the newest frame's squares."""
    total = 1.0
    for index in range(rest.shape[0] - FRAME_SAMPLES, rest.shape[0]):
        total += rest[index] * rest[index]
    return total


@kernel
def take_on(mine: Any, delay: int) -> bool:
    """One more path, beside those that there are; False when there is no room."""
    for place in range(1, mine[0] + 1):
        if abs(delay - mine[place]) < TAPS:
            delay = mine[place] + TAPS if delay >= mine[place] else mine[place] - TAPS
    for place in range(1, mine[0] + 1):
        if abs(delay - mine[place]) < TAPS:
            return False
    if delay < LEAD or delay > DELAY_SAMPLES_MAX + TAPS:
        return False
    mine[0] += 1
    mine[mine[0]] = delay
    return True


@kernel
def leave_out(mine: Any, path: int) -> None:
    """One path less."""
    for place in range(path, mine[0] - 1):
        mine[1 + place] = mine[2 + place]
    mine[0] -= 1


@kernel
def same(mine: Any, other: Any) -> bool:
    """As many paths, each at the other's place?"""
    same = mine[0] == other[0]
    for place in range(1, mine[0] + 1):
        same = same and abs(mine[place] - other[place]) <= 1
    return bool(same)


@kernel
def _strength(factor: Any, path: int) -> float:
    total = 0.0
    for tap in range(path * TAPS, (path + 1) * TAPS):
        total += factor[ORDER, tap] * factor[ORDER, tap]
    return total


@kernel
def faintest_of(mine: Any, factor: Any) -> int:
    """The path that gives back least."""
    faintest = 0
    for path in range(1, mine[0]):
        if _strength(factor, path) < _strength(factor, faintest):
            faintest = path
    return faintest


@kernel
def forget_faint(mine: Any, shape: Any, factor: Any) -> None:
    """Leave out a path that gives nothing back any more, but never the last."""
    if mine[0] < 2:
        return
    path = faintest_of(mine, factor)
    if _strength(factor, path) > _FAINT:
        return
    first, end = path * TAPS, mine[0] * TAPS
    for row in range(first, end - TAPS):
        for column in range(end):
            shape[row, column] = shape[row + TAPS, column]
    for column in range(first, end - TAPS):
        factor[ORDER, column] = factor[ORDER, column + TAPS]
        shape[ORDER, column] = shape[ORDER, column + TAPS]
        for row in range(end):
            shape[row, column] = shape[row, column + TAPS]
    leave_out(mine, path)


@kernel
def find_delay(sent: Any, said: Any, alike: Any) -> int:
    """The delay at which the sent side resembles the newest WINDOW samples best; -1 when none does.

    Differences of neighbours instead of samples: else the low vowels of two talkers would resemble each other.
    """
    ours, far, scores = alike[0], alike[1], alike[2]
    delays = DELAY_SAMPLES_MAX
    first = sent.shape[0] - WINDOW - delays  # of the samples that the longest delay needs
    newest = said.shape[0] - WINDOW
    for index in range(WINDOW + delays):
        far[index] = np.float32(sent[first + index] - sent[first + index - 1])
    power = np.float32(1.0)
    for index in range(1, WINDOW):
        ours[index] = np.float32(said[newest + index] - said[newest + index - 1])
        power += ours[index] * ours[index]
    for place in range(delays + 1):
        scores[place] = np.float32(0.0)
    for index in range(1, WINDOW):  # in this order the inner loop is one that processors do eight at a time
        value = ours[index]
        for place in range(delays + 1):
            scores[place] += value * far[place + index]
    window = 1.0
    for index in range(1, WINDOW):
        window += far[index] * far[index]
    best, best_place = 0.0, -1
    for place in range(delays + 1):
        if scores[place] != 0.0 and window > 1.0:
            share = float(scores[place]) * float(scores[place]) / (float(power) * window)
            if share > best:
                best, best_place = share, place
        if place < delays:
            window += far[place + WINDOW] * far[place + WINDOW] - far[place + 1] * far[place + 1]
            window = max(window, 1.0)
    if best < _ALIKE:
        return -1
    return max(delays - best_place, LEAD)


@kernel
def find_moved(
    sent: Any, mine: Any, factor: Any, alike: Any, rest: Any, path: int
) -> tuple[int, float, float]:
    """The delay at which a path's echo explains most of the newest frame, the other paths' taken out; the power that it
    leaves then, and the share of what it had to explain."""
    frame, echo, scores = alike[0], alike[1], alike[2]
    delays = DELAY_SAMPLES_MAX - LEAD
    first = sent.shape[0] - DELAY_SAMPLES_MAX - FRAME_SAMPLES + LEAD
    count = delays + FRAME_SAMPLES
    for place in range(count):
        echo[place] = np.float32(0.0)
    for tap in range(TAPS):
        weight = np.float32(factor[ORDER, path * TAPS + tap])
        for place in range(count):
            echo[place] += weight * np.float32(sent[first + place - tap])
    here, power = DELAY_SAMPLES_MAX - mine[1 + path], 1.0
    for index in range(FRAME_SAMPLES):
        remains = rest[rest.shape[0] - FRAME_SAMPLES + index]
        if 0 <= here <= delays:
            remains += echo[here + index]
        frame[index] = np.float32(remains)
        power += remains * remains
    for place in range(delays + 1):
        scores[place] = np.float32(0.0)
    for index in range(FRAME_SAMPLES):
        value = frame[index]
        for place in range(delays + 1):
            scores[place] += value * echo[place + index]
    window, best, best_place = 0.0, 1e30, 0
    for index in range(FRAME_SAMPLES):
        window += echo[index] * echo[index]
    for place in range(delays + 1):
        error = power - 2.0 * scores[place] + window
        if error < best:
            best, best_place = error, place
        if place < delays:
            window += echo[place + FRAME_SAMPLES] * echo[place + FRAME_SAMPLES] - echo[place] * echo[place]
    return DELAY_SAMPLES_MAX - best_place, max(best, 0.0), max(best, 0.0) / power


@kernel
def begin_anew(sent: Any, said: Any, mine: Any, shape: Any, factor: Any) -> None:
    """The normal equations of paths at new delays, as if the known taps had always been right there."""
    add_frame(sent, said, mine, shape, WINDOW, 0.0)
    order = mine[0] * TAPS
    for row in range(order):
        total = 0.0
        for column in range(order):
            total += (shape[row, column] if column >= row else shape[column, row]) * factor[ORDER, column]
        shape[ORDER, row] = total


@kernel
def add_frame(sent: Any, said: Any, mine: Any, shape: Any, count: int, keep: float) -> None:
    """Take the newest `count` samples into the normal equations of the filter with these paths. Only what stands on and
    above the diagonal is kept."""
    size, order = sent.shape[0], mine[0] * TAPS
    for row in range(order):
        for column in range(row, order):
            shape[row, column] *= keep
    for column in range(order):
        shape[ORDER, column] *= keep
    for path in range(mine[0]):
        end = size - mine[1 + path] + LEAD  # behind the sent sample of the first tap for the newest said one
        begin, first = end - count, said.shape[0] - count
        sums = shape[ORDER, path * TAPS : (path + 1) * TAPS]
        for index in range(count):
            value = said[first + index]
            for tap in range(TAPS):
                sums[tap] += value * sent[begin + index - tap]
        for other in range(path, mine[0]):
            _add_block(sent, end, size - mine[1 + other] + LEAD, count, path == other,
                       shape[path * TAPS : (path + 1) * TAPS, other * TAPS : (other + 1) * TAPS])  # fmt: skip


@kernel
def _add_block(sent: Any, end: int, other_end: int, count: int, same: bool, block: Any) -> None:
    """The correlation of each tap of a path with each of another."""
    begin, other_begin = end - count, other_end - count
    above, below = np.zeros(TAPS), np.zeros(TAPS)
    for index in range(count):
        one, other = sent[begin + index], sent[other_begin + index]
        for tap in range(TAPS):
            above[tap] += one * sent[other_begin + index - tap]
            below[tap] += other * sent[begin + index - tap]
    # each further diagonal place differs from the one before by a sample that enters and one that leaves
    for start in range(TAPS):
        total = above[start]
        for row in range(TAPS - start):
            block[row, start + row] += total
            total += sent[begin - 1 - row] * sent[other_begin - 1 - row - start]
            total -= sent[end - 1 - row] * sent[other_end - 1 - row - start]
        if not same and start > 0:
            total = below[start]
            for row in range(TAPS - start):
                block[start + row, row] += total
                total += sent[begin - 1 - row - start] * sent[other_begin - 1 - row]
                total -= sent[end - 1 - row - start] * sent[other_end - 1 - row]


@kernel
def subtract(sent: Any, said: Any, mine: Any, factor: Any, rest: Any, count: int) -> tuple[float, float, float]:
    """Take what the filter makes of what was sent out of the newest `count` samples, into the end of `rest`:
    (share of their power that is left, that the echo has; power of the echo over that sent)."""
    first, start = said.shape[0] - count, rest.shape[0] - count
    source = 1.0
    for index in range(count):
        rest[start + index] = 0.0
    for path in range(mine[0]):
        begin = sent.shape[0] - mine[1 + path] + LEAD - count
        for tap in range(TAPS):
            weight = factor[ORDER, path * TAPS + tap]
            for index in range(count):
                rest[start + index] += weight * sent[begin + index - tap]
        for index in range(count):
            source += sent[begin + index - LEAD] * sent[begin + index - LEAD]
    before, after, echo = 1.0, 0.0, 0.0
    for index in range(count):
        explained, sample = rest[start + index], said[first + index]
        remains = sample - explained
        rest[start + index] = remains
        before += sample * sample
        after += remains * remains
        echo += explained * explained
    return after / before, echo / before, echo / source


@kernel
def solve(mine: Any, shape: Any, factor: Any) -> bool:
    """The filter's taps into factor[ORDER], by Cholesky's way; False when nothing was sent."""
    order = mine[0] * TAPS
    loudest = 0.0
    for path in range(mine[0]):
        loudest = max(loudest, shape[path * TAPS, path * TAPS])
    ridge = loudest * _STIFF + 1.0
    if loudest < FRAME_SAMPLES:
        return False
    for row in range(order):
        for column in range(row, order):
            factor[row, column] = shape[row, column]
        factor[row, row] += ridge
    for row in range(order):  # in this order, too, the inner loop is one that processors do several at a time
        if factor[row, row] <= 0.0:
            return False
        scale = 1.0 / math.sqrt(factor[row, row])
        for column in range(row, order):
            factor[row, column] *= scale
        for below in range(row + 1, order):
            weight = factor[row, below]
            for column in range(below, order):
                factor[below, column] -= weight * factor[row, column]
    taps = factor[ORDER]
    for row in range(order):
        taps[row] = shape[ORDER, row]
    for row in range(order):
        taps[row] /= factor[row, row]
        for below in range(row + 1, order):
            taps[below] -= factor[row, below] * taps[row]
    for row in range(order - 1, -1, -1):
        total = taps[row]
        for column in range(row + 1, order):
            total -= factor[row, column] * taps[column]
        taps[row] = total / factor[row, row]
    return True

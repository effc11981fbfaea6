"""How busy agents come free and how callers give up, as curves over time: derived from what a queue has learnt.

`Curves` is rebuilt whenever a folding has changed the histograms (every 8 to 128 conversations, and only when somebody
asks); it is a pure function of them. All curves share the times of `GRID`.

An agent who has been busy for `a` is a renewal process: the rest of his present call is the handling time given that
it has lasted for `a`, then come whole handling times. The mean and the variance of the number of times he has come
free by t follow from the renewal series g = 1/(1 − f), f being the mass of a handling time on a fine grid: the mean
is r·g and the second moment r·(2g² − g), where r is the mass of the rest.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.acd.learning import GAVE_UP, OVER, TALK, UNIT, WRAP, Learnt, edges

FloatArray = npt.NDArray[np.float64]

GRID: FloatArray = 25.0 * 1.3 ** np.arange(56, dtype=np.float64)  # ms: 25 ms … 13 h
AGES: FloatArray = 1_000.0 * 2.0 ** (np.arange(25, dtype=np.float64) / 2)  # ms: half an octave each, 1 s … 1.1 h
AGE_BINS = len(AGES) + 1
STEPS_OF_MEAN = 20  # fine steps in a mean handling time
STEPS = 127
HAZARD_MAX = 30.0  # beyond, nobody is left; e^H must stay a number
PRIOR = 2.0  # observations of an exponential handling time with the measured mean, so that no age is impossible

_EDGES: FloatArray = np.array(edges(), dtype=np.float64)
_AGE_MIDDLES: FloatArray = np.concatenate([[0.0, 400.0], AGES * 2**0.25])  # 0: a handling time's begin


class Curves:
    """`mean`, `variance` (2 · AGE_BINS, len(GRID)): times that an agent comes free within GRID, by how long he has
    talked (first AGE_BINS rows) or wrapped up. `calls`: how many conversations this stands on.
    """

    def __init__(self, learnt: Learnt) -> None:
        talk, wrap = _counts(learnt, TALK), _counts(learnt, WRAP)
        self.calls = int(talk.sum())
        talk_mean, talk_second = _moments(talk)
        wrap_mean, wrap_second = _moments(wrap)
        share = min(1.0, wrap.sum() / talk.sum()) if talk.sum() else 0.0  # conversations that had a wrap-up
        wrap_mean, wrap_second = wrap_mean * share, wrap_second * share
        self.handling_ms = max(1.0, talk_mean + wrap_mean)
        spread = max(0.0, talk_second - talk_mean**2) + max(0.0, wrap_second - wrap_mean**2)
        self.variation = spread / self.handling_ms**2  # squared, of handling times
        self.step_ms = self.handling_ms / STEPS_OF_MEAN
        self.mean, self.variance = self._renewals(talk, talk_mean, wrap, share)
        self.both: FloatArray = np.concatenate([self.mean, self.variance], axis=1)  # one product for the two
        self.quits = _quits(learnt)

    def _renewals(
        self, talk: FloatArray, talk_mean: float, wrap: FloatArray, share: float
    ) -> tuple[FloatArray, FloatArray]:
        times = np.arange(STEPS + 1, dtype=np.float64) * self.step_ms
        after = _rests(wrap, 0.0, 0.0, times)[0] * share
        after[0] += 1.0 - share
        rows = np.concatenate([_rests(talk, talk_mean, PRIOR, times), _rests(wrap, 0.0, 0.0, times)])
        transform = np.fft.rfft(rows, 2 * STEPS + 2, axis=1)
        transform[: AGE_BINS + 1] *= np.fft.rfft(after, 2 * STEPS + 2)
        own = np.fft.irfft(transform[0], 2 * STEPS + 2)[: STEPS + 1]  # row 0: a handling time from its begin
        own[1], own[0] = own[1] + own[0], 0.0  # no two in the same moment
        renewals = _series(own)
        twice = 2 * np.convolve(renewals, renewals)[: STEPS + 1] - renewals
        rows = np.delete(transform, [0, AGE_BINS + 1], axis=0)
        found = []
        for series in (renewals, twice):
            each = np.fft.irfft(rows * np.fft.rfft(series, 2 * STEPS + 2), axis=1)[:, : STEPS + 1]
            total = np.cumsum(each, axis=1) - each / 2  # half of what a point holds lies before it: see `_rests`
            total[:AGE_BINS, 0] = 0.0
            found.append(total)
        mean, second = found
        return self._on_grid(mean, np.maximum(second - mean**2, 0.0))

    def _on_grid(self, mean: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
        """From the fine steps to GRID; beyond the last step both go on straight, as renewal processes do."""
        at = np.minimum(GRID / self.step_ms, STEPS - 1e-9)
        low = at.astype(np.int64)
        part = at - low
        beyond = np.maximum(0.0, GRID - STEPS * self.step_ms) / self.handling_ms
        slope = min(self.variation, 4.0)
        return (
            mean[:, low] * (1 - part) + mean[:, low + 1] * part + beyond,
            variance[:, low] * (1 - part) + variance[:, low + 1] * part + beyond * slope,
        )

    def quit_hazard(self, age_ms: float) -> FloatArray | None:
        """Cumulative hazard of giving up from now to each time of GRID, for who has waited for `age_ms`; None: none."""
        if self.quits is None:
            return None
        base = np.interp(age_ms, _EDGES, self.quits)
        hazard: FloatArray = np.interp(age_ms + GRID, _EDGES, self.quits) - base
        return np.minimum(hazard, HAZARD_MAX)


def _counts(learnt: Learnt, kind: int) -> FloatArray:
    held = learnt.histograms[kind]
    return np.array(held, dtype=np.float64) / UNIT if held else np.zeros(len(_EDGES) - 1)


def _moments(counts: FloatArray) -> tuple[float, float]:
    """Mean and mean square, ms; each bin is filled evenly."""
    total = float(counts.sum())
    if not total:
        return 0.0, 0.0
    low, high = _EDGES[:-1], _EDGES[1:]
    middle, square = (low + high) / 2, (low * low + low * high + high * high) / 3
    return float((counts * middle).sum()) / total, float((counts * square).sum()) / total


def _rests(counts: FloatArray, mean_ms: float, prior: float, times: FloatArray) -> FloatArray:
    """Mass of the rest of a duration on the fine grid, given that it has lasted for 0 ms and for each middle of AGES:
    shape (1 + AGE_BINS, len(times)). At once where nothing is known. `prior`: as many exponential observations more.

    Half of each step's probability stands at its begin, half at its end, which keeps the mean. What survives the last
    step is left out: it lies beyond everything that is asked here.
    """
    known = np.concatenate([[0.0], np.cumsum(counts)])
    at = _AGE_MIDDLES[:, None] + times
    left = known[-1] - np.interp(at, _EDGES, known)
    if prior:
        left += prior * np.exp(-at / max(1.0, mean_ms))
    begin = left[:, :1]
    surviving = np.where(begin > 0, left / np.where(begin > 0, begin, 1.0), 0.0)
    steps = -np.diff(surviving, axis=1)
    mass: FloatArray = np.zeros(at.shape)
    mass[:, :-1] += steps / 2
    mass[:, 1:] += steps / 2
    mass[begin[:, 0] <= 0, 0] = 1.0
    return mass


def _series(mass: FloatArray) -> FloatArray:
    """1/(1 − mass) as a series: how often in a point of the grid something ends that began at 0, itself included."""
    found = np.zeros(len(mass))
    scale = 1.0 / max(1e-3, 1.0 - mass[0])
    found[0] = scale
    reverse = mass[::-1].copy()
    size = len(mass)
    for at in range(1, size):
        found[at] = scale * float(np.dot(reverse[size - 1 - at : size - 1], found[:at]))
    return found


def _quits(learnt: Learnt) -> FloatArray | None:
    """Cumulative hazard of giving up at every edge (Nelson and Aalen's estimate by bin, censored waits counted as
    at risk for half of their bin); None while nobody has given up.
    """
    over, gave_up = _counts(learnt, OVER), _counts(learnt, GAVE_UP)
    if not gave_up.sum():
        return None
    at_risk = np.cumsum(over[::-1])[::-1] - over / 2
    hazard = np.where(at_risk > 0, gave_up / np.maximum(at_risk, 0.5), 0.0)
    last = int(np.flatnonzero(gave_up)[-1])
    cumulative = np.concatenate([[0.0], np.cumsum(hazard)])
    # beyond the last who gave up his like are rare: the average hazard of all goes on
    mean = cumulative[last + 1] / _EDGES[last + 1]
    cumulative[last + 2 :] = cumulative[last + 1] + mean * (_EDGES[last + 2 :] - _EDGES[last + 1])
    return cumulative

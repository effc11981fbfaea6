"""What a run says about each queue, with 95 % half-widths over replications or, of one long run, over batches.

Every figure is a ratio of two sums, Y / X, formed part by part; the parts are replications, or stretches of equal
length of one run. R = ΣY / ΣX, and its half-width is t · s / (√n · mean X), where s² = Σ (Yᵢ − R·Xᵢ)² / (n − 1) and t
is Student's 97.5 % quantile with n − 1 degrees of freedom. Counts have X = 1.

Counted are calls that arrived within the window: after the warm-up, and not after the end of the arrivals. The
window ends with `duration`, else with the last arrival; where every caller has his own moment (`at:`) it ends when
the last agent is free again.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from engine.acd.tables import IntArray
from engine.sim.queueing import ABANDONED, ANSWERED, BLOCKED, TIMED_OUT, Calls, Run, seats
from engine.sim.scenario import Scenario

FloatArray = npt.NDArray[np.float64]
Sums = tuple[FloatArray, FloatArray]  # Y and X, by part
Figure = dict[str, float | None]  # mean (None: nothing to divide by), half_width (None: too few calls to say)

COUNTS = ("offered", "answered", "abandoned", "blocked", "timed_out")
METRICS = (
    *COUNTS, "p_wait", "p_abandon", "p_blocked", "mean_wait_s", "mean_wait_answered_s", "service_level", "occupancy",
    "mean_queue_length",
)  # fmt: skip
batch_calls_min = 50  # shorter stretches depend too much on one another
_CONFIDENCE = 0.95


class Table:
    """A run's rows as arrays, with its window [begin, end] in ms."""

    def __init__(self, scenario: Scenario, calls: Calls) -> None:
        self.source = _column(calls.source)
        queue_of = _column([source.queue for source in scenario.sources])
        self.queue = queue_of[self.source] if len(calls) else self.source
        self.arrived, self.ended = _column(calls.arrived), _column(calls.ended)
        self.answered, self.free = _column(calls.answered), _column(calls.free)
        self.outcome, self.agent, self.delayed = (
            _column(calls.outcome), _column(calls.agent), _column(calls.delayed)
        )  # fmt: skip
        self.waited = np.where(self.outcome == ANSWERED, self.answered, self.ended) - self.arrived
        fresh = np.flatnonzero(_column(calls.attempt) == 1)
        first = scenario.warm_up_calls
        self.begin, begin_row = scenario.warm_up_ms, 0
        if first:
            begin_row = int(fresh[first]) if first < len(fresh) else len(calls)
            self.begin = int(self.arrived[begin_row]) if begin_row < len(calls) else 0
        if scenario.duration_ms:
            self.end = scenario.duration_ms
        elif any(source.rate_per_ms for source in scenario.sources):
            self.end = int(self.arrived[fresh[-1]]) if len(fresh) else 0
        else:
            self.end = int(max(self.free.max(initial=0), self.ended.max(initial=0)))
        if first and begin_row == len(calls):
            self.begin = self.end  # the warm-up took them all: nothing is counted
        rows = np.arange(len(calls))
        self.counted = (rows >= begin_row) & (self.arrived >= self.begin) & (self.arrived <= self.end)


def estimate(scenario: Scenario, runs: list[Run]) -> dict[str, dict[str, Figure]]:
    """{queue: {metric: {"mean", "half_width"}}} of runs that have ended, one per replication."""
    tables = [Table(scenario, run.calls) for run in runs]
    parts = _parts(scenario, tables)
    return {
        queue: {
            name: _figure(*sums[name], scale=parts if name in COUNTS else 1, certain=scenario.certain)
            for name in METRICS
        }
        for queue, sums in _by_queue(scenario, tables, parts).items()
    }


def difference(
    before: Scenario, runs: list[Run], after: Scenario, runs_after: list[Run]
) -> dict[str, dict[str, Figure]]:
    """{queue: {metric: after − before}} for the queues that both have, with half-widths of the paired difference.

    Both met the same callers (`draws`), so part i of one is compared with part i of the other: chance that they share
    falls out. D = R₂ − R₁, and its half-width is t · s / √n, where s² is the variance of the pairs' linearised
    differences (Y₂ᵢ − R₂·X₂ᵢ) / mean X₂ − (Y₁ᵢ − R₁·X₁ᵢ) / mean X₁. Both have as many replications.
    """
    tables, later = [Table(before, run.calls) for run in runs], [Table(after, run.calls) for run in runs_after]
    parts = min(_parts(before, tables), _parts(after, later))
    sure = before.certain and after.certain
    first, second = _by_queue(before, tables, parts), _by_queue(after, later, parts)
    return {
        queue: {
            name: _paired(first[queue][name], second[queue][name], scale=parts if name in COUNTS else 1, certain=sure)
            for name in METRICS
        }
        for queue in first
        if queue in second
    }


def _parts(scenario: Scenario, tables: list[Table]) -> int:
    """Into how many batches each run is cut."""
    if len(tables) > 1 or scenario.certain:
        return 1
    parts = min(scenario.batches, int(tables[0].counted.sum()) // batch_calls_min)
    return parts if parts >= 2 else 1


def _by_queue(scenario: Scenario, tables: list[Table], parts: int) -> dict[str, dict[str, Sums]]:
    agents = seats(scenario)
    found: dict[str, dict[str, Sums]] = {}
    for number, plan in enumerate(scenario.queues):
        sums = [_sums(table, number, plan.service_level_ms, agents[number], parts) for table in tables]
        found[plan.name] = {
            name: (np.concatenate([each[name][0] for each in sums]), np.concatenate([each[name][1] for each in sums]))
            for name in METRICS
        }
    return found


def _sums(
    table: Table, queue: int, level_ms: int, agents: list[int], parts: int
) -> dict[str, tuple[FloatArray, FloatArray]]:
    """(Y, X) of every metric, each by part."""
    edges = np.linspace(table.begin, table.end, parts + 1)
    mine = table.queue == queue
    rows = np.flatnonzero(mine & table.counted)
    part = np.clip(np.searchsorted(edges, table.arrived[rows], side="right") - 1, 0, parts - 1)
    outcome, waited = table.outcome[rows], table.waited[rows]

    def count(chosen: npt.NDArray[np.bool_], weights: IntArray | None = None) -> FloatArray:
        taken = weights[chosen] if weights is not None else None
        return np.bincount(part[chosen], taken, minlength=parts).astype(np.float64)

    answered, admitted = outcome == ANSWERED, outcome != BLOCKED
    offered_sum, admitted_sum, answered_sum = count(admitted | True), count(admitted), count(answered)
    once = np.ones(parts)
    length = np.diff(edges)
    lines = np.flatnonzero(mine & (table.outcome != BLOCKED))
    queued = _overlap(table.arrived[lines], table.arrived[lines] + table.waited[lines], edges)
    busy_rows = np.flatnonzero((table.outcome == ANSWERED) & np.isin(table.agent, agents))
    busy = _overlap(table.answered[busy_rows], table.free[busy_rows], edges)
    return {
        "offered": (offered_sum, once),
        "answered": (answered_sum, once),
        "abandoned": (count(outcome == ABANDONED), once),
        "blocked": (count(~admitted), once),
        "timed_out": (count(outcome == TIMED_OUT), once),
        "p_wait": (count(admitted & (table.delayed[rows] == 1)), admitted_sum),
        "p_abandon": (count(outcome == ABANDONED), admitted_sum),
        "p_blocked": (count(~admitted), offered_sum),
        "mean_wait_s": (count(admitted, waited) / 1_000, admitted_sum),
        "mean_wait_answered_s": (count(answered, waited) / 1_000, answered_sum),
        "service_level": (count(answered & (waited <= level_ms)), offered_sum),
        "occupancy": (busy, length * len(agents)),
        "mean_queue_length": (queued, length),
    }


def _overlap(begin: IntArray, end: IntArray, edges: FloatArray) -> FloatArray:
    """Total ms that the intervals [begin, end] spend between each pair of edges."""
    before = [float((np.minimum(end, edge) - np.minimum(begin, edge)).sum()) for edge in edges]
    return np.diff(np.array(before))


def _figure(above: FloatArray, below: FloatArray, *, scale: int, certain: bool) -> Figure:
    """`scale`: a count is told for the whole run, not for one of its batches."""
    total, parts = float(below.sum()), len(below)
    if total <= 0:
        return {"mean": None, "half_width": None}
    ratio = float(above.sum()) / total
    half: float | None = 0.0 if certain else None
    if parts >= 2 and not certain:
        spread = math.sqrt(float(((above - ratio * below) ** 2).sum()) / (parts - 1))
        half = scale * student(_CONFIDENCE, parts - 1) * spread / math.sqrt(parts) / (total / parts)
    return {"mean": ratio * scale, "half_width": half}


def _paired(one: Sums, two: Sums, *, scale: int, certain: bool) -> Figure:
    """Second minus first; None where one of them has nothing to divide by."""
    totals = [float(below.sum()) for _, below in (one, two)]
    if min(totals) <= 0:
        return {"mean": None, "half_width": None}
    ratios = [float(above.sum()) / total for (above, _), total in zip((one, two), totals, strict=True)]
    parts = len(one[1])
    half: float | None = 0.0 if certain else None
    if parts >= 2 and not certain:
        residues = [
            (above - ratio * below) / (total / parts)
            for (above, below), ratio, total in zip((one, two), ratios, totals, strict=True)
        ]
        spread = math.sqrt(float(((residues[1] - residues[0]) ** 2).sum()) / (parts - 1))
        half = scale * student(_CONFIDENCE, parts - 1) * spread / math.sqrt(parts)
    return {"mean": (ratios[1] - ratios[0]) * scale, "half_width": half}


def student(confidence: float, degrees: int) -> float:
    """t with P(−t < T < t) = confidence for Student's T; 0 < confidence < 1, degrees ≥ 1."""
    low, high = 0.0, 1.0
    while _within(high, degrees) < confidence:
        low, high = high, high * 2
    for _ in range(80):
        middle = (low + high) / 2
        if _within(middle, degrees) < confidence:
            low = middle
        else:
            high = middle
    return high


def _within(t: float, degrees: int) -> float:
    """P(−t < T < t), by the finite sums for whole degrees of freedom (Abramowitz and Stegun 26.7.3 and 26.7.4)."""
    angle = math.atan(t / math.sqrt(degrees))
    cosine = math.cos(angle)
    odd = degrees % 2
    term = cosine if odd else 1.0
    total = term if degrees > 1 else 0.0
    for step in range(2 + odd, degrees - 1, 2):
        term *= cosine * cosine * (step - 1) / step
        total += term
    if odd:
        return 2 / math.pi * (angle + math.sin(angle) * total)
    return math.sin(angle) * total


def _column(values: list[int] | IntArray) -> IntArray:
    return np.array(values, dtype=np.int64)

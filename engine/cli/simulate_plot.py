"""A simulation as a picture: who waits longer than t, and the queue over time (needs matplotlib)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from engine.cli import report_plot
from engine.sim.estimates import Table
from engine.sim.queueing import BLOCKED, Run
from engine.sim.scenario import Scenario

points = 200


def draw(
    path: Path, scenario: Scenario, runs: list[Run], after: tuple[Scenario, list[Run]] | None = None
) -> None:
    """Write FILE.png or FILE.svg; `after`, what a change would bring, in dashes.

    Raises UsageError without matplotlib, SiteError when it can't be written.
    """
    figure = report_plot.blank()
    left, right = figure.subplots(1, 2)
    _one(left, right, scenario, runs, "", "-")
    if after is not None:
        for axes in (left, right):
            axes.set_prop_cycle(None)  # the same colour for the same queue
        _one(left, right, *after, ", changed", "--")
    left.set_xlabel("waited longer than (s)")
    left.set_ylabel("share of the callers let in")
    left.set_ylim(0, 1)
    right.set_xlabel("hours since the start" if len(runs) == 1 else "hours since the start (first replication)")
    right.set_ylabel("callers waiting")
    right.legend(loc="upper right")
    report_plot.save(figure, path)


def _one(left: Any, right: Any, scenario: Scenario, runs: list[Run], behind: str, style: str) -> None:
    tables = [Table(scenario, run.calls) for run in runs]
    for number, plan in enumerate(scenario.queues):
        waits = [table.waited[table.counted & (table.queue == number) & (table.outcome != BLOCKED)] for table in tables]
        _waits(left, plan.name + behind, np.sort(np.concatenate(waits)) / 1_000, style)
        _length(right, plan.name + behind, tables[0], number, style)


def _waits(axes: Any, name: str, waits: Any, style: str = "-") -> None:
    """The share that waited longer, over all waits up to the 99.5th percentile; no caller, no line."""
    if not len(waits):
        return
    at = np.linspace(0, max(1.0, float(np.quantile(waits, 0.995))), points)
    axes.plot(at, 1 - np.searchsorted(waits, at, side="right") / len(waits), label=name, linestyle=style)


def _length(axes: Any, name: str, table: Table, queue: int, style: str = "-") -> None:
    """How many waited, at equal moments over the whole run, the warm-up included."""
    chosen = (table.queue == queue) & (table.outcome != BLOCKED)
    came = np.sort(table.arrived[chosen])
    left = np.sort(table.arrived[chosen] + table.waited[chosen])
    at = np.linspace(0, max(table.end, 1), points)
    length = np.searchsorted(came, at, side="right") - np.searchsorted(left, at, side="right")
    axes.plot(at / 3_600_000, length, label=name, drawstyle="steps-post", linestyle=style)

"""`ringdown simulate --what-if CHANGE`, `--against OTHER.yaml`: before, after, and what the change brings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.sim.queueing import Run
    from engine.sim.scenario import Scenario


def check(before: Scenario, after: Scenario) -> None:
    """Raises UsageError where nothing could be compared."""
    from engine.errors import UsageError

    if not {plan.name for plan in before.queues} & {plan.name for plan in after.queues}:
        raise UsageError("the two scenarios have no queue of the same name: there is nothing to compare")
    if before.seed != after.seed:
        raise UsageError(f"the scenarios have the seeds {before.seed} and {after.seed}: only the same callers compare")
    if before.replications != after.replications:
        raise UsageError(f"{before.replications} replications compare with as many, not with {after.replications}")


def text(before: Scenario, runs: list[Run], after: Scenario, runs_after: list[Run], changes: Sequence[str]) -> str:
    """A table for each queue that both have, and which differences are more than chance."""
    from engine.cli import show
    from engine.cli.simulate import figure_text
    from engine.sim import estimates

    one, two = estimates.estimate(before, runs), estimates.estimate(after, runs_after)
    difference = estimates.difference(before, runs, after, runs_after)
    parts = [f"what if {', '.join(changes)}: the same callers, differences paired"]
    for queue, figures in difference.items():
        rows = []
        for metric, figure in figures.items():
            mean, half = figure["mean"], figure["half_width"]
            sure = mean is not None and half is not None and abs(mean) > half
            rows.append({
                "metric": metric, "before": figure_text(metric, one[queue][metric]),
                "after": figure_text(metric, two[queue][metric]), "difference": figure_text(metric, figure, sign=True),
                "sure": "yes" if sure else "",
            })  # fmt: skip
        columns = [("metric", queue), *((name, name) for name in ("before", "after", "difference", "sure"))]
        parts.append(show.table(rows, columns))
    return "\n\n".join(parts)

"""`ringdown staffing --simulate SCENARIO.yaml`: the fewest agents of each group, found by simulation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.cli.staffing_rows import Need


def of_scenario(path: Path, need: Need, options: dict[str, object], *, json: bool) -> str:
    """The table, or JSON. `options`: those that don't go with a scenario, which tells what comes and in what time.

    UsageError when one of them is set, without such a file, out of reach, or too short to say; Exit(1) when refused.
    """
    from engine.acd import forecast
    from engine.cli import show
    from engine.cli.simulate import figure_text, read
    from engine.errors import LimitExceeded, LocalError, UsageError
    from engine.sim import staffing

    if strange := [name for name, value in options.items() if value]:
        raise UsageError(f"{', '.join(strange)}: not with --simulate, the scenario says what comes")
    share, shrinkage = need.target.service_level, need.shrinkage
    if share is None:
        raise UsageError("--simulate needs a --service-level above 0%")
    scenario = read(path, json=json)
    try:
        plan = staffing.fewest(scenario, share)
    except LimitExceeded as error:
        raise UsageError(f"no number of agents up to {error.value} reaches {share:.0%}: ask for less") from error
    except LocalError as error:
        raise UsageError(str(error)) from error
    groups = [
        {"group": group.name, "scenario": group.count, "agents": count, "planned": forecast.rostered(count, shrinkage)}
        for group, count in zip(scenario.agents, plan.counts, strict=True)
    ]
    if json:
        return show.as_json({
            "seed": scenario.seed, "service_level": share, "shrinkage": shrinkage, "engine": plan.engine,
            "trials": plan.trials, "groups": groups, "queues": plan.figures,
        })  # fmt: skip
    metrics = ("service_level", "mean_wait_answered_s", "p_abandon", "occupancy")
    queues = [
        {"queue": name, **{metric: figure_text(metric, figures[metric]) for metric in metrics}}
        for name, figures in plan.figures.items()
    ]
    columns = [(name, name) for name in ("group", "scenario", "agents", "planned")]
    said = f"{plan.trials} simulations, ± 95 %; no group can do with one agent fewer"
    reached = show.table(queues, [(name, name) for name in ("queue", *metrics)])
    return "\n".join([show.table(groups, columns), "", reached, said])

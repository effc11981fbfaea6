"""`ringdown simulate SCENARIO.yaml`: callers and agents by the day, through the distributor that serves calls."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.options import Json

if TYPE_CHECKING:
    from engine.sim.estimates import Figure
    from engine.sim.queueing import Run
    from engine.sim.scenario import Scenario

PERCENT = ("p_wait", "p_abandon", "p_blocked", "service_level", "occupancy")
CALL_COLUMNS = [
    ("call", "call"), ("queue", "queue"), ("attempt", "attempt"), ("outcome", "outcome"), ("agent", "agent"),
    ("arrived_s", "arrived s"), ("waited_s", "waited s"), ("offered_s", "offered s"), ("answered_s", "answered s"),
    ("ended_s", "ended s"), ("free_s", "agent free s"), ("counted", "counted"),
]


def simulate(
    scenario: Annotated[Path, typer.Argument(help="SCENARIO.yaml: queues, agents, arrivals.")],
    calls: Annotated[bool, typer.Option("--calls", help="Also every call: its agent and all its times.")] = False,
    plot: Annotated[Path | None, typer.Option("--plot", help="Draw waits and load into FILE.png or FILE.svg.")] = None,
    json: Json = False,
) -> None:
    """Waits, abandonment, occupancy of a scenario, with 95 % half-widths. Same seed, same bytes.

    Agents answer at once unless a queue says `ring:`. Every key and metric: dialplans/SIMULATION.md.

    Exit status 0: simulated, 1: the scenario is refused, 2: used wrongly.
    """
    from engine.cli import show
    from engine.errors import UsageError
    from engine.sim import estimates, queueing
    from engine.sim.scenario import overloaded

    if plot is not None and plot.suffix not in (".png", ".svg"):
        raise UsageError(f"--plot draws FILE.png or FILE.svg, not {plot.name!r}")
    found = read(scenario, json=json)
    for warning in overloaded(found):
        typer.echo(f"{scenario}: warning: {warning}", err=True)
    runs = []
    for replication in range(found.replications):
        run = queueing.Run(found, replication)
        run.go()
        runs.append(run)
    figures = estimates.estimate(found, runs)
    if plot is not None:
        from engine.cli import simulate_plot

        simulate_plot.draw(plot, found, runs)
    rows = call_rows(found, runs) if calls else []
    if json:
        result: dict[str, Any] = {"seed": found.seed, "replications": found.replications, "queues": figures}
        if calls:
            result["calls"] = rows
        print(show.as_json(result))
        return
    print(summary(found, runs))
    print(show.table(text_rows(figures), [("metric", "metric"), *((name, name) for name in figures)]))
    if calls:
        print()
        print(show.table(rows, CALL_COLUMNS))


def read(path: Path, *, json: bool = False) -> Scenario:
    """The scenario of a file. UsageError without such a file; typer.Exit(1) after its findings were printed."""
    from engine.dialplan.findings import render
    from engine.errors import UsageError
    from engine.sim import scenario_reader

    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"can't read {path}: {error.strerror or error}") from error
    scenario, findings = scenario_reader.read(data, str(path))
    if scenario is None and json:
        import msgspec

        from engine.cli import show

        print(show.as_json({"ok": False, "findings": [msgspec.to_builtins(finding) for finding in findings]}))
        raise typer.Exit(1)
    if scenario is None:
        for finding in findings:
            typer.echo(render(finding), err=True)
        raise typer.Exit(1)
    return scenario


def summary(scenario: Scenario, runs: list[Run]) -> str:
    """What was simulated, and what the half-widths stand on."""
    calls = sum(len(run.calls) for run in runs)
    if scenario.certain:
        sure = "nothing left to chance"
    elif len(runs) > 1:
        sure = f"± 95 % over {len(runs)} replications"
    else:
        sure = "± 95 % over batches of one run"
    return f"{calls} calls, seed {scenario.seed}, {sure}"


def text_rows(figures: dict[str, dict[str, Figure]]) -> list[dict[str, Any]]:
    """One row per metric, one column per queue."""
    from engine.sim.estimates import METRICS

    return [
        {"metric": metric, **{queue: _figure(metric, values[metric]) for queue, values in figures.items()}}
        for metric in METRICS
    ]


def _figure(metric: str, figure: Figure) -> str:
    from engine.sim.estimates import COUNTS

    mean, half = figure["mean"], figure["half_width"]
    if mean is None:
        return "-"
    scale, digits, unit = (100, 2, " %") if metric in PERCENT else (1, 0, "") if metric in COUNTS else (1, 3, "")
    text = f"{mean * scale:.{digits}f}"
    if half is None:
        return f"{text}{unit} (too few calls for a half-width)"
    return f"{text} ± {half * scale:.{digits}f}{unit}"


def call_rows(scenario: Scenario, runs: list[Run]) -> list[dict[str, Any]]:
    """One dictionary per call in order of arrival; times in seconds since the start, None for what never came."""
    from engine.sim import queueing
    from engine.sim.estimates import Table

    names = queueing.agent_names(scenario)
    rows: list[dict[str, Any]] = []
    for replication, run in enumerate(runs, 1):
        calls = run.calls
        table = Table(scenario, calls)
        waited, counted = table.waited.tolist(), table.counted.tolist()
        for row in range(len(calls)):
            source = calls.source[row]
            rows.append({
                "call": row + 1, "replication": replication, "source": source + 1, "attempt": calls.attempt[row],
                "queue": scenario.queues[scenario.sources[source].queue].name,
                "outcome": queueing.OUTCOMES[calls.outcome[row]],
                "agent": names[calls.agent[row]] if calls.agent[row] >= 0 else None,
                "arrived_s": _seconds(calls.arrived[row]), "offered_s": _seconds(calls.offered[row]),
                "answered_s": _seconds(calls.answered[row]), "ended_s": _seconds(calls.ended[row]),
                "free_s": _seconds(calls.free[row]), "waited_s": _seconds(waited[row]), "counted": counted[row],
            })  # fmt: skip
    return rows


def _seconds(ms: int) -> float | None:
    return ms / 1_000 if ms >= 0 else None

"""`ringdown simulate SCENARIO.yaml`: callers and agents by the day, through the distributor that serves calls."""

from __future__ import annotations

from collections.abc import Sequence
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
    changes: Annotated[list[str] | None, typer.Option("--what-if", help="Compare with this change, as "
                       "agents.day.count=+1 or queues.support.strategy=ring-all; several are made together.")] = None,
    against: Annotated[Path | None, typer.Option("--against", help="Compare with this scenario.")] = None,
    engine: Annotated[str, typer.Option("--engine", help="auto | kernel (compiled) | distributor: both give the same "
                                        "calls.")] = "auto",
    json: Json = False,
) -> None:  # fmt: skip
    """Waits, abandonment, occupancy of a scenario, with 95 % half-widths. Same seed, same bytes.

    With --what-if or --against also the difference to a changed scenario that meets the same callers.

    Agents answer at once unless a queue says `ring:`. Every key and metric: dialplans/SIMULATION.md.

    Exit status 0: simulated, 1: the scenario is refused, 2: used wrongly.
    """
    from engine.cli import show, simulate_what_if
    from engine.errors import UsageError
    from engine.sim import engines, estimates
    from engine.sim.scenario import overloaded

    if plot is not None and plot.suffix not in (".png", ".svg"):
        raise UsageError(f"--plot draws FILE.png or FILE.svg, not {plot.name!r}")
    if engine not in engines.WISHES:
        raise UsageError(f"--engine is one of {', '.join(engines.WISHES)}, not {engine!r}")
    if changes and against is not None:
        raise UsageError("--what-if and --against don't go together: write the change into the second scenario")
    found = read(scenario, json=json)
    other = None
    if changes or against is not None:
        other = read(against or scenario, json=json, changes=changes or ())
        simulate_what_if.check(found, other)
    for warning in overloaded(found):
        typer.echo(f"{scenario}: warning: {warning}", err=True)
    used, why = engines.choose([found] if other is None else [found, other], engine)
    if why:
        typer.echo(f"{scenario}: {why}: the distributor runs it", err=True)
    runs = engines.run(found, used)
    after = None if other is None else engines.run(other, used)
    figures = estimates.estimate(found, runs)
    if plot is not None:
        from engine.cli import simulate_plot

        simulate_plot.draw(plot, found, runs, None if other is None or after is None else (other, after))
    rows = call_rows(found, runs) if calls else []
    if json:
        result: dict[str, Any] = {
            "seed": found.seed, "replications": found.replications, "engine": used, "queues": figures,
        }  # fmt: skip
        if other is not None and after is not None:
            result["what_if"] = {
                "changes": changes or [], "against": str(against) if against else None,
                "queues": estimates.estimate(other, after),
                "difference": estimates.difference(found, runs, other, after),
            }  # fmt: skip
        if calls:
            result["calls"] = rows
        print(show.as_json(result))
        return
    print(summary(found, runs))
    if other is None or after is None:
        print(show.table(text_rows(figures), [("metric", "metric"), *((name, name) for name in figures)]))
    else:
        print(simulate_what_if.text(found, runs, other, after, changes or [str(against)]))
    if calls:
        print()
        print(show.table(rows, CALL_COLUMNS))


def read(path: Path, *, json: bool = False, changes: Sequence[str] = ()) -> Scenario:
    """The scenario of a file, with these changes made first.

    UsageError without such a file; typer.Exit(1) after its findings were printed.
    """
    from engine.dialplan.findings import render
    from engine.errors import UsageError
    from engine.sim import scenario_reader

    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"can't read {path}: {error.strerror or error}") from error
    scenario, findings = scenario_reader.read(data, str(path), changes)
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
        {"metric": metric, **{queue: figure_text(metric, values[metric]) for queue, values in figures.items()}}
        for metric in METRICS
    ]


def figure_text(metric: str, figure: Figure, *, sign: bool = False) -> str:
    """Mean and half-width with their unit; `sign`: a difference."""
    from engine.sim.estimates import COUNTS

    mean, half = figure["mean"], figure["half_width"]
    if mean is None:
        return "-"
    scale, digits, unit = (100, 2, " %") if metric in PERCENT else (1, 0, "") if metric in COUNTS else (1, 3, "")
    text = f"{mean * scale:{'+' if sign else ''}.{digits}f}"
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
        calls = run.calls.listed()
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

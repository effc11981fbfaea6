"""`ringdown replay JOURNAL --rules SITE`: the day of a journal again, by other rules of distribution."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from engine.dialplan.model import Site
    from engine.sim.rerun import Figures

SEED = 1
COUNTS = ("offered", "answered", "abandoned", "timeout", "refused", "left", "open")
ROWS = (*COUNTS, "mean_wait_s", "max_wait_s", "in_time")
ASSUMED = (
    "taken over: arrivals, talks, who gave up when, each agent's answers, logins and pauses; drawn: the further "
    "patience of who was answered, the talk of who wasn't. Dialplans and callbacks don't run again."
)


def compare(files: list[Path], folder: Path, *, json: bool) -> None:
    """Print what was, the same rules run again (their distance is the error of running it again), and the new rules.

    Exit status 1: the site is refused, or the journal holds no calls.
    """
    from engine.cli import show
    from engine.runtime import rerunning
    from engine.sim import rerun

    site = _site(folder, json=json)
    heard = rerunning.listen(files)
    if not heard.state:
        print(f"no site was loaded in {files[0].name}: nothing to run again")
        raise typer.Exit(1)
    day = rerun.learn(heard.events, heard.commands, heard.began_ms, heard.ended_ms)
    if not day.stays:
        print(f"no caller joined a queue in {len(files)} journal file(s) from {files[0].name} on")
        raise typer.Exit(1)
    old, names = rerunning.pool(heard)
    new, _ = rerunning.pool(heard, site)
    levels = rerunning.levels(old)
    again = rerun.Rerun(day, old, levels, SEED, tuple(heard.reloads)).run()
    other = rerun.Rerun(day, new, levels | rerunning.levels(new), SEED).run()
    was = rerun.as_it_was(day, levels)
    found = {
        names.get(queue, str(queue)): {
            "was": figures(was.get(queue)), "again": figures(again.get(queue)), "rules": figures(other.get(queue)),
        }
        for queue in sorted(was)
    }  # fmt: skip
    partial = [f"{report.inputs} inputs" for report in heard.reports if report.sealed or report.differs]
    if json:
        print(show.as_json({
            "calls": len(day.stays), "from_ms": heard.began_ms, "until_ms": heard.ended_ms, "site": site.version,
            "complete": not partial, "assumed": ASSUMED, "queues": found,
        }))  # fmt: skip
        return
    hours = (heard.ended_ms - heard.began_ms) / 3_600_000
    print(f"{len(day.stays)} stays in queues in {hours:.1f} h; rules of {folder}")
    if partial:
        print(f"the journal can be followed only for {partial[0]} of its last file (`ringdown replay` says why)")
    for name, each in found.items():
        rows = [{"figure": row, **{run: each[run][row] for run in each}} for row in ROWS]
        print()
        print(show.table(rows, [("figure", name), ("was", "was"), ("again", "run again"), ("rules", "by these rules")]))
    print()
    print(ASSUMED)


def figures(of: Figures | None) -> dict[str, Any]:
    """Plain numbers; `in_time` is the share of the offered who were answered within the service level's time."""
    from engine.sim.rerun import Figures

    of = of or Figures()
    return {
        **{name: getattr(of, name) for name in COUNTS},
        "mean_wait_s": round(of.waited_ms / of.answered / 1_000, 1) if of.answered else 0.0,
        "max_wait_s": round(of.waited_ms_max / 1_000, 1),
        "in_time": round(of.in_time / of.offered, 3) if of.offered else 1.0,
    }


def _site(folder: Path, *, json: bool) -> Site:
    import msgspec

    from engine.cli import show
    from engine.dialplan.findings import render
    from engine.runtime.site_files import read_folder

    reading = read_folder(folder)
    if reading.site is None:
        if json:
            print(show.as_json({"ok": False, "findings": [msgspec.to_builtins(each) for each in reading.errors()]}))
        else:
            for finding in reading.errors():
                print(render(finding))
        raise typer.Exit(1)
    return reading.site

"""A report as a picture: callers and service level over time, or agents' time by state (needs matplotlib)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.cli.report_text import begin_text
from engine.errors import SiteError, UsageError
from engine.records import kpi
from engine.records.kpi_agents import STATES
from engine.records.report import Line, Wish

COLOURS = {
    "talking": "#1b7837", "hold": "#7fbf7b", "wrap_up": "#d9f0d3", "alerting": "#fdb863", "ready": "#4393c3",
    "not_ready": "#b2182b", "resting": "#f4a582", "occupied": "#9970ab",
}
labels_max = 24


def draw(path: Path, wish: Wish, lines: Sequence[Line]) -> None:
    """Write FILE.png or FILE.svg. Raises UsageError without matplotlib, SiteError when it can't be written."""
    figure = blank()
    if wish.by == "agent":
        _agents(figure, lines)
    else:
        _callers(figure, wish, lines)
    save(figure, path)


def blank() -> Any:
    """An empty picture (a matplotlib Figure). Raises UsageError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        remedy = "install the extra `plots` (pip install 'ringdown[plots]')"
        raise UsageError(f"--plot needs matplotlib: {remedy}") from error
    return Figure(figsize=(11, 6), layout="constrained")


def save(figure: Any, path: Path) -> None:
    """Write it as what the name's ending says, .png or .svg; no date in it. Raises SiteError."""
    try:
        figure.savefig(path, format=path.suffix[1:], metadata={"Date": None} if path.suffix == ".svg" else None)
    except OSError as error:
        raise SiteError(f"can't write {path}: {error.strerror or error}") from error


def _callers(figure: Any, wish: Wish, lines: Sequence[Line]) -> None:
    """Above: who came and who left; below: service level in both forms. Lines of one interval are added up."""
    merged: dict[tuple[int, str], kpi.Sums] = {}
    for line in lines:
        place = (line.begin_ms, "") if wish.interval != "none" else (0, line.key)
        merged.setdefault(place, kpi.Sums()).merge(line.sums)
    names = [key or begin_text(wish, begin) for begin, key in merged]
    sums, places = list(merged.values()), range(len(merged))
    above, below = figure.subplots(2, 1, sharex=True)
    above.bar(places, [each.connected for each in sums], label="answered", color=COLOURS["talking"])
    above.bar(places, [each.abandoned for each in sums], bottom=[each.connected for each in sums],
              label="abandoned", color=COLOURS["not_ready"])  # fmt: skip
    above.set_ylabel("callers")
    above.legend(loc="upper left")
    for formula, name in ((kpi.level, "service level"), (kpi.level_patient, "without short abandons")):
        below.plot(places, [formula(each) for each in sums], marker="o", markersize=3, label=name)
    below.set_ylim(0, 102)
    below.set_ylabel(f"percent within {wish.within_ms / 1000:g} s")
    below.legend(loc="lower left")
    _name(below, names)


def _agents(figure: Any, lines: Sequence[Line]) -> None:
    """Each agent's hours by state, stacked, off duty left out."""
    merged: dict[str, dict[str, int]] = {}
    for line in lines:
        spent = merged.setdefault(line.key, {})
        for state, ms in line.worked.ms.items():
            spent[state] = spent.get(state, 0) + ms
    axes = figure.subplots()
    left = [0.0] * len(merged)
    for state in STATES:
        hours = [spent.get(state, 0) / 3_600_000 for spent in merged.values()]
        if state == "logged_out" or not any(hours):
            continue
        axes.bar(range(len(merged)), hours, bottom=left, label=state.replace("_", " "), color=COLOURS[state])
        left = [one + two for one, two in zip(left, hours, strict=True)]
    axes.set_ylabel("hours")
    if any(left):
        axes.legend(loc="upper right")
    _name(axes, list(merged))


def _name(axes: Any, names: list[str]) -> None:
    step = max(1, -(-len(names) // labels_max))
    axes.set_xticks(range(0, len(names), step), names[::step], rotation=60, ha="right", fontsize=8)

"""A report as a table, JSON or comma-separated values."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from engine.cli import show
from engine.records.report import Line, Wish, figures

_DAYS = ("day", "week", "month")


def begin_text(wish: Wish, begin_ms: int) -> str:
    """The interval's beginning in the report's zone; days are local already."""
    if wish.interval in _DAYS:
        return datetime.fromtimestamp(begin_ms / 1000, UTC).strftime("%Y-%m-%d")
    ahead = next((offset for at, offset in reversed(wish.offsets) if at <= begin_ms), 0) if wish.offsets else 0
    return datetime.fromtimestamp((begin_ms + ahead) / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def rows(wish: Wish, lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Each line as named figures, led by its interval and its queue, agent or tenant."""
    found: list[dict[str, Any]] = []
    for line in lines:
        row: dict[str, Any] = {}
        if wish.interval != "none":
            row["begin"] = begin_text(wish, line.begin_ms)
        if wish.by != "all":
            row[wish.by] = line.key
        found.append({**row, **figures(line, wish.by)})
    return found


def as_json(wish: Wish, found: list[dict[str, Any]], resolution_days: int, solved: float | None) -> str:
    """Rows with what was asked for; shares in percent, times in ms, null where there is nothing to divide by."""
    asked: dict[str, Any] = {
        "by": wish.by, "interval": wish.interval, "since_ms": wish.since_ms, "until_ms": wish.until_ms,
        "within_ms": wish.within_ms, "targets_ms": wish.targets, "short_abandon_ms": wish.short_ms, "rows": found,
    }  # fmt: skip
    if resolution_days:
        asked["resolution"] = {"days": resolution_days, "percent": solved}
    return show.as_json(asked)


def as_csv(found: list[dict[str, Any]]) -> str:
    """A header and one line each; reasons of pauses as `lunch=60000 training=1000`."""
    if not found:
        return ""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(found[0]), lineterminator="\n")
    writer.writeheader()
    for row in found:
        writer.writerow({key: _plain(value) for key, value in row.items()})
    return out.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return " ".join(f"{key}={part}" for key, part in value.items())
    if isinstance(value, float):
        return f"{value:.3f}"
    text = "" if value is None else value
    # a spreadsheet would run a cell that begins like a formula
    return f"'{text}" if isinstance(text, str) and text[:1] in ("=", "+", "-", "@") else text


def as_table(wish: Wish, found: list[dict[str, Any]], columns: Sequence[tuple[str, str]]) -> str:
    """For people: times as durations, shares to a tenth of a percent."""
    shown = [
        {key: show.seconds(value) if key.endswith("_ms") and not isinstance(value, dict) else value
         for key, value in row.items()}
        for row in found
    ]  # fmt: skip
    heads = [("begin", "begin")] if wish.interval != "none" else []
    if wish.by != "all":
        heads.append((wish.by, wish.by))
    return show.table(shown, [*heads, *columns])

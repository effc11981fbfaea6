"""Printing: tables whose columns fit, durations for people, JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from engine.console.format import clock, seconds, width

__all__ = ["as_json", "clock", "effect", "seconds", "table", "until", "width"]


def table(rows: Sequence[dict[str, Any]], columns: Sequence[tuple[str, str]]) -> str:
    """`columns`: (key, heading). Numbers stand right, text left; an empty list says so."""
    if not rows:
        return "none"
    texts = [[_cell(row.get(key)) for key, _ in columns] for row in rows]
    heads = [heading for _, heading in columns]
    widths = [max(width(cell) for cell in column) for column in zip(heads, *texts, strict=True)]
    numbers = [all(isinstance(row.get(key), int | float | None) for row in rows) for key, _ in columns]

    def line(cells: Sequence[str]) -> str:
        padded = []
        for cell, size, number in zip(cells, widths, numbers, strict=True):
            space = " " * (size - width(cell))
            padded.append(space + cell if number else cell + space)
        return "  ".join(padded).rstrip()

    return "\n".join([line(heads), *map(line, texts)])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value)


def as_json(value: Any) -> str:
    """JSON for people and programs: indented, not escaped."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def until(text: str) -> dict[str, str]:
    """The argument that an `--until` becomes; none when it wasn't given. Raises UsageError."""
    import time

    from engine.cli import times

    return {"until_ms": str(times.coming(text, time.time()))} if text else {}


def effect(what: str, result: dict[str, Any]) -> str:
    """What an operator's command has done, until when, and how it is undone."""
    ends = f" until {clock(int(result['until_ms']), date=True)}" if result.get("until_ms") else ""
    return f"{what}: {result['done']}{ends}   (undo: {result['undo']})"

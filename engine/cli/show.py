"""Printing: tables whose columns fit, durations for people, JSON."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from typing import Any


def width(text: str) -> int:
    """Terminal cells of a text (Chinese characters take two)."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


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


def seconds(ms: int | float | None) -> str:
    """ "0.4 s", "75 s", "1 h 02 min"; '' for None."""
    if ms is None:
        return ""
    if ms < 10_000:
        return f"{ms / 1000:.1f} s"
    if ms < 3_600_000:
        return f"{ms / 1000:.0f} s"
    return f"{int(ms // 3_600_000)} h {int(ms // 60_000 % 60):02d} min"


def clock(at_ms: int, *, date: bool = False) -> str:
    """Local wall time of Unix ms."""
    import time

    moment = time.localtime(at_ms / 1000)
    text = time.strftime("%Y-%m-%d %H:%M:%S" if date else "%H:%M:%S", moment)
    return text if date else f"{text}.{at_ms % 1000:03d}"

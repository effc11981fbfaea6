"""The calibration report: what to ask the store for and how its columns become counts (as in `report`; pure).

One piece holds whole columns of a stretch of time: names of queues, and one integer for each promise's outcome, its
way and its width.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np

from engine.records import kpi_promises
from engine.records.kpi_promises import Promises
from engine.records.report import Wish
from engine.records.schema import Query

OUTCOMES = ("kept", "sooner", "later", "open")
WAYS = ("joining", "spoken")
_WIDE = 16  # an integer is width_ms · 16 + bounded · 8 + spoken · 4 + outcome
_read_names = msgspec.json.Decoder(list[str]).decode

Piece = Sequence[Any]  # (names as a JSON array, integers as text), None without rows
Counted = dict[tuple[str, str], Promises]  # by (name, way)


def query(wish: Wish) -> Query:
    """A Piece of the promises made in the wish's time, by queue, tenant or all. The outcome is `kpi_promises`'s."""
    where, values = ["at_ms >= ?", "at_ms < ?"], [wish.since_ms, wish.until_ms]
    texts: list[str | int] = []
    for name, value in (("tenant", wish.tenant), ("queue", wish.queue)):
        if value:
            where.append(f"{name} = ?")
            texts.append(value)
    outcome = (
        "CASE WHEN high_ms > 0 AND waited_ms > high_ms THEN 2 WHEN result != 'connected' THEN 3 "
        "WHEN waited_ms < low_ms THEN 1 ELSE 0 END"
    )
    word = f"max(high_ms - low_ms, 0) * {_WIDE} + (high_ms > 0) * 8 + spoken * 4 + {outcome}"
    key = {"queue": "queue", "tenant": "tenant", "all": "''"}[wish.by]
    return (
        f"SELECT json_group_array({key}), group_concat({word}) FROM promises WHERE {' AND '.join(where)}",
        [*values, *texts],
    )


def counts(pieces: Iterable[Piece]) -> Counted:
    """All promises of the pieces, by (name, way)."""
    found: Counted = {}
    for names, words in pieces:
        if words is None:
            continue
        column = np.fromstring(words, dtype=np.int64, sep=",")
        numbers: dict[str, int] = {}
        of_name = np.fromiter(
            (numbers.setdefault(name, len(numbers)) for name in _read_names(names)), np.int64, len(column)
        )
        kinds = of_name * _WIDE + column % _WIDE
        many = np.bincount(kinds, minlength=len(numbers) * _WIDE).tolist()
        widths = np.bincount(kinds, weights=column // _WIDE, minlength=len(numbers) * _WIDE).tolist()
        for name, number in numbers.items():
            for kind in range(_WIDE):
                if many[number * _WIDE + kind]:
                    here = found.setdefault((name, WAYS[kind >> 2 & 1]), Promises())
                    _add(here, kind, many[number * _WIDE + kind], round(widths[number * _WIDE + kind]))
    return found


def _add(here: Promises, kind: int, many: int, width_ms: int) -> None:
    name = OUTCOMES[kind & 3]
    setattr(here, name, getattr(here, name) + many)
    if kind & 8:
        here.bounded += many
        here.width_ms += width_ms


def rows(counted: Counted, by: str) -> list[dict[str, object]]:
    """A row for each name and way, ordered; shares in percent, widths in ms, None where nothing can be judged."""
    return [
        {**({by: name} if by != "all" else {}), "way": way, **_figures(counted[name, way])}
        for name, way in sorted(counted)
    ]


def _figures(each: Promises) -> dict[str, object]:
    low, high = kpi_promises.kept_interval(each) or (None, None)
    return {
        "made": kpi_promises.made(each), "kept": each.kept, "sooner": each.sooner, "later": each.later,
        "open": each.open, "kept_percent": kpi_promises.kept_share(each), "kept_percent_low": low,
        "kept_percent_high": high, "width_ms": kpi_promises.mean_width(each),
    }  # fmt: skip

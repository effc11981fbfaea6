"""Durations, times and widths as they stand in a terminal."""

from __future__ import annotations

from engine.console import format as show


def test_durations() -> None:
    assert [show.seconds(ms) for ms in (None, 0, 420, 9_900, 75_400, 3_720_000)] == [
        "",
        "0.0 s",
        "0.4 s",
        "9.9 s",
        "75 s",
        "1 h 02 min",
    ]


def test_cells_are_counted_not_letters() -> None:
    assert show.cut("王小明", 6) == "王小明" and show.cut("王小明", 5) == "王小…" and show.cut("王小明", 4) == "王…"
    assert show.fit("ab", 4) == "ab  " and show.width(show.fit("王小明", 4)) == 4


def test_spans_are_short() -> None:
    assert [show.span(s) for s in (-1, 42, 725, 3_723)] == ["0:00", "0:42", "12:05", "1:02:03"]

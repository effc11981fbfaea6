"""Tables fit what they hold, Chinese names included."""

from __future__ import annotations

from engine.cli import show


def test_tables_align_by_terminal_cells() -> None:
    rows = [{"name": "王小明", "n": 5, "on": True}, {"name": "Ann", "n": None, "on": False}]
    lines = show.table(rows, [("name", "name"), ("n", "count"), ("on", "on"), ("gone", "gone")]).splitlines()
    assert lines[0].split() == ["name", "count", "on", "gone"]
    assert [show.width(line[: line.index(mark)]) for line, mark in zip(lines, ("count", "5"), strict=False)] == [8, 12]
    assert lines[2].split() == ["Ann", "no"]
    assert show.table([], [("a", "a")]) == "none"


def test_lists_and_fractions() -> None:
    assert show.table([{"a": ["x", "y"], "b": 1.25}], [("a", "a"), ("b", "b")]).splitlines()[1].split() == [
        "x",
        "y",
        "1.2",
    ]


def test_clock_and_json() -> None:
    assert show.clock(1_700_000_000_123).endswith(".123")
    assert len(show.clock(1_700_000_000_123, date=True)) == 19
    assert show.as_json({"名": 1}) == '{\n  "名": 1\n}'

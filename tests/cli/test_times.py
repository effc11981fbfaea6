"""Times as operators type them, in the machine's zone."""

from __future__ import annotations

import time

import pytest

from engine.cli import times
from engine.errors import UsageError

NOW = time.mktime((2026, 11, 26, 12, 0, 0, 0, 0, -1))


def at(*parts: int) -> int:
    return int(time.mktime((*parts, 0, 0, -1)) * 1000)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10:40", at(2026, 11, 26, 10, 40, 0)), ("10:40:30", at(2026, 11, 26, 10, 40, 30)),
        ("13:00", at(2026, 11, 25, 13, 0, 0)),  # not yet today: yesterday's
        ("5m", int(NOW * 1000) - 300_000), ("90s", int(NOW * 1000) - 90_000), ("2h", int(NOW * 1000) - 7_200_000),
        ("2026-01-02 03:04", at(2026, 1, 2, 3, 4, 0)), ("2026-01-02T03:04:05", at(2026, 1, 2, 3, 4, 5)),
        ("2026-01-02", at(2026, 1, 2, 0, 0, 0)),
    ],
)  # fmt: skip
def test_since(text: str, expected: int) -> None:
    assert times.past(text, NOW) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("14:00", at(2026, 11, 26, 14, 0, 0)), ("10:40", at(2026, 11, 27, 10, 40, 0)),
        ("30m", int(NOW * 1000) + 1_800_000), ("2026-12-24 18:00", at(2026, 12, 24, 18, 0, 0)),
    ],
)  # fmt: skip
def test_until(text: str, expected: int) -> None:
    assert times.coming(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "soon", "25:00", "10:61", "-5m", "5 weeks", "2026-13-01", "2026-01-99 10:00"])
def test_nonsense_is_wrong_use(text: str) -> None:
    for read in (times.past, times.coming):
        with pytest.raises(UsageError, match="is no time"):
            read(text, NOW)


def test_what_is_over_is_no_end() -> None:
    for text in ("2020-01-01", "0s"):
        with pytest.raises(UsageError, match="is over already"):
            times.coming(text, NOW)

"""Tags into values, whatever the language."""

from __future__ import annotations

import pytest

from engine.speech import slot_values
from engine.speech.grammar import Slot


@pytest.mark.parametrize(
    ("tags", "number"),
    [
        ("+12 *1000 +2 ^100 +5", 12_205),
        ("+1 ^100 +20 +3 *1000", 123_000),
        ("^10 +5", 15),
        ("+3 ^1000 +2 ^10 *10000 +5 ^100", 30_200_500),
        ("- +7", -7),
        ("", 0),
    ],
)
def test_numbers_are_counted_up(tags: str, number: int) -> None:
    assert slot_values.counted(tags.split()) == number


@pytest.mark.parametrize(
    ("slot", "tags", "today", "expected"),
    [
        (Slot("choice"), "=ann", "", ("ann",)),
        (Slot("digits", 3, 3), "x2 0 7", "", ("007",)),
        (Slot("digits", 4, 4), "x2 0 7", "", ()),
        (Slot("number", 5, 0), "+4", "", ()),
        (Slot("amount", currency="KWD"), "+1 p 5", "", (1_500,)),
        (Slot("amount", currency="USD"), "+1 p 5 0 0", "", ()),
        (Slot("date"), "D29 M2 Y2000 Y27", "2026-11-27", ()),
        (Slot("date"), "W0 D1 M1", "", ("2024-01-01",)),
        (Slot("date"), "+1", "2027-02-28", ("2027-03-01",)),
        (Slot("time"), "to m15 h1", "", ("12:45", "00:45")),
        (Slot("time"), "h108", "", ("08:00",)),
    ],
)
def test_values(slot: Slot, tags: str, today: str, expected: tuple[str, ...]) -> None:
    assert slot_values.values(slot, tags.split(), today) == expected


def test_bounds_are_never_open_above() -> None:
    assert slot_values.bounds(Slot("number")) == (0, 999_999)
    assert slot_values.bounds(Slot("number", 5)) == (5, 999_999)
    assert slot_values.bounds(Slot("number", -5, 0)) == (-5, 0)

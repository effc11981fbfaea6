"""What English callers say for the built-in slots, and what it means. Today is Friday, 27 November 2026."""

from __future__ import annotations

import num2words
import pytest

from engine.speech import matcher
from engine.speech.grammar import Slot
from engine.speech.ports import Heard
from engine.speech.slot_values import Value
from tests.speech.models import grammar

TODAY = "2026-11-27"


def meant(said: str, slot: Slot) -> list[Value]:
    readings: list[Heard] = matcher.read(grammar("$x", x=slot), said, TODAY)
    return [reading.slots["x"] for reading in readings]


@pytest.mark.parametrize(
    ("said", "slot", "expected"),
    [
        ("yeah", Slot("yes_no"), [True]),
        ("no that's wrong", Slot("yes_no"), [False]),
        ("yes no", Slot("yes_no"), []),
        ("one two oh four", Slot("digits", 4, 4), ["1204"]),
        ("double oh seven", Slot("digits", 3, 3), ["007"]),
        ("triple five", Slot("digits", 4, 4), []),
        ("nine triple five one", Slot("digits", 4, 6), ["95551"]),
        ("one two three four five six seven eight nine", Slot("digits"), ["123456789"]),
        ("five", Slot("digits", 2, 0), []),
        ("five six", Slot("digits", 2, 0), ["56"]),
        ("minus five", Slot("number", -10, 10), [-5]),
        ("minus eleven", Slot("number", -10, 10), []),
        ("zero", Slot("number", -10, 0), [0]),
        ("a hundred and five", Slot("number", 5, 200), [105]),
        ("two thousand and six", Slot("number"), [2_006]),
        ("nine hundred ninety nine million", Slot("number", 0, 999_999_999), [999_000_000]),
        ("twelve", Slot("number", 13, 99), []),
        ("twelve fifty", Slot("amount", currency="USD"), [1_250]),
        ("a hundred twenty", Slot("amount", currency="USD"), [12_000, 10_020]),
        ("twelve dollars and five cents", Slot("amount", currency="USD"), [1_205]),
        ("a dollar", Slot("amount", currency="USD"), [100]),
        ("fifty cents", Slot("amount", currency="EUR"), [50]),
        ("three oh five", Slot("amount", currency="GBP"), [305]),
        ("twelve point five euros", Slot("amount", currency="EUR"), [1_250]),
        ("five hundred yen", Slot("amount", currency="JPY"), [500]),
        ("twelve fifty", Slot("amount", currency="JPY"), []),
        ("twelve dinars", Slot("amount", currency="KWD"), []),
        ("twelve", Slot("amount", currency="KWD"), [12_000]),
        ("eleven dollars", Slot("amount", 0, 10, currency="USD"), []),
        ("fifty cents", Slot("amount", 5, 10, currency="USD"), []),
        ("today", Slot("date"), ["2026-11-27"]),
        ("the day after tomorrow", Slot("date"), ["2026-11-29"]),
        ("friday", Slot("date"), ["2026-12-04"]),
        ("this friday", Slot("date"), ["2026-11-27"]),
        ("on monday", Slot("date"), ["2026-11-30"]),
        ("next sunday", Slot("date"), ["2026-12-06", "2026-11-29"]),
        ("next monday", Slot("date"), ["2026-11-30"]),
        ("march fourth", Slot("date"), ["2027-03-04"]),
        ("the fourth of december", Slot("date"), ["2026-12-04"]),
        ("four december twenty thirty", Slot("date"), ["2030-12-04"]),
        ("two june", Slot("date"), []),
        ("monday the fourth of december", Slot("date"), []),
        ("friday december the fourth", Slot("date"), ["2026-12-04"]),
        ("february twenty ninth", Slot("date"), ["2028-02-29"]),
        ("february thirtieth", Slot("date"), []),
        ("february twenty ninth twenty twenty seven", Slot("date"), []),
        ("may first nineteen eighty four", Slot("date"), ["1984-05-01"]),
        ("may first two thousand and one", Slot("date"), ["2001-05-01"]),
        ("may first twenty oh one", Slot("date"), ["2001-05-01"]),
        ("the thirty first", Slot("date"), ["2026-12-31"]),
        ("the fifth", Slot("date"), ["2026-12-05"]),
        ("in a week", Slot("date"), ["2026-12-04"]),
        ("three days from now", Slot("date"), ["2026-11-30"]),
        ("half past three", Slot("time"), ["15:30", "03:30"]),
        ("eight", Slot("time"), ["08:00", "20:00"]),
        ("8 pm", Slot("time"), ["20:00"]),
        ("twelve oh five a m", Slot("time"), ["00:05"]),
        ("twelve thirty", Slot("time"), ["12:30", "00:30"]),
        ("twenty five minutes to one", Slot("time"), ["12:35", "00:35"]),
        ("quarter past nine in the evening", Slot("time"), ["21:15"]),
        ("two at night", Slot("time"), ["02:00"]),
        ("eleven tonight", Slot("time"), ["23:00"]),
        ("fifteen oh five", Slot("time"), ["15:05"]),
        ("oh nine thirty", Slot("time"), ["09:30"]),
        ("midnight", Slot("time"), ["00:00"]),
        ("fourteen thirty hours", Slot("time"), ["14:30"]),
        ("thirteen p.m.", Slot("time"), []),
        ("a b double l", Slot("spelled"), ["abll"]),
        ("b as in bravo charlie z for zebra zed", Slot("spelled", 2, 5), ["bczz"]),
        ("b as in apple", Slot("spelled"), []),
        ("a", Slot("spelled", 2, 5), []),
    ],
)
def test_what_is_said_and_meant(said: str, slot: Slot, expected: list[Value]) -> None:
    assert meant(said, slot) == expected


@pytest.mark.parametrize(("low", "high"), [(0, 120), (7, 7), (95, 1_105), (990, 21_010), (899_950, 1_000_050)])
def test_numbers_are_exact_at_the_ends_of_a_range(low: int, high: int) -> None:
    slot = Slot("number", low, high)
    near = {low, low + 1, high - 1, high, (low + high) // 2, low - 1, high + 1, low - 10, high + 100}
    for number in sorted(one for one in near if one >= 0):
        said = num2words.num2words(number).replace("-", " ")
        assert meant(said, slot) == ([number] if low <= number <= high else []), said

"""Emergency numbers: a list for every country whose numbering is known."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from engine.dialplan.emergency_numbers import NUMBERS
from engine.dialplan.number_plans import COUNTRIES

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "numbers" / "numbers.json"
UNION = "at be bg cy cz de dk ee es fi fr gr hr hu ie it lt lu lv mt nl pl pt ro se si sk".split()


def test_every_country_has_its_numbers() -> None:
    assert NUMBERS.keys() == COUNTRIES.keys()
    assert all(re.fullmatch("[0-9]{2,6}", number) for numbers in NUMBERS.values() for number in numbers)
    assert all(len(set(numbers)) == len(numbers) for numbers in NUMBERS.values())


@pytest.mark.parametrize("country", UNION)
def test_112_works_in_the_whole_union(country: str) -> None:
    assert "112" in NUMBERS[country]


def test_those_that_people_know_best() -> None:
    assert NUMBERS["us"][0] == NUMBERS["ca"][0] == "911" and "999" in NUMBERS["gb"] and "110" in NUMBERS["de"]
    assert {"110", "119", "120"} <= set(NUMBERS["cn"]) and "000" in NUMBERS["au"]


@pytest.mark.parametrize("country", NUMBERS)
def test_whatever_libphonenumber_takes_for_one_is_one(country: str) -> None:
    assert set(json.loads(VECTORS.read_text())[country]["emergency"]) <= set(NUMBERS[country])

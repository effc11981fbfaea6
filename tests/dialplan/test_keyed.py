"""Values by keys: dates in five forms, times, amounts, yes and no, choices by place."""

from __future__ import annotations

import pytest

from engine.dialplan import keyed
from engine.dialplan.types import Type, Value

MONEY, CHOICE = Type("money", words=("EUR",)), Type("choice", words=("red", "green", "blue"))


@pytest.mark.parametrize(("kind", "keys", "form", "value"), [
    (Type("date"), "20260309", "yyyymmdd", "2026-03-09"), (Type("date"), "09032026", "ddmmyyyy", "2026-03-09"),
    (Type("date"), "03092026", "mmddyyyy", "2026-03-09"), (Type("date"), "0903", "ddmm", "2026-03-09"),
    (Type("date"), "0309", "mmdd", "2026-03-09"), (Type("date"), "0302", "ddmm", "2027-02-03"),
    (Type("date"), "2902", "ddmm", "2028-02-29"), (Type("date"), "3102", "ddmm", None),
    (Type("date"), "20260230", "yyyymmdd", None), (Type("date"), "0*03", "ddmm", None),
    (Type("time"), "0830", "", "08:30"), (Type("time"), "2460", "", None),
    (Type("flag"), "1", "", True), (Type("flag"), "2", "", False), (Type("flag"), "3", "", None),
    (CHOICE, "2", "", "green"), (CHOICE, "4", "", None), (CHOICE, "0", "", None),
    (MONEY, "12*5", "", 1250), (MONEY, "12", "", 1200), (MONEY, "*5", "", None), (MONEY, "1**5", "", None),
    (Type("number"), "007", "", 7), (Type("digits"), "007", "", "007"),
])  # fmt: skip
def test_what_keys_mean(kind: Type, keys: str, form: str, value: Value | None) -> None:
    assert keyed.value(kind, keys, form, "2026-03-04") == value


def test_how_many_keys() -> None:
    assert keyed.lengths(Type("date"), "ddmm") == (4, 4)
    assert keyed.lengths(Type("choice", words=tuple(f"w{n}" for n in range(12))), "") == (1, 2)
    assert keyed.lengths(Type("digits"), "") == (0, 0)
    assert keyed.lengths(MONEY, "")[1] == 12


def test_without_a_clock_a_date_without_a_year_is_none() -> None:
    assert keyed.value(Type("date"), "0903", "ddmm", "") is None

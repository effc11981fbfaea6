"""Shifts and special days from YAML, agents at work in an interval, sentences about gaps."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.acd import roster
from engine.acd.demand import Special
from engine.acd.roster import DAY_S, Gap, Shift, day_of, planned, read_days, read_shifts, sentences
from engine.errors import LocalError, UsageError

MONDAY = date(2026, 3, 2).toordinal() - date(1970, 1, 1).toordinal()
SHIFTS = b"""
shifts:
  - {name: early, start: 08:00, end: "16:30", days: mon-fri, agents: 6}
  - name: night
    start: "22:00"
    end: "06:00"
    days: [fri, sat-sun]
    agents: 2
"""


def at(day: int, hour: float) -> int:
    return (MONDAY + day) * DAY_S + round(hour * 3600)


def test_shifts_are_read() -> None:
    early, night = read_shifts(SHIFTS, "s.yaml")
    assert early == Shift("early", 8 * 3600, 16 * 3600 + 1800, (0, 1, 2, 3, 4), 6)
    assert night == Shift("night", 22 * 3600, 30 * 3600, (4, 5, 6), 2)


def test_who_is_at_work() -> None:
    shifts = read_shifts(SHIFTS, "s.yaml")
    assert planned(shifts, at(0, 8), at(0, 8.5)) == 6 and planned(shifts, at(0, 7.5), at(0, 8)) == 0
    assert planned(shifts, at(0, 16), at(0, 17)) == 3  # half of the hour
    assert planned(shifts, at(5, 2), at(5, 3)) == 2 and planned(shifts, at(4, 2), at(4, 3)) == 0  # over midnight
    assert planned(shifts, at(7, 5), at(7, 7)) == 1  # Sunday's night ends on Monday at six
    assert planned([], at(0, 1), at(0, 2)) == 0
    with pytest.raises(LocalError):
        planned(shifts, 5, 5)


@given(st.integers(0, 167), st.integers(1, 60))
def test_coverage_adds_up(hour: int, hours: int) -> None:
    """An interval's agent hours are the sum of its hours', wherever it begins."""
    shifts = read_shifts(SHIFTS, "s.yaml")
    whole = planned(shifts, at(0, hour), at(0, hour + hours)) * hours
    assert whole == pytest.approx(sum(planned(shifts, at(0, hour + n), at(0, hour + n + 1)) for n in range(hours)))


def test_special_days_are_read() -> None:
    found = read_days(b"days:\n- {date: 2026-12-25, name: christmas, calls: 20%}\n- {date: 2026-04-03, name: x}\n", "d")
    assert found == {day_of("2026-12-25"): Special("christmas", 0.2), day_of("2026-04-03"): Special("x", None)}
    assert roster.date_of(day_of("2026-12-25")) == "2026-12-25"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("shifts: [{name: a, start: 8, end: 09:00, days: mon, agents: 1}]", "f:1:27: '8' is no time of day"),
        ("shifts: [{name: a, start: 08:00, end: 24:30, days: mon, agents: 1}]", "'24:30' is no time"),
        ("shifts: [{name: a, start: 24:00, end: 06:00, days: mon, agents: 1}]", "starts before 24:00"),
        ("shifts: [{name: a, start: 08:00, end: 09:00, days: mon-day, agents: 1}]", "f:1:52: 'mon-day' are no days"),
        ("shifts: [{name: a, start: 08:00, end: 09:00, days: mon, agents: 0}]", "agents: a whole number from 1"),
        ("shifts: [{name: a, start: 08:00, end: 09:00, days: mon, agents: " + "9" * 5000 + "}]", "agents: a whole"),
        ("shifts: [{name: a, start: 08:00, end: 09:00, days: mon}]", "agents missing"),
        ("shifts: [{name: a, start: 08:00, end: 09:00, days: mon, agents: 1, who: x}]", "unknown key 'who'"),
        ("shifts: []", "at least one entry"),
        ("shifts: [early]", "has the keys"),
        ("rota: []", "one key, `shifts:`"),
        ("", "one key"),
        ("shifts: [{name: a, start: &x 08:00, end: 09:00, days: mon, agents: 1}]", "f:1:"),
        ("shifts:\n- name: [a]\n  start: 08:00\n  end: 09:00\n  days: mon\n  agents: 1\n", "f:2:9: name: one word"),
        ("shifts:\n- name: a\n  start: 08:00\n  end: 09:00\n  days: []\n  agents: 1\n", "days: at least one"),
    ],
)
def test_wrong_shifts_say_where(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_shifts(text.encode(), "f")
    assert said in str(caught.value) and str(caught.value).startswith("f:") and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("days: [{date: 2026-02-30, name: x}]", "f:1:15: '2026-02-30' is no date"),
        ("days: [{date: 2026-02-03, name: x, calls: 0.2}]", "calls: a share of a usual day"),
        ("days: [{date: 2026-02-03, name: x}, {date: 2026-02-03, name: y}]", "stands here twice"),
    ],
)
def test_wrong_days_say_where(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_days(text.encode(), "f")
    assert said in str(caught.value)


def gaps(*agents: int, day: int = 0, hour: float = 10) -> list[Gap]:
    return [Gap(at(day, hour + n / 2), at(day, hour + n / 2 + 0.5), each) for n, each in enumerate(agents)]


def test_sentences() -> None:
    assert sentences(gaps(-3, -3, -3)) == ["short 3 agents from 10:00 until 11:30"]
    assert sentences(gaps(-1, -4, 0, 2, -1)) == ["short 1 to 4 agents from 10:00 until 11:00",
                                                 "short 1 agent from 12:00 until 12:30"]  # fmt: skip
    assert sentences(gaps(0, 2, 3), over=True) == ["2 to 3 agents over from 10:30 until 11:30"]
    assert sentences(gaps(0, 2)) == [] and sentences([]) == []
    assert sentences(gaps(-2, hour=23.5)) == ["short 2 agents from 23:30 until 24:00"]


def test_sentences_name_the_day_and_stop_where_records_do() -> None:
    assert sentences(gaps(-1) + gaps(-1, hour=12) + gaps(-2, day=1)) == [
        "2026-03-02: short 1 agent from 10:00 until 10:30", "2026-03-02: short 1 agent from 12:00 until 12:30",
        "2026-03-03: short 2 agents from 10:00 until 10:30",
    ]  # fmt: skip

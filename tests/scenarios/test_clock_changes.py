"""Tests of dialplans that depend on the clock: both nights of a change, hours across midnight, seasons, two zones."""

from __future__ import annotations

import pytest

from engine.sim.coverage import coverage_of
from engine.sim.examining import examine
from tests.sim.shows import good, site

PLAN = """
ringdown: 1
flows:
  main:
    - answer
    - hours: {calendar: night_desk, closed: shut}
    - play: hello
    - hangup: served
  shut:
    - play: goodbye
    - hangup: closed
"""
CAMP = """
ringdown: 1
flows:
  main:
    - answer
    - play: thanks
    - hangup: served
"""
SITE = """
ringdown: 1
time_zone: Europe/London
languages: [en]
numbers:
  100:
    dialplan: main
    public: yes
    seasons:
      - {dialplan: camp, from: 2026-07-01, until: 2026-08-31}
"""
CALENDARS = """
night_desk:
  open: [daily 22:00-06:00]
  special: {12-25: closed}
"""
MADE = site(**{
    "site.yaml": SITE, "dialplans/main.yaml": PLAN, "dialplans/camp.yaml": CAMP, "calendars.yaml": CALENDARS,
})  # fmt: skip


@pytest.mark.parametrize(
    ("at", "heard"),
    [
        ("2026-10-25 01:30 +01:00", "hello"),  # the hour that comes twice, first …
        ("2026-10-25 01:30 +00:00", "hello"),  # … and second
        ("2026-10-25 05:59", "hello"), ("2026-10-25 06:00", "goodbye"),
        ("2026-03-29 00:59", "hello"), ("2026-03-29 02:00", "hello"), ("2026-03-29 06:01", "goodbye"),
        ("2026-03-04 21:59", "goodbye"), ("2026-03-04 22:00", "hello"), ("2026-03-05 00:00", "hello"),
        ("2026-12-25 05:00", "hello"), ("2026-12-25 23:00", "goodbye"), ("2026-12-26 05:00", "goodbye"),
    ],
)  # fmt: skip
def test_hours_across_midnight_on_both_nights_of_a_change(at: str, heard: str) -> None:
    good(f"- hears: {heard}", given=f"at: {at}", of=MADE)


@pytest.mark.parametrize(
    ("at", "zone", "heard"),
    [("2026-03-04 06:30", "Europe/Berlin", "hello"), ("2026-03-05 06:30", "Asia/Shanghai", "hello"),
     ("2026-03-04 21:30", "America/New_York", "hello"), ("2026-03-04 22:30", "Europe/Berlin", "goodbye")],
)  # fmt: skip
def test_a_moment_of_somebody_elses_clock(at: str, zone: str, heard: str) -> None:
    good(f"- hears: {heard}", given=f"at: {at}\n  zone: {zone}", of=MADE)


def test_every_season_is_run_by_its_own_tests_and_the_others_are_named() -> None:
    usual = b"ringdown: 1\ntests:\n  a:\n    - hears: goodbye\n"
    camp = b"ringdown: 1\ntests:\n  b:\n    - hears: thanks\n"
    cover = coverage_of(MADE)
    report = examine(MADE, {"dialplans/main.test.yaml": usual})
    for _, result in report.results:
        assert result.given is not None
        cover.came(MADE, result.given)
        cover.saw(result.events)
    assert "100 in the season of default/camp" in [each.step for each in cover.missing()]
    report = examine(MADE, {"dialplans/camp.test.yaml": camp})
    assert report.ok(), (report.findings, report.failed())
    (result,) = [result for _, result in report.results]
    assert result.given is not None and result.story[0].endswith("Wednesday 2026-07-01 10:00 Europe/London")
    cover.came(MADE, result.given)
    assert not [each for each in cover.missing() if "season" in each.step]


def test_what_operators_have_switched() -> None:
    good("- hears: hello", given="at: 2026-03-04 12:00\n  calendars: {night_desk: open}", of=MADE)
    good("- hears: goodbye", given="at: 2026-03-04 23:00\n  calendars: {night_desk: closed}", of=MADE)
    plan = PLAN.replace("    - answer\n", "    - answer\n    - notice: thanks\n", 1)
    noticed = site(**{"dialplans/main.yaml": plan, "dialplans/camp.yaml": CAMP, "calendars.yaml": CALENDARS,
                      "site.yaml": SITE})  # fmt: skip
    good("- hears: [thanks, goodbye]", given="notices: {thanks: on}", of=noticed)
    good("- hears: goodbye\n- outcome: closed", given="notices: {thanks: off}", of=noticed)

"""Seasons: which dialplan answers on which day of which clock, and lines that cannot be meant."""

from __future__ import annotations

import pytest

from engine.dialplan import seasons
from engine.dialplan.model import NumberModel, Site
from engine.dialplan.reader import read_site
from tests.dialplan.site import BASE, STOCK
from tests.dialplan.test_calendars import at

PLAN = b"ringdown: 1\nflows:\n  main:\n    - reject: 480\n  festival:\n    - reject: 486\n"
CALENDARS = b"""
office: {open: always, periods: {spring: 2026-02-15 to 2026-02-22, shared: 05-01}}
other: {open: always, periods: {shared: 05-02}}
"""
TENANT = b"""
time_zone: Asia/Shanghai
entries:
  school:
    dialplan: school
    seasons:
"""


def read(*lines: str) -> tuple[Site | None, list[tuple[str, int, str]]]:
    rows = "".join(f"      - {line}\n" for line in lines).encode()
    site, findings = read_site(
        {
            **BASE, "site.yaml": b"ringdown: 1\nlanguages: [en]\nnumbers:\n  98667: chess/school\n",
            "tenants/chess/tenant.yaml": TENANT + rows, "tenants/chess/calendars.yaml": CALENDARS,
            "tenants/chess/dialplans/school.yaml": PLAN, "tenants/chess/dialplans/camp.yaml": PLAN,
        },
        STOCK,
    )  # fmt: skip
    return site, [(each.code, each.line, each.message) for each in findings if each.severity == "error"]


def number(*lines: str) -> tuple[Site, NumberModel]:
    site, wrong = read(*lines)
    assert site is not None, wrong
    return site, site.numbers["98667"]


CAMP = "{dialplan: camp, from: 2026-07-01, until: 2026-08-31}"
SPRING = "{flow: festival, during: spring}"


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-06-30 23:59", ("chess/school", "")), ("2026-07-01 00:00", ("chess/camp", "")),
        ("2026-08-31 23:59", ("chess/camp", "")), ("2026-09-01 00:00", ("chess/school", "")),
        ("2026-02-22 12:00", ("chess/school", "festival")), ("2027-07-01 12:00", ("chess/school", "")),
    ],
)  # fmt: skip
def test_the_last_day_is_inside_and_days_are_the_tenants(moment: str, expected: tuple[str, str]) -> None:
    site, model = number(CAMP, SPRING)
    zone = site.zones["Asia/Shanghai"]
    assert seasons.entered(model, zone, at(moment, "Asia/Shanghai")) == expected


def test_every_year_and_open_ends() -> None:
    site, model = number("{dialplan: camp, from: 12-20, until: 01-06}")
    zone = site.zones["Asia/Shanghai"]
    for year in (2025, 2026, 2040):
        assert seasons.entered(model, zone, at(f"{year}-12-31 12:00", "Asia/Shanghai"))[0] == "chess/camp"
    assert seasons.entered(model, zone, at("2026-01-07 12:00", "Asia/Shanghai"))[0] == "chess/school"
    site, model = number("{dialplan: camp, from: 2027-01-01}")
    assert seasons.entered(model, zone, at("2031-05-05 12:00", "Asia/Shanghai"))[0] == "chess/camp"
    assert seasons.ways(model) == [("chess/school", "", False), ("chess/camp", "", True)]


def test_a_number_has_seasons_too() -> None:
    season = b"    seasons: [{dialplan: main, from: 12-24}]\n"
    text = b"ringdown: 1\nlanguages: [en]\nnumbers:\n  100:\n    dialplan: main\n" + season
    _, findings = read_site({**BASE, "site.yaml": text}, STOCK)
    assert [(each.code, each.line) for each in findings] == [("RD122", 6)]  # a beginning of every year has no end
    text = text.replace(b"from: 12-24", b"from: 12-24, until: 12-26")
    site, findings = read_site({**BASE, "site.yaml": text}, STOCK)
    assert site is not None and findings == []
    assert len(site.numbers["100"].seasons[0].days) == 26


@pytest.mark.parametrize(
    ("lines", "code", "line"),
    [
        ((CAMP, "{flow: festival, from: 2026-08-31, until: 2026-09-05}"), "RD127", 8),
        (("{dialplan: camp, from: 12-20, until: 01-06}", "{flow: festival, from: 2030-01-01, until: 2030-01-01}"),
         "RD127", 8),
        ((SPRING, "{dialplan: camp, from: 2026-01-01}"), "RD127", 8),
        (("{dialplan: kamp, from: 2026-07-01}",), "RD038", 7),
        (("{flow: feast, from: 2026-07-01}",), "RD031", 7),
        (("{flow: festival, during: summer}",), "RD126", 7),
        (("{flow: festival, during: shared}",), "RD126", 7),
        (("{flow: festival, during: other.spring}",), "RD126", 7),
        (("{flow: festival, during: spring, from: 2026-01-01}",), "RD023", 7),
        (("{flow: festival}",), "RD022", 7),
        (("{from: 2026-07-01}",), "RD022", 7),
        (("{dialplan: camp, from: 2026-07-32}",), "RD122", 7),
        (("{dialplan: camp, from: 2026-08-01, until: 2026-07-01}",), "RD122", 7),
        (("{dialplan: camp, when: 2026-08-01}",), "RD021", 7),
        (("camp",), "RD023", 7),
    ],
)  # fmt: skip
def test_seasons_that_cannot_be_meant(lines: tuple[str, ...], code: str, line: int) -> None:
    _, wrong = read(*lines)
    assert (code, line) in [each[:2] for each in wrong], wrong
    assert len(wrong) == 1 or code in ("RD021", "RD022", "RD023")


def test_of_two_calendars_with_the_period_one_is_named() -> None:
    _, model = number("{flow: festival, during: other.shared}")
    assert len(model.seasons[0].days) == 26
    assert "office and other have a period 'shared'" in read("{flow: festival, during: shared}")[1][0][2]

"""Skills with certificates: read, dated in the tenant's zone, told a month ahead; every mistake has its place."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.dialplan.findings import Finding
from engine.dialplan.model import Site
from engine.dialplan.reader import read_site
from engine.dialplan.skills import DAY_MS, end_of_day
from tests.dialplan.site import BASE, STOCK

HEAD = "200:\n  name: Ana\n  team: front\n  queues: [support]\n  skills:\n"


def at(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * 1_000  # type: ignore[misc,arg-type]


def read(*skills: str, zone: str = "UTC", wall_ms: int = 0) -> tuple[Site | None, list[Finding]]:
    """Skills stand from line 6 on."""
    agents = HEAD + "".join(f"    {line}\n" for line in skills)
    site = f"ringdown: 1\nlanguages: [en]\ntime_zone: {zone}\nnumbers:\n  100: main\n"
    return read_site({**BASE, "agents.yaml": agents.encode(), "site.yaml": site.encode()}, STOCK, None, wall_ms)


GAS = "gas: {level: 4, certified_by: Gas Safe, valid_until: 2027-03-31}"


def test_level_certificate_and_date() -> None:
    site, findings = read("power: 3", GAS, zone="Europe/London")
    assert site is not None and findings == []
    ana = site.agents["default/200"]
    assert ana.skills == (("power", 3), ("gas", 4)) and ana.certified == (("gas", "Gas Safe"),)
    assert ana.expires == (("gas", at(2027, 3, 31, 23)),), "midnight after the day, in summer time"


def test_the_day_ends_where_the_tenant_lives() -> None:
    assert end_of_day("2027-01-01", "Asia/Shanghai") == at(2027, 1, 1, 16)
    assert end_of_day("2027-01-01", "America/New_York") == at(2027, 1, 2, 5)
    assert end_of_day("2027-01-01", "Nowhere/Atall") == at(2027, 1, 2)
    assert end_of_day("2024-02-29", "UTC") == at(2024, 3, 1)
    assert [end_of_day(text, "UTC") for text in ("2027-02-29", "20270101", "soon", "9999-12-31", "")] == [None] * 5


@pytest.mark.parametrize(
    ("wall_ms", "code", "words"),
    [
        (at(2027, 2, 28), "", ""),
        (at(2027, 3, 2), "RD103", "ends in 30 days"),
        (at(2027, 3, 30, 12), "RD103", "ends tomorrow"),
        (at(2027, 3, 31, 23, 59), "RD103", "ends today"),
        (at(2027, 4, 1), "RD104", "was valid until 2027-03-31"),
        (0, "", ""),
    ],
)
def test_it_is_told_thirty_days_ahead_and_refuses_no_site(wall_ms: int, code: str, words: str) -> None:
    site, findings = read(GAS, wall_ms=wall_ms)
    assert site is not None, "a certificate that ran out must not stop the whole site"
    assert [(each.code, each.file, each.line, each.column) for each in findings] == (
        [(code, "agents.yaml", 6, GAS.index("2027") + 5)] if code else []
    )
    assert all(words in each.message for each in findings)
    assert DAY_MS == 24 * 3_600_000


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("gas: {certified_by: Gas Safe}", "RD022"),
        ("gas: {level: 17}", "RD024"),
        ("gas: {level: 4, valid_until: 2027-02-30}", "RD024"),
        ("gas: {level: 4, valid_until: next year}", "RD024"),
        ("gas: {level: 4, valid_untill: 2027-02-28}", "RD021"),
        ("gas: {level: 4, valid_until: [2027]}", "RD023"),
        ("gas: [4]", "RD023"),
        ("Gas: 4", "RD027"),
    ],
)
def test_a_mistake_has_its_place(line: str, code: str) -> None:
    site, findings = read(line)
    assert site is None and (code, 6) in [(each.code, each.line) for each in findings]

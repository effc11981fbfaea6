"""calendars.yaml -> models, and every mistake in it at its place."""

from __future__ import annotations

import pytest

from engine.dialplan import calendars
from engine.dialplan.calendars import CalendarModel, Special, day_of
from engine.dialplan.findings import Finding
from engine.dialplan.model import Site
from engine.dialplan.reader import read_site
from tests.dialplan.site import BASE, STOCK, files_with, lines


def read(*texts: str, **more: str) -> tuple[Site | None, list[Finding]]:
    files = files_with({"calendars.yaml": lines("office:", *(f"  {each}" for each in texts)), **more})
    return read_site(files, STOCK)


def calendar(*texts: str) -> CalendarModel:
    site, findings = read(*texts)
    assert site is not None, findings
    assert findings == []
    return site.calendars["default/office"]


def wrong(*texts: str) -> list[tuple[str, int, str]]:
    return [(each.code, each.line, each.message) for each in read(*texts)[1]]


def day(text: str) -> int:
    found = day_of(text)
    assert found is not None
    return found


def test_hours_of_the_week() -> None:
    found = calendar("open:", "  - mon-thu 08:00-12:00 13:00-18:00", "  - fri,sat 18:00-02:00", "  - sun 00:00-24:00")
    assert found.weekly[0] == found.weekly[3] == ((480, 720), (780, 1_080))
    assert found.weekly[4] == found.weekly[5] == ((1_080, 1_560),)
    assert found.weekly[6] == ((0, 1_440),)
    assert calendar("open: always").weekly == (((0, 1_440),),) * 7
    assert calendar("open: [daily 9:00-17:30]").weekly == (((540, 1_050),),) * 7
    turned = calendar("open: [sat-mon 10:00-11:00]").weekly
    assert [bool(row) for row in turned] == [True, False, False, False, False, True, True]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("open: [mon-fry 08:00-18:00]", "'fry' is no day of the week"),
        ("open: [mon 8-18]", "'8-18' are no hours"),
        ("open: [mon 08:00-24:30]", "'08:00-24:30' are no hours"),
        ("open: [mon 08:61-18:00]", "'08:61-18:00' are no hours"),
        ("open: [mon 08:00-08:00]", "'08:00-08:00' is no time at all; the whole day is 00:00-24:00"),
        ("open: [mon]", "'mon' names no hours"),
        ("open: ['08:00-18:00']", "'08:00-18:00' names no days"),
        ("open: ['08:00-18:00 mon']", "days stand before their hours"),
        ("open: [mon 08:00-12:00, mon-fri 11:00-18:00]", "the hours of mon overlap: 08:00-12:00 and 11:00-18:00"),
    ],
)
def test_hours_that_make_no_sense(text: str, said: str) -> None:
    assert wrong(text) == [("RD121", 2, said)]


def test_special_days_of_one_year_win_over_those_of_every_year() -> None:
    found = calendar(
        "open: [daily 08:00-18:00]", "special:", "  12-24: 08:00-12:00", "  2026-12-24: closed",
        "  2026-12-30 to 2027-01-02: holiday", "  02-29: [08:00-09:00, 10:00-11:00]", "  2026-07-04: open",
    )  # fmt: skip
    assert found.special[day("2025-12-24")] == Special(((480, 720),))
    assert found.special[day("2026-12-24")] == Special()
    assert [found.special[day("2026-12-30") + ahead] for ahead in range(4)] == [Special((), True)] * 4
    assert day("2027-01-03") not in found.special
    leap = [calendars.written(each) for each, own in found.special.items() if len(own.hours) == 2]
    assert leap == [f"{year}-02-29" for year in range(2020, 2046, 4)]
    assert found.special[day("2026-07-04")] == Special(((0, 1_440),))


def test_a_summer_of_every_year_is_not_too_long() -> None:
    found = calendar("open: [daily 08:00-18:00]", "special: {05-01 to 09-30: 08:00-14:00}").special
    assert len(found) == 26 * 153 and found[day("2045-09-30")] == Special(((480, 840),))


def test_periods_by_date_and_every_year() -> None:
    found = calendar(
        "open: always", "periods:", "  storm: 2026-10-01 to 2027-03-31", "  winter: 12-01 to 02-28",
        "  camp: [2026-07-01 to 2026-08-31, 2027-07-01 to 2027-08-31]",
    )  # fmt: skip
    assert found.periods["storm"] == ((day("2026-10-01"), day("2027-03-31")),)
    assert (day("2026-12-01"), day("2027-02-28")) in found.periods["winter"]
    assert len(found.periods["camp"]) == 2


def test_public_holidays_are_days_with_names() -> None:
    british = calendar("open: always", "holidays: GB-ENG").holidays
    assert british[day("2026-12-25")] == "Christmas Day"
    assert british[day("2026-04-06")] == "Easter Monday"
    both = calendar("open: always", "holidays: [GB-SCT, CN]").holidays
    assert both[day("2026-11-30")] == "Saint Andrew's Day"
    assert both[day("2026-02-17")] == "Chinese New Year (Spring Festival)"
    assert calendar("open: always").holidays == {}


def test_mistakes_about_days_places_and_zones() -> None:
    always = "open: always"
    assert wrong(always, "special: {2026-02-30: closed}")[0][:2] == ("RD122", 3)
    assert wrong(always, "special: {2026-03-02 to 2026-03-01: closed}")[0][2] == "2026-03-01 comes before 2026-03-02"
    assert wrong(always, "special: {0001-01-01 to 9999-12-31: closed}")[0][:2] == ("RD122", 3)
    assert wrong(always, "periods: {state: 12-01}")[0][:2] == ("RD027", 3)
    assert wrong(always, "holidays: XX")[0][:2] == ("RD123", 3)
    assert wrong(always, "holidays: GB-LON")[0][2] == "GB has no part 'LON'"
    assert wrong(always, "holidays: Britain")[0][0] == "RD123"
    assert wrong(always, "time_zone: Europe/Lodnon") == [("RD120", 3, "no time zone 'Europe/Lodnon'")]
    assert wrong(always, "opens: 1")[0][:2] == ("RD021", 3)
    assert wrong("about: nothing else")[0][:2] == ("RD022", 1)


def test_a_tenant_has_calendars_and_a_zone_of_its_own() -> None:
    files = {
        **BASE,
        "calendars.yaml": b"office: {open: always}\n",
        "tenants/press/tenant.yaml": b"time_zone: Asia/Shanghai\n",
        "tenants/press/calendars.yaml": b"office: {open: [mon 08:00-09:00]}\nfar: {open: always, time_zone: "
        b"America/New_York}\n",
    }
    site, findings = read_site(files, STOCK)
    assert site is not None, findings
    assert sorted(site.calendars) == ["default/office", "press/far", "press/office"]
    assert site.calendars["press/office"].zone == "Asia/Shanghai"
    assert site.calendars["default/office"].zone == "UTC"
    assert sorted(site.zones) == ["America/New_York", "Asia/Shanghai", "UTC"]
    assert site.zones["Asia/Shanghai"] == ((0, 28_800_000),)

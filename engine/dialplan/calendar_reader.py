"""calendars.yaml: name -> hours, special days, public holidays, periods (LANGUAGE.md, calendars.yaml).

    office:
      open: [mon-fri 08:00-20:00, sat 09:00-13:00]
      holidays: GB-ENG
      special: {2026-12-24: 08:00-12:00, 12-31: closed}
      periods: {storm_season: 2026-10-01 to 2027-03-31}

Public holidays come from the `holidays` package, here and only here: a calendar holds days.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from itertools import pairwise

from engine import marks
from engine.dialplan import values, zones
from engine.dialplan.calendars import DAY_MINUTES, DAYS, CalendarModel, Hours, Special, Zone, day_of
from engine.dialplan.findings import Report, did_you_mean

KEYS = ("open", "holidays", "special", "periods", "time_zone", "about")
# names of facts about a calendar, so no period may be called so
FACTS = ("state",)
_RANGE = re.compile(r"([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})")
YEARLY = re.compile(r"([0-9]{2})-([0-9]{2})")
_COUNTRY = re.compile(r"([A-Z]{2})(?:-([A-Z0-9]{1,3}))?")
_WHOLE_DAY = ((0, DAY_MINUTES),)
periods_max, days_max = 100, 12_000


def read(
    report: Report, root: marks.Node | None, tenant: str, zone: str, wall_ms: int
) -> tuple[dict[str, CalendarModel], dict[str, Zone]]:
    """The calendars of one tenant, and the tables of their zones. `zone` is the tenant's; `wall_ms` as in read_site."""
    found: dict[str, CalendarModel] = {}
    tables: dict[str, Zone] = {}
    for key, value in values.mapping(report, root, "calendars.yaml") or ():
        name = values.name(report, key, "a calendar")
        form = values.mapping(report, value, f"the calendar {key.text}")
        if name is not None and form is not None:
            found[name] = _Reader(report, form, wall_ms).calendar(tenant, name, zone, key, tables)
    return found, tables


class _Reader:
    def __init__(self, report: Report, form: marks.Mapping, wall_ms: int) -> None:
        self.report = report
        self.form = form
        self.years = zones.years(wall_ms)

    def calendar(
        self, tenant: str, name: str, zone: str, key: marks.Scalar, tables: dict[str, Zone]
    ) -> CalendarModel:
        report, entries = self.report, self.form.entries
        values.known_keys(report, self.form, "a calendar", KEYS)
        if "about" in entries:
            values.prose(report, entries["about"], "about")
        word = values.scalar(report, entries.get("time_zone"), "time_zone")
        zone = zone if word is None else word.text
        table = zones.table(zone, *self.years)
        if table is None:
            hint = "a name of the tz database, as in Europe/London"
            report.add("RD120", word or key, f"no time zone {zone!r}", hint)
        else:
            tables[zone] = table
        if "open" not in entries and "special" not in entries:
            report.add("RD022", key, f"the calendar {name} is never open", "add open: [mon-fri 08:00-18:00]")
        return CalendarModel(
            tenant, name, zone, self.weekly(entries.get("open")), self.special(entries.get("special")),
            self.holidays(entries.get("holidays")), self.periods(entries.get("periods")),
        )  # fmt: skip

    # --- hours
    def weekly(self, node: marks.Node | None) -> tuple[Hours, ...]:
        rows: list[list[tuple[int, int]]] = [[] for _ in DAYS]
        for word in values.scalars(self.report, node, "open"):
            if word.text == "always":
                for row in rows:
                    row.extend(_WHOLE_DAY)
                continue
            parts = word.text.replace(",", " ").split()
            times = [part for part in parts if part[:1].isdigit()]
            days = [day for part in parts if part not in times for day in self.days(word, part)]
            if parts[: len(parts) - len(times)] != [part for part in parts if part not in times]:
                self.hours_problem(word, "days stand before their hours")
            elif not times or (len(parts) == len(times)):
                self.hours_problem(word, f"{word.text!r} names no {'hours' if not times else 'days'}")
            ranges = self.ranges(word, times)
            for day in days:
                rows[day].extend(ranges)
        return tuple(self.sorted(node, row, DAYS[place]) for place, row in enumerate(rows))

    def hours_problem(self, node: marks.Scalar, message: str) -> None:
        self.report.add("RD121", node, message, "as in mon-fri 08:00-12:00 13:00-18:00, or always")

    def days(self, word: marks.Scalar, text: str) -> list[int]:
        first, dash, last = text.partition("-")
        if text in ("daily", "every"):
            return list(range(7))
        wrong = next((each for each in ((first, last) if dash else (first,)) if each not in DAYS), None)
        if wrong is not None:
            hint = did_you_mean(wrong, (*DAYS, "daily"))
            self.report.add("RD121", word, f"{wrong!r} is no day of the week", hint)
            return []
        begin, end = DAYS.index(first), DAYS.index(last if dash else first)
        return [day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)]

    def ranges(self, word: marks.Scalar, texts: list[str]) -> list[tuple[int, int]]:
        found = []
        for text in texts:
            hours = hours_from(text)
            if isinstance(hours, str):
                self.hours_problem(word, hours)
            else:
                found.append(hours)
        return found

    def sorted(self, node: marks.Node | None, ranges: list[tuple[int, int]], day: str) -> Hours:
        """In their order; hours that overlap are a mistake of one of the two lines."""
        ordered = sorted(ranges)
        for before, after in pairwise(ordered):
            if after[0] < before[1] and node is not None:
                message = f"the hours of {day} overlap: {_shown(before)} and {_shown(after)}"
                self.report.add("RD121", node, message, "join them, or remove one")
                break
        return tuple(ordered)

    # --- days
    def special(self, node: marks.Node | None) -> dict[int, Special]:
        """Dates of one year win over those of every year."""
        once: dict[int, Special] = {}
        yearly: dict[int, Special] = {}
        for key, value in values.mapping(self.report, node, "special") or ():
            own = self.special_day(key, value)
            every = YEARLY.fullmatch(key.text.partition(" ")[0]) is not None
            for day in self.dates(key, key.text):
                (yearly if every else once)[day] = own
        return dict(sorted({**yearly, **once}.items()))

    def special_day(self, key: marks.Scalar, node: marks.Node) -> Special:
        words = values.scalars(self.report, node, f"special {key.text}")
        if len(words) == 1 and words[0].text in ("closed", "holiday", "open"):
            return Special(_WHOLE_DAY if words[0].text == "open" else (), words[0].text == "holiday")
        ranges = [each for word in words for each in self.ranges(word, word.text.replace(",", " ").split())]
        return Special(self.sorted(node, ranges, key.text))

    def dates(self, node: marks.Scalar, text: str) -> list[int]:
        """Every day of `2026-12-24`, `2026-12-24 to 2027-01-02`, `12-24`, `12-24 to 01-06`."""
        found = spans(self.report, node, text, self.years)
        if sum(last + 1 - first for first, last in found) > days_max:
            self.report.add("RD122", node, f"more than {days_max} days", "hours of every week stand below open:")
            return []
        return [day for first, last in found for day in range(first, last + 1)]

    def periods(self, node: marks.Node | None) -> dict[str, tuple[tuple[int, int], ...]]:
        found: dict[str, tuple[tuple[int, int], ...]] = {}
        for key, value in values.mapping(self.report, node, "periods") or ():
            name = values.name(self.report, key, "a period")
            days = [
                span for word in values.scalars(self.report, value, f"the period {key.text}")
                for span in spans(self.report, word, word.text, self.years)
            ]  # fmt: skip
            if name in FACTS:
                self.report.add("RD027", key, f"{name!r} is a word about every calendar", "choose another name")
            elif name is not None and len(found) < periods_max:
                found[name] = tuple(sorted(days))
        return found

    # --- public holidays
    def holidays(self, node: marks.Node | None) -> dict[int, str]:
        found: dict[int, str] = {}
        for word in values.scalars(self.report, node, "holidays"):
            match = _COUNTRY.fullmatch(word.text)
            if match is None:
                hint = "a country as in GB, or one of its parts as in GB-SCT"
                self.report.add("RD123", word, f"{word.text!r} is no country with public holidays", hint)
                continue
            found.update(self.public(word, match.group(1), match.group(2) or ""))
        return dict(sorted(found.items()))

    def public(self, word: marks.Scalar, country: str, part: str) -> dict[int, str]:
        """Day -> name, in English where the package has it. The package is imported only for a site that names one."""
        import holidays

        known = holidays.list_supported_countries()
        if country not in known:
            hint = did_you_mean(country, [each for each in known if len(each) == 2])
            self.report.add("RD123", word, f"the country {country!r} is not known to the holidays package", hint)
            return {}
        if part and part not in known[country]:
            hint = did_you_mean(part, known[country])
            self.report.add("RD123", word, f"{country} has no part {part!r}", hint)
            return {}
        return dict(_public_days(country, part, self.years))


def hours_from(text: str) -> tuple[int, int] | str:
    """(from, until) of 22:00-06:00 as in `calendars.Hours`, or what is wrong with it."""
    match = _RANGE.fullmatch(text)
    numbers = [int(part) for part in match.groups()] if match is not None else [99, 99, 99, 99]
    begin, end = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]
    if max(numbers[1], numbers[3]) > 59 or begin >= DAY_MINUTES or end > DAY_MINUTES:
        return f"{text!r} are no hours"
    if begin == end:
        return f"{text!r} is no time at all; the whole day is 00:00-24:00"
    return begin, end if end > begin else end + DAY_MINUTES


@lru_cache(maxsize=256)
def _public_days(country: str, part: str, years: tuple[int, int]) -> tuple[tuple[int, str], ...]:
    """(day, name) of a country's holidays from the first to the last of the years."""
    import holidays

    spoken = holidays.list_localized_countries().get(country, [])
    language = next((each for each in ("en_GB", "en_US") if each in spoken), None)
    span = range(years[0], years[1] + 1)
    held = holidays.country_holidays(country, subdiv=part or None, years=span, language=language)
    return tuple(((day - date(1970, 1, 1)).days, name) for day, name in held.items())


def spans(report: Report, node: marks.Scalar, text: str, years: tuple[int, int]) -> list[tuple[int, int]]:
    """(first day, last day) of every span that `2026-12-24`, `2026-12-24 to 2027-01-02`, `12-24` or `12-24 to 01-06`
    (every one of the `years`) means; a mistake is reported at `node`."""
    first, to, last = (part.strip() for part in text.partition(" to "))
    last = last if to else first
    if YEARLY.fullmatch(first) and YEARLY.fullmatch(last):
        found = [span for year in range(years[0], years[1] + 1) for span in _yearly(first, last, year)]
        if not found:
            report.add("RD122", node, f"{text!r} comes in no year", "as in 12-24, or 12-24 to 01-06")
        return found
    begin, end = day_of(first), day_of(last)
    if begin is None or end is None or end < begin:
        wrong = first if begin is None else last
        message = f"{wrong!r} is no day" if begin is None or end is None else f"{last} comes before {first}"
        report.add("RD122", node, message, "as in 2026-12-24, 12-24 (every year), 2026-12-24 to 2027-01-02")
        return []
    return [(begin, end)]


def _yearly(first: str, last: str, year: int) -> Iterator[tuple[int, int]]:
    """29 February is only in years that have it; a span may reach into the next year."""
    begin = day_of(f"{year}-{first}")
    end = day_of(f"{year if last >= first else year + 1}-{last}")
    if begin is not None and end is not None:
        yield begin, end


def _shown(hours: tuple[int, int]) -> str:
    return "-".join(f"{minute // 60 % 24:02}:{minute % 60:02}" for minute in hours)

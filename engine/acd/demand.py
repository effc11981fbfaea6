"""How many calls will come, and how long each will take: from history by interval, with the calendar's effects (pure).

A history is rows of (day, slot): a day counts from 1970-01-01 in local time, a slot is an interval of that day. Counts
of calls are Poisson and a little more, so they are worked on as roots √(N + ¼), whose spread is about ½ whatever the
load (L. Brown et al., Statistical analysis of a telephone call center, JASA 100, 2005). Per weekday and slot the
estimate is the median of all pairwise means (Hodges–Lehmann: an outage or a broadcast among the weeks barely moves it,
and it loses 5 % against the mean when nothing is wrong), and the interval is that of one day to come.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import NormalDist, median

import msgspec

from engine.errors import LocalError

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
weeks_max = 26
calls_trusted_min = 20  # fewer answered calls than this don't make an AHT of their own


class Counted(msgspec.Struct, frozen=True):
    """One interval that was: calls offered, calls whose work is known, and that work in seconds."""

    day: int
    slot: int
    offered: int
    handled: int = 0
    handle_s: float = 0.0


class Special(msgspec.Struct, frozen=True):
    """A day that isn't like its weekday. Equal names share what is learnt; `factor` (1: as usual) is told."""

    name: str
    factor: float | None = None


class Expected(msgspec.Struct, frozen=True):
    """One interval to come: calls, their interval, seconds of work for each (None: nothing known), and how many days
    this rests on."""

    day: int
    slot: int
    calls: float
    low: float
    high: float
    handle_s: float | None
    days: int


class Outlook(msgspec.Struct, frozen=True):
    """A day's intervals in order, and what was done about its being special ("" when it isn't)."""

    rows: tuple[Expected, ...]
    note: str = ""


def weekday(day: int) -> int:
    """0 (Monday) to 6 of a day since 1970-01-01, a Thursday."""
    return (day + 3) % 7


def middle(values: Sequence[float]) -> float:
    """The Hodges–Lehmann estimate: the median of the means of all pairs, each value with itself too."""
    if not values:
        raise LocalError("no values to estimate from")
    return median((one + two) / 2 for place, one in enumerate(values) for two in values[place:])


def spread(values: Sequence[float], centre: float) -> float:
    """A standard deviation that outliers don't blow up: 1.4826 · the median distance from `centre`."""
    return 1.4826 * median(abs(each - centre) for each in values) if values else 0.0


def patience_s(waited_s: float, gave_up: int) -> float:
    """Mean patience from all waits together, as the likeliest exponential law has it when answered callers only tell
    that theirs was longer: time waited by everybody / callers who gave up. Infinite when nobody did."""
    return waited_s / gave_up if gave_up > 0 else math.inf


def outlook(
    history: Iterable[Counted],
    day: int,
    *,
    specials: Mapping[int, Special] | None = None,
    share: float = 0.8,
    weeks: int = 12,
) -> Outlook:
    """What to expect of `day`: `share` of such days lie between low and high.

    Days before it count, its weekday's last `weeks` of them; a slot without a row on a day that has rows had no call.
    Special days teach nothing about usual ones: a special day to come is its weekday times the factor that was told,
    or times the median of what the days of that name came to. No usual day of that weekday: no rows.
    """
    if not 0.0 < share < 1.0 or not 1 <= weeks <= weeks_max:
        raise LocalError(f"share lies in 0 to 1, weeks in 1 to {weeks_max}; not {share} and {weeks}")
    special = specials or {}
    days: dict[int, dict[int, Counted]] = {}
    for row in history:
        if row.day < day:
            days.setdefault(row.day, {})[row.slot] = row
    usual = [each for each in sorted(days) if each not in special]
    like = [each for each in usual if weekday(each) == weekday(day)][-weeks:]
    if not like:
        return Outlook(())
    factor, note = _factor(days, usual, special, day)
    score = NormalDist().inv_cdf(0.5 + share / 2)
    handling = _Handling([days[each] for each in usual], [days[each] for each in like])
    rows = []
    for slot in sorted({slot for each in like for slot in days[each]}):
        counts = [days[each][slot].offered if slot in days[each] else 0 for each in like]
        calls, low, high = _root_unroot(counts, factor, score)
        rows.append(Expected(day, slot, calls, low, high, handling.of(slot), len(like)))
    return Outlook(tuple(rows), note)


def _root_unroot(counts: Sequence[int], factor: float, score: float) -> tuple[float, float, float]:
    """(calls, low, high). One day differs from the middle by its own spread, and the middle by what k days leave
    open: s·√(1 + 1/k). A day's spread can't be less than Poisson's ½."""
    roots = [math.sqrt(each + 0.25) for each in counts]
    centre = middle(roots)
    usual = max(0.0, centre * centre - 0.25)
    if usual == 0.0 and not any(counts):
        return 0.0, 0.0, 0.0
    scaled = math.sqrt(usual * factor + 0.25)
    reach = score * max(0.5, spread(roots, centre)) * math.sqrt(1.0 + 1.0 / len(counts))
    low, high = max(0.0, scaled - reach), scaled + reach
    return usual * factor, max(0.0, low * low - 0.25), max(0.0, high * high - 0.25) if factor else 0.0


def _factor(
    days: Mapping[int, Mapping[int, Counted]], usual: Sequence[int], special: Mapping[int, Special], day: int
) -> tuple[float, str]:
    """(what to multiply by, why)."""
    here = special.get(day)
    if here is None:
        return 1.0, ""
    if here.factor is not None:
        return here.factor, f"{here.name}: {here.factor:.0%} of a usual day, as told"
    ratios = []
    for past in sorted(each for each in days if each in special and special[each].name == here.name):
        same = [_total(days[each]) for each in usual if weekday(each) == weekday(past)]
        if same and (level := middle(same)) > 0.0:
            ratios.append(_total(days[past]) / level)
    if not ratios:
        return 1.0, f"{here.name}: no such day in the records, taken as a usual one"
    found = median(ratios)
    plural = "day" if len(ratios) == 1 else "days"
    return found, f"{here.name}: {found:.0%} of a usual day, from {len(ratios)} {plural} in the records"


def _total(day: Mapping[int, Counted]) -> float:
    return float(sum(row.offered for row in day.values()))


class _Handling:
    """AHT of a slot: from its weekday, else from that slot on every day, else from everything."""

    def __init__(self, usual: Sequence[Mapping[int, Counted]], like: Sequence[Mapping[int, Counted]]) -> None:
        self._usual, self._like = usual, like
        self._overall, _ = handle_time([row for day in usual for row in day.values()])

    def of(self, slot: int) -> float | None:
        for days in (self._like, self._usual):
            found, calls = handle_time([day[slot] for day in days if slot in day])
            if calls >= calls_trusted_min:
                return found
        return self._overall


def handle_time(rows: Sequence[Counted]) -> tuple[float | None, int]:
    """(AHT in s, calls it rests on): work / calls over the rows, without those whose own mean lies more than three
    robust deviations from the middle on the logarithmic scale that times of talk have (a call left open all night)."""
    known = [row for row in rows if row.handled > 0 and row.handle_s > 0.0]
    if not known:
        return None, 0
    logs = [math.log(row.handle_s / row.handled) for row in known]
    centre = median(logs)
    reach = 3.0 * max(spread(logs, centre), 0.25)
    kept = [row for row, log in zip(known, logs, strict=True) if abs(log - centre) <= reach]
    calls = sum(row.handled for row in kept)
    return sum(row.handle_s for row in kept) / calls, calls

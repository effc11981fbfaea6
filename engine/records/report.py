"""Reports: which rows to ask the store for, and how they become lines with figures (pure; formulas are `kpi`'s).

The store counts (SQL over `contacts` and `agent_times`), this module adds up, and only `kpi` divides. A line is one
interval of one queue, agent or tenant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from engine.records import kpi, kpi_agents
from engine.records.kpi import Sums
from engine.records.kpi_agents import Worked

GROUPS = ("all", "queue", "agent", "tenant")
INTERVALS = ("none", "15m", "30m", "hour", "day", "week", "month")
_MINUTE = 60_000
_STEPS = {"15m": 15 * _MINUTE, "30m": 30 * _MINUTE, "hour": 60 * _MINUTE}
FOREVER_MS = 1 << 52

Query = tuple[str, list[str | int]]
ContactRow = tuple[int, str, str, int, int, int, int, int, int, int, int, int]
TimeRow = tuple[int, str, str, str, int]


class Wish(msgspec.Struct):
    """What to report on. `offsets`: (Unix ms from which it holds, ms to add for local time), oldest first; a step of
    days begins at local midnight. `targets`: service level target in ms by queue where it isn't `within_ms`."""

    by: str = "all"
    interval: str = "none"
    since_ms: int = 0
    until_ms: int = FOREVER_MS
    offsets: Sequence[tuple[int, int]] = ()
    tenant: str = ""
    queue: str = ""
    agent: str = ""
    within_ms: int = kpi.WITHIN_MS_DEFAULT
    short_ms: int = 0
    targets: dict[str, int] = {}


class Line(msgspec.Struct):
    """One line: the interval's beginning (Unix ms, 0 without intervals), whose, sums, and agents' time if by agent."""

    begin_ms: int
    key: str
    sums: Sums
    worked: Worked


# --- what to ask for -----------------------------------------------------------------------------------------------
def contacts_query(wish: Wish) -> Query:
    """Rows (begin, key, result, whole seconds waited, stays, in time, short, waited, longest, talked, held, transfers).

    Grouping by the second keeps percentiles exact to it and needs no second pass.
    """
    begin, values = _begin("at_ms", wish)
    key = {"all": "''", "queue": "queue", "agent": "agent", "tenant": "tenant"}[wish.by]
    target, targets = _target(wish)
    where, filters = _where("at_ms", wish)
    if wish.by == "agent" or wish.agent:
        where += " AND agent != ''"
    sql = (
        f"SELECT {begin}, {key}, result, waited_ms / 1000, count(*), sum(waited_ms <= {target}), "
        "sum(waited_ms < ?), sum(waited_ms), max(waited_ms), sum(talked_ms), sum(held_ms), sum(transfers) "
        f"FROM contacts WHERE {where} GROUP BY 4, 1, 2, 3"  # the number first: comparing it is cheap
    )
    return sql, [*values, *targets, wish.short_ms, *filters]


def times_query(wish: Wish) -> Query:
    """Rows (begin, key, state, reason, ms) of agents' time. By queue or tenant only the wrap-up that belongs to it."""
    begin, values = _begin("quarter_ms", wish)
    tenant = "substr({0}, 1, instr({0}, '/') - 1)"
    key = {"all": "''", "queue": "queue", "agent": "agent", "tenant": tenant.format("queue")}[wish.by]
    where, filters = ["quarter_ms >= ? AND quarter_ms < ?"], [wish.since_ms, wish.until_ms]
    by_agent = wish.by == "agent"
    if not by_agent:
        where.append("state = 'wrap_up'")
    texts: list[str | int] = []
    for column, value in (("queue", wish.queue), ("agent", wish.agent)):
        if value:
            where.append(f"{column} = ?")
            texts.append(value)
    if wish.tenant:
        where.append(f"{tenant.format('agent' if by_agent else 'queue')} = ?")
        texts.append(wish.tenant)
    sql = f"SELECT {begin}, {key}, state, reason, sum(ms) FROM agent_times WHERE {' AND '.join(where)} GROUP BY 1,2,3,4"
    return sql, [*values, *filters, *texts]


def resolution_query(wish: Wish, within_ms: int) -> Query:
    """One row (known, solved): `kpi.resolution` counted by the store, for all stays of the wish together."""
    where, filters = _where("at_ms", wish)
    sql = (
        "SELECT count(*), sum(later IS NULL OR later - at_ms > ?) FROM (SELECT at_ms, result, "
        f"lead(at_ms) OVER (PARTITION BY who ORDER BY at_ms) AS later FROM contacts WHERE {where} AND who != 0) "
        "WHERE result = 'connected'"
    )
    return sql, [within_ms, *filters]


def _begin(column: str, wish: Wish) -> tuple[str, list[str | int]]:
    """SQL for the beginning of the interval (local ms since 1970 for days), with its values."""
    if wish.interval == "none":
        return "0", []
    step = _STEPS.get(wish.interval)
    if step is not None:
        return f"{column} - {column} % {step}", []
    local = f"({column} + {_offset(column, wish.offsets)})"
    return f"{local} - {local} % {kpi.DAY_MS}", []


def _offset(column: str, offsets: Sequence[tuple[int, int]]) -> str:
    """Local time's offset as SQL; whole numbers from the zone's table, never text from outside."""
    if not offsets:
        return "0"
    cases = "".join(f" WHEN {column} >= {int(at)} THEN {int(offset)}" for at, offset in reversed(offsets[1:]))
    return f"CASE{cases} ELSE {int(offsets[0][1])} END" if cases else str(int(offsets[0][1]))


def _target(wish: Wish) -> tuple[str, list[str | int]]:
    differing = {queue: ms for queue, ms in wish.targets.items() if ms != wish.within_ms}
    if not differing:
        return "?", [wish.within_ms]
    cases = " WHEN ? THEN ?" * len(differing)
    values: list[str | int] = [part for item in differing.items() for part in item]
    return f"CASE queue{cases} ELSE ? END", [*values, wish.within_ms]


def _where(column: str, wish: Wish) -> tuple[str, list[str | int]]:
    where, values = [f"{column} >= ?", f"{column} < ?"], [wish.since_ms, wish.until_ms]
    texts: list[str | int] = []
    for name, value in (("tenant", wish.tenant), ("queue", wish.queue), ("agent", wish.agent)):
        if value:
            where.append(f"{name} = ?")
            texts.append(value)
    return " AND ".join(where), [*values, *texts]


# --- lines ------------------------------------------------------------------------------------------------------------
def lines(wish: Wish, contacts: Iterable[ContactRow], times: Iterable[TimeRow]) -> list[Line]:
    """The report, ordered by time, then by name."""
    merged = _merger(wish)
    found: dict[tuple[int, str], Line] = {}

    def line(begin: int, key: str) -> Line:
        place = (merged(begin), key)
        if place not in found:
            found[place] = Line(*place, Sums(), Worked())
        return found[place]

    for row in contacts:
        _count(line(row[0], row[1]).sums, row)
    for begin, key, state, reason, ms in times:
        if wish.by != "agent" and (merged(begin), key) not in found:
            continue  # the wrap-up of a stay that was counted in the interval before
        here = line(begin, key)
        if wish.by == "agent":
            here.worked.add(state, reason, ms)
        if state == "wrap_up":
            here.sums.wrap_up_ms += ms
    return [found[place] for place in sorted(found)]


def _count(sums: Sums, row: ContactRow) -> None:
    _, _, result, second, stays, in_time, short, waited, longest, talked, held, transfers = row
    sums.waited_ms_max = max(sums.waited_ms_max, longest)
    if result in kpi.REFUSED:
        sums.refused += stays
        return
    sums.offered += stays
    sums.waits[second] = sums.waits.get(second, 0) + stays
    sums.transfers += transfers
    if result == "connected":
        sums.connected += stays
        sums.in_time += in_time
        sums.waited_ms += waited
        sums.talked_ms += talked
        sums.held_ms += held
    elif result == "abandoned":
        sums.abandoned += stays
        sums.short += short
    elif result == "timeout":
        sums.timed_out += stays
    else:
        sums.left += stays


def _merger(wish: Wish) -> Callable[[int], int]:
    """Days into weeks (from Monday) or months; everything else is itself. Works on local ms since 1970."""
    if wish.interval == "week":
        return lambda begin: begin - (begin // kpi.DAY_MS + 3) % 7 * kpi.DAY_MS
    if wish.interval == "month":
        return lambda begin: begin - (_day_of_month(begin // kpi.DAY_MS) - 1) * kpi.DAY_MS
    return lambda begin: begin


def _day_of_month(days: int) -> int:
    """Day of the month, 1–31, of a day counted from 1970-01-01 (the civil calendar, without asking a clock)."""
    shifted = days + 719_468
    day_of_era = shifted % 146_097
    year_of_era = (day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * day_of_year + 2) // 153
    return day_of_year - (153 * month + 2) // 5 + 1


def figures(line: Line, by: str) -> dict[str, object]:
    """A line's figures by name with units: ms, percent or a count; None where there is nothing to divide by."""
    sums = line.sums
    found: dict[str, object] = {
        "offered": sums.offered, "connected": sums.connected, "abandoned": sums.abandoned,
        "timed_out": sums.timed_out, "left": sums.left, "refused": sums.refused,
        "service_level_percent": kpi.level(sums), "service_level_patient_percent": kpi.level_patient(sums),
        "abandonment_percent": kpi.abandoned_share(sums), "speed_of_answer_ms": kpi.speed_of_answer(sums),
        "wait_50_ms": kpi.percentile(sums, 50), "wait_90_ms": kpi.percentile(sums, 90),
        "wait_95_ms": kpi.percentile(sums, 95), "wait_max_ms": sums.waited_ms_max,
        "talk_ms": kpi.mean(sums.talked_ms - sums.held_ms, sums.connected),
        "hold_ms": kpi.mean(sums.held_ms, sums.connected), "wrap_up_ms": kpi.mean(sums.wrap_up_ms, sums.connected),
        "handle_ms": kpi.handle_time(sums), "transfers_per_call": kpi.transfers_per_call(sums),
    }  # fmt: skip
    if by != "agent":
        return found
    worked = line.worked
    kept = ("connected", "speed_of_answer_ms", "talk_ms", "hold_ms", "wrap_up_ms", "handle_ms", "transfers_per_call")
    return {
        **{name: found[name] for name in kept},
        "occupancy_percent": kpi_agents.occupancy(worked), "utilisation_percent": kpi_agents.utilisation(worked),
        "logged_in_ms": worked.logged_in(),
        **{f"{state}_total_ms": worked.of(state) for state in kpi_agents.STATES},
        "not_ready_reasons_ms": dict(sorted(worked.reasons.items())),
    }

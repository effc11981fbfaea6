"""Reports: what to ask the store for, and how its answers become lines with figures (pure; formulas are `kpi`'s).

The store hands over whole columns: each query answers with one row in which a column of integers is one text of comma
separated numbers and a column of names one JSON array. SQLite writes them at some 50 ns a value, without the GIL and
without sorting; numpy reads and adds them up. (A GROUP BY sorts every stay, and a row of Python's costs 1 µs.) Such an
answer is a piece of the report: a stretch of time cut anywhere. Only `kpi` divides. A line is one interval of one
queue, agent or tenant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.records import kpi, kpi_agents
from engine.records.kpi import Sums
from engine.records.kpi_agents import Worked
from engine.records.schema import Query

GROUPS = ("all", "queue", "agent", "tenant")
INTERVALS = ("none", "15m", "30m", "hour", "day", "week", "month")
_MINUTE = 60_000
_STEPS = {"15m": 15 * _MINUTE, "30m": 30 * _MINUTE, "hour": 60 * _MINUTE}
FOREVER_MS = 1 << 52

ContactPiece = Sequence[Any]  # (begin, keys, result, waited, in time, talked, held, transfers); each a text or None
TimePiece = Sequence[Any]  # (begin, keys, "state/reason", ms)
StayPiece = Sequence[Any]  # (who, 2 · at_ms + connected)
Integers = NDArray[np.int64]
CONNECTED, ABANDONED, TIMED_OUT, REFUSED, LEFT = range(5)  # results as numbers of a column


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
    """A ContactPiece of the wish's time, in the order of the stays' ends; all None when there are none."""
    begin, values = _begin("at_ms", wish)
    key = {"all": "NULL", "queue": "queue", "agent": "agent", "tenant": "tenant"}[wish.by]
    target, targets = _target(wish)
    where, filters = _where("at_ms", wish)
    if wish.by == "agent" or wish.agent:
        where += " AND agent != ''"
    refused = ", ".join(f"'{each}'" for each in kpi.REFUSED)
    result = (
        f"CASE WHEN result = 'connected' THEN {CONNECTED} WHEN result = 'abandoned' THEN {ABANDONED} "
        f"WHEN result = 'timeout' THEN {TIMED_OUT} WHEN result IN ({refused}) THEN {REFUSED} ELSE {LEFT} END"
    )
    sql = (
        f"SELECT {_integers(begin)}, {_names(key)}, {_integers(result)}, {_integers('waited_ms')}, "
        f"{_integers(f'waited_ms <= {target}')}, {_integers('talked_ms')}, {_integers('held_ms')}, "
        f"{_integers('transfers')} FROM contacts WHERE {where}"
    )
    return sql, [*values, *targets, *filters]


def times_query(wish: Wish) -> Query:
    """A TimePiece of agents' time. By queue or tenant only the wrap-up that belongs to it."""
    begin, values = _begin("quarter_ms", wish)
    tenant = "substr({0}, 1, instr({0}, '/') - 1)"
    key = {"all": "NULL", "queue": "queue", "agent": "agent", "tenant": tenant.format("queue")}[wish.by]
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
    state = "CASE WHEN reason = '' THEN state ELSE state || '/' || reason END" if by_agent else "NULL"
    sql = (f"SELECT {_integers(begin)}, {_names(key)}, {_names(state)}, {_integers('ms')} "
           f"FROM agent_times WHERE {' AND '.join(where)}")
    return sql, [*values, *filters, *texts]


def resolution_query(wish: Wish) -> Query:
    """A StayPiece: every stay of a known caller, for `resolved`."""
    where, filters = _where("at_ms", wish)
    moment = "2 * at_ms + (result = 'connected')"
    return f"SELECT {_integers('who')}, {_integers(moment)} FROM contacts WHERE {where} AND who != 0", filters


def _integers(expression: str) -> str:
    """SQL for a whole column of integers as one text, NULL for a column that nobody needs."""
    return "NULL" if expression == "NULL" else f"group_concat({expression})"


def _names(expression: str) -> str:
    """SQL for a whole column of names as one JSON array, NULL for a column that nobody needs."""
    return "NULL" if expression == "NULL" else f"json_group_array({expression})"


def _begin(column: str, wish: Wish) -> tuple[str, list[str | int]]:
    """SQL for the beginning of the interval (local ms since 1970 for days), with its values."""
    if wish.interval == "none":
        return "NULL", []
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


# --- columns ----------------------------------------------------------------------------------------------------------
_read_names = msgspec.json.Decoder(list[str]).decode


class _Numbering(dict[str, int]):
    """Names numbered in the order in which they come."""

    def __missing__(self, name: str) -> int:
        number = self[name] = len(self)
        return number


def _column(text: str) -> Integers:
    return np.fromstring(text, dtype=np.int64, sep=",")


def _numbered(text: str | None, count: int) -> tuple[list[str], Integers]:
    """(names, each row's index into them); without a column all rows have the name ""."""
    if text is None:
        return [""], np.zeros(count, np.int64)
    numbers = _Numbering()
    found = np.fromiter(map(numbers.__getitem__, _read_names(text)), np.int64, count)
    return list(numbers), found


def _begins(text: str | None, count: int) -> tuple[list[int], Integers]:
    """(beginnings of intervals, each row's index into them)."""
    if text is None:
        return [0], np.zeros(count, np.int64)
    begins, places = np.unique(_column(text), return_inverse=True)
    return begins.tolist(), places


class _Groups:
    """Rows with equal numbers side by side: `sums` and `most` by group, `numbers` in rising order."""

    def __init__(self, each: Integers) -> None:
        short = np.uint16 if int(each.max()) < 1 << 16 else np.int64  # numpy sorts the short ones by counting
        self._order = np.argsort(each.astype(short), kind="stable")
        sorted_ = each[self._order]
        self._starts = np.flatnonzero(np.concatenate(([True], sorted_[1:] != sorted_[:-1])))
        self.numbers: list[int] = sorted_[self._starts].tolist()
        self.sizes: list[int] = np.diff(self._starts, append=len(each)).tolist()

    def sums(self, column: NDArray[Any]) -> list[int]:
        """Each group's sum (of integers, or of what is true)."""
        found: list[int] = np.add.reduceat(column[self._order], self._starts, dtype=np.int64).tolist()
        return found

    def most(self, column: Integers) -> list[int]:
        """Each group's greatest."""
        found: list[int] = np.maximum.reduceat(column[self._order], self._starts).tolist()
        return found


# --- lines ------------------------------------------------------------------------------------------------------------
def lines(wish: Wish, contacts: Iterable[ContactPiece], times: Iterable[TimePiece]) -> list[Line]:
    """The report, ordered by time, then by name. All of `contacts` is read before the first of `times`."""
    merged = _merger(wish)
    found: dict[tuple[int, str], Line] = {}

    def line(begin: int, key: str) -> Line:
        place = (merged(begin), key)
        if place not in found:
            found[place] = Line(*place, Sums(), Worked())
        return found[place]

    for contact in contacts:
        if contact[3] is not None:
            _count(contact, wish.short_ms, line)
    for time in times:
        if time[3] is None:
            continue
        for begin, key, state, reason, ms in _spent(time):
            if wish.by != "agent" and (merged(begin), key) not in found:
                continue  # the wrap-up of a stay that was counted in the interval before
            here = line(begin, key)
            if wish.by == "agent":
                here.worked.add(state, reason, ms)
            if state == "wrap_up":
                here.sums.wrap_up_ms += ms
    return [found[place] for place in sorted(found)]


def _count(piece: ContactPiece, short_ms: int, line: Callable[[int, str], Line]) -> None:
    """Add a piece's stays to their lines, by the rules of `kpi.Sums.add`."""
    result, waited, in_time, talked, held, transfers = map(_column, piece[2:])
    begins, begin_of = _begins(piece[0], len(result))
    keys, key_of = _numbered(piece[1], len(result))
    places = begin_of * len(keys) + key_of
    of_line = _Groups(places)
    connected, abandoned, accepted = result == CONNECTED, result == ABANDONED, result != REFUSED
    columns = (
        of_line.sums(accepted), of_line.sums(~accepted), of_line.sums(connected), of_line.sums(in_time * connected),
        of_line.sums(abandoned), of_line.sums(abandoned & (waited < short_ms)), of_line.sums(result == TIMED_OUT),
        of_line.sums(result == LEFT), of_line.sums(waited * connected), of_line.most(waited),
        of_line.sums(talked * connected), of_line.sums(held * connected), [0] * len(of_line.numbers),
        of_line.sums(transfers * accepted),
    )  # fmt: skip
    waits = _waits(places[accepted], waited[accepted] // 1000)
    for number, *counted in zip(of_line.numbers, *columns, strict=True):
        part = Sums(*counted)
        part.waits = waits.get(number, {})
        line(begins[number // len(keys)], keys[number % len(keys)]).sums.merge(part)


def _waits(places: Integers, seconds: Integers) -> dict[int, dict[int, int]]:
    """By place: how many waited so many whole seconds."""
    if not len(places):
        return {}
    width = int(seconds.max()) + 1
    groups = _Groups(places * width + seconds)
    found: dict[int, dict[int, int]] = {}
    for number, size in zip(groups.numbers, groups.sizes, strict=True):
        place, second = divmod(number, width)
        found.setdefault(place, {})[second] = size
    return found


def _spent(piece: TimePiece) -> Iterable[tuple[int, str, str, str, int]]:
    """(begin, key, state, reason, ms) of a piece of agents' time; without states it is all wrap-up."""
    ms = _column(piece[3])
    begins, begin_of = _begins(piece[0], len(ms))
    keys, key_of = _numbered(piece[1], len(ms))
    states, state_of = _numbered(piece[2], len(ms))
    groups = _Groups((begin_of * len(keys) + key_of) * len(states) + state_of)
    for number, spent in zip(groups.numbers, groups.sums(ms), strict=True):
        place, state = divmod(number, len(states))
        begin, key = divmod(place, len(keys))
        name, _, reason = (states[state] or "wrap_up").partition("/")
        yield begins[begin], keys[key], name, reason, spent


def resolved(pieces: Iterable[StayPiece], within_ms: int) -> tuple[int, int]:
    """(known, solved): `kpi.resolution` counted over all stays of the pieces, which come in order of time."""
    read = [(_column(piece[0]), _column(piece[1])) for piece in pieces if piece[0] is not None]
    if not read:
        return 0, 0
    who, moments = (np.concatenate(columns) for columns in zip(*read, strict=True))
    order = np.argsort(who, kind="stable")  # by caller; his stays keep their order of time
    who, at_ms, connected = who[order], moments[order] // 2, moments[order] % 2 == 1
    followed = (who[1:] == who[:-1]) & (at_ms[1:] - at_ms[:-1] <= within_ms)
    solved = int(connected.sum()) - int((connected[:-1] & followed).sum())
    return int(connected.sum()), solved


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

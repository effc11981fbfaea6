"""Rows of `ringdown staffing`: the records of a queue by interval, what they or a forecast need, and who was there."""

from __future__ import annotations

import calendar
import math
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from engine.acd import demand, forecast, roster
from engine.acd.demand import Counted, Special
from engine.acd.forecast import Load, Target
from engine.acd.roster import DAY_S, Gap, Shift
from engine.cli.report import offsets, zone_of
from engine.errors import LimitExceeded, SiteError, UsageError
from engine.records import staffing as records
from engine.records.staffing import Quarter
from engine.runtime.migrations import StorageRefused, check

STEPS_S = {"15m": 900, "30m": 1_800, "hour": 3_600}
gave_up_min = 5  # fewer callers than this don't tell how patient callers are
days_max = 800
history_days_default = 84


class Need(msgspec.Struct):
    """What must be reached, the share of paid time that isn't worked, and what was given in place of records."""

    target: Target
    shrinkage: float = 0.0
    aht_s: float | None = None
    patience_s: float | None = None


class Wish(msgspec.Struct):
    """Which queue ("tenant/name"), which days (since 1970, both whole), which day to forecast, in which intervals."""

    queue: str
    first: int
    last: int
    ahead: int | None
    step_s: int
    zone: Any
    now_ms: int
    shifts: list[Shift] = []
    specials: dict[int, Special] = {}


class Row(msgspec.Struct):
    """One interval, in local seconds since 1970; agents needed by Erlang C, and A where patience is known; `need` is
    the one that counts, `planned` people for it. `gap` is duty minus need, `shift_gap` shifts minus planned."""

    from_s: int
    until_s: int
    offered: float
    aht_s: float | None
    low: float | None = None
    high: float | None = None
    erlang_c: int = 0
    erlang_a: int | None = None
    need: int = 0
    planned: int = 0
    duty: float | None = None
    gap: int | None = None
    shift: float | None = None
    shift_gap: int | None = None


class Table(msgspec.Struct):
    """All rows, the patience that was reckoned with (None: endless) and whence it came, and notes."""

    queue: str
    rows: list[Row]
    patience_s: float | None
    gave_up: int
    notes: list[str]


def wish(queue: str, first: str, last: str, ahead: str, interval: str, zone: str) -> Wish:
    """What the options ask for. Raises UsageError."""
    if interval not in STEPS_S:
        raise UsageError(f"--interval is one of {', '.join(STEPS_S)}, not {interval!r}")
    where = zone_of(zone)
    now = datetime.now(where)
    today = roster.day_of(now.date().isoformat())
    target = roster.day_of(ahead) if ahead else None
    usual = today if target is None else target - history_days_default
    begin = roster.day_of(first) if first else usual
    end = roster.day_of(last) if last else today if target is None else min(today, target - 1)
    if end < begin:
        raise UsageError("--from lies behind --to")
    if end - begin >= days_max:
        raise UsageError(f"--from and --to lie more than {days_max} days apart")
    if target is not None and target <= begin:
        raise UsageError("--for lies behind the first day of records: there is nothing to learn from")
    name = queue if "/" in queue else f"default/{queue}"
    return Wish(name, begin, end, target, STEPS_S[interval], where, round(now.timestamp() * 1000))


def files(shifts: Path | None, days: Path | None) -> tuple[list[Shift], dict[int, Special]]:
    """What the two files hold. Raises UsageError."""
    return (roster.read_shifts(_bytes("--shifts", shifts), shifts.name) if shifts else [],
            roster.read_days(_bytes("--days", days), days.name) if days else {})  # fmt: skip


def _bytes(option: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{option}: can't read {path.name}: {error.strerror}") from error


def table(path: Path, asked: Wish, need: Need) -> Table:
    """The queue's intervals, past or expected. Raises SiteError when there is nothing, or the store can't be read."""
    since_ms, until_ms = _midnight_ms(asked, asked.first), _midnight_ms(asked, asked.last + 1)
    until_ms = min(until_ms, asked.now_ms - asked.now_ms % 900_000)
    shown = f"{roster.date_of(asked.first)} to {roster.date_of(asked.last)}"
    read = _read(path, asked.queue, since_ms, until_ms, duty=asked.ahead is None)
    found = _intervals(read, asked, since_ms, until_ms)
    everything = Quarter()
    for each in found.values():
        everything.merge(each)
    if not everything.offered:
        raise SiteError(f"no calls to {asked.queue} in the records of {shown}")
    answer = Table(asked.queue, [], need.patience_s, everything.abandoned, [])
    if need.patience_s is None and everything.abandoned >= gave_up_min:
        answer.patience_s = demand.patience_s(everything.waited_ms / 1000, everything.abandoned) or None
    history = [
        Counted(begin_s // DAY_S, begin_s % DAY_S // asked.step_s, part.offered, part.handled, part.handle_ms / 1000)
        for (begin_s, _), part in found.items()
    ]  # fmt: skip
    if asked.ahead is None:
        usual_s, _ = demand.handle_time(history)
        answer.rows = _past(found, asked, need, usual_s)
    else:
        answer.rows = _coming(history, asked, need, answer.notes)
    if all(row.aht_s is None for row in answer.rows):
        raise SiteError(f"no finished conversation of {asked.queue} in the records of {shown}: give --aht")
    for row in answer.rows:
        _reckon(row, asked, need, answer.patience_s)
    return answer


def _past(found: dict[tuple[int, int], Quarter], asked: Wish, need: Need, usual_s: float | None) -> list[Row]:
    rows = []
    for (begin_s, _), part in found.items():
        if not part.offered and not part.duty_ms:
            continue
        own = part.handle_ms / part.handled / 1000 if part.handled else usual_s
        rows.append(Row(begin_s, begin_s + asked.step_s, part.offered, need.aht_s or own,
                        duty=part.duty_ms / asked.step_s / 1000))  # fmt: skip
    return rows


def _coming(history: list[Counted], asked: Wish, need: Need, notes: list[str]) -> list[Row]:
    assert asked.ahead is not None
    outlook = demand.outlook(history, asked.ahead, specials=asked.specials)
    if not outlook.rows:
        name = calendar.day_name[demand.weekday(asked.ahead)]
        raise SiteError(f"no usual {name} in the records from {roster.date_of(asked.first)} to "
                        f"{roster.date_of(asked.last)}: nothing tells what {roster.date_of(asked.ahead)} will be")
    if outlook.note:
        notes.append(outlook.note)
    notes.append(f"forecast from {outlook.rows[0].days} days like it; 8 of 10 such days lie between low and high")
    rows = []
    for each in outlook.rows:
        begin_s = each.day * DAY_S + each.slot * asked.step_s
        rows.append(Row(begin_s, begin_s + asked.step_s, each.calls, need.aht_s or each.handle_s, each.low, each.high))
    return rows


def _reckon(row: Row, asked: Wish, need: Need, patience_s: float | None) -> None:
    """Agents needed, and what is there instead."""
    if row.aht_s is not None and row.offered > 0:
        rate = row.offered / asked.step_s
        row.erlang_c = agents(Load(rate, row.aht_s), need.target)
        if patience_s is not None:
            row.erlang_a = agents(Load(rate, row.aht_s, patience_s), need.target)
    elif patience_s is not None:
        row.erlang_a = 0
    row.need = row.erlang_c if row.erlang_a is None else row.erlang_a
    row.planned = forecast.rostered(row.need, need.shrinkage)
    if row.duty is not None:
        row.gap = math.floor(row.duty + 0.5) - row.need
    if asked.shifts:
        row.shift = roster.planned(asked.shifts, row.from_s, row.until_s)
        row.shift_gap = math.floor(row.shift + 0.5) - row.planned


def agents(load: Load, target: Target) -> int:
    """`forecast.agents_needed`, whose limit is the operator's to know. Raises UsageError."""
    try:
        return forecast.agents_needed(load, target)
    except LimitExceeded as error:
        raise UsageError(f"no number of agents up to {error.value} reaches this: ask for less") from error


def gaps(found: Table, *, shifts: bool) -> list[Gap]:
    """What sentences are made of."""
    pairs = [(row, row.shift_gap if shifts else row.gap) for row in found.rows]
    return [Gap(row.from_s, row.until_s, agents) for row, agents in pairs if agents is not None]


# --- the store ------------------------------------------------------------------------------------------------------
def _read(path: Path, queue: str, since_ms: int, until_ms: int, *, duty: bool) -> dict[int, Quarter]:
    if not path.exists():
        raise SiteError(f"no records in {path.parent}: --data names the engine's data folder")
    try:
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=2.0)
        try:
            if check(db, path) < 2:
                raise SiteError(f"{path.name} has the schema of an earlier engine: start today's once, it converts it")
            calls, wrap_up, there = (
                db.execute(*ask(queue, since_ms, until_ms)).fetchall() if wanted else []
                for ask, wanted in ((records.calls_query, True), (records.wrap_up_query, True),
                                    (records.duty_query, duty))
            )  # fmt: skip
        finally:
            db.close()
    except (sqlite3.Error, StorageRefused) as error:
        raise SiteError(f"can't read {path}: {error}") from error
    return records.quarters(calls, wrap_up, there)


def _intervals(
    found: dict[int, Quarter], asked: Wish, since_ms: int, until_ms: int
) -> dict[tuple[int, int], Quarter]:
    """By (local seconds of the interval's beginning, its offset): the hour that autumn repeats is two hours. An
    interval that isn't over yet is left out."""
    shifts = offsets(asked.zone, since_ms, max(since_ms, until_ms))
    merged: dict[tuple[int, int], Quarter] = {}
    for at_ms, part in found.items():
        ahead_s = next((each for at, each in reversed(shifts) if at <= at_ms), shifts[0][1]) // 1000
        local_s = at_ms // 1000 + ahead_s
        begin_s = local_s - local_s % asked.step_s
        if begin_s - ahead_s + asked.step_s <= until_ms // 1000:
            merged.setdefault((begin_s, ahead_s), Quarter()).merge(part)
    return merged


def _midnight_ms(asked: Wish, day: int) -> int:
    midnight = datetime(1970, 1, 1, tzinfo=asked.zone) + timedelta(days=day)  # wall time: zones move it themselves
    return round(midnight.timestamp() * 1000)


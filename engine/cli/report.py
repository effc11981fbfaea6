"""`ringdown report`: key figures by interval, queue, agent or tenant, straight from the record store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.options import Data, Json, data_folder

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from concurrent.futures import ThreadPoolExecutor

    from engine.records.report import Line, Wish
    from engine.records.schema import Query

workers_max = 8
piece_rows = 65_536  # a piece's columns take some megabytes
TIME_OF = {"contacts": "at_ms", "agent_times": "quarter_ms", "promises": "at_ms"}

QUEUE_COLUMNS = [
    ("offered", "offered"), ("connected", "answered"), ("abandoned", "abandoned"), ("service_level_percent", "SL %"),
    ("service_level_patient_percent", "SL patient %"), ("abandonment_percent", "lost %"),
    ("speed_of_answer_ms", "ASA"), ("wait_90_ms", "90 % within"), ("wait_max_ms", "longest"), ("handle_ms", "AHT"),
    ("transfers_per_call", "transfers"),
]
AGENT_COLUMNS = [
    ("connected", "calls"), ("handle_ms", "AHT"), ("talk_ms", "talk"), ("hold_ms", "hold"), ("wrap_up_ms", "wrap-up"),
    ("occupancy_percent", "occupancy %"), ("utilisation_percent", "utilisation %"), ("logged_in_ms", "on duty"),
    ("ready_total_ms", "ready"), ("not_ready_total_ms", "not ready"), ("alerting_total_ms", "ringing"),
]


def report(
    by: Annotated[str, typer.Option("--by", help="all | queue | agent | tenant")] = "queue",
    interval: Annotated[str, typer.Option("--interval", help="none | 15m | 30m | hour | day | week | month")] = "none",
    since: Annotated[str, typer.Option("--since", help="First day, as 2026-03-01, or a moment 2026-03-01T09:00.")] = "",
    until: Annotated[str, typer.Option("--until", help="Last day (whole), or the moment at which to end.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="All that is kept, instead of today.")] = False,
    queue: Annotated[str, typer.Option("--queue", help="Only this queue, as default/support.")] = "",
    agent: Annotated[str, typer.Option("--agent", help="Only this agent, as default/201.")] = "",
    tenant: Annotated[str, typer.Option("--tenant", help="Only this tenant.")] = "",
    within: Annotated[float, typer.Option("--within", help="Service level target in seconds (0: each queue's own from "
                                          "the running engine, else 20).")] = 0.0,
    short: Annotated[float, typer.Option("--short", help="Callers who leave sooner, in seconds, are short abandons "
                                         "(-1: as the target).")] = -1.0,
    resolution: Annotated[int, typer.Option("--resolution", help="First-call resolution: no re-contact within so many "
                                            "days (0: not asked).")] = 0,
    zone: Annotated[str, typer.Option("--zone", help="Time zone of days, as Europe/London (default: this "
                                      "machine's).")] = "",
    codes: Annotated[bool, typer.Option("--codes", help="Calls by wrap-up code instead.")] = False,
    calibration: Annotated[bool, typer.Option("--calibration", help="Were promised waits kept, instead.")] = False,
    survey: Annotated[bool, typer.Option("--survey", help="What callers answered instead.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values, every figure.")] = False,
    plot: Annotated[Path | None, typer.Option("--plot", help="Draw it into FILE.png or FILE.svg.")] = None,
    data: Data = None, json: Json = False,
) -> None:  # fmt: skip
    """Service level, waits, handle times, occupancy: by interval, queue, agent or tenant."""
    from engine.cli import report_text
    from engine.errors import UsageError
    from engine.records.report import GROUPS, INTERVALS

    for name, value, allowed in (("--by", by, GROUPS), ("--interval", interval, INTERVALS)):
        if value not in allowed:
            raise UsageError(f"{name} is one of {', '.join(allowed)}, not {value!r}")
    if plot is not None and plot.suffix not in (".png", ".svg"):
        raise UsageError(f"--plot draws FILE.png or FILE.svg, not {plot.name!r}")
    folder = data_folder(data)
    wish = _wish(by, interval, since, until, everything, zone)
    wish.queue, wish.agent, wish.tenant = queue, agent, tenant
    if within:
        wish.within_ms = round(within * 1000)
    else:
        wish.targets = targets(folder)
    wish.short_ms = wish.within_ms if short < 0 else round(short * 1000)
    if survey:
        _print_survey(folder / "ringdown.db", wish, json, csv)
        return
    if codes or calibration:
        _print_instead(folder / "ringdown.db", wish, calibration, json, csv)
        return
    lines, solved = read(folder / "ringdown.db", wish, resolution)
    rows = report_text.rows(wish, lines)
    if plot is not None:
        from engine.cli import report_plot

        report_plot.draw(plot, wish, lines)
    if json:
        print(report_text.as_json(wish, rows, resolution, solved))
    elif csv:
        print(report_text.as_csv(rows), end="")
    else:
        columns = AGENT_COLUMNS if by == "agent" else QUEUE_COLUMNS
        print(report_text.as_table(wish, rows, columns))
        if resolution:
            share = "nothing to count" if solved is None else f"{solved:.1f} %"
            print(f"first-call resolution (no re-contact within {resolution} days): {share}")
        if plot is not None:
            print(f"drawn: {plot}")


def _print_survey(path: Path, wish: Wish, json: bool, csv: bool) -> None:
    from engine.cli import report_survey, report_text, show

    found = report_survey.read(path, wish)
    text = report_survey.text(found, wish.by)
    print(show.as_json(found) if json else report_text.as_csv(found).rstrip("\n") if csv else text)


def _print_instead(path: Path, wish: Wish, calibration: bool, json: bool, csv: bool) -> None:
    """Another report than that of the key figures: promises, or wrap-up codes."""
    from engine.cli import report_codes, report_promises, report_text, show

    if calibration:
        report_promises.refuse(wish)
        found = report_promises.read(path, wish)
        text = report_promises.text(found, wish.by)
    else:
        found = report_codes.read(path, wish)
        text = report_codes.text(found)
    print(show.as_json(found) if json else report_text.as_csv(found).rstrip("\n") if csv else text)


def _wish(by: str, interval: str, since: str, until: str, everything: bool, zone: str) -> Wish:
    """The time asked for; days are the zone's. Raises UsageError."""
    from datetime import datetime, timedelta

    from engine.errors import UsageError
    from engine.records.report import Wish

    wish = Wish(by=by, interval=interval)
    where = zone_of(zone)
    now = datetime.now(where)
    if not everything:
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        first = _moment(since, where) if since else today
        wish.since_ms = round(first.timestamp() * 1000)
        if until:
            last = _moment(until, where)
            wish.until_ms = round((last if "T" in until else last + timedelta(days=1)).timestamp() * 1000)
    elif since or until:
        raise UsageError("--all goes without --since and --until")
    if wish.since_ms >= wish.until_ms:
        raise UsageError("--since lies behind --until")
    wish.offsets = offsets(where, wish.since_ms, min(wish.until_ms, round(now.timestamp() * 1000)))
    return wish


def zone_of(name: str) -> Any:
    """The named zone, or this machine's (its rules where they are known, so that summer time is right)."""
    from zoneinfo import ZoneInfo

    from engine.errors import UsageError

    if name:
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise UsageError(f"--zone: no time zone {name!r}; as in Europe/London") from error
    try:
        with Path("/etc/localtime").open("rb") as file:
            return ZoneInfo.from_file(file, key="local")
    except (OSError, ValueError):
        return ZoneInfo("UTC")


def _moment(text: str, where: Any) -> Any:
    from datetime import datetime

    from engine.errors import UsageError

    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no day and no moment: as in 2026-03-01 or 2026-03-01T09:00") from error
    return found if found.tzinfo is not None else found.replace(tzinfo=where)


def offsets(where: Any, since_ms: int, until_ms: int) -> list[tuple[int, int]]:
    """(Unix ms from which it holds, ms that local time is ahead), to the hour of each change in that time."""
    from datetime import datetime

    def ahead(at_ms: int) -> int:
        return round(datetime.fromtimestamp(at_ms / 1000, where).utcoffset().total_seconds() * 1000)  # type: ignore[union-attr]

    day, hour = 86_400_000, 3_600_000
    since_ms = max(since_ms, 946_684_800_000)  # no engine kept records before 2000
    found = [(since_ms, ahead(since_ms))]
    at = since_ms - since_ms % hour
    while at < until_ms:
        if ahead(at + day) != found[-1][1]:
            change = next(each for each in range(at, at + day + hour, hour) if ahead(each) != found[-1][1])
            found.append((change, ahead(change)))
        at += day
    return found


def targets(folder: Path) -> dict[str, int]:
    """Each queue's own target in ms from the running engine, {} when none runs."""
    from engine.cli import client

    try:
        return {str(row["name"]): int(row["service_level_ms"]) for row in client.ask(folder, "queues")}
    except (client.NotRunning, client.Refused):
        return {}


def read(path: Path, wish: Wish, resolution_days: int = 0) -> tuple[list[Line], float | None]:
    """The report's lines and first-call resolution in percent. No store yet: no lines. Raises SiteError."""
    import sqlite3

    from engine.errors import SiteError
    from engine.runtime.migrations import StorageRefused

    if not path.exists():
        return [], None
    try:
        return _read(path, wish, resolution_days)
    except (sqlite3.Error, StorageRefused) as error:
        raise SiteError(f"can't read {path}: {error}") from error


def _read(path: Path, wish: Wish, resolution_days: int) -> tuple[list[Line], float | None]:
    """The store answers piece after piece in threads, this one adds them up meanwhile."""
    import os
    from concurrent.futures import ThreadPoolExecutor

    from engine.records import kpi, report

    known_schema(path)
    workers = min(workers_max, os.cpu_count() or 1)
    with ThreadPoolExecutor(workers) as pool:
        def ask(query: Callable[[Wish], Query], table: str) -> Iterator[Any]:
            return answers(pool, 2 * workers, path, (query(part) for part in stretches(path, table, wish, piece_rows)))

        lines = report.lines(wish, ask(report.contacts_query, "contacts"), ask(report.times_query, "agent_times"))
        if not resolution_days:
            return lines, None
        stays = ask(report.resolution_query, "contacts")
        known, solved = report.resolved(stays, resolution_days * kpi.DAY_MS)
    return lines, kpi.share(solved, known)


def answers(pool: ThreadPoolExecutor, ahead: int, path: Path, queries: Iterator[Query]) -> Iterator[Any]:
    """Each query's only row, in order; `ahead` of them are asked before they are needed, so memory is bounded."""
    from collections import deque
    from itertools import islice

    waiting = deque(pool.submit(_row, path, query) for query in islice(queries, ahead))
    while waiting:
        row = waiting.popleft().result()
        waiting.extend(pool.submit(_row, path, query) for query in islice(queries, 1))
        yield row


def stretches(path: Path, table: str, wish: Wish, rows: int) -> Iterator[Wish]:
    """The wish cut into consecutive stretches of time with about `rows` rows of the table each (more only where
    they have the same time)."""
    import msgspec

    column = TIME_OF[table]
    query = (f"SELECT {column} FROM {table} WHERE {column} >= ? AND {column} < ? ORDER BY {column} "
             "LIMIT 1 OFFSET ?")  # fmt: skip
    db = _connect(path)
    try:
        since = wish.since_ms
        while (edge := db.execute(query, (since, wish.until_ms, rows)).fetchone()) is not None:
            until = max(edge[0], since + 1)
            yield msgspec.structs.replace(wish, since_ms=since, until_ms=until)
            since = until
        yield msgspec.structs.replace(wish, since_ms=since)
    finally:
        db.close()


def known_schema(path: Path, least: int = 2) -> None:
    """Raises SiteError when an earlier engine wrote the store, StorageRefused when none of ours did."""
    from engine.errors import SiteError
    from engine.runtime.migrations import check

    db = _connect(path)
    try:
        if check(db, path) < least:
            raise SiteError(f"{path.name} has the schema of an earlier engine: start today's once, it converts it")
    finally:
        db.close()


def _connect(path: Path) -> sqlite3.Connection:
    import sqlite3

    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=2.0)
    db.execute("PRAGMA mmap_size = 1073741824")
    return db


def _row(path: Path, query: Query) -> Any:
    db = _connect(path)
    try:
        return db.execute(*query).fetchone()
    finally:
        db.close()

"""`ringdown queues`: who waits, for how long, and who could answer; `--watch` keeps it on the screen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.options import Data, Json, data_folder

COLUMNS = [
    ("name", "queue"), ("waiting", "waiting"), ("longest", "longest"), ("estimate", "next waits"),
    ("alerting", "alerting"),
    ("connected", "talking"), ("ready", "ready"), ("on_duty", "on duty"), ("offered", "offered"),
    ("answered", "answered"), ("abandoned", "abandoned"), ("missed", "missed"),
]  # the rest is in --json
every_s_min = 0.5


def queues(
    watch: Annotated[bool, typer.Option("--watch", "-w", help="A live wallboard; Ctrl-C ends.")] = False,
    every: Annotated[float, typer.Option("--every", help="With --watch: seconds between two looks.")] = 2.0,
    data: Data = None, json: Json = False,
) -> None:
    """List queues: waiting callers, longest wait, agents by state. --watch --json: one line a look."""
    from engine.cli import client, show
    from engine.errors import UsageError

    folder = data_folder(data)
    if watch:
        if not every_s_min <= every <= 3_600:
            raise UsageError(f"--every is {every_s_min} to 3600 seconds")
        _watch(folder, every, json)
        return
    rows = client.ask(folder, "queues")
    if json:
        print(show.as_json(rows))
        return
    for row in rows:
        row["longest"] = show.seconds(row.get("longest_wait_ms", 0))
        row["estimate"] = next_waits(row.get("estimate_ms"))
        row["on_duty"] = len(row["on_duty"]) if isinstance(row["on_duty"], list) else row["on_duty"]
    columns = [*COLUMNS, ("closed", "closed")] if any(row.get("closed") for row in rows) else COLUMNS
    print(show.table(rows, columns))


def next_waits(estimate_ms: list[int] | None) -> str:
    """What who calls now will wait, nine times in ten, in seconds; '-' where nothing honest can be said."""
    if estimate_ms is None:
        return "-"
    low, _, high = (round(each / 1000) for each in estimate_ms)
    return f"{low} s" if low == high else f"{low} to {high} s"


def _watch(folder: Path, every: float, json: bool) -> None:
    """A look every `every` seconds until Ctrl-C. An engine that is gone is said, and looked for again."""
    import sys
    import time

    from engine.cli import client

    began = False
    try:
        while True:
            try:
                found = look(folder)
                print(_line(found) if json else _screen(found), end="\n" if json else "", flush=True)
                began = True
            except (client.NotRunning, client.Refused) as gone:
                if not began:
                    raise
                print(f"ringdown: {gone}" if json else _screen([], note=str(gone)), flush=True,
                      file=sys.stderr if json else sys.stdout)  # fmt: skip
            time.sleep(every)
    except KeyboardInterrupt:
        print()


def look(folder: Path) -> list[dict[str, Any]]:
    """The board of every queue now, as plain data, with `closed` beside the figures."""
    import msgspec

    from engine.cli import client
    from engine.records.kpi_board import board

    rows = client.ask(folder, "queues")
    boards = board(rows, client.ask(folder, "agents"))
    closed = {row["name"]: bool(row.get("closed")) for row in rows}
    return [{**msgspec.to_builtins(each), "closed": closed[each.queue]} for each in boards]


def _line(found: list[dict[str, Any]]) -> str:
    import json
    import time

    return json.dumps({"at_ms": int(time.time() * 1000), "queues": found}, ensure_ascii=False)


def _screen(found: list[dict[str, Any]], note: str = "") -> str:
    """Home, every line cleared to its end, the rest of the screen cleared: no flicker over ssh."""
    import shutil
    import time

    import msgspec

    from engine.console import wallboard
    from engine.records.kpi_board import Board

    size = shutil.get_terminal_size()
    boards = [msgspec.convert(each, Board) for each in found]
    closed = [each["queue"] for each in found if each["closed"]]
    lines = wallboard.lines(
        boards, closed, width=size.columns, height=size.lines - 1, at_ms=int(time.time() * 1000), note=note
    )
    return "\x1b[H" + "".join(f"{line}\x1b[K\n" for line in lines) + "\x1b[J"

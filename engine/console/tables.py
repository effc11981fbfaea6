"""The console's lists as data: which columns each view has, and how a row of the engine becomes cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.console.format import seconds, span
from engine.console.wallboard import percent, state_words
from engine.records.kpi_board import Board

Row = Mapping[str, Any]
Cells = tuple[str, ...]

# view -> (heading, cells at 80 columns)
COLUMNS: dict[str, tuple[tuple[str, int], ...]] = {
    "calls": (("call", 8), ("caller", 13), ("dialled", 7), ("for", 7), ("what", 27), ("path", 60)),
    "queues": (
        ("queue", 18), ("wait", 4), ("longest", 7), ("talk", 4), ("ready", 5), ("inbound", 7), ("service", 8),
        ("aband", 5), ("util", 5),
    ),
    "agents": (("agent", 9), ("name", 16), ("state", 22), ("for", 8), ("phone", 6), ("queues", 40)),
    "trunks": (("trunk", 14), ("tenant", 10), ("calls", 9), ("state", 22), ("sends to", 24), ("calls come from", 40)),
}  # fmt: skip


def call(row: Row) -> tuple[str, Cells]:
    """(key, cells) of one living call."""
    phase = str(row["phase"])
    queue = str(row.get("queue") or "").removeprefix("default/")
    if phase == "queue":
        what = f"waits in {queue}" + (f" as no. {row['position']}" if row.get("position") else "")
    elif row.get("with"):
        what = f"{phase} with {row['with']}" if phase != "talking" else f"talks with {row['with']}"
    else:
        what = {"script": "in the dialplan", "dial": "rings somebody"}.get(phase, phase)
    return str(row["call"]), (
        str(row["call"]), str(row["caller"]) or "anonymous", str(row["dialled"]), span(int(row["seconds"])), what,
        str(row.get("path") or ""),
    )  # fmt: skip


def queue(board: Board, closed: bool) -> tuple[str, Cells]:
    """(key, cells) of one queue; figures by the report's formulas."""
    name = board.queue.removeprefix("default/")
    return board.queue, (
        f"{name} CLOSED" if closed else name, str(board.waiting + board.alerting), seconds(board.longest_wait_ms),
        str(board.connected), str(board.ready), str(board.inbound), percent(board.service_level),
        percent(board.abandonment), percent(board.utilisation),
    )  # fmt: skip


def agent(row: Row) -> tuple[str, Cells]:
    """(key, cells) of one agent."""
    key = f"{row['tenant']}/{row['agent']}"
    queues = " ".join(str(name).removeprefix("default/") for name in row.get("queues") or ())
    return key, (
        key.removeprefix("default/"), str(row["name"]), state_words(str(row["state"]), str(row.get("reason") or "")),
        span(int(row["seconds"])), "yes" if row.get("reachable") else "NO", queues,
    )  # fmt: skip


def trunk(row: Row) -> tuple[str, Cells]:
    """(key, cells) of one trunk; it never had a secret to show."""
    most = f"{row['calls']} of {row['calls_max']}" if row.get("calls_max") else str(row["calls"])
    to = f"{row['to']} {row['transport']}" if row.get("to") else "nowhere"
    if row.get("accounts"):  # it registers with us
        to = " ".join(each["address"] for each in row["addresses"]) or f"nobody is {' or '.join(row['accounts'])}"
    state = str(row.get("state") or "unknown")
    state = state.upper() if state in ("down", "unresolved") else state
    registration = row.get("registration")
    if registration:
        held = registration["state"] in ("registered", "renewed")
        state += ", registered" if held else f", NOT REGISTERED {registration['status'] or ''}".rstrip()
    return str(row["trunk"]), (
        str(row["trunk"]), str(row["tenant"]), most, state, to, " ".join(row.get("from") or ()),
    )  # fmt: skip


ROWS: dict[str, Callable[[Row], tuple[str, Cells]]] = {"calls": call, "agents": agent, "trunks": trunk}


def matching(rows: Sequence[tuple[str, Cells]], text: str) -> list[tuple[str, Cells]]:
    """The rows that hold every word of the filter in some cell, whatever its case."""
    wanted = text.lower().split()
    if not wanted:
        return list(rows)
    return [row for row in rows if all(any(word in cell.lower() for cell in row[1]) for word in wanted)]

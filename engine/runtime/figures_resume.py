"""The figures of a boot that goes on after a crash: nothing of agents' time is lost, nothing counted twice.

The store knows up to which event times were taken (`figures_mark`). What was open at that event is found by walking
back from it; what came after it stands in `events` and is told again, up to what the store had.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from engine.records import schema
from engine.records.events import Event
from engine.records.figures import KINDS, Figures

look_back_events = 200_000


def resume(db: sqlite3.Connection, figures: Figures, node: str, boot: str, open_calls: list[Event]) -> None:
    """Bring fresh `figures` to the store's last event of `boot`. `open_calls`: the events of calls that are up.

    Raises sqlite3.Error.
    """
    row = db.execute("SELECT boot, n, at_ms, now_ms FROM figures_mark WHERE boot = ?", (boot,)).fetchone()
    mark = row if row is not None else (boot, 0, 0, 0)
    if row is not None:
        before = [event for event in open_calls if event.n <= mark[1] and event.kind in KINDS]
        before += _states(db, node, boot, mark[1])
        figures.go_on(sorted(before, key=lambda event: event.n), mark)
    for event in _events(db, "n > ? AND node = ? AND boot = ? ORDER BY n", (mark[1], node, boot)):
        if event.kind in KINDS:
            figures.feed(event)


def _states(db: sqlite3.Connection, node: str, boot: str, n: int) -> list[Event]:
    """The last state up to event `n` of every agent who isn't logged out."""
    wanted = {str(agent): True for (agent,) in db.execute("SELECT agent FROM agent_logins WHERE state != 'logged_out'")}
    found: dict[str, Event] = {}
    where = "n <= ? AND n > ? AND node = ? AND boot = ? AND kind = 'agent.state' ORDER BY n DESC"
    for event in _events(db, where, (n, n - look_back_events, node, boot)):
        found.setdefault(str(event.data.get("agent") or ""), event)
        if all(agent in found for agent in wanted):
            break
    return list(found.values())


def _events(db: sqlite3.Connection, where: str, values: tuple[object, ...]) -> Iterator[Event]:
    query = f"SELECT n, boot, at_ms, now_ms, kind, tenant, call, data FROM events WHERE {where}"
    yield from map(schema.event_of, db.execute(query, values))

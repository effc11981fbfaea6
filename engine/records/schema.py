"""The record store's schema as data: versioned DDL, and how an event becomes rows.

SQL text and pure functions only; `runtime.storage` owns the connection. A stored format, once released, is never
edited: a change is a new entry of `MIGRATIONS`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from engine.records import voicemail
from engine.records.call_detail import CallDetail
from engine.records.events import Event

APPLICATION_ID = 0x52444E31  # "RDN1" in the file's header: tells our file from another product's

_VERSION_1 = """
CREATE TABLE events (
    node TEXT NOT NULL, boot TEXT NOT NULL, n INTEGER NOT NULL, at_ms INTEGER NOT NULL, now_ms INTEGER NOT NULL,
    kind TEXT NOT NULL, tenant TEXT NOT NULL, call TEXT NOT NULL, data TEXT NOT NULL,
    PRIMARY KEY (node, boot, n)
) WITHOUT ROWID;
CREATE INDEX events_call ON events (call) WHERE call != '';

CREATE TABLE calls (
    node TEXT NOT NULL, boot TEXT NOT NULL, n INTEGER NOT NULL, call TEXT NOT NULL, tenant TEXT NOT NULL,
    started_ms INTEGER NOT NULL, answered_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL,
    caller TEXT NOT NULL, name TEXT NOT NULL, dialled TEXT NOT NULL, trunk TEXT NOT NULL, via TEXT NOT NULL,
    source TEXT NOT NULL, ended_by TEXT NOT NULL, outcome TEXT NOT NULL, cause INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL, answer_ms INTEGER NOT NULL, waited_ms INTEGER NOT NULL,
    talked_ms INTEGER NOT NULL, held_ms INTEGER NOT NULL, path TEXT NOT NULL, queues TEXT NOT NULL,
    agents TEXT NOT NULL, transfers INTEGER NOT NULL, faults INTEGER NOT NULL, one_way INTEGER NOT NULL,
    recordings TEXT NOT NULL, quality TEXT NOT NULL,
    PRIMARY KEY (node, boot, n)
) WITHOUT ROWID;
CREATE INDEX calls_started ON calls (started_ms);
CREATE INDEX calls_caller ON calls (caller, started_ms);

CREATE TABLE queue_events (
    node TEXT NOT NULL, boot TEXT NOT NULL, n INTEGER NOT NULL, at_ms INTEGER NOT NULL, tenant TEXT NOT NULL,
    queue TEXT NOT NULL, call TEXT NOT NULL, agent TEXT NOT NULL, event TEXT NOT NULL, reason TEXT NOT NULL,
    position INTEGER NOT NULL, waited_ms INTEGER NOT NULL, rang_ms INTEGER NOT NULL, talked_ms INTEGER NOT NULL,
    PRIMARY KEY (node, boot, n)
) WITHOUT ROWID;
CREATE INDEX queue_events_queue ON queue_events (queue, at_ms);

CREATE TABLE agent_logins (agent TEXT PRIMARY KEY, state TEXT NOT NULL, at_ms INTEGER NOT NULL) WITHOUT ROWID;
"""

# What reports read, in the order in which they read it, and the lines that queue_log may still lack. The index went
# because nothing searched by it; its upkeep cost more than the two tables do.
_VERSION_2 = """
DROP INDEX queue_events_queue;

CREATE TABLE contacts (
    at_ms INTEGER NOT NULL, n INTEGER NOT NULL, boot TEXT NOT NULL, tenant TEXT NOT NULL, queue TEXT NOT NULL,
    agent TEXT NOT NULL, result TEXT NOT NULL, waited_ms INTEGER NOT NULL, talked_ms INTEGER NOT NULL,
    held_ms INTEGER NOT NULL, transfers INTEGER NOT NULL, who INTEGER NOT NULL,
    PRIMARY KEY (at_ms, n, boot)
) WITHOUT ROWID;

CREATE TABLE agent_times (
    quarter_ms INTEGER NOT NULL, agent TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, queue TEXT NOT NULL,
    ms INTEGER NOT NULL,
    PRIMARY KEY (quarter_ms, agent, state, reason, queue)
) WITHOUT ROWID;

CREATE TABLE queue_log_tail (
    id INTEGER PRIMARY KEY CHECK (id = 1), inode INTEGER NOT NULL, at_bytes INTEGER NOT NULL, lines TEXT NOT NULL
);

CREATE TABLE figures_mark (
    id INTEGER PRIMARY KEY CHECK (id = 1), boot TEXT NOT NULL, n INTEGER NOT NULL, at_ms INTEGER NOT NULL,
    now_ms INTEGER NOT NULL
);
"""

# What callers were promised and what came of it (records.promised).
_VERSION_3 = """
CREATE TABLE promises (
    at_ms INTEGER NOT NULL, n INTEGER NOT NULL, boot TEXT NOT NULL, tenant TEXT NOT NULL, queue TEXT NOT NULL,
    spoken INTEGER NOT NULL, low_ms INTEGER NOT NULL, high_ms INTEGER NOT NULL, waited_ms INTEGER NOT NULL,
    result TEXT NOT NULL,
    PRIMARY KEY (at_ms, n, boot)
) WITHOUT ROWID;
"""

# (version, SQL script that leads from the version before). Applied in order, each in one transaction.
MIGRATIONS: tuple[tuple[int, str], ...] = ((1, _VERSION_1), (2, _VERSION_2), (3, _VERSION_3), (4, voicemail.TABLE))
QUEUE_LOG_TAIL = "queue_log_tail"
FIGURES_SINCE = 2  # stores of an earlier version get `contacts` and `agent_times` made from their events
PROMISES_SINCE = 3
VERSION = MIGRATIONS[-1][0]

VERSION_TABLE = """
CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER PRIMARY KEY, applied_at_ms INTEGER NOT NULL)
"""

CALL_COLUMNS = (
    "node", "boot", "n", "call", "tenant", "started_ms", "answered_ms", "ended_ms", "caller", "name", "dialled",
    "trunk", "via", "source", "ended_by", "outcome", "cause", "duration_ms", "answer_ms", "waited_ms", "talked_ms",
    "held_ms", "path", "queues", "agents", "transfers", "faults", "one_way", "recordings", "quality",
)


def _insert(table: str, columns: int, *, word: str) -> str:
    return f"INSERT OR {word} INTO {table} VALUES ({','.join('?' * columns)})"


# An event that was written before a crash or a retry is the same row: IGNORE makes the replay exactly once.
INSERT_EVENT = _insert("events", 9, word="IGNORE")
INSERT_QUEUE_EVENT = _insert("queue_events", 14, word="IGNORE")
# A call's row is written again when its quality or its wrap-up code arrives late.
INSERT_CALL = _insert("calls", len(CALL_COLUMNS), word="REPLACE")
INSERT_LOGIN = "INSERT OR REPLACE INTO agent_logins VALUES (?,?,?)"
# A stay's row is written again when its conversation is over; agents' time adds up within the batch's transaction.
INSERT_CONTACT = _insert("contacts", 12, word="REPLACE")
INSERT_PROMISE = _insert("promises", 10, word="REPLACE")
ADD_AGENT_TIME = "INSERT INTO agent_times VALUES (?,?,?,?,?,?) ON CONFLICT DO UPDATE SET ms = ms + excluded.ms"
# A queue has a new name: (new, old). What reports read counts for the new one; `events` keep what was said then.
RENAME_QUEUE = (
    "UPDATE contacts SET queue = ? WHERE queue = ?",
    "UPDATE queue_events SET queue = ? WHERE queue = ?",
    "UPDATE promises SET queue = ? WHERE queue = ?",
    "INSERT INTO agent_times SELECT quarter_ms, agent, state, reason, ?, ms FROM agent_times WHERE queue = ?"
    " ON CONFLICT DO UPDATE SET ms = ms + excluded.ms",
    "DELETE FROM agent_times WHERE ? != '' AND queue = ?",
)
PUT_FIGURES_MARK = "INSERT OR REPLACE INTO figures_mark VALUES (1,?,?,?,?)"
PUT_QUEUE_LOG_TAIL = "INSERT OR REPLACE INTO queue_log_tail VALUES (1,?,?,?)"

_EVENT_COLUMNS = "n, boot, at_ms, now_ms, kind, tenant, call, data"
# The index over calls leaves out events without one; SQLite takes it only where the query says that it does too.
OF_CALL = "call = ? AND call != ''"
SELECT_CALL_EVENTS = f"SELECT {_EVENT_COLUMNS} FROM events WHERE {OF_CALL} AND node = ? AND boot = ? ORDER BY n"
SELECT_LAST_EVENT = f"SELECT {_EVENT_COLUMNS} FROM events WHERE node = ? AND boot = ? ORDER BY n DESC LIMIT 1"
# Retention may have removed the row of a call whose events are kept longer, and an erased call has no name any more.
SELECT_OPEN_CALLS = """
SELECT call FROM events AS e WHERE node = ? AND boot = ? AND kind = 'call.started' AND call != '' AND NOT EXISTS (
    SELECT 1 FROM calls AS c WHERE c.node = e.node AND c.boot = e.boot AND c.n = e.n
) AND NOT EXISTS (
    SELECT 1 FROM events AS d
    WHERE d.call = e.call AND d.call != '' AND d.node = e.node AND d.boot = e.boot AND d.n > e.n
      AND d.kind = 'call.ended'
) ORDER BY n
"""

Row = tuple[object, ...]
Query = tuple[str, list[str | int]]  # SQL and its values
_json = msgspec.json.Encoder()


def event_row(node: str, event: Event) -> Row:
    """Row of `events`."""
    data = _json.encode(event.data).decode()
    return (node, event.boot, event.n, event.at_ms, event.now_ms, event.kind, event.tenant, event.call, data)


def event_of(row: Sequence[Any]) -> Event:
    """The event that a row of `_EVENT_COLUMNS` describes."""
    return Event(row[0], row[1], row[2], row[3], row[4], row[5], row[6], msgspec.json.decode(row[7]))


def queue_row(node: str, event: Event) -> Row | None:
    """Row of `queue_events` for the kinds that begin with `queue.`, else None; why who was chosen is no figure."""
    if not event.kind.startswith("queue.") or event.kind == "queue.decided":
        return None
    get = event.data.get
    reason = get("reason") or get("by") or ""
    return (
        node, event.boot, event.n, event.at_ms, event.tenant, get("queue") or "", event.call, get("agent") or "",
        event.kind[6:], reason, get("position") or 0, get("waited_ms") or 0, get("rang_ms") or 0, get("talked_ms") or 0,
    )


def call_row(node: str, detail: CallDetail) -> Row:
    """Row of `calls`, in the order of CALL_COLUMNS; lists are JSON text."""
    return (
        node, detail.boot, detail.n, detail.call, detail.tenant, detail.started_ms, detail.answered_ms,
        detail.ended_ms, detail.caller, detail.name, detail.dialled, detail.trunk, detail.via, detail.source, detail.by,
        detail.outcome, detail.cause, detail.duration_ms, detail.answer_ms, detail.waited_ms, detail.talked_ms,
        detail.held_ms, detail.whole_path(), _json.encode(detail.queues).decode(), _json.encode(detail.agents).decode(),
        detail.transfers, detail.faults, int(detail.one_way), _json.encode(detail.recordings).decode(),
        _json.encode(detail.quality).decode(),
    )


def login_state(event: Event) -> tuple[str, str, int] | None:
    """(agent "tenant/number", state, at_ms) when the event says how an agent's login stands; what AgentStates takes."""
    agent = str(event.data.get("agent") or "")
    if "/" not in agent:
        agent = f"{event.tenant or 'default'}/{agent}"
    if event.kind == "agent.login":
        return agent, "ready", event.at_ms
    if event.kind == "agent.logout":
        return agent, "logged_out", event.at_ms
    if event.kind == "agent.paused":
        paused, reason = event.data.get("paused"), event.data.get("reason") or ""
        return agent, f"not_ready:{reason}" if paused else "ready", event.at_ms
    return None

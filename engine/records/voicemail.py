"""Messages in boxes as rows of the record store: what each `voicemail.…` event changes.

The row is the message's place in its box; it goes when the message does. What was done to it stays in `events`.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.records.events import Event

TABLE = """
CREATE TABLE voicemail (
    message TEXT PRIMARY KEY, tenant TEXT NOT NULL, box TEXT NOT NULL, call TEXT NOT NULL, caller TEXT NOT NULL,
    name TEXT NOT NULL, dialled TEXT NOT NULL, left_ms INTEGER NOT NULL, duration_ms INTEGER NOT NULL,
    state TEXT NOT NULL, warned INTEGER NOT NULL
) WITHOUT ROWID;
"""
# in the order of `call.messages.StoredMessage`
SELECT = """
SELECT box, message, caller, name, dialled, call, left_ms, duration_ms, state, warned FROM voicemail
ORDER BY left_ms, message
"""
Change = tuple[str, tuple[object, ...]]
_INSERT = "INSERT OR IGNORE INTO voicemail VALUES (?,?,?,?,?,?,?,?,?,'new',0)"
_DELETE = "DELETE FROM voicemail WHERE message = ?"
_STATE = "UPDATE voicemail SET state = ? WHERE message = ?"
_WARNED = "UPDATE voicemail SET warned = 1 WHERE message = ?"


def change(event: Event) -> Change | None:
    """(SQL, its values) of what an event does to a row; None for every other kind. Doing it twice changes nothing."""
    rule = _RULES.get(event.kind)
    return rule(event) if rule is not None else None


def _left(event: Event) -> Change:
    data = event.data
    caller, name, dialled = (str(data[each] or "") for each in ("caller", "name", "dialled"))
    ms = int(data["duration_ms"] or 0)
    begun_ms = event.at_ms - ms
    return _INSERT, (data["message"], event.tenant, data["box"], event.call, caller, name, dialled, begun_ms, ms)


def _marked(event: Event) -> Change:
    return _STATE, (event.kind.partition(".")[2], event.data["message"])


def _deleted(event: Event) -> Change:
    return _DELETE, (event.data["message"],)


def _warned(event: Event) -> Change:
    return _WARNED, (event.data["message"],)


_RULES: dict[str, Callable[[Event], Change]] = {
    "voicemail.left": _left, "voicemail.heard": _marked, "voicemail.saved": _marked, "voicemail.deleted": _deleted,
    "voicemail.unheard": _warned,
}  # fmt: skip

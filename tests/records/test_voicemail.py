"""A message's row follows its events, however often they are told."""

from __future__ import annotations

import sqlite3

import pytest

from engine.records import schema, voicemail
from engine.records.events import Event

NAME = "voicemail/default/front/bako-0-b-1.wav"


@pytest.fixture
def db() -> sqlite3.Connection:
    made = sqlite3.connect(":memory:")
    for _, script in schema.MIGRATIONS:
        made.executescript(script)
    return made


def tell(db: sqlite3.Connection, kind: str, **data: str | int) -> None:
    told = {"box": "default/front", "message": NAME, **data}
    event = Event(1, "b", 10_000, 10, f"voicemail.{kind}", "default", "bako-0", told)  # type: ignore[arg-type]
    change = voicemail.change(event)
    assert change is not None
    for _ in range(2):
        db.execute(*change)


def rows(db: sqlite3.Connection) -> list[tuple[object, ...]]:
    return db.execute(voicemail.SELECT).fetchall()


def test_the_life_of_a_message(db: sqlite3.Connection) -> None:
    tell(db, "left", caller="+441", name="Ana", dialled="700", duration_ms=4_000)
    assert rows(db) == [("default/front", NAME, "+441", "Ana", "700", "bako-0", 6_000, 4_000, "new", 0)]
    tell(db, "unheard", by="", waited_ms=5, new=1)
    tell(db, "heard", by="x")
    assert rows(db)[0][-2:] == ("heard", 1)
    tell(db, "saved", by="x")
    assert rows(db)[0][-2:] == ("saved", 1)
    tell(db, "deleted", by="x")
    assert rows(db) == []


@pytest.mark.parametrize("kind", ["voicemail.dropped", "voicemail.callback", "call.started"])
def test_other_events_change_nothing(kind: str) -> None:
    assert voicemail.change(Event(1, "b", 1, 1, kind, "default", "x", {})) is None

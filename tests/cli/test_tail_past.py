"""The past that `tail` shows: whole ladders in parts, which call is meant, and no gap into the present."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.cli import client, tail_past
from engine.records import schema
from engine.records.events import Event
from tests.cli.engine_double import engine, refused


def test_how_a_call_sounded_below_its_ladder(tmp_path: Path) -> None:
    """A living call's legs from the engine, one that is over from its records, nothing where there is neither."""
    leg = {"leg": "caller", "packets_in": 96, "packets_out": 100, "lost": 4, "side": "theirs", "cause": "late by 90 ms"}
    line = "audio caller: loss 4.0 %, jitter 0.0 ms, longest gap 0 ms BECAUSE late by 90 ms (their side)"
    with engine(tmp_path, {"sound": {"call": "bako-0", "legs": [leg]}}):
        assert tail_past.sound(tmp_path, "bako-0") == [line]
        assert tail_past.sound(tmp_path, "") == [], "a request that never became a call"
    (tmp_path / "ringdown.sock").unlink()
    assert tail_past.sound(tmp_path, "bako-0") == []
    db = sqlite3.connect(tmp_path / "ringdown.db")
    for _, script in schema.MIGRATIONS:
        db.executescript(script)
    closed = Event(1, "b1", 1, 1, "call.quality", "default", "bako-0", {**leg, "trunk": "", "jitter_us": 0})
    db.execute(schema.INSERT_EVENT, schema.event_row("a", closed))
    db.commit()
    db.close()
    with engine(tmp_path, {"sound": refused("no call")}):
        assert tail_past.sound(tmp_path, "bako-0") == [line]


class Memory:
    """As much of a store as is asked."""

    def __init__(self, *events: Event, calls: tuple[dict[str, Any], ...] = ()) -> None:
        self.events, self.calls = list(events), list(calls)
        self.late: list[Event] = []

    def range(self, boot: str, first: int, last: int) -> Iterator[Event]:
        found = [event for event in self.events if event.boot == boot and first <= event.n <= last]
        self.events += self.late  # written while we looked
        self.late = []
        yield from found

    def of_call(self, call: str) -> list[Event]:
        return self.events if call == "bako-0" else []

    def find(self, wanted: str) -> list[dict[str, Any]]:
        return self.calls


def event(n: int, boot: str = "b1") -> Event:
    return Event(n, boot, n, n, "call.step", "default", "bako-0", {})


def joint(*events: Event) -> tail_past.Joint:
    return tail_past.Joint(Memory(*events))  # type: ignore[arg-type]


def numbers(found: Iterator[Event]) -> list[int]:
    return [each.n for each in found]


def test_what_was_shown_is_not_shown_again_and_what_is_missing_is_read() -> None:
    both = joint(event(4), event(5), event(6))
    both.told(event(3))
    assert numbers(both.live(event(3))) == [] and numbers(both.live(event(7))) == [4, 5, 6, 7]
    assert numbers(both.live(event(8))) == [8] and numbers(both.live(event(8))) == []
    assert numbers(both.live(event(1, "b2"))) == [1]  # another boot begins anew


def test_what_the_writer_still_holds_is_waited_for() -> None:
    both = joint(event(4))
    both.store.late = [event(5)]  # type: ignore[attr-defined]
    both.told(event(3))
    assert numbers(both.live(event(6))) == [4, 5, 6]


def test_a_store_in_trouble_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_past, "written_s_max", 0.1)
    both = joint()
    both.told(event(3))
    began = time.monotonic()
    assert numbers(both.live(event(6))) == [6] and time.monotonic() - began < 2


def test_ladders_come_in_parts(tmp_path: Path) -> None:
    with engine(tmp_path, {"ladder": {"call": "a", "hops": [{"n": 1}], "next": 0}}) as asked:
        assert list(tail_past.ladder(tmp_path, call="a", raw=True)) == [{"n": 1}]
        assert list(tail_past.ladder(tmp_path, since_ms=5)) == [{"n": 1}]
    assert [each["arguments"] for each in asked] == [{"call": "a", "raw": "yes"}, {"since_ms": "5"}]


def test_facts_and_messages_are_merged_by_time() -> None:
    hops = iter([{"at_ms": 2}, {"at_ms": 4}])
    found = list(tail_past.merged(iter([event(1), event(2), event(3)]), hops))
    assert ["event" if "event" in item else "sip" for item in found] == ["event", "event", "sip", "event", "sip"]


def test_which_call_is_meant(tmp_path: Path) -> None:
    recorded = {"call": "old-0", "caller": "+44", "dialled": "100"}
    one, two, none = Memory(calls=(recorded,)), Memory(calls=(recorded, recorded)), Memory()
    with engine(tmp_path, {"call": {"call": "bako-0"}}):
        assert tail_past.which(tmp_path, one, "last") == "bako-0"  # type: ignore[arg-type]
    (tmp_path / "ringdown.sock").unlink()
    assert tail_past.which(tmp_path, one, "+44") == "old-0"  # type: ignore[arg-type]
    with pytest.raises(client.Refused, match="has 2 recorded calls, name one by its id: old-0"):
        tail_past.which(tmp_path, two, "+44")  # type: ignore[arg-type]
    with pytest.raises(client.Refused, match="no call"):
        tail_past.which(tmp_path, none, "+44")  # type: ignore[arg-type]
    assert tail_past.which(tmp_path, Memory(event(1)), "bako-0") == "bako-0"  # type: ignore[arg-type]
    with engine(tmp_path, {"call": refused("no call '+44' is up")}):
        assert tail_past.which(tmp_path, one, "+44") == "old-0"  # type: ignore[arg-type]
    (tmp_path / "ringdown.sock").unlink()
    over = "call old-0 ended at 09:10:06; nothing was changed (`ringdown calls` has its record)"
    with engine(tmp_path, {"call": refused(over)}):
        assert tail_past.which(tmp_path, one, "old-0") == "old-0", "the records tell of it"  # type: ignore[arg-type]
    (tmp_path / "ringdown.sock").unlink()
    with engine(tmp_path, {"call": refused("'+44' has 2 calls, name one")}), pytest.raises(client.Refused):
        tail_past.which(tmp_path, one, "+44")  # type: ignore[arg-type]

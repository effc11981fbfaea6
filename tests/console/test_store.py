"""The record store as operators' tools read it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from engine.console.store import Store
from engine.errors import SiteError
from engine.records import schema
from engine.records.call_detail import CallDetail
from engine.records.events import Event


def fill(path: Path, boots: int = 2, count: int = 5_000) -> None:
    """Boot k has events n = 1 … count, 100 ms apart, an agent.state every tenth."""
    db = sqlite3.connect(path)
    for _, script in schema.MIGRATIONS:
        db.executescript(script)
    for boot in range(boots):
        for n in range(1, count + 1):
            kind = "agent.state" if n % 10 == 0 else "call.step"
            at_ms = boot * 10_000_000 + n * 100
            data: dict[str, str | int | float | bool | None] = {"agent": f"default/{n % 3}", "new": "ready"}
            event = Event(n, f"b{9 - boot}", at_ms, 0, kind, "default", f"call-{n % 7}", data)
            db.execute(schema.INSERT_EVENT, schema.event_row("a", event))
    for number, (call, caller, agents) in enumerate(
        (("one", "+44", ["201"]), ("two", "+44", ["202"]), ("three", "+55", ["201"]))
    ):
        detail = CallDetail(
            boot="b8",
            n=number,
            call=call,
            tenant="default",
            started_ms=number,
            caller=caller,
            dialled="1",
            agents=agents,
        )
        db.execute(schema.INSERT_CALL, schema.call_row("a", detail))
    db.commit()
    db.close()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("store") / "ringdown.db"
    fill(made)
    return made


def test_since_finds_the_first_of_every_boot_in_order(path: Path) -> None:
    store = Store(path)
    found = list(store.since(400_000))
    assert [(found[0].boot, found[0].n), (found[-1].boot, found[-1].n)] == [("b9", 4_000), ("b8", 5_000)]
    assert len(found) == 1_001 + 5_000
    assert [event.n for event in store.since(10_000_000 + 499_950)] == [5_000]
    assert list(store.since(99_000_000)) == []
    store.close()


def test_calls_are_found_by_id_caller_agent_and_last(path: Path) -> None:
    store = Store(path)
    assert [row["call"] for row in store.find("+44")] == ["two", "one"]
    assert (
        [row["call"] for row in store.find("201")] == ["three", "one"] == [r["call"] for r in store.find("default/201")]
    )
    assert [row["call"] for row in store.find("one")] == ["one"] and [r["call"] for r in store.find("last")] == [
        "three"
    ]
    assert store.find("nobody") == []


def test_a_calls_events_are_those_of_its_newest_boot(path: Path) -> None:
    events = Store(path).of_call("call-3")
    assert {event.boot for event in events} == {"b8"} and events[0].n == 3
    assert Store(path).of_call("nobody") == []


def test_a_calls_events_are_found_by_the_index(path: Path) -> None:
    store = Store(path)
    asked: list[str] = []
    assert store._db is not None
    store._db.set_trace_callback(asked.append)
    store.of_call("call-3")
    store._db.set_trace_callback(None)
    plan = " ".join(str(row[3]) for row in store._db.execute(f"EXPLAIN QUERY PLAN {asked[0]}"))
    assert "events_call" in plan and "SCAN" not in plan, plan


def test_ranges_and_the_latest(path: Path) -> None:
    store = Store(path)
    assert [event.n for event in store.range("b9", 7, 9)] == [7, 8, 9]
    assert len(list(store.range("b9", 1, 2**62))) == 5_000  # in parts
    assert [event.n for event in store.latest(3)] == [4_998, 4_999, 5_000] and store.latest(3)[0].boot == "b8"
    before = store.agents_before(store.latest(1)[0], count=30)
    assert {key: event.n for key, event in before.items()} == {
        "default/2": 5_000,
        "default/1": 4_990,
        "default/0": 4_980,
    }


def test_no_store_yet_is_empty_and_a_broken_one_is_said(tmp_path: Path) -> None:
    store = Store(tmp_path / "ringdown.db")
    assert store.latest(5) == [] and store.find("last") == [] and list(store.since(0)) == []
    (tmp_path / "bad.db").write_bytes(b"no database at all, but long enough to be taken for one" * 40)
    with pytest.raises(SiteError, match="can't read"):
        Store(tmp_path / "bad.db").latest(5)


def test_what_happened_around_a_call_is_others_too_and_ends_with_it(tmp_path: Path) -> None:
    store, db = tmp_path / "ringdown.db", sqlite3.connect(tmp_path / "ringdown.db")
    for _, script in schema.MIGRATIONS:
        db.executescript(script)
    kinds = [
        ("a", "queue.joined"), ("me", "queue.joined"), ("", "agent.state"), ("a", "call.step"),
        ("a", "queue.connected"), ("me", "call.ended"), ("", "agent.state"),
    ]  # fmt: skip
    events = [Event(n, "b1", n, 0, kind, "default", call, {"queue": "q"}) for n, (call, kind) in enumerate(kinds)]
    db.executemany(schema.INSERT_EVENT, [schema.event_row("a", event) for event in events])
    db.commit()
    reader = Store(store)
    assert [event.n for event in reader.during(reader.of_call("me"))] == [1, 2, 4]
    assert [event.n for event in reader.during(reader.of_call("a"))] == [0, 1, 2, 4, 6], "it goes on"
    assert reader.during([]) == [] == reader.during([events[-1]])
    reader.close()
    db.close()

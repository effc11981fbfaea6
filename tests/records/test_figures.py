"""One row per stay, complete at the end of its conversation, and agents' time that adds up."""

from __future__ import annotations

from typing import Any

from engine.records.events import Event
from engine.records.figures import KINDS, QUARTER_MS, WRITE_MS, Figures
from engine.records.numbers import caller_token

START = 1_700_000_100_000


class Told:
    """Events with rising numbers at the seconds given."""

    def __init__(self, figures: Figures) -> None:
        self.figures, self.n = figures, 0

    def __call__(self, seconds: int, kind: str, call: str = "c", /, **data: Any) -> None:
        self.n += 1
        event = Event(self.n, "b", START + seconds * 1000, 5_000 + seconds * 1000, kind, "default", call, data)
        assert kind in KINDS
        self.figures.feed(event)


def talk(tell: Told) -> None:
    tell(0, "queue.joined", queue="default/q", position=1, priority_ms=0, caller="+44 1")
    tell(7, "queue.connected", queue="default/q", agent="default/201", waited_ms=7_000, rang_ms=1)
    tell(8, "call.held", by="agent 201", held=True)
    tell(18, "call.held", by="agent 201", held=False)
    tell(19, "call.held", by="caller", held=True)
    tell(20, "call.transferred", by="agent 201", to="202", way="blind", result="started")
    tell(21, "call.transferred", by="agent 201", to="202", way="", result="done")


def test_a_stay_is_written_twice_under_one_key() -> None:
    tell = Told(Figures())
    talk(tell)
    (first,), _ = tell.figures.take()
    tell(27, "queue.completed", queue="default/q", agent="default/201", by="caller", waited_ms=7_000, talked_ms=20_000)
    (second,), _ = tell.figures.take()
    key = (START + 7_000, 2, "b")
    who = caller_token("default", "+441")
    assert first == (*key, "default", "default/q", "default/201", "connected", 7_000, 0, 0, 0, who)
    assert second == (*key, "default", "default/q", "default/201", "connected", 7_000, 20_000, 10_000, 1, who)
    assert tell.figures.take() == ([], [])


def test_within_one_batch_only_the_complete_row_is_written() -> None:
    tell = Told(Figures())
    talk(tell)
    tell(27, "queue.completed", queue="default/q", agent="default/201", by="caller", waited_ms=7_000, talked_ms=20_000)
    rows, _ = tell.figures.take()
    assert [row[8] for row in rows] == [20_000]


def test_hung_up_on_hold() -> None:
    tell = Told(Figures())
    tell(0, "queue.connected", queue="q", agent="a/1", waited_ms=0, rang_ms=1)
    tell(5, "call.held", by="agent 1", held=True)
    tell(9, "queue.completed", queue="q", agent="a/1", by="caller", waited_ms=0, talked_ms=9_000)
    (row,), _ = tell.figures.take()
    assert row[8:10] == (9_000, 4_000)


def test_who_gives_up_and_who_was_refused() -> None:
    tell = Told(Figures())
    tell(0, "queue.joined", "a", queue="q", position=1, priority_ms=0, caller="anonymous")
    tell(4, "queue.abandoned", "a", queue="q", position=1, first_position=1, waited_ms=4_000)
    tell(5, "queue.left", "z", queue="q", reason="full", position=0, first_position=0, waited_ms=0, key="")
    rows, _ = tell.figures.take()
    assert [row[6:8] for row in rows] == [("abandoned", 4_000), ("full", 0)]
    assert rows[0][-1] == 0  # nobody knows him


def test_a_conversation_that_began_before_us_makes_no_second_row() -> None:
    tell = Told(Figures())
    tell(9, "queue.completed", queue="q", agent="a/1", by="caller", waited_ms=0, talked_ms=9_000)
    assert tell.figures.take() == ([], [])


def test_agents_time_is_written_once_a_minute_and_in_quarters() -> None:
    tell = Told(Figures())
    states = (("ready", 0), ("not_ready", 30), ("ready", 50), ("logged_out", 1_000))
    for new, seconds in states:
        tell(seconds, "agent.state", "", agent="default/201", name="", old="", new=new, reason="lunch", queue="")
    assert WRITE_MS == 60_000
    _, times = tell.figures.take()
    assert sum(int(str(row[-1])) for row in times) == 1_000_000
    assert {row[0] for row in times} == {START - START % QUARTER_MS, START - START % QUARTER_MS + QUARTER_MS}
    assert [row[-1] for row in times if row[2] == "not_ready"] == [20_000]
    tell(1_010, "agent.state", "", agent="default/201", name="", old="", new="ready", reason="", queue="")
    assert tell.figures.take()[1] == []  # too early
    assert [row[2] for row in tell.figures.take(closing=True)[1]] == ["logged_out"]


def test_a_callback_is_one_contact_of_the_caller_who_asked_for_it() -> None:
    def event(kind: str, call: str, n: int, **data: str | int) -> Event:
        return Event(n, "b", n * 1_000, n * 1_000, kind, "default", call, {"queue": "support", **data})

    figures = Figures()
    for each in (
        event("queue.joined", "a", 1, caller="+4420", position=1, priority_ms=0),
        event("callback.requested", "cb", 2, number="+4420", origin="a"),
        event("call.ended", "a", 3),
        event("call.ended", "cb", 4),  # an attempt that failed
        event("queue.connected", "cb", 9, agent="default/201", waited_ms=8_000, rang_ms=0),
        event("queue.completed", "cb", 12, agent="default/201", by="agent", waited_ms=8_000, talked_ms=3_000),
        event("call.ended", "cb", 13),
    ):
        figures.feed(each)
    (row,) = figures.take()[0]
    assert row[6:9] == ("connected", 8_000, 3_000) and row[11] == caller_token("default", "+4420") != 0


def test_a_stay_that_is_open_when_its_queue_is_renamed_is_written_under_the_new_name() -> None:
    tell = Told(Figures())
    talk(tell)
    tell.figures.take()
    tell(24, "queue.renamed", queue="default/new", was="default/q")
    over = {"queue": "default/new", "agent": "default/201", "by": "caller", "waited_ms": 7_000, "talked_ms": 20_000}
    tell(27, "queue.completed", **over)
    (row,), _ = tell.figures.take()
    assert row[4] == "default/new" and row[8] == 20_000

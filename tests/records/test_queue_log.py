"""Asterisk's vocabulary, field by field (field.md B4)."""

from __future__ import annotations

import pytest

from engine.records.events import Event
from engine.records.queue_log import QueueLog, remembered_max


def event(kind: str, call: str = "bako-0", at_s: int = 0, /, **data: str | int | float | bool | None) -> Event:
    return Event(1, "b1", 1_700_000_000_000 + at_s * 1000, 0, kind, "default", call, data)


def lines(*events: Event) -> list[str]:
    log = QueueLog()
    return [line.split("|", 1)[1] for each in events for line in log.lines(each)]


JOINED = event("queue.joined", queue="support", position=3, priority_ms=0, caller="+4420")
CONNECTED = event("queue.connected", "bako-0", 12, queue="support", agent="201", waited_ms=12_400, rang_ms=3_900)


def test_a_served_caller() -> None:
    completed = event("queue.completed", queue="support", agent="201", by="agent", waited_ms=12_400, talked_ms=61_000)
    assert lines(JOINED, CONNECTED, completed) == [
        "bako-0|support|NONE|ENTERQUEUE||+4420|3",
        "bako-0|support|201|CONNECT|12|bako-0|3",
        "bako-0|support|201|COMPLETEAGENT|12|61|3",
    ]


def test_the_line_begins_with_unix_seconds() -> None:
    assert QueueLog().lines(CONNECTED)[0].startswith("1700000012|bako-0|")


@pytest.mark.parametrize(("by", "word"), [("caller", "COMPLETECALLER"), ("agent", "COMPLETEAGENT"),
                                          ("system", "COMPLETEAGENT")])
def test_who_ended_it(by: str, word: str) -> None:
    completed = event("queue.completed", queue="q", agent="201", by=by, waited_ms=0, talked_ms=1_000)
    assert lines(completed) == [f"bako-0|q|201|{word}|0|1|0"]


def test_abandon_tells_both_positions() -> None:
    gone = event("queue.abandoned", queue="support", position=2, first_position=3, waited_ms=9_999)
    assert lines(JOINED, gone)[1] == "bako-0|support|NONE|ABANDON|2|3|9"


@pytest.mark.parametrize(("reason", "expected"), [
    ("timeout", ["EXITWITHTIMEOUT|1|3|30"]), ("no_agents", ["EXITEMPTY|1|3|30"]),
    ("exit", ["EXITWITHKEY|9|1|3|30"]), ("moved", ["WITHDRAW|1|3|30"]), ("full", []),
])
def test_leaving(reason: str, expected: list[str]) -> None:
    left = event("queue.left", queue="support", reason=reason, position=1, first_position=3, waited_ms=30_000, key="9")
    assert lines(left) == [f"bako-0|support|NONE|{each}" for each in expected]


@pytest.mark.parametrize(("reason", "expected"), [
    ("no_answer", "RINGNOANSWER|15000"), ("busy", "RINGNOANSWER|15000"), ("rejected", "RINGNOANSWER|15000"),
    ("caller_gone", "RINGCANCELED|15000"), ("answered", ""), ("answered_elsewhere", ""),
])
def test_missed_offers_are_in_milliseconds(reason: str, expected: str) -> None:
    ended = event("queue.offer_ended", queue="support", agent="201", offer=7, reason=reason, rang_ms=15_000)
    assert lines(ended) == ([f"bako-0|support|201|{expected}"] if expected else [])


def test_a_transfer_ends_the_conversation_once() -> None:
    begun = event("call.transferred", by="201", to="202", way="refer", result="started")
    done = event("call.transferred", "bako-0", 42, by="201", to="202", way="", result="done")
    completed = event("queue.completed", queue="support", agent="201", by="transfer", waited_ms=0, talked_ms=0)
    expected = "bako-0|support|201|BLINDTRANSFER|202|default|12|30|3"
    assert lines(JOINED, CONNECTED, begun, completed, done)[2:] == [expected]
    assert lines(JOINED, CONNECTED, begun, done, completed)[2:] == [expected]


def test_a_failed_transfer_is_no_transfer() -> None:
    begun = event("call.transferred", by="201", to="202", way="refer", result="started")
    failed = event("call.transferred", by="201", to="202", way="", result="busy")
    completed = event("queue.completed", queue="support", agent="201", by="agent", waited_ms=0, talked_ms=1_000)
    assert lines(JOINED, CONNECTED, begun, failed, completed)[2:] == ["bako-0|support|201|COMPLETEAGENT|0|1|3"]


@pytest.mark.parametrize("end", [
    event("call.transferred", by="201", to="202", way="", result="no_answer"),
    event("call.ended", by="caller", outcome="served"),
])
def test_a_conversation_given_up_for_a_transfer_that_fails_is_complete(end: Event) -> None:
    begun = event("call.transferred", by="201", to="202", way="code", result="started")
    completed = event("queue.completed", queue="support", agent="201", by="transfer", waited_ms=0, talked_ms=61_000)
    back = event("call.transferred", by="201", to="202", way="", result="returned")
    over = event("call.ended", by="caller", outcome="served")
    expected = ["bako-0|support|201|COMPLETEAGENT|12|61|3"]
    assert lines(JOINED, CONNECTED, begun, completed, end, back, over)[2:] == expected


def test_a_caller_who_leaves_during_a_transfer_completes_the_conversation() -> None:
    begun = event("call.transferred", by="201", to="202", way="refer", result="started")
    completed = event("queue.completed", queue="support", agent="201", by="caller", waited_ms=0, talked_ms=9_000)
    over = event("call.ended", by="caller", outcome="served")
    assert lines(JOINED, CONNECTED, begun, completed, over)[2:] == ["bako-0|support|201|COMPLETECALLER|12|9|3"]


def test_a_transfer_that_comes_about_owes_no_other_line() -> None:
    begun = event("call.transferred", by="201", to="202", way="code", result="started")
    done = event("call.transferred", "bako-0", 42, by="201", to="202", way="", result="done")
    completed = event("queue.completed", queue="support", agent="201", by="transfer", waited_ms=0, talked_ms=0)
    over = event("call.ended", by="caller", outcome="served")
    for order in ((completed, done), (done, completed)):
        assert [line.split("|")[3] for line in lines(JOINED, CONNECTED, begun, *order, over)[2:]] == ["BLINDTRANSFER"]


def test_a_transfer_without_a_queue_writes_nothing() -> None:
    assert lines(event("call.transferred", by="201", to="202", way="refer", result="done")) == []


def test_agents_and_engine() -> None:
    assert lines(
        event("agent.login", "", agent="201", way="code"),
        event("agent.paused", "", agent="201", paused=True, reason="lunch"),
        event("agent.paused", "", agent="201", paused=False, reason=""),
        event("agent.logout", "", agent="201", way="code", logged_in_ms=3_600_000),
        event("engine.started", "", version="1", schema=1, addresses=""),
        event("engine.loaded", "", version="1", files=1, flows=1),
        event("call.step", step="a", text="b"),
    ) == [
        "NONE|NONE|201|AGENTLOGIN|agent/201", "NONE|NONE|201|PAUSEALL|lunch", "NONE|NONE|201|UNPAUSEALL|",
        "NONE|NONE|201|AGENTLOGOFF|agent/201|3600", "NONE|NONE|NONE|QUEUESTART|", "NONE|NONE|NONE|CONFIGRELOAD|",
    ]


def test_a_caller_cannot_forge_a_line() -> None:
    (line,) = QueueLog().lines(event("queue.joined", queue="q", position=1, caller="x|y\n1|2|3"))
    assert line.endswith("|ENTERQUEUE||x/y 1/2/3|1") and "\n" not in line


def test_memory_is_bounded() -> None:
    log = QueueLog()
    for number in range(remembered_max + 10):
        log.lines(event("queue.joined", f"c-{number}", queue="q", position=5, caller="x"))
    gone = event("queue.abandoned", "c-0", queue="q", position=1, waited_ms=0)
    assert log.lines(gone)[0].endswith("|ABANDON|1|0|0")


# --- callbacks -------------------------------------------------------------------------------------------
ASKED = event(
    "callback.requested", "kavo-1", 20, queue="support", number="+4420", origin="bako-0", mode="agent-first",
    position=3, promise_ms=1, until_ms=1,
)  # fmt: skip


def test_a_callback_goes_on_under_the_call_in_which_it_was_asked_for() -> None:
    tail = [
        event("call.ended", "bako-0", 25), event("call.ended", "kavo-1", 60),  # the call, and a first attempt
        event("queue.offer_ended", "kavo-1", 90, queue="support", agent="201", reason="answered", rang_ms=2_000),
        event("queue.connected", "kavo-1", 99, queue="support", agent="201", waited_ms=99_000, rang_ms=2_000),
        event("callback.served", "kavo-1", 99, queue="support", agent="201", waited_ms=99_000, attempts=2, kept=True),
        event("queue.completed", "kavo-1", 150, queue="support", agent="201", by="agent", waited_ms=99_000,
              talked_ms=51_000),
        event("call.ended", "kavo-1", 151),
    ]  # fmt: skip
    assert lines(JOINED, ASKED, *tail) == [
        "bako-0|support|NONE|ENTERQUEUE||+4420|3",
        "bako-0|support|201|CONNECT|99|bako-0|2",
        "bako-0|support|201|COMPLETEAGENT|99|51|3",
    ]


@pytest.mark.parametrize(("reason", "word"), [("expired", "EXITWITHTIMEOUT"), ("cancelled", "WITHDRAW")])
def test_who_never_waited_enters_with_his_wish_and_leaves_with_its_end(reason: str, word: str) -> None:
    left = event("queue.left", "kavo-1", 80, queue="support", reason=reason, position=1, first_position=3,
                 waited_ms=60_000, key="")  # fmt: skip
    again = event("queue.joined", "kavo-1", 90, queue="support", position=1, caller="x", priority_ms=0)
    assert lines(ASKED, left, again) == [
        "kavo-1|support|NONE|ENTERQUEUE||+4420|3",
        f"kavo-1|support|NONE|{word}|1|3|60",
        "kavo-1|support|NONE|ENTERQUEUE||x|1",
    ]


def test_a_customer_who_gives_up_on_the_line_has_abandoned() -> None:
    gone = event("queue.abandoned", "kavo-1", 90, queue="support", position=1, first_position=3, waited_ms=70_000)
    assert lines(JOINED, ASKED, event("call.ended", "bako-0", 22), gone)[-1] == "bako-0|support|NONE|ABANDON|1|3|70"

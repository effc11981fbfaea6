"""Why he waited, in words: every end of an offer, every way out of a queue, and the time in short."""

from __future__ import annotations

import msgspec
import pytest

from engine.acd.offers import REASONS
from engine.console import story
from engine.records.decision import Why, encode
from engine.records.events import Event

T = 1_700_000_000_000


def event(at_s: float, kind: str, /, **data: str | int | float | bool | None) -> Event:
    return Event(int(at_s * 10), "b1", T + int(at_s * 1_000), 0, kind, "default", "bako-0", data)


BEGIN = [
    event(0, "call.started", caller="+44", name="", dialled="100", trunk="", via="public", peer="p", sip="x"),
    event(1, "call.step", step="main/answer", text=""), event(2, "call.step", step="support/queue", text=""),
    event(2, "queue.joined", queue="default/support", position=3, priority_ms=0, caller="+44"),
]  # fmt: skip
OFFERS = [
    event(30, "queue.position", queue="default/support", position=2),
    event(40, "queue.offered", queue="default/support", agent="default/201", offer=1),
    event(
        60,
        "queue.offer_ended",
        queue="default/support",
        agent="default/201",
        offer=1,
        reason="no_answer",
        rang_ms=20_000,
    ),
    event(61, "queue.offered", queue="default/support", agent="default/203", offer=2),
    event(
        64, "queue.offer_ended", queue="default/support", agent="default/203", offer=2, reason="answered", rang_ms=3_000
    ),
    event(64, "queue.connected", queue="default/support", agent="default/203", waited_ms=62_000, rang_ms=3_000),
]
END = event(90, "call.ended", by="caller", outcome="served", cause=16, duration_ms=90_000, answered_ms=0,
            waited_ms=62_000, talked_ms=26_000, held_ms=0, path="main > support 62 s > agent 203")  # fmt: skip


def test_path_places_offers_and_the_time_in_short() -> None:
    text = "\n".join(story.tell([*BEGIN, *OFFERS, END], {"default/201": "ready", "default/203": "talking"}))
    for words in (
        "+44 → 100 (public)", "path: main > support 62 s > agent 203", "Why he waited 62 s in default/support",
        "joined as number 3: 2 before him", "at that moment: 201 ready, 203 talking", "told that he is number 2",
        "agent 201 is rung", "agent 201 didn't answer after 20 s", "connected to agent 203 after 62 s",
        "In short: 39 s with no agent free for him, 20 s while 201 didn't answer, 3.0 s until 203 answered.",
    ):  # fmt: skip
        assert words in text, text


@pytest.mark.parametrize(("way", "told"), [
    ("picked_up", "after 62 s: he took him himself"), ("outside", "he took him himself, off duty or beside"),
    ("offered", "after 62 s\n"),
])
def test_who_took_him_himself_is_told(way: str, told: str) -> None:
    taken = event(64, "queue.connected", queue="default/support", agent="default/203", waited_ms=62_000, rang_ms=0,
                  way=way)  # fmt: skip
    assert told in "\n".join(story.tell([*BEGIN, *OFFERS[:-1], taken, END]))


def test_one_who_still_waits_is_told_up_to_now() -> None:
    text = "\n".join(story.tell([*BEGIN, *OFFERS[:2]], now_ms=T + 50_000))
    assert "He waits in default/support for 48 s:" in text and "path so far: main > support" in text
    assert "38 s with no agent free for him, 10 s while 201 is being rung" in text


@pytest.mark.parametrize("reason", [reason for reason in REASONS if reason])
def test_every_end_of_an_offer_has_words(reason: str) -> None:
    assert reason in story.ENDS
    ended = event(45, "queue.offer_ended", queue="q", agent="default/201", offer=1, reason=reason, rang_ms=5_000)
    lines = story.tell([*BEGIN, *OFFERS[1:2], ended])
    assert any(f"agent 201 {story.ENDS[reason]} after 5.0 s" in line for line in lines)


@pytest.mark.parametrize("reason", sorted(story.LEFT))
def test_every_way_out_has_words(reason: str) -> None:
    if reason == "abandoned":
        gone = event(9, "queue.abandoned", queue="default/support", position=2, first_position=3, waited_ms=7_000)
    else:
        gone = event(
            9,
            "queue.left",
            queue="default/support",
            reason=reason,
            position=1,
            first_position=3,
            waited_ms=7_000,
            key="",
        )
    assert any(f"after 7.0 s: {story.LEFT[reason]}" in line for line in story.tell([*BEGIN, gone]))


def test_one_who_was_not_let_in_never_waited() -> None:
    refused = event(
        2, "queue.left", queue="default/support", reason="full", position=0, first_position=0, waited_ms=0, key=""
    )
    assert "He could not wait in default/support: the queue was full." in story.tell([BEGIN[0], refused])


def test_ringing_at_once_is_counted_once() -> None:
    both = [
        event(10, "queue.offered", queue="q", agent="a/1", offer=1),
        event(10, "queue.offered", queue="q", agent="a/2", offer=2),
        event(15, "queue.offer_ended", queue="q", agent="a/1", offer=1, reason="answered", rang_ms=5_000),
        event(15, "queue.connected", queue="q", agent="a/1", waited_ms=13_000, rang_ms=5_000),
        event(15, "queue.offer_ended", queue="q", agent="a/2", offer=2, reason="answered_elsewhere", rang_ms=5_000),
    ]  # fmt: skip
    (stay,) = story.stays([*BEGIN, *both])
    assert story.short(stay, 0) == "8.0 s with no agent free for him, 5.0 s until 1 answered"
    assert "2 was too late: another agent answered" in "\n".join(story.tell([*BEGIN, *both]))


def test_states_at_that_moment_are_those_of_the_queues_agents() -> None:
    states = {
        "default/201": event(1, "agent.state", new="not_ready", reason="lunch"),
        "default/202": event(1, "agent.state", new="logged_out", reason=""),
        "default/203": event(1, "agent.state", new="talking", reason="answered"),
    }
    assert story.at_that_moment(states) == {"default/201": "not ready (lunch)", "default/203": "talking"}
    assert story.at_that_moment(states, ["default/203", "default/9"]) == {"default/203": "talking"}
    assert story.at_that_moment(states, ["default/202"]) == {"nobody": "was logged in"} == story.at_that_moment({})


WHY = Why("longest-idle-agent", "3f9a", (), 0, (("talking", "", 1), ("lacks", "zh", 1)),
          (("default/201", "talking", ""), ("default/203", "lacks", "zh")))  # fmt: skip
ASKED = Why("longest-idle-agent", "3f9a", (("level", 1), ("idle_ms", 4_000)), 0, (("lacks", "zh", 1),),
            (("default/203", "lacks", "zh"),))  # fmt: skip


def test_decisions_and_causes_are_told() -> None:
    events = [
        *BEGIN,
        event(2, "queue.decided", queue="default/support", agent="", why=encode(WHY)),
        event(20, "queue.widened", queue="default/support", stage=2, ring=2, waited_ms=18_000),
        event(30, "queue.told", queue="default/support", position=2, low_min=2, high_min=5),
        event(40, "queue.decided", queue="default/support", agent="default/201", why=encode(ASKED)),
        event(40, "queue.offered", queue="default/support", agent="default/201", offer=1),
        event(
            44, "queue.offer_ended", queue="default/support", agent="default/201", offer=1, reason="answered",
            rang_ms=4_000,
        ),
        event(44, "queue.connected", queue="default/support", agent="default/201", waited_ms=42_000, rang_ms=4_000),
        END,
    ]  # fmt: skip
    later = event(4, "queue.joined", queue="default/support", position=4, priority_ms=60_000, caller="+1")
    during = [
        msgspec.structs.replace(later, call="vip-0"),
        event(12, "agent.state", agent="default/201", old="talking", new="not_ready", reason="lunch"),
        event(36, "agent.state", agent="default/201", old="not_ready", new="talking", reason=""),
        msgspec.structs.replace(
            event(38, "queue.connected", queue="default/support", agent="default/201", waited_ms=1, rang_ms=1_000),
            call="vip-0",
        ),
    ]
    lines = story.tell(events, during=during)
    text = "\n".join(lines)
    for words in (
        "nobody for him (longest-idle-agent, site 3f9a): 1 talking, 1 lacks zh",
        "  nearest: 201 talking, 203 lacks zh", "more agents may be asked: stage 2, ring 2",
        "was told to expect 2 to 5 min",
        "agent 201 is rung by longest-idle-agent, site 3f9a: level 1, idle for 4.0 s; 1 lacks zh",
        "overtaken by 1 caller: 1 by priority of 60 s",
        "In short: 24 s every agent with zh on duty was not ready, 14 s every agent with zh on duty was busy, "
        "4.0 s until 201 answered.",
    ):  # fmt: skip
        assert words in text, text
    assert "agent 201 is rung\n" not in text, "the decision says it already"
    told = [line for line in lines if "201 answered after" in line or "connected to agent" in line]
    assert "201 answered" in told[0] and "connected" in told[1]


def test_nothing_recorded_is_said() -> None:
    assert story.tell([]) == ["nothing is recorded of this call (yet)"]
    assert story.tell([BEGIN[3]])  # the beginning is lost: no fault

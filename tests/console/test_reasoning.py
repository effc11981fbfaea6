"""Decisions in sentences, causes of a wait, and who was served before: from records alone."""

from __future__ import annotations

import pytest

from engine.acd import explain, reasons
from engine.acd.policy import STRATEGIES
from engine.console import reasoning
from engine.console.reasoning import Overtaken
from engine.records.decision import Why, encode
from engine.records.events import Event

T = 1_700_000_000_000
BUSY = Why("longest-idle-agent", "3f9a", (), 0, (("talking", "", 2), ("lacks", "zh", 1)),
           (("default/201", "talking", ""), ("default/203", "lacks", "zh")))  # fmt: skip


def event(at_s: float, kind: str, call: str = "", /, **data: str | int) -> Event:
    return Event(int(at_s * 10), "b1", T + int(at_s * 1_000), 0, kind, "default", call, dict(data))


def state(at_s: float, agent: str, new: str) -> Event:
    return event(at_s, "agent.state", agent=f"default/{agent}", old="", new=new, reason="")


def test_nobody_and_somebody() -> None:
    assert reasoning.decided("", BUSY) == "nobody for him (longest-idle-agent, site 3f9a): 2 talking, 1 lacks zh"
    why = Why("ead-mia", "", (("skill_level", 9), ("level", 1), ("idle_ms", 34_000)), 1, (("not_ready", "lunch", 2),))
    assert reasoning.decided("default/201", why) == (
        "agent 201 is rung by ead-mia: skill at level 9, level 1, idle for 34 s; before 1 other; 2 not ready (lunch)"
    )
    assert reasoning.decided("a/1 a/2", Why("ring-all", "")) == "agents 1 and 2 are rung by ring-all"
    assert reasoning.decided("", Why("random", "s")).endswith("no agent belongs to the queue")
    assert reasoning.nearest(BUSY) == "201 talking, 203 lacks zh"


def test_every_word_of_the_distributor_has_words_here() -> None:
    """Reasons from the table in their module, columns from every strategy: none is shown as its code."""
    columns = {explain.name_of(term) for strategy in STRATEGIES for term in strategy.terms} | {explain.ORDER}
    assert columns == set(reasoning.LOST)
    rows = [line.split("|") for line in (reasons.__doc__ or "").splitlines() if line.startswith("| ")]
    words = [word.strip() for row in rows[1:] for word in row[1].split(",")]
    assert len(words) == 17
    for word in words:
        assert reasoning.against(word, "x") not in (word, f"{word} (x)") or word in ("talking", "resting")
    for name in columns - {"order"}:
        assert "_" not in reasoning.key_words("random", ((name, 0),))
    assert reasoning.key_words("custom", (("lot", 3),)) == "rank 3"
    never = (("since_talk_ms", -1), ("since_offer_ms", -1), ("occupancy_permille", 431), ("had_turn", 0))
    assert reasoning.key_words("x", never) == "no talk yet, not rung yet, 43 % occupied, next in turn"


def test_the_event_in_a_line() -> None:
    data = {"queue": "q", "agent": "", "why": encode(BUSY)}
    assert reasoning.event_words(data) == f"decided in q: {reasoning.decided('', BUSY)}"
    assert reasoning.event_words(data | {"why": "?", "agent": "a/1"}) == "decided in q: a/1 ?"


def causes(states: list[Event], decisions: list[tuple[float, str, Why]], *rang: tuple[int, int]) -> dict[str, int]:
    spans = [(T + start * 1_000, T + end * 1_000) for start, end in rang]
    told = [(T + int(at * 1_000), asked, why) for at, asked, why in decisions]
    return reasoning.causes(T, T + 100_000, told, states, spans)


def test_the_best_of_those_who_could_serve_him_is_the_cause() -> None:
    states = [state(20, "201", "wrap_up"), state(30, "201", "not_ready"), state(40, "203", "ready"),
              state(70, "201", "logged_out"), state(90, "201", "resting")]  # fmt: skip
    assert causes(states, [(0, "", BUSY)]) == {
        "every agent with zh on duty was busy": 30_000, "every agent with zh on duty was not ready": 40_000,
        "nobody with zh was there": 20_000, "every agent with zh on duty rested": 10_000,
    }  # fmt: skip


def test_ringing_is_no_cause_and_the_rest_of_the_wait_is_counted_whole() -> None:
    states = [state(20, "201", "ready"), state(60, "201", "not_ready")]
    asked = Why("random", "s", (("level", 1),), 0, (("lacks", "zh", 1),))
    found = causes(states, [(0, "", BUSY), (20, "default/201", asked)], (20, 50), (40, 60))
    assert found == {
        "every agent with zh on duty was busy": 20_000,
        "every agent with zh on duty was not ready": 40_000,
    }
    assert sum(found.values()) == 100_000 - 40_000


def test_fewer_needs_may_change_the_cause() -> None:
    wider = Why("random", "s", (), 0, (("not_ready", "", 1),), (("default/203", "not_ready", ""),))
    assert causes([], [(0, "", BUSY), (60, "", wider)]) == {
        "every agent with zh on duty was busy": 60_000, "every agent on duty was not ready": 40_000,
    }  # fmt: skip


def test_without_a_decision_nothing_is_claimed() -> None:
    assert causes([state(5, "201", "ready")], []) == {}
    late = causes([], [(60, "", BUSY)])
    assert late == {"every agent with zh on duty was busy": 40_000}, "known from then on"


JOINED = event(0, "queue.joined", "me-0", queue="q", position=1, priority_ms=10_000)


def overtaken(
    other: dict[str, int], asked_s: int, agent: str = "default/9", rang: tuple[int, int, str] = (0, 0, ""),
    way: str = "offered",
) -> list[Overtaken]:  # fmt: skip
    during = [
        event(-5, "queue.joined", "old-0", queue="q", position=1, priority_ms=0), JOINED,
        event(2, "queue.joined", "far-0", queue="elsewhere", position=1, priority_ms=0),
        event(5, "queue.joined", "you-0", queue="q", position=2, **other),
        event(8, "queue.connected", "old-0", queue="q", agent=agent, waited_ms=1, rang_ms=1_000),
        event(9, "queue.connected", "far-0", queue="elsewhere", agent=agent, waited_ms=1, rang_ms=1_000),
        event(asked_s + 1, "queue.connected", "you-0", queue="q", agent=agent, waited_ms=1, rang_ms=1_000, way=way),
    ]  # fmt: skip
    spans = [(T + rang[0] * 1_000, T + rang[1] * 1_000, rang[2])]
    return reasoning.overtakers(JOINED, T + 60_000, [(T, "", BUSY)], spans, during)


@pytest.mark.parametrize(
    ("other", "asked_s", "agent", "rang", "rule"),
    [
        ({"priority_ms": 60_000}, 20, "default/9", (0, 0, ""), "by priority of 60 s"),
        ({"priority_ms": 0}, 20, "default/203", (0, 0, ""), "because 203 lacks zh"),
        ({"priority_ms": 0}, 20, "default/9", (15, 30, "default/202"), "while 202's phone rang for him"),
        ({"priority_ms": 0}, 20, "default/9", (0, 0, ""), "by another rule of the queue"),
    ],
)
def test_who_came_later_and_was_first(
    other: dict[str, int], asked_s: int, agent: str, rang: tuple[int, int, str], rule: str
) -> None:
    (found,) = overtaken(other, asked_s, agent, rang)
    assert (found.call, found.agent, found.rule) == ("you-0", agent, rule)
    assert reasoning.overtaken_words([found]) == f"overtaken by 1 caller: 1 {rule}"


@pytest.mark.parametrize("way", ["picked_up", "outside"])
def test_who_was_picked_up_before_him_overtook_him_by_that_alone(way: str) -> None:
    (found,) = overtaken({"priority_ms": 60_000}, 20, "default/203", (15, 30, "default/202"), way)
    assert found.rule == "because 203 picked him up"


def test_served_after_him_is_not_overtaken() -> None:
    assert overtaken({"priority_ms": 60_000}, 60) == [] and reasoning.overtaken_words([]) == ""
    both = [Overtaken("a", 1, "x", "by rule"), Overtaken("b", 2, "x", "by rule"), Overtaken("c", 3, "x", "by y")]
    assert reasoning.overtaken_words(both) == "overtaken by 3 callers: 2 by rule, 1 by y"

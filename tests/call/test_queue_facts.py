"""Who is there in a queue, by state and by phone, and what rules and wait lists read of it."""

from __future__ import annotations

import pytest

from engine.call import queue_facts
from engine.dialplan.facts import WAIT_FACTS
from engine.dialplan.queue_rules import FACTS
from tests.call.calls import agent, ring, world
from tests.call.waits import expect, waits_site


def test_presence_counts_each_agent_once_by_what_keeps_him() -> None:
    agents = "".join(f"{user}: {{name: A, queues: [first]}}\n" for user in (201, 202, 203, 206))
    agents += "207: {name: Far, queues: [second, third, announced]}\n"
    w = world(waits_site(agents=agents))
    acd, number = w.switch.room.acd, w.switch.room.queue_ids["default/first"]
    for user in ("201", "202", "203"):
        agent(w, user, answer_ms=200)
    w.operate("agent.not_ready", agent="202")
    ring(w, "750")
    w.run(1_000)
    there = acd.presence(number)
    assert (there["talking"], there["not_ready"], there["ready"], there["idle"]) == (1, 1, 1, 1)
    assert there["logged_out"] == 1 and sum(there.values()) - there["idle"] == 4
    assert queue_facts.logged_in(there) == 3
    assert acd.presence(999) == {}


def test_an_agent_whose_phone_is_gone_is_there_and_can_not_be_rung() -> None:
    w = world(waits_site())
    phone = agent(w, "201")
    phone.register(w.now_ms, expires_s=0)
    w.run(1_000)
    there = w.switch.room.acd.presence(w.switch.room.queue_ids["default/first"])
    assert there["unreachable"] == 1 and there["ready"] == 0
    assert queue_facts.staffed(there, ("logged_out",)) and not queue_facts.staffed(there, ("logged_out", "unreachable"))


@pytest.mark.parametrize(
    ("state", "absent", "found"),
    [
        ("talking", ("logged_out",), True), ("talking", ("logged_out", "busy"), False), ("alerting", ("busy",), False),
        ("logged_out", ("logged_out",), False), ("logged_out", (), True), ("wrap_up", ("wrap_up",), False),
        ("resting", ("logged_out", "busy"), True),
    ],
)  # fmt: skip
def test_who_counts_as_there(state: str, absent: tuple[str, ...], found: bool) -> None:
    assert queue_facts.staffed({state: 1, "idle": 1}, absent) == found


def test_rules_and_wait_lists_get_every_value_they_may_read(monkeypatch: pytest.MonkeyPatch) -> None:
    expect(monkeypatch, 60, 120, 180)
    w = world(waits_site())
    ring(w, "750")
    w.run(4_000)
    room = w.switch.room
    (call,) = room.calls.values()
    queue = queue_facts.model(room, call, "default/first")
    assert queue is not None
    known = queue_facts.rule_values(room, call, "default/first", queue, queue.overflow, w.now_ms, joining=False)
    assert set(known) | {"estimated_wait"} == set(FACTS)  # the estimate only when a rule reads it
    assert known["no_agents"] is True and 3_900 <= int(known["waited"]) <= 4_000 and known["position"] == 1
    facts = queue_facts.wait_facts(room, call, (60_000, 120_000, 180_000), w.now_ms)
    assert set(facts) == set(WAIT_FACTS) and facts["queue.estimated_wait"] == "120000"
    assert "queue.estimated_wait" not in queue_facts.wait_facts(room, call, None, w.now_ms)

"""An agent picks a waiting caller: the longest of his queues by code, any by an operator's word."""

from __future__ import annotations

import pytest

from engine.call import picking
from tests.call.calls import agent, over, ring, world
from tests.call.followed import SUPERVISED, ears


@pytest.mark.parametrize("law9", [False, True])
def test_by_code_he_gets_the_one_who_has_waited_longest_in_his_queues(law9: bool) -> None:
    w = world(SUPERVISED, law9=law9)
    ana, ben = agent(w, "201", answer_ms=-1), agent(w, "202", login=False)
    stranger = ring(w, "740", "5550000")  # waits longest, in a queue that is not his
    w.run(1_000)
    first, second = ring(w, "700", "5550001"), ring(w, "700", "5550002")
    w.run(3_000)
    assert ana.sessions  # the first is being offered to 201, who doesn't react
    ring(w, "*58", phone=ben)
    w.run(1_000)
    assert ears(w, first=first, ben=ben) == {"first": "ben", "ben": "first"}
    assert w.hears(second) == "music/default" and w.hears(stranger) == "music/default"
    picked = w.last("queue.connected")
    assert picked.data["agent"] == "default/202" and picked.call == w.all("call.started")[1].call
    assert int(str(picked.data["waited_ms"])) >= 3_000
    ben.hang_up(w.now_ms)
    w.run(500)
    completed = w.last("queue.completed")
    assert completed.call == picked.call and completed.data["agent"] == "default/202"
    assert [event.data["outcome"] for event in w.all("call.ended")] == ["served", "served"]
    for phone in (second, stranger):
        phone.hang_up(w.now_ms)
    over(w)


def test_with_nobody_waiting_the_code_is_refused() -> None:
    w = world(SUPERVISED)
    ben = agent(w, "202", login=False)
    ring(w, "*58", phone=ben)
    w.run(1_000)
    assert not ben.up() and "480" in str(ben.log[-1][1])
    over(w)


def test_an_operator_gives_a_waiting_caller_to_an_agent_who_is_rung_for_him() -> None:
    w = world(SUPERVISED, law9=True)
    ben = agent(w, "202", login=False, answer_ms=2_000)
    caller = ring(w, "740", "5550001")
    w.run(1_000)
    reply = w.operate("call.pick", **{"call": "5550001", "as": "202"})
    assert reply.ok and b"keeps his place" in reply.data
    w.run(1_000)
    assert w.hears(caller) == "music/default"
    w.run(2_000)
    assert ears(w, caller=caller, ben=ben) == {"caller": "ben", "ben": "caller"}
    caller.hang_up(w.now_ms)
    over(w)
    assert w.last("queue.completed").data["by"] == "caller"


def test_a_caller_who_has_gone_meanwhile_is_told_by_a_tone() -> None:
    w = world(SUPERVISED, law9=True)
    ben = agent(w, "202", login=False, answer_ms=2_000)
    caller = ring(w, "740", "5550001")
    w.run(1_000)
    assert w.operate("call.pick", **{"call": "5550001", "as": "202"}).ok
    w.run(500)
    caller.hang_up(w.now_ms)
    w.run(15_000)
    assert w.heard(ben)[-1].startswith("tone/busy") and not ben.up()
    over(w)


def test_an_agent_who_does_not_answer_costs_the_caller_nothing() -> None:
    w = world(SUPERVISED)
    agent(w, "202", login=False, answer_ms=-1)
    caller = ring(w, "740", "5550001")
    w.run(1_000)
    assert w.operate("call.pick", **{"call": "5550001", "as": "202"}).ok
    w.run(32_000)
    assert w.hears(caller) == "music/default" and not w.all("queue.left")
    caller.hang_up(w.now_ms)
    over(w)


@pytest.mark.parametrize(("arguments", "said"), [
    ({"call": "nobody", "as": "202"}, "no call"), ({"call": "last", "as": "999"}, "no agent"),
    ({"call": "last", "as": "203"}, "no phone"), ({"call": "last"}, "no agent"),
])
def test_what_can_not_be_is_said(arguments: dict[str, str], said: str) -> None:
    w = world(SUPERVISED)
    agent(w, "202", login=False)
    ring(w, "740", "5550001")
    w.run(1_000)
    before = len(w.events)
    reply = w.operate("call.pick", **arguments)
    assert not reply.ok and said in reply.error
    assert len(w.events) == before


def test_only_who_waits_can_be_picked() -> None:
    w = world(SUPERVISED)
    ben = agent(w, "202", login=False)
    caller = ring(w, "9196", "5550001")
    w.run(1_000)
    assert picking.longest(w.switch.room, "default/202") is None
    reply = w.operate("call.pick", **{"call": "5550001", "as": "202"})
    assert not reply.ok and "doesn't wait" in reply.error and not ben.sessions
    caller.hang_up(w.now_ms)
    over(w)

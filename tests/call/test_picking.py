"""An agent picks a waiting caller: the longest of his queues by code, any by an operator's word."""

from __future__ import annotations

import pytest

from engine.call import picking
from engine.records.figures import Figures
from engine.records.kpi_agents import AgentTimes, timeline
from engine.records.queue_log import QueueLog
from engine.sim.phone import Phone
from engine.sim.world import World
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


WAYS = ("*58", "*78", "*78202", "key")


def picked(w: World, way: str, picker: Phone, caller_number: str = "700") -> Phone:
    """A caller rings at 202, and `picker` takes him; the caller."""
    ben = agent(w, "202", answer_ms=-1)
    caller = ring(w, caller_number)
    assert w.run_until(lambda: bool(ben.sessions), 10_000)
    w.run(2_000)
    if way == "key":
        picker.headers = (ben.replaces(next(iter(ben.sessions))),)
    ring(w, "202" if way == "key" else way, phone=picker)
    w.run(800)
    assert picker.up() and not ben.sessions and w.hears(caller).startswith("row")
    return caller


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("law9", [False, True])
def test_whoever_picks_has_answered(way: str, law9: bool) -> None:
    """Talking, then the queue's wrap-up, in every report; the phone that rang is free and has missed nobody."""
    w = world(law9=law9)
    ana = agent(w, "201")
    assert w.operate("agent.not_ready", agent="201", reason="").ok  # else the queue might ring him
    caller = picked(w, way, ana)
    assert (w.state("201"), w.state("202")) == ("talking", "ready")
    connected = w.last("queue.connected")
    assert connected.data["way"] == "picked_up" and connected.data["agent"] == "default/201"
    kinds = [event.kind for event in w.events if event.call == connected.call]
    assert kinds.index("queue.offer_ended") < kinds.index("queue.connected")
    w.run(20_000)
    caller.hang_up(w.now_ms)
    w.run(500)
    assert w.state("201") == "wrap_up"
    w.run(5_000)
    assert w.state("201") == "not_ready", "the pause that he was in goes on"
    over(w)
    spans = [(each.state, each.queue) for each in timeline(w.events) if each.agent == "default/201" and each.queue]
    assert spans == [("talking", "default/support"), ("wrap_up", "default/support")]
    reports = [event.data for event in w.all("queue.offer_ended")]
    assert [each["reason"] for each in reports] == ["answered_elsewhere"]
    log = QueueLog()
    verbs = [line.split("|")[3:5] for event in w.events for line in log.lines(event)]
    assert ["default/201", "CONNECT"] in verbs and ["default/201", "COMPLETECALLER"] in verbs
    assert not [verb for _, verb in verbs if verb in ("RINGNOANSWER", "WITHDRAW")]
    figures = w.switch.room.acd.snapshot_queues(w.now_ms)
    (row,) = [each for each in figures if each["name"] == "default/support"]
    assert (row["offered"], row["answered"], row["missed"], row["service_level"]) == (1, 1, 0, 1_000)


def test_his_shift_sums_to_its_length() -> None:
    w = world()
    ana = agent(w, "201")
    assert w.operate("agent.not_ready", agent="201", reason="").ok
    begun = w.last("agent.login").now_ms
    picked(w, "*78", ana)
    w.run(9_000)
    ana.hang_up(w.now_ms)
    w.run(12_000)
    times, worked = AgentTimes(), 0
    spans = [span for event in w.events for span in times.feed(event)]
    spans += times.cut(w.events[-1].at_ms, w.now_ms)
    worked = sum(span.ms for span in spans if span.agent == "default/201" and span.state != "logged_out")
    assert worked == w.now_ms - begun
    contacts, _ = _figures(w).take(closing=True)
    assert len(contacts) == 1 and "connected" in contacts[0] and "default/201" in contacts[0]


def _figures(w: World) -> Figures:
    figures = Figures()
    for event in w.events:
        if event.kind.startswith(("queue.joined", "queue.connected", "queue.completed", "agent.state", "call.ended")):
            figures.feed(event)
    return figures


@pytest.mark.parametrize("way", WAYS)
def test_who_is_logged_out_answers_outside_the_distributor(way: str) -> None:
    """The caller is answered in time, nobody has missed him, and the picker's shift hasn't begun."""
    w = world()
    ana = agent(w, "201", login=False)
    picked(w, way, ana)
    assert w.state("201") == "logged_out" and w.state("202") == "ready"
    assert w.last("queue.connected").data["way"] == "outside"
    ana.hang_up(w.now_ms)
    w.run(500)
    assert w.state("201") == "logged_out" and w.last("queue.completed").data["agent"] == "default/201"
    (row,) = [each for each in w.switch.room.acd.snapshot_queues(w.now_ms) if each["name"] == "default/support"]
    assert (row["answered"], row["left"], row["service_level"]) == (1, 0, 1_000)
    over(w)


def test_who_is_of_another_queue_is_its_agent_for_this_call() -> None:
    w = world()
    eva = agent(w, "205")  # of `fixed` alone
    picked(w, "*78202", eva)
    assert w.state("205") == "talking" and w.last("queue.connected").data["way"] == "picked_up"
    eva.hang_up(w.now_ms)
    w.run(500)
    assert w.state("205") == "wrap_up", "the wrap-up of the queue whose caller it was"
    over(w)


def test_a_code_for_the_call_before_is_missing_when_the_next_is_picked_in_its_wrap_up() -> None:
    w = world()
    ana = agent(w, "201")
    first = ring(w, "700", "5550001")
    assert w.run_until(lambda: w.state("201") == "talking", 10_000)
    first.hang_up(w.now_ms)
    w.run(500)
    assert w.state("201") == "wrap_up"
    picked(w, "*78", ana)
    row = w.switch.room.agents["default/201"]
    assert w.state("201") == "talking" and row.wrap_call == w.last("queue.connected").call
    ana.hang_up(w.now_ms)
    over(w)
    assert [event.data["queue"] for event in w.all("queue.completed")] == ["default/support"] * 2
    assert not row.wrap_call


def test_an_operators_pick_has_him_talking_too() -> None:
    """He was rung for it, and so occupied by a call of another kind: the queue's takes its place."""
    w = world(SUPERVISED)
    ben = agent(w, "202", answer_ms=500)
    caller = ring(w, "740")  # not his queue
    w.run(1_000)
    assert w.operate("call.pick", **{"call": "5551234", "as": "202"}).ok
    w.run(2_000)
    assert ben.up() and w.state("202") == "talking"
    caller.hang_up(w.now_ms)
    over(w)
    assert w.state("202") == "ready" and w.switch.room.agents["default/202"].other_legs == 0

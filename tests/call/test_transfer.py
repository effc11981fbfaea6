"""Blind transfer by REFER: to a number, an agent, outside, nobody; who is free when, and who hears what meanwhile."""

from __future__ import annotations

import msgspec
import pytest

from engine.sim.phone import Phone
from engine.sim.world import World
from tests.call.calls import agent, over, ring, said, talk, told, up, world
from tests.scenarios.sites import BUSY_AGENTS, BUSY_SITE, busy_site


def results(w: World) -> list[object]:
    return [event.data["result"] for event in w.all("call.transferred")]


def news(phone: Phone) -> list[str]:
    return [text for _, text in phone.log if text.startswith("transfer")]


@pytest.mark.parametrize("law9", [False, True])
def test_to_an_agent_with_music_for_the_caller_and_news_for_the_transferor(law9: bool) -> None:
    w = world(law9=law9)
    caller, ana = talk(w, refer_bye=True)
    ben = agent(w, "202", answer_ms=1_500)
    ana.hold(up(ana), w.now_ms)
    w.run(500)
    ana.refer(up(ana), "202", w.now_ms)
    w.run(1_000)
    assert w.hears(caller) == "music/default" and w.state("201") == "talking"
    assert w.run_until(lambda: bool(ben.up()), 3_000)
    w.run(300)
    assert news(ana)[-1] == "transfer 200" and "transfer 180" in news(ana) and not ana.up()
    assert w.hears(caller).startswith("row") and w.hears(ben).startswith("row") and w.state("201") == "wrap_up"
    assert any("[support]" in text for _, text in ben.log)
    ben.hang_up(w.now_ms)
    ended = over(w)
    assert results(w) == ["started", "done"] and ended.data["outcome"] == "served"
    assert "transfer to 202 > agent 202" in str(ended.data["path"]) and w.state("202") == "ready"


def test_a_phone_that_says_bye_at_once_after_202_is_free_and_the_target_rings_on() -> None:
    w = world()
    caller, ana = talk(w)
    ben = agent(w, "202", answer_ms=2_000)
    ana.refer(up(ana), "202", w.now_ms)
    w.run(30)
    ana.hang_up(w.now_ms)
    w.run(300)
    assert w.state("201") == "wrap_up" and w.hears(caller) == "music/default" and ben.sessions
    assert w.run_until(lambda: bool(ben.up()), 3_000)
    w.run(200)
    assert w.hears(caller).startswith("row")
    assert len(w.all("queue.completed")) == 1 and w.last("queue.completed").data["by"] == "transfer"


def test_a_transferor_who_left_is_rung_back_when_nobody_answers() -> None:
    w = world()
    caller, ana = talk(w)
    agent(w, "202", answer_ms=300, status=486)
    ana.refer(up(ana), "202", w.now_ms)
    w.run(30)
    ana.hang_up(w.now_ms)
    assert w.run_until(lambda: bool(ana.up()), 3_000)
    w.run(200)
    assert w.hears(caller).startswith("row") and results(w) == ["started", "busy", "returned"]
    caller.hang_up(w.now_ms)
    over(w)
    assert w.state("201") == "ready"


def refused_by_all(w: World) -> tuple[Phone, Phone]:
    """Ana transfers her caller to Ben, who is busy; she has hung up, and her phone is dead: (caller, Ana)."""
    caller, ana = talk(w)
    agent(w, "202", answer_ms=300, status=486, login=False)
    ana.refer(up(ana), "202", w.now_ms)
    w.run(30)
    ana.hang_up(w.now_ms)
    w.run(20)
    w.darken(ana)
    return caller, ana


@pytest.mark.parametrize("law9", [False, True])
def test_neither_target_nor_transferor_puts_the_caller_at_the_head_of_his_queue(law9: bool) -> None:
    w = world(law9=law9)
    caller, _ = refused_by_all(w)
    second = ring(w, "700", "5550002")
    assert w.run_until(lambda: len(w.all("queue.joined")) == 3, 32_000)
    assert results(w) == ["started", "busy", "no_answer"]
    back = w.last("queue.joined")
    assert back.data["queue"] == "default/support" and back.data["position"] == 1
    w.run(200)
    assert w.hears(caller) == "music/default" and w.hears(second) == "music/default"
    cho = agent(w, "203", answer_ms=200)
    assert w.run_until(lambda: bool(cho.up()), 5_000)
    w.run(200)
    assert w.hears(caller).startswith("row") and w.hears(second) == "music/default"
    second.hang_up(w.now_ms)
    cho.hang_up(w.now_ms)
    over(w)


def test_back_at_the_head_the_queues_time_limit_lets_the_dialplan_go_on() -> None:
    w = world()
    caller, _ = refused_by_all(w)
    assert w.run_until(lambda: w.hears(caller) == "en/goodbye", 100_000)
    assert [event.data["reason"] for event in w.all("queue.left")] == ["timeout"]
    over(w)


def test_the_transferor_is_rung_for_his_ring_time_before_the_queue_gets_the_caller_back() -> None:
    w = world()
    caller, ana = talk(w)
    agent(w, "202", answer_ms=-1, login=False)
    ana.refer(up(ana), "202", w.now_ms)
    w.run(30)
    ana.hang_up(w.now_ms)
    ana.habit = msgspec.structs.replace(ana.habit, answer_ms=-1)
    assert w.run_until(lambda: bool(results(w)[1:]), 32_000) and results(w)[1] == "no_answer"
    at = w.now_ms
    assert ana.sessions or w.run_until(lambda: bool(ana.sessions), 1_000)
    assert w.run_until(lambda: len(w.all("queue.joined")) == 2, 20_000)
    assert 9_000 <= w.now_ms - at <= 13_000, "the ring time of the queue support is 10 s"
    offered = len(w.all("queue.offered"))
    w.run(59_000)
    assert len(w.all("queue.offered")) == offered, "he has just let it ring: not he again, for a minute"
    caller.hang_up(w.now_ms)
    over(w)


def test_to_a_busy_agent_brings_the_two_together_and_keeps_the_transferors_hold() -> None:
    w = world()
    caller, ana = talk(w)
    agent(w, "202", answer_ms=300, status=486)
    ana.hold(up(ana), w.now_ms)
    w.run(200)
    ana.refer(up(ana), "202", w.now_ms)
    w.run(2_000)
    assert news(ana)[-1] == "transfer 486" and ana.up() and w.hears(caller) == "music/default"
    ana.hold(up(ana), w.now_ms, direction="sendrecv")
    w.run(200)
    assert w.hears(caller).startswith("row") and w.state("201") == "talking"


@pytest.mark.parametrize("number", ["31337", "0-1"])
def test_to_nobody_is_404_and_changes_nothing(number: str) -> None:
    w = world()
    caller, ana = talk(w)
    ana.refer(up(ana), number, w.now_ms)
    w.run(500)
    assert news(ana) == ["transfer 100", "transfer 404"] and w.hears(caller).startswith("row") and not results(w)


def test_to_a_number_of_the_site_begins_its_dialplan_for_the_caller() -> None:
    w = world()
    caller, ana = talk(w, refer_bye=True)
    ana.refer(up(ana), "9196", w.now_ms)
    w.run(500)
    assert w.hears(caller) == "echo" and not ana.up() and results(w) == ["started", "done"]
    caller.hang_up(w.now_ms)
    over(w)
    assert w.state("201") == "ready"


def test_to_a_queue_each_agents_talk_is_counted_alone() -> None:
    w = world()
    caller, ana = talk(w, refer_bye=True)
    w.run(10_000)
    ben = agent(w, "202", answer_ms=100)
    ana.refer(up(ana), "700", w.now_ms)
    assert w.run_until(lambda: bool(ben.up()), 5_000)
    w.run(2_000)
    ben.hang_up(w.now_ms)
    w.run(500)
    first, second = w.all("queue.completed")
    assert int(str(first.data["talked_ms"])) >= 10_000 and 1_500 <= int(str(second.data["talked_ms"])) <= 2_500
    caller.hang_up(w.now_ms)
    assert int(str(over(w).data["talked_ms"])) >= 12_000


def test_the_late_bye_of_a_transferor_does_not_end_his_next_conversation() -> None:
    agents = BUSY_AGENTS.replace("name: Ana,", "name: Ana, wrap_up: 0s,")
    w = world(busy_site(agents=agents, site=BUSY_SITE + "transfers: {avoid: 0s}\n"))
    caller, ana = talk(w)
    ana.refer(up(ana), "710", w.now_ms)  # a queue that he serves himself, without wrap-up to speak of
    w.run(300)
    first = ana.up()[0]
    assert w.run_until(lambda: len(ana.up()) == 2, 10_000)
    ana.endpoint.hang_up(first, w.now_ms)
    w.run(500)
    assert w.state("201") == "talking" and w.hears(caller).startswith("row")


def test_a_transferor_who_never_says_bye_is_hung_up() -> None:
    w = world()
    _, ana = talk(w)
    ana.refer(up(ana), "9196", w.now_ms)
    w.run(4_000)
    assert ana.up()
    w.run(2_000)
    assert not ana.up()


def test_outside_by_the_transferors_own_right() -> None:
    w = world()
    line = w.phone("carrier", host="192.0.2.1", password="")
    caller, ana = talk(w)
    ana.refer(up(ana), "9555", w.now_ms)
    assert w.run_until(lambda: bool(line.up()), 3_000)
    w.run(200)
    assert w.hears(line).startswith("row") and w.hears(caller).startswith("row")
    line.hang_up(w.now_ms)
    over(w)
    assert not any(w.switch.room.trunk_calls.values())


def test_a_stranger_transfers_nobody() -> None:
    w = world()
    caller, ana = talk(w)
    caller.refer(up(caller), "600", w.now_ms)
    w.run(500)
    assert news(caller) == ["transfer 100", "transfer 403"] and w.hears(ana).startswith("row")


def test_an_agent_who_dialled_may_transfer_the_one_he_reached() -> None:
    w = world(law9=True)
    ana, ben = agent(w, "201", refer_bye=True), agent(w, "202")
    cho = agent(w, "203", answer_ms=500)
    ring(w, "202", phone=ana)
    assert w.run_until(lambda: bool(ana.up()), 3_000)
    w.run(200)
    ana.refer(up(ana), "203", w.now_ms)
    assert w.run_until(lambda: bool(cho.up()), 3_000)
    w.run(500)
    assert not ana.up() and w.hears(ben).startswith("row") and w.state("201") == "ready"
    ben.hang_up(w.now_ms)
    over(w)
    assert w.state("202") == w.state("203") == "ready"


def test_the_queues_agent_stays_talking_when_his_caller_transfers_him() -> None:
    w = world()
    ana = agent(w, "201")
    cho = agent(w, "203", login=False, answer_ms=300)
    ben = agent(w, "202", refer_bye=True)
    w.operate("agent.logout", agent="202")
    ring(w, "700", phone=ben)
    assert w.run_until(lambda: bool(ana.up()), 5_000)
    w.run(200)
    ben.refer(up(ben), "203", w.now_ms)
    assert w.run_until(lambda: bool(cho.up()), 3_000)
    w.run(500)
    assert not ben.up() and w.state("201") == "talking" and w.hears(ana).startswith("row")
    ana.hang_up(w.now_ms)
    over(w)
    assert w.state("201") == "ready"


def test_the_queues_agent_who_is_transferred_into_a_queue_waits_like_a_caller_and_is_offered_nothing() -> None:
    w = world()
    ana, ben = agent(w, "201"), agent(w, "203", refer_bye=True)
    w.operate("agent.logout", agent="203")
    ring(w, "700", phone=ben)
    assert w.run_until(lambda: bool(ana.up()), 5_000)
    w.run(200)
    ben.refer(up(ben), "700", w.now_ms)
    w.run(10_000)
    assert w.hears(ana) == "music/default" and w.state("201") == "occupied"
    assert len(w.all("queue.completed")) == 1 and len(w.all("queue.offered")) == 1
    ana.hang_up(w.now_ms)
    over(w)
    assert w.state("201") == "ready"


def test_a_second_refer_while_the_first_runs_is_481() -> None:
    w = world()
    caller, ana = talk(w)
    agent(w, "202", answer_ms=-1)
    ana.refer(up(ana), "202", w.now_ms)
    w.run(300)
    ana.refer(up(ana), "203", w.now_ms)
    w.run(300)
    assert "transfer 481" in news(ana) and told(ana) == "transfer 481" and len(results(w)) == 1
    caller.hang_up(w.now_ms)
    over(w)
    assert said(ana, "BYE")


def test_the_caller_gone_while_the_target_rings_frees_everybody() -> None:
    w = world()
    caller, ana = talk(w)
    ben = agent(w, "202", answer_ms=-1)
    ana.refer(up(ana), "202", w.now_ms)
    assert w.run_until(lambda: bool(ben.sessions), 2_000)
    caller.hang_up(w.now_ms)
    w.run(500)
    assert not ben.sessions and not ana.sessions and w.state("202") == "ready"
    over(w)
    assert w.state("201") == "ready"

"""One call under an operator's hand: found by what he knows, hung up, sent elsewhere."""

from __future__ import annotations

import msgspec
import pytest

from engine.sim.world import World
from tests.call.calls import agent, over, ring, talk, world


def call(w: World, wanted: str) -> str:
    reply = w.operate("call", call=wanted)
    assert reply.ok, reply.error
    return str(msgspec.json.decode(reply.data)["call"])


def test_id_caller_agent_and_last_find_the_call() -> None:
    w = world_of_two()
    first, second = [event.call for event in w.all("call.started")]
    assert call(w, first) == call(w, "5551234") == call(w, "201") == call(w, "default/201") == first
    assert call(w, "last") == call(w, "5550009") == second


def end(w: World) -> None:
    """Everybody is hung up, and nothing stays behind."""
    for each in msgspec.json.decode(w.operate("calls").data):
        if each["phase"] != "closing":
            assert w.operate("call.hangup", call=each["call"]).ok
    over(w)


def world_of_two() -> World:
    w = world()
    talk(w)
    ring(w, "740", "5550009")
    w.run(3_000)
    return w


def test_what_fits_several_lists_them_and_does_nothing() -> None:
    w = world_of_two()
    ring(w, "700", "5550009")
    w.run(1_000)
    names = [event.call for event in w.all("call.started")][1:]
    reply = w.operate("call.hangup", call="5550009")
    assert not reply.ok and "has 2 calls" in reply.error and all(name in reply.error for name in names)
    assert len(w.all("call.ended")) == 0


@pytest.mark.parametrize("wanted", ["", "nobody", "999"])
def test_nobody_is_said(wanted: str) -> None:
    w = world_of_two()
    reply = w.operate("call.transfer", call=wanted, to="100")
    assert not reply.ok and "no call" in reply.error


def test_a_talking_caller_goes_to_another_agent_and_the_undo_brings_him_back() -> None:
    w = world_of_two()
    ben = agent(w, "202")
    name = w.all("call.started")[0].call
    reply = w.operate("call.transfer", call="5551234", to="202")
    assert reply.ok and f"ringdown call {name} transfer 201" in reply.data.decode()
    assert w.run_until(lambda: bool(ben.up()), 10_000)
    w.run(500)
    assert w.state("201") in ("wrap_up", "ready")
    started = w.all("call.transferred")[0]
    assert (started.data["result"], started.data["way"]) == ("started", "operator")
    w.run(10_000)
    assert w.operate("call.transfer", call=name, to="201").ok
    w.run(3_000)
    assert w.state("201") not in ("wrap_up", "ready") and not ben.up()


def test_a_waiting_caller_goes_to_an_agent_or_on_by_his_dialplan() -> None:
    w = world_of_two()
    ben = agent(w, "202", login=False)
    name = w.all("call.started")[1].call
    reply = w.operate("call.transfer", call="5550009", to="202")
    assert reply.ok and b"number 1 in default/narrow" in reply.data
    assert w.last("queue.left").data["reason"] == "moved"
    assert w.run_until(lambda: bool(ben.up()), 10_000)
    w.run(500)
    assert call(w, "202") == name
    end(w)


def test_a_waiting_caller_whose_target_does_not_answer_goes_on_by_his_dialplan() -> None:
    w = world_of_two()
    agent(w, "202", login=False, answer_ms=-1)
    assert w.operate("call.transfer", call="5550009", to="202").ok
    w.run(45_000)
    results = [e.data["result"] for e in w.all("call.transferred")]
    assert results[0] == "started" and results[1] != "done"
    end(w)


def test_a_caller_in_a_menu_goes_to_a_number_of_the_site() -> None:
    w = world(law9=True)
    caller = ring(w, "100")
    w.run(2_500)
    reply = w.operate("call.transfer", call="last", to="700")
    assert reply.ok
    w.run(4_000)
    assert w.last("queue.joined").data["queue"] == "default/support" and caller.up()
    over(w)


@pytest.mark.parametrize("to", ["", "nobody", "77"])
def test_a_target_that_nobody_answers_to_changes_nothing(to: str) -> None:
    w = world_of_two()
    before = len(w.events)
    reply = w.operate("call.transfer", call="5551234", to=to)
    assert not reply.ok and "nobody answers to" in reply.error and len(w.events) == before


def test_what_is_not_answered_is_not_transferred() -> None:
    w = world()
    agent(w, "202", answer_ms=-1)
    ana = agent(w, "201")
    ring(w, "202", phone=ana)
    w.run(500)
    reply = w.operate("call.transfer", call="201", to="100")
    assert not reply.ok and "isn't answered yet" in reply.error


def test_long_lists_come_in_parts() -> None:
    w = world_of_two()
    first = msgspec.json.decode(w.operate("calls", limit="1").data)
    rest = msgspec.json.decode(w.operate("calls", offset="1", limit="5").data)
    assert [len(first), len(rest)] == [1, 1] and first != rest
    assert rest[0]["position"] == 1
    assert not w.operate("calls", limit="-1").ok

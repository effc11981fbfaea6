"""An agent whose program is gone without a word takes no calls, and is ready again when it is back."""

from __future__ import annotations

from engine.call import absence
from engine.call.effects import Operator
from engine.switch import Switch
from tests.call.calls import agent, ring, talk, world
from tests.call.lives import CODED, desk, life


def test_lost_and_found_again() -> None:
    w = world()
    agent(w, "201")
    assert w.operate("agent.lost", agent="201").ok and w.state("201") == "not_ready"
    assert w.switch.room.agents["default/201"].reason == absence.LOST
    assert w.last("agent.paused").data["reason"] == "lost"
    caller = ring(w, "700")
    w.run(3_000)
    assert not w.all("queue.offered") and caller.up()
    assert w.operate("agent.found", agent="201").ok
    w.run(3_000)
    assert w.all("queue.offered")


def test_it_is_remembered_by_a_switch_that_was_encoded() -> None:
    w = world()
    agent(w, "201")
    w.operate("agent.lost", agent="201")
    w.switch = Switch.decode(w.switch.encode())
    assert w.operate("agent.found", agent="201").ok and w.state("201") == "ready"


def test_a_conversation_goes_on_and_then_he_is_paused() -> None:
    w = world()
    caller, phone = talk(w)
    w.operate("agent.lost", agent="201")
    w.run(5_000)
    assert phone.up() and caller.up() and w.state("201") == "talking"
    caller.hang_up(w.now_ms)
    assert w.run_until(lambda: w.state("201") == "not_ready", 120_000)
    assert w.switch.room.agents["default/201"].reason == absence.LOST


def test_what_he_chose_himself_stays() -> None:
    w = world()
    agent(w, "201")
    w.operate("agent.not_ready", agent="201", reason="lunch")
    paused = len(w.all("agent.paused"))
    for verb in ("agent.lost", "agent.found"):
        assert w.operate(verb, agent="201").ok
        assert w.state("201") == "not_ready" and w.switch.room.agents["default/201"].reason == "lunch"
    assert len(w.all("agent.paused")) == paused
    w.operate("agent.logout", agent="201")
    w.operate("agent.lost", agent="201")
    assert w.state("201") == "logged_out"


def test_a_tenant_that_lists_reasons_has_this_one_beside_them() -> None:
    w, _ = desk(life())
    assert not w.operate("agent.not_ready", agent="201", reason="lost").ok, "nobody can choose it"
    assert w.operate("agent.lost", agent="201").ok and w.state("201") == "not_ready"


def test_over_the_bus_he_can_do_no_more_than_by_his_phone() -> None:
    w, ana = desk(life(CODED))
    caller = ring(w, "700")
    assert w.run_until(lambda: bool(ana.up()) and w.state("201") == "talking", 20_000)
    caller.hang_up(w.now_ms)
    w.run(200)
    assert w.state("201") == "wrap_up"
    w.give(Operator(len(w.inputs), "agent default/201", "agent.ready", {"agent": "default/201"}))
    assert w.replies[-1].ok and w.state("201") == "wrap_up", "a code is required of him"
    w.give(Operator(len(w.inputs), "agent default/202", "agent.ready", {"agent": "default/201"}))
    assert w.state("201") == "ready", "somebody else's word is an operator's: the bus lets him say it of nobody"

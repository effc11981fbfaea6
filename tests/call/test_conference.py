"""Conferences: a third party comes and goes, and the two who are left are a plain bridge again."""

from __future__ import annotations

import msgspec
import pytest

from engine import limits
from engine.call import conference
from engine.sim.phone import Phone
from engine.sim.world import World
from tests.call.calls import agent, over, plane, ring, row_of, talk, up, world
from tests.call.followed import SUPERVISED, ears, key


def three(*, law9: bool = False, answer_ms: int = 500) -> tuple[World, Phone, Phone, Phone]:
    """(world, caller, agent 201, agent 202 who has been added)."""
    w = world(SUPERVISED, law9=law9)
    caller, ana = talk(w)
    ben = agent(w, "202", answer_ms=answer_ms)
    w.press(ana, "*6", gap_ms=100)
    assert w.hears(caller) == "music/default"
    w.press(ana, "202#", gap_ms=50)
    w.run(1_500)
    return w, caller, ana, ben


ALL = {"caller": "ana + ben", "ana": "ben + caller", "ben": "ana + caller"}


def results(w: World) -> list[str]:
    return [str(event.data["result"]) for event in w.all("call.conference")]


@pytest.mark.parametrize("law9", [False, True])
def test_an_agent_adds_a_third_and_everyone_hears_everyone(law9: bool) -> None:
    w, caller, ana, ben = three(law9=law9)
    assert ears(w, caller=caller, ana=ana, ben=ben) == ALL
    assert results(w) == ["ringing", "joined"] and w.row(caller).digits == []
    assert w.state("202") == "on_call" or w.state("202") != "ready"  # no offers meanwhile
    ben.hang_up(w.now_ms)
    w.run(300)
    assert ears(w, caller=caller, ana=ana) == {"caller": "ana", "ana": "caller"}
    assert w.hears(caller).startswith("row") and results(w)[-1] == "left"
    w.press(ana, "*2", gap_ms=100)
    assert w.hears(caller) == "music/default"
    caller.hang_up(w.now_ms)
    assert over(w).data["outcome"] == "served"


def test_the_two_talk_on_while_the_third_is_rung_and_if_he_does_not_come() -> None:
    w, caller, ana, _ = three(answer_ms=-1)
    assert ears(w, caller=caller, ana=ana) == {"caller": "ana", "ana": "caller"}
    w.run(30_000)
    assert results(w) == ["ringing", "no_answer"]
    assert ears(w, caller=caller, ana=ana) == {"caller": "ana", "ana": "caller"}
    caller.hang_up(w.now_ms)
    over(w)


def test_the_agent_leaves_and_the_caller_stays_with_the_third() -> None:
    w, caller, ana, ben = three(law9=True)
    ana.hang_up(w.now_ms)
    w.run(300)
    assert ears(w, caller=caller, ben=ben) == {"caller": "ben", "ben": "caller"}
    assert w.state("201") == "wrap_up" and w.last("queue.completed").data["by"] == "agent"
    ben.hang_up(w.now_ms)
    ended = over(w)
    assert ended.data["outcome"] == "served" and "agent 202" in str(ended.data["path"])


def test_the_caller_hangs_up_and_all_are_free() -> None:
    w, caller, ana, ben = three(law9=True)
    caller.hang_up(w.now_ms)
    w.run(500)
    assert not ana.up() and not ben.up()
    assert over(w).data["by"] == "caller"


def test_an_agent_who_dialled_leaves_his_conference() -> None:
    w = world(SUPERVISED, law9=True)
    ana, ben, cho = agent(w, "201"), agent(w, "202", answer_ms=100), agent(w, "203", answer_ms=100)
    ring(w, "202", phone=ana)
    w.run(1_000)
    w.press(ana, "*6203#", gap_ms=100)
    w.run(1_000)
    assert ears(w, ana=ana, ben=ben, cho=cho) == {"ana": "ben + cho", "ben": "ana + cho", "cho": "ana + ben"}
    ana.hang_up(w.now_ms)
    w.run(300)
    assert ears(w, ben=ben, cho=cho) == {"ben": "cho", "cho": "ben"}
    ben.hang_up(w.now_ms)
    w.run(300)
    assert not cho.up()
    over(w)


def test_four_and_a_supervisor_and_the_last_two_are_a_bridge() -> None:
    w, caller, ana, ben = three(law9=True)
    cho = agent(w, "203", answer_ms=100)
    eva = agent(w, "205", login=False)
    assert w.operate("call.conference", **{"call": "5551234", "with": "203"}).ok
    w.run(500)
    ring(w, "*57201", phone=eva)
    w.run(500)
    key(w, eva, "5")
    everyone = {"caller": caller, "ana": ana, "ben": ben, "cho": cho, "eva": eva}
    assert ears(w, **everyone) == {
        "caller": "ana + ben + cho", "ana": "ben + caller + cho + eva", "ben": "ana + caller + cho",
        "cho": "ana + ben + caller", "eva": "ana + ben + caller + cho",
    }
    ana.hang_up(w.now_ms)
    w.run(500)
    assert ears(w, caller=caller, ben=ben, cho=cho) == {
        "caller": "ben + cho", "ben": "caller + cho", "cho": "ben + caller"
    }
    assert w.heard(eva)[-1].startswith("tone/busy")
    ben.hang_up(w.now_ms)
    w.run(500)
    assert w.hears(caller) == f"row {row_of(w, cho)[0]}"
    cho.hang_up(w.now_ms)
    over(w)


def test_a_guest_who_holds_is_not_heard() -> None:
    w, caller, ana, ben = three(law9=True)
    ben.hold(up(ben), w.now_ms)
    w.run(300)
    assert ears(w, caller=caller, ana=ana, ben=ben) == {"caller": "ana", "ana": "caller", "ben": "silence"}
    ben.hold(up(ben), w.now_ms, direction="sendrecv")
    w.run(300)
    assert ears(w, caller=caller, ana=ana, ben=ben) == ALL
    caller.hang_up(w.now_ms)
    over(w)


@pytest.mark.parametrize("keys", ["*6#", "*6999#", "*6201#", "*600123#"])
def test_nobody_to_add_leaves_the_two_talking(keys: str) -> None:
    w = world(msgspec.structs.replace(SUPERVISED, outbound=()))
    caller, ana = talk(w)
    w.press(ana, keys, gap_ms=50)
    w.run(300)
    assert results(w) == ["refused"]
    assert ears(w, caller=caller, ana=ana) == {"caller": "ana", "ana": "caller"}
    caller.hang_up(w.now_ms)
    over(w)


def test_an_outside_number_joins_by_the_teams_way_out_only() -> None:
    w = world(SUPERVISED)
    carrier = w.phone("49123", password="", host="192.0.2.1")
    carrier.habit = msgspec.structs.replace(carrier.habit, answer_ms=300)
    caller, ana = talk(w)
    w.press(ana, "*69123#", gap_ms=50)
    w.run(1_500)
    assert results(w) == ["ringing", "joined"] and w.last("call.conference").data["who"] == "+49123"
    assert ears(w, caller=caller, ana=ana, out=carrier)["out"] == "ana + caller"
    ana.hang_up(w.now_ms)
    w.run(300)
    assert ears(w, caller=caller, out=carrier) == {"caller": "out", "out": "caller"}
    assert len(w.all("dial.ended")) == len(w.all("dial.started")) == 1
    caller.hang_up(w.now_ms)
    over(w)


def test_one_is_rung_at_a_time_and_a_hang_up_stops_it() -> None:
    w, _, ana, ben = three(answer_ms=-1)
    (call,) = w.switch.room.calls.values()
    why = conference.invite(w.switch.room, call, w.switch.room.legs[call.other], "203", w.now_ms)
    assert "rings somebody already" in why
    ana.hang_up(w.now_ms)
    w.run(500)
    assert not ben.sessions and not w.switch.room.attempts
    over(w)


def test_a_transfer_while_the_third_rings_stops_the_ringing_and_in_a_conference_is_refused() -> None:
    w, caller, ana, ben = three(answer_ms=-1)
    cho = agent(w, "203", answer_ms=100)
    w.press(ana, "*1203#", gap_ms=50)
    w.run(1_000)
    assert not ben.sessions and ears(w, caller=caller, cho=cho) == {"caller": "cho", "cho": "caller"}
    caller.hang_up(w.now_ms)
    over(w)
    w, caller, ana, ben = three()
    w.press(ana, "*1203#", gap_ms=50)
    w.run(500)
    assert ears(w, caller=caller, ana=ana, ben=ben) == ALL and not w.all("call.transferred")
    caller.hang_up(w.now_ms)
    over(w)


def test_a_guest_whose_media_port_breaks_is_let_go() -> None:
    from engine.media.commands import LegFailed

    w, caller, ana, ben = three()
    row, generation = row_of(w, ben)
    del w.media.rows[row]
    plane(w, LegFailed(row, generation, "gone"))
    w.run(500)
    assert ears(w, caller=caller, ana=ana) == {"caller": "ana", "ana": "caller"} and not ben.up()
    caller.hang_up(w.now_ms)
    over(w)


def test_a_full_mix_takes_nobody() -> None:
    w, caller, _, _ = three()
    (call,) = [each for each in w.switch.room.calls.values() if each.guests]
    call.watchers = [10_000 + number for number in range(limits.mix_legs_max - 3)]
    reply = w.operate("call.conference", **{"call": call.name, "with": "203"})
    assert not reply.ok and "full" in reply.error
    call.watchers = []
    caller.hang_up(w.now_ms)
    over(w)

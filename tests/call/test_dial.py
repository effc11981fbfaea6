"""Ringing somebody: who answers first, what each refusal is called, and that every attempt ends."""

from __future__ import annotations

import pytest

from engine.media.commands import LegFailed
from engine.sim.phone import Habit, Phone
from engine.sim.world import World
from tests.call.calls import agent, over, plane, ring, said, told, world

CARRIER = "192.0.2.1"


def ends(w: World) -> list[tuple[object, object]]:
    return [(e.data["target"], e.data["result"]) for e in w.all("dial.ended")]


def two_phones(w: World, **habit: object) -> tuple[Phone, Phone]:
    desk = agent(w, "201", **habit)
    home = w.phone("201")
    home.habit = Habit(answer_ms=-1)
    home.register(w.now_ms)
    w.run(300)
    return desk, home


@pytest.mark.parametrize("number", ["700", "201"])
def test_both_phones_of_an_agent_ring_and_the_other_is_told_who_answered(number: str) -> None:
    w = world(law9=number == "201")
    desk, home = two_phones(w, answer_ms=800)
    ben = agent(w, "202", login=False)
    ring(w, number, phone=ben if number == "201" else None)
    assert w.run_until(lambda: bool(desk.sessions) and bool(home.sessions), 3_000)
    assert w.run_until(lambda: bool(desk.up()), 3_000)
    w.run(300)
    assert not home.sessions and "reason: SIP;cause=200" in said(home, "CANCEL")[0].replace("Reason", "reason")
    desk.hang_up(w.now_ms)
    over(w)
    assert w.state("201") == "ready"


def test_a_decline_on_one_phone_is_the_persons_no_on_all() -> None:
    w = world()
    desk, home = two_phones(w, answer_ms=300, status=603)
    ring(w, "700")
    assert w.run_until(lambda: bool(w.all("queue.offer_ended")), 2_000)
    w.run(200)
    assert w.last("queue.offer_ended").data["reason"] == "rejected" and not home.sessions and not desk.sessions


def test_busy_on_one_phone_leaves_the_other_ringing() -> None:
    w = world()
    _, home = two_phones(w, answer_ms=300, status=486)
    ring(w, "700")
    w.run(2_000)
    assert home.sessions and not w.all("queue.offer_ended")


def test_parallel_dial_the_first_answer_wins_and_every_start_has_its_end() -> None:
    w = world()
    ana, ben = agent(w, "201", answer_ms=900), agent(w, "202", answer_ms=300)
    caller = ring(w, "720")
    assert w.run_until(lambda: bool(ben.up()), 3_000)
    w.run(300)
    assert not ana.sessions and w.hears(caller).startswith("row")
    assert sorted(ends(w)) == [("agent 201", "canceled"), ("agent 202", "answered")]
    assert w.state("201") == "ready" and w.state("202") == "occupied"
    ben.hang_up(w.now_ms)
    assert over(w).data["path"] == "parallel > agent 202 > parallel"


def test_two_answers_in_the_same_millisecond_make_one_conversation() -> None:
    w = world()
    ana, ben = agent(w, "201", answer_ms=500), agent(w, "202", answer_ms=500)
    ring(w, "720")
    w.run(3_000)
    assert len(ana.up()) + len(ben.up()) == 1 and len(w.kinds("call.bridged")) == 1


def test_serial_dial_goes_on_to_the_trunk_with_the_dialplans_right_and_its_own_ringing_time() -> None:
    w = world()
    carrier = w.phone("carrier", host=CARRIER, password="")
    carrier.habit = Habit(answer_ms=400)
    agent(w, "201", answer_ms=-1)
    ring(w, "721")
    assert w.run_until(lambda: bool(carrier.up()), 10_000)
    w.run(100)
    results = {e.data["target"]: (e.data["result"], e.data["rang_ms"]) for e in w.all("dial.ended")}
    assert results["agent 201"] == ("no_answer", 5_000)
    assert results["+49123"][0] == "answered" and int(str(results["+49123"][1])) < 1_000
    assert w.state("201") == "ready" and '"+49301234"' not in said(carrier, "INVITE")[0]
    assert "sip:+49301234@" in said(carrier, "INVITE")[0]


@pytest.mark.parametrize(
    ("status", "phrase", "result", "then"),
    [
        (486, "", "busy", "en/not_available"), (600, "", "busy", "en/not_available"),
        (603, "", "rejected", "en/goodbye"), (480, "", "no_answer", "en/goodbye"),
        (404, "", "unreachable", "en/goodbye"), (503, "", "unreachable", "en/goodbye"),
        (500, "", "failed", "en/goodbye"), (302, "", "forwarded", "en/goodbye"),
        (486, "Do Not Disturb", "do_not_disturb", "en/not_available"),
    ],
)  # fmt: skip
def test_each_refusal_has_its_name_and_its_way_on(status: int, phrase: str, result: str, then: str) -> None:
    w = world()
    agent(w, "201", answer_ms=100, status=status, phrase=phrase)
    caller = ring(w, "722")
    w.run(600)
    assert ends(w) == [("agent 201", result)] and w.hears(caller) == then
    over(w)
    assert w.state("201") == "ready"


def test_a_redirection_is_never_followed() -> None:
    w = world()
    elsewhere = w.phone("x", host="192.0.2.9", password="")
    agent(w, "201", answer_ms=100, status=302)
    ring(w, "700")
    w.run(3_000)
    assert w.last("queue.offer_ended").data["reason"] == "forwarded" and not elsewhere.got


@pytest.mark.parametrize(("status", "heard"), [(486, 486), (404, 404), (603, 603), (500, 480), (503, 480)])
def test_a_direct_caller_hears_the_far_ends_word_but_never_503(status: int, heard: int) -> None:
    w = world()
    agent(w, "201", answer_ms=100, status=status)
    ben = agent(w, "202")
    ring(w, "201", phone=ben)
    w.run(500)
    assert told(ben) == f"rejected {heard}"
    over(w)


def test_a_media_port_that_fails_while_a_phone_rings_fails_that_phone_only() -> None:
    w = world(law9=True)
    ana, ben = agent(w, "201", answer_ms=-1), agent(w, "202", answer_ms=2_000)
    caller = ring(w, "720")
    assert w.run_until(lambda: bool(ana.sessions) and bool(ben.sessions), 2_000)
    leg = next(leg for leg in w.switch.room.legs.values() if leg.party == "agent 201")
    row = leg.row
    plane(w, LegFailed(row, leg.generation, "address in use"))
    w.media.rows.pop(row)
    w.run(200)
    assert not ana.sessions and ben.sessions
    assert w.run_until(lambda: bool(ben.up()), 3_000)
    w.run(100)
    assert w.hears(caller).startswith("row") and ("agent 201", "failed") in ends(w)


def test_a_media_port_that_fails_for_the_only_phone_ends_the_dial() -> None:
    w = world()
    ana = agent(w, "201", answer_ms=-1)
    caller = ring(w, "722")
    assert w.run_until(lambda: bool(ana.sessions), 2_000)
    leg = next(leg for leg in w.switch.room.legs.values() if leg.party == "agent 201")
    row = leg.row
    plane(w, LegFailed(row, leg.generation, "address in use"))
    w.media.rows.pop(row)
    w.run(200)
    assert not ana.sessions and w.hears(caller) == "en/goodbye"
    over(w)


def test_an_answer_without_sdp_fails_the_leg_and_hangs_it_up() -> None:
    w = world()
    ana = agent(w, "201", answer_ms=100)
    ana.codecs = ()
    ana._react = lambda session, now_ms: (  # type: ignore[method-assign]
        ana.endpoint.answer(session, b"", now_ms), ana.sessions.update({session: "up"}), ana.incoming.pop(session),
    )  # fmt: skip
    ring(w, "722")
    w.run(1_000)
    assert ends(w) == [("agent 201", "failed")] and not ana.up()
    over(w)


def test_the_caller_gone_every_phone_stops_ringing_and_is_free() -> None:
    w = world()
    ana, ben = agent(w, "201", answer_ms=-1), agent(w, "202", answer_ms=-1)
    caller = ring(w, "720")
    assert w.run_until(lambda: bool(ana.sessions) and bool(ben.sessions), 2_000)
    assert w.state("201") == "occupied"
    caller.hang_up(w.now_ms)
    w.run(300)
    assert not ana.sessions and not ben.sessions and w.state("201") == w.state("202") == "ready"
    assert sorted(ends(w)) == [("agent 201", "canceled"), ("agent 202", "canceled")]
    assert over(w).data["outcome"] == "abandoned"

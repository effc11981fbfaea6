"""A line that stays up: several callers on one leg, whoever hangs up, vanishes or leaves in the same moment."""

from __future__ import annotations

from random import Random

import pytest

from engine.call.effects import Drain, Drained
from engine.dialplan.model import Site
from engine.sim.network import Weather
from engine.sim.phone import Phone
from engine.sim.world import World
from tests.call.calls import LONGEST_MS, agent, over, ring, said, told, world
from tests.call.reached import mobile, reached_site

PAM = "213: {name: Pam, queues: [mobile], phone: {nailed_up: yes%s}}\n"


def site(more: str = "", extra: str = "") -> Site:
    return reached_site(more=PAM % more + extra)


def pam(w: World) -> Phone:
    """She has dialled `*59`."""
    phone = agent(w, "213", login=False)
    w.operate("agent.logout", agent="206")  # the mobile of the same queue keeps out of this
    ring(w, "*59", phone=phone)
    assert w.run_until(lambda: bool(phone.up()), 2_000)
    w.run(2_000)
    return phone


def nailed(more: str = "") -> tuple[World, Phone]:
    w = world(site(more), law9=True)
    return w, pam(w)


def reasons(w: World) -> list[object]:
    return [event.data["reason"] for event in w.all("queue.offer_ended")]


def home(w: World) -> bool:
    """Is her line the only call, waiting in silence?"""
    (call,) = w.switch.room.calls.values()
    return call.phase == "nailed" and call.leg in w.switch.room.legs


def test_two_callers_one_after_the_other_on_one_leg() -> None:
    w, phone = nailed()
    assert w.heard(phone)[0] == "en/agent_nailed_up" and w.state("213") == "ready" and home(w)
    first = ring(w, "750")
    assert w.run_until(lambda: w.state("213") == "talking", 1_000)
    w.run(100)
    assert w.hears(first).startswith("row") and w.hears(phone).startswith("row") and "tone/beep" in w.heard(phone)
    assert w.last("queue.connected").data["agent"] == "default/213"
    first.hang_up(w.now_ms)
    w.run(500)
    assert w.state("213") == "wrap_up" and phone.up() and w.hears(phone) == "silence" and not said(phone, "BYE")
    second = ring(w, "750", "5550002")
    w.run(8_000)  # wrap-up, then he
    assert w.state("213") == "talking" and w.hears(second).startswith("row") and not said(phone, "INVITE")
    w.press(phone, "*0")  # she ends this one herself
    w.run(500)
    assert w.state("213") == "wrap_up" and phone.up() and not second.up()
    w.run(10_000)
    assert w.state("213") == "ready" and home(w)
    phone.hang_up(w.now_ms)
    w.run(1_000)
    assert not w.switch.room.agents["default/213"].reachable and w.state("213") == "ready"
    assert over(w).data["path"] == "nailed up"


def test_with_confirm_the_key_decides_and_whatever_it_is_the_line_stays() -> None:
    w, phone = nailed(", confirm: yes, confirm_in: 4s")
    caller = ring(w, "750")
    w.run(1_000)
    assert w.hears(phone) == "en/agent_queue_call en/agent_press_one" and w.hears(caller) == "music/default"
    w.press(phone, "2")
    assert reasons(w) == ["rejected"] and w.state("213") == "resting" and phone.up() and w.hears(phone) == "silence"
    w.run(3_000 + 4_500)
    assert reasons(w) == ["rejected", "no_answer"] and phone.up()
    w.run(3_500)
    w.press(phone, "1")
    assert w.state("213") == "talking" and w.hears(caller).startswith("row")
    caller.hang_up(w.now_ms)
    w.run(300)
    assert phone.up() and w.state("213") == "wrap_up"


@pytest.mark.parametrize("at_ms", [0, 100, 249, 250, 251, 400, 2_000])
def test_the_caller_leaves_at_any_moment_and_the_line_stays(at_ms: int) -> None:
    for more in ("", ", confirm: yes"):
        w, phone = nailed(more)
        caller = ring(w, "750")
        assert w.run_until(lambda w=w: w.state("213") == "alerting", 1_000)
        w.run(at_ms)
        caller.hang_up(w.now_ms)
        w.run(7_000)
        assert phone.up() and home(w) and w.state("213") == "ready" and w.hears(phone) == "silence"


def test_her_key_and_the_callers_hang_up_in_the_same_millisecond() -> None:
    w, phone = nailed(", confirm: yes")
    caller = ring(w, "750")
    w.run(1_500)
    caller.hang_up(w.now_ms)
    w.press(phone, "1", gap_ms=0)
    w.run(7_000)
    assert phone.up() and home(w) and w.state("213") == "ready" and w.hears(phone) == "silence"


@pytest.mark.parametrize(
    ("then", "state", "reason"), [("logout", "logged_out", "agent_state"), ("unreachable", "ready", "no_answer")]
)
def test_she_hangs_up_while_she_is_asked_and_the_caller_waits_on(then: str, state: str, reason: str) -> None:
    w, phone = nailed(f", confirm: yes, when_hung_up: {then}")
    caller = ring(w, "750")
    w.run(1_500)
    phone.hang_up(w.now_ms)
    w.run(5_000)
    assert reasons(w) == [reason] and w.hears(caller) == "music/default" and w.state("213") == state
    caller.hang_up(w.now_ms)
    w.run(60_000)
    assert not w.switch.room.calls


def test_she_hangs_up_in_the_conversation_which_ends_it_and_her_line() -> None:
    w, phone = nailed()
    caller = ring(w, "750")
    w.run(1_500)
    phone.hang_up(w.now_ms)
    w.run(1_000)
    assert not caller.up() and w.state("213") == "wrap_up"
    w.run(30_000)
    assert not w.switch.room.calls and not w.switch.room.agents["default/213"].reachable


@pytest.mark.parametrize("talks", [False, True])
def test_a_phone_that_vanishes_without_a_bye_is_found(talks: bool) -> None:
    w, phone = nailed()
    if talks:
        ring(w, "750")
        w.run(1_500)
        assert w.state("213") == "talking"
    w.darken(phone)
    w.run(200_000)
    assert not w.switch.room.agents["default/213"].reachable and not w.switch.room.calls
    assert w.state("213") == "ready"


def test_while_somebody_has_her_line_nobody_else_is_put_through() -> None:
    w, phone = nailed()
    ana = agent(w, "201")
    ring(w, "213", phone=ana)  # a colleague, directly
    w.run(1_000)
    assert ana.up() and w.hears(ana).startswith("row") and w.state("213") == "occupied"
    waiting = ring(w, "750")
    w.run(2_000)
    assert w.hears(waiting) == "music/default"
    ben = agent(w, "202")
    ring(w, "213", phone=ben)
    w.run(1_000)
    assert told(ben) == "rejected 486"
    ana.hang_up(w.now_ms)
    w.run(1_000)
    assert w.state("213") == "talking" and w.hears(waiting).startswith("row") and phone.up()


def test_she_sends_the_caller_on_by_key_and_keeps_her_line() -> None:
    w, phone = nailed()
    ben = agent(w, "202", answer_ms=500)
    caller = ring(w, "750")
    w.run(1_500)
    w.press(phone, "*1202#")
    w.run(2_000)
    assert ben.up() and w.hears(caller).startswith("row") and phone.up() and w.hears(phone) == "silence"
    assert w.state("213") in ("wrap_up", "ready")
    caller.hang_up(w.now_ms)
    w.run(20_000)
    assert home(w)


def test_a_transfer_that_fails_comes_back_to_her_line() -> None:
    w, phone = nailed()
    agent(w, "202", answer_ms=500, status=486)
    caller = ring(w, "750")
    w.run(1_500)
    w.press(phone, "*1202#")
    w.run(2_000)
    assert w.hears(caller).startswith("row") and w.hears(phone).startswith("row") and phone.up()


def test_between_calls_she_types_codes() -> None:
    w, phone = nailed()
    w.press(phone, "*52#")
    assert w.state("213") == "not_ready" and w.hears(phone) == "en/agent_not_ready"
    w.press(phone, "7*53")
    w.run(3_000)
    assert w.state("213") == "ready" and "en/agent_ready" in w.heard(phone)
    w.press(phone, "*99#")
    assert w.heard(phone)[-1] == "en/invalid_choice"
    w.press(phone, "*54#")
    assert w.hears(phone).startswith("en/agent_ready")
    w.press(phone, "*51#")
    assert w.state("213") == "logged_out" and phone.up()


def test_dialled_again_the_newer_line_counts_and_others_are_refused() -> None:
    w, phone = nailed()
    again = w.phone("213")
    ring(w, "*59", phone=again)
    w.run(2_000)
    assert again.up() and not phone.up() and w.state("213") == "ready"
    assert w.switch.room.agents["default/213"].reachable
    ring(w, "750")
    w.run(1_500)
    late = w.phone("213")
    ring(w, "*59", phone=late)
    w.run(1_000)
    assert told(late) == "rejected 486" and again.up() and w.state("213") == "talking"
    ana = agent(w, "201")
    ring(w, "*59", phone=ana)
    w.run(1_000)
    assert told(ana) == "rejected 403"


def test_the_line_outlasts_every_limit_of_a_call_and_a_reload() -> None:
    w, phone = nailed()
    w.load(site(extra="214: {name: New}\n"))
    w.run(9 * 3_600_000)
    assert phone.up() and home(w) and w.state("213") == "ready"
    ring(w, "750")
    w.run(1_500)
    assert w.state("213") == "talking"
    w.press(phone, "*0")
    w.load(reached_site(more="213: {name: Pam, queues: [mobile]}\n"))
    w.run(61_000)
    assert not phone.up() and not w.switch.room.calls


def test_a_drain_waits_for_conversations_and_not_for_lines() -> None:
    w, phone = nailed()
    caller = ring(w, "750")
    w.run(1_500)
    w.give(Drain())
    w.run(5_000)
    assert phone.up() and w.hears(caller).startswith("row")
    caller.hang_up(w.now_ms)
    stopped = w.run_until(lambda: any(isinstance(each, Drained) for each in w.outputs), 20_000)
    assert stopped and not phone.up() and not w.switch.room.calls


def test_operators_see_the_line_and_may_end_it() -> None:
    w, phone = nailed()
    (call,) = w.switch.room.calls.values()
    refused = w.operate("call.transfer", call=call.name, to="201")
    assert not refused.ok and "only keeps an agent's line up" in refused.error
    assert w.operate("call.hangup", call=call.name).ok
    w.run(500)
    assert not phone.up() and not w.switch.room.agents["default/213"].reachable


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_in_whatever_order_the_line_comes_home_and_nobody_stays(seed: int) -> None:
    """Callers, keys, hang-ups, colleagues, a mobile beside her: in the end only her line is left, if at all."""
    chance = Random(seed)
    w, phone = nailed(chance.choice(("", ", confirm: yes", ", confirm: yes, confirm_in: 3s")))
    if seed % 2:  # BYEs, CANCELs and answers get lost, come twice and cross
        w.network.weather = Weather(5, 30, loss=60, duplicate=60, reorder=100)
    exchange = mobile(w, answer_ms=chance.choice((300, 1_000, 9_000)), talk_ms=chance.choice((0, 2_000)))
    w.operate("agent.login", agent="206")
    ana, callers = agent(w, "201", answer_ms=700), list[Phone]()
    for _ in range(60):
        act = chance.randrange(9)
        if act < 3 and len(callers) < 40:
            callers.append(ring(w, chance.choice(("750", "750", "213", "206")), f"555{len(callers):04}"))
        elif act == 3 and callers:
            chance.choice(callers).hang_up(w.now_ms)
        elif act == 4:
            w.press(phone, chance.choice(("1", "2", "*0", "*1201#", "*2", "*53")), gap_ms=0)
        elif act == 5:
            w.press(exchange, chance.choice("12"), gap_ms=0)
        elif act == 6 and not ana.sessions:
            ring(w, chance.choice(("213", "206")), phone=ana)
        elif act == 7:
            ana.hang_up(w.now_ms)
        elif act == 8 and not phone.sessions:
            ring(w, "*59", phone=phone)
        elif act == 8 and chance.random() < 0.1:
            phone.hang_up(w.now_ms)
        w.run(chance.choice((0, 1, 40, 249, 250, 700, 3_000)))
    for each in (*callers, ana, exchange):
        each.hang_up(w.now_ms)
    w.operate("agent.logout", agent="206")
    w.run(LONGEST_MS)
    room = w.switch.room
    assert [call.phase for call in room.calls.values()] == (["nailed"] if phone.up() else [])
    assert not room.attempts and not room.offers and not any(room.trunk_calls.values()) and not w.all("engine.breach")
    assert room.agents["default/213"].reachable == bool(phone.up()) and not room.agents["default/213"].other_legs
    assert not [each for each in w.logs if each.level == "error"]

"""Whole calls through the switch in virtual time: what is said, heard, bridged and recorded."""

from __future__ import annotations

import pytest

from engine.sim.network import Weather
from engine.sim.phone import Habit, Phone
from engine.sim.world import World
from tests.scenarios.sites import site

BAD_LINE = Weather(latency_ms=20, jitter_ms=30, loss=100, duplicate=50, reorder=50)


def world(**options: object) -> World:
    return World(site(), **options)  # type: ignore[arg-type]


def agent(of: World, user: str, **habit: object) -> Phone:
    """An agent's phone, registered and logged in by `*50`."""
    phone = of.phone(user)
    phone.habit = Habit(**habit)  # type: ignore[arg-type]
    phone.register(of.now_ms)
    assert of.run_until(lambda: phone.registered_ms >= 0, 5_000)
    assert of.operate("agent.login", agent=user).ok
    of.run(100)
    return phone


def test_caller_hears_the_menu_presses_a_key_and_is_served() -> None:
    w = world(law9=True)
    ana = agent(w, "201")
    caller = w.phone("5551234", password="")
    caller.call("100", w.now_ms, secret=False)
    assert w.run_until(lambda: w.hears(caller).startswith("en/welcome"))
    w.press(caller, "1")
    assert w.run_until(lambda: bool(ana.up()))
    w.run(100)
    assert w.hears(caller).startswith("row") and w.hears(ana).startswith("row")
    assert any(line.startswith("rings [support]") for _, line in ana.log)
    w.run(5_000)
    ana.hang_up(w.now_ms)
    w.run(2_000)
    ended = w.last("call.ended")
    assert ended.data["outcome"] == "served" and int(str(ended.data["talked_ms"])) >= 5_000
    w.run(40_000)
    assert w.quiet()
    assert w.switch.room.agents["default/201"].state == "ready"


def test_caller_waits_with_music_until_an_agent_logs_in() -> None:
    w = world()
    caller = w.phone("5551234", password="")
    caller.call("700", w.now_ms, secret=False)
    w.run(2_000)
    assert w.hears(caller).startswith("music/default")
    ana = agent(w, "201")
    assert w.run_until(lambda: bool(ana.up()))
    w.run(200)
    caller.hang_up(w.now_ms)
    w.run(1_000)
    completed = w.last("queue.completed")
    assert completed.data["by"] == "caller" and completed.data["agent"] == "default/201"
    assert w.switch.room.agents["default/201"].state == "wrap_up"
    w.run(40_000)
    assert w.quiet() and w.switch.room.agents["default/201"].state == "ready"


def test_caller_who_gives_up_is_recorded_as_abandoned_and_stops_the_ringing() -> None:
    w = world()
    ana = agent(w, "201", answer_ms=-1)
    caller = w.phone("5551234", password="")
    caller.call("700", w.now_ms, secret=False)
    assert w.run_until(lambda: bool(ana.sessions))
    caller.hang_up(w.now_ms)
    w.run(1_000)
    assert not ana.sessions and w.last("queue.abandoned").data["queue"] == "default/support"
    w.run(40_000)
    assert w.quiet() and w.switch.room.agents["default/201"].state == "ready"


@pytest.mark.parametrize(
    ("status", "reason"), [(486, "busy"), (603, "rejected"), (302, "forwarded"), (480, "no_answer")]
)
def test_refused_offer_keeps_the_callers_place_and_goes_to_the_next_agent(status: int, reason: str) -> None:
    w = world()
    ana = agent(w, "201", answer_ms=200, status=status)
    w.run(1_000)
    ben = agent(w, "202")
    caller = w.phone("5551234", password="")
    caller.call("700", w.now_ms, secret=False)
    assert w.run_until(lambda: bool(ben.up()))
    ended = [e for e in w.events if e.kind == "queue.offer_ended"]
    assert ended[0].data["agent"] == "default/201" and ended[0].data["reason"] == reason
    assert not ana.up() and len([e for e in w.events if e.kind == "queue.joined"]) == 1
    caller.hang_up(w.now_ms)
    w.run(60_000)
    assert w.quiet()


def test_agent_who_does_not_answer_is_rung_off_and_the_caller_waits_on() -> None:
    w = world()
    agent(w, "201", answer_ms=-1)
    caller = w.phone("5551234", password="")
    caller.call("700", w.now_ms, secret=False)
    w.run(11_000)
    assert w.last("queue.offer_ended").data["reason"] == "no_answer"
    assert w.hears(caller).startswith("music/default")


def test_agent_puts_the_caller_on_hold_and_takes_him_back() -> None:
    w = world()
    ana = agent(w, "201")
    caller = w.phone("5551234", password="")
    caller.call("700", w.now_ms, secret=False)
    assert w.run_until(lambda: bool(ana.up()))
    w.run(500)
    ana.hold(ana.up()[0], w.now_ms)
    w.run(3_000)
    assert w.hears(caller).startswith("music/default")
    ana.hold(ana.up()[0], w.now_ms, direction="sendrecv")
    w.run(500)
    assert w.hears(caller).startswith("row")
    caller.hang_up(w.now_ms)
    w.run(2_000)
    assert 2_900 <= int(str(w.last("call.ended").data["held_ms"])) <= 3_300


def test_blind_transfer_by_refer_reaches_the_other_agent() -> None:
    w = world()
    ana = agent(w, "201")
    caller = w.phone("5551234", password="")
    caller.call("700", w.now_ms, secret=False)
    assert w.run_until(lambda: bool(ana.up()))
    ben = agent(w, "202")
    ana.refer(ana.up()[0], "202", w.now_ms)
    assert w.run_until(lambda: bool(ben.up()))
    w.run(6_000)
    assert not ana.up() and w.hears(caller).startswith("row") and w.hears(ben).startswith("row")
    ben.hang_up(w.now_ms)
    w.run(2_000)
    assert not caller.up() and w.last("call.ended").data["outcome"] == "served"
    w.run(60_000)
    assert w.quiet()


def test_blind_transfer_to_nobody_brings_the_two_together_again() -> None:
    w = world()
    ana = agent(w, "201")
    caller = w.phone("5551234", password="")
    caller.call("700", w.now_ms, secret=False)
    assert w.run_until(lambda: bool(ana.up()))
    ben = agent(w, "202", answer_ms=300, status=486)
    assert w.operate("agent.logout", agent="202").ok
    ana.refer(ana.up()[0], "202", w.now_ms)
    w.run(3_000)
    assert not ben.up() and ana.up() and w.hears(caller).startswith("row")


def test_phone_that_vanishes_is_found_and_both_are_free_within_50_seconds() -> None:
    w = world()
    ana = agent(w, "201")
    caller = w.phone("5551234", password="")
    w.media.silent[ana.host] = True
    caller.call("700", w.now_ms, secret=False)
    assert w.run_until(lambda: bool(ana.up()))
    w.run(500)
    w.network.dark[ana.host] = True
    w.run(50_000)
    assert not caller.up()
    assert w.switch.room.agents["default/201"].state != "talking"
    assert "lost" in str([e.data for e in w.events if e.kind == "call.media"])


def test_unknown_number_is_404_and_a_protected_one_is_asked_who_he_is() -> None:
    w = world()
    stranger = w.phone("5551234", password="")
    stranger.call("31337", w.now_ms, secret=False)
    w.run(1_000)
    assert stranger.ended[-1][1] == "rejected 404"
    stranger.call("600", w.now_ms, secret=False)
    w.run(1_000)
    assert stranger.ended[-1][1] == "rejected 401"


def test_wrong_password_and_unknown_user_hear_the_same() -> None:
    w = world()
    answers = []
    for user, password in (("201", "wrong"), ("299", "whatever")):
        phone = w.phone(user, password=password)
        phone.register(w.now_ms)
        w.run(3_000)
        answers.append([line for _, line in phone.log])
    assert answers[0] == answers[1] and answers[0][-1] == "REGISTER 401"


def test_agent_calls_an_agent_and_is_occupied_meanwhile() -> None:
    w = world(law9=True)
    ana, ben = agent(w, "201"), agent(w, "202")
    ana.call("202", w.now_ms)
    assert w.run_until(lambda: bool(ben.up()) and bool(ana.up()))
    w.run(200)
    caller = w.phone("5551234", password="")
    caller.call("700", w.now_ms, secret=False)
    w.run(3_000)
    assert not w.kinds("queue.offered")
    ben.hang_up(w.now_ms)
    assert w.run_until(lambda: bool(w.kinds("queue.connected")), 5_000)


def test_feature_codes_log_in_and_out_and_say_so() -> None:
    w = world()
    ana = w.phone("201")
    ana.register(w.now_ms)
    w.run(1_000)
    for code, state, words in (
        ("*50", "ready", "en/agent_logged_in"),
        ("*52", "not_ready", "en/agent_not_ready"),
        ("*53", "ready", "en/agent_ready"),
        ("*51", "logged_out", "en/agent_logged_out"),
    ):
        ana.call(code, w.now_ms)
        w.run(500)
        assert w.hears(ana).startswith(words)
        w.run(3_000)
        assert w.switch.room.agents["default/201"].state == state and not ana.up()


@pytest.mark.parametrize("seed", range(6))
def test_everything_ends_well_on_a_bad_line(seed: int) -> None:
    w = World(site(), seed=seed, weather=BAD_LINE)
    ana = w.phone("201")
    ana.habit = Habit(answer_ms=800, talk_ms=4_000)
    ana.register(w.now_ms)
    w.run(20_000)
    w.operate("agent.login", agent="201")
    callers = [w.phone(f"555{n}", password="") for n in range(4)]
    for caller in callers:
        caller.call("700", w.now_ms, secret=False)
        w.run(700)
    w.run(90_000)
    for caller in callers:
        caller.hang_up(w.now_ms)
    w.run(120_000)
    assert w.quiet()
    assert len(w.kinds("call.started")) == len(w.kinds("call.ended"))


def test_same_inputs_same_outputs() -> None:
    digests = []
    for _ in range(2):
        w = World(site(), seed=7, weather=BAD_LINE)
        agent_phone = w.phone("201")
        agent_phone.register(w.now_ms)
        w.run(5_000)
        w.operate("agent.login", agent="201")
        caller = w.phone("5550000", password="")
        caller.call("700", w.now_ms, secret=False)
        w.run(30_000)
        digests.append(w.digest.hexdigest())
    assert digests[0] == digests[1]

"""The world: virtual time that jumps, checks after every step, the same story for the same seed."""

from __future__ import annotations

import pytest

from engine.call.effects import Deadline
from engine.sim.network import Weather
from engine.sim.world import START_MS, World
from tests.call.calls import SITE, agent, ring, talk, world


def test_time_passes_only_when_it_is_told_to() -> None:
    w = World(SITE)
    w.run(12_345)
    assert w.now_ms == START_MS + 12_345
    assert not w.run_until(lambda: False, 500) and w.now_ms == START_MS + 12_845


def test_run_until_stops_at_the_step_that_made_it_true() -> None:
    w = world()
    caller = ring(w, "9196")
    assert w.run_until(lambda: bool(caller.up())) and w.now_ms == START_MS + 10


def story(seed: int, law9: bool) -> str:
    w = World(SITE, seed=seed, weather=Weather(latency_ms=20, jitter_ms=30, loss=60, duplicate=30), law9=law9)
    phone = w.phone("201")
    phone.register(w.now_ms)
    w.run(3_000)
    w.operate("agent.login", agent="201")
    caller = w.phone("5551", password="")
    caller.call("700", w.now_ms)
    w.run(20_000)
    w.press(caller, "12")
    caller.hang_up(w.now_ms)
    w.run(50_000)
    return w.digest.hexdigest()


def test_the_same_seed_tells_the_same_story_with_and_without_restoring_at_every_step() -> None:
    assert story(4, False) == story(4, True) != story(5, False)


def test_a_phone_of_a_tenant_names_it_and_knows_its_password() -> None:
    from tests.call.test_agents import two_tenants

    w = two_tenants()
    assert w.phone("201", tenant="chess").domain == "chess.test" and w.phone("201").domain == "10.0.0.1"
    assert w.phone("201").password == "pw-201" and w.phone("299").password == ""


def test_what_a_phone_heard_is_told_in_order_over_all_its_calls() -> None:
    w = world()
    caller = ring(w, "100")
    w.run(500)
    w.press(caller, "2")
    w.run(2_000)
    caller.hang_up(w.now_ms)
    w.run(500)
    ring(w, "9196", phone=caller)
    w.run(200)
    assert w.heard(caller)[0] == "en/welcome" and w.heard(caller)[-1] == "echo" and "en/you_pressed" in w.heard(caller)
    assert w.hears(caller) == "echo"


def test_quiet_is_false_while_anything_of_a_call_is_left() -> None:
    w = world()
    assert w.quiet()
    caller, _ = talk(w)
    assert not w.quiet()
    caller.hang_up(w.now_ms)
    w.run(60_000)
    assert w.quiet()


def test_a_breach_of_the_distributors_invariants_stops_the_world() -> None:
    w = world()
    talk(w)
    pool = w.switch.room.acd._pool
    pool.agents.state[next(row for row, state in enumerate(pool.agents.state) if state == 3)] = 1
    with pytest.raises(AssertionError):
        w.give(Deadline())


def test_a_watched_world_stops_at_what_has_no_deadline() -> None:
    w = world()
    talk(w)
    (call,) = w.switch.room.calls
    w.switch.room.deadlines.cancel(("call", call))
    with pytest.raises(AssertionError, match="without a deadline"):
        w.give(Deadline())


def test_a_dark_phone_comes_back_to_light() -> None:
    w = world()
    desk = agent(w, "201")
    w.darken(desk)
    desk.call("9196", w.now_ms)
    w.run(300)
    assert not w.kinds("call.started")
    w.lighten(desk)
    w.run(2_000)
    assert w.kinds("call.started")

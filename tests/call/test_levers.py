"""Queues closed and agents paused by operators: effect, undo, end of time, reload, restart, wall clock."""

from __future__ import annotations

import msgspec
import pytest

from engine.call.effects import LeverStates, WallClock
from engine.call.levers import Lever
from engine.sim.world import START_MS, WALL_MS, World
from engine.switch import Switch
from tests.call.calls import SITE, agent, over, ring, told, world


def switches(w: World) -> list[tuple[str, str, str]]:
    return [(s["name"], s["state"], s["author"]) for s in msgspec.json.decode(w.operate("status").data)["switches"]]


def wall(w: World, ms: int) -> str:
    """Unix ms from now, as an argument."""
    return str(w.now_ms + w.switch.room.wall_offset_ms + ms)


def test_a_closed_queue_keeps_who_waits_and_refuses_who_comes() -> None:
    w = world(law9=True)
    waits = ring(w, "700")
    w.run(3_000)
    reply = w.operate("queue.close", queue="support")
    assert reply.ok and b"1 who wait" in reply.data and b"ringdown queue default/support open" in reply.data
    comes = ring(w, "700", "5550009")
    w.run(2_000)
    left = w.last("queue.left")
    assert (left.data["reason"], left.data["queue"]) == ("closed", "default/support")
    assert waits.up() and msgspec.json.decode(w.operate("queues").data)[0]["waiting"] == 1
    assert switches(w) == [("default/support", "closed", "test")]
    desk = agent(w, "201")  # who waits is still served
    assert w.run_until(lambda: bool(desk.up()), 20_000)
    w.run(20_000)
    assert not comes.up(), told(comes)
    assert w.operate("queue.open", queue="default/support").ok and switches(w) == []
    assert [e.data["state"] for e in w.all("operator.switch")] == ["closed", "default"]
    assert [e.data["author"] for e in w.all("operator.command")] == ["test", "test", "test"]
    assert w.operate("call.hangup", call="last").ok
    over(w)


def test_closed_until_a_time_opens_by_itself() -> None:
    w = world()
    assert w.operate("queue.close", queue="support", until_ms=wall(w, 60_000)).ok
    w.run(59_000)
    assert switches(w)
    w.run(2_000)
    assert not switches(w) and w.last("operator.switch").data["author"] == "the time given"


def test_the_time_is_wall_time_whatever_the_clock_does() -> None:
    w = world()
    assert w.operate("queue.close", queue="support", until_ms=wall(w, 3_600_000)).ok
    w.give(WallClock(WALL_MS - START_MS - 1_800_000))  # set back by half an hour
    w.run(3_700_000)
    assert switches(w)
    w.give(WallClock(WALL_MS - START_MS))
    w.run(1_000)
    assert not switches(w)


def test_an_agent_is_not_ready_until_a_time_or_until_he_says_so_himself() -> None:
    w = world()
    agent(w, "201")
    assert w.operate("agent.not_ready", agent="201", reason="lunch", until_ms=wall(w, 30_000)).ok
    assert switches(w) == [("default/201", "not_ready", "test")] and w.state("201") == "not_ready"
    w.run(31_000)
    assert not switches(w) and w.state("201") == "ready"
    assert w.operate("agent.not_ready", agent="201", reason="lunch").ok
    ring(w, "*53", phone=next(phone for phone in w.phones.values() if phone.user == "201"))
    w.run(5_000)
    assert not switches(w) and w.state("201") == "ready"
    assert w.last("operator.switch").data["author"] == "phone"


def test_a_lever_outlives_a_reload_and_an_encoded_switch() -> None:
    w = world()
    agent(w, "201")
    w.operate("queue.close", queue="support", until_ms=wall(w, 60_000))
    w.operate("agent.logout", agent="201")
    w.load(msgspec.structs.replace(SITE, version="next"))
    w.switch = Switch.decode(w.switch.encode())
    assert switches(w) == [("default/support", "closed", "test"), ("default/201", "logged_out", "test")]
    w.run(61_000)
    assert switches(w) == [("default/201", "logged_out", "test")]


def test_a_cold_start_puts_everything_back_where_operators_left_it() -> None:
    w = world()
    levers = [
        Lever("queue", "default/support", "closed", "ann", 1),
        Lever("agent", "default/201", "not_ready", "ann", 1, 0, "lunch"),
        Lever("queue", "gone/queue", "closed", "ann", 1),
        Lever("queue", "default/narrow", "closed", "ann", 1, WALL_MS - 5),
    ]  # fmt: skip
    w.give(LeverStates(levers))
    w.run(10)
    assert [name for name, _, _ in switches(w)] == ["default/support", "default/201", "gone/queue"]
    site = msgspec.structs.replace(
        SITE, version="b", agents={k: msgspec.structs.replace(a, logged_in=True) for k, a in SITE.agents.items()}
    )
    w.load(site)
    agent(w, "201", login=False)  # his phone logs him in, the operator's word stands
    assert w.state("201") == "not_ready"
    assert w.operate("agent.ready", agent="201").ok and w.state("201") == "ready"


@pytest.mark.parametrize(
    ("verb", "arguments", "words"),
    [
        ("queue.close", {"queue": "elsewhere"}, "no queue 'elsewhere'"),
        ("queue.open", {"queue": "support"}, "open already"),
        ("queue.close", {"queue": "support", "until_ms": "5"}, "is over already"),
        ("queue.close", {"queue": "support", "until_ms": "soon"}, "whole number"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_changes_nothing(verb: str, arguments: dict[str, str], words: str) -> None:
    w = world()
    before = len(w.events)
    reply = w.operate(verb, **arguments)
    assert not reply.ok and words in reply.error and len(w.events) == before and not switches(w)


def test_closing_twice_says_so_and_another_time_replaces_the_first() -> None:
    w = world()
    assert w.operate("queue.close", queue="support").ok
    again = w.operate("queue.close", queue="support")
    assert not again.ok and "closed already, by test" in again.error
    assert w.operate("queue.close", queue="support", until_ms=wall(w, 1_000)).ok
    w.run(1_500)
    assert not switches(w)

"""Operators: the list of callbacks, cancel and now."""

from __future__ import annotations

import json
from typing import Any

from engine.sim.world import World
from tests.call.backs import back_world, book, busy_agent, caller, customer, kinds
from tests.call.calls import agent


def listed(w: World) -> dict[str, Any]:
    return json.loads(w.operate("callbacks").data)


def test_the_list_is_in_the_order_of_the_line_and_says_what_is_next() -> None:
    w = back_world()
    busy_agent(w)
    names = [book(w, f"030000{place}") for place in (1, 2)]
    rows = listed(w)["callbacks"]
    assert [(row["callback"], row["position"]) for row in rows] == [(names[0], 1), (names[1], 2)]
    first = rows[0]
    assert (first["number"], first["state"], first["attempts"], first["attempts_max"]) == ("0300001", "waiting", 0, 2)
    assert first["queue"] == "default/support" and 290 <= first["promise_s"] <= 300 and first["waited_s"] >= 4
    counts = listed(w)["queues"]
    assert counts == [
        {"queue": "default/support", "requested": 2, "dialled": 0, "answered": 0, "failed_attempts": 0, "served": 0,
         "kept": 0, "expired": 0, "cancelled": 0, "kept_promise": None},
    ]  # fmt: skip


def test_cancel_closes_it_wherever_it_is() -> None:
    w = back_world(answer_ms=-1)
    desk = agent(w, "201")
    caller(w, dialled="701")
    w.run_until(lambda: w.kinds("callback.dialled") != [], 20_000)
    assert w.operate("callback.cancel", callback="0301234").ok
    w.run(2_000)
    assert kinds(w)[-1] == "cancelled" and not desk.up() and not customer(w).sessions and w.quiet()
    assert w.last("callback.cancelled").data["by"] == "operator test" and w.state("201") == "ready"
    assert w.last("queue.left").data["reason"] == "cancelled"


def test_now_ends_the_pause_between_two_attempts() -> None:
    w = back_world(answer_ms=500, status=486)
    agent(w, "201")
    caller(w, dialled="701")
    w.run_until(lambda: w.kinds("callback.attempt_failed") != [], 20_000)
    w.run(4_000)
    name = w.last("callback.requested").call
    assert listed(w)["callbacks"][0]["state"] == "paused" and listed(w)["callbacks"][0]["next_s"] > 40
    reply = w.operate("callback.now", callback=name)
    assert reply.ok and b"as soon as his turn comes (place 1)" in reply.data
    w.run(2_000)
    assert len(w.all("callback.dialled")) == 2


def test_what_is_not_there_or_cannot_be_is_said() -> None:
    w = back_world(answer_ms=-1)
    assert "no callback 'nobody' is open" in w.operate("callback.cancel", callback="nobody").error
    agent(w, "201")
    caller(w, dialled="701")
    w.run_until(lambda: w.kinds("callback.dialled") != [], 20_000)
    name = w.last("callback.dialled").call
    assert "is being carried out" in w.operate("callback.now", callback=name).error
    assert "is a callback whose customer is being rung" in w.operate("call.transfer", call=name, to="202").error


def test_a_cancel_while_an_agents_phone_rings_leaves_a_whole_record() -> None:
    w = back_world(answer_ms=500)
    desk = agent(w, "201", answer_ms=-1)
    caller(w, dialled="701")
    assert w.run_until(lambda: bool(desk.incoming), 10_000)
    name = w.last("callback.requested").call
    assert w.operate("callback.cancel", callback=name).ok
    w.run(2_000)
    assert not desk.incoming and w.state("201") == "ready" and w.quiet() and not w.all("callback.dialled")
    told = [event.kind for event in w.events if event.call == name]
    assert told.count("call.started") == told.count("call.ended") == 1
    assert told.index("call.started") < told.index("call.ended")

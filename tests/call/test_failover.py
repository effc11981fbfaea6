"""Which answers of a trunk send a call to the next one, and which never do."""

from __future__ import annotations

import pytest

from engine.call.failover import NETWORK, PEOPLE, moves
from engine.sim.world import World
from tests.call.calls import agent, ring, told, up, wire, world
from tests.call.carriers import A, B, C, gateway, invites, site


def test_no_cause_is_both_a_persons_and_the_networks() -> None:
    assert not set(PEOPLE) & set(NETWORK)


@pytest.mark.parametrize("status", [401, 403, 407, 408, 488, 500, 502, 503, 504, 580])
def test_a_trunk_that_fails(status: int) -> None:
    assert moves(status, 0, rang=False)


@pytest.mark.parametrize("status", [300, 302, 404, 410, 480, 484, 486, 487, 600, 603, 604, 606])
@pytest.mark.parametrize("rang", [False, True])
def test_a_person_or_a_number_is_the_same_everywhere(status: int, rang: bool) -> None:
    assert not moves(status, 0, rang=rang)


@pytest.mark.parametrize(
    ("status", "cause", "expected"),
    [
        (480, 34, True), (486, 34, True), (404, 3, True), (480, 41, True), (410, 38, True),
        (503, 17, False), (500, 1, False), (488, 21, False), (403, 16, False),
    ],
)  # fmt: skip
def test_the_cause_counts_before_the_status(status: int, cause: int, expected: bool) -> None:
    assert moves(status, cause, rang=False) is expected


def test_what_has_rung_only_goes_on_when_the_network_breaks() -> None:
    assert moves(503, 0, rang=True) and moves(500, 41, rang=True)
    assert not moves(408, 0, rang=True) and not moves(480, 34, rang=True) and not moves(503, 17, rang=True)


def test_a_site_may_say_more() -> None:
    assert moves(404, 1, rang=False, also=(404,)) and not moves(404, 1, rang=False, also=(480,))


# --- in a call ------------------------------------------------------------------------------------------------------
def moved(w: World) -> list[tuple[object, object, object]]:
    return [(e.data["trunk"], e.data["to"], e.data["why"]) for e in w.all("dial.moved")]


@pytest.mark.parametrize("law9", [False, True])
def test_a_refusing_trunk_costs_no_time_and_the_agent_hears_nothing_of_it(law9: bool) -> None:
    w = world(site(), law9=law9)
    gateway(w, A, status=503, answer_ms=0)
    good = gateway(w, B, answer_ms=300)
    ana = agent(w, "201")
    ring(w, "8555", phone=ana)
    assert w.run_until(lambda: bool(ana.up()), 3_000)
    assert invites(good) == ["sip:555@192.0.2.112:5060"]
    (where,) = moved(w)
    assert where[:2] == ("a", "b") and str(where[2]).startswith("503")
    started = [(e.data["trunk"]) for e in w.all("dial.started")]
    ended = [(e.data["result"], e.data["status"]) for e in w.all("dial.ended")]
    assert started == ["a", "b"] and ended == [("unreachable", 503), ("answered", 200)]
    assert w.switch.room.trunk_calls == {"a": 0, "b": 1}
    good.hang_up(w.now_ms)
    w.run(60_000)
    assert w.quiet()


def test_silence_moves_a_call_within_four_seconds_and_a_late_answer_is_sent_away() -> None:
    w = world(site())
    dead = gateway(w, A, answer_ms=300)
    good = gateway(w, B, answer_ms=300)
    ana = agent(w, "201")
    w.network.dark[A] = True
    began = w.now_ms
    ring(w, "8555", phone=ana)
    assert w.run_until(lambda: bool(invites(good)), 10_000)
    assert 2_400 < w.now_ms - began < 2_700 and moved(w) == [("a", "b", "no answer")]
    assert w.run_until(lambda: bool(ana.up()), 3_000) and w.now_ms - began < 4_000
    w.network.dark.pop(A)  # it comes back and gets the INVITE's next repeat
    w.run(20_000)
    assert not dead.up() and ana.up() and up(good)
    # the next call doesn't go there before it has rested
    ana.hang_up(w.now_ms)
    w.run(500)
    ring(w, "8556", phone=ana)
    w.run(500)
    assert len(invites(good)) == 2
    assert w.last("trunk.state").data["state"] == "down"
    w.run(60_000)
    assert w.last("trunk.state").data["state"] == "unknown"


def test_a_hundred_is_a_word_and_a_slow_trunk_is_waited_for() -> None:
    w = world(site())
    slow = gateway(w, A, answer_ms=9_000, ring=False)  # its endpoint says 100 at once
    gateway(w, B, answer_ms=0)
    ana = agent(w, "201")
    ring(w, "8555", phone=ana)
    assert w.run_until(lambda: bool(slow.up()), 12_000) and not moved(w)


@pytest.mark.parametrize("status", [486, 603, 480])
def test_nobody_is_rung_twice(status: int) -> None:
    w = world(site())
    gateway(w, A, status=status, answer_ms=500)
    spare = gateway(w, B, answer_ms=0)
    ana = agent(w, "201")
    ring(w, "8555", phone=ana)
    w.run(5_000)
    assert not invites(spare) and not moved(w) and told(ana).startswith("rejected")


def test_when_all_have_failed_the_last_reason_is_told() -> None:
    w = world(site())
    for host in (A, B, C):
        gateway(w, host, status=503, answer_ms=0)
    ana = agent(w, "201")
    ring(w, "8555", phone=ana)
    w.run(3_000)
    assert [to for _, to, _ in moved(w)] == ["b", "c"] and told(ana).startswith("rejected")
    assert not any(w.switch.room.trunk_calls.values())
    w.run(60_000)
    assert w.quiet()


def test_the_caller_who_gives_up_ends_the_trunk_that_rings_now() -> None:
    w = world(site())
    gateway(w, A, status=500, answer_ms=0)
    second = gateway(w, B, answer_ms=-1)
    ana = agent(w, "201")
    ring(w, "8555", phone=ana)
    assert w.run_until(lambda: bool(second.sessions), 2_000)
    ana.hang_up(w.now_ms)
    w.run(40_000)
    assert not second.sessions and w.quiet() and wire(w, "CANCEL sip:555@192.0.2.112")

"""What an outage itself changes: rows that were being closed, ports that somebody took, calls that waited too long."""

from __future__ import annotations

import pytest

from engine.call.effects import MediaHappened, Operator, Resumed
from engine.media.commands import KeysLost, LegClosed, PortMoved
from engine.sim.phone import Phone
from engine.sim.world import World
from tests.call.calls import LONGEST_MS, agent, ring, row_of, said, talk, up, wire, world

MOVED = 31_000


def move(w: World, phone: Phone, port: int = MOVED) -> None:
    """Somebody else holds the port at which this phone's leg lay."""
    w.give(MediaHappened(PortMoved(*row_of(w, phone), port)))


def test_the_switch_begins_anew_where_the_process_did() -> None:
    w = world()
    w.switch.room.draining, w.switch.room.storage = True, "failed"
    w.give(Resumed(500, "restart", 600_000))
    room = w.switch.room
    assert not room.listeners and not room.draining and room.storage == "ok"
    data = w.last("engine.resumed").data
    assert data == {"cause": "restart", "down_ms": 500, "calls": 0, "legs": 0, "ended": 0}
    w.give(Operator(1, "ops", "status", {}))
    assert w.replies[-1].ok


def test_a_row_that_was_being_closed_is_free_and_its_late_report_harmless() -> None:
    w = world()
    caller, desk = talk(w)
    number, generation = row_of(w, desk)
    used = w.switch.room.rows.used
    desk.hang_up(w.now_ms)
    assert w.run_until(lambda: bool(w.switch.room.closing))
    w.give(Resumed(100, "crash", 600_000))
    room = w.switch.room
    assert not room.closing and room.rows.used < used and number in room.rows.free_rows
    w.give(MediaHappened(LegClosed(number, generation, *[0] * 10)))
    assert room.rows.free_rows.count(number) == 1  # never given back twice
    assert caller


def test_a_leg_that_moved_is_told_by_a_re_invite_and_the_talk_goes_on() -> None:
    w = world()
    caller, desk = talk(w)
    w.wire.clear()
    move(w, caller)
    assert wire(w, "INVITE ", f"m=audio {MOVED} ", caller.host) and not wire(w, "INVITE ", desk.host)
    w.run(2_000)
    assert wire(w, "ACK ", caller.host) and up(caller) and up(desk)
    (leg,) = [leg for leg in w.switch.room.legs.values() if leg.kind == "caller"]
    assert not leg.moved and leg.port == MOVED
    media = w.last("call.media").data
    assert media["state"] == "moved" and str(MOVED) in str(media["detail"])
    desk.hang_up(w.now_ms)
    w.run(LONGEST_MS)
    assert w.quiet() and w.last("call.ended").data["outcome"] == "served"


def test_an_agents_leg_too() -> None:
    w = world()
    caller, desk = talk(w)
    w.wire.clear()
    move(w, desk)
    w.run(2_000)
    assert wire(w, "INVITE ", f"m=audio {MOVED} ", desk.host) and up(caller) and up(desk)


def test_a_far_end_that_refuses_the_new_address_would_hear_nothing_so_its_leg_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    w = world()
    caller, desk = talk(w)
    endpoint = caller.endpoint
    monkeypatch.setattr(endpoint, "accept_offer", lambda session, sdp, now: endpoint.refuse_offer(session, 488, now))
    move(w, caller)
    w.run(3_000)
    assert not caller.up() and not desk.up()
    (fault,) = [event.data for event in w.all("call.fault")]
    assert fault["where"] == "resume" and "refused our new address" in str(fault["detail"])
    w.run(LONGEST_MS)
    assert w.quiet() and w.state("201") == "ready"


def test_a_leg_that_only_rings_is_told_once_it_is_up() -> None:
    w = world()
    desk = agent(w, "201", answer_ms=3_000)
    ring(w, "700")
    assert w.run_until(lambda: bool(desk.sessions))
    (leg,) = [leg for leg in w.switch.room.legs.values() if leg.kind == "agent"]
    w.wire.clear()
    w.give(MediaHappened(PortMoved(leg.row, leg.generation, MOVED)))
    assert not wire(w, "INVITE ", desk.host)
    assert w.run_until(lambda: bool(desk.up()))
    w.run(1_500)
    assert wire(w, "INVITE ", f"m=audio {MOVED} ", desk.host) and len(said(desk, "INVITE")) == 2
    assert not leg.moved or not w.switch.room.legs[leg.id].moved


def test_another_life_of_the_row_is_not_moved() -> None:
    w = world()
    caller, _ = talk(w)
    row, generation = row_of(w, caller)
    port = w.switch.room.legs[w.switch.room.row_legs[row]].port
    w.give(MediaHappened(PortMoved(row, generation - 1, MOVED)))
    assert w.switch.room.legs[w.switch.room.row_legs[row]].port == port


def test_lost_keys_are_agreed_anew_by_a_re_invite() -> None:
    w = world()
    caller, desk = talk(w)
    w.wire.clear()
    w.give(MediaHappened(KeysLost(*row_of(w, caller))))
    assert wire(w, "INVITE ", caller.host) and not wire(w, "INVITE ", desk.host)
    w.run(2_000)
    assert up(caller) and up(desk) and not any(leg.moved for leg in w.switch.room.legs.values())
    assert "SRTP keys were lost" in str(w.last("call.media").data["detail"])


def test_too_long_without_us_ends_every_call_once_listeners_are_told() -> None:
    w = world()
    caller, desk = talk(w)
    listening = w.switch.room.listeners[0]
    w.give(Resumed(900, "reboot", 899))
    assert caller.up() and not w.all("call.fault")  # a BYE needs a Via
    w.give(listening)
    w.run(2_000)
    assert not caller.up() and not desk.up() and said(caller, "BYE") and said(desk, "BYE")
    assert w.last("engine.resumed").data["ended"] == 1
    assert w.last("call.fault").data["detail"] == "the engine was away for too long"
    w.run(LONGEST_MS)
    assert w.quiet()

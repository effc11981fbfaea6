"""Parties that vanish, in every phase: found by a stated time, both sides free, nothing left."""

from __future__ import annotations

import pytest

from engine.media.commands import Latched, MediaBack, MediaMissing
from tests.call.calls import agent, over, plane, ring, row_of, talk, up, world


@pytest.mark.parametrize("who", ["caller", "agent"])
def test_whoever_vanishes_in_conversation_both_are_free_within_50_seconds(who: str) -> None:
    w = world(law9=who == "agent")
    caller, desk = talk(w)
    w.darken(caller if who == "caller" else desk)
    w.run(49_000)
    assert not (desk.up() if who == "caller" else caller.up())
    assert w.state("201") in ("ready", "wrap_up")
    assert "lost" in [event.data["state"] for event in w.all("call.media")]
    over(w)


def test_a_muted_phone_that_answers_options_keeps_its_call_and_is_asked_again() -> None:
    w = world()
    caller, desk = talk(w)
    w.media.darken(caller.media_host, w.now_ms)  # no packets, but its SIP lives
    w.run(20_000)
    assert caller.up() and desk.up() and len([d for d in caller.got if d.startswith(b"OPTIONS")]) == 1
    w.run(60_000)
    assert caller.up() and len([d for d in caller.got if d.startswith(b"OPTIONS")]) == 2
    w.network.dark[caller.host] = True
    w.run(93_000)
    assert not desk.up()


def test_packets_again_stop_the_asking() -> None:
    w = world()
    caller, _ = talk(w)
    number, generation = row_of(w, caller)
    plane(w, MediaMissing(number, generation, 15_000))
    w.run(100)
    plane(w, MediaBack(number, generation))
    w.run(130_000)
    assert len([d for d in caller.got if d.startswith(b"OPTIONS")]) == 1
    assert [event.data["state"] for event in w.all("call.media")] == ["missing", "back"]


def test_packets_that_the_key_does_not_open_are_told() -> None:
    w = world()
    caller, _ = talk(w)
    number, generation = row_of(w, caller)
    plane(w, MediaMissing(number, generation, 3_000, 150))
    w.run(100)
    assert "150 came that the SRTP key of its SDP doesn't open" in str(w.last("call.media").data["detail"])


def test_a_held_phone_that_vanishes_is_found_by_its_minutely_probe() -> None:
    w = world()
    caller, desk = talk(w)
    desk.hold(up(desk), w.now_ms, direction="inactive")
    w.run(500)
    w.network.dark[desk.host] = True
    w.run(60_000 + 33_000)
    assert not caller.up() and w.state("201") in ("ready", "wrap_up")
    over(w)


def test_a_silence_that_is_reported_before_the_ack_is_asked_about_later() -> None:
    w = world()
    caller = ring(w, "9196")
    w.run(7)
    leg = next(iter(w.switch.room.legs.values()))
    plane(w, MediaMissing(leg.row, leg.generation, 15_000))
    w.run(200)
    assert caller.up()
    w.network.dark[caller.host] = True
    w.run(60_000 + 33_000)
    assert w.last("call.ended").data["by"] == "lost"


@pytest.mark.parametrize("phase", ["calling", "menu", "queue", "ringback", "record"])
def test_a_caller_who_vanishes_in_any_phase_is_found(phase: str) -> None:
    w = world()
    if phase == "ringback":
        agent(w, "201", answer_ms=-1)
    caller = ring(w, {"calling": "9196", "menu": "100", "queue": "700", "ringback": "722", "record": "731"}[phase])
    w.run(5 if phase == "calling" else 500)
    w.darken(caller)
    w.run(100_000)
    assert w.quiet() and len(w.all("call.ended")) == 1


@pytest.mark.parametrize("phase", ["offered", "whisper", "wrap_up", "transfer"])
def test_an_agents_phone_that_vanishes_in_any_phase_sets_everybody_free(phase: str) -> None:
    w = world()
    desk = agent(w, "201", answer_ms=-1 if phase == "offered" else 300)
    caller = ring(w, "711" if phase == "whisper" else "700")
    assert w.run_until(lambda: bool(desk.sessions), 5_000)
    if phase != "offered":
        assert w.run_until(lambda: bool(desk.up()), 5_000)
    w.run(100)
    if phase == "transfer":
        agent(w, "202", answer_ms=-1)
        desk.refer(up(desk), "202", w.now_ms)
        w.run(100)
    if phase == "wrap_up":
        caller.hang_up(w.now_ms)
        w.run(20)
    w.darken(desk)
    w.run(80_000)
    assert w.state("201") in ("ready", "not_ready", "resting")
    caller.hang_up(w.now_ms)
    over(w)


def test_a_lost_bye_is_found_by_the_session_timer_on_both_sides() -> None:
    for vanishing in ("caller", "agent"):
        w = world()
        caller = w.phone("5551234", password="")
        caller.session_timer_s = 90
        caller, desk = talk(w, caller=caller)
        gone = caller if vanishing == "caller" else desk
        w.network.dark[gone.host] = True  # its packets go on (a twin of it, say), so only SIP can find it
        w.run(1_860_000 if vanishing == "agent" else 125_000)
        assert not (desk if vanishing == "caller" else caller).up(), vanishing
        assert w.quiet()


def test_an_address_other_than_the_sdps_is_told_once() -> None:
    w = world()
    caller, _ = talk(w)
    number, generation = row_of(w, caller)
    plane(w, Latched(number, generation, caller.host, 40_000))
    assert not w.all("call.media")
    plane(w, Latched(number, generation, "203.0.113.7", 1234))
    assert "203.0.113.7:1234" in str(w.last("call.media").data["detail"])

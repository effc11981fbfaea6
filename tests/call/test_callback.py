"""Virtual hold from end to end: asked for, kept, rung, confirmed, joined; and everything that may go wrong between."""

from __future__ import annotations

import pytest

from engine import limits
from engine.sim.phone import Habit
from engine.sim.world import World
from tests.call.backs import back_site, back_world, book, busy_agent, caller, customer, kinds
from tests.call.calls import agent, ring


def settle(w: World, ms: int = 60_000) -> None:
    w.run(ms)
    room = w.switch.room
    assert w.quiet() and not room.callbacks, (room.calls, room.callbacks)
    assert all(row.state in ("ready", "logged_out", "not_ready", "wrap_up") for row in room.agents.values())


# --- agent first --------------------------------------------------------------------------------------------
def test_agent_first_he_answers_then_the_customer_is_rung_and_both_hear_each_other() -> None:
    w = back_world(law9=True, answer_ms=4_000)
    desk, talker = busy_agent(w)
    book(w)
    talker.hang_up(w.now_ms)
    w.run(20_000)  # his wrap-up
    assert w.run_until(lambda: bool(desk.up()), 5_000)
    w.run(200)
    assert w.hears(desk).startswith("en/callback_whisper en/digits/0 en/digits/3")
    assert w.run_until(lambda: bool(customer(w).up()), 10_000)
    w.run(100)
    assert w.hears(customer(w)) == "en/callback_is_here" and w.hears(desk) == "tone/ringback.gb"
    w.run(500)
    w.press(customer(w), "1")
    assert w.hears(customer(w)).startswith("row") and w.hears(desk).startswith("row") and w.state("201") == "talking"
    assert kinds(w) == ["requested", "dialled", "answered", "served"] and w.last("callback.served").data["kept"]
    w.run(10_000)
    desk.hang_up(w.now_ms)
    w.run(500)
    assert w.state("201") == "wrap_up"
    ended = w.last("call.ended")
    assert ended.data["outcome"] == "served" and int(str(ended.data["talked_ms"])) > 9_000
    settle(w)


def test_one_contact_from_the_first_wait_to_the_conversation() -> None:
    w = back_world(answer_ms=1_000)
    _, talker = busy_agent(w)
    name = book(w)
    talker.hang_up(w.now_ms)
    w.run_until(lambda: bool(customer(w).up()), 40_000)
    w.run(2_000)
    w.press(customer(w), "1")
    customer(w).hang_up(w.now_ms)
    settle(w)
    requested = w.all("callback.requested")[0]
    both = (name, requested.data["origin"])
    mine = [e for e in w.events if e.call in both and e.kind != "queue.decided"]
    stays = [(e.kind, e.call) for e in mine if e.kind.startswith("queue.")]
    assert [kind for kind, _ in stays] == [
        "queue.joined", "queue.offered", "queue.offer_ended", "queue.connected", "queue.completed",
    ]  # fmt: skip
    assert stays[0][1] == requested.data["origin"] and stays[-1][1] == name
    waited = int(str(w.last("queue.connected").data["waited_ms"]))
    joined = next(e for e in w.all("queue.joined") if e.call == requested.data["origin"])
    assert waited == w.last("queue.connected").at_ms - joined.at_ms
    tally = w.switch.room.acd._pool.queues[0].tally
    assert (tally.offered, tally.answered, tally.completed, tally.left) == (2, 2, 2, 0)


def test_nobody_answers_he_is_told_rested_and_it_is_tried_again_until_the_attempts_are_over() -> None:
    w = back_world(answer_ms=-1)
    desk, talker = busy_agent(w)
    book(w)
    talker.hang_up(w.now_ms)
    w.run_until(lambda: w.kinds("callback.dialled") != [], 40_000)
    w.run(15_500)
    assert w.hears(desk) == "en/callback_not_reached" and w.state("201") == "talking"
    w.run(1_000)
    assert not desk.up() and w.state("201") == "ready"  # no conversation, no wrap-up
    assert w.last("callback.attempt_failed").data["next_ms"] == 60_000
    w.run(90_000)
    assert kinds(w) == ["requested", "dialled", "attempt_failed", "dialled", "attempt_failed", "expired"]
    assert w.last("callback.expired").data["reason"] == "attempts" and w.last("queue.left").data["reason"] == "expired"
    settle(w)


@pytest.mark.parametrize(("status", "reason"), [(486, "busy"), (603, "rejected"), (404, "unreachable")])
def test_what_the_network_says_is_the_reason(status: int, reason: str) -> None:
    w = back_world(answer_ms=500, status=status)
    agent(w, "201")
    caller(w, dialled="701")
    w.run(20_000)
    assert w.last("callback.attempt_failed").data["reason"] == reason


def test_voicemail_that_presses_nothing_never_reaches_an_agent() -> None:
    w = back_world("customer-first", answer_ms=500)
    desk = agent(w, "201")
    caller(w, dialled="701")
    w.run(45_000)
    assert w.last("callback.attempt_failed").data["reason"] == "not_confirmed"
    assert not w.all("queue.offered") and not desk.up() and w.state("201") == "ready"
    assert [heard for heard in w.heard(customer(w)) if heard.startswith("en/")] == ["en/callback_is_here"] * 2


def test_without_confirm_the_answer_is_enough() -> None:
    w = back_world(more="    confirm: no\n", answer_ms=500)
    desk = agent(w, "201")
    caller(w, dialled="701")
    w.run(12_000)
    assert w.hears(customer(w)).startswith("row") and w.hears(desk).startswith("row")


def test_the_agent_leaves_while_it_rings_and_it_costs_the_customer_no_attempt() -> None:
    w = back_world(answer_ms=-1)
    desk = agent(w, "201")
    caller(w, dialled="701")
    w.run_until(lambda: w.kinds("callback.dialled") != [], 20_000)
    w.run(1_000)
    desk.hang_up(w.now_ms)
    w.run(500)
    assert w.last("callback.attempt_failed").data["reason"] == "agent_left" and not customer(w).sessions
    w.run_until(lambda: len(w.all("callback.dialled")) == 2, 20_000)
    assert [e.data["attempt"] for e in w.all("callback.dialled")] == [1, 1]


def test_an_agent_who_does_not_answer_the_offer_loses_it_and_nothing_is_recorded_of_a_call() -> None:
    w = back_world(answer_ms=500)
    agent(w, "201", answer_ms=-1)
    name = caller(w, dialled="701") and ""
    w.run(16_000)
    name = w.last("callback.requested").call
    assert w.last("queue.offer_ended").data["reason"] == "no_answer" and not w.all("callback.dialled")
    assert all(event.call != name for event in w.all("call.started"))
    (back,) = w.switch.room.callbacks.values()
    assert back.state == "waiting" and back.id not in w.switch.room.calls


# --- customer first -----------------------------------------------------------------------------------------
def test_customer_first_is_rung_before_the_agent_is_free_and_has_him_at_once() -> None:
    w = back_world("customer-first", law9=True, answer_ms=1_000)
    desk, talker = busy_agent(w)
    book(w)
    talker.hang_up(w.now_ms)
    over_ms = w.now_ms
    assert w.run_until(lambda: bool(customer(w).up()), 30_000)
    assert 15_900 <= w.now_ms - over_ms <= 16_400  # wrap-up of 20 s, rung 5 s before its end, answers after 1 s
    w.run(500)
    w.press(customer(w), "1")
    assert w.hears(customer(w)) == "music/default"
    assert w.run_until(lambda: bool(desk.up()), 6_000)
    w.run(100)
    assert w.hears(desk) == "en/callback_whisper"
    w.run(1_500)
    assert w.hears(customer(w)).startswith("row") and w.hears(desk).startswith("row")
    assert kinds(w) == ["requested", "dialled", "answered", "served"]
    customer(w).hang_up(w.now_ms)
    settle(w)


def test_customer_first_he_hangs_up_while_he_waits_on_the_line() -> None:
    w = back_world("customer-first", answer_ms=500)
    agent(w, "201", answer_ms=8_000)
    caller(w, dialled="701")
    w.run_until(lambda: bool(customer(w).up()), 20_000)
    w.run(500)
    w.press(customer(w), "1")
    w.run(1_000)
    customer(w).hang_up(w.now_ms)
    w.run(2_000)
    assert kinds(w)[-1] == "cancelled" and w.last("queue.abandoned").call == w.last("callback.cancelled").call
    settle(w)


def test_nobody_passes_him_and_he_passes_nobody() -> None:
    """Three on the line and one who is away, between them: the agents take them in the order in which they came."""
    w = back_world("customer-first", answer_ms=500)
    desk, talker = busy_agent(w)
    desk.habit = Habit(answer_ms=300, talk_ms=4_000)
    first = caller(w, "0300001")
    w.run(1_000)
    book(w, "0300002")
    third = caller(w, "0300003")
    w.run(1_000)
    talker.hang_up(w.now_ms)
    w.run_until(lambda: w.hears(first).startswith("row"), 60_000)
    assert w.run_until(lambda: bool(customer(w).up()), 60_000)
    w.run(500)
    w.press(customer(w), "1")
    w.run_until(lambda: w.hears(third).startswith("row"), 90_000)
    started = {event.call: event.data["caller"] for event in w.all("call.started")}
    assert [started[event.call] for event in w.all("queue.connected")][1:] == ["0300001", "0300002", "0300003"]


# --- who may ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("number", "result"),
    [
        ("0301234", "booked"), ("+49301234", "booked"), ("0900123", "failed"), ("0044123", "failed"), ("117", "failed"),
        ("anonymous", "failed"), ("201", "failed"), ("0x1", "failed"),
    ],
)
def test_only_allowed_numbers_are_called(number: str, result: str) -> None:
    w = back_world()
    caller(w, number, "701")
    w.run(5_000)
    assert w.last("call.ended").data["outcome"] == result
    assert len(w.switch.room.callbacks) == (result == "booked")


def test_a_stranger_s_caller_id_proves_nothing() -> None:
    w = back_world()
    ring(w, "701", "0301234")
    w.run(5_000)
    assert w.last("call.ended").data["outcome"] == "failed" and not w.switch.room.callbacks


def test_a_number_that_was_typed_needs_the_site_s_word() -> None:
    w = back_world(more="    typed_numbers: yes\n")
    phone = caller(w, "anonymous", "702")
    w.run(1_000)
    w.press(phone, "0307777#")
    w.run(500)
    w.press(phone, "1")
    w.run(2_000)
    assert w.last("callback.requested").data["number"] == "0307777"


def test_a_second_wish_of_the_same_number_is_kept_or_replaces_the_first() -> None:
    w = back_world()
    busy_agent(w)
    first = book(w)
    phone = caller(w)
    w.run(1_500)
    w.press(phone, "1")
    assert w.hears(phone) == "en/thank_you"
    w.run(3_000)
    assert len(w.switch.room.callbacks) == 1
    caller(w, dialled="703")
    w.run(3_000)
    (back,) = w.switch.room.callbacks.values()
    assert back.name != first and w.last("callback.cancelled").data["by"] == "replaced"


def test_a_queue_has_so_many_open_and_no_more() -> None:
    w = back_world()
    busy_agent(w)
    for place in range(3):
        book(w, f"03000{place}")
    phone = caller(w, "0300099")
    w.run(1_500)
    w.press(phone, "1")
    assert w.hears(phone) == "en/all_busy"


def test_another_key_and_silence_are_a_no_and_the_place_is_his_again() -> None:
    w = back_world()
    busy_agent(w)
    first = caller(w, "0300001")
    w.run(1_000)
    caller(w, "0300002")
    w.run(1_000)
    w.press(first, "1")
    assert w.hears(first).startswith("en/callback_offer")
    w.press(first, "5")
    w.run(300)
    room = w.switch.room
    places = {call.caller: room.acd.position(call.id) for call in room.calls.values() if call.waiting is not None}
    assert places == {"0300001": 1, "0300002": 2} and not room.callbacks


def test_a_held_place_is_given_up_when_the_call_ends() -> None:
    w = back_world()
    busy_agent(w)
    phone = caller(w, "0300001")
    w.run(1_000)
    w.press(phone, "1")
    assert w.switch.room.acd.queue_length(0) == 1 and not w.all("queue.left")
    phone.hang_up(w.now_ms)
    w.run(2_000)
    assert w.switch.room.acd.queue_length(0) == 0
    left = w.last("queue.left").data
    assert (left["reason"], left["key"], left["position"], left["first_position"]) == ("exit", "1", 1, 1)


def test_silence_is_a_no_and_the_place_is_his_again() -> None:
    w = back_world()
    busy_agent(w)
    phone = caller(w, "0300001")
    w.run(1_000)
    w.press(phone, "1")
    w.run(15_000)
    assert w.heard(phone).count("en/please_hold") == 2  # at first, and after the offer was said twice
    (waiting,) = [call for call in w.switch.room.calls.values() if call.waiting is not None]
    assert w.switch.room.acd.position(waiting.id) == 1 and waiting.held_place is None


def test_a_number_denied_by_a_reload_is_not_rung() -> None:
    w = back_world(answer_ms=500)
    agent(w, "201")
    caller(w, dialled="701")
    w.run(1_500)
    queues = "support:\n  ring: 10s\n  callback: {allow: ['+49'], attempts: 1}\n"
    w.load(back_site(queues=queues))
    w.run(20_000)
    assert not customer(w).log and w.last("callback.expired").data["reason"] == "attempts"
    settle(w)


# --- time, operators, outages -----------------------------------------------------------------------------------
def test_its_age_ends_it() -> None:
    w = back_world()
    caller(w, dialled="701")
    w.run(30 * 60_000 + 1_000)
    assert kinds(w) == ["requested", "expired"] and w.last("callback.expired").data["reason"] == "age"
    settle(w)


def test_nobody_is_rung_before_his_first_call_is_over() -> None:
    w = back_world("customer-first", answer_ms=500)
    agent(w, "201")
    phone = caller(w, dialled="701")
    w.run_until(lambda: w.kinds("callback.requested") != [], 5_000)
    w.run(500)
    assert phone.sessions and not w.all("callback.dialled")
    w.run_until(lambda: w.kinds("callback.dialled") != [], 10_000)
    assert not phone.sessions


def test_a_kept_promise_is_told_and_a_broken_one_too() -> None:
    w = back_world("customer-first", answer_ms=500, more="")
    caller(w, dialled="701")
    w.run(5 * 60_000)
    agent(w, "201")
    w.run_until(lambda: bool(customer(w).up()), 20_000)
    w.run(500)
    w.press(customer(w), "1")
    w.run(3_000)
    assert w.last("callback.served").data["kept"] is False


def test_drain_starts_no_call_and_the_record_says_whom_we_owe() -> None:
    w = back_world(answer_ms=500)
    caller(w, dialled="701")
    w.run(5_000)
    assert w.operate("engine.drain").ok
    agent_log = w.all("callback.dialled")
    w.run(5_000)
    assert agent_log == [] and w.last("callback.cancelled").data["by"] == "drain"


def test_an_operator_hangs_up_the_attempt_and_the_place_stays() -> None:
    w = back_world(answer_ms=-1)
    agent(w, "201")
    caller(w, dialled="701")
    w.run_until(lambda: w.kinds("callback.dialled") != [], 20_000)
    name = w.last("callback.dialled").call
    assert w.operate("call.hangup", call=name).ok
    w.run(2_000)
    assert len(w.switch.room.callbacks) == 1 and w.switch.room.acd.queue_length(0) == 1
    assert w.run_until(lambda: len(w.all("callback.dialled")) == 2, 20_000)


@pytest.mark.parametrize("mode", ["agent-first", "customer-first"])
@pytest.mark.parametrize("answer_ms", [-1, 700])
def test_every_state_survives_encode_and_decode_at_every_step(mode: str, answer_ms: int) -> None:
    w = back_world(mode, law9=True, answer_ms=answer_ms)
    agent(w, "201")
    caller(w, dialled="701")
    for _ in range(40):
        w.run(1_000)
        if customer(w).up():
            w.press(customer(w), "1")
    customer(w).hang_up(w.now_ms)
    w.run(limits.callback_ring_ms_max + 10_000)
    settle(w)
    assert kinds(w)[-1] == ("served" if answer_ms > 0 else "expired")



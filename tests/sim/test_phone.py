"""The simulated phone: registers with digest, answers as its owner would, holds, and forgets what is over."""

from __future__ import annotations

import pytest

from engine.sim.phone import Habit, Phone
from engine.sip.parser import parse
from tests.call.calls import agent, ring, told, up, world


def test_it_answers_one_challenge_and_gives_up_at_the_second() -> None:
    w = world()
    right, wrong = w.phone("201"), w.phone("202", password="no")
    for phone in (right, wrong):
        phone.register(w.now_ms)
    w.run(3_000)
    assert [text for _, text in right.log] == ["REGISTER 401", "REGISTER 200"] and right.registered_ms > 0
    assert [text for _, text in wrong.log] == ["REGISTER 401", "REGISTER 401"] and wrong.registered_ms == -1


def test_it_registers_again_and_takes_its_registration_back() -> None:
    w = world()
    phone = w.phone("201")
    for expires_s, bound in ((3_600, 1), (3_600, 1), (0, 0), (60, 1)):
        phone.register(w.now_ms, expires_s=expires_s)
        w.run(500)
        assert len(w.switch.room.endpoint.bindings("ringdown", "201")) == bound


@pytest.mark.parametrize(
    ("habit", "words"),
    [
        (Habit(answer_ms=300), "picked up"), (Habit(answer_ms=300, status=486), "said 486"),
        (Habit(answer_ms=100, talk_ms=200), "hung up"), (Habit(answer_ms=-1), "rings [support] Phone 5551234"),
    ],
)  # fmt: skip
def test_it_reacts_as_its_owner_would(habit: Habit, words: str) -> None:
    w = world()
    phone = agent(w, "201")
    phone.habit = habit
    ring(w, "700")
    w.run(1_000)
    assert words in [text for _, text in phone.log]


def test_a_phone_without_ringing_says_nothing_before_it_answers() -> None:
    w = world()
    phone = agent(w, "202", ring=False, answer_ms=800)
    ana = agent(w, "201")
    ring(w, "202", phone=ana)
    w.run(700)
    assert "progress 180" not in [text for _, text in ana.log]
    w.run(500)
    assert ana.up() and phone.up()


def test_hold_and_digits_go_out_in_the_dialog() -> None:
    w = world()
    phone = ring(w, "9196")
    w.run(300)
    phone.hold(up(phone), w.now_ms)
    w.run(300)
    assert told(phone) == "offer answered"
    phone.digit(up(phone), "5", w.now_ms)
    w.run(300)
    assert w.last("call.digit").data["digit"] == "5"


def test_its_sdp_says_what_it_can() -> None:
    phone = Phone("10.0.0.5", "1", "", ("10.0.0.1", 5060))
    phone.events_payload, phone.codecs, phone.media_host = False, (8,), "10.9.9.9"
    phone.call("2", 0)
    ((target, data),) = phone.take()
    body = parse(data).body
    assert target == ("10.0.0.1", 5060) and b"c=IN IP4 10.9.9.9" in body
    assert b"telephone-event" not in body and b"RTP/AVP 8\r\n" in body and not phone.take()


def test_hanging_up_ends_every_session_and_nothing_of_it_remains() -> None:
    w = world()
    phone = ring(w, "9196")
    w.run(300)
    phone.hang_up(w.now_ms)
    assert not phone.sessions and told(phone) == "hung up"
    w.run(40_000)
    assert phone.endpoint.session_count() == 0 and phone.next() is None

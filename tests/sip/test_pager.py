"""MESSAGE to registered phones: what is sent, and who is not asked again (RFC 3428)."""

from __future__ import annotations

import pytest

from engine.sip import pager
from engine.sip.binding import Binding
from engine.sip.endpoint import Endpoint
from tests.sip.test_registrar import NAT, accepted, register
from tests.sip.wire import Rig, response


def registered(rig: Rig) -> Binding:
    accepted(rig, register())
    rig.events()
    (binding,) = rig.endpoint.bindings("acme", "200")
    return binding


def test_a_line_goes_the_way_the_registration_came_and_nothing_waits_for_it() -> None:
    rig = Rig()
    binding = registered(rig)
    assert rig.endpoint.tell(binding, "Ready: Zoë.", rig.now)
    (message,) = rig.sent()
    assert message.method == "MESSAGE" and message.uri == "sip:200@192.168.1.5:5060"
    assert rig.raw[0].path == NAT  # type: ignore[union-attr]
    assert message.body == "Ready: Zoë.".encode() and message.get("content-type") == "text/plain;charset=UTF-8"
    assert message.get("contact") is None and message.get("expires") == "60"  # §4: no Contact in a MESSAGE
    rig.feed(response(message, 200))
    assert rig.events() == [] and not binding.mute and rig.endpoint.tell(binding, "again", rig.now)


@pytest.mark.parametrize("status", pager.CANT)
def test_who_cannot_is_not_asked_again_until_he_registers_anew(status: int) -> None:
    rig = Rig()
    binding = registered(rig)
    rig.endpoint.tell(binding, "one", rig.now)
    (message,) = rig.sent()
    rig.feed(response(message, status))
    assert binding.mute and not rig.endpoint.tell(binding, "two", rig.now) and rig.sent() == []
    restored = Endpoint.decode(rig.endpoint.encode())
    assert restored.bindings("acme", "200")[0].mute
    accepted(rig, register(cseq=2))  # a refresh
    assert not rig.endpoint.tell(rig.endpoint.bindings("acme", "200")[0], "three", rig.now)
    accepted(rig, register(cseq=1, call_id="reborn"))
    assert rig.endpoint.tell(rig.endpoint.bindings("acme", "200")[0], "four", rig.now)


@pytest.mark.parametrize("status", [202, 403, 408, 480, 500, 503])
def test_other_answers_say_nothing_about_the_next(status: int) -> None:
    rig = Rig()
    binding = registered(rig)
    rig.endpoint.tell(binding, "one", rig.now)
    (message,) = rig.sent()
    rig.feed(response(message, status))
    assert rig.endpoint.tell(binding, "two", rig.now)


def test_silence_ends_by_itself_and_a_phone_that_has_left_is_nobodys() -> None:
    rig = Rig()
    binding = registered(rig)
    rig.endpoint.tell(binding, "one", rig.now)
    (message,) = rig.sent()
    accepted(rig, register("<sip:200@192.168.1.5:5060>;expires=0", cseq=2))
    rig.feed(response(message, 405))
    rig.advance(40_000)
    assert not [tx for tx in rig.endpoint.core.transactions.values() if tx.usage == "message"]


def test_a_long_text_is_cut_between_letters_and_an_impossible_contact_is_left_alone() -> None:
    rig = Rig()
    binding = registered(rig)
    rig.endpoint.tell(binding, "é" * 900, rig.now)
    (message,) = rig.sent()
    assert message.body == ("é" * 300).encode()
    binding.contact = "nonsense"
    assert not rig.endpoint.tell(binding, "x", rig.now) and rig.sent() == []

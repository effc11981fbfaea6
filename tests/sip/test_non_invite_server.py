"""Non-INVITE server: repeats and timer J, on UDP and TCP (RFC 3261 §17.2.2)."""

from __future__ import annotations

from engine.sip.events import RegisterRequest
from engine.sip.non_invite_server import IGNORED, TABLE
from engine.sip.transaction import Input, State
from tests.sip.wire import STREAM, Rig, request

REGISTER = request("REGISTER", uri="sip:example.net")


def test_a_repeat_before_the_verdict_is_discarded() -> None:
    rig = Rig()
    assert rig.feed(REGISTER) == []
    assert rig.feed(REGISTER) == []
    assert rig.one(RegisterRequest)


def test_a_repeat_after_it_gets_the_same_bytes_until_j() -> None:
    rig = Rig()
    rig.feed(REGISTER)
    rig.endpoint.refuse_register(rig.one(RegisterRequest).request, 403, rig.now)
    (answer,) = rig.sent()
    rig.advance(31_999)
    (again,) = rig.feed(REGISTER)
    assert again.headers == answer.headers and rig.events() == []
    rig.advance(1)
    assert not rig.endpoint.core.transactions
    assert rig.feed(REGISTER) == [] and rig.one(RegisterRequest), "after J it's a new request"


def test_j_has_no_length_on_tcp() -> None:
    rig = Rig()
    rig.open()
    rig.feed(REGISTER, STREAM)
    rig.endpoint.refuse_register(rig.one(RegisterRequest).request, 403, rig.now)
    assert not rig.endpoint.core.transactions


def test_rows_of_note() -> None:
    assert TABLE[(State.PROCEEDING, Input.REQUEST)][0] == State.PROCEEDING
    assert (State.TRYING, Input.REQUEST) in IGNORED
    assert TABLE[(State.COMPLETED, Input.TRANSPORT_ERROR)][0] == State.COMPLETED

"""Non-INVITE client: timers E, F, K in virtual time, on UDP and TCP (RFC 3261 §17.1.2)."""

from __future__ import annotations

import pytest

from engine.sip.events import Ended, Probed
from engine.sip.message import Message
from engine.sip.non_invite_client import TABLE
from engine.sip.transaction import Action, Input, State
from tests.sip.wire import STREAM, Rig, response


def probing(rig: Rig) -> tuple[int, Message]:
    session, _ = rig.established()
    rig.endpoint.probe(session, rig.now)
    (options,) = rig.sent()
    return session, options


def test_e_doubles_to_t2_and_f_gives_up() -> None:
    rig = Rig()
    session, options = probing(rig)
    sent = [(at, message) for at, message in rig.advance(32_000) if message.method == "OPTIONS"]
    assert [at for at, _ in sent] == [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]
    assert all(message.headers == options.headers for _, message in sent)
    assert rig.events() == [Probed(session, False), Ended(session, "probe", "no answer to OPTIONS")]


def test_a_provisional_response_slows_e_to_t2() -> None:
    rig = Rig()
    _, options = probing(rig)
    rig.feed(response(options, 100, tag=""))
    sent = [at for at, message in rig.advance(31_000) if message.method == "OPTIONS"]
    assert sent == [500, 4_500, 8_500, 12_500, 16_500, 20_500, 24_500, 28_500]


def test_on_tcp_nothing_is_repeated_until_f() -> None:
    rig = Rig()
    rig.open()
    session, _ = rig.incoming(STREAM, transport="TCP")
    rig.endpoint.answer(session, b"v=0", rig.now)
    (ok,) = rig.sent()
    from tests.sip.wire import request

    rig.feed(request("ACK", branch="z9hG4bKa", to_tag=ok.to.tag, transport="TCP"), STREAM)
    rig.events()
    rig.endpoint.probe(session, rig.now)
    rig.sent()
    assert [message.method for _, message in rig.advance(31_999)] == []
    rig.advance(1)
    assert rig.one(Probed) == Probed(session, False)


def test_k_absorbs_repeats_of_the_answer() -> None:
    rig = Rig()
    session, options = probing(rig)
    rig.feed(response(options, 200))
    assert rig.one(Probed) == Probed(session, True)
    rig.advance(4_999)
    rig.feed(response(options, 200))
    assert rig.events() == []
    assert any(tx.method == "OPTIONS" for tx in rig.endpoint.core.transactions.values())
    rig.advance(1)
    assert not any(tx.method == "OPTIONS" for tx in rig.endpoint.core.transactions.values())


def test_k_has_no_length_on_tcp() -> None:
    rig = Rig()
    rig.open()
    rig.endpoint.qualify("t", "sip:t@10.0.0.9", STREAM, rig.now)
    (options,) = rig.sent()
    rig.feed(response(options, 200), STREAM)
    assert not rig.endpoint.core.transactions


@pytest.mark.parametrize("state", [State.TRYING, State.PROCEEDING])
def test_transport_errors_stop_everything(state: State) -> None:
    after, actions = TABLE[(state, Input.TRANSPORT_ERROR)]
    assert after == State.TERMINATED
    assert actions == (Action.STOP_REPEATS, Action.STOP_WAIT, Action.BROKEN)

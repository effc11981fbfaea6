"""INVITE client: timers A, B, D, M in virtual time, on UDP and TCP (RFC 3261 §17.1.1, RFC 6026)."""

from __future__ import annotations

from engine.sip.events import Answered, Path, Progress, Rejected
from engine.sip.invite_client import IGNORED, TABLE
from engine.sip.transaction import Input, State
from tests.sip.wire import SDP, STREAM, Rig, response


def test_a_repeats_doubling_until_b_reports_408() -> None:
    rig = Rig()
    session, invite = rig.placed(0)
    sent = rig.advance(40_000)
    assert [at for at, _ in sent] == [500, 1_500, 3_500, 7_500, 15_500, 31_500]
    assert all(message.headers == invite.headers for _, message in sent)
    assert rig.one(Rejected) == Rejected(session, 408, "No response", 18)
    assert not rig.endpoint.core.transactions and not rig.endpoint.core.sessions


def test_on_tcp_nothing_is_repeated_and_b_still_reports() -> None:
    rig = Rig()
    rig.open()
    rig.placed(0, STREAM)
    assert rig.advance(31_999) == []
    assert rig.events() == []
    rig.advance(1)
    assert rig.one(Rejected).status == 408


def test_a_provisional_response_stops_a_and_b() -> None:
    rig = Rig()
    _, invite = rig.placed(0)
    rig.feed(response(invite, 180))
    rig.feed(response(invite, 180))
    assert [event.status for event in rig.events() if isinstance(event, Progress)] == [180, 180]
    assert rig.advance(60_000) == []


def test_a_refusal_is_acked_and_its_repeats_too_until_d() -> None:
    rig = Rig()
    _, invite = rig.placed(0)
    (ack,) = rig.feed(response(invite, 486))
    assert ack.method == "ACK" and ack.via.branch == invite.via.branch and ack.to.tag == "t1"
    assert ack.cseq == (invite.cseq[0], "ACK") and ack.uri == invite.uri
    assert rig.one(Rejected).status == 486
    rig.advance(31_999)
    (again,) = rig.feed(response(invite, 486))
    assert again.headers == ack.headers and rig.events() == []
    rig.advance(1)
    assert rig.feed(response(invite, 486)) == [], "D is over: the response is stray"


def test_d_has_no_length_on_tcp() -> None:
    rig = Rig()
    rig.open()
    _, invite = rig.placed(0, STREAM)
    assert [ack.method for ack in rig.feed(response(invite, 486), STREAM)] == ["ACK"]
    assert not rig.endpoint.core.transactions
    assert rig.feed(response(invite, 486), STREAM) == []


def test_m_keeps_2xx_repeats_coming_to_the_session() -> None:
    rig = Rig()
    _, invite = rig.placed()
    rig.one(Answered)
    rig.advance(31_999)
    assert [ack.method for ack in rig.feed(response(invite, 200, body=SDP))] == ["ACK"]
    rig.advance(1)
    assert rig.feed(response(invite, 200, body=SDP)) == []


def test_a_transport_that_breaks_is_503() -> None:
    rig = Rig()
    rig.open()
    rig.placed(0, STREAM)
    rig.endpoint.flow_closed(STREAM.flow, rig.now)
    assert rig.one(Rejected).status == 503
    assert not rig.endpoint.core.transactions


def test_no_way_at_all_is_503_too() -> None:
    rig = Rig()
    rig.endpoint.invite("sip:x@host", Path(0, "a.name", 5060, "tcp"), rig.now, caller=("", "", ""), sdp=b"")
    assert rig.one(Rejected).status == 503


def test_a_late_2xx_after_a_refusal_is_dropped() -> None:
    rig = Rig()
    _, invite = rig.placed(486)
    rig.events()
    assert rig.feed(response(invite, 200, body=SDP)) == [] and rig.events() == []


def test_rows_of_note() -> None:
    assert TABLE[(State.CALLING, Input.R2XX)][0] == State.ACCEPTED
    assert (State.ACCEPTED, Input.R3XX_6XX) in IGNORED

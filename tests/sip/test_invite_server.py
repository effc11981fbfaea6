"""INVITE server: 100 at once, timers G, H, I, L in virtual time, on UDP and TCP (RFC 3261 §17.2.1, RFC 6026)."""

from __future__ import annotations

from engine.sip.events import Acked, Refused
from engine.sip.transaction import State
from tests.sip.wire import OURS, SDP, STREAM, Rig, request


def refused(rig: Rig, path: object = None) -> str:
    session, _ = rig.incoming(*([path] if path else []), transport="TCP" if path else "UDP")  # type: ignore[list-item]
    rig.endpoint.reject(session, 486, rig.now)
    (final,) = rig.sent()
    return final.to.tag


def states(rig: Rig) -> list[State]:
    return [State(tx.state) for tx in rig.endpoint.core.transactions.values()]


def test_trying_goes_out_at_once_and_again_for_a_repeat() -> None:
    rig = Rig()
    _, trying = rig.incoming()
    assert trying.status == 100 and trying.to.tag == ""
    (again,) = rig.feed(request("INVITE", body=SDP))
    assert again.status == 100 and rig.events() == []


def test_the_latest_provisional_answers_a_repeat() -> None:
    rig = Rig()
    session, _ = rig.incoming()
    rig.endpoint.ring(session, 183, rig.now, sdp=OURS)
    rig.sent()
    (again,) = rig.feed(request("INVITE", body=SDP))
    assert again.status == 183 and again.body == OURS


def test_g_repeats_the_refusal_to_t2_until_h() -> None:
    rig = Rig()
    refused(rig)
    sent = rig.advance(40_000)
    assert [at for at, _ in sent] == [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]
    assert {message.status for _, message in sent} == {486}
    assert states(rig) == []


def test_on_tcp_the_refusal_is_said_once_and_h_ends_it() -> None:
    rig = Rig()
    rig.open()
    refused(rig, STREAM)
    assert rig.advance(31_999) == []
    assert states(rig) == [State.COMPLETED]
    rig.advance(1)
    assert states(rig) == []


def test_the_ack_stops_g_and_i_absorbs_its_repeats() -> None:
    rig = Rig()
    tag = refused(rig)
    rig.feed(request("ACK", to_tag=tag))
    assert states(rig) == [State.CONFIRMED]
    rig.feed(request("ACK", to_tag=tag))
    assert rig.feed(request("INVITE", body=SDP)) == [], "a late repeat is absorbed"
    assert rig.advance(4_999) == []
    assert states(rig) == [State.CONFIRMED]
    rig.advance(1)
    assert states(rig) == []


def test_i_has_no_length_on_tcp() -> None:
    rig = Rig()
    rig.open()
    tag = refused(rig, STREAM)
    rig.feed(request("ACK", to_tag=tag, transport="TCP"), STREAM)
    assert states(rig) == []


def test_l_absorbs_invite_repeats_after_the_2xx() -> None:
    rig = Rig()
    rig.established()
    assert rig.feed(request("INVITE", body=SDP)) == [] and rig.events() == []
    rig.advance(31_999)
    assert states(rig) == [State.ACCEPTED]
    rig.advance(1)
    assert states(rig) == []


def test_l_has_its_length_on_tcp_too() -> None:
    rig = Rig()
    rig.open()
    session, _ = rig.incoming(STREAM, transport="TCP")
    rig.endpoint.answer(session, OURS, rig.now)
    (ok,) = rig.sent()
    rig.feed(request("ACK", branch="z9hG4bKa", to_tag=ok.to.tag, transport="TCP"), STREAM)
    rig.advance(31_999)
    assert states(rig) == [State.ACCEPTED]
    rig.advance(1)
    assert states(rig) == []


def test_an_ack_with_the_invites_branch_reaches_the_session() -> None:
    """pyVoIP's ACK for a 2xx carries the INVITE's branch."""
    rig = Rig()
    session, _ = rig.incoming()
    rig.endpoint.answer(session, OURS, rig.now)
    rig.sent()
    rig.feed(request("ACK", to_tag="invented"))
    assert rig.one(Acked).session == session
    assert rig.advance(20_000) == []


def test_an_ack_before_any_answer_is_stray() -> None:
    rig = Rig()
    rig.incoming()
    assert rig.feed(request("ACK", to_tag="x")) == [] and rig.events() == []
    assert states(rig) == [State.PROCEEDING]


def test_a_broken_stream_keeps_the_state_and_a_new_one_carries_the_answer() -> None:
    """RFC 6026 §8.8, RFC 3261 §18.2.2: the response goes to the address that the Via names."""
    rig = Rig()
    rig.open()
    session, _ = rig.incoming(STREAM, transport="TCP")
    rig.endpoint.flow_closed(STREAM.flow, rig.now)
    assert states(rig) == [State.PROCEEDING]
    assert [event.kind for event in rig.events() if isinstance(event, Refused)] == ["transport"]
    rig.endpoint.answer(session, OURS, rig.now)
    assert rig.sent() == []
    (connect,) = rig.raw
    assert (connect.host, connect.port) == ("10.0.0.9", 5060)  # type: ignore[union-attr]

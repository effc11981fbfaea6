"""BYE both ways, and hang-ups in every phase."""

from __future__ import annotations

import pytest

from engine.sip.events import Ended
from engine.sip.parser import parse
from engine.sip.session_end import cause_of, reason_headers
from tests.sip.wire import OURS, Rig, request, response


def test_their_bye_is_answered_and_told_once() -> None:
    rig = Rig()
    session, tag = rig.established()
    bye = request("BYE", branch="z9hG4bKbye", to_tag=tag, cseq=2, extra=("Reason: Q.850;cause=17",))
    assert rig.statuses(rig.feed(bye)) == [200]
    assert rig.one(Ended) == Ended(session, "remote", "Q.850;cause=17", 17)
    assert rig.statuses(rig.feed(bye)) == [200] and rig.events() == []
    other = request("BYE", branch="z9hG4bKlate", to_tag=tag, cseq=3)
    assert rig.statuses(rig.feed(other)) == [481]
    assert rig.endpoint.session_count() == 0


def test_our_bye_carries_the_cause_and_is_quiet() -> None:
    rig = Rig()
    session, tag = rig.established()
    rig.endpoint.hang_up(session, rig.now, cause=31, reason="drained")
    (bye,) = rig.sent()
    assert bye.method == "BYE" and bye.get("reason") == 'Q.850;cause=31;text="drained"'
    assert bye.from_.tag == tag and bye.to.tag == "f1"
    rig.endpoint.hang_up(session, rig.now)
    assert rig.sent() == []
    rig.feed(response(bye, 200))
    assert rig.events() == [] and rig.endpoint.session_count() == 0


def test_a_rude_200_with_another_tag_ends_our_bye() -> None:
    rig = Rig()
    session, _ = rig.established()
    rig.endpoint.hang_up(session, rig.now)
    (bye,) = rig.sent()
    rig.feed(response(bye, 200).replace(b";tag=f1\r\nContent", b";tag=new\r\nContent"))
    assert rig.endpoint.session_count() == 0


def test_an_unanswered_bye_is_given_up() -> None:
    rig = Rig()
    session, _ = rig.established()
    rig.endpoint.hang_up(session, rig.now)
    rig.advance(32_000)
    assert rig.endpoint.session_count() == 0 and not rig.endpoint.core.by_call


def test_byes_that_cross() -> None:
    rig = Rig()
    session, tag = rig.established()
    rig.endpoint.hang_up(session, rig.now)
    (bye,) = rig.sent()
    assert rig.statuses(rig.feed(request("BYE", branch="z9hG4bKx", to_tag=tag, cseq=2))) == [200]
    assert rig.events() == [] and rig.endpoint.session_count() == 1
    rig.feed(response(bye, 481))
    assert rig.endpoint.session_count() == 0


def test_before_the_ack_the_bye_waits() -> None:
    rig = Rig()
    session, _ = rig.incoming()
    rig.endpoint.answer(session, OURS, rig.now)
    tag = rig.sent()[0].to.tag
    rig.endpoint.hang_up(session, rig.now, cause=16)
    assert rig.sent() == []
    (bye,) = rig.feed(request("ACK", branch="z9hG4bKa", to_tag=tag))
    assert bye.method == "BYE" and rig.events() == []


def test_and_goes_out_when_no_ack_comes() -> None:
    rig = Rig()
    session, _ = rig.incoming()
    rig.endpoint.answer(session, OURS, rig.now)
    rig.endpoint.hang_up(session, rig.now)
    rig.sent()
    assert [message.method for _, message in rig.advance(32_000) if message.is_request] == ["BYE"]
    assert rig.events() == []


def test_their_bye_before_the_ack() -> None:
    for hang_up in (False, True):
        rig = Rig()
        session, _ = rig.incoming()
        rig.endpoint.answer(session, OURS, rig.now)
        tag = rig.sent()[0].to.tag
        if hang_up:
            rig.endpoint.hang_up(session, rig.now)
        assert rig.statuses(rig.feed(request("BYE", branch="z9hG4bKx", to_tag=tag, cseq=2))) == [200]
        assert [type(event) for event in rig.events()] == ([] if hang_up else [Ended])
        assert rig.endpoint.session_count() == 0 and rig.advance(31_000) == []


def test_an_incoming_call_is_declined() -> None:
    rig = Rig()
    session, _ = rig.incoming()
    rig.endpoint.hang_up(session, rig.now, cause=21)
    (final,) = rig.sent()
    assert final.status == 603 and final.get("reason") == "Q.850;cause=21" and rig.events() == []


def test_a_bye_with_our_own_via_is_no_loop_and_answered_to_its_source() -> None:
    """pyVoIP copies the Via of our INVITE into its BYE."""
    rig = Rig()
    session, invite = rig.placed()
    rig.events()
    bye = request(
        "BYE", via=str(invite.via), to_tag=invite.from_.tag, from_tag="t1", call_id=invite.call_id, cseq=1,
    )
    (ok,) = rig.feed(bye)
    assert ok.status == 200 and rig.raw[0].path.host == "10.0.0.9"  # type: ignore[union-attr]
    assert rig.one(Ended).session == session


def test_the_bye_leaves_by_the_route() -> None:
    rig = Rig()
    session, _ = rig.established(extra=("Record-Route: <sip:10.0.0.77:5080;lr>",))
    rig.endpoint.hang_up(session, rig.now)
    (bye,) = rig.sent()
    assert bye.get("route") == "<sip:10.0.0.77:5080;lr>"
    assert rig.raw[0].path.host == "10.0.0.77"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("header", "cause"),
    [
        ("Reason: Q.850;cause=16", 16), ('Reason: SIP;cause=200;text="x", q.850 ; cause=31', 31),
        ("Reason: SIP;cause=487", 0), ("Reason: Q.850", 0), ("Reason: Q.850;cause=x", 0),
        ("Reason: Q.850;cause=9999", 0),
        ('Reason: Q.850;text="', 0),
        ("X: y", 0),
    ],
)
def test_causes_are_read(header: str, cause: int) -> None:
    assert cause_of(parse(request("BYE", extra=(header,)))) == cause


def test_reasons_are_written() -> None:
    assert reason_headers(0) == ()
    assert reason_headers(16) == (("reason", "Q.850;cause=16"),)
    whole = 'SIP;cause=200;text="Call completed elsewhere"'
    assert reason_headers(16, whole) == (("reason", whole),)
    assert reason_headers(16, whole + "\r\nX: y") == (("reason", whole + " X: y"),)
    assert reason_headers(0, 'say "x"') == (("reason", 'SIP;text="say \\"x\\""'),)

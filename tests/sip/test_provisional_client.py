"""100rel when we call: PRACK in order, in the right early dialog, answers in it; credentials, forks (RFC 3262 §4)."""

from __future__ import annotations

import pytest

from engine.sip.events import Answered, Progress, Refused
from engine.sip.message import Message
from tests.sip.pair import SDP_B, Link, Pair
from tests.sip.wire import OURS, SDP, Rig, request, response

OTHER = SDP + b"a=x:2\r\n"
CHALLENGE = 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"'


def told(invite: Message, seq: int | str, status: int = 180, *, tag: str = "t1", body: bytes = b"") -> bytes:
    return response(invite, status, tag=tag, body=body, extra=("Require: 100rel", f"RSeq: {seq}"))


def test_each_is_answered_by_a_prack_in_its_dialog() -> None:
    rig = Rig()
    session, invite = rig.placed(0)
    assert invite.has_option("supported", "100rel") and "PRACK" in (invite.get("allow") or "")
    (prack,) = rig.feed(told(invite, 77, 183, body=SDP))
    assert rig.one(Progress) == Progress(session, 183, SDP, "t1")
    assert (prack.method, prack.uri, prack.to.tag) == ("PRACK", "sip:bob@10.0.0.9:5060", "t1")
    assert prack.get("rack") == f"77 {invite.cseq[0]} INVITE" and prack.cseq[0] == invite.cseq[0] + 1
    assert rig.advance(600)[0][1].method == "PRACK", "repeated by its transaction"
    rig.feed(response(prack, 200))
    (ack,) = rig.feed(response(invite, 200))
    assert (ack.method, ack.cseq[0]) == ("ACK", invite.cseq[0])
    assert rig.one(Answered).sdp == SDP, "what the early dialog agreed on"
    rig.endpoint.hang_up(session, rig.now)
    assert rig.sent()[0].cseq == (prack.cseq[0] + 1, "BYE")


def test_repeats_and_gaps_are_not_acknowledged() -> None:
    rig = Rig()
    _, invite = rig.placed(0)
    rig.feed(told(invite, 10))
    assert rig.feed(told(invite, 10)) == [] and rig.feed(told(invite, 12)) == []
    assert rig.feed(told(invite, 11))[0].get("rack") == f"11 {invite.cseq[0]} INVITE"
    assert [event.status for event in rig.events() if isinstance(event, Progress)] == [180, 180]
    assert len(rig.feed(told(invite, 12))) == 1


@pytest.mark.parametrize("seq", ["", "x", "0", "4294967295", "-1"])
def test_without_a_usable_number_it_is_unheard(seq: str) -> None:
    rig = Rig()
    _, invite = rig.placed(0)
    assert rig.feed(told(invite, seq)) == []
    assert [type(event) for event in rig.events()] == [Refused]


def test_forks_have_dialogs_of_their_own() -> None:
    rig = Rig()
    session, invite = rig.placed(0)
    (one,) = rig.feed(told(invite, 5, tag="t1", body=SDP))
    (two,) = rig.feed(told(invite, 900, tag="t2", body=OTHER))
    assert (one.to.tag, two.to.tag) == ("t1", "t2") and one.cseq == two.cseq
    (ack,) = rig.feed(response(invite, 200, tag="t1"))
    answered = [event for event in rig.events() if isinstance(event, Answered)]
    assert ack.to.tag == "t1" and answered[0].sdp == SDP
    late_ack, bye = rig.feed(response(invite, 200, tag="t2"))
    assert (late_ack.to.tag, bye.cseq[0]) == ("t2", two.cseq[0] + 1)
    assert rig.endpoint.confirmed(session)


def test_their_offer_is_answered_in_the_prack() -> None:
    rig = Rig()
    session, invite = rig.placed(0, sdp=None)
    assert rig.feed(told(invite, 3, 183, body=SDP)) == []
    assert rig.one(Progress).sdp == SDP
    rig.endpoint.accept_offer(session, OURS, rig.now)
    (prack,) = rig.sent()
    assert (prack.method, prack.body) == ("PRACK", OURS)
    rig.feed(response(prack, 200))
    (ack,) = rig.feed(response(invite, 200))
    assert (ack.method, ack.body) == ("ACK", b"")


def test_a_challenged_prack_comes_again_with_credentials() -> None:
    rig = Rig()
    _, invite = rig.placed(0, secret=("u", "p"))
    (prack,) = rig.feed(told(invite, 3))
    (again,) = rig.feed(response(prack, 401, tag="", extra=(CHALLENGE,)))
    assert again.cseq[0] == prack.cseq[0] + 1 and again.get("rack") == prack.get("rack")
    assert (again.get("authorization") or "").startswith("Digest ")


def test_a_refused_prack_leaves_the_call_to_its_invite() -> None:
    rig = Rig()
    session, invite = rig.placed(0)
    (prack,) = rig.feed(told(invite, 3))
    rig.feed(response(prack, 481))
    assert [type(event) for event in rig.events()] == [Progress, Refused]
    rig.feed(response(invite, 200, body=SDP))
    assert rig.one(Answered).session == session


def test_who_has_given_up_still_acknowledges() -> None:
    rig = Rig()
    session, invite = rig.placed(0)
    rig.endpoint.cancel(session, rig.now)
    assert [message.method for message in rig.feed(told(invite, 3))] == ["PRACK", "CANCEL"]
    assert not [event for event in rig.events() if isinstance(event, Progress)]


def test_100_is_never_reliable() -> None:
    rig = Rig()
    _, invite = rig.placed(0)
    assert rig.feed(told(invite, 3, 100)) == []


@pytest.mark.parametrize("seed", range(1, 13))
def test_both_roles_over_a_bad_network(seed: int) -> None:
    """A quarter of all datagrams is lost, some come twice and late: the call stands, and every PRACK was in order."""
    from engine.sip.events import Incoming, SipEvent

    pair = Pair(Link(seed, loss=250, double=150, jitter_ms=80))

    def script(endpoint: object, event: SipEvent, now_ms: int) -> None:
        if isinstance(event, Incoming):
            pair.b.endpoint.ring(event.session, 180, now_ms)
            pair.b.endpoint.ring(event.session, 183, now_ms, sdp=SDP_B)
            pair.b.endpoint.answer(event.session, SDP_B, now_ms)

    def callee(endpoint: object, event: SipEvent, now_ms: int) -> None:
        if isinstance(event, Incoming):
            pair.b.endpoint.ring(event.session, 183, now_ms, sdp=SDP_B, reliable=True)
            pair.b.endpoint.answer(event.session, SDP_B, now_ms)

    pair.b.script = callee if seed % 2 else script
    session = pair.call(headers=(("Require", "100rel"),))
    pair.until(lambda: bool(pair.a.of(Answered)))
    assert pair.a.of(Answered)[0].sdp == SDP_B
    pair.run(35_000)
    pair.a.endpoint.hang_up(session, pair.now)
    pair.until(pair.quiet, 80_000)


def test_their_update_and_bye_of_an_early_dialog_find_it() -> None:
    rig = Rig()
    session, invite = rig.placed(0)
    rig.feed(told(invite, 3, 183, body=SDP))
    early = rig.endpoint.core.sessions[session].early["t1"]
    tag = invite.from_.tag
    assert rig.statuses(rig.feed(request(
        "UPDATE", branch="z9hG4bKu", call_id=invite.call_id, from_tag="t1", to_tag=tag, cseq=9,
        contact="<sip:bob@10.0.0.9:7777>",
    ))) == [200]
    assert early.dialog.target == "sip:bob@10.0.0.9:7777" and early.dialog.remote_cseq == 9

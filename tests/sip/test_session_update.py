"""UPDATE both ways, while it rings and after: offers, clashes, session refresh, far ends that don't know it."""

from __future__ import annotations

import pytest

from engine.sip.events import Ended, OfferAnswered, Offered, OfferRefused
from engine.sip.message import Message
from tests.sip.test_provisional_client import told
from tests.sip.test_provisional_server import REQUIRE, prack, ringing
from tests.sip.wire import OURS, SDP, Rig, request, response

MORE = OURS + b"a=x:2\r\n"
HOLD = SDP + b"a=sendonly\r\n"
ALLOW = "Allow: INVITE, ACK, BYE, PRACK, UPDATE"
TIMER = ("Supported: timer", "Session-Expires: 200;refresher=uas", ALLOW)


def update(tag: str, cseq: int = 2, body: bytes = HOLD, **fields: object) -> bytes:
    return request("UPDATE", branch=f"z9hG4bKu{cseq}", to_tag=tag, cseq=cseq, body=body, **fields)  # type: ignore[arg-type]


def agreed(rig: Rig) -> tuple[int, str]:
    """A caller with an early answer, acknowledged: (session, our tag)."""
    session, said = ringing(rig, (*REQUIRE, ALLOW), sdp=OURS)
    rig.feed(prack(said))
    return session, said.to.tag


class TestTheirs:
    def test_an_offer_in_a_call_is_answered_in_the_200(self) -> None:
        rig = Rig()
        session, tag = rig.established()
        assert rig.feed(update(tag, contact="<sip:ann@10.0.0.9:6000>")) == []
        assert rig.one(Offered) == Offered(session, HOLD)
        rig.endpoint.accept_offer(session, MORE, rig.now)
        (ok,) = rig.sent()
        assert (ok.status, ok.cseq[1], ok.body) == (200, "UPDATE", MORE) and ok.contact is not None
        rig.endpoint.hang_up(session, rig.now)
        assert rig.sent()[0].uri == "sip:ann@10.0.0.9:6000", "a target refresh"

    def test_refused_or_undecided_the_session_stays(self) -> None:
        rig = Rig()
        session, tag = rig.established()
        rig.feed(update(tag))
        rig.endpoint.refuse_offer(session, 488, rig.now)
        assert rig.statuses(rig.sent()) == [488]
        rig.feed(update(tag, 3))
        assert [message.status for _, message in rig.advance(40_000)] == [500]
        assert rig.endpoint.confirmed(session)

    def test_without_a_body_it_refreshes_the_timer(self) -> None:
        rig = Rig()
        session, tag = rig.established(extra=("Supported: timer", "Session-Expires: 200;refresher=uac"))
        rig.advance(100_000)
        (ok,) = rig.feed(update(tag, body=b"", extra=("Supported: timer", "Session-Expires: 200;refresher=uac")))
        assert ok.status == 200 and ok.get("session-expires") == "200;refresher=uac" and not rig.events()
        assert rig.advance(150_000) == [] and rig.endpoint.confirmed(session), "else it would have ended at 200 s"

    def test_too_brief_an_interval(self) -> None:
        rig = Rig()
        _, tag = rig.established()
        (refused,) = rig.feed(update(tag, body=b"", extra=("Supported: timer", "Session-Expires: 30")))
        assert (refused.status, refused.get("min-se")) == (422, "90")

    def test_while_it_rings_after_the_early_answer(self) -> None:
        rig = Rig()
        session, tag = agreed(rig)
        rig.feed(update(tag, 3))
        assert rig.one(Offered) == Offered(session, HOLD)
        rig.endpoint.accept_offer(session, MORE, rig.now)
        (ok,) = rig.sent()
        assert ok.body == MORE and "session-expires" not in ok.index

    def test_clashes(self) -> None:
        rig = Rig()
        _, said = ringing(rig)
        (busy,) = rig.feed(update(said.to.tag))
        assert busy.status == 500 and 0 <= int(busy.get("retry-after") or "") <= 10, "their INVITE has no answer"
        rig = Rig()
        session, tag = rig.established()
        rig.feed(update(tag))
        assert rig.statuses(rig.feed(update(tag, 3))) == [500], "their first one has none"
        rig.endpoint.accept_offer(session, OURS, rig.now)
        rig.endpoint.offer(session, MORE, rig.now)
        rig.sent()
        assert rig.statuses(rig.feed(update(tag, 4))) == [491], "ours is out"
        assert rig.statuses(rig.feed(update(tag, 5, b""))) == [200], "no offer, no clash"

    def test_our_offer_in_the_2xx_or_the_1xx_is_out_too(self) -> None:
        rig = Rig()
        session, _ = rig.incoming(body=b"")
        rig.endpoint.answer(session, OURS, rig.now)
        assert rig.statuses(rig.feed(update(rig.sent()[0].to.tag))) == [491]
        rig = Rig()
        _, said = ringing(rig, sdp=OURS, body=b"")
        assert rig.statuses(rig.feed(update(said.to.tag))) == [491]

    def test_of_the_one_whom_we_call(self) -> None:
        rig = Rig()
        session, invite = rig.placed(0)
        rig.feed(told(invite, 1))

        def theirs(cseq: int) -> list[Message]:
            return rig.feed(update(invite.from_.tag, cseq, call_id=invite.call_id, from_tag="t1"))

        assert rig.statuses(theirs(4)) == [491], "our INVITE's offer has no answer there"
        rig.feed(told(invite, 2, 183, body=SDP))
        rig.events()
        assert theirs(5) == [] and rig.one(Offered) == Offered(session, HOLD)
        rig.endpoint.accept_offer(session, MORE, rig.now)
        assert rig.sent()[0].body == MORE

    def test_after_the_end(self) -> None:
        rig = Rig()
        session, tag = rig.established()
        rig.endpoint.hang_up(session, rig.now)
        rig.sent()
        assert rig.statuses(rig.feed(update(tag))) == [481]


def refreshing(rig: Rig, extra: tuple[str, ...] = TIMER) -> tuple[int, Message]:
    session, _ = rig.established(extra=extra)
    _, ours = rig.next_sent(101_000)
    return session, ours


class TestOurs:
    def test_the_refresh_is_an_update_without_a_description(self) -> None:
        rig = Rig()
        session, ours = refreshing(rig)
        assert (ours.method, ours.body) == ("UPDATE", b"") and ours.contact is not None
        assert ours.get("session-expires") == "200;refresher=uac"
        rig.feed(response(ours, 200, extra=("Session-Expires: 200;refresher=uac", "Require: timer")))
        assert rig.events() == []
        at, again = rig.next_sent(101_000)
        assert again.method == "UPDATE" and at == 100_000
        rig.feed(response(again, 481))
        assert rig.one(Ended) == Ended(session, "timer", "Phrase")

    def test_who_does_not_name_it_gets_a_reinvite(self) -> None:
        rig = Rig()
        _, ours = refreshing(rig, TIMER[:2])
        assert (ours.method, ours.body) == ("INVITE", OURS)

    @pytest.mark.parametrize("status", [405, 501])
    def test_who_names_it_in_vain_gets_a_reinvite(self, status: int) -> None:
        rig = Rig()
        _, ours = refreshing(rig)
        (again,) = rig.feed(response(ours, status))
        assert (again.method, again.body) == ("INVITE", OURS)

    def test_glare_and_busy_are_tried_again(self) -> None:
        rig = Rig()
        session, ours = refreshing(rig)
        rig.feed(response(ours, 491))
        at, again = rig.next_sent(5_000)
        assert again.method == "UPDATE" and 0 <= at <= 4_000
        rig.feed(response(again, 500, extra=("Retry-After: 3",)))
        assert rig.next_sent(5_000)[0] == 3_000 and rig.endpoint.confirmed(session)

    def test_a_longer_interval_is_taken(self) -> None:
        rig = Rig()
        _, ours = refreshing(rig)
        (again,) = rig.feed(response(ours, 422, extra=("Min-SE: 300",)))
        assert again.method == "UPDATE" and again.get("session-expires") == "300;refresher=uac"

    def test_nobody_answers_the_refresh(self) -> None:
        rig = Rig()
        session, _ = refreshing(rig)
        rig.advance(40_000)
        assert rig.one(Ended) == Ended(session, "timer", "no answer to UPDATE")

    def test_an_offer_while_they_ring_us(self) -> None:
        rig = Rig()
        session, tag = agreed(rig)
        rig.endpoint.offer(session, MORE, rig.now)
        (ours,) = rig.sent()
        assert (ours.method, ours.body, ours.from_.tag) == ("UPDATE", MORE, tag)
        assert rig.statuses(rig.feed(update(tag, 3))) == [491]
        rig.endpoint.answer(session, OURS, rig.now)
        assert rig.sent() == [], "the 2xx waits for the answer"
        (ok,) = rig.feed(response(ours, 200, body=SDP, extra=(ALLOW,)))
        assert ok.status == 200 and ok.body == b"" and rig.one(OfferAnswered) == OfferAnswered(session, SDP)

    def test_an_offer_while_we_ring_them(self) -> None:
        rig = Rig()
        session, invite = rig.placed(0)
        rig.feed(response(invite, 180, extra=(ALLOW,)))
        rig.events()
        rig.endpoint.offer(session, MORE, rig.now)
        assert rig.sent() == [] and rig.one(OfferRefused) == OfferRefused(session, 491)
        rig.feed(response(invite, 183, body=SDP, extra=("Require: 100rel", "RSeq: 1", ALLOW)))
        rig.events()
        rig.endpoint.offer(session, MORE, rig.now)
        (ours,) = rig.sent()
        assert (ours.method, ours.to.tag, ours.body) == ("UPDATE", "t1", MORE)
        rig.feed(response(ours, 488))
        assert rig.one(OfferRefused) == OfferRefused(session, 488)

    def test_unanswered_while_it_rings_the_call_goes_on(self) -> None:
        rig = Rig()
        session, _ = agreed(rig)
        rig.endpoint.offer(session, MORE, rig.now)
        rig.advance(33_000)
        assert rig.one(OfferRefused) == OfferRefused(session, 408)
        rig.endpoint.answer(session, OURS, rig.now)
        assert 200 in [message.status for message in rig.sent()]

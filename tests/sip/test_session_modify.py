"""Re-INVITE both ways, with and without SDP; glare; refusals; what ends the dialog."""

from __future__ import annotations

import pytest

from engine.ids import Tokens
from engine.sip.events import Acked, Ended, OfferAnswered, Offered, OfferRefused
from engine.sip.message import Message
from engine.sip.session import Phase
from engine.sip.session_modify import TRIES_MAX
from tests.sip.wire import OURS, SDP, Rig, request, response

HOLD = SDP + b"a=sendonly\r\n"
MORE = OURS + b"a=x:2\r\n"


def reinvite(tag: str, cseq: int = 2, body: bytes = HOLD, **fields: object) -> bytes:
    return request("INVITE", branch=f"z9hG4bKre{cseq}", to_tag=tag, cseq=cseq, body=body, **fields)  # type: ignore[arg-type]


def offering(rig: Rig) -> tuple[int, Message]:
    session, _ = rig.established()
    rig.endpoint.offer(session, MORE, rig.now)
    (ours,) = rig.sent()
    return session, ours


class TestTheirs:
    def test_hold_and_its_answer(self) -> None:
        rig = Rig()
        session, tag = rig.established()
        (trying,) = rig.feed(reinvite(tag, contact="<sip:ann@10.0.0.9:6000>"))
        assert trying.status == 100 and rig.one(Offered) == Offered(session, HOLD)
        rig.endpoint.accept_offer(session, MORE, rig.now)
        (ok,) = rig.sent()
        assert ok.status == 200 and ok.body == MORE and ok.to.tag == tag
        assert [at for at, _ in rig.advance(1_000)] == [500], "repeated until the ACK"
        rig.feed(request("ACK", branch="z9hG4bKa2", to_tag=tag, cseq=2))
        assert rig.one(Acked) == Acked(session, None) and rig.advance(30_000) == []
        rig.endpoint.hang_up(session, rig.now)
        assert rig.sent()[0].uri == "sip:ann@10.0.0.9:6000", "the target was refreshed"

    def test_without_sdp_our_200_carries_the_offer(self) -> None:
        rig = Rig()
        session, tag = rig.established()
        rig.feed(reinvite(tag, body=b""))
        assert rig.one(Offered) == Offered(session, None)
        rig.endpoint.accept_offer(session, MORE, rig.now)
        assert rig.sent()[0].body == MORE
        rig.feed(request("ACK", branch="z9hG4bKa2", to_tag=tag, cseq=2, body=HOLD))
        assert rig.one(Acked) == Acked(session, HOLD)

    def test_a_refusal_leaves_the_session(self) -> None:
        rig = Rig()
        session, tag = rig.established()
        rig.feed(reinvite(tag))
        rig.endpoint.refuse_offer(session, 488, rig.now)
        assert rig.statuses(rig.sent()) == [488]
        rig.endpoint.refuse_offer(session, 488, rig.now)
        rig.endpoint.accept_offer(session, OURS, rig.now)
        assert rig.sent() == [] and rig.endpoint.core.sessions[session].phase == Phase.CONFIRMED

    def test_nobody_decides_500_by_the_deadline(self) -> None:
        rig = Rig()
        _, tag = rig.established()
        rig.feed(reinvite(tag))
        assert (32_000, 500) in [(at, message.status) for at, message in rig.advance(32_000)]

    def test_no_ack_for_its_2xx_ends_the_call(self) -> None:
        rig = Rig()
        session, tag = rig.established()
        rig.feed(reinvite(tag))
        rig.endpoint.accept_offer(session, MORE, rig.now)
        rig.events()
        sent = rig.advance(32_000)
        assert sent[-1][1].method == "BYE" and rig.one(Ended) == Ended(session, "ack", "no ACK")

    def test_a_second_one_while_the_first_waits_is_500(self) -> None:
        rig = Rig()
        _, tag = rig.established()
        rig.feed(reinvite(tag))
        (refusal,) = rig.feed(reinvite(tag, 3))
        assert refusal.status == 500 and 0 <= int(refusal.get("retry-after") or "") <= 10

    def test_one_before_the_first_answer_is_500(self) -> None:
        rig = Rig()
        session, _ = rig.incoming()
        rig.endpoint.ring(session, 180, rig.now)
        tag = rig.sent()[0].to.tag
        assert rig.statuses(rig.feed(reinvite(tag))) == [500]

    def test_one_before_the_ack_is_491(self) -> None:
        rig = Rig()
        session, _ = rig.incoming()
        rig.endpoint.answer(session, OURS, rig.now)
        tag = rig.sent()[0].to.tag
        assert rig.statuses(rig.feed(reinvite(tag))) == [491]

    def test_one_after_our_bye_is_481(self) -> None:
        rig = Rig()
        session, tag = rig.established()
        rig.endpoint.hang_up(session, rig.now)
        rig.sent()
        assert rig.statuses(rig.feed(reinvite(tag))) == [481]

    def test_a_new_one_stands_for_a_lost_ack(self) -> None:
        rig = Rig()
        session, tag = rig.established()
        rig.feed(reinvite(tag))
        rig.endpoint.accept_offer(session, MORE, rig.now)
        rig.sent()
        rig.events()
        rig.feed(reinvite(tag, 3))
        assert rig.one(Offered).session == session
        assert rig.advance(4_000) == [], "the old 2xx is repeated no more"

    def test_our_hang_up_refuses_it(self) -> None:
        rig = Rig()
        session, tag = rig.established()
        rig.feed(reinvite(tag))
        rig.endpoint.hang_up(session, rig.now)
        assert rig.statuses(rig.sent()) == [487, "BYE"]

    def test_wrong_content_is_415(self) -> None:
        rig = Rig()
        _, tag = rig.established()
        assert rig.statuses(rig.feed(reinvite(tag, content_type="text/plain"))) == [415]


class TestOurs:
    def test_an_offer_and_its_answer(self) -> None:
        rig = Rig()
        session, ours = offering(rig)
        assert ours.method == "INVITE" and ours.body == MORE and ours.to.tag == "f1" and ours.contact is not None
        (ack,) = rig.feed(response(ours, 200, body=HOLD))
        assert ack.method == "ACK" and ack.cseq[0] == ours.cseq[0]
        assert rig.one(OfferAnswered) == OfferAnswered(session, HOLD)
        (again,) = rig.feed(response(ours, 200, body=HOLD))
        assert again.headers == ack.headers and rig.events() == []

    def test_provisional_responses_mean_nothing(self) -> None:
        rig = Rig()
        _, ours = offering(rig)
        rig.feed(response(ours, 183, body=SDP))
        assert rig.events() == []

    def test_theirs_meanwhile_is_491(self) -> None:
        rig = Rig()
        session, _ = offering(rig)
        tag = rig.endpoint.core.sessions[session].dialog.local_tag
        assert rig.statuses(rig.feed(reinvite(tag))) == [491] and rig.events() == []

    def test_a_refusal_is_an_event(self) -> None:
        rig = Rig()
        session, ours = offering(rig)
        assert rig.statuses(rig.feed(response(ours, 488))) == ["ACK"]
        assert rig.one(OfferRefused) == OfferRefused(session, 488)
        assert rig.endpoint.core.sessions[session].local_sdp == OURS

    def test_one_at_a_time_and_the_last_offer_wins(self) -> None:
        rig = Rig()
        session, ours = offering(rig)
        rig.endpoint.offer(session, b"second", rig.now)
        rig.endpoint.offer(session, b"third", rig.now)
        assert rig.sent() == []
        sent = rig.feed(response(ours, 200, body=SDP))
        assert rig.statuses(sent) == ["ACK", "INVITE"] and sent[1].body == b"third"

    def test_an_offer_waits_for_the_ack(self) -> None:
        rig = Rig()
        session, _ = rig.incoming()
        rig.endpoint.answer(session, OURS, rig.now)
        tag = rig.sent()[0].to.tag
        rig.endpoint.offer(session, MORE, rig.now)
        assert rig.sent() == []
        assert rig.statuses(rig.feed(request("ACK", branch="z9hG4bKa", to_tag=tag))) == ["INVITE"]

    def test_an_offer_waits_for_their_exchange(self) -> None:
        rig = Rig()
        session, tag = rig.established()
        rig.feed(reinvite(tag))
        rig.endpoint.offer(session, MORE, rig.now)
        rig.endpoint.refuse_offer(session, 488, rig.now)
        assert rig.statuses(rig.sent()) == [488, "INVITE"]

    def test_offers_for_sessions_that_cannot_take_them_are_ignored(self) -> None:
        rig = Rig()
        session, _ = rig.incoming()
        rig.endpoint.offer(session, MORE, rig.now)
        rig.endpoint.offer(77, MORE, rig.now)
        assert rig.sent() == []

    def test_credentials_are_given(self) -> None:
        rig = Rig()
        session, _ = rig.placed(secret=("u", "p"))
        rig.events()
        rig.endpoint.offer(session, MORE, rig.now)
        (ours,) = rig.sent()
        extra = ('WWW-Authenticate: Digest realm="r", nonce="n"',)
        ack, again = rig.feed(response(ours, 401, extra=extra))
        assert ack.method == "ACK" and again.get("authorization") and again.body == MORE
        rig.feed(response(again, 200, body=SDP))
        assert rig.one(OfferAnswered).session == session

    @pytest.mark.parametrize(("status", "bye"), [(481, False), (408, True)])
    def test_481_and_408_end_the_dialog(self, status: int, bye: bool) -> None:
        rig = Rig()
        session, ours = offering(rig)
        sent = rig.feed(response(ours, status))
        assert rig.statuses(sent) == (["ACK", "BYE"] if bye else ["ACK"])
        assert rig.one(Ended) == Ended(session, "probe", "Phrase")

    def test_no_answer_ends_it_too(self) -> None:
        rig = Rig()
        session, _ = offering(rig)
        sent = rig.advance(32_000)
        assert sent[-1][1].method == "BYE" and rig.one(Ended).session == session

    def test_422_raises_the_interval(self) -> None:
        rig = Rig()
        _, ours = offering(rig)
        ack, again = rig.feed(response(ours, 422, extra=("Min-SE: 600",)))
        assert ack.method == "ACK" and (again.get("session-expires") or "").startswith("600")

    def test_a_bye_under_it_still_acks_the_2xx(self) -> None:
        rig = Rig()
        session, ours = offering(rig)
        rig.endpoint.hang_up(session, rig.now)
        rig.sent()
        assert rig.statuses(rig.feed(response(ours, 200, body=SDP))) == ["ACK"] and rig.events() == []


class TestGlare:
    def test_the_callee_waits_up_to_two_seconds(self) -> None:
        rig = Rig()
        session, ours = offering(rig)
        assert rig.statuses(rig.feed(response(ours, 491))) == ["ACK"]
        at, again = rig.next_sent(2_000)
        assert 0 <= at <= 2_000 and at % 10 == 0
        assert again.body == MORE and again.cseq[0] == ours.cseq[0] + 1
        rig.feed(response(again, 200, body=SDP))
        assert rig.one(OfferAnswered).session == session

    def test_the_caller_waits_two_to_four(self) -> None:
        waits = []
        for number in range(20):
            rig = Rig(key=bytes([number + 1]) * 32)
            session, _ = rig.placed()
            rig.endpoint.offer(session, MORE, rig.now)
            (ours,) = rig.sent()
            rig.feed(response(ours, 491))
            at, _ = rig.next_sent(4_000)
            waits.append(at)
        assert all(2_100 <= at <= 4_000 and at % 10 == 0 for at in waits) and len(set(waits)) > 10

    @pytest.mark.parametrize(("caller", "first", "last"), [(True, 2_100, 4_000), (False, 0, 2_000)])
    def test_the_windows_are_exact(
        self, caller: bool, first: int, last: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for pick, expected in ((0, first), (-1, last)):
            rig = Rig()
            session = rig.placed()[0] if caller else rig.established()[0]
            rig.endpoint.offer(session, MORE, rig.now)
            (ours,) = rig.sent()
            monkeypatch.setattr(Tokens, "number", lambda self, below, pick=pick: pick % below)
            rig.feed(response(ours, 491))
            monkeypatch.undo()
            assert rig.next_sent(4_000)[0] == expected

    def test_their_exchange_comes_first(self) -> None:
        rig = Rig()
        session, ours = offering(rig)
        rig.feed(response(ours, 491))
        tag = rig.endpoint.core.sessions[session].dialog.local_tag
        rig.feed(reinvite(tag))
        assert rig.one(Offered).session == session
        assert rig.advance(2_100) == [], "ours waits while theirs is undecided"
        rig.endpoint.accept_offer(session, OURS, rig.now)
        rig.sent()
        sent = rig.feed(request("ACK", branch="z9hG4bKa", to_tag=tag, cseq=2))
        assert rig.statuses(sent) == ["INVITE"] and sent[0].body == MORE

    def test_it_gives_up_in_the_end(self) -> None:
        rig = Rig()
        session, ours = offering(rig)
        for _ in range(TRIES_MAX - 1):
            rig.feed(response(ours, 491))
            _, ours = rig.next_sent(4_000)
        rig.feed(response(ours, 491))
        assert rig.one(OfferRefused) == OfferRefused(session, 491)

    def test_a_500_with_retry_after_is_tried_again(self) -> None:
        rig = Rig()
        _, ours = offering(rig)
        rig.feed(response(ours, 500, extra=("Retry-After: 3",)))
        at, again = rig.next_sent(5_000)
        assert (at, again.body) == (3_000, MORE)

    def test_a_500_without_is_a_refusal(self) -> None:
        rig = Rig()
        _, ours = offering(rig)
        rig.feed(response(ours, 500))
        assert rig.one(OfferRefused).status == 500

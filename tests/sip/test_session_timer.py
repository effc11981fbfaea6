"""Session timers (RFC 4028): agreement both ways, refresh both ways, expiry finds a lost BYE."""

from __future__ import annotations

import pytest

from engine.sip.events import Ended, OfferAnswered, Offered
from engine.sip.message import Message
from tests.sip.wire import OURS, SDP, Rig, request, response

TIMER = "Supported: timer"


def answered(rig: Rig, *extra: str) -> tuple[int, Message]:
    session, _ = rig.incoming(extra=extra)
    rig.endpoint.answer(session, OURS, rig.now)
    (ok,) = rig.sent()
    rig.feed(request("ACK", branch="z9hG4bKa", to_tag=ok.to.tag))
    rig.events()
    return session, ok


class TestAnswering:
    @pytest.mark.parametrize(
        ("extra", "expires", "require"),
        [
            ((), None, None),
            ((TIMER,), "1800;refresher=uac", "timer"),
            ((TIMER, "Session-Expires: 600"), "600;refresher=uac", "timer"),
            ((TIMER, "Session-Expires: 600;refresher=uas"), "600;refresher=uas", None),
            ((TIMER, "Session-Expires: 600;refresher=uac"), "600;refresher=uac", "timer"),
            ((TIMER, "x: 7200"), "1800;refresher=uac", "timer"),
            ((TIMER, "Min-SE: 2400"), "2400;refresher=uac", "timer"),
            ((TIMER, "Min-SE: 4294967295"), "86400;refresher=uac", "timer"),
            (("Session-Expires: 600",), "600;refresher=uas", None),
        ],
    )
    def test_what_our_2xx_says(self, extra: tuple[str, ...], expires: str | None, require: str | None) -> None:
        _, ok = answered(Rig(), *extra)
        assert (ok.get("session-expires"), ok.get("require")) == (expires, require)

    def test_too_brief_is_422(self) -> None:
        rig = Rig()
        (refusal,) = rig.feed(request("INVITE", extra=(TIMER, "Session-Expires: 60")))
        assert refusal.status == 422 and refusal.get("min-se") == "90" and rig.events() == []
        assert rig.statuses(rig.feed(request("INVITE", branch="z9hG4bK2", extra=("Session-Expires: 60",)))) == [100]

    def test_they_refresh_or_we_hang_up(self) -> None:
        rig = Rig()
        session, _ = answered(rig, TIMER, "Session-Expires: 90;refresher=uac")
        sent = rig.advance(60_000)
        assert [(at, message.method) for at, message in sent] == [(60_000, "BYE")], "90 s less a third"
        assert rig.one(Ended) == Ended(session, "timer", "session timer expired")
        assert "cause=102" in (sent[0][1].get("reason") or "")

    def test_their_reinvite_postpones_it(self) -> None:
        rig = Rig()
        session, ok = answered(rig, TIMER, "Session-Expires: 90;refresher=uac")
        rig.advance(45_000)
        rig.feed(request("INVITE", branch="z9hG4bKr", to_tag=ok.to.tag, cseq=2, body=SDP,
                         extra=(TIMER, "Session-Expires: 90;refresher=uac")))
        assert rig.one(Offered)
        rig.endpoint.accept_offer(session, OURS, rig.now)
        assert rig.sent()[0].get("session-expires") == "90;refresher=uac"
        rig.feed(request("ACK", branch="z9hG4bKra", to_tag=ok.to.tag, cseq=2))
        assert rig.advance(59_000) == []
        assert [message.method for _, message in rig.advance(1_000)] == ["BYE"]

    def test_we_refresh_at_half_with_the_same_sdp(self) -> None:
        rig = Rig()
        session, _ = answered(rig, TIMER, "Session-Expires: 90;refresher=uas")
        (at, ours), = rig.advance(45_000)
        assert at == 45_000 and ours.method == "INVITE" and ours.body == OURS
        assert ours.get("session-expires") == "90;refresher=uac"
        rig.feed(response(ours, 200, body=SDP, extra=("Session-Expires: 90;refresher=uac",)))
        assert rig.events() == [], "the rooms above don't hear of an unchanged refresh"
        (at, ours), = rig.advance(45_000)
        rig.feed(response(ours, 200, body=SDP + b"a=new\r\n", extra=("Session-Expires: 90;refresher=uac",)))
        assert rig.one(OfferAnswered) == OfferAnswered(session, SDP + b"a=new\r\n")

    def test_a_lost_bye_is_found_by_the_refresh(self) -> None:
        rig = Rig()
        session, _ = answered(rig, TIMER, "Session-Expires: 90;refresher=uas")
        (_, ours), = rig.advance(45_000)
        assert rig.statuses(rig.feed(response(ours, 481))) == ["ACK"]
        assert rig.one(Ended) == Ended(session, "timer", "Phrase")
        assert rig.endpoint.session_count() == 0

    def test_a_dead_phone_is_found_by_the_refresh(self) -> None:
        rig = Rig()
        session, _ = answered(rig, TIMER, "Session-Expires: 90;refresher=uas")
        rig.advance(45_000 + 32_000)
        assert rig.one(Ended).by == "timer" and session
        rig.advance(32_000)
        assert not rig.endpoint.core.sessions and not rig.endpoint.core.transactions

    def test_a_refused_refresh_leaves_it_to_the_expiry(self) -> None:
        rig = Rig()
        answered(rig, TIMER, "Session-Expires: 90;refresher=uas")
        (_, ours), = rig.advance(45_000)
        rig.feed(response(ours, 488))
        assert rig.events() == []
        rig.advance(45_000)
        assert rig.one(Ended).by == "timer"

    def test_glare_delays_the_refresh(self) -> None:
        rig = Rig()
        answered(rig, TIMER, "Session-Expires: 90;refresher=uas")
        (_, ours), = rig.advance(45_000)
        rig.feed(response(ours, 491))
        _, again = rig.next_sent(2_000)
        assert again.body == OURS


class TestPlacing:
    def placed(self, *extra: str) -> tuple[Rig, int]:
        rig = Rig()
        session, invite = rig.placed(0)
        rig.feed(response(invite, 200, body=SDP, extra=extra))
        rig.events()
        return rig, session

    def test_no_session_expires_means_no_timer(self) -> None:
        rig, _ = self.placed()
        assert rig.advance(7_200_000) == [] and rig.endpoint.session_count() == 1

    def test_we_refresh_when_told_or_when_nobody_is_named(self) -> None:
        for value in ("Session-Expires: 100;refresher=uac", "Session-Expires: 100"):
            rig, _ = self.placed(value)
            (at, ours), = rig.advance(50_000)
            assert at == 50_000 and ours.get("session-expires") == "100;refresher=uac"

    def test_they_refresh_when_told(self) -> None:
        rig, session = self.placed("Session-Expires: 120;refresher=uas")
        assert [(at, message.method) for at, message in rig.advance(88_000)] == [(88_000, "BYE")]
        assert rig.one(Ended).session == session

    def test_an_absurd_interval_is_raised_to_ours(self) -> None:
        rig, _ = self.placed("Session-Expires: 1;refresher=uac")
        assert rig.advance(44_999) == [] and len(rig.advance(1)) == 1


def test_a_refresh_waits_for_another_exchange() -> None:
    rig = Rig()
    session, ok = answered(rig, TIMER, "Session-Expires: 90;refresher=uas")
    rig.advance(44_900)
    rig.feed(request("INVITE", branch="z9hG4bKr", to_tag=ok.to.tag, cseq=2, body=SDP, extra=(TIMER,)))
    assert rig.advance(2_000) == []
    rig.endpoint.refuse_offer(session, 488, rig.now)
    rig.sent()
    assert "INVITE" in [message.method for _, message in rig.advance(1_000) if message.is_request]

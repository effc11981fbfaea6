"""100rel when we are called: RSeq, PRACK, repeats, what may not overtake, offers and answers (RFC 3262 §3, §5)."""

from __future__ import annotations

import pytest

from engine.sip.events import Acked, Canceled, Offered, Pracked
from engine.sip.message import Message
from engine.sip.timers import GIVE_UP_MS
from tests.sip.wire import OURS, SDP, Rig, request

REQUIRE = ("Require: 100rel",)
SUPPORTED = ("Supported: 100rel",)
MORE = SDP + b"a=sendonly\r\n"


def ringing(rig: Rig, extra: tuple[str, ...] = REQUIRE, *, sdp: bytes = b"", body: bytes = SDP) -> tuple[int, Message]:
    """A caller hears 180 (183 with `sdp`) by PRACK: (session, the response)."""
    session, _ = rig.incoming(extra=extra, body=body)
    rig.endpoint.ring(session, 183 if sdp else 180, rig.now, sdp=sdp or None, reliable=True)
    (told,) = rig.sent()
    return session, told


def prack(told: Message, cseq: int = 2, *, rack: str = "", body: bytes = b"") -> bytes:
    rack = rack or f"{told.get('rseq')} {told.cseq[0]} INVITE"
    extra = (f"RAck: {rack}",)
    return request("PRACK", branch=f"z9hG4bKp{cseq}", to_tag=told.to.tag, cseq=cseq, extra=extra, body=body)


def test_required_it_says_so_and_prack_is_answered() -> None:
    rig = Rig()
    session, told = ringing(rig)
    assert told.status == 180 and told.has_option("require", "100rel") and told.contact is not None
    assert 1 <= int(told.get("rseq") or "") < 2**31
    (ok,) = rig.feed(prack(told))
    assert (ok.status, ok.cseq) == (200, (2, "PRACK")) and rig.advance(40_000) == []
    rig.endpoint.answer(session, OURS, rig.now)
    (final,) = rig.sent()
    assert final.status == 200 and final.body == OURS, "nothing was agreed before"


@pytest.mark.parametrize(("extra", "wanted", "reliable"), [
    (SUPPORTED, True, True), (SUPPORTED, False, False), ((), True, False), (REQUIRE, False, True),
])
def test_who_gets_it(extra: tuple[str, ...], wanted: bool, reliable: bool) -> None:
    rig = Rig()
    session, _ = rig.incoming(extra=extra)
    rig.endpoint.ring(session, 180, rig.now, reliable=wanted)
    (told,) = rig.sent()
    assert told.has_option("require", "100rel") == reliable == ("rseq" in told.index)


def test_it_repeats_with_t1_doubling_and_then_gives_up() -> None:
    rig = Rig()
    session, told = ringing(rig)
    sent = rig.advance(GIVE_UP_MS + 100)
    repeats = [at for at, message in sent if message.status == 180]
    assert repeats == [500, 1_500, 3_500, 7_500, 15_500, 31_500]
    assert {message.get("rseq") for _, message in sent if message.status == 180} == {told.get("rseq")}
    at, refused = next((at, message) for at, message in sent if message.status >= 300)
    assert (at, refused.status) == (GIVE_UP_MS, 504)
    assert rig.one(Canceled) == Canceled(session, "no PRACK")


@pytest.mark.parametrize("rack", ["1 1 INVITE", "{rseq} 2 INVITE", "{rseq} 1 UPDATE", "nonsense", "{rseq} 1"])
def test_a_prack_for_something_else_is_481_and_the_repeats_go_on(rack: str) -> None:
    rig = Rig()
    _, told = ringing(rig)
    assert rig.statuses(rig.feed(prack(told, rack=rack.format(rseq=told.get("rseq"))))) == [481]
    assert rig.advance(600)[0][1].status == 180
    assert rig.statuses(rig.feed(prack(told, 3))) == [200]
    assert rig.statuses(rig.feed(prack(told, 4))) == [481], "acknowledged once"


def test_one_at_a_time_and_numbered_in_a_row() -> None:
    rig = Rig()
    session, first = ringing(rig)
    rig.endpoint.ring(session, 183, rig.now, sdp=OURS)
    assert rig.sent() == []
    ok, second = rig.feed(prack(first))
    assert (ok.status, second.status, second.body) == (200, 183, OURS)
    assert int(second.get("rseq") or "") == int(first.get("rseq") or "") + 1


def test_a_2xx_waits_behind_a_description_and_has_none_itself() -> None:
    rig = Rig()
    session, told = ringing(rig, sdp=OURS)
    rig.endpoint.answer(session, OURS, rig.now)
    assert rig.sent() == []
    prack_ok, ok = rig.feed(prack(told))
    assert (prack_ok.status, ok.status, ok.body) == (200, 200, b"") and ok.cseq == (1, "INVITE")
    rig.feed(request("ACK", branch="z9hG4bKa", to_tag=told.to.tag))
    assert rig.one(Acked) == Acked(session, None)
    assert rig.endpoint.core.sessions[session].local_sdp == OURS


def test_a_2xx_overtakes_a_ringing_without_one() -> None:
    rig = Rig()
    session, told = ringing(rig)
    rig.endpoint.answer(session, OURS, rig.now)
    assert rig.sent()[0].body == OURS
    assert {message.status for _, message in rig.advance(2_000)} == {200}, "no more repeats of the 180"
    assert rig.statuses(rig.feed(prack(told))) == [200]


def test_a_2xx_that_waits_is_no_answer_yet() -> None:
    rig = Rig()
    session, told = ringing(rig, sdp=OURS)
    rig.endpoint.answer(session, OURS, rig.now)
    rig.endpoint.hang_up(session, rig.now)
    assert rig.statuses(rig.sent()) == [603]
    assert rig.statuses(rig.feed(prack(told))) == [481]


def test_no_offer_in_the_invite_ours_goes_first_and_the_prack_answers() -> None:
    rig = Rig()
    session, _ = rig.incoming(extra=REQUIRE, body=b"")
    assert rig.endpoint.needs_offer(session)
    rig.endpoint.ring(session, 180, rig.now)
    assert rig.sent() == [], "the first one must carry an offer"
    rig.endpoint.ring(session, 180, rig.now, sdp=OURS)
    (told,) = rig.sent()
    assert told.body == OURS and not rig.endpoint.needs_offer(session)
    rig.feed(prack(told, body=SDP))
    assert rig.one(Pracked) == Pracked(session, SDP)
    rig.endpoint.answer(session, OURS, rig.now)
    assert rig.sent()[0].body == b""
    rig.feed(request("ACK", branch="z9hG4bKa", to_tag=told.to.tag))
    assert rig.one(Acked) == Acked(session, None)


def test_who_only_supports_it_is_told_without_an_offer() -> None:
    rig = Rig()
    session, _ = rig.incoming(extra=SUPPORTED, body=b"")
    rig.endpoint.ring(session, 180, rig.now, reliable=True)
    (told,) = rig.sent()
    assert not rig.endpoint.needs_offer(session) and "rseq" not in told.index


class TestAnOfferInThePrack:
    def test_is_answered_in_its_200(self) -> None:
        rig = Rig()
        session, told = ringing(rig, sdp=OURS)
        assert rig.feed(prack(told, body=MORE)) == []
        assert rig.one(Offered) == Offered(session, MORE)
        rig.endpoint.answer(session, OURS, rig.now)
        assert rig.sent() == [], "first the offer"
        rig.endpoint.accept_offer(session, OURS, rig.now)
        prack_ok, ok = rig.sent()
        assert (prack_ok.cseq[1], prack_ok.body) == ("PRACK", OURS) and (ok.cseq[1], ok.body) == ("INVITE", b"")

    def test_may_be_refused(self) -> None:
        rig = Rig()
        session, told = ringing(rig, sdp=OURS)
        rig.feed(prack(told, body=MORE))
        rig.endpoint.refuse_offer(session, 488, rig.now)
        assert rig.statuses(rig.sent()) == [488]
        rig.endpoint.answer(session, OURS, rig.now)
        assert rig.statuses(rig.sent()) == [200]

    def test_before_our_answer_it_has_no_place(self) -> None:
        rig = Rig()
        _, told = ringing(rig)
        assert rig.statuses(rig.feed(prack(told, body=MORE))) == [488] and rig.events() == []


def test_a_long_ringing_is_told_again_with_a_new_number() -> None:
    rig = Rig()
    _, told = ringing(rig, sdp=OURS)
    rig.feed(prack(told))
    at, again = rig.next_sent(61_000)
    assert at == 60_000 and again.body == b"" and int(again.get("rseq") or "") == int(told.get("rseq") or "") + 1


def test_cancel_ends_the_repeats() -> None:
    rig = Rig()
    _, told = ringing(rig)
    assert rig.statuses(rig.feed(request("CANCEL"))) == [200, 487]
    rig.feed(request("ACK", to_tag=told.to.tag))
    assert [message for _, message in rig.advance(40_000) if message.status == 180] == []

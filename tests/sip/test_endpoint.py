"""Whole scenarios between two endpoints: lossy links, both transports, and state as data."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import LocalError
from engine.ids import Tokens
from engine.sip import digest
from engine.sip.endpoint import Endpoint
from engine.sip.events import (
    Acked,
    Answered,
    Canceled,
    Ended,
    Incoming,
    InfoDigit,
    OfferAnswered,
    Offered,
    Path,
    Probed,
    Qualified,
    ReferProgress,
    Referred,
    Refused,
    RegisterRequest,
    Rejected,
    SipEvent,
)
from tests.sip.pair import SDP_A, SDP_B, Link, Pair, answering

LINKS: list[Callable[[int], Link]] = [
    lambda seed: Link(seed),
    lambda seed: Link(seed, loss=200),
    lambda seed: Link(seed, loss=200, double=150, latency_ms=20, jitter_ms=700),
]
SEEDS = range(8)


@pytest.fixture(params=[(kind, seed) for kind in range(len(LINKS)) for seed in SEEDS], ids=str)
def pair(request: pytest.FixtureRequest) -> Pair:
    kind, seed = request.param
    made = Pair(LINKS[kind](seed * 77 + 5))
    made.b.script = answering()
    return made


def established(pair: Pair, **fields: object) -> tuple[int, int]:
    ours = pair.call(**fields)  # type: ignore[arg-type]
    pair.until(lambda: bool(pair.a.of(Answered)) and bool(pair.b.of(Acked)))
    return ours, pair.b.of(Incoming)[0].session


def all_over(pair: Pair) -> None:
    pair.until(pair.quiet)
    assert not [event for side in pair.sides.values() for event in side.of(Refused) if event.kind == "internal"]
    for side in pair.sides.values():
        core = side.endpoint.core
        assert not core.by_key and not core.merged and not core.by_call and not core.refers
        assert not core.deadlines.armed


class TestUnderLoss:
    """20 % of the datagrams are lost; every exchange still completes, and nothing is left behind."""

    def test_invite_to_bye(self, pair: Pair) -> None:
        ours, _ = established(pair)
        pair.a.endpoint.hang_up(ours, pair.now)
        pair.settle()
        pair.until(lambda: bool(pair.b.of(Ended)))
        assert [event.by for event in pair.b.of(Ended)] == ["remote"] and pair.a.of(Ended) == []
        assert len(pair.b.of(Incoming)) == len(pair.a.of(Answered)) == len(pair.b.of(Acked)) == 1
        all_over(pair)

    def test_the_callee_hangs_up(self, pair: Pair) -> None:
        _, theirs = established(pair)
        pair.b.endpoint.hang_up(theirs, pair.now)
        pair.settle()
        pair.until(lambda: bool(pair.a.of(Ended)))
        all_over(pair)

    def test_refusal(self, pair: Pair) -> None:
        def busy(endpoint: Endpoint, event: SipEvent, now: int) -> None:
            if isinstance(event, Incoming):
                endpoint.reject(event.session, 486, now, cause=17)

        pair.b.script = busy
        pair.call()
        pair.until(lambda: bool(pair.a.of(Rejected)))
        assert [(event.status, event.cause) for event in pair.a.of(Rejected)] == [(486, 17)]
        all_over(pair)

    def test_cancel_while_ringing(self, pair: Pair) -> None:
        pair.b.script = lambda endpoint, event, now: (
            endpoint.ring(event.session, 180, now) if isinstance(event, Incoming) else None
        )
        session = pair.call()
        pair.until(lambda: bool(pair.b.of(Incoming)))
        pair.a.endpoint.cancel(session, pair.now)
        pair.settle()
        pair.until(lambda: bool(pair.a.of(Rejected)))
        assert [event.status for event in pair.a.of(Rejected)] == [487]
        pair.until(lambda: bool(pair.b.of(Canceled)))
        all_over(pair)

    def test_cancel_against_an_answer(self, pair: Pair) -> None:
        """Whatever crosses, both sides end, and the caller hears of exactly one outcome."""
        session = pair.call()
        pair.step()
        pair.a.endpoint.cancel(session, pair.now)
        pair.settle()
        pair.until(lambda: bool(pair.a.of(Rejected)))
        assert len(pair.a.of(Rejected)) == 1 and pair.a.of(Answered) == []
        all_over(pair)

    def test_hold_and_resume(self, pair: Pair) -> None:
        ours, theirs = established(pair)
        for number in (1, 2):
            pair.a.endpoint.offer(ours, SDP_A + b"a=sendonly\r\n" * (number % 2), pair.now)
            pair.settle()
            pair.until(lambda number=number: len(pair.a.of(OfferAnswered)) == number)  # type: ignore[misc]
        assert len(pair.b.of(Offered)) == 2
        pair.b.endpoint.offer(theirs, SDP_B, pair.now)
        pair.a.script = answering(SDP_A)
        pair.settle()
        pair.until(lambda: len(pair.b.of(OfferAnswered)) == 1)
        pair.a.endpoint.hang_up(ours, pair.now)
        pair.settle()
        all_over(pair)

    def test_glare(self, pair: Pair) -> None:
        ours, theirs = established(pair)
        pair.a.script = answering(SDP_A)
        pair.a.endpoint.offer(ours, SDP_A + b"a=a\r\n", pair.now)
        pair.b.endpoint.offer(theirs, SDP_B + b"a=b\r\n", pair.now)
        pair.settle()
        pair.until(lambda: bool(pair.a.of(OfferAnswered)) and bool(pair.b.of(OfferAnswered)))
        pair.a.endpoint.hang_up(ours, pair.now)
        pair.settle()
        all_over(pair)

    def test_transfer(self, pair: Pair) -> None:
        ours, theirs = established(pair)
        pair.a.endpoint.refer(ours, "sip:300@10.0.0.2", pair.now)
        pair.settle()
        pair.until(lambda: any(event.final for event in pair.a.of(ReferProgress)))
        assert [event.user for event in pair.b.of(Referred)] == ["300"]
        assert [event.status for event in pair.a.of(ReferProgress) if event.final] == [200]
        pair.b.endpoint.hang_up(theirs, pair.now)
        pair.settle()
        all_over(pair)

    def test_digits_and_probe(self, pair: Pair) -> None:
        ours, theirs = established(pair)
        for digit in "1#":
            pair.a.endpoint.info_digit(ours, digit, 100, pair.now)
            pair.settle()
            pair.until(lambda digit=digit: digit in [event.digit for event in pair.b.of(InfoDigit)])  # type: ignore[misc]
        pair.b.endpoint.probe(theirs, pair.now)
        pair.settle()
        pair.until(lambda: bool(pair.b.of(Probed)))
        assert [event.digit for event in pair.b.of(InfoDigit)] == ["1", "#"] and pair.b.of(Probed)[0].alive
        pair.a.endpoint.hang_up(ours, pair.now)
        pair.settle()
        all_over(pair)

    def test_a_call_with_credentials(self, pair: Pair) -> None:
        secrets = digest.ha1("ann", "acme", "word")

        def guarded(endpoint: Endpoint, event: SipEvent, now: int) -> None:
            if not isinstance(event, Incoming):
                return
            if event.credentials is None or not digest.verify(event.credentials, secrets, "INVITE"):
                endpoint.challenge(event.session, "acme", now)
            else:
                assert endpoint.nonce_ok(event.credentials.nonce, now) == "good"
                endpoint.answer(event.session, SDP_B, now)

        pair.b.script = guarded
        ours = pair.call(secret=("ann", "word"))
        pair.until(lambda: bool(pair.a.of(Answered)))
        pair.a.endpoint.hang_up(ours, pair.now)
        pair.settle()
        all_over(pair)

    def test_the_phone_vanishes(self, pair: Pair) -> None:
        """A lost BYE: the session timer finds it, on whichever side refreshes."""
        ours, _ = established(pair, session_timer_s=90)
        pair.b.deaf = True
        pair.until(lambda: bool(pair.a.of(Ended)), 200_000)
        assert [event.by for event in pair.a.of(Ended)] == ["timer"] and ours
        pair.run(40_000)
        assert not pair.a.endpoint.core.sessions and not pair.a.endpoint.core.transactions


def test_on_tcp_from_call_to_bye() -> None:
    pair = Pair()
    pair.b.script = answering()
    ours, theirs = established(pair, transport="tcp")
    pair.b.endpoint.info_digit(theirs, "7", 100, pair.now)
    pair.settle()
    pair.a.endpoint.offer(ours, SDP_A, pair.now)
    pair.settle()
    pair.until(lambda: bool(pair.a.of(InfoDigit)) and bool(pair.a.of(OfferAnswered)))
    assert len(pair.a.endpoint.core.flows.streams) == 1, "one connection for both directions"
    pair.b.endpoint.hang_up(theirs, pair.now)
    pair.settle()
    pair.until(lambda: bool(pair.a.of(Ended)))
    all_over(pair)


def test_a_lost_connection_is_opened_again_for_the_bye() -> None:
    pair = Pair()
    pair.b.script = answering()
    ours, _ = established(pair, transport="tcp")
    (flow,) = pair.a.endpoint.core.flows.streams
    pair.close(pair.a, flow)
    pair.a.endpoint.hang_up(ours, pair.now)
    pair.settle()
    pair.until(lambda: bool(pair.b.of(Ended)))
    all_over(pair)


def test_nobody_there_on_tcp() -> None:
    pair = Pair()
    pair.b.deaf = True
    pair.call(transport="tcp")
    assert [event.status for event in pair.a.of(Rejected)] == [503]


def test_a_late_call_with_an_unknown_session_is_ignored() -> None:
    endpoint = Endpoint(Tokens(b"x" * 32))
    endpoint.challenge(5, "r", 0)
    endpoint.ring(5, 180, 0)
    endpoint.answer(5, SDP_A, 0)
    endpoint.reject(5, 486, 0)
    endpoint.cancel(5, 0)
    endpoint.hang_up(5, 0)
    endpoint.offer(5, SDP_A, 0)
    endpoint.accept_offer(5, SDP_A, 0)
    endpoint.refuse_offer(5, 488, 0)
    endpoint.notify_refer(5, 200, "", 0)
    endpoint.refer(5, "sip:x", 0)
    endpoint.info_digit(5, "1", 100, 0)
    endpoint.probe(5, 0)
    assert endpoint.sends == [] and endpoint.events == []
    assert endpoint.session_path(5) is None and endpoint.session_call_id(5) == "" and endpoint.session_count() == 0
    assert endpoint.next_deadline() is None
    endpoint.expire(10**9)


def test_the_session_can_be_asked() -> None:
    pair = Pair()
    pair.b.script = answering()
    ours, theirs = established(pair)
    assert pair.a.endpoint.session_call_id(ours) == pair.b.endpoint.session_call_id(theirs) != ""
    assert pair.b.endpoint.session_path(theirs) == Path(1, "10.0.0.1", 5060)
    assert pair.a.endpoint.session_count() == 1


def test_overload_is_an_attribute() -> None:
    endpoint = Endpoint(Tokens(b"x" * 32))
    assert endpoint.overload is False
    endpoint.overload = True
    assert Endpoint.decode(endpoint.encode()).overload is True


def test_other_bytes_are_no_state() -> None:
    with pytest.raises(LocalError):
        Endpoint.decode(b"\x93\x01")


def test_hash_seeds_and_undrained_output_survive() -> None:
    pair = Pair()
    pair.a.endpoint.invite("sip:x@10.0.0.2", Path(0, "10.0.0.2", 5060), 5, caller=("", "1", ""), sdp=SDP_A)
    pair.a.endpoint.invite("sip:x@10.0.0.2", Path(0, "10.0.0.2", 5060, "tcp"), 5, caller=("", "1", ""), sdp=SDP_A)
    pair.a.endpoint.invite("bad", Path(0, "10.0.0.2", 5060), 5, caller=("", "1", ""), sdp=SDP_A)
    other = Endpoint.decode(pair.a.endpoint.encode())
    assert other.sends == pair.a.endpoint.sends != [] and other.events == pair.a.endpoint.events != []


# --- state is data: stop anywhere, encode, restore, go on ------------------------------------------------------
def story(seed: int, restore_at: int) -> tuple[list[tuple[int, str, bytes]], list[list[SipEvent]]]:
    """A busy quarter of an hour of two endpoints; at step `restore_at` both are encoded and replaced."""
    pair = Pair(Link(seed, loss=120, double=80, jitter_ms=300))
    plan = Link(seed + 1).chance
    pair.a.script = answering(SDP_A)

    def callee(endpoint: Endpoint, event: SipEvent, now: int) -> None:
        answering()(endpoint, event, now)
        if isinstance(event, RegisterRequest):
            if event.credentials is None:
                endpoint.challenge_register(event.request, "acme", now)
            else:
                endpoint.accept_register(event.request, "acme", event.user, now)

    pair.b.script = callee
    digest_header = 'Authorization: Digest username="u", realm="acme", nonce="n", uri="sip:b", response="0"'
    for number, extra in enumerate(("", digest_header + "\r\n")):
        pair.b.endpoint.receive(
            Path(1, "10.0.0.1", 5060),
            (
                f"REGISTER sip:b SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKreg{number}\r\n"
                f"From: <sip:200@b>;tag=1\r\nTo: <sip:200@b>\r\nCall-ID: r\r\nCSeq: {number + 1} REGISTER\r\n"
                f"Contact: <sip:200@10.0.0.1>\r\n{extra}Content-Length: 0\r\n\r\n"
            ).encode(), pair.now,
        )
    pair.settle()
    sessions: list[int] = []
    for step in range(110):
        if step == restore_at:
            for side in pair.sides.values():
                side.endpoint = Endpoint.decode(side.endpoint.encode())
        choice = plan.below(14)
        session = sessions[plan.below(len(sessions))] if sessions else 0
        far = pair.b.of(Incoming)
        theirs = far[plan.below(len(far))].session if far else 0
        if choice == 0 and len(sessions) < 8:
            sessions.append(pair.call(transport="udp" if plan.below(3) else "tcp", session_timer_s=90 * plan.below(2)))
        elif choice == 1:
            pair.a.endpoint.offer(session, SDP_A + b"a=%d\r\n" % step, pair.now)
        elif choice == 2:
            pair.b.endpoint.offer(theirs, SDP_B + b"a=%d\r\n" % step, pair.now)
        elif choice == 3:
            pair.a.endpoint.refer(session, "sip:300@10.0.0.2", pair.now)
        elif choice == 4:
            pair.b.endpoint.probe(theirs, pair.now)
        elif choice == 5 and plan.below(3) == 0:
            pair.a.endpoint.hang_up(session, pair.now)
        elif choice == 6 and plan.below(3) == 0:
            pair.b.endpoint.hang_up(theirs, pair.now)
        elif choice == 7:
            pair.a.endpoint.info_digit(session, "5", 100, pair.now)
        elif choice == 8:
            pair.run(1_000 * plan.below(30))
        pair.settle()
        pair.step()
    pair.run(120_000)
    return pair.wire, [side.events for side in pair.sides.values()]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 10_000), st.integers(0, 109))
def test_a_restored_endpoint_goes_on_bit_for_bit(seed: int, restore_at: int) -> None:
    assert story(seed, restore_at) == story(seed, -1)


def test_the_story_is_worth_telling() -> None:
    wire, events = story(17, -1)
    methods = {data.split(b" ")[0] for _, _, data in wire}
    assert {b"INVITE", b"ACK", b"BYE", b"OPTIONS"} <= methods and len(wire) > 100
    kinds = {type(event) for side in events for event in side}
    assert {Incoming, Answered, Acked, Ended, Qualified} <= kinds
    assert not [event for side in events for event in side if isinstance(event, Refused) and event.kind == "internal"]


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 60_000))
def test_after_an_outage_timers_wait_as_much_longer_and_listeners_are_told_anew(by_ms: int) -> None:
    pair = Pair()
    pair.call(session_timer_s=90)
    pair.run(1_000)
    endpoint = pair.a.endpoint
    deadlines = endpoint.core.deadlines
    before = {key: at for key, (at, _) in deadlines.armed.items()}
    assert before
    endpoint.resume(by_ms)
    assert {key: at - by_ms for key, (at, _) in deadlines.armed.items()} == before
    assert not endpoint.core.flows.listeners


def test_which_streams_it_believes_in() -> None:
    pair = Pair()
    assert pair.a.endpoint.streams() == []
    pair.call(transport="tcp")
    pair.run(1_000)
    (flow,) = pair.a.endpoint.streams()
    pair.a.endpoint.flow_closed(flow, pair.now)
    assert pair.a.endpoint.streams() == []

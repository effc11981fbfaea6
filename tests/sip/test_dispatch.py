"""The checks of §8.2, bytes that break the rules, strays, streams that close."""

from __future__ import annotations

from pathlib import Path as File

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.sip.dispatch import _SESSION_TIMERS, TIMERS
from engine.sip.events import Path, Refused, Send
from engine.sip.message import Message
from engine.sip.parser import parse
from tests.sip.wire import PHONE, SDP, STREAM, Rig, request, response

VECTORS = sorted((File(__file__).parents[1] / "vectors" / "rfc4475").glob("*.dat"))


def answered(data: bytes, rig: Rig | None = None) -> Message:
    (answer,) = (rig or Rig()).feed(data)
    return answer


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (request("MESSAGE"), 405), (request("PUBLISH"), 405), (request("UPDATE"), 481), (request("PRACK"), 481),
        (request("SUBSCRIBE"), 489), (request("BYE"), 481), (request("INFO"), 481), (request("NOTIFY"), 481),
        (request("REFER"), 403), (request("NEWMETHOD"), 501), (request("NEWMETHOD", to_tag="x"), 501),
        (request("MESSAGE", to_tag="x"), 405), (request("BYE", to_tag="x"), 481), (request("INVITE", to_tag="x"), 481),
        (request("INVITE", uri="mailto:a@b"), 416), (request("INVITE", uri="nobody"), 400),
        (request("INVITE", hops=0, body=SDP), 483), (request("OPTIONS", hops=0), 200),
        (request("INVITE", body=b"hello", content_type="text/plain"), 415),
        (request("INVITE", body=b"v", content_type=""), 415),
        (request("INVITE", body=SDP, extra=("Content-Encoding: gzip",)), 415), (request("INVITE", contact=""), 400),
        (request("INVITE", body=SDP, extra=("Require: 100rel, join",)), 420),
        (request("OPTIONS", extra=("Require: x",)), 420),
        (request("INVITE", body=SDP, extra=("Require: replaces",)), 100),
        (request("OPTIONS", extra=("Replaces: a;to-tag=1;from-tag=2",)), 400),
        (request("BYE", to_tag="x", extra=("Replaces: a;to-tag=1;from-tag=2",)), 400),
        (request("INVITE", body=SDP, extra=("Require: timer",)), 100),
        (request("INVITE", body=b"x", content_type="text/x", extra=("Content-Disposition: x;handling=optional",)), 100),
    ],
    ids=lambda value: value.split(b" ")[0].decode() if isinstance(value, bytes) else str(value),
)
def test_statuses(data: bytes, status: int) -> None:
    assert answered(data).status == status


def test_what_comes_with_them() -> None:
    assert answered(request("MESSAGE")).get("allow")
    assert answered(request("INVITE", extra=("Require: a, timer, b",))).get("unsupported") == "a, b"
    refusal = answered(request("INVITE", body=b"x", content_type="text/plain"))
    assert refusal.get("accept") == "application/sdp" and refusal.get("accept-encoding") == "identity"


def test_the_same_request_by_two_ways_is_merged() -> None:
    rig = Rig()
    rig.incoming()
    assert answered(request("INVITE", branch="z9hG4bKother", body=SDP), rig).status == 482
    assert rig.statuses(rig.feed(request("INVITE", branch="z9hG4bKthird", cseq=2, body=SDP))) == [100]


def test_a_refused_request_may_come_again_with_its_cseq() -> None:
    rig = Rig()
    session, _ = rig.incoming()
    rig.endpoint.challenge(session, "acme", rig.now)
    rig.sent()
    assert answered(request("INVITE", branch="z9hG4bKother", body=SDP), rig).status == 100


def test_an_answered_one_may_not() -> None:
    rig = Rig()
    rig.established()
    assert answered(request("INVITE", branch="z9hG4bKother", body=SDP), rig).status == 482


def test_cseq_must_not_go_back() -> None:
    rig = Rig()
    _, tag = rig.established(cseq=10)
    assert rig.statuses(rig.feed(request("INFO", branch="z9hG4bK9", to_tag=tag, cseq=9))) == [500]
    assert rig.statuses(rig.feed(request("INFO", branch="z9hG4bK11", to_tag=tag, cseq=11))) == [200]


def test_broken_but_readable_requests_get_400() -> None:
    rig = Rig()
    data = request("INVITE", body=SDP).replace(b"CSeq: 1 INVITE", b"CSeq: 1 BYE")
    answer = answered(data, rig)
    assert answer.status == 400 and rig.one(Refused).kind == "parse"
    versioned = request("OPTIONS").replace(b"SIP/2.0\r\n", b"SIP/7.0\r\n", 1)
    assert answered(versioned).status == 505


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 200, b"x" * 65_507, b"SIP/2.0 999 x\r\n\r\n"])
def test_noise_is_dropped_and_noted(data: bytes) -> None:
    rig = Rig()
    assert rig.feed(data) == [] and rig.one(Refused).kind == "parse"


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"\x00", b"\x00\x00\x00\x00"])
def test_keep_alives_are_silent(data: bytes) -> None:
    rig = Rig()
    assert rig.feed(data) == [] and rig.events() == []


def test_strays_are_ignored() -> None:
    rig = Rig()
    assert rig.feed(response(parse(request("INVITE")), 200)) == []
    assert rig.feed(request("ACK", to_tag="x")) == []
    assert rig.events() == []


def test_a_closed_stream_ends_what_stood_on_it() -> None:
    rig = Rig()
    rig.open()
    session, _ = rig.placed(path=STREAM)
    rig.events()
    rig.endpoint.probe(session, rig.now)
    rig.sent()
    rig.endpoint.flow_closed(STREAM.flow, rig.now)
    assert [type(event).__name__ for event in rig.events()] == ["Probed", "Ended"]
    rig.endpoint.flow_closed(STREAM.flow, rig.now)
    rig.endpoint.flow_closed(77, rig.now)


def test_timer_names_do_not_collide() -> None:
    assert not set(TIMERS) & set(_SESSION_TIMERS)
    assert not [name for name in (*TIMERS, *_SESSION_TIMERS) if name.startswith("tx.")]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda file: file.stem)
def test_torture_messages_never_break_the_endpoint(vector: File) -> None:
    rig = Rig()
    for path in (PHONE, STREAM):
        rig.endpoint.receive(path, vector.read_bytes(), rig.now)
    sends, rig.endpoint.sends = rig.endpoint.sends, []  # a 400 copies broken headers back: not for our parser
    assert all(send.data.startswith(b"SIP/2.0 ") for send in sends if isinstance(send, Send))
    assert [event for event in rig.events() if isinstance(event, Refused) and event.kind == "internal"] == []
    rig.advance(300_000)
    assert not rig.endpoint.core.transactions and not rig.endpoint.core.sessions


LINES = request("INVITE", body=SDP, extra=("Record-Route: <sip:p;lr>", "Session-Expires: 90", "Supported: timer"))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.sampled_from([
        LINES, request("BYE", to_tag="x"), request("REGISTER"), request("CANCEL"), request("ACK"),
        request("REFER", to_tag="x"), response(parse(request("INVITE")), 200, body=SDP),
    ]),
    st.lists(st.tuples(st.integers(0, 600), st.binary(min_size=0, max_size=6)), max_size=4),
)
def test_mutations_never_raise_or_break_us(data: bytes, changes: list[tuple[int, bytes]]) -> None:
    rig = Rig()
    for at, what in changes:
        at = min(at, len(data))
        data = data[:at] + what + data[at + len(what):]
    rig.endpoint.receive(PHONE, data, rig.now)
    assert [event for event in rig.events() if isinstance(event, Refused) and event.kind == "internal"] == []


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.binary(max_size=400), st.sampled_from([PHONE, STREAM, Path(9, "no.where", 0)]))
def test_any_bytes(data: bytes, path: Path) -> None:
    rig = Rig()
    rig.endpoint.receive(path, data, rig.now)
    assert [event for event in rig.events() if isinstance(event, Refused) and event.kind == "internal"] == []


def test_an_internal_fault_costs_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig()

    def fault(*_: object) -> None:
        raise KeyError("ours")

    monkeypatch.setattr("engine.sip.dispatch._on_request", fault)
    assert rig.feed(request("OPTIONS")) == []
    assert rig.one(Refused) == Refused("internal", PHONE, "KeyError: 'ours'")

"""Bytes to messages: tolerance, refusals, limits, bodies, salvage."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ProtocolError
from engine.limits import header_line_bytes_max, header_lines_max, message_bytes_max
from engine.sip.message import COMPACT, PRETTY, Message
from engine.sip.parser import parse, salvage

LINES = (
    "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1",
    "From: <sip:a@x>;tag=1",
    "To: <sip:b@y>",
    "Call-ID: 1@a",
    "CSeq: 7 INVITE",
)


def wire(*more: str, first: str = "INVITE sip:b@y SIP/2.0", lines: tuple[str, ...] = LINES, body: bytes = b"",
         end: str = "\r\n") -> bytes:
    return end.join([first, *lines, *more, "", ""]).encode() + body


def status_of(data: bytes, *, datagram: bool = True) -> int:
    with pytest.raises(ProtocolError) as caught:
        parse(data, datagram=datagram)
    return caught.value.status_hint


def test_request() -> None:
    message = parse(wire("Content-Length: 3", body=b"abc"))
    assert (message.is_request, message.method, message.uri, message.body) == (True, "INVITE", "sip:b@y", b"abc")
    assert message.headers[0] == ("via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1")
    assert (message.via.port, message.from_.tag, message.to.tag, message.cseq) == (5060, "1", "", (7, "INVITE"))


def test_response() -> None:
    message = parse(wire(first="SIP/2.0 183 Session  Progress"))
    assert (message.is_request, message.method, message.status, message.phrase) == (
        False, "INVITE", 183, "Session  Progress"
    )
    assert parse(wire(first="SIP/2.0 100 ")).phrase == ""


def test_every_compact_form_in_both_cases() -> None:
    for short, long in COMPACT.items():
        if long in ("from", "to", "call-id", "content-length", "via"):
            continue
        assert parse(wire(f"{short}: x")).get(long) == "x"
        assert parse(wire(f"{short.upper()} \t: x")).get(long) == "x"
    lines = ("v: SIP/2.0/UDP h", "f: <sip:a@x>;tag=1", "t: <sip:b@y>", "i: 1", "CSEQ: 1 INVITE", "l: 0")
    assert parse(wire(lines=lines)).call_id == "1"


def test_names_in_any_case() -> None:
    for lower in PRETTY:
        if lower not in ("from", "to", "call-id", "content-length", "via", "cseq"):
            assert parse(wire(f"{lower.swapcase()}: x")).get(lower) == "x"
    assert parse(wire("eXtension-Thing:y")).get("extension-thing") == "y"


def test_folding() -> None:
    message = parse(wire("Subject: one\r\n  two\r\n\tthree", "Route:\r\n <sip:r;lr>"))
    assert message.get("subject") == "one two three"
    assert message.routes[0].uri == "sip:r;lr"


def test_bare_line_feeds_and_leading_blank_lines() -> None:
    message = parse(b"\r\n\n" + wire("Content-Length: 2", body=b"hi\n\nmore", end="\n"))
    assert message.body == b"hi"
    mixed = wire("Subject: a\nPriority: b", body=b"v=0\r\n\r\n")
    assert (parse(mixed).get("priority"), parse(mixed).body) == ("b", b"v=0\r\n\r\n")


def test_datagram_without_the_empty_line() -> None:
    assert parse(wire("l: 0")[:-2]).cseq == (7, "INVITE")
    assert status_of(wire("l: 0")[:-4]) == 400
    assert status_of(wire("l: 5")[:-2]) == 400


def test_charsets() -> None:
    assert parse(wire('Contact: "张伟" <sip:z@h>')).contacts[0].display == "张伟"
    latin = parse(wire().replace(b"<sip:a@x>", b'"J\xf6rg" <sip:a@x>'))
    assert (latin.from_.display, latin.charset) == ("Jörg", "latin-1")


@pytest.mark.parametrize("first", [
    "INVITE sip:b@y", "INVITE  sip:b@y SIP/2.0", " INVITE sip:b@y SIP/2.0", "INVITE sip:b@y  SIP/2.0",
    "INVITE sip:b@y SIP/2.0 ", "INVITE <sip:b@y> SIP/2.0", "INVITE sip:b@y?Route=x SIP/2.0", "INV:ITE sip:b SIP/2.0",
    "INVITE sip:b@y HTTP/1.1", "GET / HTTP/1.1", "", "SIP/2.0", "SIP/2.0 200", "SIP/2.0 99 x", "SIP/2.0 700 x",
    "SIP/2.0 2000 x", "SIP/2.0 ２００ x", "SIP/2.0 -20 x", "INVITE sip:b@y SIP/x",
])
def test_first_lines_refused(first: str) -> None:
    assert status_of(wire(first=first)) == 400


def test_other_versions() -> None:
    assert status_of(wire(first="INVITE sip:b@y SIP/7.0")) == 505


def test_request_uri_with_a_question_mark_in_the_user_part() -> None:
    assert parse(wire(first="INVITE sip:a?b@y SIP/2.0")).uri == "sip:a?b@y"


@pytest.mark.parametrize("line", [
    "no colon", ": empty", "bad name: x", "naïve: x", "Subject: a\rb", "CSeq: 8 INVITE", "To: <sip:c@y>",
    "Call-ID: 2@a", "From: <sip:a@x>;tag=2",
])
def test_headers_refused(line: str) -> None:
    assert status_of(wire(line)) == 400


def test_a_repeated_header_with_the_same_value_is_harmless() -> None:
    assert parse(wire("Call-ID: 1@a", "Max-Forwards: 70", "Max-Forwards: 70")).max_forwards == 70


@pytest.mark.parametrize("missing", range(len(LINES)))
def test_mandatory_headers(missing: int) -> None:
    assert status_of(wire(lines=LINES[:missing] + LINES[missing + 1:])) == 400


@pytest.mark.parametrize(("place", "line"), [
    (0, "Via: "), (0, "Via: ,"), (0, "Via: SIP/2.0/UDP 192.0.2.15;;,;,,"), (1, 'From: "x <sip:a@x>'), (2, "To: <"),
    (3, "Call-ID: "), (4, "CSeq: x INVITE"), (4, "CSeq: 7 BYE"), (4, "CSeq: 9999999999 INVITE"),
])
def test_mandatory_headers_must_make_sense(place: int, line: str) -> None:
    assert status_of(wire(lines=(*LINES[:place], line, *LINES[place + 1:]))) == 400


def test_via_list_in_one_line() -> None:
    message = parse(wire(lines=("Via: SIP/2.0/UDP a;branch=1 , SIP/2.0/UDP b", *LINES[1:])))
    assert [via.host for via in message.vias] == ["a", "b"]
    assert message.via.branch == "1"


@pytest.mark.parametrize(("length", "body", "expected"), [
    ("0", b"trailing", b""), ("4", b"body", b"body"), ("4", b"body\r\n", b"body"), ("0004", b"body", b"body"),
])
def test_body_lengths(length: str, body: bytes, expected: bytes) -> None:
    assert parse(wire(f"Content-Length: {length}", body=body)).body == expected


@pytest.mark.parametrize("length", ["5", "9999", "-999", "", "1e1", "４", "99999999999999", "4, 4", "+4"])
def test_body_lengths_refused(length: str) -> None:
    assert status_of(wire(f"Content-Length: {length}", body=b"body")) == 400


def test_body_without_length() -> None:
    assert parse(wire(body=b"all of it")).body == b"all of it"
    assert status_of(wire(body=b"all of it"), datagram=False) == 400
    assert parse(wire("l: 2", body=b"hi"), datagram=False).body == b"hi"


def test_two_different_lengths() -> None:
    assert status_of(wire("Content-Length: 13", "Content-Length: 5", body=b"x" * 20)) == 400


def test_limits() -> None:
    assert status_of(b"x" * (message_bytes_max + 1)) == 513
    assert status_of(wire(*["X-A: b"] * header_lines_max)) == 513
    assert status_of(wire("X-A: " + "b" * header_line_bytes_max)) == 513
    assert parse(wire("X-A: " + "b" * (header_line_bytes_max - 10))).get("x-a")


def test_salvage_what_can_be_answered() -> None:
    broken = wire("no colon", "l: 99", lines=(*LINES[:2], 'To: "x <sip:b@y>', *LINES[3:]))
    message = salvage(broken)
    assert message is not None
    assert (message.method, message.via.host, message.get("to")) == ("INVITE", "192.0.2.1", '"x <sip:b@y>')
    odd = salvage(wire(first="INVITE  sip:b@y; lr SIP/2.0", lines=("Via: SIP/2.0/UDP h;;,;", LINES[4])))
    assert odd is not None and odd.via.host == "h" and odd.call_id == ""


@pytest.mark.parametrize("data", [
    b"", b"\r\n\r\n", b"garbage", wire(first="SIP/2.0 999 x"), wire(first="ACK sip:b SIP/7.0"), wire(lines=LINES[1:]),
    wire(lines=LINES[:4]), wire(lines=("Via: what?", *LINES[1:])), wire(first="GET / HTTP/1.1"), wire()[:40],
    wire(lines=("Via: ,", *LINES[1:])), wire(first="( sip:b SIP/2.0"),
])
def test_salvage_gives_up(data: bytes) -> None:
    assert salvage(data) is None


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.one_of(
    st.binary(max_size=300),
    st.lists(st.sampled_from([*wire("l: 3", "m: *").split(b"\r\n"), b" fold", b"v", b":", b"\r", b"\n", b'"', b"\xff"]),
             max_size=14).map(b"\r\n".join).map(lambda head: head + b"\r\n\r\nabc"),
    st.tuples(st.integers(0, 200), st.binary(max_size=4)).map(
        lambda cut: wire("l: 0")[:cut[0]] + cut[1] + wire("l: 0")[cut[0] + len(cut[1]):]),
), st.booleans())
def test_any_bytes_parse_or_raise(data: bytes, datagram: bool) -> None:
    try:
        message = parse(data, datagram=datagram)
    except ProtocolError as error:
        assert 400 <= error.status_hint < 600
        salvage(data)
        return
    assert isinstance(message, Message)
    assert message.via.transport and message.cseq[1] == message.method
    assert all("\r" not in value and "\n" not in value for _, value in message.headers)

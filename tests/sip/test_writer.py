"""Messages to bytes: copies, injection, round trips."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import LocalError
from engine.sip.message import METHODS, Message
from engine.sip.parser import parse, salvage
from engine.sip.writer import PHRASES, message, request, response

INVITE = (
    b"INVITE sip:b@y SIP/2.0\r\n"
    b"v: SIP/2.0/UDP p;branch=z9hG4bKp, SIP/2.0/UDP u;branch=z9hG4bKu\r\n"
    b"Via: SIP/2.0/TCP w;branch=z9hG4bKw\r\n"
    b"Record-Route: <sip:p1;lr>\r\n"
    b"Record-Route: <sip:p2;lr>\r\n"
    b'f: "A \\"x\\"" <sip:a@x> ; tag=1\r\n'
    b"t: <sip:b@y>\r\n"
    b"i: 1@a\r\n"
    b"CSeq:   7   INVITE\r\n"
    b"Timestamp: 54\r\n\r\n"
)


def test_response_copies_the_requests_own_text() -> None:
    data = response(parse(INVITE), 180, to_tag="t1", headers=[("Contact", "<sip:us>")])
    assert data == (
        b"SIP/2.0 180 Ringing\r\n"
        b"Via: SIP/2.0/UDP p;branch=z9hG4bKp, SIP/2.0/UDP u;branch=z9hG4bKu\r\n"
        b"Via: SIP/2.0/TCP w;branch=z9hG4bKw\r\n"
        b'From: "A \\"x\\"" <sip:a@x> ; tag=1\r\n'
        b"Call-ID: 1@a\r\n"
        b"CSeq: 7   INVITE\r\n"
        b"To: <sip:b@y>;tag=t1\r\n"
        b"Record-Route: <sip:p1;lr>\r\n"
        b"Record-Route: <sip:p2;lr>\r\n"
        b"Contact: <sip:us>\r\n"
        b"Content-Length: 0\r\n\r\n"
    )


def test_record_route_only_where_a_dialog_can_begin() -> None:
    for status, copied in ((100, False), (183, True), (200, True), (302, False), (404, False)):
        assert (b"Record-Route" in response(parse(INVITE), status)) == copied


def test_to_tag_of_the_request_stays() -> None:
    inside = parse(INVITE.replace(b"t: <sip:b@y>", b"t: <sip:b@y>;tag=old"))
    assert parse(response(inside, 200, to_tag="new")).to.tag == "old"
    assert parse(response(parse(INVITE), 200, to_tag="new")).to.tag == "new"
    assert parse(response(parse(INVITE), 100)).to.tag == ""


def test_body_and_type() -> None:
    answer = parse(response(parse(INVITE), 200, body=b"v=0\r\n", content_type="application/sdp"), datagram=False)
    assert (answer.body, answer.content_type) == (b"v=0\r\n", "application/sdp")
    assert parse(response(parse(INVITE), 200, content_type="application/sdp")).get("content-type") is None


def test_phrases() -> None:
    request_ = parse(INVITE)
    assert response(request_, 486).startswith(b"SIP/2.0 486 Busy Here\r\n")
    assert response(request_, 486, "Nobody home").startswith(b"SIP/2.0 486 Nobody home\r\n")
    assert response(request_, 499).startswith(b"SIP/2.0 499 Bad Request\r\n")
    assert response(request_, 200, "да").startswith("SIP/2.0 200 да\r\n".encode())
    assert all(100 <= status <= 699 and phrase for status, phrase in PHRASES.items())
    for status in (99, 700):
        with pytest.raises(LocalError):
            response(request_, status)


def test_source_stamps_the_top_via_once() -> None:
    asked = parse(INVITE.replace(b"branch=z9hG4bKp,", b"rport;branch=z9hG4bKp,"))
    data = response(asked, 100, source=("192.0.2.7", 4000))
    assert b"Via: SIP/2.0/UDP p;rport=4000;branch=z9hG4bKp;received=192.0.2.7, SIP/2.0/UDP u;" in data
    assert response(asked, 100) == data


def test_latin_1_goes_back_byte_for_byte() -> None:
    odd = parse(INVITE.replace(b"A ", b"\xc4 "))
    data = response(odd, 200, "да", to_tag="x")
    assert b'From: "\xc4 \\"x' in data
    assert data.startswith("SIP/2.0 200 да\r\n".encode())


def test_salvaged_requests_can_be_answered() -> None:
    broken = salvage(INVITE.replace(b"t: <sip:b@y>", b't: "x <sip:b@y>').replace(b"i: 1@a\r\n", b""))
    assert broken is not None
    data = response(broken, 400, to_tag="z")
    assert b'To: "x <sip:b@y>;tag=z\r\n' in data
    assert b"Call-ID" not in data


def test_request() -> None:
    data = request("OPTIONS", "sip:b@y", [("Via", "SIP/2.0/UDP h"), ("call-id", "1")], b"x", "text/plain")
    assert data == (
        b"OPTIONS sip:b@y SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nCall-ID: 1\r\nContent-Type: text/plain\r\n"
        b"Content-Length: 1\r\n\r\nx"
    )


EVIL = ("a\r\nX: y", "a\nb", "a\rb", "\r\n", "a\r\n\r\nbody")


@pytest.mark.parametrize("evil", EVIL)
def test_header_injection_is_impossible(evil: str) -> None:
    asked = parse(INVITE)
    for attempt in (
        lambda: request("OPTIONS", "sip:b", [("Subject", evil)]),
        lambda: request("OPTIONS", "sip:b", [], b"x", evil),
        lambda: request("OPTIONS", "sip:" + evil, []),
        lambda: request("OPT" + evil, "sip:b", []),
        lambda: request("OPTIONS", "sip:b", [(evil, "x")]),
        lambda: response(asked, 200, evil),
        lambda: response(asked, 200, headers=[("Contact", evil)]),
        lambda: response(asked, 200, body=b"x", content_type=evil),
        lambda: message(Message(False, "INVITE", status=200, phrase=evil)),
    ):
        with pytest.raises(LocalError):
            attempt()


def test_a_to_tag_is_ours_and_refused_when_it_breaks_the_line() -> None:
    with pytest.raises(LocalError):
        response(parse(INVITE), 200, to_tag="x\r\nEvil: y")


@pytest.mark.parametrize(("method", "uri", "name"), [
    ("", "sip:b", "X"), ("A B", "sip:b", "X"), ("A", "", "X"), ("A", "sip:a b", "X"), ("A", "<sip:a>", "X"),
    ("A", "sip:b", ""), ("A", "sip:b", "X Y"), ("A", "sip:b", "X:"),
])
def test_strict_out(method: str, uri: str, name: str) -> None:
    with pytest.raises(LocalError):
        request(method, uri, [(name, "v")])


_word = st.from_regex(r"[A-Za-z0-9.!%*_+`'~-]{1,12}", fullmatch=True)
_text = st.text(max_size=30).filter(lambda t: not set(t) & {"\r", "\n"}).map(lambda t: t.strip(" \t"))
_own = ("via", "from", "to", "call-id", "cseq", "content-length")


@st.composite
def messages(draw: st.DrawFn) -> Message:
    method = draw(st.one_of(st.sampled_from(sorted(METHODS)), _word))
    names = _word.map(str.lower).filter(lambda name: len(name) > 1 and name not in _own)
    extra = draw(st.dictionaries(names, _text, max_size=5))
    headers = [
        ("via", f"SIP/2.0/UDP {draw(st.from_regex('[a-z0-9]{1,9}', fullmatch=True))};branch=z9hG4bK{draw(_word)}"),
        *extra.items(),
        ("from", f"<sip:{draw(_word)}@x>;tag={draw(_word)}"), ("to", f"<sip:{draw(_word)}@y>"),
        ("call-id", draw(_word)), ("cseq", f"{draw(st.integers(0, 2**31 - 1))} {method}"),
    ]
    body = draw(st.binary(max_size=60))
    if draw(st.booleans()):
        return Message(True, method, f"sip:{draw(_word)}@h", headers=headers, body=body)
    return Message(False, method, status=draw(st.integers(100, 699)), phrase=draw(_text), headers=headers, body=body)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(messages(), st.booleans())
def test_written_parses_back_equal(what: Message, datagram: bool) -> None:
    parsed = parse(message(what), datagram=datagram)
    assert parsed.headers.pop() == ("content-length", str(len(what.body)))
    assert parsed == what


@settings(max_examples=100, deadline=None, derandomize=True)
@given(messages().filter(lambda m: m.is_request), st.integers(100, 699), _word)
def test_a_response_matches_its_request(asked: Message, status: int, tag: str) -> None:
    asked = parse(message(asked))
    answer = parse(response(asked, status, to_tag=tag, source=("192.0.2.1", 5060)), datagram=False)
    assert (answer.status, answer.cseq, answer.call_id) == (status, asked.cseq, asked.call_id)
    assert answer.via == asked.via and answer.via.received == "192.0.2.1"
    assert (answer.from_, answer.to.tag) == (asked.from_, tag)

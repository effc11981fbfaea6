"""Typed views, lists, stamping, encoding of messages."""

from __future__ import annotations

import msgspec
import pytest

from engine.errors import ProtocolError
from engine.sip.message import LISTS, Message, delta_seconds, parse_cseq

HEADERS = [
    ("via", "SIP/2.0/UDP a;rport;branch=z9hG4bK1, SIP/2.0/TCP b;branch=z9hG4bK2"),
    ("via", "SIP/2.0/UDP c;branch=z9hG4bK3"),
    ("from", '"A" <sip:a@x>;tag=1'),
    ("to", "<sip:b@y>"),
    ("call-id", "1@a"),
    ("cseq", "7 INVITE"),
    ("contact", '"x, y" <sip:a@h>;expires=5, <sip:b@h>'),
    ("route", "<sip:r1;lr>,<sip:r2;lr>"),
    ("record-route", "<sip:p1;lr>"),
    ("record-route", "<sip:p2;lr>"),
    ("supported", "Timer, 100rel"),
    ("content-type", "Application/SDP ; charset=utf-8"),
    ("expires", "3600"),
    ("max-forwards", "70"),
    ("subject", "a, b"),
]


def invite() -> Message:
    return Message(True, "INVITE", "sip:b@y", headers=list(HEADERS))


def test_views() -> None:
    message = invite()
    assert (message.via.host, [via.host for via in message.vias]) == ("a", ["a", "b", "c"])
    assert (message.from_.tag, message.to.tag, message.call_id, message.cseq) == ("1", "", "1@a", (7, "INVITE"))
    assert [contact.user for contact in message.contacts] == ["a", "b"]
    assert message.contact is not None and message.contact.params == {"expires": "5"}
    assert [route.host for route in message.routes] == ["r1", "r2"]
    assert [route.uri for route in message.record_routes] == ["sip:p1;lr", "sip:p2;lr"]
    assert (message.expires, message.max_forwards, message.content_type) == (3600, 70, "application/sdp")


def test_get_and_all() -> None:
    message = invite()
    assert message.get("record-route") == "<sip:p1;lr>"
    assert message.get("x-none") is None
    assert message.all("supported") == ["Timer", "100rel"]
    assert message.all("subject") == ["a, b"]
    assert message.all("via") == [
        "SIP/2.0/UDP a;rport;branch=z9hG4bK1", "SIP/2.0/TCP b;branch=z9hG4bK2", "SIP/2.0/UDP c;branch=z9hG4bK3"
    ]
    assert message.all("x-none") == []
    assert message.has_option("supported", "timer")
    assert not message.has_option("supported", "replaces")
    assert not message.has_option("require", "timer")


def test_absent() -> None:
    message = Message(True, "OPTIONS", "sip:x")
    assert (message.contacts, message.contact, message.routes, message.expires) == ([], None, [], None)
    assert (message.content_type, message.call_id, message.max_forwards) == ("", "", None)
    for view in ("via", "from_", "to", "cseq"):
        with pytest.raises(ProtocolError, match="missing"):
            getattr(message, view)


def test_broken_contact_raises_when_read() -> None:
    message = Message(True, "REGISTER", "sip:x", headers=[("contact", "sip:u@e?Route=%3Csip:x%3E")])
    with pytest.raises(ProtocolError):
        _ = message.contacts


def test_stamp_rewrites_only_the_top_via() -> None:
    message = invite()
    assert "branch=z9hG4bK1, SIP" in message.reply_head
    message.stamp("192.0.2.9", 4000)
    assert message.headers[0] == (
        "via", "SIP/2.0/UDP a;rport=4000;branch=z9hG4bK1;received=192.0.2.9, SIP/2.0/TCP b;branch=z9hG4bK2"
    )
    assert message.headers[1:] == HEADERS[1:]
    assert message.via.received == "192.0.2.9"
    assert message.vias[0].rport == 4000
    assert "received=192.0.2.9" in message.reply_head
    assert message.get("via") == message.headers[0][1]


def test_messages_are_data() -> None:
    message = invite()
    message.body = b"\x00\xff"
    assert message.via.host == "a"
    copy = msgspec.msgpack.decode(msgspec.msgpack.encode(message), type=Message)
    assert copy == message
    assert copy.via == message.via
    assert "via" not in msgspec.structs.asdict(copy)


@pytest.mark.parametrize(("value", "expected"), [
    ("1 INVITE", (1, "INVITE")), ("0009  INVITE", (9, "INVITE")), ("0 ACK", (0, "ACK")), ("1\tBYE", (1, "BYE")),
    ("2147483647 X", (2147483647, "X")),
])
def test_cseq(value: str, expected: tuple[int, str]) -> None:
    assert parse_cseq(value) == expected


@pytest.mark.parametrize("value", [
    "", "1", "INVITE 1", "-1 INVITE", "2147483648 INVITE", "36893488147419103232 REGISTER", "1 A B C", "１ INVITE",
    " INVITE", "9" * 5000 + " X",
])
def test_cseq_refused(value: str) -> None:
    with pytest.raises(ProtocolError):
        parse_cseq(value)


def test_counts() -> None:
    assert delta_seconds("3600;x=y") == 3600
    assert delta_seconds("9" * 100) == 2**32 - 1
    assert delta_seconds("99999999999") == 2**32 - 1
    assert [delta_seconds(text) for text in (None, "", "-1", "abc", "1.5")] == [None] * 5
    assert Message(True, "X", headers=[("max-forwards", "300")]).max_forwards == 255


def test_authentication_headers_are_no_lists() -> None:
    assert not LISTS & {"www-authenticate", "authorization", "proxy-authenticate", "date", "from", "user-agent"}

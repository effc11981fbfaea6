"""URIs: parts, escapes, IPv6, equality of RFC 3261 §19.1.4."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ProtocolError
from engine.sip.uri import Uri, escape_user, format_host, parse_uri, split_host_port, unescape

PARSED = [
    ("sip:alice@atlanta.com", Uri("sip", "alice", host="atlanta.com")),
    ("SIPS:alice:secret@Atlanta.COM:5061", Uri("sips", "alice", "secret", "atlanta.com", 5061)),
    ("sip:atlanta.com", Uri("sip", host="atlanta.com")),
    ("sip:100@[2001:db8::9]:5070;transport=tcp;lr", Uri("sip", "100", "", "2001:db8::9", 5070,
                                                        {"transport": "tcp", "lr": ""})),
    ("sip:[2001:DB8::9]", Uri("sip", host="2001:db8::9")),
    ("sip:sips%3Auser%40example.com@example.net", Uri("sip", "sips:user@example.com", host="example.net")),
    ("sip:user;par=u%40example.net@example.com", Uri("sip", "user;par=u@example.net", host="example.com")),
    ("sip:a@b?subject=project%20x&Priority=urgent",
     Uri("sip", "a", host="b", headers={"subject": "project x", "priority": "urgent"})),
    ("sip:caller@host;%6C%72;n%61me=v%61lue%25%34%31",
     Uri("sip", "caller", host="host", params={"lr": "", "name": "value%41"})),
    ("sip:null-%00-null@example.com", Uri("sip", "null-\0-null", host="example.com")),
    ("sip:%FF@h", Uri("sip", "\u00ff", host="h")),
    ("sip:%E4%BD%A0@h", Uri("sip", "你", host="h")),
    ("sip:a@h:0", Uri("sip", "a", host="h")),
    ("sip:a@h;;lr;", Uri("sip", "a", host="h", params={"lr": ""})),
    ("sip:a@h;x=1;x=2", Uri("sip", "a", host="h", params={"x": "1"})),
    ("tel:+1-201-555-0123;phone-context=example.com",
     Uri("tel", "+1-201-555-0123", params={"phone-context": "example.com"})),
    ("soap.beep://192.0.2.103:3002", Uri("soap.beep", opaque="//192.0.2.103:3002")),
]


@pytest.mark.parametrize(("text", "uri"), PARSED)
def test_parts(text: str, uri: Uri) -> None:
    parsed = parse_uri(text)
    assert msgspec.structs.astuple(parsed) == msgspec.structs.astuple(uri)
    assert parse_uri(str(parsed)) == parsed


@pytest.mark.parametrize("text", [
    "", "sip", "sip:", "alice@atlanta.com", ":a@b", "sip:@host", "sip:a@", "sip:a@b@c", "sip:a b@c", "sip:<a>@c",
    "sip:a@h:70000", "sip:a@h:1x", "sip:a@h:５０６０", "sip:a@[::1", "sip:a@[zz]", "sip:a@[::1]x", "sip:a@h\r\nX: y",
    "sip:a@h_ä", "1sip:a@h", "tel:", "tel:;x=y", 'sip:"a"@h', "sip:a@ h",
])
def test_refused(text: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_uri(text)
    assert caught.value.status_hint == 400
    assert "RFC" in caught.value.section


# The examples of RFC 3261 §19.1.4, first those that are equivalent.
@pytest.mark.parametrize(("one", "two"), [
    ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
    ("sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
     "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"),
    ("sip:alice@atlanta.com?subject=project%20x&priority=urgent",
     "sip:alice@atlanta.com?priority=urgent&subject=project%20x"),
])
def test_equivalent(one: str, two: str) -> None:
    assert parse_uri(one) == parse_uri(two)
    assert parse_uri(two) == parse_uri(one)


@pytest.mark.parametrize(("one", "two"), [
    ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
    ("sip:bob@biloxi.com;transport=udp", "sip:bob@biloxi.com;transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
    ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
    ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
    ("sip:a@h", "sips:a@h"), ("sip:a:x@h", "sip:a@h"), ("isbn:1", "isbn:2"),
])
def test_different(one: str, two: str) -> None:
    assert parse_uri(one) != parse_uri(two)
    assert parse_uri(two) != parse_uri(one)


def test_other_types_and_hash() -> None:
    assert Uri("sip", host="h") != "sip:h"
    with pytest.raises(TypeError):
        hash(Uri("sip", host="h"))


def test_escaping_a_user_can_never_break_a_line() -> None:
    assert escape_user("1001") == "1001"
    assert escape_user("a\r\nVia: x") == "a%0D%0AVia%3A%20x"
    assert "\r" not in str(Uri("sip", "a\r\nb", "p\r\n", "h", params={"x\n": "\r"}, headers={"\n": "\r"}))


def test_hosts() -> None:
    assert split_host_port("[::1]:5060") == ("::1", 5060)
    assert split_host_port("Example.COM") == ("example.com", 0)
    assert split_host_port("h : 5060") == ("h", 5060)
    assert format_host("::1", 5060) == "[::1]:5060"
    assert format_host("::1") == "[::1]"
    assert format_host("h", 1) == "h:1"
    assert unescape("%zz%4") == "%zz%4"


_texts = st.text(max_size=12)
_names = st.text(min_size=1, max_size=8).map(str.lower).filter(lambda name: name == name.lower())
_hosts = st.one_of(
    st.from_regex(r"[a-z0-9][a-z0-9.-]{0,20}", fullmatch=True), st.ip_addresses(v=6).map(str), st.just("192.0.2.1")
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.builds(
    Uri, st.sampled_from(["sip", "sips"]), st.text(min_size=1, max_size=12), _texts, _hosts, st.integers(0, 65_535),
    st.dictionaries(_names, _texts, max_size=3), st.dictionaries(_names, _texts, max_size=3),
))
def test_written_parses_back(uri: Uri) -> None:
    assert msgspec.structs.astuple(parse_uri(str(uri))) == msgspec.structs.astuple(uri)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(uri), type=Uri) == uri


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.one_of(st.text(max_size=40), st.text("sip:@[]0123456789;=?&%aAfF.", max_size=40).map("sip:".__add__)))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        uri = parse_uri(text)
    except ProtocolError:
        return
    assert "\r" not in str(uri) and "\n" not in str(uri)
    assert uri.opaque or parse_uri(str(uri)) == uri

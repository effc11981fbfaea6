"""Via, addresses, lists, quoting."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ProtocolError
from engine.sip.headers import (
    NameAddr,
    Via,
    is_token,
    parse_name_addr,
    parse_params,
    parse_via,
    quote,
    split_list,
    unquote,
)


@pytest.mark.parametrize(("text", "via"), [
    ("SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776", Via("UDP", "pc33.atlanta.com", 0, {"branch": "z9hG4bK776"})),
    ("SIP/2.0/TCP 192.0.2.1:5060", Via("TCP", "192.0.2.1", 5060)),
    ("sip/2.0/tls [2001:DB8::1]:5061;rport;BRANCH=x", Via("TLS", "2001:db8::1", 5061, {"rport": "", "branch": "x"})),
    ("SIP  /   2.0  /UDP     192.0.2.2 : 5060 ; branch = 390", Via("UDP", "192.0.2.2", 5060, {"branch": "390"})),
    ("SIP/2.0/UNKNOWN t4.example.com", Via("UNKNOWN", "t4.example.com")),
    ("SIP/2.0/UDP 192.0.2.2:0;rport", Via("UDP", "192.0.2.2", 0, {"rport": ""})),
    ('SIP/2.0/UDP h;x="a;b,c"', Via("UDP", "h", 0, {"x": '"a;b,c"'})),
])
def test_via(text: str, via: Via) -> None:
    assert parse_via(text) == via
    assert parse_via(str(via)) == via


@pytest.mark.parametrize("text", [
    "", "SIP/2.0/UDP", "SIP/2.0/UDP ", "UDP 192.0.2.1", "SIP/3.0/UDP h", "SIP/2.0/UDP h;;", "SIP/2.0/UDP h;",
    "SIP/2.0/UDP h:port", "SIP/2.0/UDP fe80::1:5060", "SIP/2.0/UDP h;=x", "SIP/2.0/UDP h:99999", "SIP/2.0/UDP a b;c",
    'SIP/2.0/UDP h;x="a',
])
def test_via_refused(text: str) -> None:
    with pytest.raises(ProtocolError):
        parse_via(text)


def test_via_lenient_only_to_answer() -> None:
    assert parse_via("SIP/7.0/UDP c.example.com;;", strict=False) == Via("UDP", "c.example.com")
    with pytest.raises(ProtocolError):
        parse_via("HTTP/1.1 h", strict=False)


def test_via_views() -> None:
    via = parse_via("SIP/2.0/UDP h;received=[2001:db8::1];rport=1234;branch=z9hG4bKx")
    assert (via.received, via.rport, via.branch, via.has_magic) == ("2001:db8::1", 1234, "z9hG4bKx", True)
    bare = parse_via("SIP/2.0/UDP h;branch=z9hG4bK")
    assert (bare.received, bare.rport, bare.has_magic) == ("", None, False)
    assert parse_via("SIP/2.0/UDP h;rport").rport == 0
    assert parse_via("SIP/2.0/UDP h;rport=x").rport == 0
    assert parse_via("SIP/2.0/UDP h").branch == ""


@pytest.mark.parametrize(("text", "stamped"), [
    ("SIP/2.0/UDP 192.0.2.1:5060;branch=b", "SIP/2.0/UDP 192.0.2.1:5060;branch=b"),
    ("SIP/2.0/UDP 10.0.0.1;branch=b", "SIP/2.0/UDP 10.0.0.1;branch=b;received=192.0.2.1"),
    ("SIP/2.0/UDP 192.0.2.1;rport;branch=b", "SIP/2.0/UDP 192.0.2.1;rport=4000;branch=b;received=192.0.2.1"),
    ("SIP/2.0/UDP 192.0.2.1;received=6.6.6.6;branch=b", "SIP/2.0/UDP 192.0.2.1;branch=b"),
    ("SIP/2.0/UDP h;rport=1;received=6.6.6.6", "SIP/2.0/UDP h;rport=4000;received=192.0.2.1"),
])
def test_stamp(text: str, stamped: str) -> None:
    via = parse_via(text)
    via.stamp("192.0.2.1", 4000)
    assert str(via) == stamped
    via.stamp("192.0.2.1", 4000)
    assert str(via) == stamped


@pytest.mark.parametrize(("text", "address"), [
    ('"Bob" <sips:bob@biloxi.com> ;tag=a48s', NameAddr("Bob", "sips:bob@biloxi.com", {"tag": "a48s"})),
    ("sip:+12125551212@phone2net.com;tag=887s", NameAddr("", "sip:+12125551212@phone2net.com", {"tag": "887s"})),
    ("Anonymous <sip:c8oqz84zk7z@privacy.org>;tag=hyh8",
     NameAddr("Anonymous", "sip:c8oqz84zk7z@privacy.org", {"tag": "hyh8"})),
    ("<sip:a@b;lr;transport=tcp>", NameAddr("", "sip:a@b;lr;transport=tcp")),
    ('"Quoted string \\"\\"" <sip:j@e> ; newparam = newvalue ; secondparam ; q = 0.33',
     NameAddr('Quoted string ""', "sip:j@e", {"newparam": "newvalue", "secondparam": "", "q": "0.33"})),
    ('"J \\\\\\"" <sip:j@e>;tag=1', NameAddr('J \\"', "sip:j@e", {"tag": "1"})),
    ("caller<sip:caller@example.com>;tag=323", NameAddr("caller", "sip:caller@example.com", {"tag": "323"})),
    ("Bell, Alexander <sip:a@e>", NameAddr("Bell, Alexander", "sip:a@e")),
    ('"a <b>" < sip:a@e >', NameAddr("a <b>", "sip:a@e")),
    ('"" <sip:a@e>;;;', NameAddr("", "sip:a@e")),
    ("<sip:a@e>;tag=", NameAddr("", "sip:a@e", {"tag": ""})),
    ('<sip:a@e>;+sip.instance="<urn:uuid:0>";reg-id=1',
     NameAddr("", "sip:a@e", {"+sip.instance": '"<urn:uuid:0>"', "reg-id": "1"})),
    ('"张伟" <sip:z@e>', NameAddr("张伟", "sip:z@e")),
    ("*", NameAddr("", "*")),
    ("isbn:2983792873", NameAddr("", "isbn:2983792873")),
    ("<sip:a@e>;TAG=Up", NameAddr("", "sip:a@e", {"tag": "Up"})),
])
def test_name_addr(text: str, address: NameAddr) -> None:
    assert parse_name_addr(text) == address
    assert parse_name_addr(str(address)) == address


@pytest.mark.parametrize("text", [
    "", '"Mr. J. User <sip:j.user@example.com>', "<sip:a@e", "<>", '"only a name"', "sip:a@e?Route=x", "a b",
    "<sip:a@e> trailing", "<sip:a@e>;=x", "sip:a@e,sip:b@e", '"x" sip:a@e', '<sip:a@e>;x="y',
])
def test_name_addr_refused(text: str) -> None:
    with pytest.raises(ProtocolError):
        parse_name_addr(text)


def test_parts_of_an_address_never_raise() -> None:
    address = parse_name_addr("<sip:j%20u@Example.com:5070>;tag=x")
    assert (address.user, address.host, address.port, address.tag) == ("j u", "example.com", 5070, "x")
    odd = NameAddr("", "sip:a b@c")
    assert (odd.user, odd.host, odd.port, odd.parts, odd.tag) == ("", "", 0, None, "")
    assert parse_name_addr("*").is_star and not odd.is_star


def test_derived_views_are_no_content() -> None:
    address = parse_name_addr("<sip:a@e>")
    assert address.parts is address.parts
    assert address == parse_name_addr("<sip:a@e>")
    assert msgspec.json.decode(msgspec.json.encode(address)) == {"display": "", "uri": "sip:a@e", "params": {}}


@pytest.mark.parametrize(("value", "parts"), [
    ("", []), (" ", []), ("a", ["a"]), ("a, b ,c", ["a", "b", "c"]), (",a,,b,", ["a", "b"]),
    ('"x, y" <sip:a@b>, <sip:c,d@e>;p="1,2"', ['"x, y" <sip:a@b>', '<sip:c,d@e>;p="1,2"']),
    (r'"a\", b" <sip:x@y>,<sip:z@y>', [r'"a\", b" <sip:x@y>', "<sip:z@y>"]),
    ("<sip:a,b", ["<sip:a,b"]), (";;,;;", [";;", ";;"]),
])
def test_split_list(value: str, parts: list[str]) -> None:
    assert split_list(value) == parts


def test_split_list_refuses_an_open_quote() -> None:
    with pytest.raises(ProtocolError):
        split_list('a, "b')


def test_params() -> None:
    assert parse_params('A=1;b; c = "x;\\"y" ;a=2') == {"a": "1", "b": "", "c": '"x;\\"y"'}
    with pytest.raises(ProtocolError):
        parse_params("a;;b", strict=True)


def test_quotes() -> None:
    assert quote('a "b" \\') == '"a \\"b\\" \\\\"'
    assert quote("a\r\nVia: x\0") == '"a Via: x "'
    assert unquote('"a \\"b\\""') == 'a "b"'
    assert unquote("plain") == "plain"
    assert unquote('"') == '"'


def test_tokens() -> None:
    assert is_token("!interesting-Method0123456789_*+`.%indeed'~")
    assert not any(map(is_token, ("", "a b", "a:b", "ä", "a\n")))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.text(max_size=30).filter(lambda text: all(c >= " " and c != "\x7f" for c in text)))
def test_any_display_name_comes_back(display: str) -> None:
    assert parse_name_addr(f"{quote(display)} <sip:a@b>;tag=1").display == display
    assert unquote(quote(display)) == display


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text('abS:@<>";=\\, \t*?./', max_size=30))
def test_any_text_parses_or_is_refused(text: str) -> None:
    for parse in (parse_name_addr, parse_via, split_list, parse_params):
        try:
            parse(text)
        except ProtocolError as error:
            assert error.status_hint == 400

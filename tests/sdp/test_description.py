"""SDP text: tolerance, refusals, round trips."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import LocalError, ProtocolError
from engine.sdp.description import (
    DIRECTIONS,
    Description,
    Media,
    formats_max,
    lines_max,
    media_lines_max,
    parse,
)

# The example of RFC 8866 §5.
EXAMPLE = (
    b"v=0\r\n"
    b"o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\n"
    b"s=Call to John Smith\r\n"
    b"i=SDP Offer #1\r\n"
    b"u=http://www.jdoe.example.com/home.html\r\n"
    b"e=Jane Doe <jane@jdoe.example.com>\r\n"
    b"p=+1 617 555-6011\r\n"
    b"c=IN IP4 198.51.100.1\r\n"
    b"b=AS:128\r\n"
    b"t=0 0\r\n"
    b"a=recvonly\r\n"
    b"m=audio 49170 RTP/AVP 0\r\n"
    b"m=audio 49180 RTP/AVP 0\r\n"
    b"c=IN IP4 198.51.100.2\r\n"
    b"a=sendrecv\r\n"
    b"m=video 51372/2 RTP/AVP 99\r\n"
    b"c=IN IP6 2001:db8::2\r\n"
    b"b=AS:64\r\n"
    b"a=rtpmap:99 h263-1998/90000\r\n"
    b"a=rtcp:53020 IN IP4 126.16.64.4\r\n"
)


def test_example() -> None:
    description = parse(EXAMPLE)
    assert (description.username, description.session_id, description.version, description.host) == (
        "jdoe", "3724394400", "3724394405", "198.51.100.1"
    )
    assert (description.name, description.bandwidths, description.times) == ("Call to John Smith", ["AS:128"], ["0 0"])
    first, _, video = description.media
    assert (first.kind, first.port, first.protocol, first.formats) == ("audio", 49170, "RTP/AVP", ["0"])
    assert [description.connection_of(line) for line in description.media] == [
        "198.51.100.1", "198.51.100.2", "2001:db8::2"
    ]
    assert [description.direction_of(line) for line in description.media] == ["recvonly", "sendrecv", "recvonly"]
    assert (video.ports, video.bandwidths, video.encodings()) == (2, ["AS:64"], {99: ("H263-1998", 90000, 1)})
    assert (video.rtcp_port(), first.rtcp_port()) == (53020, 49171)


def test_encoded_parses_back() -> None:
    description = parse(EXAMPLE)
    text = description.encode()
    assert parse(text) == description
    assert b"\r\nc=IN IP6 2001:db8::2\r\n" in text and b"m=video 51372/2 RTP/AVP 99\r\n" in text


def test_tolerance() -> None:
    text = b"\r\n v=0\nx=unknown\nnonsense\nc= IN IP4 192.0.2.1/127 \n\nm=AUDIO 4000 RTP/AVP 0 8\nz=?\na= sendonly \0"
    description = parse(text)
    assert (description.connection, description.name, description.times) == ("192.0.2.1", "-", [])
    assert (description.media[0].kind, description.media[0].formats) == ("audio", ["0", "8"])
    assert description.direction_of(description.media[0]) == "sendonly"
    assert b"s=-\r\n" in description.encode() and b"t=0 0\r\n" in description.encode()
    assert parse(text.replace(b"\n", b"\r")) == description


def test_bad_origin_and_latin_1_are_taken() -> None:
    description = parse(b"v=0\r\no=x y z\r\ns=J\xf6rg\r\n")
    assert (description.session_id, description.name) == ("0", "Jörg")


@pytest.mark.parametrize("text", [
    b"", b"\r\n", b"hello", b"v=1\r\n", b"o=- 0 0 IN IP4 h\r\nv=0\r\n", b"m=audio 1 RTP/AVP 0\r\n", b"\x00\xff\xfe",
    b"<sdp/>", b"v=0\r\nm=audio\r\n", b"v=0\r\nm=audio x RTP/AVP 0\r\n", b"v=0\r\nm=audio 70000 RTP/AVP 0\r\n",
    b"v=0\r\nm=audio -1 RTP/AVP 0\r\n", b"v=0\r\nm=audio 1/ RTP/AVP 0\r\n", b"v=0\r\nc=IN IP4\r\n",
    b"v=0\r\nc=IN ATM 1\r\n", b"v=0\r\nc=IN IP4 /127\r\n", b"v=0\r\nc=IN IP4 []\r\n", b"v=0\r\n" + b"a=x\r\n" * 3000,
])
def test_refused(text: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse(text)
    assert caught.value.status_hint == 400


def test_too_many_media_lines() -> None:
    line = b"m=audio 1 RTP/AVP 0\r\n"
    assert len(parse(b"v=0\r\n" + line * media_lines_max).media) == media_lines_max
    with pytest.raises(ProtocolError) as caught:
        parse(b"v=0\r\n" + line * (media_lines_max + 1))
    assert caught.value.status_hint == 488


def test_too_many_formats() -> None:
    assert len(parse(b"v=0\r\nm=audio 1 RTP/AVP" + b" 0" * formats_max).media[0].formats) == formats_max
    with pytest.raises(ProtocolError) as caught:
        parse(b"v=0\r\nm=audio 1 RTP/AVP 0" + b" 0" * formats_max)
    assert caught.value.status_hint == 488


def test_attributes() -> None:
    media = parse(
        b"v=0\r\nm=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000/1\r\na=fmtp:101 0-16 \r\n"
        b"a=fmtp:10 x\r\na=ptime:20.5\r\na=maxptime: 60\r\na=silenceSupp:off - - - -\r\na=rtpmap:101 again/1\r\n"
    ).media[0]
    assert media.encodings() == {101: ("TELEPHONE-EVENT", 8000, 1)}
    assert (media.format_parameters(101), media.format_parameters(10), media.format_parameters(1)) == ("0-16", "x", "")
    assert (media.number("ptime"), media.number("maxptime"), media.number("framerate")) == (20, 60, 0)
    assert (media.get("silenceSupp"), media.get("none"), media.direction()) == ("off - - - -", None, "")


@pytest.mark.parametrize("value", [
    "", "x", "0", "0 PCMU", "0 PCMU/", "0 PCMU/x", "128 PCMU/8000", "-1 PCMU/8000", "0 PCMU/8000/1/1", "0 a/8000/x",
    "0 PCMU/99999999", "０ PCMU/8000",
])
def test_nonsense_in_rtpmap_is_ignored(value: str) -> None:
    assert Media("audio", 1, "RTP/AVP", ["0"], attributes=[("rtpmap", value)]).encodings() == {}


@pytest.mark.parametrize(("stated", "port"), [("5005", 5005), ("0", 4001), ("x", 4001), ("99999", 4001)])
def test_rtcp_port(stated: str, port: int) -> None:
    assert Media("audio", 4000, "RTP/AVP", ["0"], attributes=[("rtcp", stated)]).rtcp_port() == port
    assert Media("audio", 0, "RTP/AVP", ["0"]).rtcp_port() == 0


@pytest.mark.parametrize("number", ["", "-1", "x", "２０", "9999999"])
def test_odd_numbers_count_as_absent(number: str) -> None:
    assert Media("audio", 1, "RTP/AVP", ["0"], attributes=[("ptime", number)]).number("ptime") == 0


def test_a_value_can_not_begin_a_line() -> None:
    for description in (
        Description(name="a\r\nm=audio 1 RTP/AVP 0"), Description(attributes=[("x", "y\n")]),
        Description(media=[Media("audio", 1, "RTP/AVP", ["0\r0"])]),
    ):
        with pytest.raises(LocalError):
            description.encode()


_word = st.from_regex(r"[A-Za-z0-9.+-]{1,10}", fullmatch=True)
_value = st.text(max_size=20).filter(lambda t: not set(t) & {"\r", "\n"}).map(lambda t: t.strip(" \t\0"))
_host = st.one_of(st.ip_addresses().map(str), st.just("host.example.com"))
_attributes = st.lists(st.one_of(
    st.tuples(_word, _value), st.sampled_from(DIRECTIONS).map(lambda name: (name, "")),
    st.just(("rtpmap", "8 PCMA/8000")),
), max_size=4)
_media = st.builds(
    Media, st.sampled_from(["audio", "video", "image"]), st.integers(0, 65_535), st.sampled_from(["RTP/AVP", "udptl"]),
    st.lists(_word, min_size=1, max_size=4), st.integers(1, 9), st.one_of(st.just(""), _host),
    st.lists(_value, max_size=2), _attributes,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.builds(
    Description, st.integers(0, 2**63).map(str), st.integers(0, 2**63).map(str), _word, _host,
    _value.map(lambda name: name or "-"), st.one_of(st.just(""), _host), st.lists(_value, max_size=2),
    st.lists(_value, min_size=1, max_size=2), _attributes, st.lists(_media, max_size=4),
))
def test_round_trip(description: Description) -> None:
    assert parse(description.encode()) == description


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.one_of(
    st.binary(max_size=120),
    st.lists(st.sampled_from([*EXAMPLE.split(b"\r\n"), b"m=", b"a=", b"c=", b"a=rtpmap:", b"\xff=", b"="]), max_size=12)
    .map(lambda lines: b"v=0\n" + b"\n".join(lines)),
))
def test_any_bytes_parse_or_raise(data: bytes) -> None:
    try:
        description = parse(data)
    except ProtocolError as error:
        assert error.status_hint in (400, 488)
        return
    assert [media.port for media in parse(description.encode()).media] == [media.port for media in description.media]


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
def test_too_many_lines_whatever_ends_them(end: bytes) -> None:
    assert parse(b"v=0" + end + (b"a=x" + end) * (lines_max - 2)).attributes
    with pytest.raises(ProtocolError):
        parse(b"v=0" + end + (b"a=x" + end) * lines_max)

"""Offer and answer: every shape that phones and gateways send, and what becomes of it."""

from __future__ import annotations

from itertools import product

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import LocalError, ProtocolError
from engine.sdp.description import DIRECTIONS, parse
from engine.sdp.negotiation import (
    CN,
    EVENTS_16,
    G722,
    L16_8,
    L16_16,
    PCMA,
    PCMU,
    Agreed,
    Local,
    answer_offer,
    make_offer,
    read_answer,
)


def sdp(*lines: str, host: str = "198.51.100.7", session: tuple[str, ...] = ()) -> bytes:
    family = "IP6" if ":" in host else "IP4"
    head = ["v=0", f"o=- 1 1 IN {family} {host}", "s=-", f"c=IN {family} {host}", "t=0 0", *session]
    return "\r\n".join([*head, *lines, ""]).encode()


def local(**changes: object) -> Local:
    return msgspec.structs.replace(Local("192.0.2.1", 16_384, session_id=77, version=5), **changes)


def answered(*lines: str, prefer: int | None = None, session: tuple[str, ...] = (), **changes: object) -> Agreed:
    return answer_offer(sdp(*lines, session=session), local(**changes), prefer=prefer)[1]


USUAL = ("m=audio 4000 RTP/AVP 0 8 101", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16")


def test_usual_offer() -> None:
    body, agreed = answer_offer(sdp(*USUAL), local())
    assert body == (
        b"v=0\r\no=- 77 5 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 16384 RTP/AVP 0 8 101\r\n"
        b"a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
        b"a=ptime:20\r\na=sendrecv\r\n"
    )
    assert agreed == Agreed(
        "198.51.100.7", 4000, PCMU, 0, ((0, PCMU), (8, PCMA)), 101, 101, 20, "sendrecv", False
    )


def test_our_offer() -> None:
    line = parse(make_offer(local(), prefer=PCMA)).media[0]
    assert (line.port, line.formats, line.get("fmtp")) == (16_384, ["8", "0", "101"], "101 0-15")
    assert parse(make_offer(local(events=False, codecs=(8,)))).media[0].formats == ["8"]
    assert parse(make_offer(local(direction="sendonly"))).media[0].direction() == "sendonly"
    assert b"c=IN IP6 2001:db8::1\r\n" in make_offer(local(host="2001:db8::1"))
    for codecs in ((), (18,)):
        with pytest.raises(LocalError):
            make_offer(local(codecs=codecs))


def test_order_and_preference() -> None:
    assert answered("m=audio 4000 RTP/AVP 8 0").codec == PCMA
    assert answered("m=audio 4000 RTP/AVP 8 0", prefer=PCMU).codec == PCMU
    assert answered("m=audio 4000 RTP/AVP 8 0", prefer=PCMU).codecs_in == ((0, PCMU), (8, PCMA))
    assert answered("m=audio 4000 RTP/AVP 8", prefer=PCMU).codec == PCMA
    assert answered("m=audio 4000 RTP/AVP 8 0", codecs=(PCMU,)).codecs_in == ((0, PCMU),)


def test_dynamic_payload_types_of_the_offer_are_kept() -> None:
    body, agreed = answer_offer(sdp(
        "m=audio 4000 RTP/AVP 18 97 110 96", "a=rtpmap:97 pcma/8000", "a=rtpmap:96 telephone-event/8000",
        "a=rtpmap:110 telephone-event/48000",
    ), local())
    assert (agreed.codec, agreed.payload_type_out, agreed.codecs_in, agreed.events_out) == (PCMA, 97, ((97, PCMA),), 96)
    assert b"m=audio 16384 RTP/AVP 97 96\r\n" in body and b"a=rtpmap:97 PCMA/8000\r\n" in body


def test_rtpmap_beats_the_static_table() -> None:
    with pytest.raises(ProtocolError):
        answered("m=audio 4000 RTP/AVP 0", "a=rtpmap:0 G722/8000")
    with pytest.raises(ProtocolError):
        answered("m=audio 4000 RTP/AVP 0 8", "a=rtpmap:0 PCMU/16000", "a=rtpmap:8 PCMA/8000/2")


def test_no_events() -> None:
    assert answered("m=audio 4000 RTP/AVP 0").events_out == -1
    agreed = answered(*USUAL, events=False)
    assert (agreed.events_in, agreed.events_out) == (-1, -1)
    assert b"telephone-event" not in answer_offer(sdp(*USUAL), local(events=False))[0]


@pytest.mark.parametrize(("lines", "frame_ms"), [
    ((), 20), (("a=ptime:30",), 30), (("a=ptime:25",), 20), (("a=ptime:5",), 10), (("a=ptime:100",), 60),
    (("a=ptime:60", "a=maxptime:40"), 40), (("a=maxptime:10",), 10), (("a=ptime:x",), 20), (("a=ptime:0",), 20),
])
def test_frame_time(lines: tuple[str, ...], frame_ms: int) -> None:
    assert answered(*USUAL, *lines).frame_ms_out == frame_ms
    assert read_answer(make_offer(local()), sdp(*USUAL, *lines)).frame_ms_out == frame_ms


DIRECTION_TABLE = {  # (theirs, what we want): (ours, they hold us)
    ("sendrecv", "sendrecv"): ("sendrecv", False),
    ("sendonly", "sendrecv"): ("recvonly", True),
    ("recvonly", "sendrecv"): ("sendonly", False),
    ("inactive", "sendrecv"): ("inactive", True),
    ("sendrecv", "sendonly"): ("sendonly", False),
    ("sendonly", "sendonly"): ("inactive", True),
    ("recvonly", "sendonly"): ("sendonly", False),
    ("inactive", "sendonly"): ("inactive", True),
    ("sendrecv", "recvonly"): ("recvonly", False),
    ("sendonly", "recvonly"): ("recvonly", True),
    ("recvonly", "recvonly"): ("inactive", False),
    ("inactive", "recvonly"): ("inactive", True),
    ("sendrecv", "inactive"): ("inactive", False),
    ("sendonly", "inactive"): ("inactive", True),
    ("recvonly", "inactive"): ("inactive", False),
    ("inactive", "inactive"): ("inactive", True),
}


@pytest.mark.parametrize(("theirs", "wanted"), list(product(DIRECTIONS, DIRECTIONS)))
def test_directions(theirs: str, wanted: str) -> None:
    ours, hold = DIRECTION_TABLE[theirs, wanted]
    body, agreed = answer_offer(sdp(*USUAL, f"a={theirs}"), local(direction=wanted))
    assert (agreed.direction, agreed.remote_hold) == (ours, hold)
    assert parse(body).media[0].direction() == ours
    again = read_answer(make_offer(local(direction=wanted)), sdp(*USUAL, session=(f"a={theirs}",)))
    assert (again.direction, again.remote_hold) == (ours, hold and wanted in ("sendrecv", "sendonly"))


@pytest.mark.parametrize(("line", "direction"), [("a=sendrecv", "recvonly"), ("a=inactive", "inactive")])
def test_hold_by_address(line: str, direction: str) -> None:
    agreed = answered(*USUAL, "c=IN IP4 0.0.0.0", line)
    assert (agreed.remote_hold, agreed.direction, agreed.host) == (True, direction, "0.0.0.0")


def test_an_answer_to_our_own_inactive_is_no_hold() -> None:
    agreed = read_answer(make_offer(local(direction="inactive")), sdp(*USUAL, "a=inactive"))
    assert (agreed.direction, agreed.remote_hold) == ("inactive", False)


def test_resume_after_hold() -> None:
    state = local()
    held = ("a=sendonly",)
    for lines, hold, version in (((), False, 5), (held, True, 6), (held, True, 6), ((), False, 7)):
        body, agreed = answer_offer(sdp(*USUAL, *lines), state)
        assert (agreed.remote_hold, parse(body).session_id, parse(body).version) == (hold, "77", str(version))


def test_version_rises_only_with_the_content() -> None:
    state = local()
    first = make_offer(state)
    assert make_offer(state) == first
    state.direction = "sendonly"
    second = parse(make_offer(state))
    assert (second.session_id, second.version, state.version) == ("77", "6", 6)
    with pytest.raises(ProtocolError):
        answer_offer(sdp("m=audio 4000 RTP/AVP 18"), state)
    assert state.version == 6
    state.version = 99  # a caller who counts by himself doesn't disturb
    assert parse(make_offer(state)).version == "6"
    copy = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=Local)
    assert make_offer(copy) == make_offer(state)


def test_other_lines_are_refused_in_place() -> None:
    body, agreed = answer_offer(sdp(
        "m=video 5000 RTP/AVP 31 99", "a=rtpmap:99 H264/90000", "m=audio 4002 RTP/SAVP 0", "a=crypto:1 x inline:y",
        *USUAL, "m=image 4004 udptl t38", "m=audio 4006 RTP/AVP 0", "m=text 0 RTP/AVP 98", "m=audio 1 RTP/AVPF 8",
    ), local())
    lines = parse(body).media
    assert [(line.kind, line.port, line.protocol) for line in lines] == [
        ("video", 0, "RTP/AVP"), ("audio", 0, "RTP/SAVP"), ("audio", 16_384, "RTP/AVP"), ("image", 0, "udptl"),
        ("audio", 0, "RTP/AVP"), ("text", 0, "RTP/AVP"), ("audio", 0, "RTP/AVPF"),
    ]
    assert (lines[0].formats, lines[3].formats, lines[0].attributes) == (["31", "99"], ["t38"], [])
    assert agreed.port == 4000


@pytest.mark.parametrize("lines", [
    (), ("m=video 5000 RTP/AVP 31",), ("m=audio 0 RTP/AVP 0",), ("m=audio 4000 RTP/AVP 18 9",),
    ("m=audio 4000 RTP/AVPF 0",), ("m=audio 4000 RTP/SAVP 0",), ("m=audio 4000 UDP/TLS/RTP/SAVPF 0 8",),
    ("m=audio 4000 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000"), ("m=audio 4000 RTP/AVP",),
    ("m=audio 4000 RTP/AVP 0", "c=IN IP4 224.2.1.1/127"), ("m=audio 4000 RTP/AVP 0", "c=IN IP4 255.255.255.255"),
    ("m=audio 4000 RTP/AVP 0", "c=IN IP6 2001:db8::1"), ("m=audio 4000 RTP/AVP 200 x ０",),
])
def test_offers_that_do_not_fit(lines: tuple[str, ...]) -> None:
    with pytest.raises(ProtocolError) as caught:
        answered(*lines)
    assert caught.value.status_hint == 488


def test_no_address_at_all() -> None:
    with pytest.raises(ProtocolError) as caught:
        answer_offer(b"v=0\r\nm=audio 4000 RTP/AVP 0\r\n", local())
    assert caught.value.status_hint == 488
    with pytest.raises(ProtocolError) as caught:
        answer_offer(b"not sdp", local())
    assert caught.value.status_hint == 400


def test_a_name_as_address_is_left_to_learning() -> None:
    agreed = answer_offer(sdp(*USUAL, host="phone.example.com"), local())[1]
    assert (agreed.host, agreed.remote_hold, agreed.direction) == ("0.0.0.0", False, "sendrecv")
    assert answered(*USUAL, "c=IN IP4 300.1.1.1").host == "0.0.0.0"
    assert answered(*USUAL, "c=IN IP4 223.255.255.254").host == "223.255.255.254"


def test_ipv6() -> None:
    body, agreed = answer_offer(sdp(*USUAL, host="2001:db8::7"), local(host="2001:db8::1"))
    assert agreed.host == "2001:db8::7"
    assert b"o=- 77 5 IN IP6 2001:db8::1\r\n" in body
    held = answer_offer(sdp(*USUAL, "c=IN IP6 ::", host="2001:db8::7"), local(host="2001:db8::1"))[1]
    assert (held.remote_hold, held.direction) == (True, "recvonly")


def test_times_of_the_offer_are_repeated() -> None:
    offer = sdp(*USUAL).replace(b"t=0 0", b"t=3149328700 0")
    assert b"\r\nt=3149328700 0\r\n" in answer_offer(offer, local())[0]


# --- answers to our offers ----------------------------------------------------------------------------
def test_answer_with_one_codec_and_other_event_number() -> None:
    agreed = read_answer(make_offer(local()), sdp("m=audio 4000 RTP/AVP 8 96", "a=rtpmap:96 telephone-event/8000"))
    assert (agreed.codec, agreed.payload_type_out, agreed.events_in, agreed.events_out) == (PCMA, 8, 101, 96)
    assert agreed.codecs_in == ((0, PCMU), (8, PCMA))


def test_answer_with_several_codecs_and_own_numbers() -> None:
    agreed = read_answer(make_offer(local()), sdp("m=audio 4000 RTP/AVP 18 97 0", "a=rtpmap:97 PCMA/8000"))
    assert (agreed.codec, agreed.payload_type_out) == (PCMA, 97)
    assert agreed.codecs_in == ((0, PCMU), (8, PCMA), (97, PCMA))
    assert (agreed.events_in, agreed.events_out) == (-1, -1)


def test_answer_number_that_collides_with_our_events() -> None:
    agreed = read_answer(make_offer(local()), sdp("m=audio 4000 RTP/AVP 101", "a=rtpmap:101 PCMA/8000"))
    assert (agreed.payload_type_out, agreed.codecs_in, agreed.events_in) == (101, ((0, PCMU), (8, PCMA)), -1)


def test_events_that_we_did_not_offer() -> None:
    agreed = read_answer(make_offer(local(events=False)), sdp(*USUAL))
    assert (agreed.events_in, agreed.events_out) == (-1, -1)


@pytest.mark.parametrize("answer", [
    sdp("m=audio 0 RTP/AVP 0"), sdp(), sdp("m=video 4000 RTP/AVP 0"), sdp("m=audio 4000 RTP/SAVP 0"),
    sdp("m=audio 4000 RTP/AVP 18"), sdp("m=audio 4000 RTP/AVP 0", "c=IN IP6 ::1"),
])
def test_answers_that_do_not_fit(answer: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        read_answer(make_offer(local()), answer)
    assert caught.value.status_hint == 488


def test_answer_limited_to_what_was_offered() -> None:
    with pytest.raises(ProtocolError):
        read_answer(make_offer(local(codecs=(PCMU,))), sdp("m=audio 4000 RTP/AVP 8"))
    with pytest.raises(ProtocolError):
        read_answer(sdp("m=video 1 RTP/AVP 31"), sdp("m=audio 4000 RTP/AVP 8"))


_codecs = st.permutations((PCMU, PCMA)).flatmap(lambda both: st.integers(1, 2).map(lambda n: tuple(both[:n])))
_sides = st.builds(
    Local, st.sampled_from(["192.0.2.1", "198.51.100.2"]), st.integers(1, 65_535), _codecs, st.booleans(),
    st.sampled_from([10, 20, 30, 40, 60]), st.integers(0, 2**31), st.integers(0, 9), st.sampled_from(DIRECTIONS),
)
_MIRROR = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}


@settings(max_examples=200, deadline=None, derandomize=True)
@given(_sides, _sides, st.sampled_from([None, PCMU, PCMA]))
def test_both_sides_agree(caller: Local, callee: Local, prefer: int | None) -> None:
    offer = make_offer(caller)
    if not set(caller.codecs) & set(callee.codecs):
        with pytest.raises(ProtocolError):
            answer_offer(offer, callee, prefer=prefer)
        return
    body, theirs = answer_offer(offer, callee, prefer=prefer)
    ours = read_answer(offer, body)
    assert (ours.host, ours.port, theirs.host, theirs.port) == (callee.host, callee.port, caller.host, caller.port)
    assert (ours.payload_type_out, ours.codec) in theirs.codecs_in
    assert (theirs.payload_type_out, theirs.codec) in ours.codecs_in
    assert (ours.events_out, theirs.events_out) == (theirs.events_in, ours.events_in)
    assert ours.direction == _MIRROR[theirs.direction]
    assert (ours.frame_ms_out, theirs.frame_ms_out) == (callee.frame_ms, caller.frame_ms)
    if prefer in caller.codecs and prefer in callee.codecs:
        assert ours.codec == theirs.codec == prefer


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from([
    *USUAL, "m=audio 0 RTP/AVP 0", "m=audio 4000 RTP/AVP 999 0", "a=rtpmap:0", "a=rtpmap:8 PCMA/8000/7", "a=ptime:-1",
    "c=IN IP4 a", "c=IN IP6 ::ffff:1.2.3.4", "a=sendonly:x", "m=image 1 udptl t38", "m=x 1 y", "b=", "a=inactive",
]), max_size=8))
def test_any_offer_is_answered_line_by_line_or_refused(lines: list[str]) -> None:
    offer = sdp(*lines)
    try:
        body, agreed = answer_offer(offer, local())
    except ProtocolError as error:
        assert error.status_hint in (400, 488)
        return
    assert [line.kind for line in parse(body).media] == [line.kind for line in parse(offer).media]
    assert sum(line.port > 0 for line in parse(body).media) == 1
    assert 0 <= agreed.payload_type_out < 128


# --- beyond G.711 ---------------------------------------------------------------------------------------
WIDE = (G722, PCMA, PCMU, L16_16, L16_8)
PHONE = (
    "m=audio 4000 RTP/AVP 0 9 8 97 96 13 101 100", "a=rtpmap:9 G722/8000", "a=rtpmap:97 L16/16000",
    "a=rtpmap:96 L16/8000/1", "a=rtpmap:101 telephone-event/8000", "a=rtpmap:100 telephone-event/16000",
)  # fmt: skip


def test_wideband_is_taken_where_it_is_allowed() -> None:
    assert answered(*PHONE).codecs_in == ((0, PCMU), (8, PCMA), (13, CN))
    theirs = answered(*PHONE, codecs=WIDE)
    assert theirs.codec == PCMU  # their order counts …
    assert theirs.codecs_in == (
        (0, PCMU), (9, G722), (8, PCMA), (97, L16_16), (96, L16_8), (13, CN), (100, EVENTS_16)
    )
    ours = answered(*PHONE, codecs=WIDE, ranked=True)  # … unless ours does
    assert (ours.codec, ours.payload_type_out, ours.codecs_in[:3]) == (G722, 9, ((9, G722), (8, PCMA), (0, PCMU)))
    assert answered(*PHONE, codecs=WIDE, ranked=True, prefer=PCMU).codec == PCMU


def test_events_have_the_clock_of_the_codec_beside_them() -> None:
    narrow = answered(*PHONE, codecs=WIDE)
    assert (narrow.events_in, narrow.events_out, narrow.events_rate_out) == (101, 101, 8_000)
    wide = answered(*PHONE, codecs=WIDE, prefer=L16_16)
    assert (wide.codec, wide.events_in, wide.events_out, wide.events_rate_out) == (L16_16, 101, 100, 16_000)
    assert (100, EVENTS_16) in wide.codecs_in
    only = answered(*PHONE[:-1], codecs=WIDE, prefer=L16_16)  # phones that know one clock
    assert (only.events_out, only.events_rate_out) == (101, 8_000)
    assert answered(*PHONE, codecs=(PCMU,)).codecs_in == ((0, PCMU), (13, CN))  # nothing has a clock of 16 kHz
    assert answered(*PHONE, codecs=WIDE, events=False).codecs_in[-1] == (13, CN)


def test_the_answer_names_what_it_takes() -> None:
    body, _ = answer_offer(sdp(*PHONE), local(codecs=WIDE, ranked=True))
    line = parse(body).media[0]
    assert line.formats == ["9", "8", "0", "97", "96", "13", "101", "100"]
    named = [value for name, value in line.attributes if name == "rtpmap"]
    assert "9 G722/8000" in named and "97 L16/16000" in named and "96 L16/8000" in named
    assert "100 telephone-event/16000" in named and "13 CN/8000" in named


def test_our_offer_of_everything_and_its_answer() -> None:
    mine = local(codecs=WIDE)
    offer = make_offer(mine)
    assert parse(offer).media[0].formats == ["9", "8", "0", "97", "96", "101", "102"]  # no silence is asked for
    answer = sdp(
        "m=audio 4000 RTP/AVP 97 102 13", "a=rtpmap:97 L16/16000", "a=rtpmap:102 telephone-event/16000",
    )
    agreed = read_answer(offer, answer)
    assert (agreed.codec, agreed.payload_type_out) == (L16_16, 97)
    assert (agreed.events_out, agreed.events_rate_out) == (102, 16_000)
    assert (agreed.events_in, (102, EVENTS_16) in agreed.codecs_in) == (-1, True)
    usual = read_answer(offer, sdp("m=audio 4000 RTP/AVP 9 101", "a=rtpmap:101 telephone-event/8000"))
    assert (usual.codec, usual.events_in, usual.events_out, usual.events_rate_out) == (G722, 101, 101, 8_000)
    assert (102, EVENTS_16) not in usual.codecs_in


def test_both_names_of_g722_are_the_one_codec() -> None:
    """RFC 3551 §4.5.2: the clock is 8000 by an old mistake; some phones write the true rate."""
    for rate in (8_000, 16_000):
        assert answered("m=audio 4000 RTP/AVP 9", f"a=rtpmap:9 G722/{rate}", codecs=WIDE).codecs_in == ((9, G722),)
    with pytest.raises(ProtocolError):
        answered("m=audio 4000 RTP/AVP 9")
    with pytest.raises(ProtocolError):  # of 44.1 kHz, and of two tracks
        answered("m=audio 4000 RTP/AVP 11 98", "a=rtpmap:98 L16/16000/2", codecs=WIDE)
    with pytest.raises(ProtocolError):  # silence alone is no conversation
        answered("m=audio 4000 RTP/AVP 13", codecs=WIDE)
def test_where_and_how_they_want_reports() -> None:
    """RFC 3605 and RFC 5761: a port of their own is remembered; sharing is answered only where it was offered."""
    plain = "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
    for lines, port, mux in (
        ("", 0, False), ("a=rtcp:4001\r\n", 0, False), ("a=rtcp:4777 IN IP4 198.51.100.9\r\n", 4_777, False),
        ("a=rtcp-mux\r\n", 0, True),
    ):  # fmt: skip
        body, agreed = answer_offer((plain + lines).encode(), local())
        assert (agreed.report_port, agreed.report_mux) == (port, mux)
        assert (b"a=rtcp-mux\r\n" in body) is mux
        theirs = read_answer(make_offer(local()), (plain + lines).encode())
        assert (theirs.report_port, theirs.report_mux) == (port, False), "we did not offer to share"

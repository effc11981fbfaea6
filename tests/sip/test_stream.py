"""Cutting streams into messages: any split gives the same, nothing grows without bound."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ProtocolError
from engine.limits import header_line_bytes_max, message_bytes_max
from engine.sip.stream import PING, PINGED, Framer, Ping, Pong

ONE = b"OPTIONS sip:a SIP/2.0\r\nCSeq: 1 OPTIONS\r\nContent-Length: 4\r\n\r\nbody"
TWO = b"SIP/2.0 200 OK\r\nCSeq: 1 OPTIONS\r\nL  : 0\r\n\r\n"
THREE = b"INFO sip:a SIP/2.0\r\ncontent-length:\r\n   2\r\n\r\n\r\n"


def collect(chunks: list[bytes]) -> tuple[list[bytes | Ping | Pong], bool]:
    framer = Framer()
    found: list[bytes | Ping | Pong] = []
    for chunk in chunks:
        try:
            found += framer.feed(chunk)
        except ProtocolError:
            break
    return found, bool(framer.broken)


def test_messages_and_pings() -> None:
    framer = Framer()
    assert framer.feed(ONE + b"\r\n\r\n" + TWO + b"\r\n" + THREE) == [ONE, PING, TWO, THREE]
    assert framer.idle


def test_byte_by_byte() -> None:
    stream = ONE + b"\r\n\r\n" + TWO + THREE
    assert collect([stream[n:n + 1] for n in range(len(stream))]) == ([ONE, PING, TWO, THREE], False)


def test_half_a_message_waits() -> None:
    framer = Framer()
    assert framer.feed(ONE[:-1]) == [] and not framer.idle
    assert framer.feed(ONE[-1:] + TWO[:3]) == [ONE]
    assert framer.feed(TWO[3:]) == [TWO]


def test_single_line_ends_between_messages_are_skipped() -> None:
    assert collect([b"\r\n", ONE, b"\n", TWO, b"\r\n\r"]) == ([ONE, TWO], False)
    assert collect([b"\r", b"\n", b"\r", b"\n"]) == ([PING], False)


@pytest.mark.parametrize("bad", [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\n",
    b"OPTIONS sip:a SIP/2.0\nl: 0\n\n",
    b"OPTIONS sip:a SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\n",
    b"OPTIONS sip:a SIP/2.0\r\nl: 0\r\nContent-Length: 5\r\n\r\n",
    b"OPTIONS sip:a SIP/2.0\r\nl: -1\r\n\r\n",
    b"OPTIONS sip:a SIP/2.0\r\nl:\r\n\r\n",
    b"OPTIONS sip:a SIP/2.0\r\nl: 99999999999\r\n\r\n",
    b"OPTIONS sip:a SIP/2.0\r\nl: %d\r\n\r\n" % message_bytes_max,
    b"A" * (header_line_bytes_max + 1),
    b"OPTIONS sip:a SIP/2.0\r\n" + b"X: y\r\n" * (message_bytes_max // 6),
])
def test_streams_that_cannot_be_trusted(bad: bytes) -> None:
    framer = Framer()
    with pytest.raises(ProtocolError):
        framer.feed(bad)
    with pytest.raises(ProtocolError):
        framer.feed(ONE)
    assert not framer.buffer
    assert collect([bad[n:n + 997] for n in range(0, len(bad), 997)]) == ([], True)


def test_whole_messages_before_an_error_are_delivered() -> None:
    framer = Framer()
    assert framer.feed(ONE + b"nonsense\r\n\r\n") == [ONE]
    assert framer.broken
    with pytest.raises(ProtocolError):
        framer.feed(b"")


def test_equal_repeated_lengths_are_fine() -> None:
    both = b"OPTIONS sip:a SIP/2.0\r\nl: 1\r\nContent-Length: 1 \r\n\r\nx"
    assert collect([both]) == ([both], False)


def test_largest_message() -> None:
    head = b"OPTIONS sip:a SIP/2.0\r\nl: 65000\r\n\r\n"
    assert collect([head, b"x" * 65_000]) == ([head + b"x" * 65_000], False)


def test_framer_is_data() -> None:
    framer = Framer()
    framer.feed(ONE[:30])
    copy = msgspec.msgpack.decode(msgspec.msgpack.encode(framer), type=Framer)
    assert copy == framer
    assert copy.feed(ONE[30:]) == [ONE]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from([ONE, TWO, THREE, b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"junk", b"SIP/2.0 1\r\n\r\n"]),
             max_size=8),
    st.lists(st.integers(0, 400), max_size=12),
)
def test_any_split_gives_the_same(parts: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(parts)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    chunks = [stream[start:end] for start, end in pairwise(edges)]
    assert collect(chunks) == collect([stream])


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_bytes(chunks: list[bytes]) -> None:
    found, _ = collect(chunks)
    assert all(item == PING or isinstance(item, bytes) for item in found)


def test_one_line_end_answers_a_ping_of_ours_and_two_are_one_of_theirs() -> None:
    framer = Framer()
    framer.asked = 1
    assert framer.feed(b"\r\n") == [PINGED] and framer.idle and framer.asked == 0
    framer.asked = 1
    assert framer.feed(b"\r\n\r\n\r\n") == [PINGED, PING]
    framer.asked = 1
    assert framer.feed(ONE + b"\r") == [ONE] and framer.idle
    assert framer.feed(b"\n" + ONE) == [PINGED, ONE]
    assert framer.feed(b"\r\n") == [] and framer.idle  # nobody was asked: it may become a ping of theirs
    assert framer.feed(b"\r\n") == [PING]

"""Tokens are a repeatable stream that a stranger can't continue; call names are speakable and don't repeat soon."""

from __future__ import annotations

import re
from collections import Counter

import msgspec
import pytest

from engine.ids import Tokens, call_name

KEY = bytes(range(16))


def test_the_same_key_gives_the_same_tokens() -> None:
    first, second = Tokens(KEY), Tokens(KEY)
    assert [first.hex() for _ in range(5)] == [second.hex() for _ in range(5)]
    assert Tokens(KEY).hex() != Tokens(KEY[::-1]).hex()


def test_a_restored_stream_goes_on() -> None:
    tokens = Tokens(KEY)
    tokens.hex()
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(tokens), type=Tokens)
    assert [again.hex(), again.number(10)] == [tokens.hex(), tokens.number(10)]


@pytest.mark.parametrize("length", [1, 7, 16, 64])
def test_tokens_have_the_length_asked_for(length: int) -> None:
    assert re.fullmatch(rf"[0-9a-f]{{{length}}}", Tokens(KEY).hex(length))


def test_tokens_do_not_repeat() -> None:
    tokens = Tokens(KEY)
    assert len({tokens.hex() for _ in range(10_000)}) == 10_000


def test_numbers_stay_below_their_bound_and_spread() -> None:
    tokens = Tokens(KEY)
    counts = Counter(tokens.number(8) for _ in range(8_000))
    assert sorted(counts) == list(range(8))
    assert min(counts.values()) > 850


def test_fresh_bytes_change_what_follows() -> None:
    plain, mixed = Tokens(KEY), Tokens(KEY)
    mixed.reseed(b"fresh")
    assert plain.hex() != mixed.hex()


def test_call_names_can_be_spoken_and_are_unique_for_640000_calls() -> None:
    names = [call_name(serial) for serial in range(6_400)]
    assert all(re.fullmatch(r"[a-z]{4}-\d+", name) for name in names)
    assert len(set(names)) == 6_400
    assert call_name(0) != call_name(6_400) and call_name(0) == call_name(640_000)


def test_neighbouring_calls_sound_different() -> None:
    assert all(call_name(n)[:2] != call_name(n + 1)[:2] for n in range(1_000))

"""Commands and events through their records and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.media import columns as c
from engine.media import commands as m
from engine.media import control, reports, rings, wire


@given(st.ip_addresses(), st.integers(1, 65_535))
def test_addresses_survive(host: object, port: int) -> None:
    length, words = wire.pack_address(str(host), port)
    if length == 0:
        assert host.is_unspecified or host.is_multicast or str(host) == "255.255.255.255"  # type: ignore[attr-defined]
    else:
        assert wire.unpack_address(length, words) == (str(host), port)


@pytest.mark.parametrize(
    ("host", "port"),
    [("", 5), ("phone.example", 5), ("0.0.0.0", 5), ("::", 5), ("192.0.2.1", 0), ("192.0.2.1", 65_536),
     ("192.0.2.1", -1), ("1.2.3", 5), ("224.0.0.9", 5), ("255.255.255.255", 5), ("ff02::1", 5)],
)
def test_what_names_no_address_has_no_length(host: str, port: int) -> None:
    assert wire.pack_address(host, port) == (0, (0, 0, 0, 0))


def test_a_v4_address_is_the_kernels_own() -> None:
    length, words = wire.pack_address("192.0.2.1", 0x1234)
    octets = b"".join(word.to_bytes(8, "little", signed=True) for word in words)
    assert (length, octets[:8].hex()) == (16, "02001234c0000201")


SET = m.SetLeg(3, 9, "192.0.2.1", 4_000, 8, 8, ((0, 0), (96, 8)), 101, 97, 30, True, False)


def test_set_fits_its_record() -> None:
    words = wire.pack_set(SET)
    assert len(words) <= c.COMMAND_WORDS
    assert words[:10] == (control.SET_LEG, 3, 9, 8, 8, 101, 97, 30, control.FLAG_SEND, c.ANYONE)
    assert words[control.SET_PAIRS : control.SET_PAIRS + 3] == (2, 0, 96 << 8 | 8)


def test_more_codecs_than_a_record_holds_are_cut() -> None:
    many = m.SetLeg(3, 9, "192.0.2.1", 4_000, 8, 8, tuple((n, 0) for n in range(90)), 101, 97, 20, True, False)
    assert len(wire.pack_set(many)) == c.COMMAND_WORDS


@given(st.lists(st.integers(0, 16_383), max_size=100))
def test_clip_numbers_are_packed_four_a_word(clips: list[int]) -> None:
    words = wire.pack_clips(clips)
    assert len(words) == -(-len(clips) // 4)
    assert all(-(2**63) <= word < 2**63 for word in words)
    assert [(words[place >> 2] >> (16 * (place & 3))) & 0xFFFF for place in range(len(clips))] == clips


def test_digits_are_codes_eight_a_word() -> None:
    words = wire.pack_digits(m.SendDigits(1, 2, "0*#dD x9", 70, 50))
    assert words[:6] == (control.SEND_DIGITS, 1, 2, 70, 50, 6)
    assert words[6] == int.from_bytes(bytes([0, 10, 11, 15, 15, 9]), "little")
    assert wire.pack_digits(m.SendDigits(1, 2, "#", tones=True))[6] == 11 + 16
    assert len(wire.pack_digits(m.SendDigits(1, 2, "1" * 500))) <= c.COMMAND_WORDS


@pytest.mark.parametrize(
    ("words", "event"),
    [
        ([rings.PLAY_ENDED, 1, 2, 77], m.PlayEnded(1, 2, 77)),
        ([rings.DIGIT_HEARD, 1, 2, 11, 120], m.DigitHeard(1, 2, "#", 120, "rfc4733")),
        ([rings.DIGIT_STARTED, 1, 2, 10], m.DigitStarted(1, 2, "*")),
        ([rings.DIGIT_HEARD, 1, 2, 11, 90, 1], m.DigitHeard(1, 2, "#", 90, "inband")),
        ([rings.FAX_HEARD, 1, 2, 0], m.FaxHeard(1, 2, "cng")),
        ([rings.FAX_HEARD, 1, 2, 1], m.FaxHeard(1, 2, "ced")),
        ([rings.MEDIA_MISSING, 1, 2, 3_000], m.MediaMissing(1, 2, 3_000)),
        ([rings.MEDIA_BACK, 1, 2], m.MediaBack(1, 2)),
        ([rings.LATCHED, 1, 2, 16, *wire.pack_address("192.0.2.9", 77)[1]], m.Latched(1, 2, "192.0.2.9", 77)),
        (
            [rings.LEG_CLOSED, *range(1, reports.FIGURES)],
            m.LegClosed(*range(1, 13), m.Sound(*range(13, reports.FIGURES))),
        ),
        ([rings.LEG_BROKEN, 1, 2], m.LegFailed(1, 2, "the port could not be watched")),
        ([rings.TAP_READY, 1, 2, 3], None),
        ([rings.NUDGE, 0, 0], None),
    ],
)
def test_records_become_events(words: list[int], event: object) -> None:
    assert wire.unpack_event(words + [0] * (c.EVENT_WORDS - len(words))) == event

"""Commands packed into ring words and events unpacked from them (contract: `media.commands`).

Socket addresses travel as the kernel's own sockaddr bytes, so that the loop passes them to system calls as they are.
`pack_*` functions return tuples of at most COMMAND_WORDS integers; the ring's unused words are zero.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Callable, Sequence
from functools import lru_cache
from ipaddress import ip_address, ip_network

from engine.media import columns as c
from engine.media import control, reports, rings
from engine.media.commands import (
    DigitHeard,
    DigitStarted,
    FaxHeard,
    Latched,
    LegClosed,
    LegFailed,
    MediaBack,
    MediaEvent,
    MediaMissing,
    Mix,
    PlayEnded,
    SendDigits,
    SetLeg,
    Sound,
)
from engine.rtp.events import DIGITS

FAMILY_V4, FAMILY_V6 = 2, 10
_ANYONE = (c.ANYONE, 0, 0, 0, 0)
_ACCEPT = {"any": c.ANYONE, "signalled": c.AS_SIGNALLED, "network": c.FROM_NETWORK}
_CODES = {digit: code for code, digit in enumerate(DIGITS)} | {digit.lower(): code for code, digit in enumerate(DIGITS)}
_WAYS, _FAX = ("rfc4733", "inband"), ("cng", "ced")
_FOUR_WORDS = struct.Struct("<4q")
_TWO_WORDS = struct.Struct("<2q")


@lru_cache(4_096)
def _host_bytes(host: str) -> bytes:
    """An IP literal's four or sixteen bytes; empty for anything else.

    The unspecified address means hold (RFC 3264 §8.4); to groups and to everybody a caller can't make us send.
    """
    try:
        address = ip_address(host)
    except ValueError:
        return b""
    nobody = address.is_unspecified or address.is_multicast or host == "255.255.255.255"
    return b"" if nobody else address.packed


def pack_address(host: str, port: int) -> tuple[int, tuple[int, ...]]:
    """(length, four words) of the sockaddr of an IP literal; length 0 when it names nothing one can send to."""
    packed = _host_bytes(host)
    if not packed or not 0 < port < 65_536:
        return 0, (0, 0, 0, 0)
    network_port = port.to_bytes(2, "big")
    if len(packed) == 4:
        return 16, _FOUR_WORDS.unpack(FAMILY_V4.to_bytes(2, "little") + network_port + packed + bytes(24))
    return 28, _FOUR_WORDS.unpack(FAMILY_V6.to_bytes(2, "little") + network_port + bytes(4) + packed + bytes(8))


def unpack_address(length: int, words: Sequence[int]) -> tuple[str, int]:
    """(host, port) of a sockaddr in words."""
    octets = _FOUR_WORDS.pack(*words)
    host = octets[4:8] if length <= 16 else octets[8:24]
    return str(ip_address(host)), int.from_bytes(octets[2:4], "big")


@lru_cache(1_024)
def _network_words(accept: str, network: str) -> tuple[int, int, int, int, int]:
    """(accept, family, prefix bits, two words). A network that can't be read admits nobody but the signalled host."""
    kind = _ACCEPT.get(accept, c.AS_SIGNALLED)
    if kind != c.FROM_NETWORK:
        return kind, 0, 0, 0, 0
    try:
        parsed = ip_network(network, strict=False)
    except ValueError:
        return c.AS_SIGNALLED, 0, 0, 0, 0
    family = FAMILY_V4 if parsed.version == 4 else FAMILY_V6
    words = _TWO_WORDS.unpack(parsed.network_address.packed.ljust(16, b"\0"))
    return c.FROM_NETWORK, family, parsed.prefixlen, words[0], words[1]


def pack_set(command: SetLeg) -> tuple[int, ...]:
    """SET_LEG's record."""
    length, address = pack_address(command.host, command.port)
    narrowed = _ANYONE if command.accept == "any" else _network_words(command.accept, command.network)
    accept, family, bits, first, second = narrowed
    pairs = command.codecs_in[: control.SET_PAIRS_MAX]
    return (
        control.SET_LEG, command.row, command.generation, command.codec_out, command.payload_type_out,
        command.events_in, command.events_out, command.frame_ms_out,
        (control.FLAG_SEND if command.send else 0) | (control.FLAG_RECEIVE if command.receive else 0)
        | (control.FLAG_EVENTS_16 if command.events_rate_out == 16_000 else 0)
        | command.tones << control.TONES_SHIFT
        | (control.FLAG_MUX if command.report_mux else 0) | (command.report_port & 0xFFFF) << control.REPORT_PORT_BIT,
        accept, length, *address, family, bits, first, second, len(pairs),
        *[payload_type << 8 | codec for payload_type, codec in pairs],
    )


def pack_name(octets: bytes) -> tuple[int, int]:
    """OPEN_LEG's CNAME: twelve random bytes as sixteen characters (RFC 7022 §4.2) in two words."""
    first, second = _TWO_WORDS.unpack(b64encode(octets))
    return first, second


def pack_clips(clips: Sequence[int]) -> list[int]:
    """Four 16-bit clip numbers a word, lowest first."""
    if len(clips) == 1:
        return [clips[0]]
    return [
        sum((clip & 0xFFFF) << (16 * place) for place, clip in enumerate(clips[first : first + 4]))
        for first in range(0, len(clips), 4)
    ]


def pack_digits(command: SendDigits) -> tuple[int, ...]:
    """SEND_DIGITS' record; characters that are no digits are left out."""
    way = 16 if command.tones else 0
    codes = bytes(way + _CODES[digit] for digit in command.digits if digit in _CODES)[: c.DIGITS_QUEUED]
    words = [int.from_bytes(codes[first : first + 8], "little") for first in range(0, len(codes), 8)]
    return (
        control.SEND_DIGITS, command.row, command.generation, command.on_ms, command.gap_ms, len(codes), *words
    )


def pack_mix(command: Mix) -> tuple[int, ...]:
    """MIX's record: ears become masks over the parties' places. A row has one place; parties beyond the seats
    are left out."""
    parties = tuple({party.row: party for party in command.parties}.values())[: c.SEATS]
    places = {party.row: place for place, party in enumerate(parties)}
    words = []
    for party in parties:
        ears = 0
        for row in party.ears:
            ears |= 1 << places[row] if row in places and row != party.row else 0
        words += [party.row, party.generation, ears]
    return (control.MIX, 0, 0, command.mix, len(parties), *words)


# --- events ---------------------------------------------------------------------------------------------------
def closed(words: Sequence[int]) -> LegClosed:
    """A leg's figures from a record of `media.reports`."""
    row, generation, *rest = words[1 : reports.FIGURES]
    came, went, lost, duplicated, reordered, ignored, jitter_us, jitter_max_us, gap_max_us, digits, *sound = rest
    return LegClosed(
        row, generation, came, went, lost, duplicated, reordered, ignored, jitter_us, jitter_max_us, gap_max_us, digits,
        Sound(*sound),
    )


def _closed(words: Sequence[int]) -> MediaEvent:
    return closed(words)


def _latched(words: Sequence[int]) -> MediaEvent:
    return Latched(words[1], words[2], *unpack_address(words[3], words[4:8]))


_UNPACK: dict[int, Callable[[Sequence[int]], MediaEvent]] = {
    rings.PLAY_ENDED: lambda words: PlayEnded(words[1], words[2], words[3]),
    rings.DIGIT_HEARD: lambda words: DigitHeard(words[1], words[2], DIGITS[words[3] & 15], words[4], _WAYS[words[5]]),
    rings.DIGIT_STARTED: lambda words: DigitStarted(words[1], words[2], DIGITS[words[3] & 15]),
    rings.FAX_HEARD: lambda words: FaxHeard(words[1], words[2], _FAX[words[3]]),
    rings.LATCHED: _latched,
    rings.MEDIA_MISSING: lambda words: MediaMissing(words[1], words[2], words[3], words[4]),
    rings.MEDIA_BACK: lambda words: MediaBack(words[1], words[2]),
    rings.LEG_CLOSED: _closed,
    rings.LEG_BROKEN: lambda words: LegFailed(words[1], words[2], "the port could not be watched"),
}


def unpack_event(words: Sequence[int]) -> MediaEvent | None:
    """The event a record stands for; None for what concerns only the runtime (recordings' rings)."""
    unpack = _UNPACK.get(words[0])
    return unpack(words) if unpack else None

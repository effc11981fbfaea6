"""Offer and answer (RFC 3264) for what the media plane serves: PCMU, PCMA and telephone-event over RTP/AVP.

One audio stream per session; every other m= line is refused by port 0. Payload types are numbers of the side that
receives them, so the two directions may differ. `Local` is the caller's state: making an offer or an answer notes in
it what was sent and raises the version of o= when, and only when, the content differs from last time (§8).
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from ipaddress import ip_address

import msgspec

from engine.errors import LocalError, ProtocolError
from engine.sdp.description import Description, Media, encodings_of, family, joined, media_lines, parse

PCMU, PCMA = 0, 8
EVENT_PAYLOAD_TYPE = 101  # ours, when we offer
EVENTS = "0-15"  # digits, star, hash, A–D (RFC 4733 §2.5.1.1)
ENCODINGS = {PCMU: "PCMU", PCMA: "PCMA"}
_CODECS = {(name, 8_000, 1): codec for codec, name in ENCODINGS.items()}
_EVENT = ("TELEPHONE-EVENT", 8_000, 1)
_HELD_HOSTS = ("0.0.0.0", "::")
_BYTE = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
# An IPv4 unicast address, the usual case: spares the library's parser. 224.0.0.0 and above go on to it.
_PLAIN = re.compile(rf"(?:22[0-3]|2[01]\d|1\d\d|[1-9]?\d)(?:\.{_BYTE}){{3}}\Z", re.ASCII).match
_DIRECTIONS = {  # (we send, we receive)
    (True, True): "sendrecv", (True, False): "sendonly", (False, True): "recvonly", (False, False): "inactive",
}
_FRAME_MS_MIN, _FRAME_MS_MAX = 10, 60


class Local(msgspec.Struct):
    """Our side of one session. host: IP literal to advertise; `frame_ms` what we like to receive (a=ptime).

    `version`, `sent` (a fingerprint of the last content) and `sent_version` are written by make_offer and
    answer_offer; once something was sent, what a caller writes into `version` has no effect.
    """

    host: str
    port: int
    codecs: tuple[int, ...] = (PCMU, PCMA)
    events: bool = True
    frame_ms: int = 20
    session_id: int = 0
    version: int = 0
    direction: str = "sendrecv"
    sent: bytes = b""
    sent_version: int = 0


class Agreed(msgspec.Struct, frozen=True):
    """What an offer and its answer amount to, for the media plane.

    host, port: where we send (an IP literal; 0.0.0.0 when the far end gave none, then symmetric RTP must learn it).
    `codec` 0 or 8 is what we send, as `payload_type_out`; `codecs_in` are (payload type, codec) that may come;
    `events_in`/`events_out` are telephone-event payload types or -1. `direction` is ours. `remote_hold`: they take no
    media by their own will (sendonly, inactive, c=0.0.0.0), not because we offered none.
    """

    host: str
    port: int
    codec: int
    payload_type_out: int
    codecs_in: tuple[tuple[int, int], ...]
    events_in: int
    events_out: int
    frame_ms_out: int
    direction: str
    remote_hold: bool


class _Formats(msgspec.Struct, frozen=True):
    """The payload types of one m= line that mean something to us, in its order."""

    audio: tuple[tuple[int, int], ...]  # (payload type, codec)
    events: int  # -1: none


def make_offer(local: Local, *, prefer: int | None = None) -> bytes:
    """An offer with our codecs, `prefer` first. Writes local.version and local.sent. LocalError for unknown codecs."""
    codecs = _preferred(list(local.codecs), prefer)
    if not codecs or any(codec not in ENCODINGS for codec in codecs):
        raise LocalError(f"codecs {local.codecs}")
    audio = tuple((codec, codec) for codec in codecs)
    events = EVENT_PAYLOAD_TYPE if local.events else -1
    return _write(local, _audio_lines(local, audio, events, local.direction), [])


def answer_offer(offer: bytes, local: Local, *, prefer: int | None = None) -> tuple[bytes, Agreed]:
    """The answer to `offer` and what it amounts to. Writes local.version and local.sent.

    The first audio line that fits is taken, all others get port 0. Raises ProtocolError: 400 for text that is no SDP,
    488 when nothing fits.
    """
    theirs = parse(offer)
    chosen, formats = _choose(theirs, local)
    media = theirs.media[chosen]
    host = _usable_host(theirs.connection_of(media), local.host)
    codecs = _preferred([codec for _, codec in formats.audio], prefer)
    by_codec = {codec: payload_type for payload_type, codec in reversed(formats.audio)}
    audio = tuple([(by_codec[codec], codec) for codec in codecs])
    events = formats.events if local.events else -1
    hold, direction = _combine(theirs, media, local.direction)
    lines: list[str] = []
    for place, line in enumerate(theirs.media):
        lines += _audio_lines(local, audio, events, direction) if place == chosen else media_lines(_refused(line))
    body = _write(local, lines, theirs.times[:1])
    agreed = Agreed(
        host=host, port=media.port, codec=codecs[0], payload_type_out=audio[0][0], codecs_in=audio,
        events_in=events, events_out=events, frame_ms_out=_frame_ms(media, local.frame_ms), direction=direction,
        remote_hold=hold,
    )
    return body, agreed


def read_answer(offer_sent: bytes, answer: bytes) -> Agreed:
    """What their answer to our offer amounts to. Raises ProtocolError (488) when it refuses or fits nothing.

    We send with the answer's payload types and accept the offer's; an answer's own numbers are accepted as well where
    they can't be confused, since some peers send with what they announced.
    """
    ours, theirs = parse(offer_sent), parse(answer)
    place = next((n for n, line in enumerate(ours.media) if line.kind == "audio" and line.port), -1)
    if place < 0 or place >= len(theirs.media):
        raise ProtocolError("answer without our audio line", status_hint=488, section="RFC 3264 §6")
    mine, media = ours.media[place], theirs.media[place]
    if media.kind != "audio" or media.protocol.upper() != "RTP/AVP" or not media.port:
        raise ProtocolError("audio refused by the answer", status_hint=488, section="RFC 3264 §6")
    offered, answered = _formats(mine), _formats(media)
    allowed = [codec for _, codec in offered.audio]
    out = [(payload_type, codec) for payload_type, codec in answered.audio if codec in allowed]
    if not out:
        raise ProtocolError("no codec in common", status_hint=488, section="RFC 3264 §6.1")
    wanted = ours.direction_of(mine)
    silent, direction = _combine(theirs, media, wanted)
    # An answer that takes nothing because we offered to send nothing is obedience, not hold.
    hold = silent and wanted in ("sendrecv", "sendonly")
    events_out = answered.events if offered.events >= 0 else -1
    accepted = dict(offered.audio)
    for payload_type, codec in out:
        if payload_type not in (offered.events, events_out):
            accepted.setdefault(payload_type, codec)
    return Agreed(
        host=_usable_host(theirs.connection_of(media), ours.connection_of(mine)), port=media.port, codec=out[0][1],
        payload_type_out=out[0][0], codecs_in=tuple(accepted.items()),
        events_in=offered.events if events_out >= 0 else -1, events_out=events_out,
        frame_ms_out=_frame_ms(media, mine.number("ptime") or 20), direction=direction, remote_hold=hold,
    )


# --- reading ----------------------------------------------------------------------------------------
def _choose(theirs: Description, local: Local) -> tuple[int, _Formats]:
    """The place of the audio line to serve and its formats, cut down to our codecs."""
    reason = "no audio line"
    for place, media in enumerate(theirs.media):
        if media.kind != "audio":
            continue
        if media.protocol.upper() != "RTP/AVP":
            reason = f"profile {media.protocol[:20]}"
        elif not media.port:
            reason = "audio line is off"
        else:
            formats = _formats(media)
            audio = tuple([(number, codec) for number, codec in formats.audio if codec in local.codecs])
            if audio:
                return place, _Formats(audio, formats.events)
            reason = "no codec in common"
    raise ProtocolError(f"offer can't be served: {reason}", status_hint=488, section="RFC 3264 §6")


def _formats(media: Media) -> _Formats:
    return _formats_of(tuple(media.formats), tuple([value for name, value in media.attributes if name == "rtpmap"]))


@lru_cache(maxsize=256)  # phones of one make say the same
def _formats_of(formats: tuple[str, ...], rtpmaps: tuple[str, ...]) -> _Formats:
    encodings = encodings_of(rtpmaps)
    audio: list[tuple[int, int]] = []
    events = -1
    for text in formats:
        if not (text.isdecimal() and text.isascii() and len(text) <= 3):
            continue
        number = int(text)
        # A static type needs no rtpmap; if one stands there, it counts (RFC 3551 §6).
        encoding = encodings.get(number) or ((ENCODINGS[number], 8_000, 1) if number in ENCODINGS else None)
        if encoding is None or number > 127:
            continue
        if encoding == _EVENT:
            events = number if events < 0 else events
        elif encoding in _CODECS and number not in dict(audio):
            audio.append((number, _CODECS[encoding]))
    return _Formats(tuple(audio), events)


def _usable_host(host: str, ours: str) -> str:
    """An address we can send to. A name gives 0.0.0.0; multicast and the other family are refused (488)."""
    if not host:
        raise ProtocolError("no c= line", status_hint=488, section="RFC 8866 §5.7")
    if host in _HELD_HOSTS:
        return host
    if _PLAIN(host) and ":" not in ours:
        return host
    try:
        address = ip_address(host)
    except ValueError:
        return "0.0.0.0"
    if address.is_multicast or host == "255.255.255.255":
        raise ProtocolError(f"no media to {host}", status_hint=488, section="RFC 3264 §5.2")
    if (":" in host) != (":" in ours):
        raise ProtocolError(f"{host} is of another address family", status_hint=488, section="RFC 6157 §5")
    return host


def _combine(theirs: Description, media: Media, wanted: str) -> tuple[bool, str]:
    """(they take no media, our direction): what we want, cut down to what they allow (§6.1, §8.4)."""
    direction = theirs.direction_of(media)
    they_receive = direction in ("sendrecv", "recvonly") and theirs.connection_of(media) not in _HELD_HOSTS
    they_send = direction in ("sendrecv", "sendonly")
    we_send = they_receive and wanted in ("sendrecv", "sendonly")
    we_receive = they_send and wanted in ("sendrecv", "recvonly")
    return not they_receive, _DIRECTIONS[we_send, we_receive]


def _frame_ms(media: Media, wanted: int) -> int:
    """What the far end wants to get per packet: ptime in 10–60 ms and tens, not above maxptime; else `wanted`."""
    frame_ms = media.number("ptime") or wanted
    ceiling = media.number("maxptime") or _FRAME_MS_MAX
    frame_ms = min(frame_ms, ceiling, _FRAME_MS_MAX)
    return max(frame_ms // 10 * 10, _FRAME_MS_MIN)


def _preferred(codecs: list[int], prefer: int | None) -> list[int]:
    """Without repeats, `prefer` first when it is among them."""
    unique = list(dict.fromkeys(codecs))
    return unique if prefer is None else sorted(unique, key=lambda codec: codec != prefer)


# --- writing ----------------------------------------------------------------------------------------
def _audio_lines(local: Local, audio: tuple[tuple[int, int], ...], events: int, direction: str) -> list[str]:
    formats, attributes = _audio_format(audio, events, local.frame_ms, direction)
    return [f"m=audio {local.port} RTP/AVP {formats}", *attributes]


@lru_cache(maxsize=256)  # differs by what far ends offer, and they are few makes
def _audio_format(
    audio: tuple[tuple[int, int], ...], events: int, frame_ms: int, direction: str
) -> tuple[str, tuple[str, ...]]:
    """(formats of the m= line, the a= lines below it)."""
    formats = [str(number) for number, _ in audio]
    lines = [f"a=rtpmap:{number} {ENCODINGS[codec]}/8000" for number, codec in audio]
    if events >= 0:
        formats.append(str(events))
        lines += [f"a=rtpmap:{events} telephone-event/8000", f"a=fmtp:{events} {EVENTS}"]
    return " ".join(formats), (*lines, f"a=ptime:{frame_ms}", f"a={direction}")


def _refused(media: Media) -> Media:
    """The same line with port 0 and nothing else (§6)."""
    return Media(media.kind, 0, media.protocol, media.formats or ["0"])


def _write(local: Local, media: list[str], times: list[str]) -> bytes:
    """The whole description around these media lines."""
    host = f"IN {family(local.host)} {local.host}"
    first = f"v=0\r\no=- {local.session_id} "
    time = f"t={times[0]}" if times else "t=0 0"
    rest = joined([f" {host}", "s=-", f"c={host}", time, *media])
    mark = blake2b(f"{first}{rest}".encode(), digest_size=8).digest()  # the version is left out of what is compared
    if local.sent:
        local.version = local.sent_version + (local.sent != mark)
    local.sent, local.sent_version = mark, local.version
    return f"{first}{local.version}{rest}".encode()

"""Offer and answer (RFC 3264) for what the media plane serves over RTP or SRTP: PCMU, PCMA, G722, L16 at 8 and 16 kHz,
comfort noise (RFC 3389, when it is offered) and telephone-event, with the clock of the codec beside it (RFC 4733 §2.1).

One audio stream per session; every other m= line is refused by port 0. Payload types are numbers of the side that
receives them, so the two directions may differ. `Local` is the caller's state: making an offer or an answer notes in
it what was sent and raises the version of o= when, and only when, the content differs from last time (§8).
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from ipaddress import ip_address
from typing import Any

import msgspec

from engine.errors import LocalError, ProtocolError
from engine.sdp import crypto
from engine.sdp.crypto import Crypto
from engine.sdp.description import Description, Media, encodings_of, family, joined, media_lines, parse

PCMU, PCMA, G722, CN = 0, 8, 9, 13  # numbers of the media plane's: static payload types (RFC 3551 §6) …
L16_8, L16_16 = 64, 65  # … and what has none
EVENTS_16 = 101  # in `Agreed.codecs_in`: telephone-event at 16 kHz, beside `events_in`
EVENT_PAYLOAD_TYPE = 101  # ours, when we offer
EVENT_16_PAYLOAD_TYPE = 102
EVENTS = "0-15"  # digits, star, hash, A–D (RFC 4733 §2.5.1.1)
ENCODINGS = {PCMU: "PCMU", PCMA: "PCMA", G722: "G722", L16_8: "L16", L16_16: "L16"}
BY_NAME = {"PCMU": PCMU, "PCMA": PCMA, "G722": G722, "L16": L16_8, "L16/16000": L16_16}  # as a site names them
_RATES = {L16_16: 16_000}  # of timestamps; G.722's says 8000, though it samples at 16 kHz (RFC 3551 §4.5.2)
_PAYLOAD_TYPES = {L16_8: 96, L16_16: 97}  # ours, where there is no static one
_STATIC = (PCMU, PCMA, G722)
_CODECS = {(name, _RATES.get(codec, 8_000), 1): codec for codec, name in ENCODINGS.items()}
_CODECS[("G722", 16_000, 1)] = G722  # what some phones call it, with the clock of 8 kHz all the same
_EVENT, _EVENT_16 = ("TELEPHONE-EVENT", 8_000, 1), ("TELEPHONE-EVENT", 16_000, 1)
_HELD_HOSTS = ("0.0.0.0", "::")
_BYTE = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
# An IPv4 unicast address, the usual case: spares the library's parser. 224.0.0.0 and above go on to it.
_PLAIN = re.compile(rf"(?:22[0-3]|2[01]\d|1\d\d|[1-9]?\d)(?:\.{_BYTE}){{3}}\Z", re.ASCII).match
_DIRECTIONS = {  # (we send, we receive)
    (True, True): "sendrecv", (True, False): "sendonly", (False, True): "recvonly", (False, False): "inactive",
}
_FRAME_MS_MIN, _FRAME_MS_MAX = 10, 60
_PLAIN_PROFILE, _SECURE_PROFILE = _PROFILES = ("RTP/AVP", "RTP/SAVP")


class Local(msgspec.Struct):
    """Our side of one session. host: IP literal to advertise; `frame_ms` what we like to receive (a=ptime).

    `codecs` in the order of our offers; `ranked`: of our answers, too, where otherwise the offer's order counts.
    `secure`: off | optional | required, with `key` for our SRTP keys (`crypto.own_handle`). Optional offers RTP/AVP
    with a=crypto (RFC 8643) and takes either; `profile` is what was agreed last, and offered again.

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
    secure: str = "off"
    key: str = ""
    profile: str = ""
    ranked: bool = False


class Agreed(msgspec.Struct, frozen=True):
    """What an offer and its answer amount to, for the media plane.

    host, port: where we send (an IP literal; 0.0.0.0 when the far end gave none, then symmetric RTP must learn it).
    `codec` is what we send, as `payload_type_out`; `codecs_in` are (payload type, codec) that may come, comfort noise
    (CN) and events of the other clock (EVENTS_16) among them; `events_in`/`events_out` are telephone-event payload
    types or -1, `events_rate_out` the clock of ours. `direction` is ours. `remote_hold`: they take no media by their
    own will (sendonly, inactive, c=0.0.0.0), not because we offered none. `suite`: SRTP under the keys of these
    handles (`crypto`), 0 for plain RTP.
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
    suite: int = 0
    key_in: str = ""
    key_out: str = ""
    events_rate_out: int = 8_000
    report_port: int = 0  # where they want RTCP (RFC 3605); 0: at the port above `port`
    report_mux: bool = False  # RTCP shares the RTP ports: offered by them and taken by us (RFC 5761)


class _Formats(msgspec.Struct, frozen=True):
    """The payload types of one m= line that mean something to us, in its order."""

    audio: tuple[tuple[int, int], ...]  # (payload type, codec)
    events: int  # -1: none
    events_16: int = -1  # with a clock of 16 kHz
    noise: int = -1  # comfort noise

    def extras(self, *, events: bool) -> tuple[tuple[int, int], ...]:
        """What else may come: (payload type, codec)."""
        found = [(self.noise, CN)] if self.noise >= 0 else []
        return (*found, (self.events_16, EVENTS_16)) if events and self.events_16 >= 0 else tuple(found)

    def events_out(self, codec: int) -> tuple[int, int]:
        """(payload type, clock) of the events beside a codec: its own clock's, else what there is; -1 for none."""
        wide = (self.events_16, 16_000)
        if self.events < 0 or (_RATES.get(codec) == 16_000 and self.events_16 >= 0):
            return wide if self.events_16 >= 0 else (-1, 8_000)
        return self.events, 8_000


def make_offer(local: Local, *, prefer: int | None = None) -> bytes:
    """An offer with our codecs, `prefer` first. Writes local.version and local.sent. LocalError for unknown codecs."""
    codecs = _preferred(list(local.codecs), prefer)
    if not codecs or any(codec not in ENCODINGS for codec in codecs):
        raise LocalError(f"codecs {local.codecs}")
    audio = tuple((_PAYLOAD_TYPES.get(codec, codec), codec) for codec in codecs)
    formats = _Formats(
        audio, EVENT_PAYLOAD_TYPE if local.events else -1,
        EVENT_16_PAYLOAD_TYPE if local.events and L16_16 in codecs else -1,
    )  # fmt: skip
    profile = _PLAIN_PROFILE
    keys: tuple[str, ...] = ()
    if local.secure != "off":
        profile = local.profile or (_SECURE_PROFILE if local.secure == "required" else _PLAIN_PROFILE)
        keys = tuple([crypto.text(tag, suite, local.key) for tag, suite in enumerate(crypto.SUITES, 1)])
    return _write(local, _audio_lines(local, formats, local.direction, profile, keys), [])


def answer_offer(offer: bytes, local: Local, *, prefer: int | None = None) -> tuple[bytes, Agreed]:
    """The answer to `offer` and what it amounts to. Writes local.version and local.sent.

    The first audio line that fits is taken, all others get port 0. Raises ProtocolError: 400 for text that is no SDP,
    488 when nothing fits.
    """
    theirs = parse(offer)
    chosen, formats, secured = _choose(theirs, local)
    media = theirs.media[chosen]
    host = _usable_host(theirs.connection_of(media), local.host)
    codecs = [codec for _, codec in formats.audio]
    if local.ranked:
        codecs.sort(key=local.codecs.index)
    codecs = _preferred(codecs, prefer)
    by_codec = {codec: payload_type for payload_type, codec in reversed(formats.audio)}
    audio = tuple([(by_codec[codec], codec) for codec in codecs])
    if not local.events:
        formats = msgspec.structs.replace(formats, events=-1, events_16=-1)
    elif L16_16 not in codecs:  # events of a clock that nothing else has
        formats = msgspec.structs.replace(formats, events_16=-1)
    formats = msgspec.structs.replace(formats, audio=audio)
    events_out, rate = formats.events_out(codecs[0])
    hold, direction = _combine(theirs, media, local.direction)
    mux = media.get("rtcp-mux") is not None
    lines: list[str] = []
    for place, line in enumerate(theirs.media):
        if place == chosen:
            keys = (crypto.text(secured.tag, secured.suite, local.key),) if secured is not None else ()
            local.profile = media.protocol.upper()
            lines += _audio_lines(local, formats, direction, local.profile, keys)
            lines += ["a=rtcp-mux"] if mux else []
        else:
            lines += media_lines(_refused(line))
    body = _write(local, lines, theirs.times[:1])
    agreed = Agreed(
        host=host, port=media.port, codec=codecs[0], payload_type_out=audio[0][0],
        codecs_in=(*audio, *formats.extras(events=True)), events_in=formats.events, events_out=events_out,
        frame_ms_out=_frame_ms(media, local.frame_ms), direction=direction, remote_hold=hold, events_rate_out=rate,
        report_port=_report_port(media), report_mux=mux, **_keys(secured, local.key),
    )
    return body, agreed


def read_answer(offer_sent: bytes, answer: bytes, local: Local | None = None) -> Agreed:
    """What their answer to our offer amounts to. Raises ProtocolError (488) when it refuses or fits nothing.

    `local`: whose offer it was; needed when it offered SRTP.

    We send with the answer's payload types and accept the offer's; an answer's own numbers are accepted as well where
    they can't be confused, since some peers send with what they announced.
    """
    ours, theirs = parse(offer_sent), parse(answer)
    place = next((n for n, line in enumerate(ours.media) if line.kind == "audio" and line.port), -1)
    if place < 0 or place >= len(theirs.media):
        raise ProtocolError("answer without our audio line", status_hint=488, section="RFC 3264 §6")
    mine, media = ours.media[place], theirs.media[place]
    if media.kind != "audio" or media.protocol.upper() not in _PROFILES or not media.port:
        raise ProtocolError("audio refused by the answer", status_hint=488, section="RFC 3264 §6")
    secured = _answered_key(mine, media)
    offered, answered = _formats(mine), _formats(media)
    allowed = [codec for _, codec in offered.audio]
    out = [(payload_type, codec) for payload_type, codec in answered.audio if codec in allowed]
    if not out:
        raise ProtocolError("no codec in common", status_hint=488, section="RFC 3264 §6.1")
    wanted = ours.direction_of(mine)
    silent, direction = _combine(theirs, media, wanted)
    # An answer that takes nothing because we offered to send nothing is obedience, not hold.
    hold = silent and wanted in ("sendrecv", "sendonly")
    told = msgspec.structs.replace(
        answered, events=answered.events if offered.events >= 0 else -1,
        events_16=answered.events_16 if offered.events_16 >= 0 else -1,
    )  # fmt: skip
    events_out, rate = told.events_out(out[0][1])
    accepted = dict(offered.audio)
    for payload_type, codec in out:
        if payload_type not in (offered.events, offered.events_16, told.events, told.events_16):
            accepted.setdefault(payload_type, codec)
    for payload_type, codec in offered.extras(events=told.events_16 >= 0):
        accepted.setdefault(payload_type, codec)
    return Agreed(
        host=_usable_host(theirs.connection_of(media), ours.connection_of(mine)), port=media.port, codec=out[0][1],
        payload_type_out=out[0][0], codecs_in=tuple(accepted.items()),
        events_in=offered.events if told.events >= 0 else -1, events_out=events_out, events_rate_out=rate,
        frame_ms_out=_frame_ms(media, mine.number("ptime") or 20), direction=direction, remote_hold=hold,
        **_keys(secured, local.key if local is not None else ""),
        report_port=_report_port(media),
    )


# --- reading ----------------------------------------------------------------------------------------
def _choose(theirs: Description, local: Local) -> tuple[int, _Formats, Crypto | None]:
    """The place of the audio line to serve, its formats cut down to our codecs, and the key that it comes with.

    Who wants SRTP takes the first line that offers it before one that doesn't.
    """
    reason = "no audio line"
    places = [place for place, media in enumerate(theirs.media) if media.kind == "audio"]
    if local.secure != "off":
        places.sort(key=lambda place: not crypto.lines(theirs.media[place]))
    for place in places:
        media = theirs.media[place]
        secured = crypto.choose(crypto.lines(media)) if local.secure != "off" else None
        profile = media.protocol.upper()
        if profile not in _PROFILES or (profile == _SECURE_PROFILE and local.secure == "off"):
            reason = f"profile {media.protocol[:20]}"
        elif not media.port:
            reason = "audio line is off"
        elif secured is None and (profile == _SECURE_PROFILE or local.secure == "required"):
            reason = "SRTP is required, and no a=crypto line can be served"
        else:
            formats = _formats(media)
            audio = tuple([(number, codec) for number, codec in formats.audio if codec in local.codecs])
            if audio:
                return place, msgspec.structs.replace(formats, audio=audio), secured
            reason = "no codec in common"
    raise ProtocolError(f"offer can't be served: {reason}", status_hint=488, section="RFC 3264 §6")


def _answered_key(mine: Media, media: Media) -> Crypto | None:
    """The key with which the answer takes one of our a=crypto lines; None for plain RTP, where our offer allowed it."""
    offered = {each.tag: each.suite for each in crypto.lines(mine)}
    answered = crypto.lines(media)
    for each in answered:
        if offered.get(each.tag) == each.suite:
            return each
    if _SECURE_PROFILE in (mine.protocol.upper(), media.protocol.upper()) or (offered and media.get("crypto")):
        raise ProtocolError("the answer takes none of our SRTP keys", status_hint=488, section="RFC 4568 §5.1.3")
    return None


def _keys(theirs: Crypto | None, key: str) -> dict[str, Any]:
    """What `Agreed` says of SRTP."""
    if theirs is None:
        return {}
    return {"suite": theirs.suite, "key_in": theirs.handle, "key_out": crypto.own_handle(key, theirs.suite)}


def _formats(media: Media) -> _Formats:
    return _formats_of(tuple(media.formats), tuple([value for name, value in media.attributes if name == "rtpmap"]))


@lru_cache(maxsize=256)  # phones of one make say the same
def _formats_of(formats: tuple[str, ...], rtpmaps: tuple[str, ...]) -> _Formats:
    encodings = encodings_of(rtpmaps)
    audio: list[tuple[int, int]] = []
    events = events_16 = noise = -1
    for text in formats:
        if not (text.isdecimal() and text.isascii() and len(text) <= 3):
            continue
        number = int(text)
        # A static type needs no rtpmap; if one stands there, it counts (RFC 3551 §6).
        static = (ENCODINGS[number], 8_000, 1) if number in _STATIC else ("CN", 8_000, 1) if number == CN else None
        encoding = encodings.get(number) or static
        if encoding is None or number > 127:
            continue
        if encoding == _EVENT:
            events = number if events < 0 else events
        elif encoding == _EVENT_16:
            events_16 = number if events_16 < 0 else events_16
        elif encoding[0] == "CN" and encoding[1] == 8_000:
            noise = number if noise < 0 else noise
        elif encoding in _CODECS and number not in dict(audio):
            audio.append((number, _CODECS[encoding]))
    return _Formats(tuple(audio), events, events_16, noise)


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


def _report_port(media: Media) -> int:
    stated = media.rtcp_port()
    return 0 if stated == media.port + 1 else stated


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
def _audio_lines(
    local: Local, formats: _Formats, direction: str, profile: str, keys: tuple[str, ...]
) -> list[str]:
    numbers, attributes = _audio_format(formats, local.frame_ms, direction)
    return [f"m=audio {local.port} {profile} {numbers}", *[f"a=crypto:{key}" for key in keys], *attributes]


@lru_cache(maxsize=256)  # differs by what far ends offer, and they are few makes
def _audio_format(formats: _Formats, frame_ms: int, direction: str) -> tuple[str, tuple[str, ...]]:
    """(formats of the m= line, the a= lines below it)."""
    numbers = [str(number) for number, _ in formats.audio]
    lines = [f"a=rtpmap:{number} {ENCODINGS[codec]}/{_RATES.get(codec, 8_000)}" for number, codec in formats.audio]
    if formats.noise >= 0:
        numbers.append(str(formats.noise))
        lines.append(f"a=rtpmap:{formats.noise} CN/8000")
    for events, rate in ((formats.events, 8_000), (formats.events_16, 16_000)):
        if events >= 0:
            numbers.append(str(events))
            lines += [f"a=rtpmap:{events} telephone-event/{rate}", f"a=fmtp:{events} {EVENTS}"]
    return " ".join(numbers), (*lines, f"a=ptime:{frame_ms}", f"a={direction}")


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

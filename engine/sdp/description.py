"""Session descriptions: text to structs and back (RFC 8866).

Tolerant in: bare LF, missing s= and t=, a missing o=, unknown lines and blanks are taken; what decides where media
goes (v=, m=, c=) must make sense. Strict out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from engine.errors import LocalError, ProtocolError

lines_max = 1_000
media_lines_max = 32
formats_max = 256
DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
_BLANKS = " \t\x00"
Attribute = tuple[str, str]  # (name, value); a flag such as sendonly has value ''


class Media(msgspec.Struct):
    """One m= line with what follows it. `connection` is the host of its own c= line, '' when it has none."""

    kind: str
    port: int
    protocol: str
    formats: list[str]
    ports: int = 1
    connection: str = ""
    bandwidths: list[str] = []
    attributes: list[Attribute] = []

    def get(self, name: str) -> str | None:
        """The first attribute of this name ('' for a flag), or None."""
        for key, value in self.attributes:
            if key == name:
                return value
        return None

    def encodings(self) -> dict[int, tuple[str, int, int]]:
        """a=rtpmap by payload type: (encoding name in upper case, clock rate, number of sound tracks)."""
        return encodings_of([value for name, value in self.attributes if name == "rtpmap"])

    def number(self, name: str) -> int:
        """A numeric attribute such as ptime, rounded down (RFC 8866 lets it have decimals); 0 when absent or odd."""
        digits = (self.get(name) or "").strip().partition(".")[0]
        return int(digits) if digits.isdecimal() and digits.isascii() and len(digits) < 7 else 0

    def format_parameters(self, payload_type: int) -> str:
        """The a=fmtp text of one payload type, '' when there is none."""
        for name, value in self.attributes:
            number, _, text = value.partition(" ")
            if name == "fmtp" and number == str(payload_type):
                return text.strip()
        return ""

    def direction(self) -> str:
        """The direction on media level, '' when none stands there."""
        return _direction(self.attributes)

    def rtcp_port(self) -> int:
        """Where the far end wants RTCP: a=rtcp (RFC 3605) or the RTP port plus one; 0 for a refused line."""
        stated = (self.get("rtcp") or "").partition(" ")[0]
        if stated.isdecimal() and stated.isascii() and len(stated) <= 5 and 0 < int(stated) <= 65_535:
            return int(stated)
        return min(self.port + 1, 65_535) if self.port else 0


class Description(msgspec.Struct):
    """A whole session description. `connection` is the host of the session's c= line, '' when there is none."""

    session_id: str = "0"
    version: str = "0"
    username: str = "-"
    host: str = "0.0.0.0"  # of o=
    name: str = "-"
    connection: str = ""
    bandwidths: list[str] = []
    times: list[str] = []
    attributes: list[Attribute] = []
    media: list[Media] = []

    def connection_of(self, media: Media) -> str:
        """The address that counts for this m= line (RFC 8866 §5.7)."""
        return media.connection or self.connection

    def direction_of(self, media: Media) -> str:
        """The direction that counts for this m= line; sendrecv when nothing is said (RFC 8866 §6.7)."""
        return media.direction() or _direction(self.attributes) or "sendrecv"

    def encode(self) -> bytes:
        """The description with CRLF line ends. Raises LocalError when a value would begin a new line."""
        lines = [
            "v=0",
            f"o={self.username} {self.session_id} {self.version} IN {family(self.host)} {self.host}",
            f"s={self.name}",
        ]
        if self.connection:
            lines.append(f"c=IN {family(self.connection)} {self.connection}")
        lines += [f"b={value}" for value in self.bandwidths]
        lines += [f"t={value}" for value in self.times or ["0 0"]]
        lines += [attribute_line(*attribute) for attribute in self.attributes]
        for media in self.media:
            lines += media_lines(media)
        return joined(lines).encode()


def parse(data: bytes) -> Description:
    """Parse a session description. Raises ProtocolError: 400 for text that is none, 488 for one we can't serve."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) > lines_max:
        raise ProtocolError(f"SDP of {len(lines)} lines", section="limit sdp lines_max")
    description = Description()
    media: Media | None = None
    version_seen = False
    for line in lines:
        kind, equals, value = line.partition("=")
        if len(kind) != 1 or not equals:  # the usual line is spared a look for outer blanks
            line = line.strip(_BLANKS)
            if not line:
                continue
            kind, equals, value = line.partition("=")
            if len(kind) != 1 or not equals:
                if not version_seen:
                    raise ProtocolError(f"not SDP: {line[:40]!r}", section="RFC 8866 §5")
                continue
        value = value.strip(_BLANKS)
        if not version_seen:
            if kind != "v" or value != "0":
                raise ProtocolError(f"not SDP: {line[:40]!r}", section="RFC 8866 §5.1")
            version_seen = True
        elif kind == "m":
            if len(description.media) >= media_lines_max:
                raise ProtocolError("too many m= lines", status_hint=488, section="limit sdp media_lines_max")
            media = _media(value)
            description.media.append(media)
        elif media is not None:
            if kind == "a":
                media.attributes.append(_attribute(value))
            else:
                _media_level(media, kind, value)
        else:
            _session_level(description, kind, value)
    if not version_seen:
        raise ProtocolError("empty SDP", section="RFC 8866 §5")
    return description


def _session_level(description: Description, kind: str, value: str) -> None:
    if kind == "o":
        fields = value.split()
        if len(fields) == 6:
            description.username, description.session_id, description.version = fields[:3]
            description.host = fields[5]
    elif kind == "s":
        description.name = value or "-"
    elif kind == "c":
        description.connection = _connection(value)
    elif kind == "b":
        description.bandwidths.append(value)
    elif kind == "t":
        description.times.append(value)
    elif kind == "a":
        description.attributes.append(_attribute(value))


def _media_level(media: Media, kind: str, value: str) -> None:
    if kind == "c" and not media.connection:  # further ones are the layers of a multicast
        media.connection = _connection(value)
    elif kind == "b":
        media.bandwidths.append(value)


def _media(value: str) -> Media:
    fields = value.split()
    if len(fields) < 3:
        raise ProtocolError(f"bad m= line: {value[:80]!r}", section="RFC 8866 §5.14")
    port, slash, count = fields[1].partition("/")
    if not _is_port(port) or (slash and not _is_port(count)):
        raise ProtocolError(f"bad port in m= line: {value[:80]!r}", section="RFC 8866 §5.14")
    if len(fields) - 3 > formats_max:
        raise ProtocolError("too many formats in an m= line", status_hint=488, section="limit sdp formats_max")
    return Media(fields[0].lower(), int(port), fields[2], fields[3:], int(count) if slash else 1)


def _is_port(text: str) -> bool:
    return text.isdecimal() and text.isascii() and len(text) <= 5 and int(text) <= 65_535


@lru_cache(maxsize=512)
def _connection(value: str) -> str:
    """The host of `IN IP4 host[/ttl[/count]]`."""
    fields = value.split()
    if len(fields) != 3 or fields[0].upper() != "IN" or fields[1].upper() not in ("IP4", "IP6"):
        raise ProtocolError(f"bad c= line: {value[:80]!r}", section="RFC 8866 §5.7")
    host = fields[2].partition("/")[0].strip("[]")
    if not host:
        raise ProtocolError(f"bad c= line: {value[:80]!r}", section="RFC 8866 §5.7")
    return host


@lru_cache(maxsize=512)  # the same few lines come with every call
def _attribute(value: str) -> Attribute:
    name, _, rest = value.partition(":")
    return name.strip(" \t"), rest.strip(" \t")


def _direction(attributes: list[Attribute]) -> str:
    for name, value in attributes:
        if not value and name in DIRECTIONS:
            return name
    return ""


def encodings_of(rtpmaps: Sequence[str]) -> dict[int, tuple[str, int, int]]:
    """The values of a=rtpmap lines as `Media.encodings` has them; nonsense is ignored, the first of a number counts."""
    found: dict[int, tuple[str, int, int]] = {}
    for value in rtpmaps:
        entry = _rtpmap(value)
        if entry is not None:
            found.setdefault(entry[0], entry[1:])
    return found


@lru_cache(maxsize=512)  # the same few lines come with every call
def _rtpmap(value: str) -> tuple[int, str, int, int] | None:
    """`101 telephone-event/8000` -> (101, "TELEPHONE-EVENT", 8000, 1); None for nonsense, which is then ignored."""
    number, _, encoding = value.partition(" ")
    fields = encoding.strip().split("/")
    if not _is_port(number) or int(number) > 127 or len(fields) < 2 or len(fields) > 3:
        return None
    rate, tracks = fields[1], fields[2] if len(fields) == 3 else "1"
    if not (rate.isdecimal() and rate.isascii() and len(rate) < 8 and _is_port(tracks)):
        return None
    return int(number), fields[0].upper(), int(rate), int(tracks)


def family(host: str) -> str:
    """IP4 or IP6, as o= and c= name it."""
    return "IP6" if ":" in host else "IP4"


def joined(lines: list[str]) -> str:
    """The text of these lines. Raises LocalError when a value would begin a new one."""
    text = "\r\n".join(lines) + "\r\n"
    if text.count("\r") != len(lines) or text.count("\n") != len(lines):
        raise LocalError("line end inside an SDP value")
    return text


def attribute_line(name: str, value: str) -> str:
    """One a= line."""
    return f"a={name}:{value}" if value else f"a={name}"


def media_lines(media: Media) -> list[str]:
    """One m= line and what follows it."""
    ports = f"{media.port}/{media.ports}" if media.ports != 1 else str(media.port)
    lines = [f"m={media.kind} {ports} {media.protocol} {' '.join(media.formats)}".rstrip(" ")]
    if media.connection:
        lines.append(f"c=IN {family(media.connection)} {media.connection}")
    lines += [f"b={value}" for value in media.bandwidths]
    return lines + [attribute_line(*attribute) for attribute in media.attributes]

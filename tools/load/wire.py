"""SIP text for the load tools and the scripted phones of the interop tests: small, quick, tolerant of peers."""

from __future__ import annotations

import hashlib
import secrets

COMPACT = {
    "v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length", "c": "content-type",
    "r": "refer-to", "b": "referred-by", "x": "session-expires", "k": "supported", "s": "subject",
    "e": "content-encoding", "o": "event", "u": "allow-events",
}  # fmt: skip
CANONICAL = {"from": "From", "call-id": "Call-ID", "cseq": "CSeq"}  # pyVoIP knows no other spelling


class Message:
    """One message: `start` line, `headers` as (lower-case long name, value) in order, `body`."""

    __slots__ = ("body", "headers", "start")

    def __init__(self, start: str, headers: list[tuple[str, str]], body: bytes) -> None:
        self.start = start
        self.headers = headers
        self.body = body

    @property
    def is_request(self) -> bool:
        return not self.start.startswith("SIP/")

    @property
    def method(self) -> str:
        """The request's method, or the one in a response's CSeq."""
        return self.start.split(" ", 1)[0] if self.is_request else self.get("cseq").split()[-1]

    @property
    def status(self) -> int:
        """The response's status code; 0 for a request."""
        return 0 if self.is_request else int(self.start[8:11])

    @property
    def uri(self) -> str:
        return self.start.split(" ")[1]

    def get(self, name: str, default: str = "") -> str:
        for key, value in self.headers:
            if key == name:
                return value
        return default

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def __repr__(self) -> str:
        return f"<{self.start} {self.get('call-id')} {self.get('cseq')}>"

    def text(self) -> str:
        """The whole message, for failure reports."""
        lines = [self.start, *(f"{k}: {v}" for k, v in self.headers), "", self.body.decode(errors="replace")]
        return "\n".join(lines)


def parse(data: bytes) -> Message:
    """Read one message; ValueError when it is none."""
    head, gap, body = data.partition(b"\r\n\r\n")
    lines = head.decode("utf-8", "replace").split("\r\n")
    if not gap or " " not in lines[0]:
        raise ValueError("not a SIP message")
    headers: list[tuple[str, str]] = []
    for line in lines[1:]:
        if line[:1] in " \t" and headers:
            headers[-1] = (headers[-1][0], headers[-1][1] + " " + line.strip())
            continue
        name, _, value = line.partition(":")
        key = name.strip().lower()
        headers.append((COMPACT.get(key, key), value.strip()))
    return Message(lines[0], headers, body)


def build(start: str, headers: list[tuple[str, str]], body: bytes | str = b"") -> bytes:
    """Write one message; Content-Length is added."""
    if isinstance(body, str):
        body = body.encode()
    lines = [start]
    lines.extend([f"{key}: {value}" for key, value in headers])
    lines.append(f"Content-Length: {len(body)}\r\n\r\n")
    return "\r\n".join(lines).encode() + body


def respond(
    request: Message, status: int, phrase: str, *, tag: str = "", headers: list[tuple[str, str]] | None = None,
    body: bytes | str = b"",
) -> bytes:  # fmt: skip
    """A response with the request's Via, From, To (tag added), Call-ID, CSeq and Record-Route."""
    out: list[tuple[str, str]] = []
    for key, value in request.headers:
        if key == "via":
            out.append(("Via", value))
        elif key == "record-route":
            out.append(("Record-Route", value))
        elif key in CANONICAL:
            out.append((CANONICAL[key], value))
        elif key == "to":
            out.append(("To", f"{value};tag={tag}" if tag and ";tag=" not in value else value))
    out.extend(headers or [])
    return build(f"SIP/2.0 {status} {phrase}", out, body)


def tag_of(value: str) -> str:
    """The tag parameter of a From or To value, '' without one."""
    after = value.rpartition(">")[2] if ">" in value else value
    for part in after.split(";")[1:]:
        name, _, content = part.strip().partition("=")
        if name.lower() == "tag":
            return content
    return ""


def uri_of(value: str) -> str:
    """The URI of a name-addr or addr-spec header value."""
    if "<" in value:
        return value.partition("<")[2].partition(">")[0]
    return value.split(";", 1)[0].strip()


def user_of(value: str) -> str:
    """The user part of the URI in a header value."""
    user, at, _ = uri_of(value).partition(":")[2].partition("@")
    return user if at else ""


def display_of(value: str) -> str:
    """The display name of a name-addr, unquoted."""
    return value.partition("<")[0].strip().strip('"') if "<" in value else ""


def fresh(size: int = 6) -> str:
    """An unguessable token for branches, tags and Call-IDs."""
    return secrets.token_hex(size)


def parameters(challenge: str) -> dict[str, str]:
    """The parameters of one WWW-Authenticate value (`Digest realm="…", …`), names in lower case."""
    found: dict[str, str] = {}
    name, value, quoted, in_value = "", "", False, False
    for char in challenge.partition(" ")[2] + ",":
        if char == '"':
            quoted = not quoted
        elif char == "," and not quoted:
            if name.strip():
                found[name.strip().lower()] = value.strip()
            name, value, in_value = "", "", False
        elif char == "=" and not in_value:
            in_value = True
        elif in_value:
            value += char
        else:
            name += char
    return found


def authorization(
    challenges: list[str], user: str, password: str, method: str, uri: str, *, prefer: str = "MD5",
) -> str:  # fmt: skip
    """The Authorization value for one of the challenges (RFC 7616, 8760): `prefer` chooses MD5 or SHA-256."""
    offered = [parameters(text) for text in challenges]
    chosen = next((c for c in offered if c.get("algorithm", "MD5").upper() == prefer), offered[0])
    algorithm = chosen.get("algorithm", "MD5").upper()
    make = hashlib.sha256 if algorithm == "SHA-256" else hashlib.md5

    def digest(text: str) -> str:
        return make(text.encode()).hexdigest()

    first = digest(f"{user}:{chosen['realm']}:{password}")
    second = digest(f"{method}:{uri}")
    answer = [("username", user), ("realm", chosen["realm"]), ("nonce", chosen["nonce"]), ("uri", uri)]
    tail = f"algorithm={algorithm}"
    if "qop" in chosen:
        cnonce = fresh(8)
        answer.append(("response", digest(f"{first}:{chosen['nonce']}:00000001:{cnonce}:auth:{second}")))
        tail += f', qop=auth, nc=00000001, cnonce="{cnonce}"'
    else:
        answer.append(("response", digest(f"{first}:{chosen['nonce']}:{second}")))
    if "opaque" in chosen:
        answer.append(("opaque", chosen["opaque"]))
    return "Digest " + ", ".join(f'{name}="{value}"' for name, value in answer) + ", " + tail


def offer(
    host: str, port: int, *, codecs: tuple[int, ...] = (0, 8), event: int = 101, direction: str = "sendrecv",
    version: int = 1, session: int = 1, frame_ms: int = 20, connection: str = "",
) -> str:  # fmt: skip
    """An SDP body for one audio stream; `event` is the telephone-event payload type, 0 for none."""
    kinds = " ".join(str(kind) for kind in (*codecs, *((event,) if event else ())))
    lines = [
        "v=0", f"o=- {session} {version} IN IP4 {host}", "s=-", f"c=IN IP4 {connection or host}", "t=0 0",
        f"m=audio {port} RTP/AVP {kinds}",
    ]  # fmt: skip
    names = {0: "PCMU", 8: "PCMA", 3: "GSM", 9: "G722"}
    lines += [f"a=rtpmap:{kind} {names[kind]}/8000" for kind in codecs if kind in names]
    if event:
        lines += [f"a=rtpmap:{event} telephone-event/8000", f"a=fmtp:{event} 0-15"]
    lines += [f"a=ptime:{frame_ms}", f"a={direction}", ""]
    return "\r\n".join(lines)


class Media:
    """What an SDP body says about its first audio stream."""

    __slots__ = ("codecs", "direction", "event", "frame_ms", "host", "lines", "port", "session", "version")

    def __init__(self, body: bytes | str) -> None:
        text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
        self.host, self.port, self.direction, self.event, self.frame_ms = "", 0, "sendrecv", 0, 20
        self.codecs: list[int] = []
        self.lines: list[str] = []
        self.session = self.version = ""
        in_audio = True
        for line in text.replace("\r\n", "\n").split("\n"):
            kind, _, value = line.partition("=")
            if kind == "m":
                self.lines.append(value)
                in_audio = value.startswith("audio ") and len([m for m in self.lines if m.startswith("audio ")]) == 1
                if in_audio:
                    fields = value.split()
                    self.port, self.codecs = int(fields[1]), [int(f) for f in fields[3:] if f.isdigit()]
            elif kind == "o":
                self.session, self.version = value.split()[1:3]
            elif in_audio:
                self._attribute(kind, value)

    def _attribute(self, kind: str, value: str) -> None:
        if kind == "c":
            self.host = value.split()[-1]
        elif kind == "a" and value in ("sendrecv", "sendonly", "recvonly", "inactive"):
            self.direction = value
        elif kind == "a" and "telephone-event" in value:
            self.event = int(value.partition(":")[2].split()[0])
        elif kind == "a" and value.startswith("ptime:"):
            self.frame_ms = int(value[6:])


class Framer:
    """Cuts a TCP stream into messages by Content-Length (RFC 3261 §18.3)."""

    def __init__(self) -> None:
        self.rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        self.rest += data
        found = []
        while True:
            self.rest = self.rest.lstrip(b"\r\n")
            end = self.rest.find(b"\r\n\r\n")
            if end < 0:
                return found
            length = 0
            for line in self.rest[:end].split(b"\r\n")[1:]:
                name, _, value = line.partition(b":")
                if name.strip().lower() in (b"content-length", b"l"):
                    length = int(value)
            if len(self.rest) < end + 4 + length:
                return found
            found.append(self.rest[: end + 4 + length])
            self.rest = self.rest[end + 4 + length :]

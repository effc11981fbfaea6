"""Bytes to Message (RFC 3261 §7, §18.3; strictness as RFC 4475 asks).

The head is decoded and split once. What every message must have (Via, From, To, Call-ID, CSeq) is typed at once, so
that nothing downstream can stumble over it; everything else is typed when it is read.
"""

from __future__ import annotations

import re

from engine.errors import ProtocolError
from engine.limits import header_line_bytes_max, header_lines_max, message_bytes_max
from engine.sip.headers import is_token, parse_name_addr, parse_via, split_list
from engine.sip.message import COMPACT, METHODS, PRETTY, Message, parse_cseq

_SINGLE = frozenset(("from", "to", "call-id", "cseq", "max-forwards", "content-length", "content-type", "expires"))
_END = re.compile(rb"\r?\n\r?\n").search
_FOLD = re.compile(r"\r\n[ \t]+")
_NAMES: dict[str, str] = {}
for _lower, _pretty in PRETTY.items():
    for _spelling in (_lower, _pretty, _lower.upper(), _lower.title()):
        _NAMES[_spelling] = _lower
for _short, _long in COMPACT.items():
    _NAMES[_short] = _NAMES[_short.upper()] = _long


def parse(data: bytes, *, datagram: bool = True) -> Message:
    """Parse one message. `datagram` False: a message cut from a stream by `stream.Framer`.

    Raises ProtocolError with the status that fits as an answer (400, 505 version, 513 too large); for a broken
    response the hint means nothing, drop it.
    """
    if len(data) > message_bytes_max:
        raise ProtocolError(f"{len(data)} bytes", status_hint=513, section="limit message_bytes_max")
    lines, body, charset = _split(data)
    message = _first_line(lines[0])
    message.charset = charset
    message.headers = headers = _headers(lines)
    index = message.__dict__["index"] = dict(reversed(headers))
    _check_mandatory(message, index)
    if len(index) != len(headers):
        _check_repeats(headers, index)
    message.body = _body(body, index.get("content-length"), datagram)
    return message


def _split(data: bytes) -> tuple[list[str], bytes, str]:
    """The unfolded lines of the head, the rest, and the charset that decoded the head."""
    if data[:1] in (b"\r", b"\n"):
        data = data.lstrip(b"\r\n")  # §7.5
    head, blank, body = data.partition(b"\r\n\r\n")
    line_ends = head.count(b"\n")
    if not blank or head.count(b"\r\n") != line_ends or head.count(b"\r") != line_ends:
        head, body = _split_odd(data)
        line_ends = head.count(b"\n")
    if line_ends > header_lines_max:
        raise ProtocolError(f"{line_ends} header lines", status_hint=513, section="limit header_lines_max")
    try:
        text, charset = head.decode(), "utf-8"
    except UnicodeDecodeError:
        text, charset = head.decode("latin-1"), "latin-1"
    if "\n " in text or "\n\t" in text:
        text = _FOLD.sub(" ", text)
    return text.split("\r\n"), body, charset


def _split_odd(data: bytes) -> tuple[bytes, bytes]:
    """Heads with bare LF, or without the empty line at the end of a datagram: head with CRLF, and the rest."""
    end = _END(data)
    if end is not None:
        head, body = data[:end.start()], data[end.end():]
    elif data.endswith(b"\n"):
        head, body = data.removesuffix(b"\n").removesuffix(b"\r"), b""
    else:
        raise ProtocolError("head without end", section="RFC 3261 §7")
    lines = head.replace(b"\r\n", b"\n")
    if b"\r" in lines:
        raise ProtocolError("carriage return inside a header", section="RFC 3261 §7.3.1")
    return lines.replace(b"\n", b"\r\n"), body


def _first_line(line: str) -> Message:
    parts = line.split(" ", 2)
    if len(parts) != 3:
        raise ProtocolError(f"bad first line: {line[:80]!r}", section="RFC 3261 §7")
    first, second, third = parts
    if first == "SIP/2.0":
        if len(second) != 3 or not (second.isdecimal() and second.isascii()) or not "100" <= second <= "699":
            raise ProtocolError(f"bad status: {line[:80]!r}", section="RFC 3261 §7.2")
        return Message(False, "", status=int(second), phrase=third)
    if third != "SIP/2.0":
        if third.startswith("SIP/") and third[4:5].isdigit() and " " not in third:
            raise ProtocolError(f"version {third[:20]!r}", status_hint=505, section="RFC 3261 §7.1")
        raise ProtocolError(f"bad request line: {line[:80]!r}", section="RFC 3261 §7.1")
    if first not in METHODS and not is_token(first):
        raise ProtocolError(f"bad method: {line[:80]!r}", section="RFC 3261 §7.1")
    if not second or second[0] == "<" or ("?" in second and "?" in second.rpartition("@")[2]):
        raise ProtocolError(f"bad Request-URI: {line[:80]!r}", section="RFC 3261 §19.1.1")
    return Message(True, first, second)


def _headers(lines: list[str]) -> list[tuple[str, str]]:
    headers: list[tuple[str, str]] = []
    append = headers.append
    known = _NAMES.get
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise ProtocolError(f"header without colon: {line[:80]!r}", section="RFC 3261 §7.3.1")
        if len(line) > header_line_bytes_max:
            raise ProtocolError("header too long", status_hint=513, section="limit header_line_bytes_max")
        append((known(name) or _canonical(name), value.strip(" \t")))
    return headers


def _canonical(name: str) -> str:
    lower = name.rstrip(" \t").lower()
    if not is_token(lower):
        raise ProtocolError(f"bad header name: {name[:80]!r}", section="RFC 3261 §7.3.1")
    return COMPACT.get(lower, lower)


def _check_mandatory(message: Message, index: dict[str, str]) -> None:
    """§8.1.1: five headers must be there and make sense. Their typed views are stored at once."""
    views = message.__dict__
    try:
        via, from_, to, call_id, cseq = index["via"], index["from"], index["to"], index["call-id"], index["cseq"]
    except KeyError as missing:
        raise ProtocolError(f"{missing.args[0]} is missing", section="RFC 3261 §8.1.1") from None
    if not call_id:
        raise ProtocolError("Call-ID is empty", section="RFC 3261 §8.1.1.4")
    views["call_id"] = call_id
    views["cseq"] = number_method = parse_cseq(cseq)
    views["via"] = parse_via(via if "," not in via else _top(via))
    views["from_"] = parse_name_addr(from_)
    views["to"] = parse_name_addr(to)
    if not message.is_request:
        message.method = number_method[1]
    elif number_method[1] != message.method:
        raise ProtocolError(f"CSeq says {number_method[1][:40]!r}", section="RFC 3261 §8.1.1.5")


def _top(via: str) -> str:
    values = split_list(via)
    if not values:
        raise ProtocolError(f"bad Via: {via[:80]!r}", section="RFC 3261 §20.42")
    return values[0]


def _check_repeats(headers: list[tuple[str, str]], index: dict[str, str]) -> None:
    """A header that may occur once may be repeated only with the same value."""
    for name, value in headers:
        if name in _SINGLE and index[name] != value:
            raise ProtocolError(f"two different {PRETTY.get(name, name)} headers", section="RFC 3261 §7.3.1")


def _body(rest: bytes, length: str | None, datagram: bool) -> bytes:
    """§18.3: bytes beyond Content-Length are dropped, missing ones are an error; a stream must state it."""
    if length is None:
        if datagram:
            return rest
        raise ProtocolError("Content-Length is missing", section="RFC 3261 §18.3")
    if not (length.isdecimal() and length.isascii()) or len(length) > 10:
        raise ProtocolError(f"bad Content-Length: {length[:40]!r}", section="RFC 3261 §20.14")
    size = int(length)
    available = len(rest)
    if size == available:
        return rest
    if size > available:
        raise ProtocolError(f"Content-Length {size}, {available} bytes came", section="RFC 3261 §18.3")
    return rest[:size]


def salvage(data: bytes) -> Message | None:
    """What can be read of a request that `parse` refused, when it suffices to answer it; else None.

    Needed: a request line, a Via that parses and a CSeq that isn't ACK's. From, To and Call-ID are copied when they
    are there; their typed views may raise. Repeated headers keep their first value.
    """
    try:
        lines, _, charset = _split(data[:message_bytes_max])
    except ProtocolError:
        return None
    fields = lines[0].split()
    if len(fields) < 3 or not fields[-1].startswith("SIP/") or fields[0].startswith("SIP/") or not is_token(fields[0]):
        return None
    headers: list[tuple[str, str]] = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        name = name.rstrip(" \t").lower()
        if colon and is_token(name):
            headers.append((COMPACT.get(name, name), value.strip(" \t")))
    message = Message(True, fields[0], fields[1], headers=headers, charset=charset)
    if fields[0] == "ACK" or "cseq" not in message.index or "via" not in message.index:
        return None
    try:
        message.__dict__["via"] = parse_via(_top(message.index["via"]), strict=False)
    except ProtocolError:
        return None
    return message

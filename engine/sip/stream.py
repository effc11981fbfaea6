"""Cutting a byte stream into messages (RFC 3261 §18.3, keep-alive of RFC 5626 §3.5.1).

A stream that can't be trusted any more (no Content-Length, two that differ, too large, not SIP at all) raises
ProtocolError; the connection is then to be closed, for there is no way to find the next message.
"""

from __future__ import annotations

import re

import msgspec

from engine.errors import ProtocolError
from engine.limits import header_line_bytes_max, message_bytes_max

# No part of the pattern can match in two ways: a hostile head costs linear time.
_LENGTH = re.compile(rb"\n(?:content-length|l)[ \t]*:(?:[ \t]|\r\n[ \t])*([^\r\n]*)", re.IGNORECASE).findall


class Ping(msgspec.Struct, frozen=True, tag=True):
    """A double CRLF between messages: answer it with one CRLF."""


class Pong(msgspec.Struct, frozen=True, tag=True):
    """The one CRLF that answers a ping of ours."""


PING = Ping()
PINGED = Pong()
PONG = b"\r\n"
ASK = b"\r\n\r\n"  # what we write to be answered by PONG


class Framer(msgspec.Struct):
    """Feeds on bytes as they come, gives whole messages. At most `message_bytes_max` bytes and one read are held.

    The same bytes give the same messages however they are split. After an error every further feed raises again; when
    whole messages came before the error in the same read they are returned first, and `broken` says why it is over.
    """

    buffer: bytearray = msgspec.field(default_factory=bytearray)
    scanned: int = 0  # where the search for the head's end goes on
    needed: int = 0  # whole size of the message under way once its head is known, else 0
    broken: str = ""
    asked: int = 0  # pings of ours without an answer: only then a lone CRLF is one

    def feed(self, data: bytes) -> list[bytes | Ping | Pong]:
        """Add bytes; returns the messages and pings that are complete now. Raises ProtocolError."""
        if self.broken:
            raise ProtocolError(self.broken, section="RFC 3261 §18.3")
        self.buffer += data
        found: list[bytes | Ping | Pong] = []
        try:
            while self._take(found):
                pass
        except ProtocolError as error:
            self.broken = error.detail
            self.buffer.clear()
            if not found:
                raise
        return found

    @property
    def idle(self) -> bool:
        """True between messages: nothing half-read waits for its rest (limit stream_message_ms_max). Line ends that may
        become a ping are no message."""
        return not self.buffer or self.buffer[0] in b"\r\n"

    def _take(self, found: list[bytes | Ping | Pong]) -> bool:
        """Move one message or ping from the buffer to `found`; False when more bytes are needed."""
        buffer = self.buffer
        if not self.needed:
            if buffer.startswith((b"\r", b"\n")):
                return self._blank(found)
            if not self._head():
                return False
        if len(buffer) < self.needed:
            return False
        found.append(bytes(buffer[:self.needed]))
        del buffer[:self.needed]
        self.needed = self.scanned = 0
        return bool(buffer)

    def _blank(self, found: list[bytes | Ping | Pong]) -> bool:
        """Line ends between messages: CRLF CRLF is a ping, anything else is skipped (§7.5). While a ping of ours is out
        one CRLF answers it, and what follows is looked at anew (RFC 5626 §3.5.1)."""
        buffer = self.buffer
        if self.asked and buffer.startswith(PONG):
            self.asked -= 1
            found.append(PINGED)
            del buffer[:2]
        elif buffer.startswith(b"\r\n\r\n"):
            found.append(PING)
            del buffer[:4]
        elif b"\r\n\r\n".startswith(buffer):
            return False
        else:
            del buffer[:1]
        return bool(buffer)

    def _head(self) -> bool:
        """Find the end of the head and from its Content-Length the message's size; False: not all here yet."""
        buffer = self.buffer
        end = buffer.find(b"\r\n\r\n", max(0, self.scanned - 3))
        held = len(buffer) if end < 0 else end
        if held > message_bytes_max:
            raise ProtocolError("head too large", status_hint=513, section="limit message_bytes_max")
        if not self.scanned or end >= 0:
            self._check_first_line()
        if end < 0:
            first_line_seen = b"\n" in buffer[:header_line_bytes_max]
            self.scanned = len(buffer) if first_line_seen else 0
            return False
        lengths = [text.rstrip(b" \t") for text in _LENGTH(bytes(buffer[:end]))]
        if not lengths or any(length != lengths[0] for length in lengths):
            raise ProtocolError("Content-Length missing or ambiguous on a stream", section="RFC 3261 §18.3")
        text = lengths[0]
        if not text.isdigit() or len(text) > 10:
            raise ProtocolError(f"bad Content-Length {text[:40]!r}", section="RFC 3261 §20.14")
        needed = end + 4 + int(text)
        if needed > message_bytes_max:
            raise ProtocolError(f"message of {needed} bytes", status_hint=513, section="limit message_bytes_max")
        self.needed = needed
        return True

    def _check_first_line(self) -> None:
        """Something that isn't SIP (a web browser, TLS) is noticed at its first line, not after 64 KiB."""
        buffer = self.buffer
        newline = buffer.find(b"\n")
        if newline < 0:
            if len(buffer) > header_line_bytes_max:
                raise ProtocolError("first line too long", section="RFC 3261 §7")
            return
        line = bytes(buffer[:newline])
        sip = line.startswith(b"SIP/") or b" SIP/" in line
        if newline > header_line_bytes_max or not sip or not line.endswith(b"\r"):
            raise ProtocolError(f"not SIP: {bytes(buffer[:40])!r}", section="RFC 3261 §7")

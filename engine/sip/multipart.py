"""Several bodies in one message (RFC 5621, RFC 2046 §5.1): an offer, and what stands beside it."""

from __future__ import annotations

import re

import msgspec

PARTS_MAX = 16
_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,70})"|([^;\s"]{1,70}))', re.IGNORECASE)


class Part(msgspec.Struct, frozen=True, array_like=True):
    """One body. `content_id` without angle brackets: what a Geolocation header names as `cid:` (RFC 2392)."""

    content_type: str
    content_id: str
    body: bytes


def join(sdp: bytes, parts: tuple[Part, ...], boundary: str) -> tuple[bytes, str]:
    """(body, content type). `boundary` must not occur in a part: it is drawn at random, 128 bits of it."""
    pieces = [(["Content-Type: application/sdp"], sdp)] if sdp else []
    for part in parts:
        # handling=optional: who can't read where the caller is must still take the call (RFC 3261 §20.11)
        lines = [
            f"Content-Type: {part.content_type}", f"Content-ID: <{part.content_id}>",
            "Content-Disposition: render;handling=optional",
        ]  # fmt: skip
        pieces.append((lines, part.body))
    body = b"".join(
        f"--{boundary}\r\n".encode() + "\r\n".join(lines).encode() + b"\r\n\r\n" + content + b"\r\n"
        for lines, content in pieces
    )
    return body + f"--{boundary}--\r\n".encode(), f'multipart/mixed;boundary="{boundary}"'


def offer(content_type: str, body: bytes) -> bytes:
    """The SDP among several bodies, b"" when there is none: what a carrier adds (ISUP, a location) is for others."""
    match = _BOUNDARY.search(content_type)
    if match is None:
        return b""
    mark = b"--" + (match.group(1) or match.group(2)).encode("utf-8", "replace")
    for piece in (b"\r\n" + body).split(b"\r\n" + mark)[1 : PARTS_MAX + 1]:
        head, blank, content = piece.lstrip(b" \t").removeprefix(b"\r\n").partition(b"\r\n\r\n")
        kind = re.search(rb"(?:^|\r\n)content-type[ \t]*:[ \t]*([^;\r\n]*)", head, re.IGNORECASE)
        if blank and kind is not None and kind.group(1).strip().lower() == b"application/sdp":
            return content
    return b""

"""Several bodies in one message: joined for an emergency call, and an offer found among them."""

from __future__ import annotations

import pytest

from engine.sip.multipart import Part, join, offer

SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n"


def test_an_offer_and_a_location_are_told_apart_again() -> None:
    body, kind = join(SDP, (Part("application/pidf+xml", "a@b", b"<presence/>\r\n"),), "frontier")
    assert kind == 'multipart/mixed;boundary="frontier"' and body.endswith(b"--frontier--\r\n")
    assert b"Content-ID: <a@b>\r\n" in body and offer(kind, body) == SDP


@pytest.mark.parametrize(
    ("kind", "body", "found"),
    [
        ("multipart/mixed;boundary=x", b"--x\r\nContent-Type: application/isup\r\n\r\n\x01\r\n--x\r\n"
         b"content-type : Application/SDP;x=y\r\n\r\nv=0\r\n--x--\r\n", b"v=0"),
        ("multipart/mixed;boundary=x", b"preamble\r\n--x\r\nContent-Type: text/plain\r\n\r\nhi\r\n--x--", b""),
        ("multipart/mixed", b"--x\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--x--", b""),
        ("multipart/mixed;boundary=x", b"--x\r\nContent-Type: application/sdp", b""),
        ("multipart/mixed;boundary=x", b"\x00" * 50 + b"--x" * 50, b""),
    ],
)  # fmt: skip
def test_what_others_write(kind: str, body: bytes, found: bytes) -> None:
    assert offer(kind, body) == found

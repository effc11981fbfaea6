"""STUN Binding on a SIP port: RFC 5769's own vectors, and what is no question."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.sip import stun

ID = bytes.fromhex("b7e7a701bc34d686fa87dfae")  # of RFC 5769 §2
HEAD = bytes.fromhex("00010000") + stun.COOKIE.to_bytes(4) + ID


def test_the_addresses_of_rfc_5769() -> None:
    """§2.2 and §2.3: 192.0.2.1:32853, and 2001:db8:1234:5678:11:2233:4455:6677 with the same port."""
    four = stun.answer(HEAD, "192.0.2.1", 32_853)
    assert four == bytes.fromhex("0101000c2112a442") + ID + bytes.fromhex("002000080001a147e112a643")
    six = stun.answer(HEAD, "2001:db8:1234:5678:11:2233:4455:6677", 32_853)
    assert six == bytes.fromhex("010100182112a442") + ID + bytes.fromhex(
        "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    )


def test_what_is_no_question_gets_no_answer() -> None:
    for data in (
        b"", HEAD[:-1], HEAD + b"x", b"\x01\x01" + HEAD[2:], b"\x40\x01" + HEAD[2:], HEAD[:4] + b"\0\0\0\0" + HEAD[8:],
        b"\0\x01\0\x04" + HEAD[4:], b"OPTIONS sip:a@b SIP/2.0\r\n\r\n", HEAD + b"\0" * 600,
    ):  # fmt: skip
        assert stun.answer(data, "192.0.2.1", 1) is None
    assert stun.answer(HEAD, "not an address", 1) is None
    assert stun.answer(HEAD, "fe80::1%eth0", 1) is not None


def test_attributes_are_passed_over() -> None:
    """Clients add SOFTWARE, FINGERPRINT …; the length must fit."""
    more = bytes.fromhex("8022000474657374")
    data = b"\0\x01" + len(more).to_bytes(2) + HEAD[4:] + more
    found = stun.answer(data, "192.0.2.1", 5_060)
    assert found is not None and found[:2] == b"\x01\x01" and len(found) <= len(data) + 24


@given(st.binary(max_size=80), st.ip_addresses(), st.integers(0, 65_535))
def test_anything_at_all(data: bytes, host: object, port: int) -> None:
    found = stun.answer(data, str(host), port)
    assert found is None or len(found) <= 44

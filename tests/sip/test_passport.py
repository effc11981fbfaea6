"""PASSporTs: the full form read, everything else refused in words."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from engine.errors import ProtocolError
from engine.sip.passport import SIGNATURE_BYTES, parse
from tests.sip.signed import URL, encoded, identity

KEY = ec.derive_private_key(0x1234, ec.SECP256R1())
GOOD = identity(KEY, 1_767_262_200, "493012345678", "+493022334455", attest="B")


def test_what_a_carrier_signs() -> None:
    found = parse(GOOD)
    assert (found.attestation, found.orig, found.dest) == ("B", "493012345678", ("493022334455",))
    assert (found.iat, found.url) == (1_767_262_200, URL)
    assert GOOD.startswith(found.signed.decode() + ".")
    assert len(found.signature) == SIGNATURE_BYTES


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "full form"), ("..;info=<x>", "full form"),
        (f"..{GOOD.split('.')[2]}", "full form"), ("a.b.c", "base64url"),
        (f"{encoded(b'[]')}.{encoded(b'{}')}.AA", "object"), (f"{encoded(b'x')}.{encoded(b'{}')}.AA", "JSON"),
        (f"{encoded(b'[' * 2000)}.{encoded(b'{}')}.AA", "JSON"), ("x" * 5_000, "full form"),
        (identity(KEY, 1, "49", "49", alg="none"), "ES256"), (identity(KEY, 1, "49", "49", ppt="div"), "extension"),
        (identity(KEY, 0, "49", "49"), "time"), (identity(KEY, 1, "", "49"), "numbers"),
    ],
)  # fmt: skip
def test_what_is_none(value: str, why: str) -> None:
    with pytest.raises(ProtocolError, match=why):
        parse(value)


def test_any_cut_or_changed_header_is_refused_or_read_and_nothing_else() -> None:
    for place in range(0, len(GOOD), 7):
        for changed in (GOOD[:place], GOOD[:place] + "\x7f" + GOOD[place + 1 :], GOOD[:place] + "é" + GOOD[place:]):
            try:
                parse(changed)
            except ProtocolError:
                continue

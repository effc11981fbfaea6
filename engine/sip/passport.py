"""PASSporT: what a caller's carrier signs of a call (RFC 8225), as the Identity header carries it (RFC 8224, RFC 8588).

    Identity: HEADER.PAYLOAD.SIGNATURE;info=<https://cert.example/a.pem>;alg=ES256;ppt=shaken

Read here, believed nowhere: whether the signature holds needs the certificate.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from typing import Any

import msgspec

from engine.errors import ProtocolError
from engine.sip.headers import parse_params

BYTES_MAX = 4_096
SIGNATURE_BYTES = 64  # ES256: r and s, 32 bytes each (RFC 7518 §3.4)


class Passport(msgspec.Struct, frozen=True):
    """Numbers are digits without plus. `iat` in seconds since 1970; `signed` is what `signature` is over."""

    attestation: str  # A | B | C, '' not said
    orig: str
    dest: tuple[str, ...]
    iat: int
    url: str  # of the certificate
    signed: bytes
    signature: bytes


def parse(value: str) -> Passport:
    """One Identity header in its full form. Raises ProtocolError, in words for the record."""
    token, _, rest = value.strip().partition(";")
    pieces = token.split(".")
    if len(value) > BYTES_MAX or len(pieces) != 3 or not all(pieces):
        raise ProtocolError("not a PASSporT in full form", section="RFC 8224 §4.1")
    head, claims = _json(pieces[0]), _json(pieces[1])
    if head.get("alg") != "ES256" or head.get("typ") != "passport":
        raise ProtocolError(f"not ES256 but {str(head.get('alg'))[:20]!r}", section="RFC 8225 §4.1")
    if head.get("ppt", "shaken") != "shaken":
        raise ProtocolError(f"an extension that isn't known: {str(head.get('ppt'))[:20]!r}", section="RFC 8225 §8.1")
    info = parse_params(rest).get("info", "").strip("<>")
    url = head.get("x5u") or info
    iat, attest = claims.get("iat"), claims.get("attest", "")
    if not isinstance(iat, int) or isinstance(iat, bool) or not 0 < iat < 2**40 or not isinstance(url, str):
        raise ProtocolError("without the time of its signature", section="RFC 8225 §5.1.1")
    orig, dest = _number(claims.get("orig")), claims.get("dest")
    called = dest.get("tn") if isinstance(dest, dict) else None
    called = [called] if isinstance(called, str) else called
    if not orig or not isinstance(called, list) or not all(isinstance(each, str) for each in called[:20]):
        raise ProtocolError("without the numbers of the call", section="RFC 8225 §5.2")
    return Passport(
        attest if attest in ("A", "B", "C") else "", orig, tuple(each.lstrip("+") for each in called[:20]), iat,
        url[:512], f"{pieces[0]}.{pieces[1]}".encode(), _bytes(pieces[2]),
    )  # fmt: skip


def _number(origin: Any) -> str:
    number = origin.get("tn") if isinstance(origin, dict) else None
    return number.lstrip("+") if isinstance(number, str) and len(number) <= 32 else ""


def _bytes(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (Base64Error, ValueError):
        raise ProtocolError("not base64url", section="RFC 7515 §2") from None


def _json(text: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(_bytes(text))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise ProtocolError("not JSON", section="RFC 8225 §3") from None
    if not isinstance(found, dict):
        raise ProtocolError("not a JSON object", section="RFC 8225 §3")
    return found

"""Identity headers as a carrier's authentication service writes them (RFC 8224), signed by a key made on the spot."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import datetime, timedelta

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

URL = "https://cert.example/shaken/carrier.pem"


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def identity(
    key: ec.EllipticCurvePrivateKey, iat: int, orig: str, dest: str, *, attest: str = "A", alg: str = "ES256",
    ppt: str = "shaken", url: str = URL,
) -> str:  # fmt: skip
    head = msgspec.json.encode({"alg": alg, "ppt": ppt, "typ": "passport", "x5u": url})
    claims = msgspec.json.encode({
        "attest": attest, "dest": {"tn": [dest]}, "iat": iat, "orig": {"tn": orig},
        "origid": "123e4567-e89b-12d3-a456-426655440000",
    })  # fmt: skip
    signed = f"{encoded(head)}.{encoded(claims)}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256())))
    signature = encoded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"{signed}.{signature};info=<{url}>;alg={alg};ppt={ppt}"


def certificate(key: ec.EllipticCurvePrivateKey, since: datetime, days: int = 90) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "SHAKEN 1234")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(since).not_valid_after(since + timedelta(days=days))
    return made.sign(key, SHA256()).public_bytes(Encoding.PEM)

"""Verifies signatures of callers' numbers (RFC 8224, ES256) by the certificates in the data folder, off the loop.

A file `DATA/stir/NAME.pem` holds the certificate of every URL that ends in `/NAME.pem`: what the operator has put there
is what is trusted. Nothing is fetched: whoever signs a call could else make us call any server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from engine.call.signature_wall import SignatureChecked, SignatureWanted
from engine.sip.passport import SIGNATURE_BYTES

UNDER_WAY_MAX = 256
FILE_BYTES_MAX = 65_536


class Signatures:
    """`ask` for a verdict; `deliver` gets a SignatureChecked for each, on the loop and never from within `ask`."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, deliver: Callable[[SignatureChecked], None], folder: Path
    ) -> None:
        self._loop, self._deliver, self._folder = loop, deliver, folder
        self._thread: ThreadPoolExecutor | None = None
        self._under_way = 0

    def ask(self, wanted: SignatureWanted) -> None:
        """Verify it in the thread; too many at once are answered `unknown`."""
        if self._under_way >= UNDER_WAY_MAX:
            too_many = SignatureChecked(wanted.session, "unknown", "too many signatures at once")
            self._loop.call_soon(self._deliver, too_many)
            return
        self._thread = self._thread or ThreadPoolExecutor(1, "stir")
        self._under_way += 1
        future = self._loop.run_in_executor(self._thread, self._check, wanted)
        future.add_done_callback(self._done)

    def _done(self, future: asyncio.Future[SignatureChecked]) -> None:
        self._under_way -= 1
        if not future.cancelled():
            self._deliver(future.result())

    def _check(self, wanted: SignatureWanted) -> SignatureChecked:
        try:
            return SignatureChecked(wanted.session, *verdict(self._folder, wanted, datetime.now(UTC)))
        except Exception as error:  # a broken file or library: the call goes on without a verdict
            return SignatureChecked(wanted.session, "unknown", f"{type(error).__name__}: {error}"[:120])

    def close(self) -> None:
        """Nobody is told any more."""
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)


def verdict(folder: Path, wanted: SignatureWanted, now: datetime) -> tuple[str, str]:
    """(good | bad | unknown, detail in words). Raises ValueError and OSError for a file that is no certificate."""
    name = urlsplit(wanted.url).path.rpartition("/")[2]
    path = folder / name
    if not name.endswith(".pem") or name.startswith(".") or not path.is_file():
        return "unknown", f"no certificate stir/{name[:64]} in the data folder"
    if path.stat().st_size > FILE_BYTES_MAX:
        return "unknown", f"stir/{name[:64]} is too large for a certificate"
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        return "unknown", f"stir/{name[:64]} is valid until {certificate.not_valid_after_utc:%Y-%m-%d}: renew it"
    key = certificate.public_key()
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        return "unknown", f"stir/{name[:64]} has no P-256 key"
    if len(wanted.signature) != SIGNATURE_BYTES:
        return "bad", "the signature has a wrong length"
    r, s = (int.from_bytes(half, "big") for half in (wanted.signature[:32], wanted.signature[32:]))
    try:
        key.verify(encode_dss_signature(r, s), wanted.signed, ECDSA(SHA256()))
    except InvalidSignature:
        return "bad", "the signature is not by this certificate"
    return "good", ""

"""What the call room asks of the runtime about signatures of callers' numbers, and what comes back."""

from __future__ import annotations

import msgspec


class SignatureWanted(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Is `signature` (ES256) over `signed` by the certificate configured for `url`? SignatureChecked answers."""

    session: int
    url: str
    signed: bytes
    signature: bytes


class SignatureChecked(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """`result`: good | bad | unknown (no certificate is configured, or none that is valid now); `detail` in words."""

    session: int
    result: str
    detail: str = ""

"""PINs of boxes: only a salted hash is kept, and it is compared without telling how much was right."""

from __future__ import annotations

from hashlib import blake2b
from hmac import compare_digest

DIGITS = 6  # of one that is made; the longest that is taken is PIN_DIGITS_MAX
PIN_DIGITS_MAX = 12


def sealed(pin: str, salt: str) -> str:
    """ "salt:hash" for the secrets file; `salt` is 16 hex digits of the system's CSPRNG."""
    return f"{salt}:{blake2b(pin.encode(), salt=bytes.fromhex(salt), digest_size=20).hexdigest()}"


def fits(pin: str, kept: str) -> bool:
    """Is this the PIN? Nothing fits a box that has none."""
    salt = kept.partition(":")[0]
    return len(salt) == 16 and compare_digest(sealed(pin, salt).encode(), kept.encode())

"""Identifiers: short, speakable call ids and unguessable protocol tokens.

Chance is an argument (DESIGN law 2): `Tokens` is a counter-mode generator over BLAKE2b keyed with bytes
that come from the system's CSPRNG and enter as an input, so a replay yields the same tokens and a
stranger can't guess one.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec

_SPEAKABLE = "bdfghjkmnprstvwz"  # consonants that survive a bad line
_VOWELS = "aeiou"
_SYLLABLES = [c + v for c in _SPEAKABLE for v in _VOWELS]  # 80


class Tokens(msgspec.Struct):
    """Deterministic token stream: BLAKE2b(key, counter). `key` is 16 to 64 bytes from a CSPRNG."""

    key: bytes
    counter: int = 0

    def hex(self, length: int = 16) -> str:
        """The next token as `length` (≤ 64) lowercase hexadecimal digits."""
        self.counter += 1
        digest = blake2b(self.counter.to_bytes(8, "big"), key=self.key, digest_size=(length + 1) // 2)
        return digest.hexdigest()[:length]

    def number(self, below: int) -> int:
        """The next token as an integer in [0, below), below ≤ 2**32 (bias < 2**-32)."""
        self.counter += 1
        digest = blake2b(self.counter.to_bytes(8, "big"), key=self.key, digest_size=8).digest()
        return int.from_bytes(digest, "big") % below

    def reseed(self, fresh: bytes) -> None:
        """Mix fresh CSPRNG bytes into the key; the counter goes on."""
        self.key = blake2b(self.key + fresh, digest_size=32).digest()


def call_name(serial: int) -> str:
    """A speakable id for the n-th call of this node: `bako-27`; unique for 640,000 calls, then it repeats.

    Two syllables change with every call, so that neighbours in a list don't sound alike.
    """
    number = (serial * 7919) % 6400  # 7919 is prime to 6400: a permutation
    return f"{_SYLLABLES[number // 80]}{_SYLLABLES[number % 80]}-{serial // 6400 % 100}"

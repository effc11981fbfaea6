"""a=crypto lines: the keys of SRTP in session descriptions (RFC 4568, RFC 7714 §14.1).

Keys themselves never come here: the runtime writes a *handle* in the place of each (`runtime.key_vault`), as long as
the key's text was, `~k30.` or `~o30.` (theirs or ours, octets of key and salt), sixteen hexadecimal digits, and `~` up
to the key's length. A line without one named no key that we can use.

A line is passed over (another of the offer may do) when its suite, key length or parameters are none of ours: several
keys, an MKI, another key derivation rate, and unencrypted or unauthenticated streams. Lifetimes are read and not
needed: none is shorter than the calls that a telephone makes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from engine.sdp.description import Media

CM_80, CM_32, GCM = 1, 2, 3  # as the media plane numbers them
NAMES = {CM_80: "AES_CM_128_HMAC_SHA1_80", CM_32: "AES_CM_128_HMAC_SHA1_32", GCM: "AEAD_AES_128_GCM"}
OCTETS = {CM_80: 30, CM_32: 30, GCM: 28}
KEY_TEXT = 40  # characters of a key in base64, with padding
SUITES = tuple(NAMES)  # in the order in which we offer them
POLICIES = ("off", "optional", "required")
_NUMBERS = {name: suite for suite, name in NAMES.items()}
_HANDLE = re.compile(r"(~[ko](\d\d)\.[0-9a-f]{16})~*")
_LIFETIME = re.compile(r"2\^(?:\d|[1-3]\d|4[0-8])|[1-9]\d{0,14}")
_HARMLESS = re.compile(r"-.*|KDR=0|WSH=\d+|FEC_ORDER=\S+", re.ASCII)  # "-": optional to understand (RFC 4568 §6.3.7)


class Crypto(msgspec.Struct, frozen=True):
    """One line: its `tag`, the suite, and the handle of the key under which its writer sends."""

    tag: int
    suite: int
    handle: str


def lines(media: Media) -> tuple[Crypto, ...]:
    """The lines of an m= line that we can serve, in its order."""
    found = [_read(value) for name, value in media.attributes if name == "crypto"]
    return tuple([each for each in found if each is not None])


def choose(offered: Sequence[Crypto]) -> Crypto | None:
    """What an answer takes of an offer: the offerer's first choice (RFC 4568 §5.1.2)."""
    return offered[0] if offered else None


def own_handle(key: str, suite: int) -> str:
    """The handle of our key for a suite; `key`: fifteen hexadecimal digits that name the session's keys."""
    return f"~o{OCTETS[suite]}.{key}{suite}"


@lru_cache(maxsize=64)
def text(tag: int, suite: int, key: str) -> str:
    """The value of our a=crypto line."""
    return f"{tag} {NAMES[suite]} inline:{own_handle(key, suite).ljust(KEY_TEXT, '~')}"


def _read(value: str) -> Crypto | None:
    fields = value.split()
    if len(fields) < 3:
        return None
    tag, suite, method = fields[0], _NUMBERS.get(fields[1]), fields[2]
    if suite is None or not (tag.isdecimal() and tag.isascii() and len(tag) < 10):
        return None
    if any(_HARMLESS.fullmatch(each) is None for each in fields[3:]) or not method.startswith("inline:"):
        return None
    key, *rest = method.removeprefix("inline:").split("|")
    handle = _HANDLE.fullmatch(key)
    if handle is None or int(handle[2]) != OCTETS[suite]:
        return None
    if len(rest) > 1 or any(_LIFETIME.fullmatch(each) is None for each in rest):
        return None  # an MKI, or nonsense
    return Crypto(int(tag), suite, handle[1])

"""Digest authentication (RFC 3261 §22, RFC 7616, RFC 8760) and the stateless nonce.

MD5 and SHA-256, plain and `-sess`, qop `auth` or none (RFC 2617's older peers). A password is never kept: `ha1` is
what a store holds. Nonces prove themselves: time plus keyed hash, so that a flood of challenges costs no memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b, md5, sha256
from hmac import compare_digest

from engine.errors import LocalError, ProtocolError
from engine.ids import Tokens
from engine.limits import nonce_ms_max
from engine.sip.events import Credentials
from engine.sip.headers import split_list, unquote

ALGORITHMS = ("SHA-256", "MD5")  # in our order of preference, which is also the order of challenges (RFC 8760 §2.3)
_HASHES = {"MD5": md5, "SHA-256": sha256}
_BASE = {"MD5": "MD5", "MD5-SESS": "MD5", "SHA-256": "SHA-256", "SHA-256-SESS": "SHA-256"}
_NEEDED = ("username", "realm", "nonce", "uri", "response")
_MAC_BYTES = 16
_NONCE_KEY = b"ringdown-nonce"  # person: nonces and other keyed hashes of the same key differ


# --- the server's side ------------------------------------------------------------------------------
def challenges(
    realm: str, nonce: str, *, stale: bool = False, algorithms: tuple[str, ...] = ALGORITHMS
) -> list[str]:
    """Values for one WWW-Authenticate (or Proxy-Authenticate) header each, the strongest algorithm first."""
    tail = ", stale=TRUE" if stale else ""
    return [
        f'Digest realm={_quoted(realm)}, nonce="{nonce}", algorithm={algorithm}, qop="auth"{tail}'
        for algorithm in algorithms
    ]


def ha1(user: str, realm: str, password: str) -> dict[str, str]:
    """H(user:realm:password) by algorithm name: what `verify` compares with, and all that a store needs to keep."""
    return {algorithm: _hash(algorithm, f"{user}:{realm}:{password}") for algorithm in ALGORITHMS}


def parse_credentials(value: str, method: str = "") -> Credentials | None:
    """An Authorization header's value; None for another scheme than Digest. Raises ProtocolError when fields lack."""
    fields = _fields(value)
    if fields is None:
        return None
    for name in _NEEDED:
        if name not in fields:
            raise ProtocolError(f"credentials without {name}", section="RFC 7616 §3.4")
    return Credentials(
        username=fields["username"], realm=fields["realm"], nonce=fields["nonce"], uri=fields["uri"],
        response=fields["response"].lower(), algorithm=fields.get("algorithm", "MD5"),
        qop=fields.get("qop", "").lower(), cnonce=fields.get("cnonce", ""), nc=fields.get("nc", ""), method=method,
    )


def verify(credentials: Credentials, ha1: dict[str, str], method: str) -> bool:
    """True when the response was made with the password behind `ha1`. Takes the same time for any wrong response.

    Says nothing about nonce, realm or URI: those are the caller's to compare.
    """
    algorithm = credentials.algorithm.upper()
    base = _BASE.get(algorithm)
    if base is None or base not in ha1 or credentials.qop not in ("", "auth"):
        return False
    if credentials.qop and not (credentials.cnonce and credentials.nc):
        return False
    expected = _response(
        algorithm, ha1[base], credentials.nonce, credentials.cnonce, credentials.nc, credentials.qop, method,
        credentials.uri,
    )
    return compare_digest(expected.encode(), credentials.response.encode())


def make_nonce(key: bytes, now_ms: int) -> str:
    """A nonce that carries its own birth time under BLAKE2b with `key` (16–64 bytes from a CSPRNG)."""
    stamp = f"{max(now_ms, 0):012x}"
    return stamp + _mac(key, stamp)


def check_nonce(key: bytes, nonce: str, now_ms: int) -> str:
    """good | stale (ours, but older than nonce_ms_max or of an earlier clock) | unknown (never made with this key)."""
    stamp, mac = nonce[:-2 * _MAC_BYTES], nonce[-2 * _MAC_BYTES:]
    if not nonce.isascii() or len(stamp) < 12 or not compare_digest(mac, _mac(key, stamp)):
        return "unknown"
    age_ms = now_ms - int(stamp, 16)
    return "good" if 0 <= age_ms <= nonce_ms_max else "stale"


# --- the client's side ------------------------------------------------------------------------------
def respond(
    challenge: str | Sequence[str],
    user: str,
    password: str,
    method: str,
    uri: str,
    tokens: Tokens,
    *,
    nonce_count: int = 1,
) -> str:
    """The Authorization value for the best of the given challenges (WWW-Authenticate values).

    Raises ProtocolError when none can be served: no Digest, an unknown algorithm, or only auth-int.
    """
    values = [challenge] if isinstance(challenge, str) else challenge
    fields = _best([fields for value in values for fields in parse_challenges(value)])
    algorithm = fields.get("algorithm", "MD5").upper()
    base = _BASE[algorithm]
    qop = "auth" if "qop" in fields else ""
    # A -sess algorithm needs a cnonce even where the server is too old to know qop.
    cnonce = tokens.hex(16) if qop or algorithm.endswith("-SESS") else ""
    count = f"{nonce_count:08x}" if qop else ""
    secret = _hash(base, f"{user}:{fields['realm']}:{password}")
    answer = _response(algorithm, secret, fields["nonce"], cnonce, count, qop, method, uri)
    parts = [
        f"username={_quoted(user)}", f"realm={_quoted(fields['realm'])}", f"nonce={_quoted(fields['nonce'])}",
        f"uri={_quoted(uri)}", f'response="{answer}"',
    ]
    if "algorithm" in fields:
        parts.append(f"algorithm={fields['algorithm']}")
    if cnonce:
        parts.append(f'cnonce="{cnonce}"')
    if qop:
        parts.append(f"qop=auth, nc={count}")
    if "opaque" in fields:
        parts.append(f"opaque={_quoted(fields['opaque'])}")
    return "Digest " + ", ".join(parts)


def parse_challenges(value: str) -> list[dict[str, str]]:
    """The Digest challenges of one header value, which may hold several (RFC 7235 §4.1); other schemes are left out."""
    found: list[dict[str, str]] = []
    here: dict[str, str] | None = None
    for part in split_list(value):
        name, equals, text = part.partition("=")
        scheme, blank, first = name.strip(" \t").partition(" ")
        if blank or not equals:  # a new scheme begins
            here = {} if scheme.lower() == "digest" else None
            if here is not None:
                found.append(here)
            name = first
        if here is not None and equals:
            here.setdefault(name.strip(" \t").lower(), unquote(text.strip(" \t")))
    return found


def _best(offers: list[dict[str, str]]) -> dict[str, str]:
    for algorithm in ALGORITHMS:
        for fields in offers:
            usable = "realm" in fields and "nonce" in fields
            qops = [qop.strip(" \t").lower() for qop in fields["qop"].split(",")] if "qop" in fields else ["auth"]
            if usable and "auth" in qops and _BASE.get(fields.get("algorithm", "MD5").upper()) == algorithm:
                return fields
    raise ProtocolError("no challenge that we can answer", status_hint=401, section="RFC 3261 §22.2")


# --- both -------------------------------------------------------------------------------------------
def _response(
    algorithm: str, secret: str, nonce: str, cnonce: str, count: str, qop: str, method: str, uri: str
) -> str:
    """RFC 7616 §3.4.1: H(HA1 : nonce [: nc : cnonce : qop] : H(method : uri))."""
    base = _BASE[algorithm]
    if algorithm.endswith("-SESS"):
        secret = _hash(base, f"{secret}:{nonce}:{cnonce}")
    request = _hash(base, f"{method}:{uri}")
    middle = f"{count}:{cnonce}:{qop}:" if qop else ""
    return _hash(base, f"{secret}:{nonce}:{middle}{request}")


def _hash(algorithm: str, text: str) -> str:
    return _HASHES[algorithm](text.encode()).hexdigest()


def _mac(key: bytes, stamp: str) -> str:
    return blake2b(stamp.encode(), key=key, digest_size=_MAC_BYTES, person=_NONCE_KEY).hexdigest()


def _fields(value: str) -> dict[str, str] | None:
    """The fields of `Digest a=b, c="d"`, unquoted; None for another scheme."""
    scheme, _, rest = value.strip(" \t").partition(" ")
    if scheme.lower() != "digest":
        return None
    fields: dict[str, str] = {}
    for part in split_list(rest):
        name, equals, text = part.partition("=")
        if equals:
            fields.setdefault(name.strip(" \t").lower(), unquote(text.strip(" \t")))
    return fields


def _quoted(text: str) -> str:
    """A quoted string; unlike a display name it must come out exactly as hashed, so a line end is refused."""
    if "\r" in text or "\n" in text:
        raise LocalError(f"line end in a digest field: {text[:40]!r}")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

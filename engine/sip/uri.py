"""SIP, SIPS and tel URIs (RFC 3261 §19.1, RFC 3966): parsing, writing, comparison.

`Uri` holds unescaped text: `user` "sips:user@example.com" stands for `sips%3Auser%40example.com` on the wire, so an
unescaped part may hold any character, even CR and LF. `str(uri)` and `escape_user` escape again; never paste an
unescaped part into a header.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote as _percent
from urllib.parse import unquote_to_bytes

import msgspec

from engine.errors import ProtocolError

# Characters that never stand raw in a URI: controls, space, delimiters of the enclosing header.
_FORBIDDEN = re.compile(r'[\x00-\x20<>"\x7f]').search
_HOST = re.compile(r"[A-Za-z0-9_.~-]+\Z").match
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+\Z").match
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*\Z").match
_USER_SAFE = "-_.!~*'()&=+$,;?/"  # RFC 3261 §25.1 mark and user-unreserved
_PARAM_SAFE = "-_.!~*'()[]/:&+$"  # mark and param-unreserved
_HEADER_SAFE = "-_.!~*'()[]/?:+$"  # mark and hnv-unreserved
# §19.1.4: a parameter from this list that only one side has makes the URIs different.
_DECISIVE = ("user", "ttl", "method", "maddr", "transport")


class Uri(msgspec.Struct, eq=False):
    """One URI. `host` is lower case and without brackets; `port` 0 means absent (a literal `:0` counts as absent).

    `params` and `headers` map lower-case names to unescaped values, '' for a flag such as `lr`. For `tel:` the
    number is in `user`; for schemes that we don't know everything after the colon is in `opaque`.
    """

    scheme: str
    user: str = ""
    password: str = ""
    host: str = ""
    port: int = 0
    params: dict[str, str] = {}
    headers: dict[str, str] = {}
    opaque: str = ""

    def __str__(self) -> str:
        if self.opaque:
            return f"{self.scheme}:{self.opaque}"
        text = f"{self.scheme}:{escape_user(self.user)}" if self.user else f"{self.scheme}:"
        if self.password:
            text += ":" + _percent(self.password, safe="-_.!~*'()&=+$,")
        if self.host:
            text += "@" if self.user or self.password else ""
            text += f"[{self.host}]" if ":" in self.host else self.host
        if self.port:
            text += f":{self.port}"
        for name, value in self.params.items():
            text += ";" + _percent(name, safe=_PARAM_SAFE)
            text += "=" + _percent(value, safe=_PARAM_SAFE) if value else ""
        mark = "?"
        for name, value in self.headers.items():
            text += f"{mark}{_percent(name, safe=_HEADER_SAFE)}={_percent(value, safe=_HEADER_SAFE)}"
            mark = "&"
        return text

    def __eq__(self, other: object) -> bool:
        """Equivalence of RFC 3261 §19.1.4. Not transitive (undecisive parameters may be missing), so no hash."""
        if not isinstance(other, Uri):
            return NotImplemented
        if (self.scheme, self.user, self.password, self.host, self.port, self.opaque) != (
            other.scheme, other.user, other.password, other.host, other.port, other.opaque
        ):
            return False
        return _same_params(self.params, other.params) and _same_headers(self.headers, other.headers)

    __hash__ = None  # type: ignore[assignment]


def _same_params(mine: dict[str, str], theirs: dict[str, str]) -> bool:
    if any(mine[name].lower() != theirs[name].lower() for name in mine if name in theirs):
        return False
    return all((name in mine) == (name in theirs) for name in _DECISIVE)


def _same_headers(mine: dict[str, str], theirs: dict[str, str]) -> bool:
    return mine == theirs


def parse_uri(text: str) -> Uri:
    """Parse a URI without its angle brackets. Raises ProtocolError (400) when it is none."""
    scheme, colon, rest = text.partition(":")
    if not colon or not rest or _FORBIDDEN(text) or (scheme != "sip" and not _SCHEME(scheme)):
        raise ProtocolError(f"not a URI: {text[:80]!r}", section="RFC 3261 §19.1")
    scheme = scheme.lower()
    if scheme not in ("sip", "sips"):
        return _parse_other(scheme, rest)
    userinfo, at, tail = rest.rpartition("@")
    if "@" in userinfo or (at and not userinfo):
        raise ProtocolError(f"user part of URI unclear: {text[:80]!r}", section="RFC 3261 §19.1.1")
    user, _, password = userinfo.partition(":")
    tail, _, header_text = tail.partition("?")
    hostport, _, param_text = tail.partition(";")
    host, port = split_host_port(hostport)
    return Uri(
        scheme,
        unescape(user) if "%" in user else user,
        unescape(password) if "%" in password else password,
        host,
        port,
        _pairs(param_text, ";") if param_text else {},
        _pairs(header_text, "&") if header_text else {},
    )


@lru_cache(maxsize=1_024)  # far ends are few, and each names itself several times in a message
def split_host_port(text: str) -> tuple[str, int]:
    """`host`, `host:port`, `[v6]`, `[v6]:port` -> (host in lower case without brackets, port or 0)."""
    if text[:1] == "[":
        host, bracket, rest = text[1:].partition("]")
        rest = rest.strip(" \t")
        if not bracket or not _IPV6(host) or (rest and rest[0] != ":"):
            raise ProtocolError(f"bad IPv6 reference: {text[:80]!r}", section="RFC 3261 §25.1")
        port = rest[1:]
    else:
        host, _, port = text.partition(":")
        host = host.strip(" \t")
        if not _HOST(host):
            raise ProtocolError(f"bad host: {text[:80]!r}", section="RFC 3261 §25.1")
    if not port:
        return host.lower(), 0
    port = port.strip(" \t")
    if not (port.isdecimal() and port.isascii() and len(port) <= 5 and int(port) <= 65_535):
        raise ProtocolError(f"bad port: {text[:80]!r}", section="RFC 3261 §25.1")
    return host.lower(), int(port)


def unescape(text: str) -> str:
    """Undo %HH. Bytes that aren't UTF-8 are read as Latin-1, so the result is always encodable text."""
    if "%" not in text:
        return text
    raw = unquote_to_bytes(text)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def escape_user(user: str) -> str:
    """A user part for the wire: everything but unreserved and user-unreserved characters becomes %HH."""
    return user if user.isalnum() and user.isascii() else _percent(user, safe=_USER_SAFE)


def format_host(host: str, port: int = 0) -> str:
    """`host`, `host:port` or `[v6]:port` for the wire; port 0 is left out."""
    text = f"[{host}]" if ":" in host else host
    return f"{text}:{port}" if port else text


def _pairs(text: str, separator: str) -> dict[str, str]:
    """Parameters or headers of a URI; the first of a repeated name wins."""
    pairs: dict[str, str] = {}
    for part in text.split(separator):
        if not part:
            continue
        name, _, value = part.partition("=")
        pairs.setdefault(unescape(name).lower(), unescape(value))
    return pairs


def _parse_other(scheme: str, rest: str) -> Uri:
    if scheme != "tel":
        return Uri(scheme, opaque=rest)
    number, _, param_text = rest.partition(";")
    if not number:
        raise ProtocolError("tel URI without a number", section="RFC 3966 §3")
    return Uri("tel", unescape(number), params=_pairs(param_text, ";"))

"""Header values as types: Via, name-addr (From, To, Contact, Route …), comma lists, parameters (RFC 3261 §20, §25.1).

Parameter values are kept as written, quotes included, so that a value written again is the same; `unquote` opens them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

import msgspec

from engine.errors import ProtocolError
from engine.sip.uri import Uri, format_host, parse_uri, split_host_port

T = TypeVar("T")

MAGIC = "z9hG4bK"  # a branch that begins so is unique over all transactions (RFC 3261 §8.1.1.7)
_FAST_PROTOCOLS = {f"SIP/2.0/{name}": name for name in ("UDP", "TCP", "TLS", "WS", "WSS", "SCTP")}
_PROTOCOL = re.compile(r"SIP[ \t]*/[ \t]*(\d\.\d)[ \t]*/[ \t]*([A-Za-z0-9!%*_+`'~.-]+)[ \t]+", re.IGNORECASE).match
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL).match
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PARAMS = frozenset(("branch", "rport", "received", "tag", "lr"))  # as nearly everybody spells them
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_TOKEN = re.compile(r"[A-Za-z0-9!%*_+`'~.-]+\Z").match


class lazy(Generic[T]):
    """A property computed once and kept in the instance's `__dict__`: derived, so never encoded or compared."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self.make = make
        self.name = make.__name__
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> lazy[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> lazy[T] | T:
        if instance is None:
            return self
        value = instance.__dict__[self.name] = self.make(instance)
        return value


class Via(msgspec.Struct):
    """One Via value. `transport` upper case; `host` lower case, no brackets; `port` 0 when absent (use `port or 5060`).

    `params` as written by lower-case name, '' for a flag.
    """

    transport: str
    host: str
    port: int = 0
    params: dict[str, str] = {}

    @property
    def branch(self) -> str:
        """The branch parameter, '' when there is none."""
        return self.params.get("branch", "")

    @property
    def has_magic(self) -> bool:
        """True when the branch identifies the transaction (RFC 3261 §17.2.3); the bare cookie alone doesn't."""
        branch = self.params.get("branch", "")
        return len(branch) > len(MAGIC) and branch.startswith(MAGIC)

    @property
    def received(self) -> str:
        """The received parameter without brackets, '' when there is none."""
        return self.params.get("received", "").strip("[]")

    @property
    def rport(self) -> int | None:
        """None: not asked for; 0: asked for, not yet filled in; else the port (RFC 3581)."""
        value = self.params.get("rport")
        if value is None:
            return None
        return int(value) if value.isdecimal() and value.isascii() and len(value) <= 5 else 0

    def stamp(self, host: str, port: int) -> None:
        """Note where the request came from: `received` when it differs or rport is asked for (§18.2.1, RFC 3581)."""
        self.params.pop("received", None)
        wanted = "rport" in self.params
        if wanted:
            self.params["rport"] = str(port)
        if wanted or host.lower() != self.host:
            self.params["received"] = host

    def __str__(self) -> str:
        return f"SIP/2.0/{self.transport} {format_host(self.host, self.port)}{format_params(self.params)}"


class NameAddr(msgspec.Struct, dict=True):
    """A display name, a URI as written (no brackets) and header parameters. A Contact of `*` has uri "*".

    `parts` is the parsed URI, or None when it is none; `user`, `host` and `port` come from it and never raise.
    """

    display: str
    uri: str
    params: dict[str, str] = {}

    @lazy
    def parts(self) -> Uri | None:
        """The parsed URI, None when it can't be parsed."""
        try:
            return parse_uri(self.uri)
        except ProtocolError:
            return None

    @property
    def is_star(self) -> bool:
        """True for `Contact: *` (RFC 3261 §10.2.2)."""
        return self.uri == "*"

    @property
    def tag(self) -> str:
        """The tag parameter, '' when there is none."""
        return self.params.get("tag", "")

    @property
    def user(self) -> str:
        """User part, unescaped; '' when there is none."""
        return self.parts.user if self.parts else ""

    @property
    def host(self) -> str:
        """Host in lower case, no brackets; '' when there is none."""
        return self.parts.host if self.parts else ""

    @property
    def port(self) -> int:
        """Port, 0 when absent."""
        return self.parts.port if self.parts else 0

    def __str__(self) -> str:
        if self.is_star:
            return "*"
        name = f"{quote(self.display)} " if self.display else ""
        return f"{name}<{self.uri}>{format_params(self.params)}"


def parse_via(text: str, *, strict: bool = True) -> Via:
    """Parse one Via value (no comma list). Raises ProtocolError.

    Not `strict`: empty parameters and other versions are let pass, to answer a request that is refused for them.
    """
    protocol, _, rest = text.partition(" ")
    transport = _FAST_PROTOCOLS.get(protocol)
    if transport is None:
        match = _PROTOCOL(text)
        if match is None or (strict and match[1] != "2.0"):
            raise ProtocolError(f"bad Via: {text[:80]!r}", section="RFC 3261 §20.42")
        transport = match[2].upper()
        rest = text[match.end():]
    sent_by, semicolon, tail = rest.partition(";")
    host, port = split_host_port(sent_by.strip(" \t"))
    if not semicolon:
        return Via(transport, host, port)
    return Via(transport, host, port, parse_params(tail, strict=strict))


def parse_name_addr(text: str) -> NameAddr:
    """Parse `"Display" <uri>;params` or `uri;params` (parameters are then the header's, §20.10).

    Raises ProtocolError.
    """
    display, rest = "", text
    if text[:1] == '"':
        quoted = _QUOTED(text)
        if quoted is None:
            raise ProtocolError(f"quote without end: {text[:80]!r}", section="RFC 3261 §25.1")
        rest = text[quoted.end():]
        display = text[1:quoted.end() - 1]
        if "\\" in display:
            display = _ESCAPED.sub(r"\1", display)
    before, left, rest = rest.partition("<")
    if not left:
        return _parse_addr_spec(text)
    if before and text[0] != '"':
        display = before.strip(" \t")
    uri, right, tail = rest.partition(">")
    uri, tail = uri.strip(" \t"), tail.strip(" \t")
    if not right or not uri:
        raise ProtocolError(f"angle bracket without end: {text[:80]!r}", section="RFC 3261 §25.1")
    if not tail:
        return NameAddr(display, uri)
    if tail[0] != ";":
        raise ProtocolError(f"text after an address: {text[:80]!r}", section="RFC 3261 §25.1")
    tag = tail[5:]
    if tag.isalnum() and tag.isascii() and tail.startswith(";tag="):
        return NameAddr(display, uri, {"tag": tag})
    return NameAddr(display, uri, parse_params(tail[1:]))


def _parse_addr_spec(text: str) -> NameAddr:
    uri, _, tail = text.partition(";")
    uri = uri.strip(" \t")
    if text[:1] == '"' or not uri or "?" in uri or "," in uri or " " in uri or "\t" in uri:
        raise ProtocolError(f"address needs angle brackets: {text[:80]!r}", section="RFC 3261 §20.10")
    return NameAddr("", uri, parse_params(tail) if tail else {})


def parse_params(text: str, *, strict: bool = False) -> dict[str, str]:
    """`a=1;b;c="x;y"` -> lower-case names to values as written. Empty parts are skipped, or refused when `strict`."""
    params: dict[str, str] = {}
    parts = text.split(";") if '"' not in text else split_quoted(text, ";")
    for part in parts:
        name, equals, value = part.partition("=")
        if name not in _PARAMS:
            name = name.strip(" \t").lower()
            if not name:
                if strict or equals:
                    raise ProtocolError(f"empty parameter: {text[:80]!r}", section="RFC 3261 §25.1")
                continue
        if name not in params:
            params[name] = value.strip(" \t")
    return params


def format_params(params: dict[str, str]) -> str:
    """Parameters for the wire, each with its semicolon."""
    return "".join([f";{name}={value}" if value else f";{name}" for name, value in params.items()])


def split_list(value: str) -> list[str]:
    """Split a comma list (RFC 3261 §7.3.1) outside quotes and angle brackets; blanks and empty parts go."""
    if "," not in value:
        value = value.strip(" \t")
        return [value] if value else []
    parts = value.split(",") if '"' not in value and "<" not in value else split_quoted(value, ",", angles=True)
    return [part for part in [part.strip(" \t") for part in parts] if part]


def split_quoted(text: str, separator: str, *, angles: bool = False) -> list[str]:
    """Split at `separator` outside "quoted strings" and, when told, outside <angle brackets>. Quotes stay."""
    parts: list[str] = []
    begin = position = 0
    size = len(text)
    while position < size:
        character = text[position]
        if character == '"':
            quoted = _QUOTED(text, position)
            if quoted is None:
                raise ProtocolError(f"quote without end: {text[:80]!r}", section="RFC 3261 §25.1")
            position = quoted.end()
            continue
        if character == "<" and angles:
            closing = text.find(">", position)
            position = closing if closing >= 0 else size
            continue
        if character == separator:
            parts.append(text[begin:position])
            begin = position + 1
        position += 1
    parts.append(text[begin:])
    return parts


def quote(display: str) -> str:
    """A display name as a quoted string; control characters become blanks."""
    text = _CONTROL.sub(" ", display).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def unquote(value: str) -> str:
    """The text of a parameter value, without quotes and escapes when it has them."""
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    return _ESCAPED.sub(r"\1", value[1:-1])


def is_token(text: str) -> bool:
    """True when `text` is a token of RFC 3261 §25.1 (a method, a header name)."""
    return _TOKEN(text) is not None

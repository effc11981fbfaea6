"""Lookups: what the dialplan asks of a server elsewhere, as data; the request that is made of it, the answer read.

Pure: the runtime (`runtime.lookups`) sends the request, a test fakes the answer, both by the functions here. Values
that come back are typed; a problem's text says what was wrong and never shows a value, since it goes into the records.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import msgspec

from engine import limits
from engine.dialplan import types
from engine.dialplan.types import Value
from engine.speech import open_list

TEXT, VALUE = "text", "value"
RESULTS = ("ok", "not_found", "failed")
Parts = tuple[tuple[str, str], ...]  # (TEXT, words) | (VALUE, name of a variable or fact)


class LookupProblem(Exception):
    """No request can be made of these values, or the answer is not what `returns:` says. The text names no value."""


class LookupField(msgspec.Struct, frozen=True):
    """One value that comes back. `name` is whole ("customer.tier", "flags.vip"), `path` its keys in the JSON answer,
    `type` as written ("choice standard vip"). Without a default the answer must hold it."""

    name: str
    path: tuple[str, ...]
    type: str
    sensitive: bool = False
    default: str | None = None


class LookupModel(msgspec.Struct, frozen=True):
    """A lookup as its lookups.yaml wrote it. `method` GET | POST; `secret` names a secret of the data folder, '' none,
    told by `scheme` (bearer | basic) or in the header `header`. `cache_ms` 0: every call asks anew."""

    tenant: str
    name: str
    method: str
    url: Parts
    send: dict[str, Parts] = {}
    secret: str = ""
    scheme: str = "bearer"
    header: str = ""
    timeout_ms: int = limits.lookup_ms_default
    cache_ms: int = 0
    fields: tuple[LookupField, ...] = ()

    @property
    def key(self) -> str:
        """Its name in `Site.lookups`."""
        return f"{self.tenant}/{self.name}"


class Request(msgspec.Struct, frozen=True):
    """What goes over the wire beside the secret; `body` is JSON, empty for GET."""

    method: str
    url: str
    body: bytes = b""


def names(model: LookupModel) -> list[str]:
    """The variables and facts that a request needs, each once."""
    parts = [*model.url, *(part for each in model.send.values() for part in each)]
    return list(dict.fromkeys(name for kind, name in parts if kind == VALUE))


def request(model: LookupModel, values: Mapping[str, Value]) -> Request:
    """The request for these values. Raises LookupProblem."""
    url = "".join(words if kind == TEXT else _escaped(words, values) for kind, words in model.url)
    sent = {name: _sent(parts, values) for name, parts in model.send.items()}
    if model.method == "POST":
        return Request("POST", url, msgspec.json.encode(sent))
    query = "&".join(f"{quote(name, safe='')}={quote(str(_spelled(value)), safe='')}" for name, value in sent.items())
    if query:
        url += ("&" if "?" in url else "?") + query
    return Request("GET", url)


def _escaped(name: str, values: Mapping[str, Value]) -> str:
    """A value within an address: it can never become a part of the path of its own (`..`, `/`) or another host."""
    text = str(_spelled(_value(name, values)))
    if not text.strip("."):
        raise LookupProblem(f"${name} is empty or only dots: it can't stand in an address")
    return quote(text, safe="")


def _value(name: str, values: Mapping[str, Value]) -> Value:
    if name not in values:
        raise LookupProblem(f"${name} is not set")
    return values[name]


def _spelled(value: Value) -> Value:
    return ("yes" if value else "no") if isinstance(value, bool) else value


def _sent(parts: Parts, values: Mapping[str, Value]) -> Value:
    """A value alone keeps its type in JSON; beside words it is text."""
    if len(parts) == 1 and parts[0][0] == VALUE:
        return _value(parts[0][1], values)
    return "".join(words if kind == TEXT else str(_spelled(_value(words, values))) for kind, words in parts)


# --- answers -------------------------------------------------------------------------------------------------
def answered(model: LookupModel, body: bytes) -> dict[str, Value]:
    """The typed values of a JSON answer, by their whole names. Raises LookupProblem."""
    if len(body) > limits.lookup_bytes_max:
        raise LookupProblem(f"the answer is longer than {limits.lookup_bytes_max} bytes")
    try:
        tree = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise LookupProblem("the answer is not JSON") from None
    if not isinstance(tree, dict):
        raise LookupProblem(f"the answer is a JSON {_json_kind(tree)}, not an object")
    found: dict[str, Value] = {}
    for field in model.fields:
        value = _taken(field, _at(tree, field.path))
        if value is not None:
            found[field.name] = value
    return found


def faked(model: LookupModel, given: Mapping[str, Any]) -> dict[str, Value]:
    """The same of values by field ("tier" or "customer.tier"), as a test gives them. Raises LookupProblem."""
    names = {field.name: field for field in model.fields}
    short = {field.name.rpartition(".")[2]: field for field in model.fields}
    for name in given:
        if name not in names and name not in short:
            raise LookupProblem(f"the lookup {model.name} returns no {name!r}; it returns {', '.join(names)}")
    found: dict[str, Value] = {}
    for name, field in names.items():
        value = _taken(field, given.get(name, given.get(name.rpartition(".")[2])))
        if value is not None:
            found[name] = value
    return found


@lru_cache(maxsize=1_024)
def declared(field: LookupField) -> types.Declaration:
    """The field's type and default, and whether it is sensitive."""
    found = types.declare(field.type if field.default is None else f"{field.type} = {field.default}")
    return types.Declaration(found.type, field.sensitive, found.default)


def _at(tree: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        if not isinstance(tree, dict):
            return None
        tree = tree.get(key)
    return tree


def _taken(field: LookupField, value: Any) -> Value | None:
    """A JSON value as the field's type; its default for null and for nothing. Raises LookupProblem."""
    kind = declared(field)
    if value is None:
        if kind.default is None:
            raise LookupProblem(f"the answer has no {field.name}, which has no default")
        return kind.default
    if isinstance(value, list) and kind.type == types.TEXT:
        held = [_as_text(each) for each in value]
        entries = [each for each in held if each is not None and len(each) <= types.text_max and each.isprintable()]
        if len(entries) == len(held):
            return open_list.join(entries[: limits.spoken_list_entries_max + 1])  # one more: that it was cut is told
    text = _as_text(value)
    if text is not None:
        try:
            return _typed(text, kind.type)
        except types.TypeProblem:
            pass
    raise LookupProblem(f"{field.name} is a JSON {_json_kind(value)} that is no {kind.type}")


def _typed(text: str, kind: types.Type) -> Value:
    if kind.kind == "text":
        if len(text) > types.text_max or not text.isprintable():
            raise types.TypeProblem("text")
        return text
    return types.literal(text, kind)


def _as_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return repr(value)
    return value if isinstance(value, str) else None


def _json_kind(value: Any) -> str:
    for kinds, word in (
        ((bool,), "true or false"), ((int, float), "number"), ((str,), "text"), ((list,), "list"), ((dict,), "object"),
    ):  # fmt: skip
        if isinstance(value, kinds):
            return word
    return "null"

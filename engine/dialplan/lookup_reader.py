"""lookups.yaml -> LookupModel: where a lookup asks, what it sends, what types come back."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from engine import limits, marks
from engine.dialplan import types, values
from engine.dialplan.findings import Report, did_you_mean
from engine.dialplan.lookups import TEXT, VALUE, LookupField, LookupModel, Parts
from engine.dialplan.prompts import SlotProblem

FILE = "lookups.yaml"
KEYS = ("get", "post", "send", "auth", "timeout", "cache", "returns", "about")
FIELD_KEYS = ("type", "from")
AUTH_KEYS = ("secret", "scheme", "header")
SCHEMES = ("bearer", "basic")
TAKEN = ("system", "call", "agent", "access", "queue")  # namespaces that the engine fills itself
SHARED = ("customer", "flags")  # that any lookup may fill
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,63}(?:\.[a-z][a-z0-9_]{0,63})?")
_SECRET = re.compile(r"secret\s+([A-Za-z0-9_-]{1,64})")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_PATH = re.compile(r"[^.\s]+(?:\.[^.\s]+){0,7}")
_SLOT = re.compile(r"\$(?:\$|([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?)|)")
HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\]")
ADDRESS = re.compile(r"[\x21-\x7e]{1,2000}")


def read_lookups(report: Report, root: marks.Node | None, tenant: str) -> dict[str, tuple[LookupModel, marks.Scalar]]:
    """lookups.yaml of one tenant: name -> model, with where it is named."""
    found: dict[str, tuple[LookupModel, marks.Scalar]] = {}
    owners: dict[str, str] = {}
    for key, value in values.mapping(report, root, FILE) or ():
        form = values.mapping(report, value, f"the lookup {key.text}")
        if values.computed(report, key, "a lookup") or form is None:
            continue
        if _NAME.fullmatch(key.text) is None or key.text in TAKEN:
            hint = "small letters, digits and _, a letter first"
            hint = f"the engine fills {key.text}. itself; choose another name" if key.text in TAKEN else hint
            report.add("RD027", key, f"{key.text!r} is not a name for a lookup", hint)
            continue
        model = _Form(report, form, key, tenant).read()
        if model is None:
            continue
        for field in model.fields:
            other = owners.setdefault(field.name, key.text)
            if other != key.text:
                report.add("RD009", key, f"{field.name} is returned by the lookup {other} already", "rename one")
        found[key.text] = (model, key)
    return found


class _Form:
    """One lookup while it is read."""

    def __init__(self, report: Report, form: marks.Mapping, key: marks.Scalar, tenant: str) -> None:
        self.report, self.form, self.key, self.tenant = report, form, key, tenant

    def read(self) -> LookupModel | None:
        report, entries = self.report, self.form.entries
        values.known_keys(report, self.form, "a lookup", KEYS)
        if "about" in entries:
            values.prose(report, entries["about"], "about")
        both = [word for word in ("get", "post") if word in entries]
        if len(both) != 1:
            message = f"the lookup {self.key.text} has {'get and post' if both else 'no address'}"
            report.add("RD022", self.key, message, "write get: https://… or post: https://…")
            return None
        node = values.scalar(report, entries[both[0]], both[0])
        url = None if node is None else self.address(node)
        changes: dict[str, Any] = {}
        for name, field, low, high in (
            ("timeout", "timeout_ms", limits.lookup_ms_min, limits.lookup_ms_max),
            ("cache", "cache_ms", 0, limits.lookup_cache_ms_max),
        ):
            ms = values.duration(report, entries.get(name), name, low, high)
            if ms is not None:
                changes[field] = ms
        changes.update(self.auth(entries.get("auth")))
        send = {}
        for sent, value in values.mapping(report, entries.get("send"), "send") or ():
            text = values.prose(report, value, f"send {sent.text}")
            parts = None if text is None else self.parts(text)
            if parts is not None:
                send[sent.text] = parts
        fields = self.fields(entries.get("returns"))
        if url is None:
            return None
        self.in_clear(node or self.key, url, bool(changes.get("secret")), send)
        return LookupModel(self.tenant, self.key.text, both[0].upper(), url, send, fields=tuple(fields), **changes)

    def parts(self, node: marks.Scalar) -> Parts | None:
        try:
            return parts_of(node.text)
        except SlotProblem as problem:
            self.report.add("RD071", node, problem.message, problem.suggestion, at=problem.at)
            return None

    def address(self, node: marks.Scalar) -> Parts | None:
        """An http address whose host is literal: no value of a caller's can send a request elsewhere."""
        parts = self.parts(node)
        if parts is None:
            return None
        shown = "".join(words if kind == TEXT else "x" for kind, words in parts)
        try:
            split = urlsplit(shown)
            port = split.port
        except ValueError:
            split, port = urlsplit(""), None
        host = split.netloc.rpartition("@")[2]
        bare = host.removesuffix(f":{port}") if port is not None else host
        first = parts[0][1] if parts and parts[0][0] == TEXT else ""
        literal = first.startswith(f"{split.scheme}://{split.netloc}") and (
            len(parts) == 1 or first[len(f"{split.scheme}://{split.netloc}") :][:1] in ("/", "?")
        )
        hint = "as in https://crm.example/accounts/$account; the host is literal, values stand behind it"
        if split.scheme not in ("http", "https") or HOST.fullmatch(bare) is None or ADDRESS.fullmatch(shown) is None:
            self.report.add("RD141", node, f"{node.text!r} is not an http or https address", hint)
        elif "@" in split.netloc:
            self.report.add("RD080", node, "a user or password in an address", "write auth: secret NAME")
        elif not literal or split.fragment or "#" in shown:
            self.report.add("RD141", node, "the host of an address is literal, and it has no #", hint)
        else:
            return parts
        return None

    def auth(self, node: marks.Node | None) -> dict[str, Any]:
        if node is None:
            return {}
        remedy = "write auth: secret NAME; `ringdown secret move --site DIR` does it, and keeps the secret sealed"
        found: dict[str, Any] = {}
        if isinstance(node, marks.Mapping):
            values.known_keys(self.report, node, "auth", AUTH_KEYS)
            secret = values.scalar(self.report, node.entries.get("secret"), "secret")
            scheme = values.choice(self.report, node.entries.get("scheme"), "scheme", SCHEMES)
            header = values.scalar(self.report, node.entries.get("header"), "header")
            if header is not None and (_HEADER.fullmatch(header.text) is None or scheme):
                why = "stands beside scheme" if scheme else "is not a name for a header"
                self.report.add("RD024", header, f"{header.text!r} {why}", "as in header: X-Api-Key")
            elif header is not None:
                found["header"] = header.text
            if scheme:
                found["scheme"] = scheme
            if secret is None:
                if "secret" not in node.entries:
                    self.report.add("RD022", node, "auth names no secret", "add secret: NAME")
                return {}
            if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", secret.text) is None:
                self.report.add("RD080", secret, "this is not the name of a secret", remedy)
                return {}
            return {**found, "secret": secret.text}
        text = values.scalar(self.report, node, "auth")
        match = _SECRET.fullmatch(text.text) if text is not None else None
        if text is not None and match is None:
            self.report.add("RD080", text, "auth is a literal, not the name of a secret", remedy)
        return {"secret": match.group(1)} if match else {}

    def in_clear(self, node: marks.Node, url: Parts, secret: bool, send: dict[str, Parts]) -> None:
        head = url[0][1]
        host = urlsplit(head.split("?", 1)[0]).hostname or ""
        if head.startswith("http:") and host not in ("127.0.0.1", "localhost", "::1") and (secret or send):
            message = "what is asked here goes over the network in clear"
            self.report.add("RD143", node, message, "use https, which is verified by the system's certificates")

    # --- returns
    def fields(self, node: marks.Node | None) -> list[LookupField]:
        found: list[LookupField] = []
        for key, value in values.mapping(self.report, node, "returns") or ():
            field = self.field(key, value)
            if field is not None:
                found.append(field)
        return found

    def field(self, key: marks.Scalar, value: marks.Node) -> LookupField | None:
        report, name = self.report, key.text
        space, dot, short = name.rpartition(".")
        if _FIELD.fullmatch(name) is None or (dot and space not in SHARED) or short in types.FLAGS:
            hint = "small letters, digits and _; flags.NAME and customer.NAME fill those namespaces"
            report.add("RD027", key, f"{name!r} is not a name for what a lookup returns", hint)
            return None
        text: marks.Scalar | None
        path: tuple[str, ...] = (short,)
        if isinstance(value, marks.Mapping):
            values.known_keys(report, value, "a returned value", FIELD_KEYS)
            text = values.scalar(report, value.entries.get("type"), f"the type of {name}")
            origin = values.scalar(report, value.entries.get("from"), "from")
            if "type" not in value.entries:
                report.add("RD022", key, f"{name} has no type", "add type: text, or another type")
            if origin is not None and _PATH.fullmatch(origin.text) is None:
                hint = "keys of the JSON answer joined by dots, at most 8"
                report.add("RD024", origin, f"{origin.text!r} is not a place in an answer", hint)
            elif origin is not None:
                path = tuple(origin.text.split("."))
        else:
            text = values.scalar(report, value, f"the type of {name}")
        if text is None:
            return None
        try:
            declared = types.declare(text.text)
        except types.TypeProblem as problem:
            report.add("RD073", text, str(problem))
            return None
        if declared.type.kind not in types.KINDS:
            hint = did_you_mean(declared.type.kind, types.KINDS)
            report.add("RD073", text, f"{declared.type.kind!r} is no type", hint)
            return None
        head, equals, tail = text.text.partition("=")
        words = " ".join(word for word in head.split() if word != "sensitive")
        whole = name if dot else f"{self.key.text}.{name}"
        return LookupField(whole, path, words, declared.sensitive, tail.strip() if equals else None)


def parts_of(text: str) -> Parts:
    """Words and values of a text, nothing dropped. Raises SlotProblem."""
    parts: list[tuple[str, str]] = []
    words, place = "", 0
    for match in _SLOT.finditer(text):
        words += text[place : match.start()]
        place = match.end()
        if match.group() == "$$":
            words += "$"
        elif match.group(1) is None:
            raise SlotProblem(match.start(), "this $ names no value", "write $name; a dollar sign is $$")
        else:
            parts += [(TEXT, words)] if words else []
            parts.append((VALUE, match.group(1)))
            words = ""
    words += text[place:]
    return tuple([*parts, (TEXT, words)] if words or not parts else parts)

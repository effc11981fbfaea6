"""Profiles of gateways and phones: what a box is known to do, each statement with its source, read strictly.

A profile is `profiles/NAME.yaml` of a site (its own, or one that ships and joined the site's files, see
`runtime.site_files`). Nothing here is believed without a place where it can be looked up: a statement names a source
of the profile and the section in it, or says `unverified:` and why.

`applies:` names the statements whose values a trunk, or an agent's phone, of this profile takes where the site says
nothing itself. What is unverified is shown, never applied: a guess may not change how a site's calls work.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import msgspec

from engine import limits, marks
from engine.dialplan import values
from engine.dialplan.findings import Report, did_you_mean

FOLDER = "profiles/"
GATEWAY, PHONE = "gateway", "phone"
CODECS = ("PCMU", "PCMA", "G722", "G723", "G726", "G729", "GSM", "iLBC", "L16", "OPUS")
DISCONNECT = ("busy-tone", "current-drop", "polarity", "silence", "signalling")
LINES = ("fxo", "fxs", "gsm", "sip")
SEEN = ("document", "excerpt", "quoted", "configuration", "program")
TEMPLATES = (
    "grandstream-phone", "grandstream-fxo", "grandstream-gxw", "yealink", "cisco-spa", "audiocodes", "patton", "snom",
    "poly", "fanvil", "linphone",
)  # fmt: skip
UNKNOWN = "unknown"
_KEYS = ("profile", "kind", "about", "lines", "tried", "sources", "statements", "applies", "quirks", "provision")
_SOURCE_KEYS = ("document", "version", "where", "seen")
_STATEMENT_KEYS = ("says", "source", "section", "unverified", "note")
_PROVISION_KEYS = ("template", "file", "enter", "source", "section", "unverified")
_NEEDED = {
    GATEWAY: ("codecs", "dtmf", "early_media", "registration", "caller_id", "disconnect"),
    PHONE: ("codecs", "dtmf", "early_media", "registration", "caller_id", "auto_answer"),
}
# how a phone is made to answer by itself is never applied: it would begin to do so unasked
APPLICABLE = {GATEWAY: ("dtmf", "port", "transport", "calls_max", "trust_identity"), PHONE: ("dtmf",)}
_FILE = re.compile(r"[A-Za-z0-9_.-]*\{(?:mac|MAC)\}[A-Za-z0-9_.-]*")


class Source(msgspec.Struct, frozen=True):
    """Where statements come from. `seen`: `document` the vendor's own text, `excerpt` a part of it or a copy, `quoted`
    what others say stands there, `configuration` what somebody else's working box is set to, `program` the software
    itself was run."""

    document: str
    version: str
    where: str
    seen: str


class Statement(msgspec.Struct, frozen=True):
    """One thing that is said of a box. `says` are words of its own list; `unverified` is why nobody could look it up,
    '' for what has a `source` (a name in the profile) and a `section`."""

    name: str
    says: tuple[str, ...]
    source: str = ""
    section: str = ""
    unverified: str = ""
    note: str = ""
    line: int = 0


class Provision(msgspec.Struct, frozen=True):
    """Its own configuration: which template writes it, what the box calls the file (`{mac}` in small hexadecimal
    digits, `{MAC}` in capitals), where in its menus the address is entered."""

    template: str
    file: str
    enter: str


class Profile(msgspec.Struct, frozen=True):
    """A box that people buy. `applies`: statements that a trunk or phone of this profile takes over."""

    name: str
    kind: str
    about: str
    lines: str
    tried: str
    sources: dict[str, Source]
    statements: dict[str, Statement]
    applies: tuple[str, ...]
    quirks: tuple[Statement, ...]
    provision: Provision | None = None


class Kept(msgspec.Struct):
    """A profile beside the YAML it was read from: what applies is lent from there, with its place."""

    profile: Profile
    form: marks.Mapping


class Shelf(dict[str, Kept]):
    """Profiles by name. `broken` have mistakes, which have been told: whoever names one isn't accused as well."""

    def __init__(self) -> None:
        super().__init__()
        self.broken: list[str] = []


def written(profile: Profile, name: str) -> tuple[str, ...]:
    """What the box's own file can be made to say of `transport` or `srtp`. What nobody could look up isn't written."""
    said = profile.statements.get(name)
    if said is None or said.unverified:
        return ("udp", "tcp") if name == "transport" else ()
    return said.says


def read_shelf(report: Report, trees: Mapping[str, marks.Node | None]) -> Shelf:
    """Every profile among a site's files, by name; mistakes are reported at their line and column."""
    shelf = Shelf()
    for path in sorted(trees):
        if not path.startswith(FOLDER) or path.count("/") != 1:
            continue
        name = path.removeprefix(FOLDER).removesuffix(".yaml")
        before = report.errors
        form = values.mapping(report, trees[path], path)
        found = _profile(report, form, name) if form is not None else None
        if found is not None and form is not None and report.errors == before:
            shelf[name] = Kept(found, form)
        else:
            shelf.broken.append(name)
    return shelf


def _profile(report: Report, form: marks.Mapping, name: str) -> Profile | None:
    entries = form.entries
    values.known_keys(report, form, "a profile", _KEYS)
    for needed in ("profile", "kind", "about", "sources", "statements"):
        if needed not in entries:
            report.add("RD022", form, f"a profile without {needed}", f"add {needed}:")
    own = values.name(report, entries.get("profile"), "a profile")
    if own is not None and own != name:
        report.add("RD024", entries["profile"], f"the file is called {name}, its profile {own}", "call both the same")
    kind = values.choice(report, entries.get("kind"), "kind", (GATEWAY, PHONE))
    about = values.prose(report, entries.get("about"), "about")
    lines = values.choice(report, entries.get("lines"), "lines", LINES)
    tried = values.prose(report, entries.get("tried"), "tried")
    sources = _sources(report, entries.get("sources"))
    statements: dict[str, Statement] = {}
    for key, value in values.mapping(report, entries.get("statements"), "statements") or ():
        if key.text not in _CHECKS:
            report.add("RD021", key, f"no statement is called {key.text!r}", did_you_mean(key.text, _CHECKS))
            continue
        said = _statement(report, key, value, sources)
        if said is not None:
            statements[key.text] = said
    if kind is None or about is None:
        return None
    for needed in _NEEDED[kind]:
        if "statements" in entries and needed not in statements and needed not in _names(entries["statements"]):
            message = f"nothing is said of {needed}"
            report.add("RD022", form.keys["statements"], message, f"{needed}: {{says: unknown, unverified: why}}")
    applies = _applies(report, entries.get("applies"), kind, statements)
    quirks = _quirks(report, entries.get("quirks"), sources)
    provision = _provision(report, entries.get("provision"), sources)
    default = "sip" if kind == PHONE else "fxo"
    return Profile(
        name, kind, about.text, lines or default, tried.text if tried is not None else "on no real box yet", sources,
        statements, applies, quirks, provision,
    )  # fmt: skip


def _names(node: marks.Node) -> tuple[str, ...]:
    return tuple(node.entries) if isinstance(node, marks.Mapping) else ()


def _sources(report: Report, node: marks.Node | None) -> dict[str, Source]:
    found: dict[str, Source] = {}
    for key, value in values.mapping(report, node, "sources") or ():
        name = values.name(report, key, "a source")
        form = values.mapping(report, value, f"the source {key.text}")
        if name is None or form is None:
            continue
        values.known_keys(report, form, "a source", _SOURCE_KEYS)
        texts = {each: values.prose(report, form.entries.get(each), each) for each in _SOURCE_KEYS[:3]}
        for each in ("document", "version", "seen"):
            if each not in form.entries:
                report.add("RD022", key, f"the source {key.text} says no {each}", f"add {each}:")
        seen = values.choice(report, form.entries.get("seen"), "seen", SEEN)
        words = {each: text.text if text is not None else "" for each, text in texts.items()}
        found[name] = Source(words["document"], words["version"], words["where"], seen or "")
    return found


def _statement(
    report: Report, key: marks.Scalar, value: marks.Node, sources: Mapping[str, Source]
) -> Statement | None:
    form = values.mapping(report, value, key.text)
    if form is None:
        return None
    values.known_keys(report, form, key.text, _STATEMENT_KEYS)
    if "says" not in form.entries:
        report.add("RD022", key, f"{key.text} says nothing", "add says:")
        return None
    said = values.scalars(report, form.entries["says"], "says")
    words = tuple(each.text for each in said)
    if words != (UNKNOWN,):
        for each in said:
            _CHECKS[key.text](report, each, key.text)
    source, section, unverified = _looked_up(report, key, form, sources)
    note = values.prose(report, form.entries.get("note"), "note")
    return Statement(
        key.text, words, source, section, unverified, note.text if note is not None else "", key.line
    )


def _looked_up(
    report: Report, place: marks.Scalar, form: marks.Mapping, sources: Mapping[str, Source]
) -> tuple[str, str, str]:
    """(source, section, unverified) of whatever says something; exactly one of the two ways."""
    entries = form.entries
    source = values.scalar(report, entries.get("source"), "source")
    section = values.prose(report, entries.get("section"), "section")
    unverified = values.prose(report, entries.get("unverified"), "unverified")
    if source is not None and source.text not in sources:
        report.add("RD381", source, f"no source is called {source.text!r}", did_you_mean(source.text, sources))
    elif (source is None) == (unverified is None):
        hint = "add source: and section:, or unverified: with the reason"
        both = "has a source and is unverified" if source is not None else "has no source"
        report.add("RD381", place, f"{place.text} {both}", hint)
    elif source is not None and section is None:
        report.add("RD381", place, f"{place.text}: where in {source.text} does it stand?", "add section:")
    return (
        source.text if source is not None else "", section.text if section is not None else "",
        unverified.text if unverified is not None else "",
    )  # fmt: skip


def _applies(
    report: Report, node: marks.Node | None, kind: str, statements: Mapping[str, Statement]
) -> tuple[str, ...]:
    found = []
    for each in values.scalars(report, node, "applies"):
        said = statements.get(each.text)
        if each.text not in APPLICABLE[kind]:
            report.add("RD024", each, f"{each.text!r} can't be applied", did_you_mean(each.text, APPLICABLE[kind]))
        elif said is None:
            report.add("RD024", each, f"nothing is said of {each.text}", "add it to statements:")
        elif len(said.says) != 1 or said.says[0] in (UNKNOWN, "none", "inband"):
            report.add("RD024", each, f"{each.text} says {', '.join(said.says)}: nothing to apply", "leave it out here")
        elif said.unverified:
            hint = "leave it out here, or look it up"
            report.add("RD381", each, f"{each.text} is unverified: what nobody could look up isn't applied", hint)
        else:
            found.append(each.text)
    return tuple(found)


def _quirks(report: Report, node: marks.Node | None, sources: Mapping[str, Source]) -> tuple[Statement, ...]:
    if node is None:
        return ()
    if not isinstance(node, marks.Sequence):
        report.add("RD023", node, f"quirks is a list, not {values.kind_of(node)}")
        return ()
    found = []
    for each in node.items:
        form = values.mapping(report, each, "a quirk")
        if form is None:
            continue
        values.known_keys(report, form, "a quirk", _STATEMENT_KEYS)
        text = values.prose(report, form.entries.get("says"), "says")
        if text is None:
            if "says" not in form.entries:
                report.add("RD022", form, "a quirk that says nothing", "add says:")
            continue
        place = marks.Scalar("the quirk", text.file, text.line, text.column, text.width)
        source, section, unverified = _looked_up(report, place, form, sources)
        note = values.prose(report, form.entries.get("note"), "note")
        found.append(
            Statement("quirk", (text.text,), source, section, unverified, note.text if note is not None else "",
                      text.line)
        )  # fmt: skip
    return tuple(found)


def _provision(report: Report, node: marks.Node | None, sources: Mapping[str, Source]) -> Provision | None:
    form = values.mapping(report, node, "provision")
    if form is None:
        return None
    values.known_keys(report, form, "provision", _PROVISION_KEYS)
    for needed in ("template", "file", "enter"):
        if needed not in form.entries:
            report.add("RD022", form, f"provision says no {needed}", f"add {needed}:")
    template = values.choice(report, form.entries.get("template"), "template", TEMPLATES)
    file = values.scalar(report, form.entries.get("file"), "file")
    enter = values.prose(report, form.entries.get("enter"), "enter")
    place = marks.Scalar("provision", form.file, form.line, form.column)
    _looked_up(report, place, form, sources)
    if file is not None and _FILE.fullmatch(file.text) is None:
        report.add("RD024", file, f"{file.text!r} is not the name of a box's own file", "as in cfg{mac}.xml")
        return None
    if template is None or file is None or enter is None:
        return None
    return Provision(template, file.text, enter.text)


# --- what a statement may say --------------------------------------------------------------------------------
Check = Callable[[Report, marks.Scalar, str], object]


def _one_of(*words: str) -> Check:
    return lambda report, node, name: values.choice(report, node, name, words)


def _number(low: int, high: int) -> Check:
    return lambda report, node, name: values.number(report, node, name, low, high)


_CHECKS: dict[str, Check] = {
    "codecs": _one_of(*CODECS),
    "dtmf": _one_of("rfc4733", "info", "inband", "auto"),
    "early_media": _one_of("yes", "no"),
    "registration": _one_of("register", "address"),
    "caller_id": _one_of("from", "p-asserted-identity", "remote-party-id", "p-preferred-identity"),
    "disconnect": _one_of(*DISCONNECT),
    "auto_answer": _one_of("alert-info", "call-info", "answer-mode", "none"),
    "port": _number(1, 65_535),
    "transport": _one_of("udp", "tcp", "tls"),
    "calls_max": _number(1, limits.calls_max),
    "trust_identity": _one_of("yes", "no"),
    "srtp": _one_of("optional", "required"),
}
STATEMENTS = tuple(_CHECKS)

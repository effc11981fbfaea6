"""Reading single values with their findings: every function returns None after it has reported a mistake."""

from __future__ import annotations

import re
from collections.abc import Iterable

from engine import marks
from engine.dialplan import types
from engine.dialplan.findings import Report, did_you_mean

NAME = re.compile(r"[a-z][a-z0-9_-]*")
RESERVED = ("again", "continue")
COUNTRIES = ("us", "gb", "cn", "eu")
PASSWORD_KEYS = ("password", "passwd", "pass", "pin", "secret", "token")


def kind_of(node: marks.Node) -> str:
    """What the node is, in an admin's words."""
    if isinstance(node, marks.Scalar):
        return "a single value"
    return "a list" if isinstance(node, marks.Sequence) else "a mapping"


def inside(node: marks.Scalar, at: int) -> int:
    """Caret offset of the character `at` of a scalar's text."""
    return 0 if node.style in ("|", ">") else at + (1 if node.style else 0)


def mapping(report: Report, node: marks.Node | None, what: str) -> marks.Mapping | None:
    if isinstance(node, marks.Mapping):
        return node
    if node is not None:
        report.add("RD023", node, f"{what} is a mapping (key: value), not {kind_of(node)}")
    return None


def scalar(report: Report, node: marks.Node | None, what: str) -> marks.Scalar | None:
    if isinstance(node, marks.Scalar):
        return node
    if node is not None:
        hint = "a slot is written $name, without braces" if isinstance(node, marks.Mapping) else ""
        report.add("RD023", node, f"{what} is a single value, not {kind_of(node)}", hint)
    return None


def prose(report: Report, node: marks.Node | None, what: str) -> marks.Scalar | None:
    """A text for people: words that a comment would cut off are refused."""
    found = scalar(report, node, what)
    if found is not None and found.lost:
        message = f"YAML keeps only {found.text!r}: {found.lost!r} would be lost as a comment"
        report.add("RD017", found, message, "quote the whole text")
        return None
    return found


def name(report: Report, node: marks.Node | None, what: str) -> str | None:
    """A name of the admin's: small letters, digits, _ and -."""
    found = scalar(report, node, what)
    if found is None:
        return None
    if computed(report, found, what):
        return None
    if NAME.fullmatch(found.text) is None or len(found.text) > 64 or found.text in RESERVED:
        hint = (
            f"{found.text!r} is reserved"
            if found.text in RESERVED
            else "small letters, digits, _ and -, a letter first"
        )
        report.add("RD027", found, f"{found.text!r} is not a name for {what}", hint)
        return None
    return found.text


def computed(report: Report, node: marks.Scalar, what: str) -> bool:
    if "$" in node.text:
        hint = "names are literal, so that every path is known; choose with switch or when"
        report.add("RD077", node, f"{what} is computed from a value", hint)
        return True
    return False


def number(report: Report, node: marks.Node | None, what: str, low: int, high: int) -> int | None:
    found = scalar(report, node, what)
    if found is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", found.text) is None or not low <= int(found.text) <= high:
        report.add("RD024", found, f"{what} is a whole number from {low} to {high}, not {found.text!r}")
        return None
    return int(found.text)


def duration(report: Report, node: marks.Node | None, what: str, low: int, high: int) -> int | None:
    """Milliseconds."""
    found = scalar(report, node, what)
    if found is None:
        return None
    try:
        value = types.duration_ms(found.text)
    except types.TypeProblem as problem:
        report.add("RD024", found, f"{what}: {problem}")
        return None
    if not low <= value <= high:
        report.add("RD024", found, f"{what} lies between {spell_ms(low)} and {spell_ms(high)}, not {found.text}")
        return None
    return value


def spell_ms(value: int) -> str:
    for unit, scale in (("h", 3_600_000), ("min", 60_000), ("s", 1_000)):
        if value and value % scale == 0:
            return f"{value // scale}{unit}"
    return f"{value}ms"


def flag(report: Report, node: marks.Node | None, what: str) -> bool | None:
    found = scalar(report, node, what)
    if found is None:
        return None
    if found.text not in types.FLAGS:
        report.add("RD024", found, f"{what} is yes or no, not {found.text!r}")
        return None
    return types.FLAGS[found.text]


def choice(report: Report, node: marks.Node | None, what: str, words: Iterable[str], code: str = "RD024") -> str | None:
    found = scalar(report, node, what)
    if found is None:
        return None
    if found.text not in words:
        report.add(code, found, f"{what}: {found.text!r} is not known", did_you_mean(found.text, words))
        return None
    return found.text


def srtp(report: Report, node: marks.Node | None, unsaid: str = "off") -> str:
    """`srtp: off | optional | required`; YAML's own no and yes are taken for off and required."""
    text = node.text if isinstance(node, marks.Scalar) else ""
    known = {"no": "off", "false": "off", "yes": "required", "true": "required"}.get(text)
    return known or choice(report, node, "srtp", ("off", "optional", "required")) or unsaid


def field(node: marks.Node | None, key: str) -> str:
    """A scalar in a mapping as text; "" when it isn't there. For files that a program wrote: nothing is reported."""
    found = node.entries.get(key) if isinstance(node, marks.Mapping) else None
    return found.text if isinstance(found, marks.Scalar) else ""


def scalars(report: Report, node: marks.Node | None, what: str) -> list[marks.Scalar]:
    """A list of single values; one value alone is a list of one."""
    if node is None:
        return []
    if isinstance(node, marks.Scalar):
        return [node]
    if isinstance(node, marks.Mapping):
        report.add("RD023", node, f"{what} is a list, not a mapping")
        return []
    found = [scalar(report, each, what) for each in node.items]
    return [each for each in found if each is not None]


def known_keys(report: Report, node: marks.Mapping, what: str, known: Iterable[str], later: Iterable[str] = ()) -> None:
    """Report every key that nothing reads."""
    for key in node.keys.values():
        if key.text in later:
            report.add("RD026", key, f"{key.text!r} of {what} is not built yet in this version", "remove it for now")
        elif key.text not in known:
            report.add("RD021", key, f"{what} has no key {key.text!r}", did_you_mean(key.text, known))


def no_passwords(report: Report, form: marks.Mapping, remedy: str) -> None:
    """Secrets are named in a site's files, never written there."""
    for key, value in form:
        if key.text in PASSWORD_KEYS and not (isinstance(value, marks.Scalar) and value.text.startswith("secret ")):
            report.add("RD080", key, f"a literal {key.text} in a site's file", remedy)

"""Asterisk's configuration format: sections, `key => value`, comments. What is read keeps its line."""

from __future__ import annotations

import re

import msgspec

_SECTION = re.compile(r"\[([^\]]+)\]\s*(?:\(([^)]*)\))?")
_ENTRY = re.compile(r"([^=>]+?)\s*=>?\s*(.*)")


class Line(msgspec.Struct, frozen=True):
    """One `key = value`; a line that is none has the key ''."""

    number: int
    key: str
    value: str


class Section(msgspec.Struct):
    name: str
    number: int
    lines: list[Line] = []
    template: str = ""


def read(text: str) -> list[Section]:
    """The sections in order; lines before the first belong to one named ''."""
    sections = [Section("", 1)]
    commented = False
    for number, raw in enumerate(text.splitlines(), 1):
        line, commented = _uncommented(raw, commented)
        if not line:
            continue
        head = _SECTION.match(line)
        if head is not None:
            sections.append(Section(head[1].strip(), number, template=head[2] or ""))
            continue
        entry = None if line.startswith("#") else _ENTRY.fullmatch(line)
        found = Line(number, entry[1].strip().lower(), entry[2].strip()) if entry else Line(number, "", line)
        sections[-1].lines.append(found)
    return sections


def _uncommented(raw: str, commented: bool) -> tuple[str, bool]:
    """The line without its comments, and whether a block comment goes on."""
    kept, at = "", 0
    while at < len(raw):
        if commented:
            end = raw.find("--;", at)
            if end < 0:
                return kept.strip(), True
            at, commented = end + 3, False
        elif raw.startswith(";--", at) and not raw.startswith(";---", at):
            at, commented = at + 3, True
        elif raw[at] == ";":
            break
        elif raw.startswith("\\;", at):
            kept, at = kept + ";", at + 2
        else:
            kept, at = kept + raw[at], at + 1
    return kept.strip(), commented


def arguments(text: str) -> list[str]:
    """Arguments of an application: commas inside brackets or quotes don't part them."""
    found, depth, quoted, word = [], 0, False, ""
    for letter in text:
        if letter == '"':
            quoted = not quoted
        elif letter in "([{" and not quoted:
            depth += 1
        elif letter in ")]}" and not quoted:
            depth -= 1
        if letter == "," and depth <= 0 and not quoted:
            found.append(word.strip())
            word = ""
        elif letter != '"':
            word += letter
    return [*found, word.strip()]

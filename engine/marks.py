"""YAML values that know their own text and their place: the subset of YAML that a site may use.

libyaml's events are turned into three node types. Scalars keep the text an admin wrote (`on`, `0123`, `12:30`),
every node keeps file, line and column (both from 1, columns counted in characters). What YAML would read
otherwise than a person does, or lose silently, is refused with the reason: anchors, aliases, merge keys, tags,
duplicate and complex keys, several documents, `%` directives, tabs, empty values, deep flow collections and plain
text over several lines. `load` never raises, whatever the bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import yaml
from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

file_bytes_max = 4_000_000
depth_max = 24
flow_depth_max = 2
faults_max = 50


class Scalar(msgspec.Struct, gc=False):
    """One word or text. `style` is '' (plain), "'", '"', '|' or '>'; `lost` what a comment cut off a plain text."""

    text: str
    file: str
    line: int
    column: int
    width: int = 1
    style: str = ""
    lost: str = ""


class Sequence(msgspec.Struct):
    """A list."""

    items: list[Node]
    file: str
    line: int
    column: int
    width: int = 1


class Mapping(msgspec.Struct):
    """Keys in file order; `keys` holds each key's own scalar (its place)."""

    entries: dict[str, Node]
    keys: dict[str, Scalar]
    file: str
    line: int
    column: int
    width: int = 1

    def __iter__(self) -> Iterator[tuple[Scalar, Node]]:
        """Pairs of (key scalar, value) in file order."""
        for name, value in self.entries.items():
            yield self.keys[name], value


Node = Scalar | Sequence | Mapping


class Fault(msgspec.Struct, frozen=True):
    """Why a text is refused. `kind` is a stable word: syntax, encoding, anchor, tag, duplicate, tab …"""

    kind: str
    file: str
    line: int
    column: int
    message: str
    suggestion: str = ""
    width: int = 1


class _Open:
    """A collection under construction; `key` is the pending key of a mapping."""

    __slots__ = ("flow", "key", "node")

    def __init__(self, node: Mapping | Sequence | None, flow: bool) -> None:
        self.node = node
        self.flow = flow
        self.key: Scalar | None = None


_VANISHED = re.compile(r"^[ ]*(?:-[ ]+)?#:(?:[ ]|$)")
_BREAKS = re.compile("[\x85\u2028\u2029]")
_COMMENT = re.compile(r"\s+#")


def load(data: bytes, file: str) -> tuple[Node | None, list[Fault]]:
    """Parse one file. The node is None when the file is empty or broken; with faults it may be incomplete."""
    text, fault = _decode(data, file)
    if fault is not None:
        return None, [fault]
    faults = _silent_losses(text, file)
    builder = _Builder(file, text.split("\n"), faults)
    parser = CParser(text)
    try:
        while parser.check_event():
            event = parser.get_event()
            if event is not None:
                builder.take(event)
            if len(faults) >= faults_max:
                return None, faults
    except yaml.YAMLError as error:
        # a tab or a vanished line before the failure is its likelier cause, and is told alone
        if not faults:
            faults.append(_explain(error, file, builder.lines))
        return None, sorted(faults, key=lambda each: (each.line, each.column))
    finally:
        parser.dispose()
    return builder.root, sorted(faults, key=lambda each: (each.line, each.column))


def _decode(data: bytes, file: str) -> tuple[str, Fault | None]:
    if len(data) > file_bytes_max:
        return "", Fault("size", file, 1, 1, f"the file is larger than {file_bytes_max} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return "", Fault("encoding", file, line, column, "this byte is not UTF-8", "save the file as UTF-8")
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    strange = _BREAKS.search(text)
    if strange is not None:
        before = text[: strange.start()]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        name = f"U+{ord(strange.group()):04X}"
        return "", Fault("encoding", file, line, column, f"{name} is an invisible line break", "use an ordinary one")
    return text, None


def _silent_losses(text: str, file: str) -> list[Fault]:
    """Tabs, and lines whose key is `#`: YAML drops or misreads both without a word."""
    faults: list[Fault] = []
    if "\t" not in text and "#:" not in text:
        return faults
    for number, line in enumerate(text.split("\n"), 1):
        tab = line.find("\t")
        if tab >= 0:
            faults.append(Fault("tab", file, number, tab + 1, "a tab: YAML counts only spaces", "use spaces"))
        match = _VANISHED.match(line)
        if match is not None:
            column = line.index("#") + 1
            lost = line.strip()
            message = f"YAML reads this whole line as a comment: {lost!r} would be lost"
            faults.append(Fault("vanished", file, number, column, message, "the # key is written: hash"))
    return faults[:faults_max]


def _at(event: Event) -> tuple[int, int]:
    """(line, column) of an event, from 1."""
    mark: Any = event.start_mark
    return mark.line + 1, mark.column + 1


class _Builder:
    """Builds nodes from libyaml's events and notes every refusal."""

    def __init__(self, file: str, lines: list[str], faults: list[Fault]) -> None:
        self.file = file
        self.lines = lines
        self.faults = faults
        self.root: Node | None = None
        self.stack: list[_Open] = []
        self.documents = 0
        self.too_deep = False

    def refuse(self, kind: str, event: Event, message: str, suggestion: str = "", width: int = 1) -> None:
        line, column = _at(event)
        self.faults.append(Fault(kind, self.file, line, column, message, suggestion, max(1, width)))

    def take(self, event: Event) -> None:
        if type(event) is ScalarEvent:
            self._scalar(event)
        elif type(event) is MappingStartEvent:
            self._start(event, Mapping({}, {}, self.file, *_at(event)))
        elif type(event) is SequenceStartEvent:
            self._start(event, Sequence([], self.file, *_at(event)))
        elif type(event) in (MappingEndEvent, SequenceEndEvent):
            self._end(event)
        elif type(event) is AliasEvent:
            self._alias(event)
        elif type(event) is DocumentStartEvent:
            self._document(event)

    def _document(self, event: DocumentStartEvent) -> None:
        self.documents += 1
        if event.version or event.tags:
            self.refuse("directive", event, "a % directive has no meaning here", "remove the line")
        if self.documents == 2:
            self.refuse("documents", event, "a second document (---) in one file", "one file holds one document")

    def _alias(self, event: AliasEvent) -> None:
        name = str(event.anchor)
        if name.isdigit():
            hint = f"a code is quoted: '*{name}'"
        else:
            hint = "write it out; reuse goes by subflow, prompts and named objects"
        self.refuse("anchor", event, f"YAML reads *{name} as an alias", hint, len(name) + 1)
        self._place(Scalar("", self.file, *_at(event)), refused=True)

    def _check_properties(self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent) -> bool:
        if event.tag is not None:
            hint = "a text that begins with ! is quoted"
            self.refuse("tag", event, f"YAML reads {event.tag} as a tag and drops it", hint, len(str(event.tag)))
            return False
        if event.anchor is not None:
            hint = "a text that begins with & is quoted; anchors are not used here"
            self.refuse("anchor", event, f"YAML reads &{event.anchor} as an anchor", hint, len(event.anchor) + 1)
            return False
        return True

    def _scalar(self, event: ScalarEvent) -> None:
        start: Any = event.start_mark
        end: Any = event.end_mark
        same_line = start.line == end.line
        style = event.style or ""
        width = end.column - start.column if same_line else 1
        scalar = Scalar(event.value, self.file, start.line + 1, start.column + 1, max(1, width), style)
        if event.tag is not None or event.anchor is not None:
            self._place(scalar, refused=not self._check_properties(event))
            return
        if not style:
            if not same_line:
                self.refuse("multiline", event, "plain text over several lines", "use | or quote it on one line")
            else:
                line = self.lines[end.line] if end.line < len(self.lines) else ""
                if "#" in line and (match := _COMMENT.match(line, end.column)) is not None:
                    scalar.lost = line[match.end() - 1 :].rstrip()
        self._place(scalar)

    def _place(self, node: Node, *, refused: bool = False) -> None:
        """Put a finished node where it belongs: root, list item, key or value."""
        if not self.stack:
            if self.root is None and not refused:
                self.root = node
            return
        top = self.stack[-1]
        holder = top.node
        if isinstance(holder, Sequence):
            if isinstance(node, Scalar) and not refused and self._empty(node, None, top.flow):
                return
            if not refused:
                holder.items.append(node)
        elif isinstance(holder, Mapping):
            if top.key is None:
                self._key(top, holder, node, refused)
            else:
                key, top.key = top.key, None
                if isinstance(node, Scalar) and not refused and self._empty(node, key, top.flow):
                    return
                if not refused and key.text and key.text not in holder.entries:
                    holder.entries[key.text] = node
                    holder.keys[key.text] = key

    def _key(self, top: _Open, holder: Mapping, node: Node, refused: bool) -> None:
        if not isinstance(node, Scalar):
            fault = Fault("key", self.file, node.line, node.column, "a key is one word", "slots are written $name")
            self.faults.append(fault)
            top.key = Scalar("", self.file, node.line, node.column)
            return
        top.key = node
        if refused:
            node.text = ""
        elif node.text == "<<" and not node.style:
            message = "merge keys lose values silently"
            self.faults.append(Fault("merge", self.file, node.line, node.column, message, "write the keys out", 2))
            node.text = ""
        elif not node.text:
            message = "an empty key"
            self.faults.append(Fault("key", self.file, node.line, node.column, message, "a key is one word"))
        elif node.text in holder.entries:
            first = holder.keys[node.text].line
            message = f"{node.text!r} stands twice in this mapping (first in line {first}); YAML keeps only the last"
            self.faults.append(
                Fault("duplicate", self.file, node.line, node.column, message, "join or rename them", node.width)
            )

    def _empty(self, node: Scalar, key: Scalar | None, flow: bool) -> bool:
        """Refuse a value that isn't there. True when refused."""
        if node.text or node.style:
            return False
        if key is None:
            place, message, hint = node, "an empty list item", "write the step or remove the dash"
        elif flow:
            place, message = key, f"{key.text!r} has no value"
            hint = "text with commas inside { } is cut: quote it; a slot is written $name"
        else:
            place, message = key, f"{key.text!r} has no value"
            hint = "write the value, or remove the line"
            if node.lost or "#" in self.lines[key.line - 1][key.column :]:
                lost = self.lines[key.line - 1].partition("#")[2].strip()
                message += f"; '#' begins a comment, so {lost!r} is lost"
                hint = "quote a value that begins with #"
        self.faults.append(Fault("empty", self.file, place.line, place.column, message, hint, place.width))
        return True

    def _start(self, event: MappingStartEvent | SequenceStartEvent, node: Mapping | Sequence) -> None:
        fine = True
        if event.tag is not None or event.anchor is not None:
            fine = self._check_properties(event)
        flow = bool(event.flow_style)
        if flow and sum(1 for each in self.stack if each.flow) == flow_depth_max:
            hint = "write the inner part as an indented block"
            self.refuse("flow", event, f"brackets nested deeper than {flow_depth_max}", hint)
        if len(self.stack) == depth_max and not self.too_deep:
            self.too_deep = True
            self.refuse("depth", event, f"nested deeper than {depth_max}", "use flows with names")
        keep = fine and len(self.stack) < depth_max
        self.stack.append(_Open(node if keep else None, flow))
        if not keep and len(self.stack) > 1:
            # a refused collection still takes the place of a key or of a value
            above = self.stack[-2]
            if isinstance(above.node, Mapping):
                above.key = None if above.key else Scalar("", self.file, node.line, node.column)

    def _end(self, event: Event) -> None:
        closed = self.stack.pop()
        node = closed.node
        if node is None:
            return
        end: Any = event.end_mark
        if closed.flow and end.line + 1 == node.line:
            node.width = max(1, end.column + 1 - node.column)
        self._place(node)


_STARTS_OPERATOR = re.compile(r"^\s*(?:-\s+)?(?:if|value|set|else)\s*:\s*(['\"]|>=?|=|!|\*|&|\|)")
_STAR_KEY = re.compile(r"^\s*(?:-\s+)?\*\s*:")


def _explain(error: yaml.YAMLError, file: str, lines: list[str]) -> Fault:
    """libyaml's complaint as a person would say it, at the place that causes it."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return _explain_character(error, file, lines)
    context = getattr(error, "context_mark", None)
    problem = str(getattr(error, "problem", "") or "YAML cannot read this")
    line, column = mark.line + 1, mark.column + 1
    text = lines[mark.line] if mark.line < len(lines) else ""
    above = lines[context.line] if context is not None and context.line < len(lines) else text
    for number, candidate in ((line, text), (context.line + 1 if context else line, above)):
        if _STAR_KEY.match(candidate):
            at = candidate.index("*") + 1
            return Fault("star", file, number, at, "YAML cannot carry the key *", "the * key is written: star")
        match = _STARTS_OPERATOR.match(candidate)
        if match is not None:
            at = match.start(1) + 1
            return Fault("expression", file, number, at, "an expression starts with a name", "write: name = 'value'")
    if "could not find expected ':'" in problem and context is not None:
        hint = "a key is followed by ': ' and its value, a step begins with '- '"
        word = (above[context.column :].split() or [""])[0]
        place = (context.line + 1, context.column + 1)
        return Fault("syntax", file, *place, f"no ':' behind {word!r}", hint, max(1, len(word)))
    if "mapping values are not allowed" in problem:
        return Fault("syntax", file, line, column, "a second ': ' in one line", "quote a text that holds ': '")
    if "unexpected end of stream" in problem and context is not None:
        return Fault("syntax", file, context.line + 1, context.column + 1, "this quote is never closed", "close it")
    if "did not find expected ',' or" in problem and context is not None:
        place = (context.line + 1, context.column + 1)
        return Fault("syntax", file, *place, "this bracket is never closed", "close it, or quote the text")
    hint = "check the indentation: steps begin with '- ', keys end with ':'"
    if line > len(lines) or (line == len(lines) and not text):  # libyaml saw the end: the last line that says something
        line = max((number for number, each in enumerate(lines, 1) if each.strip()), default=1)
        column = len(lines[line - 1].rstrip()) or 1
        return Fault("syntax", file, line, column, f"the file ends too early: {problem}", hint)
    if text.lstrip()[:1] in ("%", "@", "`"):
        return Fault("syntax", file, line, column, f"YAML keeps {text.lstrip()[0]} for itself", "quote the text")
    return Fault("syntax", file, line, column, problem, hint)


def _explain_character(error: yaml.YAMLError, file: str, lines: list[str]) -> Fault:
    """A character that YAML forbids: libyaml gives its index only, and for some not even that."""
    for number, line in enumerate(lines, 1):
        for column, letter in enumerate(line, 1):
            code = ord(letter)
            if code < 32 or code == 127 or 0x80 <= code < 0xA0 or code in (0xFEFF, 0xFFFE, 0xFFFF):
                message = f"the control character U+{code:04X}"
                return Fault("encoding", file, number, column, message, "remove it")
    return Fault("encoding", file, 1, 1, str(error).splitlines()[0], "remove the control character")

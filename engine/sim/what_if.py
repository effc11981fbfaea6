"""What-if: a change said in one line, made in the scenario's YAML before it is read, so every check applies to it.

    agents.day.count=+1          agents.day.skills.en=3        agents.day.queues.sales=2
    queues.support.strategy=ring-all                           arrivals.support.rate=60/min

A number may be relative (+1, -2). A skill or a queue of 0 is taken away. `arrivals.NAME` are all callers of that
queue, `arrivals.2` the second in the file.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence

from engine import marks
from engine.dialplan.findings import Report, did_you_mean

FILE = "--what-if"
_RELATIVE = re.compile(r"[+-][0-9]{1,6}")
_TABLES = {"agents": ("skills", "queues"), "queues": (), "arrivals": ("skills",)}
_ABSENT = {"count": 1, "tier": 1, "weight": 0}


def text_of(changes: Sequence[str]) -> bytes:
    """What findings in FILE quote: one change a line."""
    return "\n".join(changes).encode()


def apply(report: Report, root: marks.Mapping, changes: Sequence[str], keys: dict[str, tuple[str, ...]]) -> None:
    """Make the changes in place. `keys`: what an entry of queues, agents and arrivals may hold."""
    for line, change in enumerate(changes, 1):
        _Change(report, root, change, line, keys).make()


class _Change:
    def __init__(
        self, report: Report, root: marks.Mapping, text: str, line: int, keys: dict[str, tuple[str, ...]]
    ) -> None:
        self.report, self.root, self.text, self.line, self.keys = report, root, text, line, keys

    def at(self, begin: int, text: str) -> marks.Scalar:
        """These words of the change, as a value that knows its place."""
        return marks.Scalar(text, FILE, self.line, begin + 1, max(1, len(text)))

    def wrong(self, begin: int, word: str, message: str, hint: str = "") -> None:
        self.report.add("RD021", self.at(begin, word), message, hint)

    def make(self) -> None:
        path, equals, value = self.text.partition("=")
        section, dot, rest = path.partition(".")
        if not equals or not dot or not value.strip():
            hint = "as in agents.day.count=+1, queues.support.strategy=ring-all or arrivals.support.rate=60/min"
            self.wrong(0, self.text, f"{self.text!r} is not a change", hint)
            return
        if section not in self.keys:
            hint = did_you_mean(section, self.keys) or f"one of {', '.join(self.keys)}"
            self.wrong(0, section, f"{section!r} can't be changed", hint)
            return
        listed = self.root.entries.get(section)
        forms = [each for each in listed.items if isinstance(each, marks.Mapping)] if isinstance(
            listed, marks.Sequence) else []  # fmt: skip
        name, found = self.chosen(section, rest, forms)
        begin = len(section) + 1
        if not found:
            word = rest.partition(".")[0]
            known = [self.name_of(section, form) for form in forms]
            self.wrong(begin, word, f"no {section} called {word!r}", did_you_mean(word, known))
            return
        begin += len(name) + 1
        for form in found:
            self.set(section, form, rest[len(name) + 1 :], begin, len(path) + 1, value)

    def chosen(self, section: str, rest: str, forms: list[marks.Mapping]) -> tuple[str, list[marks.Mapping]]:
        """The longest name at the beginning of `rest` (names may hold dots), and what bears it."""
        names = sorted({self.name_of(section, form) for form in forms}, key=len, reverse=True)
        for name in names:
            if name and rest.startswith(f"{name}."):
                return name, [form for form in forms if self.name_of(section, form) == name]
        number = rest.partition(".")[0]
        if section == "arrivals" and number.isdecimal() and 1 <= int(number) <= len(forms):
            return number, [forms[int(number) - 1]]
        return "", []

    def name_of(self, section: str, form: marks.Mapping) -> str:
        node = form.entries.get("queue" if section == "arrivals" else "name")
        if isinstance(node, marks.Scalar):
            return node.text
        return "agent" if section == "agents" and node is None else ""

    def set(self, section: str, form: marks.Mapping, path: str, begin: int, value_at: int, value: str) -> None:
        key, dot, inner = path.partition(".")
        if key not in self.keys[section]:
            self.wrong(begin, key, f"{section} have no key {key!r}", did_you_mean(key, self.keys[section]))
            return
        if dot and key not in _TABLES[section]:
            self.wrong(begin, path, f"{key} has nothing inside it", f"write {key}=VALUE")
            return
        target, name, name_at = form, key, begin
        if dot:
            target, name, name_at = self.table(form, key, begin), inner, begin + len(key) + 1
            if value.strip() == "0":
                target.entries.pop(name, None)
                target.keys.pop(name, None)
                return
        node = self.value(target.entries.get(name), key, name_at, name, value_at, value)
        if node is not None:
            target.entries[name] = node
            target.keys[name] = self.at(name_at, name)
            other = {"rate": "at", "at": "rate"}.get(name, "") if section == "arrivals" and not dot else ""
            target.entries.pop(other, None)
            target.keys.pop(other, None)

    def table(self, form: marks.Mapping, key: str, begin: int) -> marks.Mapping:
        """The mapping under this key; a list of queues becomes one with the tier of each."""
        node = form.entries.get(key)
        if isinstance(node, marks.Mapping):
            return node
        made = marks.Mapping({}, {}, FILE, self.line, begin + 1)
        if isinstance(node, marks.Sequence):
            tier = form.entries.get("tier")
            for each in node.items:
                if isinstance(each, marks.Scalar):
                    made.entries[each.text] = tier if tier is not None else self.at(begin, "1")
                    made.keys[each.text] = each
        form.entries[key] = made
        form.keys.setdefault(key, self.at(begin, key))
        return made

    def value(
        self, old: marks.Node | None, key: str, name_at: int, name: str, value_at: int, value: str
    ) -> marks.Node | None:
        """The new value: relative to the old number, or YAML."""
        if _RELATIVE.fullmatch(value.strip()):
            start = old.text if isinstance(old, marks.Scalar) else str(_ABSENT.get(key, "")) if old is None else ""
            if not start.isdecimal():
                self.wrong(value_at, value, f"{name} is no number yet, so it can't be changed by {value.strip()}")
                return None
            return self.at(value_at, str(int(start) + int(value)))
        node, faults = marks.load(value.encode(), FILE)
        bad = [fault for fault in faults if fault.kind != "flow"]
        if node is None or bad:
            message = bad[0].message if bad else "no value"
            self.wrong(value_at, value, f"{value!r} is not a value: {message}")
            return None
        return self.moved(copy.deepcopy(node), value_at)

    def moved(self, node: marks.Node, by: int) -> marks.Node:
        """The same node where it stands in the change."""
        node.line, node.column = self.line, node.column + by
        if isinstance(node, marks.Sequence):
            for each in node.items:
                self.moved(each, by)
        elif isinstance(node, marks.Mapping):
            for key, each in node.entries.items():
                self.moved(each, by)
                self.moved(node.keys[key], by)
        return node

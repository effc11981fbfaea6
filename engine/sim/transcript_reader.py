"""NAME.test.yaml -> `Cases`, with findings as `ringdown check` gives them.

    ringdown: 1
    given: {dialled: 100, agents: {support: 1}}
    tests:
      support answers:
        - hears: [welcome, main_menu]
        - press: 1
        - queue: support
        - agent: answers
        - agent: hangs up
        - outcome: served
"""

from __future__ import annotations

import re

from engine import limits, marks
from engine.dialplan import values
from engine.dialplan.findings import Finding, Report, did_you_mean
from engine.dialplan.flow_reader import check_format
from engine.dialplan.model import Site
from engine.sim import given_reader
from engine.sim.ear import GROUPS, name_of
from engine.sim.transcript import Case, Cases, Line, Place, Told

FILE_KEYS = ("ringdown", "about", "given", "tests")
LINES = (
    "hears", "hears_text", "press", "press_ahead", "wait", "say_for", "hang_up", "agent", "agent_hears", "queue",
    "callback", "message", "record", "flow", "call", "outcome", "follow", "say", "silence",
)  # fmt: skip
BARE = ("hang_up", "silence")
SOUNDS = ("music", "echo", "silence", "ringback", "busy", "congestion", "beep")
ACTS = (
    "answers", "hangs up", "refuses", "does not answer", "is ready", "is not ready", "logs in", "logs out", "holds",
    "resumes", "presses", "transfers to",
)  # fmt: skip
QUEUE_KEYS = ("name", "skills", "position", "priority")
CALLBACK_KEYS = ("queue", "number", "place", "mode")
MESSAGE_KEYS = ("box", "seconds")
SAY_KEYS = ("text", "confidence", "or")
_KEYS = re.compile(r"[0-9*#]+")
_AGENT = re.compile(r"(?:(?P<who>[0-9]{1,16}) )?(?P<act>[a-z][a-z ]*?)(?: (?P<rest>[+0-9*#]{1,40}))?")
follow_depth_max = 8


class _Reader:
    def __init__(self, report: Report, site: Site, dialplan: str) -> None:
        self.report, self.site, self.dialplan = report, site, dialplan
        self.names = sorted({name_of(clip) for clip in site.prompts})
        self.words = frozenset((*self.names, *GROUPS, *SOUNDS))
        self.tests: dict[str, marks.Sequence] = {}
        self.flows = [
            flow
            for name, program in site.programs.items()
            if name.partition("/")[0] == dialplan.partition("/")[0]
            for flow in (*program.flows, *(flow for wait in program.waits.values() for flow in wait.flows))
            if "#" not in flow
        ]

    # --- a test -----------------------------------------------------------------------------------------
    def lines(self, name: str, depth: int = 0) -> list[Line]:
        """The lines of a test, `given` apart, those that it follows in their place."""
        found: list[Line] = []
        for item in self.tests[name].items:
            key, value = self.split(item)
            if key is None or key.text == "given":
                continue
            if key.text == "follow" and isinstance(item, marks.Mapping):
                found.extend(self.follow(item, depth))
                continue
            line = self.line(key, value)
            if line is not None:
                found.append(line)
        return found

    def split(self, item: marks.Node) -> tuple[marks.Scalar | None, marks.Node | None]:
        """(key, value) of one line; a bare word has no value."""
        if isinstance(item, marks.Scalar):
            if item.text not in BARE:
                hint = did_you_mean(item.text, BARE) if item.text not in LINES else f"write {item.text}: …"
                self.report.add("RD230", item, f"{item.text!r} is not a line of a test", hint)
                return None, None
            return item, None
        if isinstance(item, marks.Mapping) and item.keys:
            key, value = next(iter(item))
            extra = [each for each in list(item.keys.values())[1:] if (key.text, each.text) != ("follow", "until")]
            for each in extra:
                message = f"{each.text!r} stands in the same line as {key.text!r}"
                self.report.add("RD230", each, message, "each line of a test begins with a dash and has one key")
            if key.text not in (*LINES, "given"):
                known = did_you_mean(key.text, LINES, otherwise="lines: " + ", ".join(LINES))
                self.report.add("RD230", key, f"a test has no line {key.text!r}", known)
            elif key.text in BARE:
                self.report.add("RD230", key, f"{key.text} stands alone", f"write - {key.text}")
            elif not extra:
                return key, value
            return None, None
        self.report.add("RD230", item, "a line of a test is one word, or a key with its value", "as in - press: 1")
        return None, None

    def follow(self, item: marks.Mapping, depth: int) -> list[Line]:
        """The lines of another test, up to and with the one that hears `until`."""
        name = values.scalar(self.report, item.entries["follow"], "follow")
        until = values.scalar(self.report, item.entries.get("until"), "until")
        if name is None:
            return []
        if name.text not in self.tests:
            self.report.add("RD231", name, f"no test {name.text!r} here", did_you_mean(name.text, self.tests))
            return []
        if depth >= follow_depth_max:
            self.report.add("RD231", name, "tests follow each other in a circle", "write the lines out")
            return []
        lines = self.lines(name.text, depth + 1)
        if until is None:
            return lines
        for number, line in enumerate(lines):
            if line.kind in ("hears", "agent_hears") and until.text in line.value:
                return lines[: number + 1]
        self.report.add("RD231", until, f"{name.text!r} never hears {until.text!r}", "name a prompt that it hears")
        return []

    # --- a line -----------------------------------------------------------------------------------------
    def line(self, key: marks.Scalar, value: marks.Node | None) -> Line | None:
        place = place_of(key)
        if value is None:
            return Line(key.text, "", place)
        kind = key.text
        if kind == "say":
            return self.say(place, value)
        if kind in ("hears", "agent_hears"):
            return self.hears(kind, place, value)
        if kind in ("queue", "callback", "message", "record", "call"):
            return self.fields(kind, place, value)
        text = values.prose(self.report, value, kind)
        if text is None:
            return None
        told: Told | None = text.text
        place = place_of(text)
        if kind in ("press", "press_ahead"):
            told = keys_of(text.text)
            if told is None:
                hint = "digits, star and hash, as in '1234 hash'"
                self.report.add("RD063", text, f"{text.text!r} is not on a phone's keys", hint)
        elif kind in ("wait", "say_for"):
            ms = values.duration(self.report, text, kind, 1, limits.call_ms_max)
            told = None if ms is None else str(ms)
        elif kind == "agent":
            told = self.agent(text)
        elif kind == "flow" and text.text not in self.flows:
            self.report.add("RD031", text, f"no flow {text.text!r}", did_you_mean(text.text, self.flows))
            told = None
        return None if told is None else Line(kind, told, place)

    def hears(self, kind: str, place: Place, value: marks.Node) -> Line | None:
        """Prompts by name; a text of several words is looked for by its words."""
        names = values.scalars(self.report, value, kind)
        for name in names:
            wanted = name.text
            if wanted not in self.words and not is_text(wanted):
                hint = did_you_mean(wanted, self.names, otherwise="a name of prompts/LANGUAGE.yaml, or the words")
                self.report.add("RD033", name, f"no prompt {wanted!r}", hint)
        if not names:
            return None
        places = {str(number): place_of(name) for number, name in enumerate(names)}
        return Line(kind, tuple(name.text for name in names), place, places)

    def say(self, place: Place, value: marks.Node) -> Line | None:
        """`say: billing`, or with how sure the recogniser is and what it may have been instead."""
        if not isinstance(value, marks.Mapping):
            text = values.prose(self.report, value, "say")
            return None if text is None else Line("say", {"text": text.text}, place_of(text))
        values.known_keys(self.report, value, "say", SAY_KEYS)
        text = values.prose(self.report, value.entries.get("text"), "say text")
        if text is None:
            if "text" not in value.entries:
                self.report.add("RD022", value, "say needs its text", "write say: WORDS, or {text: WORDS, …}")
            return None
        told: dict[str, str | dict[str, str]] = {"text": text.text}
        sure = values.number(self.report, value.entries.get("confidence"), "confidence, in percent", 0, 100)
        if sure is not None:
            told["confidence"] = str(sure)
        others = values.scalars(self.report, value.entries.get("or"), "say or")
        if others:
            told["or"] = ", ".join(each.text for each in others)
        return Line("say", told, place_of(text))

    def fields(self, kind: str, place: Place, value: marks.Node) -> Line | None:
        """`queue: support`, or field by field."""
        report = self.report
        if isinstance(value, marks.Scalar):
            first = {"queue": "name", "callback": "queue", "message": "box", "record": "kind"}.get(kind)
            if first is None:
                values.mapping(report, value, kind)
                return None
            found: dict[str, marks.Node] = {first: value}
            places = {first: place_of(value)}
        else:
            form = values.mapping(report, value, kind)
            if form is None:
                return None
            known = {"queue": QUEUE_KEYS, "callback": CALLBACK_KEYS, "message": MESSAGE_KEYS}.get(kind)
            if known is not None:
                values.known_keys(report, form, kind, known)
            found, places = form.entries, {key.text: place_of(each) for key, each in form}
        told: dict[str, str | dict[str, str]] = {}
        for key, each in found.items():
            if isinstance(each, marks.Mapping):
                told[key] = {name.text: _text(node) for name, node in each}
            else:
                told[key] = ", ".join(scalar.text for scalar in values.scalars(report, each, f"{kind} {key}"))
        queue = told.get("name" if kind == "queue" else "queue") if kind in ("queue", "callback") else None
        if isinstance(queue, str) and self.queue(queue) not in self.site.queues:
            tenant = self.dialplan.partition("/")[0]
            names = [name.partition("/")[2] for name in self.site.queues if name.startswith(f"{tenant}/")]
            where = found["name" if kind == "queue" else "queue"]
            report.add("RD032", where, f"no queue {queue!r}", did_you_mean(queue, names))
            return None
        return Line(kind, told, place, places)

    def queue(self, name: str) -> str:
        return name if "/" in name else f"{self.dialplan.partition('/')[0]}/{name}"

    def agent(self, text: marks.Scalar) -> Told | None:
        match = _AGENT.fullmatch(text.text)
        act, rest = (match["act"], match["rest"] or "") if match is not None else ("", "")
        if match is None or act not in ACTS or (act in ("presses", "transfers to")) != bool(rest):
            known = did_you_mean(act, ACTS, otherwise="an agent " + ", ".join(ACTS))
            self.report.add("RD230", text, f"{text.text!r} is nothing that an agent does here", known)
            return None
        return (match["who"] or "", act, rest)


def read(data: bytes, file: str, site: Site) -> tuple[Cases | None, list[Finding]]:
    """The file's tests and no findings, or None and what is wrong. Never raises, whatever the bytes.

    `file` is its path inside the site's folder: it stands beside the dialplan of the same name.
    """
    report = Report()
    root, faults = marks.load(data, file)
    for fault in faults:
        report.fault(fault)
    form = values.mapping(report, root, "a file of tests")
    tests: list[Case] = []
    if root is None and not report.errors:
        report.put("RD022", file, 1, 1, "the file is empty", "it begins with: ringdown: 1")
    if form is not None:
        check_format(report, form)
        values.known_keys(report, form, "a file of tests", FILE_KEYS)
        tests = _tests(report, form, site, dialplan_of(file))
    return (None if report.errors else Cases(file, tuple(tests))), report.finished({file: data})


def _tests(report: Report, form: marks.Mapping, site: Site, dialplan: str) -> list[Case]:
    reader = _Reader(report, site, dialplan)
    shared = given_reader.read_forms(report, form, form.entries.get("given"))
    table = values.mapping(report, form.entries.get("tests"), "tests")
    if table is None:
        if "tests" not in form.entries:
            report.add("RD022", form, "a file of tests needs tests", "write tests: and NAME: with its lines below")
        return []
    for key, value in table:
        if isinstance(value, marks.Sequence):
            reader.tests[key.text] = value
        else:
            report.add("RD023", value, f"the test {key.text!r} is a list of lines", "each line begins with a dash")
    made = []
    for key, _ in table:
        if key.text in reader.tests:
            own = _own_given(report, reader.tests[key.text])
            given = given_reader.read_given(report, site, shared.over(own) if own is not None else shared, dialplan)
            lines = reader.lines(key.text)
            if given is not None:
                made.append(Case(key.text, place_of(key), given, tuple(lines)))
    return made


def _own_given(report: Report, lines: marks.Sequence) -> given_reader.Forms | None:
    found = None
    for number, item in enumerate(lines.items):
        if isinstance(item, marks.Mapping) and "given" in item.entries:
            if number:
                report.add("RD230", item, "given stands first in a test", "move it up: the call begins behind it")
            else:
                found = given_reader.read_forms(report, item, item.entries["given"])
    return found


def dialplan_of(file: str) -> str:
    """The full name of the dialplan that a file of tests stands beside: main.test.yaml beside main.yaml.

    Several files may test one dialplan: `main.night.test.yaml` too.
    """
    parts = file.split("/")
    tenant = parts[1] if parts[0] == "tenants" and len(parts) > 2 else "default"
    return f"{tenant}/{parts[-1].partition('.')[0]}"


def keys_of(text: str) -> str | None:
    """`1234 hash` -> 1234#; None for what no phone can send."""
    keys = "".join({"star": "*", "hash": "#"}.get(word, word) for word in text.split())
    return keys if _KEYS.fullmatch(keys) else None


def is_text(wanted: str) -> bool:
    """Words rather than a name."""
    return values.NAME.fullmatch(wanted.replace("/", "_").replace(".", "_")) is None


def place_of(node: marks.Node) -> Place:
    return Place(node.file, node.line, node.column, node.width)


def _text(node: marks.Node) -> str:
    return node.text if isinstance(node, marks.Scalar) else ""

"""Asterisk's extensions.conf -> flows. The subset is listed in dialplans/EDITORS.md; the rest is noted, never guessed.

A context with `Background` and `WaitExten` is a menu whose keys are the context's own extensions; `i` and `t` that only
speak and come back become the menu's `invalid` and `no_input`. Every place that something jumps to begins a flow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import msgspec

from engine.dialplan import import_conf, import_queues, voice_packs
from engine.dialplan.import_hours import calendar
from engine.dialplan.imported import BYE, TRIES, Imported, Step, finish, name_of

_APPLICATION = re.compile(r"(\w+)\s*(?:\((.*)\))?", re.DOTALL)
_PRIORITY = re.compile(r"(\d+|n|s)?(?:\s*\(([^)]*)\))?(?:\+\d+)?")
_KEY = re.compile(r"[0-9*#]{1,12}")
_NUMBER = re.compile(r"\+?[0-9]{2,20}")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SPECIAL = ("s", "i", "t", "h", "o", "a", "T")
_OF_NO_MATTER = ("noop", "verbose", "log", "ringing", "progress", "proceeding", "resetcdr", "nocdr")
_STOCK = {files[0]: name for name, files in voice_packs.ASTERISK.items() if len(files) == 1}
flows_max = 5_000


class Prio(msgspec.Struct, frozen=True):
    """One line of an extension; `file` and `line` for notes, `text` as written."""

    number: int
    label: str
    application: str
    arguments: tuple[str, ...]
    file: str
    line: int
    text: str


class Context(msgspec.Struct):
    name: str
    file: str
    line: int
    extensions: dict[str, list[Prio]] = {}
    includes: list[str] = []


Place = tuple[str, str, int]  # context, extension, index of its line


def convert(sources: Mapping[str, str]) -> Imported:
    """File name -> text, of any number of extensions.conf and queues.conf, which are told apart by what they hold."""
    site = Imported("Converted from Asterisk")
    contexts: dict[str, Context] = {}
    values: dict[str, str] = {}
    for file, text in sources.items():
        if import_queues.is_queues(text):
            import_queues.add(site, file, text)
        else:
            _read(site, file, text, contexts, values)
    converter = _Converter(site, contexts)
    converter.run()
    used = dict.fromkeys(context for context, _, _ in converter.names)
    for context in contexts.values():
        if context.extensions and context.name not in used and not converter.phones_only(context):
            site.note(context.file, context.line, f"[{context.name}]", "no number and no key leads here")
    finish(site)
    return site


def _read(site: Imported, file: str, text: str, contexts: dict[str, Context], values: dict[str, str]) -> None:
    for section in import_conf.read(text):
        if section.name == "globals":
            values.update({line.key.upper(): line.value for line in section.lines if line.key})
            continue
        if section.name in ("", "general"):
            for line in section.lines:
                if not line.key:
                    site.note(file, line.number, line.value, "other files are not read: name them too")
            continue
        context = contexts.setdefault(section.name, Context(section.name, file, section.number))
        extension = ""
        for line in section.lines:
            if line.key == "include":
                context.includes.append(import_conf.arguments(line.value)[0])
            elif line.key in ("exten", "same"):
                value = f"{extension},{line.value}" if line.key == "same" else line.value
                extension = _extension(site, file, context, line.number, value, values)
            else:
                shown = f"{line.key} = {line.value}" if line.key else line.value
                site.note(file, line.number, shown, "not an extension")


def _extension(
    site: Imported, file: str, context: Context, number: int, value: str, values: Mapping[str, str]
) -> str:
    """Take one line in; returns its extension, for the `same` that may follow."""
    name, _, rest = value.partition(",")
    priority, _, call = rest.partition(",")
    name = name.split("/")[0].strip()
    found = _PRIORITY.fullmatch(priority.strip())
    if found is None or not call:
        if priority.strip() != "hint":
            site.note(file, number, value, "no priority and application")
        return name
    lines = context.extensions.setdefault(name, [])
    place = int(found[1]) if found[1] and found[1].isdigit() else lines[-1].number + 1 if lines else 1
    filled = _VARIABLE.sub(lambda match: _value(match[1], name, values, match[0]), call.strip())
    application = _APPLICATION.fullmatch(filled)
    word, inner = (application[1], application[2] or "") if application else (filled, "")
    arguments = tuple(import_conf.arguments(inner)) if inner else ()
    lines.append(Prio(place, found[2] or "", word.lower(), arguments, file, number, call.strip()))
    return name


def _value(variable: str, extension: str, values: Mapping[str, str], otherwise: str) -> str:
    if variable == "EXTEN":
        return extension
    return values.get(variable.upper(), otherwise)


class _Converter:
    """Flows come into being when something leads to them, so a converter holds what is still to be done."""

    def __init__(self, site: Imported, contexts: dict[str, Context]) -> None:
        self.site = site
        self.contexts = contexts
        self.names: dict[Place, str] = {}
        self.todo: list[Place] = []
        self.here: Place = ("", "", 0)
        self.pending: list[str] = []  # heard by Background, waiting for the menu that it belongs to

    def run(self) -> None:
        for context in self.contexts.values():
            self.numbers(context)
        self.convert()
        led = {place[0] for context in self.contexts.values() for name, lines in context.extensions.items()
               for line in lines for place in self.places(line, (context.name, name, 0)) if place[0] != context.name}
        for wanted in (False, True):  # first those to which nothing leads, then what goes round in a circle
            for context in self.contexts.values():
                reached = any(name == context.name for name, _, _ in self.names)
                if "s" in context.extensions and not reached and (context.name in led) == wanted:
                    self.number(context)
                    self.convert()

    def convert(self) -> None:
        """Everything that something leads to, and what that leads to."""
        while self.todo and len(self.site.flows) < flows_max:
            place = self.todo.pop(0)
            self.site.flows[self.names[place]] = self.flow(place)

    # --- numbers
    def numbers(self, context: Context) -> None:
        is_menu = "s" in context.extensions
        for name, lines in context.extensions.items():
            first = lines[0]
            if name.startswith("_") and not (is_menu and _expanded(name)):
                self.site.note(first.file, first.line, name, "a pattern: name the numbers that lead here")
            elif name == "h":
                self.site.note(first.file, first.line, f"{name} in [{context.name}]", "write it as finally:")
            elif _NUMBER.fullmatch(name) and not is_menu and not self.own_phone(name, lines):
                if name in self.site.numbers:
                    self.site.note(first.file, first.line, name, "stands in another context already")
                else:
                    self.site.numbers[name] = self.to((context.name, name, 0))

    def own_phone(self, name: str, lines: list[Prio]) -> bool:
        """`201 => Dial(SIP/201)`: agents' numbers ring by themselves here."""
        dials = [line for line in lines if line.application == "dial"]
        if not dials or not dials[0].arguments or "/" not in dials[0].arguments[0]:
            return False
        if dials[0].arguments[0].partition("/")[2].split("@")[0] != name:
            return False
        self.site.agents.setdefault(name, (name, {}))
        return True

    def phones_only(self, context: Context) -> bool:
        """Does the context hold only extensions that are noted, or are agents' own?"""
        return all(name in self.site.agents or name.startswith("_") or name == "h" for name in context.extensions)

    def number(self, context: Context) -> None:
        """A context with `s` to which no number leads belongs to a trunk; it gets a free one."""
        taken = {**self.site.numbers, **self.site.agents}
        number = next(str(each) for each in range(100, 100_000) if str(each) not in taken)
        self.site.numbers[number] = self.to((context.name, "s", 0))
        why = f"a trunk leads here; dial {number} instead"
        self.site.note(context.file, context.line, f"[{context.name}]", why)

    # --- places
    def to(self, place: Place) -> str:
        """The flow that begins at a place."""
        if place not in self.names:
            context, extension, index = place
            base = context if extension == "s" else f"{context}_{extension}"
            if index:
                line = self.contexts[context].extensions[extension][index]
                base += f"_{line.label or line.number}"
            self.names[place] = name_of(base, dict.fromkeys([*self.names.values(), BYE]))
            self.todo.append(place)
        return self.names[place]

    def places(self, line: Prio, at: Place | None = None) -> list[Place]:
        """Where a Goto leads; empty when that isn't known."""
        if line.application != "goto" or not line.arguments:
            return []
        return self.place(line.arguments, at)

    def place(self, words: Sequence[str], at: Place | None = None) -> list[Place]:
        """The place that `priority`, `extension,priority` or `context,extension,priority` names; empty: none."""
        context, extension, _ = at or self.here
        if len(words) == 3:
            context = words[0]
        if len(words) >= 2:
            extension = words[-2]
        lines = self.find(context, extension)
        if not lines:
            return []
        context, held = lines
        for index, each in enumerate(held):
            if words[-1] in (each.label, str(each.number)):
                return [(context, extension, index)]
        return []

    def find(self, context: str, extension: str, depth: int = 0) -> tuple[str, list[Prio]] | None:
        """An extension of a context or of those that it includes."""
        known = self.contexts.get(context)
        if known is None or depth > 8:
            return None
        if extension in known.extensions:
            return context, known.extensions[extension]
        for other in known.includes:
            found = self.find(other, extension, depth + 1)
            if found is not None:
                return found
        return None

    # --- steps
    def flow(self, place: Place) -> list[Step]:
        context, extension, start = place
        self.here, self.pending = place, []
        steps: list[Step] = []
        lines = self.contexts[context].extensions[extension]
        for index in range(start, len(lines)):
            if index > start and (context, extension, index) in self.names:
                steps += [*self.speak(), {"goto": self.to((context, extension, index))}]
                return steps
            line = lines[index]
            rest = (context, extension, index + 1) if index + 1 < len(lines) else None
            rule = _RULES.get(line.application)
            if line.application in _OF_NO_MATTER:
                continue
            if rule is None or any("${" in word or "$[" in word for word in line.arguments):
                self.site.note(line.file, line.line, line.text, "not in the subset that is converted; left out")
                continue
            made, ends = rule(self, line, rest)
            steps += made
            if ends:
                return steps
        if self.pending and self.keys():
            return [*steps, self.menu(lines[-1], None, "")]
        return steps + self.speak()

    def speak(self) -> list[Step]:
        """What was heard by Background and belongs to no menu."""
        heard, self.pending = self.pending, []
        return [{"play": heard[0] if len(heard) == 1 else heard}] if heard else []

    def sound(self, word: str) -> str:
        """Our prompt for a sound file."""
        bare = re.sub(r"\.(wav|gsm|ulaw|alaw|sln\d*|g722|mp3|ogg)$", "", word.strip())
        if bare in _STOCK:
            return _STOCK[bare]
        name = name_of(bare.rpartition("/")[2] if "/" in bare else bare)
        self.site.prompts.setdefault(name, f"Recording {bare}")
        return name

    def keys(self) -> dict[str, Place]:
        """The keys of the context's menu, those of included contexts behind its own."""
        found: dict[str, Place] = {}
        todo = [self.here[0]]
        seen: dict[str, None] = {}
        while todo:
            context = todo.pop(0)
            if context in seen or context not in self.contexts:
                continue
            seen[context] = None
            for name in self.contexts[context].extensions:
                for key in [name] if _KEY.fullmatch(name) else _expanded(name):
                    found.setdefault(key, (context, name, 0))
            todo += self.contexts[context].includes
        return found

    def menu(self, line: Prio, rest: Place | None, timeout: str) -> Step:
        heard, self.pending = self.pending, []
        value: dict[str, object] = {"prompt": heard[0] if len(heard) == 1 else heard or "tone/silence"}
        value |= {"timeout": timeout} if timeout else {}
        value["tries"] = TRIES
        choices: dict[str, str] = {}
        for key, place in sorted(self.keys().items(), key=lambda pair: len(pair[0])):
            shorter = next((each for each in choices if key.startswith(each)), None)
            if shorter is not None:
                first = self.contexts[place[0]].extensions[place[1]][0]
                self.site.note(first.file, first.line, key, f"begins with the key {shorter} of the same menu; left out")
                continue
            choices[key] = self.to(place)
        failed = ""
        for name, option in (("i", "invalid"), ("t", "no_input")):
            way = self.back(name)
            if isinstance(way, list):
                value |= {option: way[0] if len(way) == 1 else way} if way else {}
            elif way is not None:
                failed = self.to(way)  # t comes last and wins: who presses nothing is the usual case
        if not failed and rest is not None:
            failed = self.to(rest)
        elif not failed:
            failed = BYE
            why = f"Asterisk asks without an end or hangs up; here {TRIES} times, then good-bye"
            self.site.note(line.file, line.line, line.text, why)
        return {"menu": {**value, "choices": choices, "failed": failed}}

    def back(self, name: str) -> list[str] | Place | None:
        """`i` or `t`: the prompts when it only speaks and comes back to the menu, else its place."""
        found = self.find(self.here[0], name)
        if found is None:
            return None
        context, lines = found
        prompts: list[str] = []
        for line in lines:
            if line.application in ("playback", "background") and line.arguments:
                prompts += [word for word in line.arguments[0].split("&") if word]
            elif self.places(line, (self.here[0], name, 0)):
                to = self.places(line, (self.here[0], name, 0))[0]
                return [self.sound(word) for word in prompts] if to[:2] == self.here[:2] else (context, name, 0)
            elif line.application not in (*_OF_NO_MATTER, "wait"):
                return context, name, 0
        return context, name, 0


Made = tuple[list[Step], bool]  # steps, and whether the flow ends with them
Rule = Callable[[_Converter, Prio, Place | None], Made]


def _expanded(pattern: str) -> list[str]:
    """The keys that a pattern of one place stands for: `_[1-3]`, `_X`."""
    inner = pattern[1:] if pattern.startswith("_") else ""
    if inner.upper() in ("X", "Z", "N"):
        return [str(digit) for digit in range({"X": 0, "Z": 1, "N": 2}[inner.upper()], 10)]
    ranged = re.fullmatch(r"\[([0-9])-([0-9])\]|\[([0-9]{1,10})\]", inner)
    if ranged is None:
        return []
    return list(ranged[3]) if ranged[3] else [str(digit) for digit in range(int(ranged[1]), int(ranged[2]) + 1)]


def _seconds(word: str) -> str:
    """`10` or `0.5` as our duration, '' for what is neither."""
    found = re.fullmatch(r"(\d{1,5})(\.\d{1,3})?", word)
    return f"{word}s" if found and float(word) >= 0.5 else ""


def _answer(converter: _Converter, line: Prio, rest: Place | None) -> Made:
    return ["answer"], False


def _playback(converter: _Converter, line: Prio, rest: Place | None) -> Made:
    words = [word for word in (line.arguments or ("",))[0].split("&") if word]
    before = converter.speak()
    heard = [converter.sound(word) for word in words]
    return [*before, *([{"play": heard[0] if len(heard) == 1 else heard}] if heard else [])], False


def _background(converter: _Converter, line: Prio, rest: Place | None) -> Made:
    words = [word for word in (line.arguments or ("",))[0].split("&") if word]
    converter.pending += [converter.sound(word) for word in words]
    return [], False


def _wait_exten(converter: _Converter, line: Prio, rest: Place | None) -> Made:
    if not converter.keys():
        return converter.speak(), False
    return [converter.menu(line, rest, _seconds((line.arguments or ("",))[0]))], True


def _wait(converter: _Converter, line: Prio, rest: Place | None) -> Made:
    length = _seconds((line.arguments or ("",))[0])
    return [*converter.speak(), *([{"silence": length}] if length else [])], False


def _music(converter: _Converter, line: Prio, rest: Place | None) -> Made:
    length = _seconds(line.arguments[1]) if len(line.arguments) > 1 else ""
    return [*converter.speak(), {"music": length} if length else "music"], not length


def _hang_up(converter: _Converter, line: Prio, rest: Place | None) -> Made:
    cause = (line.arguments or ("",))[0]
    failed = cause.isascii() and cause.isdigit() and 1 <= int(cause) <= 127 and cause != "16"
    return [*converter.speak(), {"hangup": {"outcome": "failed", "cause": int(cause)} if failed else "served"}], True


def _busy(converter: _Converter, line: Prio, rest: Place | None) -> Made:
    return [{"hangup": {"outcome": "failed", "cause": 17 if line.application == "busy" else 34}}], True


def _goto(converter: _Converter, line: Prio, rest: Place | None) -> Made:
    places = converter.places(line)
    if not places:
        why = "leads to a place that isn't in these files; the call ends"
        converter.site.note(line.file, line.line, line.text, why)
        return [*converter.speak(), {"hangup": "failed"}], True
    return [*converter.speak(), {"goto": converter.to(places[0])}], True


def _hours(converter: _Converter, line: Prio, rest: Place | None) -> Made:
    """`GotoIfTime(times,weekdays,days,months?here:else)`: a calendar, and a jump while it is open."""
    when, _, ways = ",".join(line.arguments).partition("?")
    yes, _, no = ways.partition(":")
    found, opened = calendar(when), converter.place(import_conf.arguments(yes)) if yes else []
    closed = converter.place(import_conf.arguments(no)) if no else [rest] if rest is not None else []
    if found is None or not opened or not closed:
        converter.site.note(line.file, line.line, line.text, "not in the subset that is converted; left out")
        return [], False
    calendars = converter.site.calendars
    name = next((name for name, held in calendars.items() if held == found), "")
    if not name:
        name = name_of(converter.here[0], calendars)
        calendars[name] = found
    ways_out = {"calendar": name, "closed": converter.to(closed[0])}
    return [*converter.speak(), {"hours": ways_out}, {"goto": converter.to(opened[0])}], True


def _rest(converter: _Converter, rest: Place | None) -> str:
    return converter.to(rest) if rest is not None else BYE


def _queue(converter: _Converter, line: Prio, rest: Place | None) -> Made:
    name = name_of((line.arguments or ("",))[0])
    if name not in converter.site.queues:
        converter.site.queues[name] = {}
        converter.site.note(line.file, line.line, line.text, f"no queue {name!r} in these files: give it agents")
    longest = _seconds(line.arguments[4]) if len(line.arguments) > 4 else ""
    options = line.arguments[1] if len(line.arguments) > 1 else ""
    if options.strip("tTnc"):
        converter.site.note(line.file, line.line, line.text, f"options {options!r} of the queue are not converted")
    way = _rest(converter, rest)
    value = {"name": name, **({"max_wait": longest} if longest else {})}
    value |= dict.fromkeys(("full", "no_agents", "timeout"), way)
    return [*converter.speak(), {"queue": value}, {"hangup": "served"}], True


def _dial(converter: _Converter, line: Prio, rest: Place | None) -> Made:
    site, words = converter.site, (line.arguments or ("",))[0].split("&")
    agents = [import_queues.agent_of(site, line.file, line.line, word) for word in words]
    rung = [each for each in agents if each]
    if not rung:
        return [], False
    ring = _seconds(line.arguments[1]) if len(line.arguments) > 1 else ""
    value = {"to": rung[0] if len(rung) == 1 else rung, **({"ring": ring} if ring else {})}
    return [*converter.speak(), {"dial": {**value, "failed": _rest(converter, rest)}}, {"hangup": "served"}], True


def _gather(converter: _Converter, line: Prio, rest: Place | None) -> Made:
    words = [*line.arguments, *[""] * 6]
    name = re.sub(r"[^a-z0-9_]", "_", words[0].lower()) or "typed"
    name = name if name[0].isalpha() else f"x_{name}"
    converter.site.variables[name] = "digits"
    prompts = [converter.sound(word) for word in words[1].split("&") if word]
    value: dict[str, object] = {"into": name}
    value |= {"prompt": prompts[0] if len(prompts) == 1 else prompts} if prompts else {}
    value |= {"max": int(words[2])} if words[2].isdigit() and 1 <= int(words[2]) <= 64 else {}
    value |= {"tries": int(words[4])} if words[4].isdigit() and 1 <= int(words[4]) <= 10 else {}
    value |= {"timeout": _seconds(words[5])} if _seconds(words[5]) else {}
    return [*converter.speak(), {"gather": {**value, "failed": BYE}}], False


def _language(converter: _Converter, line: Prio, rest: Place | None) -> Made:
    converter.site.note(line.file, line.line, line.text, "variables are declared here: write it as set, or language")
    return [], False


_RULES: dict[str, Rule] = {
    "answer": _answer, "playback": _playback, "background": _background, "waitexten": _wait_exten, "wait": _wait,
    "musiconhold": _music, "hangup": _hang_up, "busy": _busy, "congestion": _busy, "goto": _goto, "queue": _queue,
    "dial": _dial, "read": _gather, "set": _language, "gotoiftime": _hours,
}  # fmt: skip

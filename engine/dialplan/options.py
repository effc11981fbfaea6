"""The rules for option kinds: a node as written -> data of the linked step, with every name resolved.

One function per kind of `verbs.table.Option`. Each returns None after it has reported a mistake. Data are plain
lists, dicts, strings and integers, since programs are encoded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from engine import marks
from engine.dialplan import expressions, facts, saying, types, values
from engine.dialplan.box_model import BoxModel
from engine.dialplan.calendars import CalendarModel
from engine.dialplan.catalogue import Catalogue, Spoken
from engine.dialplan.drafts import Draft, DraftStep
from engine.dialplan.findings import Report, did_you_mean
from engine.dialplan.grammars_reader import Named
from engine.dialplan.lookups import LookupModel
from engine.dialplan.model import AgentModel, QueueModel
from engine.dialplan.prompts import Slot
from engine.dialplan.routing import agent, needs
from engine.dialplan.speech_model import SpeechModel
from engine.dialplan.types import Declaration, Type
from engine.dialplan.verbs.table import Option
from engine.dialplan.words_reader import Words
from engine.speech.grammar import Grammar

SIP_STATUSES = (400, 403, 404, 406, 410, 413, 416, 480, 484, 486, 488, 500, 503, 600, 603, 604, 606, 607, 608)


class Scope:
    """The names that a tenant's dialplans may use. `complete` False: a file was unreadable, so missing names are not
    reported."""

    def __init__(self, tenant: str, catalogue: Catalogue) -> None:
        self.tenant = tenant
        self.catalogue = catalogue
        self.queues: dict[str, QueueModel] = {}
        self.borrowed: dict[str, QueueModel] = {}  # "tenant/name": lent to us by that tenant
        self.served: dict[str, None] = {}  # full names of queues that have agents
        self.ways: dict[str, list[str]] = {}  # full name -> queues that it overflows into
        self.agents: dict[str, AgentModel] = {}
        self.skills: list[str] = []
        self.drafts: dict[str, Draft] = {}
        self.outbound: list[str] = []
        self.lookups: dict[str, tuple[LookupModel, marks.Scalar]] = {}  # name -> model, with where it is named
        self.music: tuple[str, ...] = ("music/default",)
        self.slots: tuple[str, ...] = ()  # for parked callers
        self.surveys: dict[str, marks.Mapping] = {}
        self.complete = True
        self.calendars: dict[str, CalendarModel] = {}
        self.boxes: dict[str, BoxModel] = {}
        self.grammars: dict[str, Grammar] = {}  # what may be said at steps, by the hash of its content
        self.named: dict[str, Named] = {}  # grammars.yaml
        self.words: Words = {}
        self.speech: dict[str, SpeechModel] = {}  # who understands what callers say

    def facts(self) -> dict[str, Type]:
        """What expressions of this tenant's dialplans may read beside variables."""
        return facts.of_site([*self.queues, *self.borrowed], self.agents, self.calendars)


class Context:
    """What a rule needs while one step is linked; `reads` and `writes` are kept for the analysis of paths."""

    def __init__(self, report: Report, scope: Scope, languages: tuple[str, ...]) -> None:
        self.report = report
        self.scope = scope
        self.languages = languages
        self.declared: dict[str, Declaration] = {}
        self.types: dict[str, Type] = {}
        self.reads: list[tuple[str, marks.Node, int]] = []
        self.writes: list[str] = []
        self.knows: dict[int, list[str]] = {}
        self.all_reads: dict[str, None] = {}
        self.all_writes: dict[str, None] = {}
        self.step: DraftStep | None = None
        self.to_caller = True  # who hears the prompt that is being linked
        self.facts: Mapping[str, Type] = facts.FACTS  # those of its queues, agents, calendars too; see Scope.facts
        self.wants: dict[str, None] = {}  # see Program.wants

    def declare(self, name: str, declared: Declaration) -> None:
        self.declared[name] = declared
        self.types[name] = declared.type

    def read(self, name: str, node: marks.Node, at: int = 0, *, tested: bool = False) -> None:
        """`tested`: only where it is set, so that the analysis of paths needn't ask."""
        if not tested:
            self.reads.append((name, node, at))
        self.all_reads[name] = None

    def want(self, name: str) -> None:
        """A fact is read; one that changes while the call lasts must be told anew (Program.wants)."""
        if facts.live(name):
            self.wants[name] = None

    def unknown(self, code: str, node: marks.Scalar, message: str, known: list[str]) -> None:
        """A name that doesn't exist, unless a file that might hold it could not be read."""
        if self.scope.complete:
            self.report.add(code, node, message, did_you_mean(node.text, known))


Rule = Callable[[Context, marks.Node, Option, str], Any]


inside = values.inside


# --- expressions -----------------------------------------------------------------------------------------
def compiled(context: Context, node: marks.Node | None, wanted: Type | None, what: str) -> expressions.Compiled | None:
    found = values.scalar(context.report, node, what)
    if found is None:
        return None
    try:
        result = expressions.compile_expression(found.text, context.types, wanted, context.facts)
    except expressions.Problem as problem:
        at = inside(found, problem.at)
        context.report.add(problem.code, found, problem.message, problem.suggestion, at=at, width=problem.width)
        return None
    for name, at in result.reads:
        context.read(name, found, inside(found, at), tested=(name, at) in result.tested)
    for name in result.facts:
        context.want(name)
    return result


def expression(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    result = compiled(context, node, None, what)
    return None if result is None else result.tree


def condition(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    result = compiled(context, node, types.FLAG, what)
    return None if result is None else result.tree


def calendar(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """The full name of a calendar of this tenant. What an operator says instead of it is asked at each turn."""
    found = values.scalar(context.report, node, what)
    if found is None or values.computed(context.report, found, "a calendar"):
        return None
    if found.text not in context.scope.calendars:
        known = list(context.scope.calendars)
        if context.scope.complete:
            hint = did_you_mean(found.text, known, otherwise="calendars are written in calendars.yaml")
            context.report.add("RD124", found, f"no calendar {found.text!r}", hint)
        return None
    full = f"{context.scope.tenant}/{found.text}"
    context.wants |= {"system.now": None, f"calendar:{full}": None}
    return full


def assignments(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    rows: list[list[Any]] = []
    for key, value in values.mapping(context.report, node, what) or ():
        if key.text not in context.types:
            context.unknown("RD034", key, f"no variable {key.text!r}", list(context.types))
            continue
        result = compiled(context, value, context.types[key.text], key.text)
        if result is not None:
            rows.append([key.text, result.tree, context.declared[key.text].sensitive])
            context.writes.append(key.text)
            _leaks(context, key.text, value, result)
    return rows


def _leaks(context: Context, into: str, node: marks.Node, result: expressions.Compiled) -> None:
    """A sensitive value stays sensitive where it is copied to; whether it fits (a flag) is no secret."""
    if context.declared[into].sensitive or context.types[into].kind == "flag" or not isinstance(node, marks.Scalar):
        return
    for name, at in result.reads:
        declared = context.declared.get(name)
        if declared is not None and declared.sensitive:
            message = f"{name} is sensitive and would be kept in {into}, which is not"
            hint = f"declare {into} sensitive too"
            context.report.add("RD079", node, message, hint, at=inside(node, at), width=len(name))


def variable(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    found = values.scalar(context.report, node, what)
    if found is None or values.computed(context.report, found, "a variable"):
        return None
    if found.text not in context.types:
        hint = did_you_mean(found.text, context.types, otherwise="declare it under variables:")
        context.report.add("RD034", found, f"no variable {found.text!r}", hint)
        return None
    context.writes.append(found.text)
    return found.text


# --- speech ----------------------------------------------------------------------------------------------
def prompt(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """{language: [clip or [kind, name, spoken as]]}; '' -> clips without audio per language, when there are any."""
    names = values.scalars(context.report, node, what)
    context.to_caller = not what.endswith(" whisper")
    found: dict[str, list[Any]] = {language: [] for language in context.languages}
    silent: dict[str, list[str]] = {}
    for word in names:
        if not values.computed(context.report, word, "a prompt"):
            _one_prompt(context, word, found, silent)
    return {**found, "": silent} if silent else found


def _one_prompt(context: Context, word: marks.Scalar, found: dict[str, Any], silent: dict[str, list[str]]) -> None:
    catalogue, tenant = context.scope.catalogue, context.scope.tenant
    per_language = {each: catalogue.find(tenant, each, word.text) for each in context.languages}
    there = [each for each in context.languages if per_language[each] is not None]
    if not there:
        known = [name for each in context.languages for name in catalogue.names(tenant, each)]
        context.unknown("RD033", word, f"no prompt {word.text!r} in {', '.join(context.languages)}", known)
        return
    for language in context.languages:
        spoken = per_language[language]
        if spoken is None:
            spoken = per_language[there[0]]
            if context.scope.complete:
                message = f"the prompt {word.text!r} has no {language}; {there[0]} is heard instead"
                context.report.add("RD090", word, message, f"add it to prompts/{language}.yaml")
        if spoken is not None:
            found[language].extend(_parts(context, spoken, word))
            if spoken.silent:
                silent.setdefault(language, []).extend(spoken.silent)


def _parts(context: Context, spoken: Spoken, user: marks.Node) -> list[Any]:
    parts: list[Any] = []
    for part in spoken.parts:
        if isinstance(part, str):
            parts.append(part)
        else:
            slot = speak_slot(context, part, spoken.node or user, user)
            if slot is not None:
                parts.append(slot)
    return parts


def speak_slot(context: Context, slot: Slot, node: marks.Node, user: marks.Node) -> list[str] | None:
    """[variable | fact, name, way] of a slot that can be spoken; `way` as of speaking.clips_for."""
    at = inside(node, slot.at) if isinstance(node, marks.Scalar) else 0
    place, kind = ("variable", context.types.get(slot.name)), slot.spoken_as
    if place[1] is None:
        place = ("fact", context.facts.get(slot.name))
    declared = place[1]
    if declared is None:
        known = [*context.types, *context.facts]
        code = "RD042" if "." in slot.name else "RD034"
        message = f"${slot.name} is not declared"
        context.report.add(code, node, message, did_you_mean(slot.name, known), at=at, width=slot.width)
        return None
    if place[0] == "variable":
        context.read(slot.name, user, 0 if node is not user else at)
        private = "." in slot.name and context.to_caller  # what a lookup returned, for the caller's ears alone
        if context.declared[slot.name].sensitive and not private:
            message = f"${slot.name} is sensitive and would be spoken aloud"
            context.report.add("RD079", node, message, "", at=at, width=slot.width)
            return None
    else:
        context.want(slot.name)
    every = ("digits", "number", "words", *saying.KINDS)
    if kind and kind not in every:
        hint = did_you_mean(kind, every)
        context.report.add("RD078", node, f"nothing is spoken as {kind!r}", hint, at=at, width=slot.width)
        return None
    way = kind or saying.natural(declared.kind)
    if not way or way not in saying.ways(declared.kind):
        ways = " or ".join(f"${{{slot.name} as {each}}}" for each in saying.ways(declared.kind))
        message = f"a {declared.kind} cannot be spoken" + (f" as {kind}" if kind else "")
        context.report.add("RD078", node, message, f"write {ways}" if ways else "", at=at, width=slot.width)
        return None
    return [place[0], slot.name, " ".join((way, *declared.words)) if way == "money" else way]


def speech(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """An inline text in the first language; a text of slots alone is spoken in every language."""
    text = values.prose(context.report, node, what)
    if text is None:
        return None
    first, context.to_caller = context.languages[0], True
    spoken = context.scope.catalogue.inline(text, context.scope.tenant, first)
    if spoken is None:
        return None
    parts = _parts(context, spoken, text)
    found: dict[str, Any] = dict.fromkeys(context.languages, parts)
    if any(isinstance(part, str) for part in parts) and len(context.languages) > 1:
        message = f"these words are spoken in {first} to every caller"
        context.report.add("RD090", text, message, "with several languages, put the text into prompts/<language>.yaml")
    return {**found, "": dict.fromkeys(context.languages, spoken.silent)} if spoken.silent else found


def music(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    clips = []
    for word in values.scalars(context.report, node, what):
        if values.computed(context.report, word, "music"):
            continue
        full = find_music(context.scope, word.text)
        if full:
            clips.append(full)
        else:
            known = [name.rpartition(":")[2] for name in context.scope.catalogue.clips if "music/" in name]
            context.unknown("RD033", word, f"no music {word.text!r}", [name.removeprefix("music/") for name in known])
    return clips or None


def find_music(scope: Scope, name: str) -> str:
    """The full name of `jazz`, `music/jazz` or `tone/ringback.us`; '' when there is none."""
    wanted = name if "/" in name else f"music/{name}"
    return scope.catalogue.full_music(scope.tenant, wanted) if wanted.startswith(("music/", "tone/")) else ""


def note(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """A text for the records: words and [variable | fact, name]."""
    from engine.dialplan.prompts import Fixed, SlotProblem, split_text

    text = values.prose(context.report, node, what)
    if text is None:
        return None
    try:
        parts = split_text(text.text)
    except SlotProblem as problem:
        context.report.add("RD071", text, problem.message, problem.suggestion, at=inside(text, problem.at))
        return None
    data: list[Any] = []
    for part in parts:
        if isinstance(part, Fixed):
            data.append(part.text)
            continue
        at = inside(text, part.at)
        if part.name in context.types:
            context.read(part.name, text, at)
            if context.declared[part.name].sensitive:
                context.report.add("RD079", text, f"${part.name} is sensitive and would be stored", "", at=at)
            data.append(["variable", part.name])
        elif part.name in context.facts:
            context.want(part.name)
            data.append(["fact", part.name])
        else:
            known = [*context.types, *context.facts]
            context.report.add("RD034", text, f"${part.name} is not declared", did_you_mean(part.name, known), at=at)
    return data


# --- names -------------------------------------------------------------------------------------------------
def language(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    found = values.scalar(context.report, node, what)
    if found is None or values.computed(context.report, found, "a language"):
        return None
    if found.text not in context.languages:
        hint = did_you_mean(found.text, context.languages)
        context.report.add("RD039", found, f"{found.text!r} is not a language of this dialplan", hint)
        return None
    return found.text


def queue(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    found = values.scalar(context.report, node, what)
    if found is None or values.computed(context.report, found, "a queue"):
        return None
    if found.text in context.scope.queues:
        return f"{context.scope.tenant}/{found.text}"
    if found.text in context.scope.borrowed:
        return found.text
    known = [*context.scope.queues, *context.scope.borrowed]
    context.unknown("RD032", found, f"no queue {found.text!r}", known)
    return None


def targets(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """["agent/201", "number/+44…", "sip:…", ["variable", name]]."""
    rows: list[Any] = []
    for word in values.scalars(context.report, node, what):
        text = word.text.removeprefix("agent ").strip()
        if text.startswith("$"):
            row = _variable_target(context, word, text[1:])
        elif text in context.scope.agents:
            row = f"agent/{text}"
        elif text.startswith(("sip:", "sips:")) and "@" in text and not re.search(r"\s|:[^@]*:.*@", text):
            row = text
        elif re.fullmatch(r"\+?[0-9*#]{1,32}", text):
            row = _number_target(context, word, text)
        else:
            known = [*context.scope.agents, *(each.name for each in context.scope.agents.values())]
            context.unknown("RD035", word, f"{word.text!r} is no agent, number or sip: address", known)
            row = None
        if row is not None:
            rows.append(row)
    if len(rows) > 16:
        context.report.add("RD024", node, "at most 16 targets ring at a time")
    return rows or None


def _variable_target(context: Context, word: marks.Scalar, name: str) -> Any:
    declared = context.types.get(name)
    if declared is None:
        context.unknown("RD034", word, f"${name} is not declared", list(context.types))
        return None
    context.read(name, word)
    if context.declared[name].sensitive:
        message = f"${name} is sensitive and would stand in the call's record as the number that was dialled"
        context.report.add("RD079", word, message, "dial a number that is no secret")
        return None
    if declared.kind not in ("digits", "phone"):
        context.report.add("RD070", word, f"a {declared} cannot be dialled", "declare it as phone or digits")
        return None
    return ["variable", name]


def _number_target(context: Context, word: marks.Scalar, text: str) -> Any:
    from engine.dialplan.model import matches

    if any(matches(pattern, text) for pattern in context.scope.outbound):
        return f"number/{text}"
    message = f"{text!r} is no agent, and no rule of outbound.yaml takes it to a trunk"
    context.unknown("RD035", word, message, list(context.scope.agents))
    return None


def callee(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """The variable that holds the number to call back."""
    found = values.scalar(context.report, node, what)
    if found is None:
        return None
    if not found.text.startswith("$"):
        hint = "write number: $NAME, a variable of type phone or digits; without it the caller's own number is called"
        context.report.add("RD070", found, f"{found.text!r} is not a variable that holds a number", hint)
        return None
    row = _variable_target(context, found, found.text[1:])
    return None if row is None else row[1]


# --- plain values --------------------------------------------------------------------------------------------
def duration(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    return values.duration(context.report, node, what, option.low, option.high)


def count(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    return values.number(context.report, node, what, option.low, option.high)


def flag(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    return values.flag(context.report, node, what)


def word(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    found = values.scalar(context.report, node, what)
    if found is None or values.computed(context.report, found, what):
        return None
    if values.NAME.fullmatch(found.text) is None:
        hint = "the outcome is one word, as in served; a cause is written {outcome: failed, cause: 17}"
        context.report.add("RD027", found, f"{found.text!r} is not a word for {what}", hint)
        return None
    return found.text


def group(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    return values.name(context.report, node, "a class of callers")


def number(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    found = values.scalar(context.report, node, what)
    if found is None:
        return None
    if re.fullmatch(r"\+?[0-9]{1,20}", found.text) is None:
        context.report.add("RD082", found, f"{found.text!r} is not a telephone number")
        return None
    return found.text


def status(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    found = values.scalar(context.report, node, what)
    if found is None:
        return None
    if not found.text.isascii() or not found.text.isdigit() or int(found.text[:4]) not in SIP_STATUSES:
        hint = "usual: 486 busy, 480 not there, 404 unknown number, 603 declined"
        context.report.add("RD085", found, f"{found.text!r} is not a SIP status that refuses a call", hint)
        return None
    return int(found.text)


def terminator(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    chosen = values.choice(context.report, node, what, ("hash", "star", "none"))
    return None if chosen is None else {"hash": "#", "star": "*", "none": ""}[chosen]


def keys(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    from engine.dialplan.flow_reader import read_key

    pressed = [read_key(context.report, each) for each in values.scalars(context.report, node, what)]
    return [each for each in pressed if each is not None]


def mode(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    return values.choice(context.report, node, what, ("parallel", "serial"))


def recording(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    return values.choice(context.report, node, what, ("start", "stop", "pause", "resume"))


def wait(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    found = values.scalar(context.report, node, what)
    return None if found is None or values.computed(context.report, found, "a wait list") else found.text


RULES: dict[str, Rule] = {
    "prompt": prompt, "speech": speech, "music": music, "note": note, "duration": duration, "count": count,
    "flag": flag, "word": word, "number": number, "status": status, "terminator": terminator, "keys": keys,
    "mode": mode, "recording": recording, "wait": wait, "language": language, "queue": queue, "needs": needs,
    "group": group, "targets": targets, "agent": agent, "callee": callee, "expression": expression,
    "assignments": assignments, "condition": condition, "calendar": calendar,
    "variable": variable,
}  # fmt: skip

"""The rules for option kinds of verbs that listen and look up (see `options`): greetings, patterns, lookups."""

from __future__ import annotations

import re
from typing import Any

from engine import limits, marks
from engine.dialplan import lookup_reader, lookups, options, patterns, types, values
from engine.dialplan.findings import did_you_mean
from engine.dialplan.options import Context, Rule
from engine.dialplan.prompts import SlotProblem
from engine.dialplan.verbs.table import Option

SENT = re.compile(r"[0-9*#wp]{1,64}")
GREETINGS = ("long", "short")


def greet(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """[long, short]: linked prompts, the short one None when there is none."""
    if not isinstance(node, marks.Mapping):
        return [options.prompt(context, node, option, what), None]
    values.known_keys(context.report, node, "greet", GREETINGS)
    if "long" not in node.entries:
        context.report.add("RD022", node, "greet has no long greeting", "add long: PROMPT, or write greet: PROMPT")
    return [
        options.prompt(context, node.entries[name], option, f"greet {name}") if name in node.entries else None
        for name in GREETINGS
    ]


def regex(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    found = values.scalar(context.report, node, what)
    if found is None:
        return None
    try:
        patterns.read(found.text)
    except patterns.PatternProblem as problem:
        at = options.inside(found, problem.at)
        context.report.add("RD147", found, problem.message, problem.suggestion, at=at, width=1)
        return None
    return found.text


def lookup(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    found = values.scalar(context.report, node, what)
    if found is None or values.computed(context.report, found, "a lookup"):
        return None
    if found.text not in context.scope.lookups:
        context.unknown("RD140", found, f"no lookup {found.text!r} in lookups.yaml", list(context.scope.lookups))
        return None
    return found.text


def sent_digits(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """The keys, or ["variable", name]; w and p are pauses."""
    found = values.scalar(context.report, node, what)
    if found is None:
        return None
    if not found.text.startswith("$"):
        if SENT.fullmatch(found.text) is None:
            hint = "0 to 9, * and #, w for half a second, p for two; quote it"
            context.report.add("RD024", found, f"{found.text!r} are no keys that can be sent", hint)
            return None
        return found.text
    name = found.text[1:]
    if name not in context.types:
        context.unknown("RD034", found, f"${name} is not declared", list(context.types))
        return None
    context.read(name, found, 1)
    if context.types[name].kind not in ("digits", "phone", "number"):
        context.report.add("RD070", found, f"a {context.types[name]} cannot be sent as keys", "declare it as digits")
        return None
    if context.declared[name].sensitive:
        context.report.add("RD079", found, f"${name} is sensitive and would be heard")
        return None
    return ["variable", name]


def shown(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """name -> text of words and [variable | fact, name]."""
    rows: dict[str, list[Any]] = {}
    for key, value in values.mapping(context.report, node, what) or ():
        if types.WORD.fullmatch(key.text) is None or len(key.text) > 32:
            hint = "small letters, digits and _, a letter first"
            context.report.add("RD027", key, f"{key.text!r} is not a name for what is shown", hint)
            continue
        text = values.prose(context.report, value, f"show {key.text}")
        if text is not None:
            rows[key.text] = _shown_parts(context, text)
    if len(rows) > limits.shown_values_max:
        context.report.add("RD024", node, f"at most {limits.shown_values_max} values are shown")
    return rows


def _shown_parts(context: Context, text: marks.Scalar) -> list[Any]:
    """A text as written, not as it would be spoken: spaces and commas stay."""
    try:
        parts = lookup_reader.parts_of(text.text)
    except SlotProblem as problem:
        at = options.inside(text, problem.at)
        context.report.add("RD071", text, problem.message, problem.suggestion, at=at)
        return []
    found: list[Any] = []
    for kind, words in parts:
        if kind == lookups.TEXT:
            found.append(words)
        elif words in context.types:
            context.read(words, text)
            if context.declared[words].sensitive:
                context.report.add("RD079", text, f"${words} is sensitive and would be stored")
            found.append(["variable", words])
        elif words in context.facts:
            context.want(words)
            found.append(["fact", words])
        else:
            known = [*context.types, *context.facts]
            context.report.add("RD034", text, f"${words} is not declared", did_you_mean(words, known))
    return found


def metric(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    return values.name(context.report, node, "a metric")


def amount(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """An expression that is a number."""
    result = options.compiled(context, node, types.NUMBER, what)
    for name, at in result.reads if result is not None else ():
        if context.declared[name].sensitive and isinstance(node, marks.Scalar):
            context.report.add("RD079", node, f"{name} is sensitive and would be stored", at=options.inside(node, at))
    return None if result is None else result.tree


RULES: dict[str, Rule] = {
    "greet": greet, "regex": regex, "lookup": lookup, "sent_digits": sent_digits,
    "shown": shown, "metric": metric, "amount": amount,
}  # fmt: skip

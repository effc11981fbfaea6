"""The rules for option kinds of verbs that listen and look up (see `options`): greetings, patterns, lookups."""

from __future__ import annotations

from typing import Any

from engine import marks
from engine.dialplan import options, patterns, values
from engine.dialplan.options import Context, Rule
from engine.dialplan.verbs.table import Option

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


RULES: dict[str, Rule] = {"greet": greet, "regex": regex, "lookup": lookup}

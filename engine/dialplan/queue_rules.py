"""What queues.yaml and the queue step say about waiting: who must be there, what is announced, where callers overflow.

The rules of option kinds (`RULES`) are those of `options`: a node as written -> data, None after a finding.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from engine import marks
from engine.dialplan import expressions, options, types, values
from engine.dialplan.findings import Report, did_you_mean
from engine.dialplan.model import Announcing, OverflowRule
from engine.dialplan.options import Context, Rule, Scope, inside
from engine.dialplan.types import DURATION, FLAG, NUMBER, Type
from engine.dialplan.verbs.table import Option

# states in which an agent may be said not to count; who is logged out never does
ABSENT = ("not_ready", "unreachable", "busy", "wrap_up", "resting")
# what the condition of an overflow rule may read
FACTS: dict[str, Type] = {
    "waited": DURATION,
    "estimated_wait": DURATION,
    "length": NUMBER,
    "position": NUMBER,
    "agents_ready": NUMBER,
    "agents_logged_in": NUMBER,
    "no_agents": FLAG,
    "closed": FLAG,
    "full": FLAG,
}
OUTCOMES = ("full", "no_agents", "timeout", "closed", "voicemail", "callback", "elsewhere")
WAYS = ("queue", "number", "outcome", "flow")
RULES_MAX = 16
CIRCLE_HINT = "let the last of them lead elsewhere"
_HOUR = 3_600_000


class RuleDraft(msgspec.Struct):
    """An overflow rule with the nodes that findings point at; `to` of a flow is resolved by the linker."""

    rule: OverflowRule
    target: marks.Scalar


# --- who must be there ------------------------------------------------------------------------------------------
def presence(report: Report, node: marks.Node | None, what: str, *, refuses: str = "yes") -> tuple[str, ...] | None:
    """States that don't count as there. `refuses`: the plain word (yes or no) by which nobody logged in is enough."""
    if node is None:
        return None
    if isinstance(node, marks.Scalar) and node.text in types.FLAGS:
        return ("logged_out",) if types.FLAGS[node.text] == (refuses == "yes") else ()
    found = ["logged_out"]
    for word in values.scalars(report, node, what):
        if word.text in ABSENT:
            found.append(word.text)
        else:
            hint = did_you_mean(word.text, ABSENT, otherwise="yes, no, or a list of " + ", ".join(ABSENT))
            report.add("RD024", word, f"{what}: {word.text!r} is neither yes, no nor a state of agents", hint)
    return tuple(dict.fromkeys(found))


def read_keys(report: Report, entries: Mapping[str, marks.Node], tenant: str) -> dict[str, Any]:
    """The fields of a queue's model that its keys join_empty, leave_when_empty and was give."""
    found: dict[str, Any] = {}
    joining = presence(report, entries.get("join_empty"), "join_empty", refuses="no")
    if joining is not None:
        found["join_absent"], found["join_empty"] = joining, joining != ("logged_out",)
    leaving = presence(report, entries.get("leave_when_empty"), "leave_when_empty")
    if leaving is not None:
        found["leave_absent"] = leaving
    found["was"] = tuple(f"{tenant}/{each}" for each in former_names(report, entries.get("was")))
    return found


def former_names(report: Report, node: marks.Node | None) -> list[str]:
    """`was: old_name`, or several."""
    names = [values.name(report, each, "a queue") for each in values.scalars(report, node, "was")]
    return [name for name in names if name]


# --- announcements -------------------------------------------------------------------------------------------------
def announce(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """A prompt on joining, or `{join, position, estimate, periodic}`: [prompt data or None, Announcing or None]."""
    if not isinstance(node, marks.Mapping):
        return [options.prompt(context, node, option, what), None]
    report = context.report
    values.known_keys(report, node, what, ("join", "position", "estimate", "periodic"))
    joining = node.entries.get("join")
    heard = None if joining is None else options.prompt(context, joining, option, f"{what} join")
    position = values.duration(report, node.entries.get("position"), "position", 5_000, _HOUR) or 0
    estimate = values.duration(report, node.entries.get("estimate"), "estimate", 10_000, _HOUR) or 0
    every_ms, periodic = _periodic(context, node.entries.get("periodic"))
    return [heard, Announcing(position, estimate, every_ms, periodic)]


def _periodic(context: Context, node: marks.Node | None) -> tuple[int, dict[str, tuple[tuple[str, ...], ...]]]:
    form = values.mapping(context.report, node, "periodic")
    if form is None:
        return 0, {}
    values.known_keys(context.report, form, "periodic", ("every", "play"))
    every_ms = values.duration(context.report, form.entries.get("every"), "every", 5_000, _HOUR)
    words = values.scalars(context.report, form.entries.get("play"), "play")
    for key in ("every", "play"):
        if key not in form.entries:
            context.report.add("RD022", form, f"periodic needs {key}:", "as in {every: 45s, play: please_hold}")
    found: dict[str, list[tuple[str, ...]]] = {language: [] for language in context.languages}
    for word in words:
        heard = options.prompt(context, word, Option("prompt"), "periodic") or {}
        for language in context.languages:
            clips = tuple(part for part in heard.get(language, ()) if isinstance(part, str))
            if clips:
                found[language].append(clips)
    return every_ms or 0, {language: tuple(each) for language, each in found.items()}


# --- overflow ------------------------------------------------------------------------------------------------------
def overflow(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """An ordered list of rules -> [RuleDraft]; names are resolved, flows are left to the linker."""
    if not isinstance(node, marks.Sequence):
        hint = "write: overflow: and below it - {if: waited > 5min, queue: NAME}"
        context.report.add("RD023", node, f"{what} is a list of rules, not {values.kind_of(node)}", hint)
        return []
    if len(node.items) > RULES_MAX:
        context.report.add("RD024", node, f"{what}: at most {RULES_MAX} rules")
    found = [_rule(context, each, what, steps=context.step is not None) for each in node.items[:RULES_MAX]]
    return [each for each in found if each is not None]


def _rule(context: Context, node: marks.Node, what: str, *, steps: bool) -> RuleDraft | None:
    report = context.report
    form = values.mapping(report, node, f"a rule of {what}")
    if form is None:
        return None
    ways = WAYS if steps else WAYS[:3]
    values.known_keys(report, form, f"a rule of {what}", ("if", *ways, "credit"))
    named = [way for way in ways if way in form.entries]
    if "if" not in form.entries or len(named) != 1:
        hint = "as in {if: waited > 5min, queue: NAME}"
        report.add("RD022", form, f"a rule of {what} has if: and one of {', '.join(ways)}", hint)
        return None
    condition = values.scalar(report, form.entries["if"], "if")
    tree = None if condition is None else _condition(report, condition)
    target = values.scalar(report, form.entries[named[0]], named[0])
    credit = values.choice(report, form.entries.get("credit"), "credit", ("full", "none"))
    if "credit" in form.entries and named[0] != "queue":
        report.add("RD024", form.keys["credit"], "credit belongs to a rule that leads to a queue", "remove it")
    if tree is None or condition is None or target is None or values.computed(report, target, named[0]):
        return None
    to = _TARGETS[named[0]](context, target)
    if not to:
        return None
    return RuleDraft(OverflowRule(tree, condition.text, named[0], to, credit or "full"), target)


def _condition(report: Report, node: marks.Scalar) -> list[Any] | None:
    try:
        return expressions.compile_expression(node.text, FACTS, FLAG, {}).tree
    except expressions.Problem as problem:
        at = inside(node, problem.at)
        hint = problem.suggestion
        if "declare" in hint:
            hint = "known here: " + ", ".join(FACTS)
        report.add(problem.code, node, problem.message, hint, at=at, width=problem.width)
        return None


def _to_queue(context: Context, node: marks.Scalar) -> str:
    return options.queue(context, node, Option("queue"), "overflow queue") or ""


def _to_number(context: Context, node: marks.Scalar) -> str:
    found = options.targets(context, node, Option("targets"), "overflow number")
    return found[0] if found and isinstance(found[0], str) else ""


def _to_outcome(context: Context, node: marks.Scalar) -> str:
    return values.choice(context.report, node, "outcome", OUTCOMES) or ""


def _to_flow(context: Context, node: marks.Scalar) -> str:
    return node.text


_TARGETS = {"queue": _to_queue, "number": _to_number, "outcome": _to_outcome, "flow": _to_flow}


# --- over all queues -----------------------------------------------------------------------------------------------
def check_served(report: Report, rules: list[RuleDraft], served: dict[str, None]) -> None:
    """Nobody is sent into a queue that no agent serves."""
    for each in rules:
        if each.rule.way == "queue" and each.rule.to not in served:
            name = each.rule.to.rpartition("/")[2]
            report.add(
                "RD111", each.target, f"no agent serves the queue {name!r}", "give it agents, or overflow elsewhere"
            )


def check_cycles(report: Report, rules: dict[str, list[RuleDraft]]) -> None:
    """Overflow leads on, never back: every edge that closes a circle is refused with the whole way round."""
    ways = {queue: [each.rule.to for each in held if each.rule.way == "queue"] for queue, held in rules.items()}
    for queue, held in rules.items():
        for each in held:
            round_trip = way_round(ways, each.rule.to, queue) if each.rule.way == "queue" else []
            if round_trip:
                shown = " > ".join(name.rpartition("/")[2] for name in [queue, *round_trip])
                report.add("RD110", each.target, f"overflow in a circle: {shown}", CIRCLE_HINT)


def way_round(ways: dict[str, list[str]], begin: str, end: str) -> list[str]:
    """The queues from `begin` to `end` by overflow, both included; [] when there is no way."""
    todo = [[begin]]
    seen: dict[str, None] = {}
    while todo:
        way = todo.pop()
        if way[-1] == end:
            return way
        if way[-1] not in seen:
            seen[way[-1]] = None
            todo.extend([*way, following] for following in ways.get(way[-1], ()))
    return []


def check_renames(report: Report, scope: Scope, nodes: dict[str, marks.Mapping]) -> None:
    """`was:` names a queue that is gone, and each name is inherited once."""
    heirs: dict[str, str] = {}
    for name, model in scope.queues.items():
        for full in model.was:
            old = full.rpartition("/")[2]
            place = nodes[name].entries.get("was") or nodes[name]
            if old in scope.queues:
                report.add("RD112", place, f"the queue {old!r} still exists", "remove one of the two, or the was:")
            elif old in heirs:
                report.add("RD112", place, f"{heirs[old]!r} was {old!r} already", "only one queue can inherit")
            heirs.setdefault(old, name)


RULES: dict[str, Rule] = {
    "announce": announce,
    "overflow": overflow,
    "join_empty": lambda context, node, option, what: presence(context.report, node, what, refuses="no"),
    "leave_when_empty": lambda context, node, option, what: presence(context.report, node, what),
}


def service_level(report: Report, node: marks.Node | None, changes: dict[str, Any]) -> None:
    """`80% in 20s` into service_level_percent and service_level_ms."""
    found = values.scalar(report, node, "service_level")
    if found is None:
        return
    match = re.fullmatch(r"([0-9]{1,3})\s*%\s+in\s+(\S+)", found.text)
    try:
        if match is None or not 1 <= int(match.group(1)) <= 100:
            raise types.TypeProblem("")
        changes["service_level_percent"] = int(match.group(1))
        changes["service_level_ms"] = types.duration_ms(match.group(2))
    except types.TypeProblem:
        report.add("RD024", found, f"{found.text!r} is not a service level", "write it as: 80% in 20s")

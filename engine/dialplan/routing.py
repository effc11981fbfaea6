"""Whom a caller asks for: the options `needs` and `prefer` of `queue`, and what can't come true in them.

`needs` becomes a list of [skill, level], or {"steps": [[ms, needs, ring]]} when it relaxes with time. `prefer` becomes
an agent's number, ["variable", name] or "last".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import limits, marks
from engine.dialplan import values
from engine.dialplan.model import AgentModel, QueueModel

if TYPE_CHECKING:
    from engine.dialplan.options import Context, Scope
    from engine.dialplan.verbs.table import Option

ANYONE = "anyone"
LAST_AGENT = "last"
LANGUAGE = "language"  # a skill that stands for the call's language
_HOUR = 3_600_000

Needs = list[list[Any]]  # [skill, level]


def needs(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """A mapping of skills, or a list of steps."""
    if not isinstance(node, marks.Sequence):
        return _skills(context, node, what)
    if len(node.items) > limits.needs_steps_max:
        context.report.add("RD024", node, f"{len(node.items)} steps: at most {limits.needs_steps_max}")
        return None
    steps = [_step(context, each, what, last=place == len(node.items)) for place, each in enumerate(node.items, 1)]
    if None in steps:
        return None
    for before, after, place in zip(steps, steps[1:], node.items[1:], strict=False):
        if before is not None and after is not None and before[1:] == after[1:]:
            context.report.add("RD102", place, "this step asks for the same as the one before it", "join the two")
    if len(steps) == 1 and steps[0] is not None and not steps[0][2]:
        return steps[0][1]
    return {"steps": steps}


def _step(context: Context, node: marks.Node, what: str, *, last: bool) -> list[Any] | None:
    report = context.report
    if isinstance(node, marks.Scalar) and node.text == ANYONE:
        if not last:
            report.add("RD024", node, "only the last step is `anyone`: nothing can relax after it")
        return [0, [], 0]
    form = values.mapping(report, node, f"a step of {what}")
    if form is None:
        return None
    values.known_keys(report, form, f"a step of {what}", ("skills", "for", "ring"))
    entries = form.entries
    if "skills" not in entries:
        report.add("RD022", form, f"a step of {what} says which skills", f"write skills: {{power: 2}}, or {ANYONE}")
    asked = _skills(context, entries["skills"], what) if "skills" in entries else None
    span = values.duration(report, entries.get("for"), "for", 1_000, limits.queue_wait_ms_max)
    if last and "for" in entries:
        hint = f"leave `for` out, or add a step behind it: `- {ANYONE}`"
        report.add("RD024", form.keys["for"], "the last step lasts until the end of the wait", hint)
    if not last and "for" not in entries:
        report.add("RD022", form, "without `for` the next step never comes", "add for: 30s")
    ring = values.number(report, entries.get("ring"), "ring", 1, limits.rings_max)
    return None if asked is None else [0 if last else span or 0, asked, ring or 0]


def _skills(context: Context, node: marks.Node, what: str) -> Needs | None:
    rows: Needs = []
    form = values.mapping(context.report, node, what)
    if form is None:
        return None
    for key, value in form:
        level = values.number(context.report, value, f"the level of {key.text}", 1, 16)
        if key.text != LANGUAGE and key.text not in context.scope.skills:
            context.unknown("RD040", key, f"no agent has the skill {key.text!r}", context.scope.skills)
        elif level is not None:
            rows.append([key.text, level])
    if len(rows) > limits.needs_max:
        context.report.add("RD024", node, f"{len(rows)} skills at once: at most {limits.needs_max}")
        return None
    return rows


def agent(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """One agent: his number, `$variable`, or `last`."""
    word = values.scalar(context.report, node, what)
    if word is None or word.text == LAST_AGENT:
        return None if word is None else LAST_AGENT
    if word.text.startswith("$"):
        name = word.text[1:]
        declared = context.types.get(name)
        if declared is None:
            context.unknown("RD034", word, f"${name} is not declared", list(context.types))
            return None
        context.read(name, word)
        if declared.kind not in ("digits", "text"):
            message = f"a {declared} is no agent's number"
            context.report.add("RD070", word, message, "declare it as digits or text")
            return None
        return ["variable", name]
    if word.text not in context.scope.agents:
        known = [*context.scope.agents, LAST_AGENT]
        context.unknown("RD035", word, f"no agent {word.text!r}", known)
        return None
    return word.text


# --- what can't come true ----------------------------------------------------------------------------------
def check(context: Context, options: dict[str, marks.Node], data: dict[str, Any], queue: QueueModel | None) -> None:
    """The step as a whole: `prefer` with its time, and needs that somebody of the queue must meet at last."""
    report = context.report
    if "prefer" in options and "prefer_for" not in options:
        hint = "add prefer_for: 45s; after that the team is asked"
        report.add("RD022", options["prefer"], "prefer without a time would wait for one agent for ever", hint)
    for name in ("prefer_for", "even_if_away"):
        if name in options and "prefer" not in options:
            report.add("RD024", options[name], f"{name} without prefer: nobody is preferred", "add prefer: 201")
    if queue is None or not context.scope.complete:
        return
    team = serving(context.scope, queue)
    wanted = data.get("prefer")
    if isinstance(wanted, str) and wanted != LAST_AGENT and all(wanted != each.number for each in team):
        message = f"the agent {wanted} doesn't serve {queue.name}: the team is asked at once"
        report.add("RD102", options["prefer"], message, f"add {queue.name} to his queues")
    if team and data.get("needs"):
        _reachable(context, options["needs"], data["needs"], queue, team)


def serving(scope: Scope, queue: QueueModel) -> list[AgentModel]:
    """The agents who may be asked for this queue at some time, those that a ring borrows included."""
    names = [f"{queue.tenant}/{queue.name}", *(name for ring in queue.rings for name in ring.queues)]
    return [each for each in scope.agents.values() if any(name in names for name, _, _ in each.queues)]


def _reachable(context: Context, node: marks.Node, asked: Any, queue: QueueModel, team: list[AgentModel]) -> None:
    """Does anybody meet each step? At the last one it is an error: such a caller would wait in vain."""
    steps = asked["steps"] if isinstance(asked, dict) else [[0, asked or [], 0]]
    places = node.items if isinstance(node, marks.Sequence) else (node,)
    dropped = [skill for ring in queue.rings for skill in ring.without]
    for number, ((_, wanted, _), place) in enumerate(zip(steps, places, strict=True), 1):
        firm = [(skill, level) for skill, level in wanted if skill not in (LANGUAGE, *dropped)]
        if any(all(dict(each.skills).get(skill, 0) >= level for skill, level in firm) for each in team):
            continue
        words = ", ".join(f"{skill} {level}" for skill, level in firm)
        message = f"no agent of {queue.name} has {words}"
        if number == len(steps):
            context.report.add("RD101", place, message, "lower a level, or give the skills to an agent of this queue")
        else:
            context.report.add("RD102", place, f"{message}: this step only makes the caller wait", "leave it out")

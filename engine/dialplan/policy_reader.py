"""`policy:` of a queue: a site's own order of agents, in the language's expressions (no program of the site's is run).

    strategy: custom
    policy:
      admit: agent.skill.power >= 2 or caller.waited > 30s
      order: [agent.level, agent.occupancy, 0 - agent.idle]

The expressions are typed and total; here they become postfix words, (sign, 0) or (const | field | skill, what).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import limits, marks
from engine.dialplan import expressions, types, values
from engine.dialplan.model import PolicyModel
from engine.dialplan.types import DURATION, NUMBER, Type

if TYPE_CHECKING:
    from engine.dialplan.findings import Report
    from engine.dialplan.options import Scope

FIELDS: dict[str, Type] = {
    "agent.level": NUMBER,
    "agent.position": NUMBER,
    "agent.idle": DURATION,
    "agent.calls": NUMBER,
    "agent.talk": DURATION,
    "agent.answered": NUMBER,
    "agent.occupancy": NUMBER,
    "caller.waited": DURATION,
    "caller.priority": DURATION,
    "queue.waiting": NUMBER,
    "agent.latency": DURATION,
    "agent.cost": NUMBER,
    "agent.near": NUMBER,
}
SKILL = "agent.skill."
STRATEGY = "custom"
_SIGNS = ("+", "-", "*", "=", "!=", "<", "<=", ">", ">=", "and", "or")

Word = tuple[str, int | str]


def read(report: Report, scope: Scope, form: marks.Mapping, strategy: str) -> PolicyModel | None:
    """The policy of a queue's mapping `form`, None without one or after a finding."""
    node = form.entries.get("policy")
    if node is None:
        if strategy == STRATEGY:
            hint = "add policy: with order: [agent.level, 0 - agent.idle] below it"
            report.add("RD022", form.entries["strategy"], "the strategy custom needs a policy", hint)
        return None
    if strategy != STRATEGY:
        report.add("RD024", form.keys["policy"], "a policy without strategy: custom does nothing", "strategy: custom")
    policy = values.mapping(report, node, "policy")
    if policy is None:
        return None
    values.known_keys(report, policy, "a policy", ("order", "admit"))
    names = {**FIELDS, **{SKILL + skill: NUMBER for skill in scope.skills}}
    before = report.errors
    order = [_words(report, each, names) for each in values.scalars(report, policy.entries.get("order"), "order")]
    if not 1 <= len(order) <= limits.policy_expressions_max and report.errors == before:
        message = f"order holds 1 to {limits.policy_expressions_max} expressions, the smallest value first"
        report.add("RD022", policy.entries.get("order") or policy, message, "as in order: [agent.level]")
    admit = values.scalar(report, policy.entries.get("admit"), "admit")
    admitted = () if admit is None else _words(report, admit, names, types.FLAG)
    if report.errors > before:
        return None
    return PolicyModel(tuple(order), admitted)


def _words(report: Report, node: marks.Scalar, names: dict[str, Type], wanted: Type | None = None) -> tuple[Word, ...]:
    from engine.dialplan.options import inside

    words: list[Word] = []
    try:
        found = expressions.compile_expression(node.text, names, wanted)
        if wanted is None and found.type.kind not in ("number", "duration"):
            message = f"agents are put in order by a number or a duration, this is {found.type}"
            raise expressions.Problem("RD070", 0, message, "", len(node.text))
        _flatten(found.tree, words)
        if len(words) > limits.policy_nodes_max:
            message = f"{len(words)} values and signs: at most {limits.policy_nodes_max}"
            raise expressions.Problem("RD071", 0, message, "", len(node.text))
    except expressions.Problem as problem:
        at = inside(node, problem.at)
        report.add(problem.code, node, problem.message, problem.suggestion, at=at, width=problem.width)
    return tuple(words)


def _flatten(tree: list[Any], words: list[Word]) -> None:
    sign = tree[0]
    if sign == "literal" and isinstance(tree[1], int):
        words.append(("const", int(tree[1])))
    elif sign == "variable":
        skill = tree[1].startswith(SKILL)
        words.append(("skill", tree[1].removeprefix(SKILL)) if skill else ("field", tree[1]))
    elif sign == "not":
        _flatten(tree[1], words)
        words.append(("not", 0))
    elif sign in _SIGNS:
        _flatten(tree[1], words)
        _flatten(tree[2], words)
        words.append((sign, 0))
    elif sign == "in":
        _listed(tree, words)
    else:
        message = "a policy reads only agent., caller. and queue. values"
        raise expressions.Problem("RD042", 0, message, "known here: " + ", ".join(FIELDS) + f", {SKILL}NAME")


def _listed(tree: list[Any], words: list[Word]) -> None:
    """`x in (1, 2)` as x = 1 or x = 2."""
    for place, value in enumerate(tree[2]):
        _flatten(["=", tree[1], ["literal", value]], words)
        if place:
            words.append(("or", 0))

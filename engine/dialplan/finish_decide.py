"""What the verbs that branch and move need beyond their options: conditions compiled, ways resolved.

Each function gets (linker, step as drafted, its file's draft, name prefix, data, outs, info), see `linker.Linker.step`,
and completes `data`, `outs` and `info` in place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.dialplan import options, types, values
from engine.dialplan.drafts import Draft, DraftStep, Target
from engine.dialplan.findings import did_you_mean

if TYPE_CHECKING:
    from engine.dialplan.linker import Linked, Linker

AGAIN, CONTINUE = "again", "continue"


def _when(
    linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    rows: list[list[Any]] = []
    for number, branch in enumerate(step.branches, 1):
        out = "else" if branch.condition is None else f"if {number}"
        outs[out] = linker.resolve(branch.target, home, prefix, again=False)
        if branch.condition is None:
            rows.append([["literal", True], out])
            continue
        result = options.compiled(linker.context, branch.condition, types.FLAG, "if")
        if result is not None:
            rows.append([result.tree, out])
            info.knows[out] = result.knows
    data["branches"] = rows


def _switch(
    linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    rows: list[list[Any]] = []
    node = step.options.get("value")
    result = options.compiled(linker.context, node, None, "value") if node is not None else None
    for text, (key, target) in step.choices.items():
        out = f"= {text}"
        outs[out] = linker.resolve(target, home, prefix, again=False)
        if result is None:
            continue
        try:
            rows.append([types.literal(text, result.type), out])
        except types.TypeProblem as problem:
            hint = did_you_mean(text, result.type.words)
            linker.report.add("RD070", key, str(problem), hint)
    data["cases"] = rows
    if result is None or "else" in step.outs:
        return
    wanted: tuple[types.Value, ...] = result.type.words if result.type.kind == "choice" else ()
    if result.type.kind == "flag":
        wanted = (True, False)
    missing = [each for each in wanted if all(row[0] != each for row in rows)]
    if missing or not wanted:
        what = "no case for " + ", ".join(types.spelled(each) or "" for each in missing) if missing else "other values"
        linker.report.add("RD076", step.key, f"switch doesn't say what happens with {what}", "add else:")


def _goto(
    linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    node = values.scalar(linker.report, step.options.get("flow"), f"{step.verb.name} flow")
    if node is not None and not values.computed(linker.report, node, "a flow"):
        if node.text in (AGAIN, CONTINUE):
            linker.report.add("RD031", node, f"{node.text} is no flow", "it stands only where a step branches")
            return
        outs["flow"] = linker.resolve(Target(node.text, node), home, prefix, again=False)


def _return(
    linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    """The type of its value, for the `into` of whoever runs the subflow."""
    if "value" in data:
        result = options.compiled(linker.context, step.options["value"], None, "value")
        info.returns = None if result is None else result.type


FINISH = {"return": _return, "when": _when, "switch": _switch, "goto": _goto, "subflow": _goto}

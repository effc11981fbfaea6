"""The rules for option kinds of the verbs that bring people together; see `options`."""

from __future__ import annotations

from typing import Any

from engine import marks
from engine.dialplan import options, recording_reader, types, values
from engine.dialplan.options import Context, Rule
from engine.dialplan.verbs.shape import MINUTE, PROMPT
from engine.dialplan.verbs.table import Option

STEPS_MAX = 8  # of a dial that follows somebody


def opt_out(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """The key that refuses a recording."""
    found = values.scalar(context.report, node, what)
    return None if found is None else recording_reader.opt_out(context.report, found) or None


def survey(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """The name of a survey of this tenant."""
    found = values.scalar(context.report, node, what)
    if found is None or values.computed(context.report, found, "a survey"):
        return None
    if found.text not in context.scope.surveys:
        context.unknown("RD163", found, f"no survey {found.text!r}", list(context.scope.surveys))
        return None
    return found.text


def confirm(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """`yes`, `no`, or the prompt that asks for the key."""
    if isinstance(node, marks.Scalar) and node.text in types.FLAGS:
        return types.FLAGS[node.text]
    return options.prompt(context, node, PROMPT, what)


def dial_steps(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """[[targets, ring ms or 0, confirm or None]]: who is rung one after another (follow me)."""
    if not isinstance(node, marks.Sequence):
        context.report.add("RD023", node, f"{what} is a list, each line as in - {{to: 201, ring: 15s}}")
        return None
    rows: list[list[Any]] = []
    for item in node.items:
        form = values.mapping(context.report, item, "a step of dial")
        if form is None:
            continue
        values.known_keys(context.report, form, "a step of dial", ("to", "ring", "confirm"))
        if "to" not in form.entries:
            context.report.add("RD022", form, "this step rings nobody", "add to: NUMBER")
            continue
        found = options.targets(context, form.entries["to"], option, "to")
        ring = values.duration(context.report, form.entries.get("ring"), "ring", 1_000, 3 * MINUTE)
        asked = form.entries.get("confirm")
        sure = confirm(context, asked, option, "confirm") if asked is not None else None
        if found:
            rows.append([found, ring or 0, sure])
    if len(node.items) > STEPS_MAX:
        context.report.add("RD024", node, f"at most {STEPS_MAX} steps ring one after another")
    return rows or None


def room(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """A conference room's name; it is there while somebody is in it."""
    return values.name(context.report, node, "a room")


def slot(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """One of the tenant's slots for parked callers."""
    found = values.scalar(context.report, node, what)
    if found is None or values.computed(context.report, found, "a slot"):
        return None
    if found.text not in context.scope.slots:
        context.unknown("RD166", found, f"no slot {found.text!r} to park in", list(context.scope.slots))
        return None
    return found.text


RULES: dict[str, Rule] = {
    "opt_out": opt_out, "survey": survey, "confirm": confirm, "dial_steps": dial_steps, "slot": slot,
    "room": room,
}  # fmt: skip

"""What has changed between two linked dialplans, in words of the business: keys, flows, steps and what they do.

Steps are matched by their ids, which survive an inserted line; places (file:line) are no difference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from typing import Any

from engine.dialplan.program import Program, Step
from engine.dialplan.verbs.table import VERBS

STEPS_SHOWN_MAX = 4
_DERIVED = ("always", "prefixes", "sensitive", "number", "branches", "cases")  # made of other options, or trees
_KEYS = {"*": "star", "#": "hash"}
_SECOND = re.compile(r"\.\d+$")
_PROMPT_KINDS = ("prompt", "speech", "announce")


def duration(ms: int) -> str:
    """`90000` -> "90 s", `120000` -> "2 min", `1500` -> "1.5 s"."""
    if ms and ms % 3_600_000 == 0:
        return f"{ms // 3_600_000} h"
    if ms and ms % 60_000 == 0:
        return f"{ms // 60_000} min"
    return f"{ms // 1000} s" if ms % 1000 == 0 else f"{ms / 1000:g} s"


def shown(value: Any) -> str:
    """A value for people; "" for what can't be said in a few words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int | float):
        return str(value) or "nothing"
    if isinstance(value, list | tuple) and all(isinstance(each, str | int) for each in value):
        return ", ".join(str(each) for each in value) or "nothing"
    return ""


def instead(new: str, old: str) -> str:
    """ "25 s instead of 20 s", or that it changed when it can't be said."""
    return f"{new} instead of {old}" if new and old else "changed"


def program_changes(old: Program, new: Program, where: str) -> list[str]:
    """`where` begins each line when it isn't empty: "wait list on_hold", "press/orders"."""
    lines: list[str] = []
    lead = f"{where}: " if where else ""
    for key in dict.fromkeys([*old.always, *new.always]):
        was, now = old.always.get(key, ""), new.always.get(key, "")
        if was != now:
            leads = f"leads to {now}" if now else "is not live any more"
            lines.append(f"{lead}key {_KEYS.get(key, key)}, always live, {leads}" + _was(was))
    for name, was, now in (("rescue", old.rescue, new.rescue), ("finally", old.finally_, new.finally_),
                           ("entry", old.entry, new.entry)):
        if was != now:
            lines.append(f"{lead}{name} is {now or 'no flow'} instead of {was or 'no flow'}")
    for name in dict.fromkeys([*old.variables, *new.variables]):
        before, after = old.variables.get(name), new.variables.get(name)
        if after is None:
            lines.append(f"{lead}the variable {name} is gone")
        elif before is None:
            lines.append(f"{lead}new variable {name}: {after.type}")
        elif before != after:
            lines.append(f"{lead}the variable {name} is declared otherwise: {instead(after.type, before.type)}")
    plain = [name for name in dict.fromkeys([*old.flows, *new.flows]) if "#" not in name]
    for name in plain:
        if name not in new.flows:
            lines.append(f"{lead}the flow {name} is gone")
        elif name not in old.flows:
            lines.append(f"{lead}new flow {name}: {_steps(new, name)}")
        else:
            lines += [lead + line for line in _Flows(old, new).compare(name, name, f"flow {name}")]
    for name in dict.fromkeys([*old.waits, *new.waits]):
        if name not in new.waits:
            lines.append(f"{lead}the wait list {name} is gone")
        elif name not in old.waits:
            lines.append(f"{lead}new wait list {name}")
        else:
            lines += program_changes(old.waits[name], new.waits[name], f"{lead}wait list {name}")
    return lines


class _Flows:
    """Compares flows of two programs, and the lists that hang below their steps."""

    def __init__(self, old: Program, new: Program) -> None:
        self.old, self.new = old, new

    def compare(self, was: str, now: str, where: str) -> list[str]:
        before, after = self.old.flows.get(was, ()), self.new.flows.get(now, ())
        lines: list[str] = []
        matcher = SequenceMatcher(None, [each.id for each in before], [each.id for each in after], autojunk=False)
        for act, a, b, c, d in matcher.get_opcodes():
            gone, come = list(before[a:b]), list(after[c:d])
            if act == "equal":
                for one, other in zip(gone, come, strict=True):
                    lines += self.step(one, other, where)
                continue
            while gone and come and gone[0].verb == come[0].verb:
                one, other = gone.pop(0), come.pop(0)
                lines.append(f"{where}: {label(other)} instead of {label(one)}")
                lines += self.step(one, other, where, renamed=True)
            if gone and come:
                lines.append(f"{where}: {_some(come)} instead of {_some(gone)}")
            elif come:
                behind = f" behind {label(after[c - 1])}" if c else " first"
                lines.append(f"{where}: now also {_some(come)}{behind}")
            elif gone:
                lines.append(f"{where}: no longer {_some(gone)}")
        return lines

    def step(self, was: Step, now: Step, where: str, *, renamed: bool = False) -> list[str]:
        """Options and ways of one step. `renamed`: its main option differs, which has been said already."""
        name = object_of(now) or label(now)
        lines = []
        verb = VERBS.get(now.verb)
        options = verb.options if verb is not None else {}
        for key in dict.fromkeys([*was.data, *now.data]):
            before, after = was.data.get(key), now.data.get(key)
            if before == after or key in _DERIVED or (renamed and verb is not None and key == verb.main):
                continue
            kind = options[key].kind if key in options else ""
            if renamed and kind in _PROMPT_KINDS and key == "prompt":
                continue
            what = f"{where}: {label(now)} has {key.replace('_', ' ')}"
            lines.append(f"{what} {instead(_option(after, kind), _option(before, kind))}")
        if any(was.data.get(key) != now.data.get(key) for key in ("branches", "cases")):
            lines.append(f"{where}: a condition of {label(now)} is another one")
        for out in dict.fromkeys([*was.outs, *now.outs]):
            before_flow, after_flow = was.outs.get(out), now.outs.get(out)
            way = _way(now, out, name)
            if before_flow and after_flow and "#" in before_flow and "#" in after_flow:
                lines += self.compare(before_flow, after_flow, way)
                continue
            told_before, told_after = target(self.old, before_flow), target(self.new, after_flow)
            if told_before == told_after:
                continue
            if after_flow is None:
                lines.append(f"{way} leads nowhere any more" + _was(told_before))
            else:
                lines.append(f"{way} now leads to {told_after}" + _was(told_before))
        return lines


# --- words ---------------------------------------------------------------------------------------------------------
def label(step: Step) -> str:
    """`menu(main_menu)`: a step without its flow, and without the number of a second one of the same name."""
    return _SECOND.sub("", step.id.partition("/")[2] or step.id)


def object_of(step: Step) -> str:
    """`main_menu` of `choose/menu(main_menu)`, "" when nothing is named."""
    text = label(step)
    return text.partition("(")[2].rpartition(")")[0]


def target(program: Program, flow: str | None) -> str:
    """Where a way leads: a flow, the next step, or the steps of a list that stands there; "" for no way."""
    if flow is None:
        return ""
    if not flow:
        return "the next step"
    if flow == "again":
        return "the same question again"
    if flow.startswith("!"):
        return f"{flow[1:]}, out of the queue"
    return _steps(program, flow) if "#" in flow else flow


def _steps(program: Program, flow: str) -> str:
    steps = program.flows.get(flow, ())
    if len(steps) == 1 and steps[0].verb == "goto":
        return steps[0].outs.get("flow", "")
    return _some(list(steps))


def _some(steps: list[Step]) -> str:
    names = [label(each) for each in steps[:STEPS_SHOWN_MAX]]
    more = f" → {len(steps) - STEPS_SHOWN_MAX} more" if len(steps) > STEPS_SHOWN_MAX else ""
    return " → ".join(names) + more or "no steps"


def _was(told: str) -> str:
    return f" (was: {told})" if told else ""


def _way(step: Step, out: str, name: str) -> str:
    options = VERBS[step.verb].outcomes if step.verb in VERBS else {}
    if step.verb == "goto":
        return f"the end of flow {step.id.partition('/')[0]}"
    if step.verb == "subflow":
        return f"the subflow {name}"
    if out in options or not all(letter in "0123456789*#" for letter in out):
        return f"{out} of {label(step)}"
    return f"key {_KEYS.get(out, out)} of {name}"


def _option(value: Any, kind: str) -> str:
    if value is None:
        return "nothing"
    if kind in ("duration", "time") and isinstance(value, int):
        return duration(value)
    if isinstance(value, dict):  # language -> clips: those of the first language stand for all
        return "+".join(prompt_names(next(iter(value.values()), ()))) or "nothing"
    return shown(value)


def prompt_names(parts: Any) -> list[str]:
    """Names of prompts, once each, from clips and slots: "press:en/heard#1" -> "heard"."""
    names = [each.rpartition(":")[2].split("/", 1)[-1].partition("#")[0] for each in parts if isinstance(each, str)]
    return list(dict.fromkeys(names))


# --- what a caller can reach ---------------------------------------------------------------------------------------
def reached(program: Program, entry: str, strings: Callable[[str], None]) -> list[str]:
    """The flows that a call can run which begins at `entry`; `strings` is called with every word of their steps."""
    found: dict[str, None] = {}
    waiting = [entry or program.entry, program.rescue, program.finally_, *program.always.values()]
    while waiting:
        flow = waiting.pop()
        if not flow or flow in found or flow not in program.flows:
            continue
        found[flow] = None
        for step in program.flows[flow]:
            waiting += [each.removeprefix("!") for each in step.outs.values()]
            for word in words(step.data):
                strings(word)
    for wait in program.waits.values():
        for word in words([step.data for steps in wait.flows.values() for step in steps]):
            strings(word)
    return list(found)


def words(data: Any) -> Iterator[str]:
    """Every string in a step's data, at any depth."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for each in data.values():
            yield from words(each)
    elif isinstance(data, list | tuple):
        for each in data:
            yield from words(each)

"""What a linked `queue` step needs beyond its options: music, announcements, overflow, and its wait list as a program.

A wait list becomes a `Program` of its own that begins again at its end (`loops`). Its words leave the queue: they are
ways of the queue step, named "!flow". Keys of its menus that lead away by a word are live all the time the caller
waits; those that hold steps are live while their menu listens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from engine import marks
from engine.dialplan import facts, queue_rules, routing, spoken
from engine.dialplan.drafts import Draft, DraftFlow, DraftStep, Target
from engine.dialplan.program import Program, Step

if TYPE_CHECKING:
    from engine.dialplan.linker import Linked, Linker
    from engine.dialplan.model import QueueModel

MUSIC_MS, PAUSE_MS = 40_000, 20_000  # of `music` without a time, and of a wait list that has none
_TAKES_TIME = ("play", "say", "music", "silence", "menu", "position", "estimate")
_LASTING = ("music", "silence")
_AGAIN, _CONTINUE = "again", "continue"


class LinkedWait(msgspec.Struct):
    """`keys`: key -> (its node, flow) of choices that leave the queue; `exits`: "!flow" -> flow."""

    program: Program
    keys: dict[str, tuple[marks.Scalar, str]]
    exits: dict[str, str]
    reads: list[tuple[str, marks.Node, int]]


def finish(
    linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    """The queue's own values where the step has none; overflow rules and the wait list resolved."""
    scope = linker.scope
    name = str(data.get("name", ""))
    model = scope.borrowed.get(name) or scope.queues.get(name.rpartition("/")[2])
    routing.check(linker.context, step.options, data, model)
    if not data.get("music"):
        data["music"] = list(model.music) if model and model.music else list(scope.music)
    heard, announcing = data.pop("announce", None) or (None, None)
    if announcing is not None:
        periodic = {language: [list(clips) for clips in each] for language, each in announcing.periodic.items()}
        data["announcing"] = [announcing.position_ms, announcing.estimate_ms, announcing.periodic_ms, periodic]
    if heard is not None:
        data["announce"] = heard
    if model is not None:
        if announcing is None:
            data.setdefault("position", model.announce_position_ms)
        if heard is None and model.announce:
            data["announce"] = {
                language: list(model.announce.get(language, ())) for language in linker.context.languages
            }
    if "overflow" in data:
        data["overflow"] = _overflow(linker, step, name, data["overflow"], home, prefix, outs)
    _outcomes(linker, step, model, outs)
    waiting = data.pop("waiting", None)
    if waiting is None:
        return
    if waiting not in home.waits or "#" in waiting:
        node = step.options["waiting"]
        if isinstance(node, marks.Scalar):
            known = [each for each in home.waits if "#" not in each]
            linker.context.unknown("RD037", node, f"no wait list {waiting!r}", known)
        return
    full = prefix + waiting
    if full not in linker.waits:
        linker.waits[full] = _wait(linker, waiting, home, prefix)
    wait = linker.waits[full]
    data["wait"] = full
    linker.context.reads.extend(wait.reads)
    outs.update(wait.exits)
    for key, (node, flow) in wait.keys.items():
        if key in outs:
            linker.report.add("RD062", node, f"the key {node.text} already leaves this queue")
        else:
            outs[key] = flow


# --- overflow ------------------------------------------------------------------------------------------------------
def _overflow(
    linker: Linker,
    step: DraftStep,
    queue: str,
    drafts: list[queue_rules.RuleDraft],
    home: Draft,
    prefix: str,
    outs: dict[str, str],
) -> list[Any]:
    """The step's rules as data; a flow becomes a way of the step."""
    queue_rules.check_served(linker.report, drafts, linker.scope.served)
    found: list[Any] = []
    for number, each in enumerate(drafts, 1):
        rule = each.rule
        if rule.way == "queue":
            way = queue_rules.way_round(linker.scope.ways, rule.to, queue)
            if way:
                shown = " > ".join(name.rpartition("/")[2] for name in [queue, *way])
                message = f"overflow in a circle: {shown}"
                linker.report.add("RD110", each.target, message, queue_rules.CIRCLE_HINT)
        elif rule.way == "flow":
            out = f"overflow {number}"
            outs[out] = linker.resolve(Target(rule.to, each.target), home, prefix, again=False)
            rule = msgspec.structs.replace(rule, way="outcome", to=out)
        elif rule.way == "outcome" and rule.to not in outs:
            _missing(linker, each.target, rule.to)
        found.append([rule.when, rule.text, rule.way, rule.to, rule.credit])
    return found


def _outcomes(linker: Linker, step: DraftStep, model: QueueModel | None, outs: dict[str, str]) -> None:
    """Outcomes that the queue's own rules lead to must be named by every step that uses the queue."""
    if model is None or "overflow" in step.options:
        return
    for rule in model.overflow:
        if rule.way == "outcome" and rule.to not in (*outs, "closed"):
            _missing(linker, step.key, rule.to)


def _missing(linker: Linker, node: marks.Scalar, outcome: str) -> None:
    message = f"queue doesn't say what happens when it overflows to {outcome}"
    linker.report.add("RD052", node, message, f"add {outcome}: with a flow or a list of steps")


# --- wait lists ------------------------------------------------------------------------------------------------------
def _wait(linker: Linker, name: str, home: Draft, prefix: str) -> LinkedWait:
    """Link one wait list and the lists inside it."""
    context = linker.context
    outer = context.reads, context.writes, context.step, context.facts, linker.exits
    context.facts = {**context.facts, **facts.WAIT_FACTS}
    exits: dict[str, str] = {}
    linker.exits, linker.words = exits, spoken.WaitWords()
    keys: dict[str, tuple[marks.Scalar, str]] = {}
    flows: dict[str, tuple[Step, ...]] = {}
    reads: list[tuple[str, marks.Node, int]] = []
    written: dict[str, None] = {}
    timed = False
    for each, flow in home.waits.items():
        if each != name and not each.startswith(f"{name}#"):
            continue
        steps: list[Step] = []
        for part in flow.steps:
            made, info = linker.step(part, flow, home, prefix)
            reads += [read for read in info.reads if read[0] not in written]
            if each == name:
                written.update(dict.fromkeys(info.writes))
            timed = timed or part.verb.name in _TAKES_TIME
            steps.append(_waiting_step(linker, part, made, keys))
        flows[prefix + each] = tuple(steps)
    drafted = home.waits[name]
    if not timed and not home.broken:
        message = f"the wait list {name!r} begins again without taking any time"
        linker.report.add("RD113", drafted.key, message, "add what a caller hears: - music: 40s")
    elif not any(made.verb in _LASTING for made in flows[prefix + name]):
        flows[prefix + name] += (_pause(drafted, prefix),)
    _clashes(linker, name, home, keys)
    context.reads, context.writes, context.step, context.facts, linker.exits = outer
    estimates = any(made.verb == "estimate" for steps in flows.values() for made in steps)
    program = Program(
        f"{linker.scope.tenant}/{linker.draft.name}", "", prefix + name, flows, {}, context.languages, loops=True,
        estimates=estimates or b"queue.estimated_wait" in msgspec.msgpack.encode(flows),
        hears=spoken.leaving(linker, drafted.key), said=linker.words.said, accept=linker.words.accept,
    )  # fmt: skip
    return LinkedWait(program, keys, exits, reads)


def _pause(flow: DraftFlow, prefix: str) -> Step:
    """A list that only speaks is followed by music."""
    place = f"{flow.key.file}:{flow.key.line}:{flow.key.column}"
    return Step("music", f"{prefix}{flow.root}/music", place, {"for": PAUSE_MS})


def _waiting_step(linker: Linker, part: DraftStep, made: Step, keys: dict[str, tuple[marks.Scalar, str]]) -> Step:
    """A step as it is while somebody waits: music has an end, a menu of words alone needs not listen."""
    if made.verb in _LASTING and "for" not in made.data:
        return msgspec.structs.replace(made, data={**made.data, "for": MUSIC_MS})
    if made.verb != "menu":
        return made
    listens = "timeout" in part.options
    for key, (node, target) in part.choices.items():
        if target.inline or target.flow in (_AGAIN, _CONTINUE):
            listens = True
        elif len(key) > 1:
            linker.report.add("RD063", node, "while waiting a choice that leaves the queue is a single key")
        elif key in keys:
            linker.report.add("RD062", node, f"the key {node.text} already leaves this queue")
        elif made.outs.get(key):
            keys[key] = node, made.outs[key].removeprefix("!")
    if not listens:
        return Step("play", made.id, made.place, {"prompt": made.data.get("prompt") or {}})
    if "tries" not in part.options:
        return msgspec.structs.replace(made, data={**made.data, "tries": 1})
    return made


def _clashes(linker: Linker, name: str, home: Draft, keys: dict[str, tuple[marks.Scalar, str]]) -> None:
    """A key that leaves the queue from everywhere can't be heard by a menu that means something else by it."""
    for each, flow in home.waits.items():
        if each != name and not each.startswith(f"{name}#"):
            continue
        for part in flow.steps:
            for key, (node, target) in part.choices.items():
                own = target.inline or target.flow in (_AGAIN, _CONTINUE)
                if part.verb.name == "menu" and own and key[:1] in keys:
                    linker.report.add("RD062", node, f"the key {keys[key[:1]][0].text} already leaves this queue")

"""Draft -> Program: every name resolved, every option checked, hoisted lists and other files' flows taken in."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import msgspec

from engine import marks
from engine.dialplan import (
    address_rules,
    box_reader,
    finish_choose,
    finish_data,
    finish_decide,
    finish_listen,
    finish_notice,
    finish_people,
    listen_rules,
    options,
    people_rules,
    queue_linker,
    queue_rules,
    speech_rules,
    spoken,
    stream_rules,
    types,
)
from engine.dialplan.drafts import Draft, DraftFlow, DraftStep, Target
from engine.dialplan.findings import Report
from engine.dialplan.options import Context, Scope
from engine.dialplan.program import Program, Step, Variable
from engine.dialplan.trace import step_id
from engine.dialplan.verbs.shape import STRUCTURE

AGAIN, CONTINUE = "again", "continue"
RULES = {
    **options.RULES, **queue_rules.RULES, **listen_rules.RULES, **people_rules.RULES, **box_reader.RULES,
    **address_rules.RULES, **finish_notice.RULES, **speech_rules.RULES, **stream_rules.RULES,
}  # fmt: skip
# verb -> what it needs beyond its options: called with (linker, step, home, prefix, data, outs, info)
Finish = Callable[["Linker", DraftStep, Draft, str, dict[str, Any], dict[str, str], "Linked"], None]
FINISH: dict[str, Finish] = {
    **finish_listen.FINISH,
    **finish_decide.FINISH,
    **finish_choose.FINISH,
    **finish_people.FINISH,
    **finish_data.FINISH,
    **finish_notice.FINISH,
    **stream_rules.FINISH,
}  # fmt: skip


class Linked(msgspec.Struct):
    """What the analysis knows of a step beside the step itself."""

    draft: DraftStep
    reads: list[tuple[str, marks.Node, int]] = []
    writes: list[str] = []
    knows: dict[str, list[str]] = {}  # outcome -> variables that are set on that way
    returns: types.Type | None = None  # of the value that a `return` gives


class Unit(msgspec.Struct):
    """A linked dialplan with what its analysis needs. `origin`: hoisted flow -> (flow, index of the branching step)."""

    program: Program
    draft: Draft
    linked: dict[str, list[Linked]]
    origin: dict[str, tuple[str, int]]
    keys: dict[str, marks.Scalar]  # flow -> where it is named
    foreign: dict[str, str]  # own name of another file's flow -> that file's dialplan
    unread: list[str] = []


def link(report: Report, scope: Scope, draft: Draft) -> Unit | None:
    """Link one dialplan. None when it has no usable entry; findings say why."""
    return Linker(report, scope, draft).link()


class Linker:
    """Links one dialplan; `context` collects what each step reads and writes."""

    def __init__(self, report: Report, scope: Scope, draft: Draft) -> None:
        self.report = report
        self.scope = scope
        self.draft = draft
        self.context = Context(report, scope, draft.languages)
        self.context.facts = scope.facts()
        self.flows: dict[str, tuple[Step, ...]] = {}
        self.linked: dict[str, list[Linked]] = {}
        self.origin: dict[str, tuple[str, int]] = {}
        self.keys: dict[str, marks.Scalar] = {}
        self.foreign: dict[str, str] = {}
        self.queued: list[tuple[Draft, str, str]] = []
        self.always: dict[str, str] = {}
        self.ids: dict[str, int] = {}
        self.waits: dict[str, queue_linker.LinkedWait] = {}
        self.words = spoken.WaitWords()  # … and what may be said to leave the queue
        self.exits: dict[str, str] | None = None  # while a wait list is linked: "!flow" -> flow, for the queue step

    def link(self) -> Unit | None:
        draft = self.draft
        for name, variable in draft.variables.items():
            self.context.declare(name, variable.declared)
        finish_data.declare_fields(self)
        entry = self.entry()
        rescue = self.named(draft.rescue)
        finally_ = self.named(draft.finally_)
        for key, target in draft.always.items():
            flow = self.resolve(target, draft, "", again=False)
            if flow:
                self.always[key] = flow
        for name in list(draft.flows):
            self.flow(draft, name, name)
        while self.queued:
            home, name, full = self.queued.pop(0)
            if full not in self.flows:
                self.flow(home, name, full)
        if not entry:
            return None
        program = Program(
            f"{self.scope.tenant}/{draft.name}",
            "",
            entry,
            self.flows,
            {
                name: Variable(_spell(each.type), each.sensitive, types.spelled(each.default, each.type))
                for name, each in self.context.declared.items()
                if "." not in name or name in self.context.all_reads or name in self.context.all_writes
            },
            draft.languages,
            self.always,
            rescue or self.always.get("0", ""),
            finally_,
            {name: wait.program for name, wait in self.waits.items()},
            wants=tuple(self.context.wants),
        )
        version = blake2b(msgspec.msgpack.encode(program), digest_size=8).hexdigest()
        program = msgspec.structs.replace(program, version=version)
        unread = [name for name in draft.variables if name not in self.context.all_reads]
        return Unit(program, draft, self.linked, self.origin, self.keys, self.foreign, unread)

    def entry(self) -> str:
        draft = self.draft
        if draft.entry is not None:
            return self.named(draft.entry)
        plain = [name for name in draft.flows if "#" not in name]
        if "main" in plain:
            return "main"
        if len(plain) == 1:
            return plain[0]
        if plain:
            place = draft.flows[plain[0]].key
            message = "which flow does a call enter? there is no main"
            self.report.add("RD022", place, message, "name a flow main, or add entry: NAME at the top")
        return ""

    def named(self, node: marks.Scalar | None) -> str:
        if node is None:
            return ""
        return self.resolve(Target(node.text, node), self.draft, "", again=False)

    # --- flows
    def flow(self, home: Draft, name: str, full: str) -> None:
        drafted = home.flows[name]
        self.keys[full] = drafted.key
        prefix = full[: len(full) - len(name)]
        steps: list[Step] = []
        linked: list[Linked] = []
        # the place is taken first, so that a flow that leads to itself is not linked twice
        self.flows[full] = ()
        for index, step in enumerate(drafted.steps):
            made, info = self.step(step, drafted, home, prefix)
            for target in _targets(step):
                if target.inline:
                    self.origin[prefix + target.flow] = (full, index)
            steps.append(made)
            linked.append(info)
        self.flows[full] = tuple(steps)
        self.linked[full] = linked

    def step(self, step: DraftStep, flow: DraftFlow, home: Draft, prefix: str) -> tuple[Step, Linked]:
        context = self.context
        context.reads, context.writes, context.step = [], [], step
        data: dict[str, Any] = {}
        for name, option in step.verb.options.items():
            node = step.options.get(name)
            if node is None or option.kind in STRUCTURE:
                continue
            value = RULES[option.kind](context, node, option, f"{step.verb.name} {name}")
            if value is not None:
                data[name] = value
        outs = {name: self.resolve(target, home, prefix, again=step.verb.input) for name, target in step.outs.items()}
        info = Linked(step)
        finish = FINISH.get(step.verb.name)
        if finish is not None:
            finish(self, step, home, prefix, data, outs, info)
        info.reads, info.writes = context.reads, context.writes
        context.all_writes.update(dict.fromkeys(context.writes))
        label = step_id(prefix + flow.root, step.verb.name, step.options.get(step.verb.main) or _object(step))
        seen = self.ids.get(label, 0) + 1
        self.ids[label] = seen
        place = f"{step.key.file}:{step.key.line}:{step.key.column}"
        return Step(step.verb.name, label if seen == 1 else f"{label}.{seen}", place, data, outs), info

    def resolve(self, target: Target, home: Draft, prefix: str, *, again: bool) -> str:
        """The program's name for a target; '' also after a finding (then the step falls through).

        In a wait list a word leaves the queue: its name begins with "!".
        """
        if target.inline:
            return prefix + target.flow
        found = self.find(target, home, prefix, again=again)
        if self.exits is None or found in ("", AGAIN):
            return found
        self.exits[f"!{found}"] = found
        return f"!{found}"

    def find(self, target: Target, home: Draft, prefix: str, *, again: bool) -> str:
        word = target.flow
        if word == CONTINUE:
            return ""
        if word == AGAIN and again:
            return AGAIN
        if word in home.flows and "#" not in word:
            full = prefix + word
            if home is not self.draft and full not in self.flows:
                self.queued.append((home, word, full))
            return full
        if "." in word and "#" not in word:
            return self.resolve_foreign(target, word)
        known = [name for name in home.flows if "#" not in name]
        if isinstance(target.node, marks.Scalar):
            self.context.unknown("RD031", target.node, f"no flow {word!r}", known)
        return ""

    def resolve_foreign(self, target: Target, word: str) -> str:
        file, _, name = word.partition(".")
        other = self.scope.drafts.get(file)
        if other is self.draft and name in self.draft.flows:
            return name
        if other is None or name not in other.flows or "#" in name:
            known = [
                f"{each}.{flow}" for each, draft in self.scope.drafts.items() for flow in draft.flows if "#" not in flow
            ]
            if isinstance(target.node, marks.Scalar):
                self.context.unknown("RD031", target.node, f"no flow {word!r}", known)
            return ""
        if word not in self.flows and all(word != full for _, _, full in self.queued):
            self.queued.append((other, name, word))
            self.take_over(other, word)
        return word

    def take_over(self, other: Draft, word: str) -> None:
        """Another file's flow brings its variables (one scope per call) and its hoisted lists."""
        self.foreign[word] = other.name
        for name, variable in other.variables.items():
            mine = self.context.declared.get(name)
            if mine is None:
                self.context.declare(name, variable.declared)
            elif mine != variable.declared:
                message = f"{name!r} is declared otherwise in {self.draft.file}, which uses this file's flows"
                self.report.add("RD070", variable.key, message, "one scope per call: give both the same type")
        prefix = f"{other.name}."
        for name in other.flows:
            if "#" in name and all(full != prefix + name for _, _, full in self.queued):
                self.queued.append((other, name, prefix + name))


def _spell(declared: types.Type) -> str:
    return str(declared)


def _object(step: DraftStep) -> marks.Node | None:
    for name in ("prompt", "into", "value", "name"):
        if name in step.options:
            return step.options[name]
    return None


def _targets(step: DraftStep) -> list[Target]:
    found = list(step.outs.values())
    found.extend(target for _, target in step.choices.values())
    found.extend(branch.target for branch in step.branches)
    return found

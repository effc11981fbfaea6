"""Draft -> Program: every name resolved, every option checked, hoisted lists and other files' flows taken in."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import msgspec

from engine import marks
from engine.dialplan import options, queue_linker, queue_rules, types, values
from engine.dialplan.drafts import Draft, DraftFlow, DraftStep, Target
from engine.dialplan.findings import Report, did_you_mean
from engine.dialplan.options import Context, Scope
from engine.dialplan.program import Program, Step, Variable
from engine.dialplan.trace import step_id

TIMEOUT_MS, INTER_DIGIT_MS, TRIES = 5_000, 3_000, 3
RING_MS, MESSAGE_MS = 30_000, 180_000
AGAIN, CONTINUE = "again", "continue"
RULES = {**options.RULES, **queue_rules.RULES}
_STRUCTURE = ("choices", "cases", "branches")


class Linked(msgspec.Struct):
    """What the analysis knows of a step beside the step itself."""

    draft: DraftStep
    reads: list[tuple[str, marks.Node, int]] = []
    writes: list[str] = []
    knows: dict[str, list[str]] = {}  # outcome -> variables that are set on that way


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
    return _Linker(report, scope, draft).link()


class _Linker:
    def __init__(self, report: Report, scope: Scope, draft: Draft) -> None:
        self.report = report
        self.scope = scope
        self.draft = draft
        self.context = Context(report, scope, draft.languages)
        self.flows: dict[str, tuple[Step, ...]] = {}
        self.linked: dict[str, list[Linked]] = {}
        self.origin: dict[str, tuple[str, int]] = {}
        self.keys: dict[str, marks.Scalar] = {}
        self.foreign: dict[str, str] = {}
        self.queued: list[tuple[Draft, str, str]] = []
        self.always: dict[str, str] = {}
        self.ids: dict[str, int] = {}
        self.waits: dict[str, queue_linker.LinkedWait] = {}
        self.exits: dict[str, str] | None = None  # while a wait list is linked: "!flow" -> flow, for the queue step

    def link(self) -> Unit | None:
        draft = self.draft
        for name, variable in draft.variables.items():
            self.context.declare(name, variable.declared)
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
                name: Variable(_spell(each.type), each.sensitive, _text(each.default))
                for name, each in self.context.declared.items()
            },
            draft.languages,
            self.always,
            rescue or self.always.get("0", ""),
            finally_,
            {name: wait.program for name, wait in self.waits.items()},
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
            if node is None or option.kind in _STRUCTURE or option.kind == "flow":
                continue
            value = RULES[option.kind](context, node, option, f"{step.verb.name} {name}")
            if value is not None:
                data[name] = value
        outs = {name: self.resolve(target, home, prefix, again=step.verb.input) for name, target in step.outs.items()}
        info = Linked(step)
        finish = _FINISH.get(step.verb.name)
        if finish is not None:
            finish(self, step, home, prefix, data, outs, info)
        info.reads, info.writes = context.reads, context.writes
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


def _text(value: types.Value | None) -> str | None:
    if value is None:
        return None
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


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


# --- what single verbs need beyond their options -----------------------------------------------------------
Finish = Callable[[_Linker, DraftStep, Draft, str, dict[str, Any], dict[str, str], Linked], None]


def _menu(
    linker: _Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    _listening(linker, data)
    pressed = {key: node for key, (node, _) in step.choices.items()}
    for key, (_, target) in step.choices.items():
        outs[key] = linker.resolve(target, home, prefix, again=True)
    if "choices" in step.options and not step.choices and not linker.draft.broken:
        linker.report.add("RD022", step.key, "a menu without choices", "add a key below choices:")
    always = linker.always if linker.exits is None else {}  # waiting callers have the wait list's keys
    codes = dict.fromkeys([*pressed, *always])
    for code in codes:
        for longer in codes:
            if longer != code and longer.startswith(code):
                place = pressed.get(longer) or pressed.get(code) or step.key
                message = f"{longer} begins with {code}, which is a choice of its own"
                linker.report.add("RD061", place, message, "use keys of one length, or begin the longer with another")
    data["always"] = [key for key in always if key not in pressed]
    data["prefixes"] = sorted({key[:end] for key in codes for end in range(1, len(key))})


def _listening(linker: _Linker, data: dict[str, Any]) -> None:
    data.setdefault("timeout", TIMEOUT_MS)
    data.setdefault("inter_digit", INTER_DIGIT_MS)
    data.setdefault("tries", TRIES)
    if "invalid" not in data:
        catalogue, tenant = linker.scope.catalogue, linker.scope.tenant
        spoken = {each: catalogue.find(tenant, each, "invalid_choice") for each in linker.context.languages}
        data["invalid"] = {each: list(found.parts) if found else [] for each, found in spoken.items()}


def _gather(
    linker: _Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    _listening(linker, data)
    name = data.get("into")
    declared = linker.context.declared.get(name) if name else None
    kind = declared.type if declared else types.DIGITS
    node = step.options.get("into", step.key)
    if kind.kind not in ("digits", "number", "phone", "text"):
        message = f"digits cannot go into {name!r}, a {kind}"
        linker.report.add("RD074", node, message, "declare it as digits or number")
    low, high = kind.low or 1, kind.high or (15 if kind.kind == "number" else types.digits_max)
    if "exact" in data:
        if "min" in data or "max" in data:
            linker.report.add("RD075", step.options["exact"], "exact beside min or max", "write exact alone")
        asked = (data["exact"], data["exact"])
    else:
        asked = (data.get("min", low), data.get("max", max(high, data.get("min", 0)) if not kind.high else high))
    if asked[0] > asked[1]:
        linker.report.add("RD075", step.options.get("min", node), f"at least {asked[0]} and at most {asked[1]} digits")
    elif kind.high and (asked[0] < low or asked[1] > high):
        message = f"{asked[0]} to {asked[1]} digits don't fit {name!r}, declared as {kind}"
        linker.report.add("RD075", step.options.get("exact") or step.options.get("max") or node, message)
    data["min"], data["max"] = asked
    data.pop("exact", None)
    data.setdefault("terminator", "#")
    data["sensitive"] = bool(declared and declared.sensitive)
    data["number"] = kind.kind == "number"
    data["always"] = list(linker.always)


def _when(
    linker: _Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
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
    linker: _Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
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
        what = "no case for " + ", ".join(_text(each) or "" for each in missing) if missing else "other values"
        linker.report.add("RD076", step.key, f"switch doesn't say what happens with {what}", "add else:")


def _goto(
    linker: _Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    node = values.scalar(linker.report, step.options.get("flow"), f"{step.verb.name} flow")
    if node is not None and not values.computed(linker.report, node, "a flow"):
        if node.text in (AGAIN, CONTINUE):
            linker.report.add("RD031", node, f"{node.text} is no flow", "it stands only where a step branches")
            return
        outs["flow"] = linker.resolve(Target(node.text, node), home, prefix, again=False)


def _dial(
    linker: _Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    data.setdefault("ring", RING_MS)
    data.setdefault("mode", "parallel")
    for name in ("busy", "no_answer", "rejected"):
        if name not in outs and "failed" in outs:
            outs[name] = outs["failed"]


def _callback(
    linker: _Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    data.setdefault("timeout", TIMEOUT_MS)
    data.setdefault("tries", 2)
    data.setdefault("replace", False)
    data.setdefault("confirm_by_key", True)
    data.setdefault("needs", [])
    model = linker.scope.queues.get(str(data.get("queue", "")).rpartition("/")[2])
    if model is None:
        return
    node = step.options.get("queue", step.key)
    if model.callback is None:
        message = f"the queue {model.name} calls nobody back"
        linker.report.add("RD048", node, message, "add callback: {allow: [...]} to it in queues.yaml")
    elif "number" in data and not model.callback.typed:
        message = f"the queue {model.name} calls back only the number that a caller rings from"
        linker.report.add("RD048", step.options["number"], message, "callback: {typed_numbers: yes} allows others")


def _record(
    linker: _Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    data.setdefault("max", MESSAGE_MS)
    data.setdefault("finish", ["#"])
    name = data.get("into")
    if name and linker.context.types[name].kind != "text":
        message = f"a recording's name cannot go into {name!r}, a {linker.context.types[name]}"
        linker.report.add("RD074", step.options["into"], message, "declare it as text")


_FINISH: dict[str, Finish] = {
    "menu": _menu,
    "gather": _gather,
    "when": _when,
    "switch": _switch,
    "goto": _goto,
    "subflow": _goto,
    "queue": queue_linker.finish,
    "dial": _dial,
    "callback": _callback,
    "record": _record,
}

"""A dialplan file -> Draft: which steps there are, how they branch. Lists inside branches become flows of their own."""

from __future__ import annotations

import re

from engine import marks
from engine.dialplan import ask_reader, phrase_reader, types, values
from engine.dialplan.drafts import Branch, Draft, DraftFlow, DraftStep, DraftVariable, Target
from engine.dialplan.findings import Report, did_you_mean
from engine.dialplan.verbs.declared_decide import ROUND
from engine.dialplan.verbs.table import LATER, OPTIONS_LATER, VERBS, Verb

KEYS_OF_FILE = (
    "ringdown", "about", "languages", "entry", "variables", "always", "rescue", "finally", "flows", "waits", "allow",
    "phrases", "person",
)  # fmt: skip
KEYS_LATER = ("lookups",)
KEY_NAMES = {"star": "*", "hash": "#"}
_KEY = re.compile(r"[0-9*#]{1,12}")
nesting_max = 3
steps_max = 100_000


def read_dialplan(report: Report, name: str, root: marks.Node, site_languages: tuple[str, ...]) -> Draft | None:
    """Read one file's nodes. None when it isn't a dialplan at all."""
    top = values.mapping(report, root, "a dialplan")
    if top is None:
        return None
    before = report.errors
    draft = Draft(name, top.file, top, site_languages)
    reader = _Reader(report, draft)
    reader.read()
    draft.broken = report.errors > before
    return draft


def check_format(report: Report, top: marks.Mapping) -> None:
    """Every dialplan and site.yaml names the format it is written in."""
    form = top.entries.get("ringdown")
    if form is None:
        report.put("RD020", top.file, 1, 1, "the format line is missing", "begin the file with: ringdown: 1")
    elif not isinstance(form, marks.Scalar) or form.text != "1":
        said = form.text if isinstance(form, marks.Scalar) else values.kind_of(form)
        report.add("RD020", form, f"format {said} is not known to this version", "this version reads: ringdown: 1")


class _Reader:
    def __init__(self, report: Report, draft: Draft) -> None:
        self.report = report
        self.draft = draft
        self.hoisted: dict[str, int] = {}
        self.before = report.errors

    def read(self) -> None:
        top, report, draft = self.draft.root, self.report, self.draft
        check_format(report, top)
        values.known_keys(report, top, "a dialplan", KEYS_OF_FILE, KEYS_LATER)
        if "about" in top.entries:
            values.prose(report, top.entries["about"], "about")
        self.languages(top.entries.get("languages"))
        self.variables(top.entries.get("variables"))
        self.always(top.entries.get("always"))
        draft.phrases = phrase_reader.read(report, top.entries.get("phrases"), draft.languages, "phrases")
        draft.person = top.entries.get("person")
        flows = values.mapping(report, top.entries.get("flows"), "flows")
        if "flows" not in top.entries and report.errors == self.before:
            report.put("RD022", top.file, 1, 1, "a dialplan has flows", "write flows: and below it main:")
        for key, node in flows or ():
            if values.name(report, key, "a flow") is not None:
                self.flow(key, node, draft.flows, "flow")
        waits = values.mapping(report, top.entries.get("waits"), "waits")
        for key, node in waits or ():
            if values.name(report, key, "a wait list") is not None:
                self.flow(key, node, draft.waits, "wait")
        draft.entry = values.scalar(report, top.entries.get("entry"), "entry")
        draft.rescue = values.scalar(report, top.entries.get("rescue"), "rescue")
        draft.finally_ = values.scalar(report, top.entries.get("finally"), "finally")

    def languages(self, node: marks.Node | None) -> None:
        if node is None:
            return
        own = []
        for word in values.scalars(self.report, node, "languages"):
            if word.text not in self.draft.languages:
                hint = did_you_mean(word.text, self.draft.languages)
                self.report.add("RD039", word, f"{word.text!r} is not a language of this site", hint)
            elif word.text not in own:
                own.append(word.text)
        if own:
            self.draft.languages = tuple(own)

    def variables(self, node: marks.Node | None) -> None:
        for key, value in values.mapping(self.report, node, "variables") or ():
            text = values.scalar(self.report, value, f"the type of {key.text}")
            if text is None:
                continue
            if types.WORD.fullmatch(key.text) is None or key.text in (*types.FLAGS, "and", "or", "not", "in"):
                hint = "small letters, digits and _, a letter first"
                self.report.add("RD027", key, f"{key.text!r} is not a name for a variable", hint)
                continue
            try:
                declared = types.declare(text.text)
            except types.TypeProblem as problem:
                self.report.add("RD073", text, str(problem))
                continue
            if declared.type.kind not in types.KINDS:
                hint = did_you_mean(declared.type.kind, types.KINDS)
                self.report.add("RD073", text, f"no type {declared.type.kind!r}", hint)
            else:
                self.draft.variables[key.text] = DraftVariable(key, text.text, declared)
        self.ambiguous()

    def ambiguous(self) -> None:
        """In an expression a bare word is a variable or a choice's value; it cannot be both."""
        for variable in self.draft.variables.values():
            words = variable.declared.type.words if variable.declared.type.kind == "choice" else ()
            for name in words:
                if name in self.draft.variables:
                    message = f"{name!r} is a value of {variable.key.text!r} and the name of a variable"
                    self.report.add("RD027", self.draft.variables[name].key, message, "rename one of them")

    def always(self, node: marks.Node | None) -> None:
        for key, value in values.mapping(self.report, node, "always") or ():
            pressed = read_key(self.report, key)
            word = values.scalar(self.report, value, f"always {key.text}")
            if pressed is None or word is None:
                continue
            if len(pressed) > 1:
                self.report.add("RD063", key, "a key that is always live is a single one")
            elif pressed in self.draft.always:
                self.report.add("RD062", key, f"the key {key.text} stands here twice")
            elif not values.computed(self.report, word, "a flow"):
                self.draft.always[pressed] = Target(word.text, word)

    # --- steps
    def flow(self, key: marks.Scalar, node: marks.Node, into: dict[str, DraftFlow], place: str) -> None:
        draft_flow = DraftFlow(key.text, key, [], key.text)
        into[key.text] = draft_flow
        self.steps(node, draft_flow, 1, place)

    def steps(self, node: marks.Node, flow: DraftFlow, depth: int, place: str) -> None:
        if not isinstance(node, marks.Sequence):
            hint = "each step stands in a line that begins with '- '"
            self.report.add("RD023", node, f"a flow is a list of steps, not {values.kind_of(node)}", hint)
            return
        for item in node.items:
            step = self.step(item, flow, depth, place)
            if step is not None:
                flow.steps += [step, *ask_reader.following(self.report, step)]

    def step(self, item: marks.Node, flow: DraftFlow, depth: int, place: str) -> DraftStep | None:
        if isinstance(item, marks.Sequence):
            self.report.add("RD023", item, "a step is a verb, not a list", "one dash for each step")
            return None
        if isinstance(item, marks.Scalar):
            verb = self.verb(item, place)
            if verb is None:
                return None
            if not verb.bare:
                hint = f"write: {verb.name}: …"
                self.report.add("RD022", item, f"{verb.name} needs a value", hint)
                return None
            return DraftStep(verb, item, item)
        pairs = list(item)
        if not pairs:
            self.report.add("RD023", item, "an empty step")
            return None
        key, value = pairs[0]
        verb = self.verb(key, place)
        for extra, _ in pairs[1:]:
            message = f"a step has one verb; {extra.text!r} stands beside {key.text!r}"
            hint = f"indent it deeper if it belongs to {key.text}, or begin a new line with '- '"
            if extra.text in VERBS:
                hint = f"begin the line with '- ': - {extra.text}"
            self.report.add("RD023", extra, message, hint)
        if verb is None or len(pairs) > 1:
            return None
        if verb.name == "play" and isinstance(value, marks.Mapping) and "url" in value.entries:
            hint = "write play_url: {url: …, failed: FLOW}: a server that is gone must lead somewhere"
            self.report.add("RD021", value.keys["url"], "play has no key 'url'", hint)
            return None
        step = DraftStep(verb, item, key)
        self.options(step, value, flow, depth, place)
        return step

    def verb(self, word: marks.Scalar, place: str) -> Verb | None:
        found = VERBS.get(word.text)
        if found is not None and place in found.places:
            return found
        allowed = [verb.name for verb in VERBS.values() if place in verb.places]
        if found is None:
            if word.text in LATER:
                message = f"the verb {word.text!r} is not built yet in this version"
                self.report.add("RD026", word, message, "see dialplans/LANGUAGE.md for what is")
            else:
                self.report.add("RD030", word, f"no verb {word.text!r}", did_you_mean(word.text, allowed))
            return None
        where = "while the caller waits in a queue" if place == "wait" else "in a flow"
        self.report.add("RD060", word, f"{found.name} cannot stand {where}", "here: " + ", ".join(allowed))
        return None

    def options(self, step: DraftStep, value: marks.Node, flow: DraftFlow, depth: int, place: str) -> None:
        verb = step.verb
        if verb.whole or not isinstance(value, marks.Mapping):
            main = verb.main
            if isinstance(value, marks.Scalar) and verb.main_digits and value.text[:1].isdigit():
                main = verb.main_digits
            if not main:
                known = ", ".join([*verb.options, *verb.outcomes])
                hint = f"its keys: {known}" if known else f"write it alone: - {verb.name}"
                self.report.add("RD023", value, f"{verb.name} takes no single value", hint)
                return
            self.option(step, main, step.key, value, flow, depth, place)
        else:
            later = OPTIONS_LATER.get(verb.name, ())
            values.known_keys(self.report, value, verb.name, [*verb.options, *verb.outcomes], later)
            for key, each in value:
                if key.text in verb.options:
                    self.option(step, key.text, key, each, flow, depth, place)
                elif key.text in verb.outcomes:
                    target = self.target(each, flow, depth, place, f"{verb.name} {key.text}")
                    if target is not None:
                        step.outs[key.text] = target
        self.required(step)
        if verb.name == "repeat":
            self.rounds(step, place)

    def rounds(self, step: DraftStep, place: str) -> None:
        """The list below `repeat` ends with a step that decides whether it begins once more."""
        body = step.outs.get("steps")
        if body is None:
            return
        inner = (self.draft.waits if place == "wait" else self.draft.flows)[body.flow]
        options = {name: step.options[name] for name in ROUND.options if name in step.options}
        step.options.pop("until", None)  # read at the end of each round, when its variables are set
        outs = {"exhausted": step.outs.pop("exhausted")} if "exhausted" in step.outs else {}
        inner.steps.append(DraftStep(ROUND, step.node, step.key, options, outs))

    def required(self, step: DraftStep) -> None:
        verb = step.verb
        for name, option in verb.options.items():
            if option.required and name not in step.options:
                self.report.add("RD022", step.key, f"{verb.name} needs {name}:", f"add {name}: below {verb.name}:")
        for name, needed in verb.outcomes.items():
            if needed and name not in step.outs:
                message = f"{verb.name} doesn't say what happens when it ends with {name}"
                self.report.add("RD052", step.key, message, f"add {name}: with a flow or a list of steps")

    def option(
        self,
        step: DraftStep,
        name: str,
        key: marks.Scalar,
        value: marks.Node,
        flow: DraftFlow,
        depth: int,
        place: str,
    ) -> None:
        kind = step.verb.options[name].kind
        step.options[name] = value
        if kind == "choices":
            self.choices(step, value, flow, depth, place, keys=True)
        elif kind == "cases":
            self.choices(step, value, flow, depth, place, keys=False)
        elif kind == "branches":
            self.branches(step, value, flow, depth, place)
        elif kind == "shares":
            self.branches(step, value, flow, depth, place, word="share")
        elif kind == "body" and not isinstance(value, marks.Sequence):
            hint = "each step stands in a line that begins with '- '"
            self.report.add("RD023", value, f"{name} of {step.verb.name} is a list of steps", hint)
        elif kind == "body":
            target = self.target(value, flow, depth, place, name)
            if target is not None:
                step.outs[name] = target

    def choices(
        self, step: DraftStep, node: marks.Node, flow: DraftFlow, depth: int, place: str, *, keys: bool
    ) -> None:
        what = "choices" if keys else "cases"
        for key, value in values.mapping(self.report, node, what) or ():
            word = read_key(self.report, key) if keys else key.text
            target = self.target(value, flow, depth, place, f"{what} {key.text}")
            if word is None or target is None:
                continue
            if word in step.choices:
                first = step.choices[word][0].line
                self.report.add("RD062", key, f"the key {key.text} stands here twice (first in line {first})")
                continue
            step.choices[word] = (key, target)

    def branches(
        self, step: DraftStep, node: marks.Node, flow: DraftFlow, depth: int, place: str, *, word: str = "if"
    ) -> None:
        """The lines of `when`, and those of `split`, whose `word` is share."""
        verb = step.verb.name
        what = f"a line of {verb}"
        if not isinstance(node, marks.Sequence):
            hint = f"write: {verb}: and below it - {word}: … with then: …"
            kind = "conditions" if word == "if" else f"{word}s"
            self.report.add("RD023", node, f"{verb} holds a list of {kind}, not {values.kind_of(node)}", hint)
            return
        for number, item in enumerate(node.items):
            line = values.mapping(self.report, item, what)
            if line is None:
                continue
            otherwise = line.entries.get("else")
            if otherwise is not None and len(line.entries) == 1:
                if number + 1 < len(node.items):
                    self.report.add("RD023", line.keys["else"], f"else is the last line of {verb}")
                target = self.target(otherwise, flow, depth, place, "else")
                if target is not None:
                    step.branches.append(Branch(None, target))
                continue
            values.known_keys(self.report, line, what, (word, "then"))
            condition = values.scalar(self.report, line.entries.get(word), word)
            if word not in line.entries or "then" not in line.entries:
                self.report.add("RD022", line, f"{what} has {word}: and then:", "or else: alone, as the last line")
                continue
            target = self.target(line.entries["then"], flow, depth, place, "then")
            if condition is not None and target is not None:
                step.branches.append(Branch(condition, target))

    def target(self, node: marks.Node, flow: DraftFlow, depth: int, place: str, what: str) -> Target | None:
        """A word goes there; a list stays here and becomes a flow `parent#n`."""
        if isinstance(node, marks.Scalar):
            if values.computed(self.report, node, "a flow"):
                return None
            return Target(node.text, node)
        if isinstance(node, marks.Mapping):
            hint = "write the name of a flow, or a list of steps, each with '- '"
            self.report.add("RD023", node, f"{what} leads to a flow or holds steps, not a mapping", hint)
            return None
        if depth > nesting_max:
            message = f"lists nested deeper than {nesting_max}"
            self.report.add("RD057", node, message, "give the inner steps a name under flows:")
            return None
        number = self.hoisted.get(flow.name, 0) + 1
        self.hoisted[flow.name] = number
        inner = DraftFlow(f"{flow.name}#{number}", flow.key, [], flow.root, flow.name)
        (self.draft.waits if place == "wait" else self.draft.flows)[inner.name] = inner
        self.steps(node, inner, depth + 1, place)
        return Target(inner.name, node, inline=True)


def read_key(report: Report, key: marks.Scalar) -> str | None:
    """The digits behind a key: `1`, `21`, `star`, `hash`."""
    pressed = KEY_NAMES.get(key.text, key.text)
    if _KEY.fullmatch(pressed) is None:
        hint = did_you_mean(key.text, KEY_NAMES, otherwise="0 to 9, star, hash, or several digits as in 21")
        report.add("RD063", key, f"{key.text!r} is no key of a phone", hint)
        return None
    return pressed

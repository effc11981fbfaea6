"""What may be said at a step: its phrases, its variables' types and the words that are live everywhere, as grammars.

Each grammar lies in `Scope.grammars` under the hash of its content; a step's data name it per language: `hears` while
it asks, `asks` while it asks whether it has understood.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec

from engine import marks
from engine.dialplan import grammars_reader, keyed, phrase_reader, types, values
from engine.dialplan.drafts import Draft, DraftStep, Target
from engine.dialplan.findings import Report, did_you_mean
from engine.dialplan.grammars_reader import Named, NamedSlot
from engine.dialplan.phrase_reader import Phrases, checked
from engine.dialplan.speech_model import SECRETS
from engine.errors import SpeechError
from engine.speech import grammar_net, net, notation, universal
from engine.speech.grammar import Grammar, Line, Slot

if TYPE_CHECKING:
    from engine.dialplan.linker import Linker

WAIT_ACCEPT = 70  # percent, in a queue: who is taken out of it by mistake has lost more than who says it again
ACCEPT, SURE = 50, 80  # percent: below the one it is no match, below the other the caller is asked
ALWAYS = (universal.PERSON, universal.AGAIN, universal.HELP)
ONLY_SPEECH = (
    "no_match", "rephrased", "by_keys", "help", "heard", "sure", "accept", "person", "phrases", "grammar", "one_of",
)  # fmt: skip
NOT_UNDERSTOOD = "did_not_catch"  # stock words
PHONE = (3, 15)  # digits of a telephone number, E.164
today = "system.today"
OPEN = Slot("choice", open_list=True)  # its values come with the call


def key_of(grammar: Grammar) -> str:
    """The name of a grammar: the hash of its content."""
    return blake2b(msgspec.msgpack.encode(grammar), digest_size=8).hexdigest()


def keep(linker: Linker, grammar: Grammar) -> str:
    """Its key; the grammar lies in the scope from now on, with the site's own pronunciations of its words."""
    own = linker.scope.words.get(grammar.language)
    if own:
        try:
            words = net.vocabulary(grammar_net.build(grammar))
        except SpeechError:  # of a list that only the call knows, or of no built-in slots
            words = list(own)
        grammar = msgspec.structs.replace(grammar, words={word: own[word] for word in words if word in own})
    key = key_of(grammar)
    linker.scope.grammars[key] = grammar
    return key


# --- whom a caller reaches who asks for somebody -----------------------------------------------------------------
def person(linker: Linker, step: DraftStep, home: Draft, prefix: str) -> str:
    """The flow behind "agent" and "operator"; '' when the dialplan says, with a reason, that there is none."""
    node = step.options.get("person") or home.person or linker.draft.person
    report = linker.report
    if node is None:
        found = linker.always.get("0", "")
        if not found and not linker.draft.broken:
            hint = "add person: FLOW at the top (or always: {0: FLOW}), or person: {none: why there is nobody}"
            report.add("RD283", step.key, f"who says “operator” in this {step.verb.name} reaches nobody", hint)
        return found
    if isinstance(node, marks.Mapping):
        values.known_keys(report, node, "person", ("none",))
        reason = values.prose(report, node.entries.get("none"), "person none")
        if "none" not in node.entries or (reason is not None and not reason.text.strip()):
            report.add("RD283", node, "who asks for a person is refused without a reason", "write {none: the reason}")
        return ""
    word = values.scalar(report, node, "person")
    if word is None or values.computed(report, word, "a flow"):
        return ""
    if word.text == "none":
        report.add("RD283", word, "who asks for a person is refused without a reason", "write person: {none: WHY}")
        return ""
    return linker.resolve(Target(word.text, word), home, prefix, again=False)


# --- grammars by name ----------------------------------------------------------------------------------------------
def named(linker: Linker, step: DraftStep) -> Named:
    """The grammar of grammars.yaml that a step names; an empty one when it names none."""
    word = values.scalar(linker.report, step.options.get("grammar"), "grammar")
    if word is None:
        return Named("")
    held = linker.scope.named
    if word.text not in held and linker.scope.complete:
        hint = did_you_mean(word.text, held, otherwise="grammars stand in grammars.yaml, under grammars:")
        linker.report.add("RD287", word, f"no grammar {word.text!r}", hint)
    return held.get(word.text) or Named("")


def _with(
    of: Named, language: str, lines: Iterable[Line], slots: dict[str, Slot] | None = None, *, any_order: bool = False
) -> Grammar:
    """A grammar with the polite words of a named one."""
    polite = tuple(word.text for word in of.polite.get(language, ()))
    if of.any_order is not None and slots:
        any_order = of.any_order
    return Grammar(language, tuple(lines), slots or {}, fillers=of.fillers, any_order=any_order, polite=polite)


_TYPES = {
    "digits": ("digits", "phone"), "number": ("number",), "date": ("date",), "time": ("time",), "yes_no": ("flag",),
    "amount": ("money",), "spelled": ("text",), "choice": ("choice",),
}  # fmt: skip


def _fits(linker: Linker, step: DraftStep, of: Named, name: str, kind: types.Type) -> dict[str, Phrases]:
    """What a grammar's slot says of the values of a variable -> their phrases; a finding when it is of another type."""
    slot = of.slots.get(name)
    if slot is None:
        return {}
    held = grammars_reader.values_of(linker.scope.named, slot)
    message = ""
    if slot.plain is not None:
        message = "" if kind.kind in _TYPES[slot.plain.kind] else f"the grammar takes a {slot.plain.kind} for ${name}"
    elif held and kind.kind == "choice":
        strange = [value for value in held if value not in kind.words]
        message = f"the grammar knows {strange[0]!r} as a ${name}, which the variable doesn't" if strange else ""
    elif held or slot.type != kind:
        message = f"the grammar takes {f'one of {len(held)} values' if held else f'a {slot.type}'} for ${name}"
    if message:
        place = step.options.get("grammar", step.key)
        linker.report.add("RD288", place, message, f"${name} is declared as {kind}: make the two alike")
    return held


# --- phrases -------------------------------------------------------------------------------------------------------
def _universal(language: str, names: Iterable[str], own: dict[str, list[str]]) -> list[Line]:
    """The words that are live everywhere, with those that the dialplan adds under their names."""
    lines = []
    for name in names:
        phrases = [*own.get(name, ()), *universal.words(language, name)]
        lines += [Line(phrase, name) for phrase in dict.fromkeys(phrases)]
    return lines


def _own(linker: Linker, home: Draft, language: str, names: Iterable[str]) -> dict[str, list[str]]:
    held = {name: home.phrases.get(name, {}).get(language, []) for name in names}
    return {name: checked(linker.report, words, language) for name, words in held.items()}


def _live(linker: Linker, home: Draft, language: str, data: dict[str, Any], taken: Iterable[str] = ()) -> list[Line]:
    names = [name for name in ALWAYS if name not in tuple(taken)]
    if not data.get("person"):
        names = [name for name in names if name != universal.PERSON]
    if "help" not in data:
        names = [name for name in names if name != universal.HELP]
    return _universal(language, names, _own(linker, home, language, names))


def _answers(linker: Linker, language: str) -> list[Line]:
    return _universal(language, (universal.YES, universal.NO), {})


# --- the steps -----------------------------------------------------------------------------------------------------
def listens(linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any]) -> bool:
    """Does this step listen to words? Then its person and thresholds are in `data`."""
    if not data.pop("listen", False):
        for name in ONLY_SPEECH:
            if name in step.options:
                message = f"{name} is for steps that listen to words"
                linker.report.add("RD289", step.options[name], message, "add listen: [keys, speech], or remove it")
        return False
    secret = next((name for name in _secrets(linker, step)), "") if SECRETS in linker.scope.speech else ""
    if secret:
        message = f"{secret} is a secret, which may not be spoken here (speech: {SECRETS}: none)"
        linker.report.add("RD291", step.options["listen"], message, "remove listen:, or let the site allow it")
    data.setdefault("accept", ACCEPT)
    data.setdefault("sure", max(SURE, data["accept"]))
    if data["sure"] < data["accept"]:
        message = f"sure from {data['sure']} % on, but taken at all from {data['accept']} % on"
        linker.report.add("RD024", step.options["sure"], message, "sure: is the higher of the two")
    data["person"] = person(linker, step, home, prefix)
    if "no_match" not in data:
        heard = {
            each: linker.scope.catalogue.find(linker.scope.tenant, each, NOT_UNDERSTOOD)
            for each in linker.context.languages
        }
        if all(heard.values()):  # else what is said after a wrong key
            data["no_match"] = {each: list(found.parts) for each, found in heard.items() if found is not None}
    return True


def _secrets(linker: Linker, step: DraftStep) -> list[str]:
    """The sensitive variables that a step fills."""
    slots, into = step.options.get("slots"), step.options.get("into")
    names = list(slots.entries) if isinstance(slots, marks.Mapping) else []
    names += [into.text] if isinstance(into, marks.Scalar) else []
    held = linker.context.declared
    return [name for name in names if name in held and held[name].sensitive]


def menu(
    linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str]
) -> None:
    """Grammars of a menu: `intents` leads from what was said to the key that does the same."""
    if linker.exits is not None:
        _while_waiting(linker, step, home, data)
        return
    if not listens(linker, step, home, prefix, data):
        return
    report, languages = linker.report, linker.context.languages
    own = phrase_reader.read(report, step.options.get("phrases"), languages, "phrases")
    of = named(linker, step)
    if of.sentences:
        message = f"the grammar {of.name} doesn't say what its sentences mean: a menu can't choose by them"
        report.add("RD288", step.options["grammar"], message, "write its phrases as {choice: [words]}")
    intents: dict[str, str] = {}
    phrases: dict[str, Phrases] = {}
    for key, (node, target) in step.choices.items():
        beside = own.pop(node.text, None)
        name = node.text if target.inline else target.flow.replace(".", "_")
        intents[name] = key
        shared = of.meanings.get(node.text) or of.meanings.get(name)
        at_top = {} if target.inline else home.phrases.get(target.flow, {})
        phrases[name] = beside if beside is not None else shared or at_top
    for name in own:
        place = step.options["phrases"]
        if isinstance(place, marks.Mapping):
            report.add("RD063", place.keys[name], f"{name} is no choice of this menu", "write the key of a choice")
    hears: dict[str, str] = {}
    asks: dict[str, str] = {}
    for language in languages:
        lines: list[Line] = []
        for name, key in intents.items():
            said = checked(report, phrases[name].get(language, ()), language)
            live = universal.words(language, name) if name in ALWAYS else ()
            if not said and not live and not linker.draft.broken:
                message = f"nobody can say what leads to {name} in {language}"
                hint = f"add to phrases: {name}: [the words]" if not step.choices[key][1].inline else "add phrases:"
                report.add("RD282", step.choices[key][0], message, hint)
            lines += [Line(phrase, name) for phrase in dict.fromkeys([*said, *live])]
        unlike(report, step.key, lines, language)
        live_lines = _live(linker, home, language, data, intents)
        hears[language] = keep(linker, _with(of, language, (*lines, *live_lines)))
        if "confirm" in data or "heard" in data:
            again = [Line(universal.correcting(language, f"({each.phrase})"), f"no, {each.intent}") for each in lines]
            asks[language] = keep(linker, _with(of, language, (*_answers(linker, language), *again, *live_lines)))
    data["hears"], data["asks"], data["intents"] = hears, asks, intents


class WaitWords(msgspec.Struct):
    """What may be said in a wait list to leave the queue: lines per language, meaning -> key, percent."""

    lines: dict[str, list[Line]] = {}
    said: dict[str, str] = {}
    accept: int = 0


_NOT_WAITING = ("no_match", "rephrased", "by_keys", "help", "heard", "sure", "person")


def _while_waiting(linker: Linker, step: DraftStep, home: Draft, data: dict[str, Any]) -> None:
    """A menu of a wait list: its words that leave the queue are live all the time, as its keys are."""
    report, waited = linker.report, linker.words
    own = phrase_reader.read(report, step.options.get("phrases"), linker.context.languages, "phrases")
    accept = data.pop("accept", WAIT_ACCEPT)
    if not data.pop("listen", False):
        data["listen"] = False
        listens(linker, step, home, "", data)
        return
    for name in _NOT_WAITING:
        if name in step.options:
            data.pop(name, None)
            message = f"who isn't understood in a queue goes on waiting: {name} has no place in a wait list"
            report.add("RD060", step.options[name], message, f"remove {name}:")
    waited.accept = max(waited.accept, accept)
    of = named(linker, step)
    for key, (node, target) in step.choices.items():
        name = target.flow.replace(".", "_")
        leaves = not target.inline and target.flow not in ("again", "continue")
        phrases = own.get(node.text) or of.meanings.get(node.text) or of.meanings.get(name)
        phrases = phrases or home.phrases.get(target.flow, {})
        for language in linker.context.languages:
            said = checked(report, phrases.get(language, ()), language) if leaves else []
            live = universal.words(language, name) if leaves and name in ALWAYS else ()
            if not said and not live and not linker.draft.broken:
                what = "nobody can say what leads to" if leaves else "only what leaves the queue can be said, not"
                report.add("RD282", node, f"{what} {name if leaves else node.text} in {language}", "add phrases:")
            waited.said[name] = key
            waited.lines.setdefault(language, []).extend(Line(phrase, name) for phrase in dict.fromkeys([*said, *live]))


def leaving(linker: Linker, place: marks.Node) -> dict[str, str]:
    """The grammars of a wait list whose menus have been linked, by language."""
    found: dict[str, str] = {}
    for language, lines in linker.words.lines.items():
        if lines:
            unlike(linker.report, place, lines, language)
            found[language] = keep(linker, Grammar(language, tuple(dict.fromkeys(lines))))
    return found


def gather(linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], kind: types.Type) -> None:
    """Grammars of a gather: its value said alone."""
    if not listens(linker, step, home, prefix, data):
        return
    name = data.get("into")
    if name is None:
        return
    of = named(linker, step)
    own = phrase_reader.read(linker.report, step.options.get("phrases"), linker.context.languages, "phrases")
    phrases = {**of.meanings, **_fits(linker, step, of, name, kind), **own}
    hears: dict[str, str] = {}
    asks: dict[str, str] = {}
    for language in linker.context.languages:
        bounds = (data["min"], data["max"])
        place = step.options.get("into", step.key)
        slot = OPEN if data.get("lists") else slot_of(linker, place, kind, bounds, phrases, home, language)
        if slot is None:
            return
        live = _live(linker, home, language, data)
        said = checked(linker.report, of.sentences.get(language, ()), language, (name,))
        lines = [Line(phrase, "") for phrase in dict.fromkeys((f"${name}", *said))]
        hears[language] = keep(linker, _with(of, language, (*lines, *live), {name: slot}))
        if "confirm" in data or "heard" in data:
            right = Line(universal.correcting(language, f"${name}"), universal.NO)
            answers = (*_answers(linker, language), right, *live)
            asks[language] = keep(linker, _with(of, language, answers, {name: slot}))
    data["hears"], data["asks"] = hears, asks
    if kind.kind == "date":
        linker.context.want(today)


def sentence(linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any]) -> None:
    """Grammars of an `ask`: sentences with its slots, each slot alone, strung together in any order; and what may be
    said when it is all said back."""
    slots = step.options.get("slots")
    written = [key.text for key, _ in slots] if isinstance(slots, marks.Mapping) else []
    names = [name for name in written if name in linker.context.types]
    data["names"] = names
    if not data.get("listen"):
        message = "a sentence with several values can only be said"
        linker.report.add("RD022", step.key, message, "add listen: [keys, speech]")
        return
    if not listens(linker, step, home, prefix, data):
        return
    report, languages = linker.report, linker.context.languages
    node = step.options.get("phrases")
    phrases = phrase_reader.one(report, node, languages, "phrases") if node is not None else {}
    of = named(linker, step)
    chosen = {name: _of_slot(linker, step, of, name) for name in names}
    lists = _lists(linker, slots)
    if lists:
        data["lists"] = lists
    data["hears"], data["asks"] = {}, {}
    data["sensitive"] = any(linker.context.declared[name].sensitive for name in names)
    for language in languages:
        kinds: dict[str, Slot] = {}
        for name in names:
            kind, place = linker.context.types[name], slots.keys[name] if isinstance(slots, marks.Mapping) else step.key
            bounds = _bounds(slots, name, kind)
            slot = OPEN if name in lists else slot_of(linker, place, kind, bounds, chosen[name], home, language)
            if slot is None:
                return
            kinds[name] = slot
            if kind.kind == "date":
                linker.context.want(today)
        sentences = [*phrases.get(language, ()), *of.sentences.get(language, ())]
        said = checked(report, sentences, language, written)
        said += [f"${name}" for name in names]
        live = _live(linker, home, language, data)
        lines = [Line(phrase, "") for phrase in dict.fromkeys(said)]
        data["hears"][language] = keep(linker, _with(of, language, (*lines, *live), kinds, any_order=True))
        right = [Line(universal.correcting(language, each.phrase), universal.NO) for each in lines]
        answers = (*_answers(linker, language), *right, *live)
        data["asks"][language] = keep(linker, _with(of, language, answers, kinds))


def _bounds(slots: marks.Node | None, name: str, kind: types.Type) -> tuple[int, int]:
    """How many digits or letters a slot of an `ask` has: as it says itself, where its gather takes that, else its
    type."""
    form = slots.entries.get(name) if isinstance(slots, marks.Mapping) else None
    said = {each: values.field(form, each) for each in ("exact", "min", "max")}
    counts = {each: int(text) for each, text in said.items() if text.isdecimal() and len(text) < 4}
    low = counts.get("exact", counts.get("min", kind.low or 1))
    return low, max(low, counts.get("exact", counts.get("max", kind.high or types.digits_max)))


def _lists(linker: Linker, slots: marks.Node | None) -> dict[str, str]:
    """Slot of an `ask` -> the variable that holds the list of its values. Its gather says what is wrong with it."""
    found: dict[str, str] = {}
    for key, form in slots if isinstance(slots, marks.Mapping) else ():
        node = form.entries.get("one_of") if isinstance(form, marks.Mapping) else None
        name = node.text.removeprefix("$") if isinstance(node, marks.Scalar) else ""
        if node is not None and linker.context.types.get(name) == types.TEXT:
            linker.context.read(name, node)
            found[key.text] = name
    return found


def _of_slot(linker: Linker, step: DraftStep, of: Named, name: str) -> dict[str, Phrases]:
    """What may be said for a slot of an `ask` that is a choice: as the slot says, else as the grammar."""
    slots = step.options.get("slots")
    form = slots.entries.get(name) if isinstance(slots, marks.Mapping) else None
    own: dict[str, Phrases] = {}
    if isinstance(form, marks.Mapping):
        own = phrase_reader.read(linker.report, form.entries.get("phrases"), linker.context.languages, "phrases")
        word = form.entries.get("grammar")
        other = linker.scope.named.get(word.text) if isinstance(word, marks.Scalar) else None  # told at its gather
        own = {**(other.meanings if other is not None else {}), **own}
    return {**_fits(linker, step, of, name, linker.context.types[name]), **own}


def slot_of(
    linker: Linker, place: marks.Node, kind: types.Type, bounds: tuple[int, int], phrases: dict[str, Phrases],
    home: Draft, language: str,
) -> Slot | None:  # fmt: skip
    """How a value of this type is said; None after a finding."""
    choices: dict[str, list[str]] = {}
    for word in kind.words if kind.kind == "choice" else ():
        held = phrases.get(word) or home.phrases.get(word, {})
        choices[word] = checked(linker.report, held.get(language, ()), language)
    slot = of_type(kind, bounds, choices)
    if slot is None:
        message = f"a {kind} can't be said"
        linker.report.add("RD284", place, message, f"say one of: {', '.join(keyed.KINDS)}")
    return slot


def of_type(kind: types.Type, bounds: tuple[int, int], choices: dict[str, list[str]]) -> Slot | None:
    """The slot for a type, None when no value of it can be said. `choices`: phrases for the words of a choice; a word
    without any is said as it is written."""
    plain = {"number": "number", "date": "date", "time": "time", "flag": "yes_no"}
    if kind.kind in plain:
        return Slot(plain[kind.kind])
    if kind.kind == "digits":
        return Slot("digits", *bounds)
    if kind.kind == "phone":
        return Slot("digits", *PHONE)
    if kind.kind == "text":
        return Slot("spelled", *bounds)
    if kind.kind == "money":
        return Slot("amount", currency=kind.words[0])
    if kind.kind == "choice":
        said = {word: tuple(choices.get(word, ())) or (word.replace("_", " "),) for word in kind.words}
        return Slot("choice", choices=said)
    return None


def alone(of: Named, held: dict[str, Named], language: str) -> Grammar:
    """A grammar of grammars.yaml by itself, as `ringdown hear` listens for it; `held`: those of its file."""
    lines = [Line(word.text, intent) for intent, each in of.meanings.items() for word in each.get(language, ())]
    lines += [Line(word.text, "") for word in of.sentences.get(language, ())]
    slots: dict[str, Slot] = {}
    for name, slot in of.slots.items():
        said = {value: [word.text for word in each.get(language, ())]
                for value, each in grammars_reader.values_of(held, slot).items()}  # fmt: skip
        made = _alone(slot, said)
        if made is not None:
            slots[name] = made
    order = bool(of.sentences) if of.any_order is None else of.any_order
    return msgspec.structs.replace(_with(of, language, lines, slots), any_order=order)


def _alone(slot: NamedSlot, said: dict[str, list[str]]) -> Slot | None:
    if slot.plain is not None:
        choices = {value: tuple(words) or (value,) for value, words in said.items()}
        return msgspec.structs.replace(slot.plain, choices=choices)
    kind = slot.type or types.Type("choice", words=tuple(said))
    return of_type(kind, (kind.low or 1, kind.high or types.digits_max), said)


# --- what sounds the same ---------------------------------------------------------------------------------------------
variants_max = 64  # of one phrase that are compared


def unlike(report: Report, place: marks.Node, lines: Iterable[Line], language: str) -> None:
    """The same words may not mean two things."""
    meant: dict[tuple[str, ...], str] = {}
    for line in lines:
        for words in variants(notation.read(line.phrase, language)):
            other = meant.setdefault(words, line.intent)
            if other != line.intent:
                said = " ".join(words)
                message = f"“{said}” means both {other} and {line.intent}"
                report.add("RD281", place, message, "say it in other words for one of them")
                return


def variants(node: notation.Node) -> list[tuple[str, ...]]:
    """What a phrase can sound like, up to `variants_max` ways; slots as their names."""
    if isinstance(node, notation.Word):
        return [(node.text,)]
    if isinstance(node, notation.SlotPlace):
        return [(f"${node.name}",)]
    if isinstance(node, notation.Choice):
        found = [words for branch in node.branches for words in variants(branch)]
        return [*found, *([()] if node.optional else [])][:variants_max]
    held: list[tuple[str, ...]] = [()]
    for part in node.parts:
        held = [(*before, *words) for before in held for words in variants(part)][:variants_max]
    return held

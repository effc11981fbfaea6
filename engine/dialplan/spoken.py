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
from engine.dialplan import keyed, options, phrase_reader, types, values
from engine.dialplan.drafts import Draft, DraftStep, Target
from engine.dialplan.findings import Report
from engine.dialplan.phrase_reader import Phrases
from engine.speech import notation, universal
from engine.speech.grammar import Grammar, Line, Slot

if TYPE_CHECKING:
    from engine.dialplan.linker import Linker

ACCEPT, SURE = 50, 80  # percent: below the one it is no match, below the other the caller is asked
ALWAYS = (universal.PERSON, universal.AGAIN, universal.HELP)
ONLY_SPEECH = ("no_match", "rephrased", "by_keys", "help", "heard", "sure", "accept", "person", "phrases")
NOT_UNDERSTOOD = "did_not_catch"  # stock words
PHONE = (3, 15)  # digits of a telephone number, E.164
today = "system.today"


def key_of(grammar: Grammar) -> str:
    """The name of a grammar: the hash of its content."""
    return blake2b(msgspec.msgpack.encode(grammar), digest_size=8).hexdigest()


def keep(linker: Linker, grammar: Grammar) -> str:
    """Its key; the grammar lies in the scope from now on."""
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


# --- phrases -------------------------------------------------------------------------------------------------------
def checked(report: Report, phrases: Iterable[marks.Scalar], language: str, slots: Iterable[str] = ()) -> list[str]:
    """Those that can be read; `slots`: the names that may stand in them behind $."""
    found = []
    known = tuple(slots)
    for word in phrases:
        try:
            tree = notation.read(word.text, language)
        except notation.NotationError as problem:
            at = options.inside(word, problem.column - 1)
            report.add("RD280", word, problem.detail, at=at, width=1)
            continue
        unknown = [name for name in notation.slots(tree) if name not in known]
        if unknown:
            named = ", ".join(f"${each}" for each in known) or "none can stand here"
            report.add("RD286", word, f"${unknown[0]} is nothing that is said here", f"slots: {named}")
            continue
        found.append(word.text)
    return found


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
    if linker.exits is not None:
        message = f"a {step.verb.name} of a wait list takes keys only"
        linker.report.add("RD060", step.options["listen"], message, "remove listen:")
        return False
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


def menu(
    linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str]
) -> None:
    """Grammars of a menu: `intents` leads from what was said to the key that does the same."""
    if not listens(linker, step, home, prefix, data):
        return
    report, languages = linker.report, linker.context.languages
    own = phrase_reader.read(report, step.options.get("phrases"), languages, "phrases")
    intents: dict[str, str] = {}
    phrases: dict[str, Phrases] = {}
    for key, (node, target) in step.choices.items():
        beside = own.pop(node.text, None)
        name = node.text if target.inline else target.flow.replace(".", "_")
        intents[name] = key
        phrases[name] = beside if beside is not None else {} if target.inline else home.phrases.get(target.flow, {})
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
        hears[language] = keep(linker, Grammar(language, (*lines, *live_lines)))
        if "confirm" in data or "heard" in data:
            again = [Line(universal.correcting(language, f"({each.phrase})"), f"no, {each.intent}") for each in lines]
            asks[language] = keep(linker, Grammar(language, (*_answers(linker, language), *again, *live_lines)))
    data["hears"], data["asks"], data["intents"] = hears, asks, intents


def gather(linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], kind: types.Type) -> None:
    """Grammars of a gather: its value said alone."""
    if not listens(linker, step, home, prefix, data):
        return
    name = data.get("into")
    if name is None:
        return
    phrases = phrase_reader.read(linker.report, step.options.get("phrases"), linker.context.languages, "phrases")
    hears: dict[str, str] = {}
    asks: dict[str, str] = {}
    for language in linker.context.languages:
        bounds = (data["min"], data["max"])
        slot = slot_of(linker, step.options.get("into", step.key), kind, bounds, phrases, home, language)
        if slot is None:
            return
        live = _live(linker, home, language, data)
        hears[language] = keep(linker, Grammar(language, (Line(f"${name}", ""), *live), {name: slot}))
        if "confirm" in data or "heard" in data:
            right = Line(universal.correcting(language, f"${name}"), universal.NO)
            lines = (*_answers(linker, language), right, *live)
            asks[language] = keep(linker, Grammar(language, lines, {name: slot}))
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
    data["hears"], data["asks"] = {}, {}
    data["sensitive"] = any(linker.context.declared[name].sensitive for name in names)
    for language in languages:
        kinds: dict[str, Slot] = {}
        for name in names:
            kind, place = linker.context.types[name], slots.keys[name] if isinstance(slots, marks.Mapping) else step.key
            slot = slot_of(linker, place, kind, (kind.low or 1, kind.high or types.digits_max), {}, home, language)
            if slot is None:
                return
            kinds[name] = slot
            if kind.kind == "date":
                linker.context.want(today)
        said = checked(report, phrases.get(language, ()), language, written)
        said += [f"${name}" for name in names]
        live = _live(linker, home, language, data)
        lines = [Line(phrase, "") for phrase in dict.fromkeys(said)]
        data["hears"][language] = keep(linker, Grammar(language, (*lines, *live), kinds, any_order=True))
        right = [Line(universal.correcting(language, each.phrase), universal.NO) for each in lines]
        answers = (*_answers(linker, language), *right, *live)
        data["asks"][language] = keep(linker, Grammar(language, answers, kinds))


def slot_of(
    linker: Linker, place: marks.Node, kind: types.Type, bounds: tuple[int, int], phrases: dict[str, Phrases],
    home: Draft, language: str,
) -> Slot | None:  # fmt: skip
    """How a value of this type is said; None after a finding."""
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
        choices = {}
        for word in kind.words:
            held = phrases.get(word) or home.phrases.get(word, {})
            said = checked(linker.report, held.get(language, ()), language)
            choices[word] = tuple(said) or (word.replace("_", " "),)
        return Slot("choice", choices=choices)
    message = f"a {kind} can't be said"
    linker.report.add("RD284", place, message, f"say one of: {', '.join(keyed.KINDS)}")
    return None


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

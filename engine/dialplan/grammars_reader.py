"""grammars.yaml: grammars by name, for menus, gathers and `ask` of every dialplan of a tenant; and how words are said.

    words: {nguyen: [like win]}                      # see `words_reader`
    grammars:
      departments: {phrases: {billing: [billing, my bill], outage: no power}}
      visit:
        phrases: ["an appointment [with $who]", "on $day"]
        slots: {who: doctors, day: date}
      doctors: {phrases: {smith: [doctor smith], jones: [doctor jones]}, fillers: [um]}
`ringdown hear --grammar` reads the same: such a file with the name of one of its grammars, or one grammar alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine import limits, marks
from engine.dialplan import phrase_reader, types, values, words_reader
from engine.dialplan.findings import Report, did_you_mean
from engine.dialplan.phrase_reader import Phrases
from engine.dialplan.words_reader import Words
from engine.speech.grammar import SLOT_KINDS, Slot

if TYPE_CHECKING:
    from engine.dialplan.model import TenantModel
    from engine.dialplan.options import Scope

KEYS_OF_FILE = ("words", "grammars", "about")
KEYS = ("phrases", "slots", "fillers", "any_order", "about")
_PLAIN = ("kind", "low", "high", "currency", "choices")  # of a slot as a recogniser knows it
SPOKEN = ("text", "digits", "number", "flag", "choice", "phone", "money", "date", "time")  # types that can be said


class NamedSlot(msgspec.Struct):
    """What `$name` stands for: a type, the values of another grammar, or (`plain`) a slot as recognisers know it."""

    place: marks.Node
    type: types.Type | None = None
    choices: dict[str, Phrases] = {}
    like: str = ""
    plain: Slot | None = None


class Named(msgspec.Struct):
    """One grammar. `meanings`: what is meant -> its phrases; `sentences`: phrases that mean what their slots say."""

    name: str
    key: marks.Scalar | None = None
    meanings: dict[str, Phrases] = {}
    sentences: Phrases = {}
    slots: dict[str, NamedSlot] = {}
    fillers: bool = True
    polite: Phrases = {}
    any_order: bool | None = None


class Grammars(msgspec.Struct):
    """What a tenant's grammars.yaml holds."""

    named: dict[str, Named] = {}
    words: Words = {}


def into(
    report: Report, scope: Scope, node: marks.Node | None, tenant: TenantModel, platform: Scope | None
) -> None:
    """A tenant's file into its scope; the words of the platform are everybody's."""
    found = read(report, node, tenant.languages, platform.words if platform is not None else {})
    scope.named, scope.words, scope.speech = found.named, found.words, tenant.speech


def read(report: Report, node: marks.Node | None, languages: tuple[str, ...], above: Words) -> Grammars:
    """A tenant's file. `above`: the words of the whole platform, before which its own come."""
    found = Grammars(words={language: dict(above.get(language, {})) for language in languages})
    root = values.mapping(report, node, "grammars.yaml")
    if root is None:
        return found
    values.known_keys(report, root, "grammars.yaml", KEYS_OF_FILE)
    for language, words in words_reader.read(report, root.entries.get("words"), languages).items():
        found.words[language].update(words)
    for key, value in values.mapping(report, root.entries.get("grammars"), "grammars") or ():
        name = values.name(report, key, "a grammar")
        form = values.mapping(report, value, f"the grammar {key.text}")
        if name is not None and form is not None:
            if name in types.KINDS:
                report.add("RD027", key, f"{name!r} is a type of variables", "call the grammar otherwise")
            values.known_keys(report, form, "a grammar", KEYS)
            found.named[name] = grammar(report, name, form, languages, key)
    check(report, found.named, languages)
    return found


def grammar(
    report: Report, name: str, form: marks.Mapping, languages: tuple[str, ...], key: marks.Scalar | None = None
) -> Named:
    """One grammar as written; `check` looks at its phrases once all of them are known."""
    made = Named(name, key)
    phrases = form.entries.get("phrases")
    if phrases is None:
        report.add("RD022", key or form, f"the grammar {name} holds no phrases", "add phrases: {meaning: [the words]}")
    elif isinstance(phrases, marks.Mapping) and any(each not in languages for each in phrases.entries):
        made.meanings = phrase_reader.read(report, phrases, languages, f"phrases of {name}")
    else:
        made.sentences = phrase_reader.one(report, phrases, languages, f"phrases of {name}")
    for each, value in values.mapping(report, form.entries.get("slots"), f"slots of {name}") or ():
        if types.WORD.fullmatch(each.text) is None:
            report.add("RD027", each, f"{each.text!r} is not a name for a slot", "small letters, digits and _")
            continue
        slot = _slot(report, each, value, languages)
        if slot is not None:
            made.slots[each.text] = slot
    fillers = form.entries.get("fillers")
    if isinstance(fillers, marks.Scalar) and fillers.text in types.FLAGS:
        made.fillers = types.FLAGS[fillers.text]
    elif fillers is not None:
        made.polite = phrase_reader.one(report, fillers, languages, f"fillers of {name}")
    made.any_order = values.flag(report, form.entries.get("any_order"), f"any_order of {name}")
    return made


def _slot(report: Report, key: marks.Scalar, node: marks.Node, languages: tuple[str, ...]) -> NamedSlot | None:
    """`day: date`, `who: doctors`, `who: {smith: [doctor smith]}`, or `{kind: digits, low: 4, high: 4}`."""
    if isinstance(node, marks.Mapping):
        if "kind" in node.entries and all(each in _PLAIN for each in node.entries):
            return _plain_slot(report, node, languages)
        return NamedSlot(key, types.Type("choice", words=tuple(node.entries)),
                         phrase_reader.read(report, node, languages, f"slot {key.text}"))  # fmt: skip
    text = values.scalar(report, node, f"the slot {key.text}")
    if text is None:
        return None
    if text.text.split()[:1] and text.text.split()[0] not in types.KINDS:
        return NamedSlot(text, like=text.text)
    try:
        declared = types.declare(text.text)
    except types.TypeProblem as problem:
        report.add("RD073", text, str(problem))
        return None
    if declared.type.kind not in SPOKEN:
        report.add("RD284", text, f"a {declared.type} can't be said", f"say one of: {', '.join(SPOKEN)}")
        return None
    return NamedSlot(text, declared.type)


def _plain_slot(report: Report, node: marks.Mapping, languages: tuple[str, ...]) -> NamedSlot | None:
    entries = node.entries
    kind = values.choice(report, entries.get("kind"), "kind", SLOT_KINDS, "RD073")
    low = values.number(report, entries.get("low"), "low", -999_999_999, 999_999_999)
    high = values.number(report, entries.get("high"), "high", -999_999_999, 999_999_999)
    currency = values.scalar(report, entries.get("currency"), "currency")
    choices = phrase_reader.read(report, entries.get("choices"), languages, "choices")
    if kind is None:
        return None
    plain = Slot(kind, low or 0, high or 0, currency.text if currency is not None else "")
    return NamedSlot(node, choices=choices, plain=plain)


def check(report: Report, named: dict[str, Named], languages: tuple[str, ...]) -> None:
    """Drop and tell the phrases that can't be read, and slots that name no grammar; too many phrases in all."""
    total = 0
    for each in named.values():
        slots = tuple(each.slots)
        for name, slot in list(each.slots.items()):
            other = named.get(slot.like)
            if slot.like and (other is None or not other.meanings) and isinstance(slot.place, marks.Scalar):
                what = "holds no meanings" if other is not None else "is neither a type nor a grammar of this file"
                hint = did_you_mean(slot.like, [*types.KINDS, *(key for key, held in named.items() if held.meanings)])
                report.add("RD287", slot.place, f"{slot.like!r} {what}", hint)
                del each.slots[name]
        for language in languages:
            _readable(report, each.sentences, language, slots)
            _readable(report, each.polite, language, ())
            for phrases in each.meanings.values():
                _readable(report, phrases, language, slots)
            for slot in each.slots.values():
                for phrases in slot.choices.values():
                    _readable(report, phrases, language, ())
        held = [each.sentences, *each.meanings.values()]
        total += sum(len(words) for phrases in held for words in phrases.values())
        if total > limits.named_phrases_max and each.key is not None:
            report.add("RD024", each.key, f"more than {limits.named_phrases_max} phrases in all grammars together")
            return


def _readable(report: Report, phrases: Phrases, language: str, slots: tuple[str, ...]) -> None:
    if language in phrases:
        good = phrase_reader.checked(report, phrases[language], language, slots)
        phrases[language] = [word for word in phrases[language] if word.text in good]


def values_of(named: dict[str, Named], slot: NamedSlot) -> dict[str, Phrases]:
    """What a choice of a slot may be -> the phrases for it."""
    return named[slot.like].meanings if slot.like and slot.like in named else slot.choices

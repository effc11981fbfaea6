"""NAME.speech.yaml -> `Corpus`, with findings as `ringdown check` gives them.

    ringdown: 1
    noise: [clean, pink 20]
    utterances:
      - at: choose
        say: [billing, "I'd like to pay a bill, please"]
        intent: billing
      - at: account
        say: one two double three
        slots: {code: 1233}
      - {at: choose, say: the weather is nice, expect: no match}
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from engine import marks
from engine.dialplan import types, values
from engine.dialplan.corpus import (
    LEVEL_DBFS,
    MATCH,
    NO_INPUT,
    NO_MATCH,
    NOISES,
    TODAY,
    Condition,
    Corpus,
    Needs,
    Said,
    dialplan_of,
)
from engine.dialplan.corpus_places import CONFIRM
from engine.dialplan.findings import Finding, Report, did_you_mean
from engine.dialplan.flow_reader import check_format
from engine.speech.grammar import Grammar, Slot

# step -> language -> key of a grammar
Places = Mapping[str, Mapping[str, str]]

FILE_KEYS = ("ringdown", "about", "today", "language", "voices", "noise", "level", "needs", "utterances")
SHARED = ("language", "voices", "noise", "level")
KEYS = ("at", "say", "file", "text", "intent", "slots", "expect", "lists", *SHARED)
EXPECTED = {"match": MATCH, "no match": NO_MATCH, "no input": NO_INPUT}
ENGINES = ("espeak-ng", "flite", "festival")
NEEDS = ("intents", "slots", "false_accepts")
utterances_max = 5_000
_NOISE = re.compile(r"([a-z]+) ([0-9]{1,2})")


class _Shared(msgspec.Struct, frozen=True):
    """What holds for all utterances of a file unless one says otherwise."""

    language: str = ""
    voices: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = (Condition(), Condition("pink", 20))
    levels: tuple[int, ...] = (LEVEL_DBFS,)


class _Reader:
    def __init__(self, report: Report, places: Places, grammars: Mapping[str, Grammar], base: str) -> None:
        self.report, self.places, self.grammars, self.base = report, places, grammars, base
        self.flows: dict[str, list[str]] = {}
        for step in places:
            head, confirm, whole = step.rpartition(CONFIRM)
            self.flows.setdefault(head + confirm + whole.partition("/")[0].partition("#")[0], []).append(step)

    # --- what may stand above all utterances, or in one
    def shared(self, form: marks.Mapping, above: _Shared) -> _Shared:
        found = above
        language = values.scalar(self.report, form.entries.get("language"), "language")
        if language is not None:
            found = msgspec.structs.replace(found, language=language.text)
        if "voices" in form.entries:
            words = values.scalars(self.report, form.entries["voices"], "voices")
            found = msgspec.structs.replace(found, voices=tuple(word.text for word in words if self.voice(word)))
        if "noise" in form.entries:
            made = [self.noise(word) for word in values.scalars(self.report, form.entries["noise"], "noise")]
            kept = tuple(dict.fromkeys(each for each in made if each is not None))
            found = msgspec.structs.replace(found, conditions=kept or above.conditions)
        if "level" in form.entries:
            read = [self.level(word) for word in values.scalars(self.report, form.entries["level"], "level")]
            loud = tuple(dict.fromkeys(each for each in read if each is not None))
            found = msgspec.structs.replace(found, levels=loud or above.levels)
        return found

    def voice(self, word: marks.Scalar) -> bool:
        engine, _, name = word.text.partition(" ")
        if engine in ENGINES and name.strip():
            return True
        hint = did_you_mean(engine, ENGINES) if engine not in ENGINES else "as in flite slt"
        self.report.add("RD317", word, f"{word.text!r} is no voice: a synthesiser and its voice's name", hint)
        return False

    def noise(self, word: marks.Scalar) -> Condition | None:
        if word.text == "clean":
            return Condition()
        match = _NOISE.fullmatch(word.text)
        if match is not None and match[1] in NOISES:
            return Condition(match[1], int(match[2]))
        hint = did_you_mean(word.text.partition(" ")[0], (*NOISES, "clean"))
        message = f"{word.text!r} is no noise: clean, or a noise and how many dB it lies under the voice, as in pink 20"
        self.report.add("RD317", word, message, hint)
        return None

    def level(self, word: marks.Scalar) -> int | None:
        if re.fullmatch(r"-[0-9]{1,2}", word.text) is None or not -50 <= int(word.text) <= -6:
            self.report.add("RD317", word, f"level is from -50 to -6 (dBFS of the speech), not {word.text!r}")
            return None
        return int(word.text)

    # --- an utterance
    def utterance(self, item: marks.Node, above: _Shared) -> Said | None:
        form = values.mapping(self.report, item, "an utterance")
        if form is None:
            return None
        before = self.report.errors
        values.known_keys(self.report, form, "an utterance", KEYS)
        shared = self.shared(form, above)
        expected = values.choice(self.report, form.entries.get("expect"), "expect", EXPECTED, "RD317")
        if self.report.errors > before:
            return None
        result = EXPECTED[expected] if expected is not None else MATCH
        at = self.at(form)
        language = shared.language or self.base
        if at is not None and language not in self.places[at]:
            known = ", ".join(self.places[at])
            node = form.keys.get("language", form)
            self.report.add("RD318", node, f"{at} doesn't listen in {language!r}, only in {known}", "name language:")
            at = None
        texts = tuple(each.text for each in values.scalars(self.report, form.entries.get("say"), "say"))
        file = values.scalar(self.report, form.entries.get("file"), "file")
        self.sources(form, texts, file, result)
        if at is None or self.report.errors > before:
            return None
        grammar = self.grammars[self.places[at][language]]
        lists = self.lists(form, grammar)
        said = Said(
            form.file, form.line, form.column, at, self.places[at][language], language, texts,
            file.text if file is not None else "", result, self.intent(form, grammar, result),
            self.slots(form, grammar, result, lists), shared.voices, shared.conditions, shared.levels, lists,
        )  # fmt: skip
        return None if self.report.errors > before else said

    def at(self, form: marks.Mapping) -> str | None:
        """The step that is meant: by its id, or by its flow when it is the only one there that listens to speech."""
        word = values.scalar(self.report, form.entries.get("at"), "at")
        if word is None:
            if "at" not in form.entries:
                self.report.add("RD317", form, "an utterance says where: at:", "add at: and the flow that listens")
            return None
        if word.text in self.places:
            return word.text
        steps = self.flows.get(word.text, [])
        if len(steps) == 1:
            return steps[0]
        if steps:
            message = f"{word.text!r} listens in {len(steps)} steps"
            self.report.add("RD318", word, message, "name one: " + ", ".join(steps))
        else:
            hint = did_you_mean(word.text, [*self.flows, *self.places], otherwise="a step has listen: [keys, speech]")
            self.report.add("RD318", word, f"nothing at {word.text!r} listens to speech", hint)
        return None

    def sources(
        self, form: marks.Mapping, texts: tuple[str, ...], file: marks.Scalar | None, result: str
    ) -> None:
        if "say" in form.entries and file is not None:
            self.report.add("RD317", form.keys["file"], "either say: or file:, not both", "write two utterances")
        elif not texts and file is None and result != NO_INPUT:
            self.report.add("RD317", form, "nothing is said here", "add say: with words, or file: with a recording")
        elif texts and result == NO_INPUT:
            self.report.add("RD317", form.keys["say"], "who speaks gives input", "expect: no match, or leave say: out")
        if file is not None and (file.text.startswith("/") or ".." in file.text.split("/")):
            self.report.add("RD317", file, f"{file.text!r} leaves the site's folder", "put the recording into it")
        if "text" in form.entries and "file" not in form.entries:
            hint = "what is to be spoken stands behind say:"
            self.report.add("RD317", form.keys["text"], "text: says what is heard in file:", hint)
        for key in ("intent", "slots"):
            if key in form.entries and result != MATCH:
                self.report.add("RD317", form.keys[key], f"what isn't understood has no {key}", f"remove {key}:")
        if result == MATCH and "intent" not in form.entries and "slots" not in form.entries:
            hint = "add intent: or slots:, or expect: no match"
            self.report.add("RD317", form, "the utterance doesn't say what shall be understood", hint)

    def intent(self, form: marks.Mapping, grammar: Grammar, result: str) -> str:
        word = values.scalar(self.report, form.entries.get("intent"), "intent")
        if word is None or result != MATCH:
            return ""
        known = list(dict.fromkeys(line.intent for line in grammar.lines))
        if word.text not in known:
            self.report.add("RD319", word, f"nothing there means {word.text!r}", did_you_mean(word.text, known))
        return word.text

    def lists(self, form: marks.Mapping, grammar: Grammar) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for key, value in values.mapping(self.report, form.entries.get("lists"), "lists") or ():
            slot = grammar.slots.get(key.text)
            if slot is None or not slot.open_list:
                known = [name for name, each in grammar.slots.items() if each.open_list]
                message = f"{key.text!r} is no slot whose list comes with the call"
                self.report.add("RD319", key, message, did_you_mean(key.text, known))
            else:
                found[key.text] = tuple(each.text for each in values.scalars(self.report, value, key.text))
        return found

    def slots(
        self, form: marks.Mapping, grammar: Grammar, result: str, lists: dict[str, tuple[str, ...]]
    ) -> dict[str, types.Value] | None:
        table = values.mapping(self.report, form.entries.get("slots"), "slots")
        if table is None or result != MATCH:
            return None
        found: dict[str, types.Value] = {}
        for key, value in table:
            text = values.scalar(self.report, value, key.text)
            slot = grammar.slots.get(key.text)
            if slot is None:
                message = f"nothing there fills {key.text!r}"
                self.report.add("RD319", key, message, did_you_mean(key.text, grammar.slots))
            elif text is not None:
                try:
                    found[key.text] = value_of(text.text, slot, lists.get(key.text, ()))
                except types.TypeProblem as problem:
                    self.report.add("RD319", text, str(problem))
        return found


def value_of(text: str, slot: Slot, listed: tuple[str, ...] = ()) -> types.Value:
    """What a slot holds when it was heard as `text` is written in a corpus. Raises TypeProblem."""
    if slot.kind == "yes_no":
        return types.literal(text, types.FLAG)
    if slot.kind == "number":
        return types.literal(text, types.NUMBER)
    if slot.kind == "amount":
        return types.money_of(text, types.money(slot.currency or text.rpartition(" ")[2]))
    if slot.kind == "date":
        return types.date_of(text)
    if slot.kind == "time":
        return types.time_of(text)
    if slot.kind in ("digits", "spelled"):
        what = "digits" if slot.kind == "digits" else "letters"
        if re.fullmatch("[0-9]+" if slot.kind == "digits" else "[a-zA-Z0-9]+", text) is None:
            raise types.TypeProblem(f"{text!r} are no {what}")
        if slot.high and not slot.low <= len(text) <= slot.high:
            raise types.TypeProblem(f"{text!r} has {len(text)} {what}, not {slot.low} to {slot.high}")
        return text
    known = [*slot.choices, *listed]
    if known and text not in known:
        raise types.TypeProblem(f"{text!r} is none of its choices. {did_you_mean(text, known)}".strip())
    return text


def read(
    data: bytes, file: str, places: Places, grammars: Mapping[str, Grammar], language: str = "en"
) -> tuple[Corpus | None, list[Finding]]:
    """A corpus and no findings, or None and what is wrong. Never raises, whatever the bytes.

    `file` is its path inside the site's folder. `places`: where the dialplan that it stands beside listens to speech,
    and for what; `language`: the one that is meant where none is named.
    """
    report = Report()
    root, faults = marks.load(data, file)
    for fault in faults:
        report.fault(fault)
    form = values.mapping(report, root, "a speech corpus")
    corpus = None
    if root is None and not report.errors:
        report.put("RD022", file, 1, 1, "the file is empty", "it begins with: ringdown: 1")
    if form is not None:
        check_format(report, form)
        values.known_keys(report, form, "a speech corpus", FILE_KEYS)
        if not places and not report.errors:
            name = dialplan_of(file).partition("/")[2]
            hint = f"give a menu or gather of {name}.yaml listen: [keys, speech]"
            report.add("RD318", form, f"nothing in the dialplan {name!r} listens to speech", hint)
        else:
            corpus = _corpus(report, form, file, _Reader(report, places, grammars, language))
    return (None if report.errors else corpus), report.finished({file: data})


def _corpus(report: Report, form: marks.Mapping, file: str, reader: _Reader) -> Corpus:
    if "about" in form.entries:
        values.prose(report, form.entries["about"], "about")
    shared = reader.shared(form, _Shared())
    today = values.scalar(report, form.entries.get("today"), "today")
    if today is not None:
        try:
            types.date_of(today.text)
        except types.TypeProblem as problem:
            report.add("RD317", today, str(problem))
    found: dict[str, int] = {}
    needs = values.mapping(report, form.entries.get("needs"), "needs")
    if needs is not None:
        values.known_keys(report, needs, "needs", NEEDS)
        for name in NEEDS:
            percent = values.number(report, needs.entries.get(name), f"needs {name} (percent)", 0, 100)
            if percent is not None:
                found[name] = percent
    listed = form.entries.get("utterances")
    said: list[Said] = []
    if not isinstance(listed, marks.Sequence):
        node = form if listed is None else listed
        report.add("RD022", node, "a speech corpus is a list of utterances", "write utterances: and lines - at: …")
    else:
        if len(listed.items) > utterances_max:
            report.add("RD317", listed, f"more than {utterances_max} utterances", "divide them between several files")
        said = [each for each in (reader.utterance(item, shared) for item in listed.items[:utterances_max]) if each]
    _twice(report, said)
    return Corpus(file, tuple(said), Needs(**found), today.text if today is not None else TODAY)


def _twice(report: Report, said: list[Said]) -> None:
    """What was accepted is kept by an utterance's name, so a name stands for one."""
    names: dict[str, Said] = {}
    for each in said:
        first = names.setdefault(each.name, each)
        if first is not each:
            message = f"the same is said at {each.at} in line {first.line}"
            report.put("RD317", each.file, each.line, each.column, message, "remove one of the two")

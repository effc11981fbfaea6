"""New utterances in a speech corpus that people wrote: lines are added behind its last one, and nothing else changes,
neither order nor comments nor how it is written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from engine.dialplan import corpus_places, currencies, types
from engine.dialplan.corpus import Corpus
from engine.dialplan.corpus_reader import value_of
from engine.errors import SpeechError
from engine.speech import grammar_net, matcher
from engine.speech.grammar import Grammar

BEGIN = "ringdown: 1\nabout: {about}\n\nutterances:\n"
_LIST = re.compile(r"utterances:[ \t]*(#.*)?\r?$")
_ITEM = re.compile(r"([ ]*)-[ ]")
_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z' ]*[A-Za-z])?|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{2}:[0-9]{2}|[0-9]+")


class Unwritable(ValueError):
    """Why an utterance can't become a case, in words for who labelled it."""


class Case(msgspec.Struct, frozen=True):
    """An utterance to be written: either `say`, or `file` with what is said in it ("" nothing). `comment` stands above
    it; `lists`: what could be said for slots whose list is open."""

    at: str
    say: str
    file: str
    language: str
    expect: Mapping[str, str | dict[str, str]]
    comment: Sequence[str] = ()
    lists: Mapping[str, tuple[str, ...]] = {}


def place(places: Mapping[str, Mapping[str, str]], step: str, grammar: str, language: str) -> str:
    """Where a corpus says it: the step, `confirm STEP` if that is what was asked, or the wait list that was heard
    there. Raises Unwritable."""
    found = [at for at in (step, corpus_places.CONFIRM + step) if language in places.get(at, {})]
    waits = [at for at in places if at.startswith(corpus_places.WAIT)]
    found += [at for at in waits if places[at].get(language) == grammar]
    if not found:
        raise Unwritable(f"the step {step} doesn't listen in {language} (any more)")
    return next((at for at in found if places[at][language] == grammar), found[0])


def short(places: Mapping[str, object], at: str) -> str:
    """The flow's name where it is the only place that listens there, else the place's own."""

    def flow(text: str) -> str:
        head, confirm, whole = text.rpartition(corpus_places.CONFIRM)
        return head + confirm + whole.partition("/")[0].partition("#")[0]

    return flow(at) if sum(flow(each) == flow(at) for each in places) == 1 else at


def expected(
    grammar: Grammar, said: str, today: str, lists: Mapping[str, tuple[str, ...]] = {}
) -> dict[str, str | dict[str, str]]:
    """What the recogniser should make of it, by the grammar and the call's `lists` alone. Raises Unwritable."""
    open_ = [name for name, slot in grammar.slots.items() if slot.open_list]
    if any(name not in lists for name in open_):
        raise Unwritable("what could be said there wasn't kept with the call: write this case by hand, with lists:")
    try:
        filled = grammar_net.fill(grammar, {name: lists[name] for name in open_})
    except SpeechError as error:
        raise Unwritable(str(error)) from error
    readings = matcher.read(filled, said, today) if said else []
    if not readings:
        return {"expect": "no match"}
    meant = readings[0]
    found: dict[str, str | dict[str, str]] = {"intent": meant.intent} if meant.intent else {}
    if meant.slots:
        found["slots"] = {name: _written(filled, name, value) for name, value in meant.slots.items()}
    return found


def _written(grammar: Grammar, name: str, value: types.Value) -> str:
    """A value as a corpus writes it."""
    slot = grammar.slots[name]
    text = ("yes" if value else "no") if isinstance(value, bool) else str(value)
    if slot.kind == "amount" and isinstance(value, int):
        text = currencies.written(value, slot.currency)
    try:
        if value_of(text, slot) == value:
            return text
    except (types.TypeProblem, KeyError) as problem:
        raise Unwritable(f"{name} can't be written in a corpus: {problem}") from problem
    raise Unwritable(f"{name} can't be written in a corpus: {text!r} means something else there")


def known(corpus: Corpus, at: str, case: Case) -> bool:
    """Does it stand there already?"""
    if case.file:
        return any(each.recording == case.file for each in corpus.said)
    words = case.say.lower().split()
    return any(
        each.at == at and each.language == case.language and any(text.lower().split() == words for text in each.texts)
        for each in corpus.said
    )


def added(content: str, cases: Sequence[Case], language: str) -> str:
    """The corpus with the cases behind its last utterance. `language`: the one that needn't be named. Raises
    Unwritable."""
    end = "\r\n" if "\r\n" in content else "\n"
    lines = content.splitlines()
    begin = next((number for number, line in enumerate(lines) if _LIST.fullmatch(line)), -1)
    if begin < 0:
        raise Unwritable("its list of utterances isn't written line by line: write utterances: and below it - at: …")
    last, indent = begin, None
    for number, line in enumerate(lines[begin + 1 :], begin + 1):
        if line[:1] not in ("", " ", "#", "-", "\t"):
            break  # the next key
        item = _ITEM.match(line)
        if item and indent is None:
            indent = item[1]
        if line.strip() and not line.lstrip().startswith("#"):
            last = number
    new = [(("  " if indent is None else indent) + line).rstrip() for case in cases for line in _lines(case, language)]
    return end.join([*lines[: last + 1], *new, *lines[last + 1 :]]) + end


def _lines(case: Case, language: str) -> list[str]:
    """One case as a block of lines, not yet indented."""
    found = [*(f"# {each}" for each in case.comment), f"- at: {_scalar(case.at)}"]
    if case.file:
        found.append(f"  file: {_scalar(case.file)}")
        found += [f"  text: {_scalar(case.say)}"] if case.say else []
        found.append("  noise: clean")  # it has its own
    else:
        found.append(f"  say: {_scalar(case.say)}")
    if case.language != language:
        found.append(f"  language: {_scalar(case.language)}")
    if case.lists:
        found.append("  lists:")
        for name, phrases in case.lists.items():
            found += [f"    {name}:", *(f"      - {_scalar(phrase)}" for phrase in phrases)]
    for key, value in case.expect.items():
        if isinstance(value, str):
            found.append(f"  {key}: {_scalar(value)}")
        else:
            found.append(f"  {key}:")
            found += [f"    {name}: {_scalar(each)}" for name, each in value.items()]
    return found


def _scalar(text: str) -> str:
    """As YAML reads it back, in quotes unless it is plain."""
    if _PLAIN.fullmatch(text) and "  " not in text:
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

"""Pairs that sound alike are tried as a corpus of their own, and counted by who was taken for whom."""

from __future__ import annotations

import msgspec

from engine import marks
from engine.dialplan import corpus_alike
from engine.dialplan.corpus import Condition, Corpus, Said
from engine.dialplan.corpus_score import Result, Trial
from engine.dialplan.model import Site
from engine.dialplan.program import Program, Step
from engine.dialplan.reader import read_site
from engine.speech.grammar import Grammar, Line, Slot
from engine.speech.ports import Heard, Utterance
from tests.dialplan.site import BASE, STOCK
from tests.dialplan.test_speech_advice import Words

GRAMMAR = Grammar(
    "en", (Line("billing", "bills"), Line("building", "houses"), Line("$desk", ""), Line("opening hours", "hours")),
    {"desk": Slot("choice", choices={"a": ("sales",)})},
)  # fmt: skip
STEP = Step("menu", "choose/menu(m)", "dialplans/main.yaml:9:5", {"hears": {"en": "key", "zh": "other"}})
PROGRAM = Program("default/main", "v", "choose", {"choose": (STEP,)}, {}, ("en",))
TESTED = Corpus("f.speech.yaml", (Said("f", 3, 5, STEP.id, "key", "en", ("billing",), intent="bills"),))


def site() -> Site:
    found, _ = read_site(BASE, STOCK)
    assert found is not None
    return msgspec.structs.replace(found, grammars={"key": GRAMMAR})


def test_the_pairs_of_the_steps_that_are_tested() -> None:
    pairs = corpus_alike.corpus(site(), PROGRAM, TESTED, {"en": Words()}.get, {})
    assert [(each.texts, each.intent, each.at) for each in pairs.said] == [
        (("building",), "houses", STEP.id), (("billing",), "bills", STEP.id)
    ]
    elsewhere = msgspec.structs.replace(TESTED, said=(msgspec.structs.replace(TESTED.said[0], at="x/menu(y)"),))
    assert corpus_alike.corpus(site(), PROGRAM, elsewhere, {"en": Words()}.get, {}).said == ()
    assert corpus_alike.corpus(site(), PROGRAM, TESTED, lambda language: None, {}).said == ()


def test_who_was_taken_for_whom() -> None:
    pairs = corpus_alike.corpus(site(), PROGRAM, TESTED, {"en": Words()}.get, {})

    def result(said: int, result: str, intent: str, fault: str = "") -> Result:
        trial = Trial(said, "", "", Condition(), -22, 1)
        return Result(trial, Utterance(result, (Heard("", intent),)), fault=fault)

    assert corpus_alike.confused(pairs, [
        result(0, "match", "houses"), result(0, "match", "bills"), result(1, "no_match", "houses"),
        result(1, "match", "bills"), result(1, "failed", "", "died"),
    ]) == [("building", "billing", 1, 2), ("billing", "building", 0, 2)]  # fmt: skip


def test_a_phrase_that_is_taken_for_another_is_warned_of_where_it_is_written() -> None:
    text = b"phrases:\n  bills: [billing]\n"
    shared = b"grammars:\n  houses:\n    phrases: {houses: [building]}\n"
    files = {"dialplans/main.yaml": text, "grammars.yaml": shared}
    trees = {name: marks.load(content, name)[0] for name, content in files.items()}
    pairs = corpus_alike.corpus(site(), PROGRAM, TESTED, {"en": Words()}.get, trees)

    def heard(said: int, *intents: str) -> list[Result]:
        return [Result(Trial(said, "", "", Condition(), -22, 1), Utterance("match", (Heard("", intent),)))
                for intent in intents]  # fmt: skip

    seldom = heard(0, "bills", *["houses"] * 10) + heard(1, *["bills"] * 9)
    assert corpus_alike.mistaken(pairs, seldom, files) == []
    often = heard(0, "bills", *["houses"] * 9) + heard(1, *["bills"] * 9)
    (finding,) = corpus_alike.mistaken(pairs, often, files)
    assert (finding.code, finding.file, finding.line, finding.column) == ("RD315", "grammars.yaml", 3, 24)
    assert "“building” (houses) was taken for “billing” (bills) 1 of 10 times" in finding.message and finding.snippet

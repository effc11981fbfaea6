"""Phrases that sound alike, as a corpus of their own: whether a recogniser really takes them for each other."""

from __future__ import annotations

from collections.abc import Sequence

from engine.dialplan import speech_advice
from engine.dialplan.corpus import Corpus, Said
from engine.dialplan.corpus_places import listening_steps
from engine.dialplan.corpus_score import Result
from engine.dialplan.model import Site
from engine.dialplan.program import Program
from engine.dialplan.speech_advice import LexiconOf, Way

pairs_max = 20  # of one step in one language


def corpus(site: Site, program: Program, tested: Corpus, lexicon: LexiconOf) -> Corpus:
    """Both phrases of every pair that sounds alike at the steps of a corpus, in its languages. Of a pair the second
    stands behind the first."""
    steps = {each.at for each in tested.said}
    languages = {each.language for each in tested.said}
    said: list[Said] = []
    for step in listening_steps(program):
        if step.id not in steps:
            continue
        for language, key in step.data["hears"].items():
            words = lexicon(language) if language in languages else None
            if words is None:
                continue
            grammar = site.grammars[key]
            found = list(speech_advice.ways(grammar, {}))
            for pair in speech_advice.nearest(speech_advice.spoken_ways(grammar, found, words))[:pairs_max]:
                intents = [line.intent for line in grammar.lines]
                if all(way.meaning in intents for way in pair):  # of a slot's choices the slot would have to be named
                    said += [_said(tested.file, step.id, key, language, way) for way in pair]
    return Corpus(tested.file, tuple(said), today=tested.today)


def _said(file: str, at: str, grammar: str, language: str, way: Way) -> Said:
    return Said(file, 1, 1, at, grammar, language, (" ".join(way.words),), intent=way.meaning)


def confused(pairs: Corpus, results: Sequence[Result]) -> list[tuple[str, str, int, int]]:
    """(phrase, the one that it sounds like, how often it was taken for that, of how many), the worst first."""
    counts = [[0, 0] for _ in pairs.said]
    for result in results:
        number = result.trial.said
        other = pairs.said[number ^ 1]
        best = result.utterance.best
        counts[number][1] += not result.fault
        counts[number][0] += bool(best) and result.utterance.result == "match" and best[0].intent == other.intent
    told = [
        (said.texts[0], pairs.said[number ^ 1].texts[0], taken, of)
        for number, (said, (taken, of)) in enumerate(zip(pairs.said, counts, strict=True))
    ]
    return sorted(told, key=lambda each: (-each[2], each[0]))

"""Phrases that sound alike, as a corpus of their own: whether a recogniser really takes them for each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine import marks
from engine.dialplan import speech_advice
from engine.dialplan.corpus import Corpus, Said
from engine.dialplan.corpus_places import listening_steps
from engine.dialplan.corpus_score import Result
from engine.dialplan.findings import Finding, Report
from engine.dialplan.model import Site
from engine.dialplan.program import Program, Step
from engine.dialplan.speech_advice import LexiconOf, Way

pairs_max = 20  # of one step in one language
mistaken_percent = 10  # from so many on a phrase is warned of


def corpus(
    site: Site, program: Program, tested: Corpus, lexicon: LexiconOf, trees: Mapping[str, marks.Node | None]
) -> Corpus:
    """Both phrases of every pair that sounds alike at the steps of a corpus, in its languages. Of a pair the second
    stands behind the first. Each stands where it is written in `trees` (path -> file), or at its step."""
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
            found = list(speech_advice.ways(grammar, speech_advice.written_in(step.place.rsplit(":", 2)[0], trees)))
            for pair in speech_advice.nearest(speech_advice.spoken_ways(grammar, found, words))[:pairs_max]:
                intents = [line.intent for line in grammar.lines]
                if all(way.meaning in intents for way in pair):  # of a slot's choices the slot would have to be named
                    said += [_said(step, key, language, way) for way in pair]
    return Corpus(tested.file, tuple(said), today=tested.today)


def _said(step: Step, grammar: str, language: str, way: Way) -> Said:
    file, line, column = step.place.rsplit(":", 2)
    place = (way.node.file, way.node.line, way.node.column) if way.node is not None else (file, int(line), int(column))
    return Said(*place, step.id, grammar, language, (" ".join(way.words),), intent=way.meaning)


def confused(pairs: Corpus, results: Sequence[Result]) -> list[tuple[str, str, int, int]]:
    """(phrase, the one that it sounds like, how often it was taken for that, of how many), the worst first."""
    told = [
        (said.texts[0], pairs.said[number ^ 1].texts[0], taken, of)
        for number, (said, (taken, of)) in enumerate(zip(pairs.said, _counted(pairs, results), strict=True))
    ]
    return sorted(told, key=lambda each: (-each[2], each[0]))


def mistaken(pairs: Corpus, results: Sequence[Result], files: Mapping[str, object]) -> list[Finding]:
    """A warning where a phrase is written that the recogniser takes for the other one too often. `files`: path ->
    content, for the lines that are shown."""
    report = Report()
    for number, (said, (taken, of)) in enumerate(zip(pairs.said, _counted(pairs, results), strict=True)):
        if taken * 100 < of * mistaken_percent or not taken:
            continue
        other = pairs.said[number ^ 1]
        meant, heard = f"“{said.texts[0]}” ({said.intent})", f"“{other.texts[0]}” ({other.intent})"
        message = f"{meant} was taken for {heard} {taken} of {of} times"
        hint = "choose other words for one of the two, or confirm: what was understood"
        report.put("RD315", said.file, said.line, said.column, message, hint)
    return report.finished(files)


def _counted(pairs: Corpus, results: Sequence[Result]) -> list[tuple[int, int]]:
    """Of each phrase: how often it was taken for the other one, of how many."""
    counts = [[0, 0] for _ in pairs.said]
    for result in results:
        number = result.trial.said
        other = pairs.said[number ^ 1]
        best = result.utterance.best
        counts[number][1] += not result.fault
        counts[number][0] += bool(best) and result.utterance.result == "match" and best[0].intent == other.intent
    return [(taken, of) for taken, of in counts]

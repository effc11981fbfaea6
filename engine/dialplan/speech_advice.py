"""What a caller will be misunderstood at: words nobody knows how to say, phrases that sound alike or are too short,
slots that take commands for values, menus with more choices than anybody keeps in mind. All warnings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from engine import marks
from engine.dialplan import spoken, values
from engine.dialplan.corpus_places import listening_steps
from engine.dialplan.findings import Report
from engine.dialplan.program import Program, Step
from engine.errors import SpeechError
from engine.speech import notation, phonetics, universal
from engine.speech.grammar import Grammar
from engine.speech.lexicon import LIKE, resolved
from engine.speech.matcher import Matcher
from engine.speech.phonetics import Phones

THOROUGH = ("RD310", "RD311", "RD312", "RD313", "RD314")  # codes that only a thorough reading gives
choices_max = 7
ways_max = 400  # ways to say something in one grammar that are compared with each other
ONE_SYLLABLE_FINE = (universal.YES, universal.NO)
UNIVERSAL = (universal.PERSON, universal.AGAIN, universal.HELP, universal.YES, universal.NO)


class Pronouncing(Protocol):
    """How words are pronounced (`runtime.pronouncing`)."""

    def of(self, word: str) -> tuple[str, ...]:
        """As a dictionary has it; () when none has."""

    def guess(self, word: str) -> tuple[str, ...]:
        """As it is probably said; () when nobody can guess."""


LexiconOf = Callable[[str], Pronouncing | None]


def no_lexicon(language: str) -> Pronouncing | None:
    """For readings that look at no phrase."""
    return None


class Way(msgspec.Struct, frozen=True):
    """One way to say something. `meaning` as an admin calls it; `node` where he wrote it, None of universal words."""

    words: tuple[str, ...]
    meaning: str
    node: marks.Scalar | None

    def __str__(self) -> str:
        return f"“{' '.join(self.words)}” ({self.meaning})"


def check(
    report: Report, file: str, program: Program, grammars: Mapping[str, Grammar],
    trees: Mapping[str, marks.Node | None], lexicon: LexiconOf,
) -> None:  # fmt: skip
    """Advise on every step of a dialplan that listens. `lexicon`: the words of a language, None where its recogniser
    needs no pronunciations."""
    written = written_in(file, trees)
    unheard_of(report, trees.get(shared_by(file)), lexicon("en"))
    done: dict[str, None] = {}
    for step in listening_steps(program):
        many_choices(report, step)
        for key in step.data["hears"].values():
            if key not in done and key in grammars:
                done[key] = None
                advise(report, grammars[key], written, _place(step), lexicon(grammars[key].language))


def shared_by(file: str) -> str:
    """The grammars.yaml of a dialplan's tenant."""
    return f"{file.rpartition('dialplans/')[0]}grammars.yaml"


def written_in(file: str, trees: Mapping[str, marks.Node | None]) -> dict[str, marks.Scalar]:
    """Text of a dialplan and of its tenant's grammars -> where it stands."""
    found: dict[str, marks.Scalar] = {}
    for node in (*_scalars(trees.get(file)), *_scalars(trees.get(shared_by(file)))):
        found.setdefault(node.text, node)
    return found


def many_choices(report: Report, step: Step) -> None:
    intents = step.data.get("intents", {})
    if len(intents) > choices_max:
        file, line, column = _place(step)
        message = f"this menu has {len(intents)} spoken choices; callers keep {choices_max} in mind at most"
        hint = "ask a broader question first, or put the rare ones into a second menu"
        report.put("RD314", file, line, column, message, hint)


def advise(
    report: Report, grammar: Grammar, written: Mapping[str, marks.Scalar], place: tuple[str, int, int],
    lexicon: Pronouncing | None,
) -> None:  # fmt: skip
    """Everything about one grammar. What has no place of its own in the file is told at `place`."""
    found = list(ways(grammar, written))
    swallowed(report, grammar, found, place)
    if lexicon is None:
        return
    unknown(report, grammar, found, lexicon)
    said = spoken_ways(grammar, found, lexicon)
    too_short(report, said)
    for way, other in nearest(said):
        first, second = (way, other) if way.node is not None else (other, way)
        message = f"{first} sounds like {second}"
        hint = "choose other words for one of them; ringdown test --speech shows how often they are mistaken"
        _tell(report, "RD311", first, place, message, hint)


def spoken_ways(grammar: Grammar, found: Sequence[Way], lexicon: Pronouncing) -> list[tuple[Way, Phones]]:
    """Each way with each of its pronunciations."""
    return [(way, phones) for way in found[:ways_max] for phones in pronounced(way.words, grammar, lexicon)]


def ways(grammar: Grammar, written: Mapping[str, marks.Scalar]) -> Iterator[Way]:
    """The ways to say the lines and the closed choices of a grammar; lines with slots are left out. `written`: phrase
    -> where it stands in the dialplan."""
    for line in grammar.lines:
        ours = line.phrase in universal.words(grammar.language, line.intent)  # an option `help:` doesn't write “help”
        node = None if ours else written.get(line.phrase)
        for words in spoken.variants(notation.read(line.phrase, grammar.language)):
            if not any(word.startswith("$") for word in words):
                yield Way(words, line.intent, node)
    for name, slot in grammar.slots.items():
        for value, phrases in slot.choices.items():
            for phrase in phrases:
                for words in spoken.variants(notation.read(phrase, grammar.language)):
                    yield Way(words, f"{name} {value}", written.get(phrase) or written.get(value))


def pronounced(words: Sequence[str], grammar: Grammar, lexicon: Pronouncing) -> list[Phones]:
    """Up to four ways in which words are pronounced; [] where one of them isn't known."""
    found: list[Phones] = [()]
    for word in words:
        said = [phonetics.plain(each) for each in _said(word, grammar, lexicon)[:2]]
        found = [before + phones for before in found for phones in said][:4]
    return found


def _said(word: str, grammar: Grammar, lexicon: Pronouncing) -> tuple[str, ...]:
    return resolved(grammar.words.get(word, ()), lexicon.of) or lexicon.of(word) or lexicon.guess(word)


def unknown(report: Report, grammar: Grammar, found: Iterable[Way], lexicon: Pronouncing) -> None:
    told: dict[str, None] = {}
    for way in found:
        for word in way.words:
            if way.node is None or word in told or word in grammar.words or lexicon.of(word):
                continue
            told[word] = None
            at = max(0, way.node.text.lower().find(word)) + (1 if way.node.style in ("'", '"') else 0)
            guessed = " or ".join(lexicon.guess(word)[:2])
            how = f"it is taken for {guessed}, which is a guess" if guessed else "nobody who says it will be understood"
            message = f"“{word}” is in no dictionary: {how}"
            report.add("RD310", way.node, message, advised(word, lexicon), at=at, width=len(word))


def advised(word: str, lexicon: Pronouncing) -> str:
    """What to write for a word that no dictionary has."""
    guessed = lexicon.guess(word)[:1]
    said = guessed[0] if guessed else "like other words"
    return f"say how in grammars.yaml, as in words: {{{word}: {said}}}; ringdown test --speech tries it"


def unheard_of(report: Report, tree: marks.Node | None, lexicon: Pronouncing | None) -> None:
    """Pronunciations of a grammars.yaml by words that no dictionary has either."""
    told = tree.entries.get("words") if isinstance(tree, marks.Mapping) else None
    for node in _scalars(told) if lexicon is not None else ():
        for word in node.text.removeprefix(LIKE).split() if node.text.startswith(LIKE) else ():
            if lexicon is not None and not lexicon.of(word.lower()):
                at = values.inside(node, len(LIKE) + node.text.removeprefix(LIKE).index(word))
                message = f"“{word}” is in no dictionary either: nobody knows what sounds like it"
                hint = "name words of every day, or write its phones"
                report.add("RD310", node, message, hint, at=at, width=len(word))


def too_short(report: Report, said: Iterable[tuple[Way, Phones]]) -> None:
    told: dict[tuple[str, ...], None] = {}
    for way, phones in said:
        if way.node is None or way.meaning in ONE_SYLLABLE_FINE or way.words in told:
            continue
        if phonetics.syllables(phones) == 1:
            told[way.words] = None
            message = f"“{' '.join(way.words)}” has one syllable: in noise it is missed, and heard where it isn't said"
            report.add("RD312", way.node, message, "prefer two words, as in “sales department” for “sales”")


def nearest(said: Sequence[tuple[Way, Phones]]) -> list[tuple[Way, Way]]:
    """Of each two meanings that are taken for each other, the two ways that sound most alike. Those that are live
    everywhere are not compared with each other: no admin can change them."""
    found: dict[tuple[str, str], tuple[float, Way, Way]] = {}
    for number, (way, phones) in enumerate(said):
        for other, others in said[:number]:
            if way.meaning == other.meaning or (way.meaning in UNIVERSAL and other.meaning in UNIVERSAL):
                continue
            if way.words == other.words or not phonetics.alike(phones, others):
                continue
            key = (other.meaning, way.meaning)
            cost = phonetics.distance(phones, others)
            if key not in found or cost < found[key][0]:
                found[key] = (cost, way, other)
    return [(way, other) for _, way, other in found.values()]


def swallowed(report: Report, grammar: Grammar, found: Iterable[Way], place: tuple[str, int, int]) -> None:
    """Commands that are also a value of a slot: which of the two a caller means, nobody can say."""
    if not grammar.slots:
        return
    try:
        matcher = Matcher(grammar)
    except SpeechError:
        return  # told where the grammar was read
    told: dict[str, None] = {}
    intents = [line.intent for line in grammar.lines]
    for way in found:
        if way.meaning not in intents or way.meaning in told:
            continue
        others = [each for each in matcher.read(way.words) if each.intent != way.meaning and each.slots]
        if others:
            told[way.meaning] = None
            slots = ", ".join(f"${name}" for name in others[0].slots)
            message = f"“{' '.join(way.words)}” means {way.meaning}, and is a value of {slots} too"
            hint = "choose another phrase for one of them"
            _tell(report, "RD313", way, place, message, hint)


def _tell(report: Report, code: str, way: Way, place: tuple[str, int, int], message: str, hint: str) -> None:
    """Where a way is written, or at the step."""
    if way.node is not None:
        report.add(code, way.node, message, hint)
    else:
        report.put(code, *place, message, hint)


def _place(step: Step) -> tuple[str, int, int]:
    file, line, column = step.place.rsplit(":", 2)
    return file, int(line), int(column)


def _scalars(node: marks.Node | None) -> Iterator[marks.Scalar]:
    """Every single value of a file, keys before their values."""
    if isinstance(node, marks.Scalar):
        yield node
    elif isinstance(node, marks.Sequence):
        for item in node.items:
            yield from _scalars(item)
    elif isinstance(node, marks.Mapping):
        for key, value in node:
            yield key
            yield from _scalars(value)

"""A grammar as one word net: its lines as alternatives (or strung together), polite words around them, slots drawn in.

Tags of its own, beside those of the slots: `L3` the fourth line begins, `<day` a slot begins, `>` it ends, `~` a word
that means nothing.
"""

from __future__ import annotations

import msgspec

from engine.errors import SpeechError
from engine.speech import notation, slots
from engine.speech.grammar import Grammar, Slot
from engine.speech.net import FILLER, FILLER_ON, Net

exact_order_max = 4  # up to so many lines "each at most once" is drawn; of more the matcher alone sees to it
leading_max = 2  # polite words before a phrase, one after another
choices_max = 5_000


def fill(grammar: Grammar, lists: dict[str, tuple[str, ...]]) -> Grammar:
    """The grammar with the choices of its open lists, which only a call knows. A choice means itself.

    Raises SpeechError for a list of a slot that has none open, for too many choices, and for an open slot without any.
    """
    filled = dict(grammar.slots)
    for name, phrases in lists.items():
        slot = filled.get(name)
        if slot is None or not slot.open_list:
            raise SpeechError(f"${name} is no slot with an open list, but a list came for it")
        if len(phrases) > choices_max:
            raise SpeechError(f"${name}: {len(phrases)} choices; at most {choices_max} can be listened for")
        filled[name] = msgspec.structs.replace(slot, choices={phrase: (phrase,) for phrase in phrases}, open_list=False)
    return msgspec.structs.replace(grammar, slots=filled)


def polite(grammar: Grammar) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Phrases that mean nothing: before what is meant, between two parts of it, and behind it."""
    if not grammar.fillers:
        return (), (), ()
    language, own = grammar.language, grammar.polite
    return (
        (*own, *slots.leading(language)), (*own, *slots.between(language)), (*own, *slots.trailing(language))
    )  # fmt: skip


class _Drawing:
    """One grammar being drawn."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar, self.net = grammar, Net()
        self.trees: list[notation.Node] = []
        for line in grammar.lines:
            try:
                self.trees.append(notation.read(line.phrase, grammar.language))
            except notation.NotationError as error:
                raise SpeechError(f"the phrase {line.phrase!r}, {error}") from None

    def slot(self, net: Net, name: str, source: int, target: int) -> None:
        slot = self.grammar.slots.get(name)
        if slot is None:
            known = ", ".join(f"${other}" for other in self.grammar.slots) or "none"
            raise SpeechError(f"a phrase names ${name}, which is no slot of its grammar (there is {known})")
        begun, ended = net.node(), net.node()
        net.pass_by(source, begun, f"<{name}")
        try:
            slots.draw(net, begun, ended, slot, self.grammar.language)
        except SpeechError as error:
            raise SpeechError(f"${name}: {error}") from None
        net.pass_by(ended, target, ">")

    def line(self, index: int, source: int, target: int) -> None:
        begun = self.net.node()
        self.net.pass_by(source, begun, f"L{index}")
        self.net.draw(self.trees[index], begun, target, self.slot)

    def fillers(self, source: int, target: int, phrases: tuple[str, ...], times: int) -> None:
        """Up to so many polite phrases, or none."""
        self.net.pass_by(source, target)
        for _ in range(times if phrases else 0):
            following = self.net.node()
            for phrase in phrases:
                begun = self.net.node()
                self.net.draw(notation.read(phrase, self.grammar.language), begun, following, slots.no_slot, FILLER_ON)
                self.net.arcs[source] += [(word, FILLER, onward) for word, _, onward in self.net.arcs[begun]]
            self.net.pass_by(following, target)
            source = following

    def draw(self) -> Net:
        net = self.net
        leading, between, trailing = polite(self.grammar)
        begun, ended = net.node(), net.node()
        self.fillers(net.start, begun, leading, leading_max)
        self.fillers(ended, net.end, trailing, 1)
        if not self.grammar.any_order:
            for index in range(len(self.trees)):
                self.line(index, begun, ended)
            return net
        places = {0: begun}
        exact = len(self.trees) <= exact_order_max
        for used in range(1 << len(self.trees) if exact else 1):
            if used not in places:
                continue
            for index in range(len(self.trees)):
                if used >> index & 1:
                    continue
                said, after = net.node(), used | 1 << index if exact else 0
                self.line(index, places[used], said)
                net.pass_by(said, ended)
                if not exact or after != (1 << len(self.trees)) - 1:
                    if after not in places:
                        places[after] = net.node()
                    self.fillers(said, places[after], between, leading_max)
        return net


def build(grammar: Grammar) -> Net:
    """The net of a grammar. Raises SpeechError: a phrase that can't be read (with its column), a slot that is unknown
    or can't be spoken in this language, a grammar that is too large, an open list that was not filled."""
    if not grammar.lines:
        raise SpeechError("a grammar without phrases can't be listened for")
    return _Drawing(grammar).draw()


def problems(grammar: Grammar) -> list[tuple[str, int, str]]:
    """Everything that is wrong with a grammar: (where, column, what and what to do). `where` is a phrase, or `$name` of
    a slot; column counts from 1, 0 where there is none. Open lists are taken as filled."""
    found: list[tuple[str, int, str]] = []
    for line in grammar.lines:
        found += _problems_of_phrase(line.phrase, grammar.language, grammar.slots)
    for phrase in grammar.polite:
        found += _problems_of_phrase(phrase, grammar.language, None)
    for name, slot in grammar.slots.items():
        if slot.open_list and slot.kind == "choice":
            continue
        wrong = slots.wrong(slot, grammar.language)
        if wrong:
            found.append((f"${name}", 0, wrong))
        for value, phrases in slot.choices.items():
            for phrase in phrases or (value,):
                found += _problems_of_phrase(phrase, grammar.language, None)
    return found


def _problems_of_phrase(phrase: str, language: str, known: dict[str, Slot] | None) -> list[tuple[str, int, str]]:
    try:
        names = notation.slots(notation.read(phrase, language))
    except notation.NotationError as error:
        return [(phrase, error.column, error.detail)]
    if known is None:
        strange = [(name, "the phrases of a choice hold words alone") for name in names]
    else:
        strange = [(name, "declare this slot, or write the word itself") for name in names if name not in known]
    return [(phrase, phrase.index(f"${name}") + 1, f"${name}: {what}") for name, what in strange]

"""A grammar compiled exactly into a decoding graph for a model of ours: what Kaldi calls HCLG.

    entry ──[silence]── words of the automaton, each its phones, [silence] behind each ── end
       └───────────── garbage: any words of any phones, each phone at a price ────────────┘
The garbage path competes with the grammar: where it wins, what was said was not in the grammar, and how far it is
behind says how sure the result is. Words leave the graph at their last phone: beginnings are shared, and a partial
result names a word when it has been said, not when it may be coming.
"""

from __future__ import annotations

import math

import msgspec

from engine.errors import SpeechError
from engine.speech import automaton, fst, grammar_net
from engine.speech.grammar import Grammar
from engine.speech.lexicon import Lexicon
from engine.speech.phones import NOISE, SILENCE, Phones
from engine.speech.phrase_list import phrases as phrases
from engine.speech.words import GARBAGE

states_max = 2_000_000


class Tuning(msgspec.Struct, frozen=True):
    """Costs are negative natural logarithms of probabilities. A model's manifest may give its own."""

    silence: float = 0.5  # probability of a pause between two words
    noise_cost: float = 3.0  # of a noise in a pause, where the model knows noise
    filler_cost: float = 4.0  # of each polite phrase
    dated_cost: float = 2.0  # of a month, and of its day: there are 366 of them, and people rather say "Tuesday"
    brief_cost: float = 1.0  # of a word that is one phone, as "oh": it hides in every long vowel
    garbage_phone_cost: float = 2.0  # dearer, more of what isn't in the grammar is taken for it; cheaper, less is heard


class Graph(msgspec.Struct, frozen=True):
    """`hclg`: the bytes of graph/HCLG.fst; `words`: the text of graph/words.txt that goes with it."""

    hclg: bytes
    words: str
    states: int
    arcs: int


class _Compiler:
    """One graph in the making."""

    def __init__(self, machine: automaton.Automaton, lexicon: Lexicon, phones: Phones, tuning: Tuning) -> None:
        self.machine, self.lexicon, self.phones, self.tuning = machine, lexicon, phones, tuning
        self.out = fst.Transducer()
        self.entry = self.out.state()
        self.at = [self.out.state() for _ in machine.arcs]
        self.words = sorted({word for arcs in machine.arcs for word, _, _ in arcs})
        self.labels = {word: index + 2 for index, word in enumerate(self.words)}
        self._pauses: dict[int, tuple[int, int]] = {}
        self._endings: dict[tuple[int, int], int] = {}
        self._said: dict[str, list[tuple[int, ...]]] = {}

    def pause(self, source: int, target: int) -> None:
        """On to `target`, at once or after silence (and noise, where the model has learnt it)."""
        cost_none, cost_silence = -math.log(1 - self.tuning.silence), -math.log(self.tuning.silence)
        if target not in self._pauses:
            self._pauses[target] = silent, noisy = self.sounding(SILENCE), -1
            self.out.arc(silent, 0, 0, 0.0, target)
            if self.phones.noise:
                self._pauses[target] = silent, noisy = silent, self.sounding(NOISE)
                self.out.arc(noisy, 0, 0, 0.0, target)
                self.out.arc(noisy, self.phones.enter(SILENCE), 0, 0.0, silent)
                self.out.arc(silent, self.phones.enter(NOISE), 0, self.tuning.noise_cost, noisy)
        silent, noisy = self._pauses[target]
        self.out.arc(source, 0, 0, cost_none, target)
        self.out.arc(source, self.phones.enter(SILENCE), 0, cost_silence, silent)
        if noisy >= 0:
            self.out.arc(source, self.phones.enter(NOISE), 0, cost_silence + self.tuning.noise_cost, noisy)

    def sounding(self, phone: str) -> int:
        """A state in which a phone goes on."""
        return self.out.lingering(self.phones.stay(phone))

    def pronunciations(self, word: str) -> list[tuple[int, ...]]:
        """The numbers of the phones of each."""
        if word not in self._said:
            placed = dict.fromkeys(self.phones.placed(pronunciation) for pronunciation in self.lexicon.of(word))
            self._said[word] = [tuple(self.phones.numbers[name] for name in names) for names in placed]
        return self._said[word]

    def state(self, index: int) -> None:
        """All words that leave a state of the automaton, beginnings shared."""
        inner: dict[tuple[int, int], int] = {}
        lingering, arc = self.out.lingering, self.out.arc
        for word, target, kind in self.machine.arcs[index]:
            cost = (0.0, self.tuning.dated_cost, self.tuning.filler_cost)[kind]
            for *begun, last in self.pronunciations(word):
                at, price = self.at[index], cost if begun else cost + self.tuning.brief_cost
                for phone in begun:
                    following = inner.get((at, phone))
                    if following is None:
                        inner[at, phone] = following = lingering(2 * phone - 1)
                        arc(at, 2 * phone, 0, 0.0, following)
                    at = following
                arc(at, 2 * last, self.labels[word], price, self.ending(target, last))

    def ending(self, target: int, phone: int) -> int:
        """The last phone of words that lead to one state of the automaton."""
        key = (target, phone)
        if key not in self._endings:
            self._endings[key] = self.out.lingering(2 * phone - 1)
            self.pause(self._endings[key], self.at[target])
        return self._endings[key]

    def garbage(self) -> None:
        """Any words of any phones, with silence between two of them. Every word begins, goes on and ends with phones of
        these positions, as the decoder wants words to be."""
        before, within, ended, silent = self.out.state(), self.out.state(), self.out.state(), self.sounding(SILENCE)
        self.pause(self.entry, before)
        cost = self.tuning.garbage_phone_cost
        for name in self.phones.names():
            for position, source, target, label in (("B", before, within, 1), ("I", within, within, 0),
                                                    ("E", within, ended, 0)):  # fmt: skip
                sounding = self.sounding(f"{name}_{position}")
                self.out.arc(source, self.phones.enter(f"{name}_{position}"), label, cost, sounding)
                self.out.arc(sounding, 0, 0, 0.0, target)
        self.out.arc(ended, self.phones.enter(SILENCE), 0, -math.log(self.tuning.silence), silent)
        self.out.arc(silent, 0, 0, 0.0, before)
        self.out.final[ended] = self.out.final[silent] = 0.0

    def compiled(self) -> Graph:
        self.pause(self.entry, self.at[0])
        for index, final in enumerate(self.machine.final):
            self.state(index)
            if final:
                self.out.final[self.at[index]] = 0.0
            if self.out.states > states_max:
                raise SpeechError("this grammar is too large to listen for; shorten its lists or its ranges")
        self.garbage()
        names = ["<eps>", GARBAGE, *(word.replace(".", "") for word in self.words)]
        table = "".join(f"{name} {index}\n" for index, name in enumerate(names))
        return Graph(self.out.encode(), table, self.out.states, self.out.arc_count())


def compile(grammar: Grammar, lexicon: Lexicon, phones: Phones, tuning: Tuning | None = None) -> Graph:
    """The graph of a grammar; the same arguments give the same bytes.

    Raises SpeechError: whatever `grammar_net.build` finds wrong, words without a pronunciation, and pronunciations with
    phones that the model has not.
    """
    machine = automaton.of(grammar_net.build(grammar))
    own = Lexicon(lexicon.dictionary, {**lexicon.own, **grammar.words}, lexicon.guesses)
    unknown = own.missing(sorted({word for arcs in machine.arcs for word, _, _ in arcs}))
    if unknown:
        raise SpeechError(
            f"nobody knows how to say {', '.join(repr(word) for word in unknown[:8])}; "
            "give a pronunciation in phones of the model, or install espeak-ng, which guesses one"
        )
    return _Compiler(machine, own, phones, tuning or Tuning()).compiled()

"""How the words of a language are pronounced: by the dictionary of the model that comes with the engine, else as
espeak-ng would say them. For `check` and `test --speech`; blocking."""

from __future__ import annotations

from functools import cache

from engine.errors import SpeechError
from engine.runtime import guessing
from engine.runtime.graph_shelf import OwnModel, shipped
from engine.speech.lexicon import Lexicon


class Pronouncing:
    """`dialplan.speech_advice.Pronouncing`."""

    def __init__(self, lexicon: Lexicon, language: str) -> None:
        self._lexicon, self._language = lexicon, language
        self._guesses: dict[str, tuple[str, ...]] = {}

    def of(self, word: str) -> tuple[str, ...]:
        """As the dictionary has it; () when it hasn't."""
        return self._lexicon.of(word)

    def guess(self, word: str) -> tuple[str, ...]:
        """As it is probably said; () when nobody can guess."""
        if word not in self._guesses:
            self._guesses[word] = guessing.guess([word], self._language).get(word, ())
        return self._guesses[word]


@cache
def pronouncing(language: str) -> Pronouncing | None:
    """Of a language; None when no model of ours is there to need it, or it is broken (which is told elsewhere)."""
    folder = shipped(language)
    if folder is None:
        return None
    try:
        return Pronouncing(Lexicon(OwnModel(folder).dictionary), language)
    except SpeechError:
        return None

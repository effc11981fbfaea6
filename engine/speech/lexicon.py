"""How words are pronounced, in the phones of a model: the admin's own, then the dictionary, then guesses.

A dictionary is text, sorted by its words: `word<TAB>phone phone …` by line, several lines for a word with several
pronunciations. It is searched where it lies, not loaded into a table: it holds 130,000 words, a grammar a few dozen.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping

from engine.errors import SpeechError
from engine.speech import net as nets

LETTERS = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        (
            "EY", "B IY", "S IY", "D IY", "IY", "EH F", "JH IY", "EY CH", "AY", "JH EY", "K EY", "EH L", "EH M", "EH N",
            "OW", "P IY", "K Y UW", "AA R", "EH S", "T IY", "Y UW", "V IY", "D AH B AH L Y UW", "EH K S", "W AY",
            "Z IY",
        ),
        strict=True,
    )
)  # fmt: skip
SPECIAL = {  # words of the built-in slots that the dictionary lacks or says otherwise
    "oh": ("OW",),
    "xray": ("EH K S R EY",),
    "tuesday": ("T UW Z D IY", "T UW Z D EY", "T Y UW Z D EY", "T Y UW Z D IY", "CH UW Z D EY", "CH UW Z D IY"),
    "zed": ("Z EH D",),
    "alpha": ("AE L F AH",),
    "juliet": ("JH UW L IY EH T",),
    "centavo": ("S EH N T AA V OW",),
    "reais": ("R EY AY S",),
    "paisa": ("P AY S AH",),
    "paise": ("P AY S EH", "P AY S AH"),
    "zloty": ("Z L AA T IY",),
    "zlotys": ("Z L AA T IY Z",),
}


LIKE = "like "  # an own pronunciation by other words: `like shiv on`
ways_max = 4  # to say a word that sounds like several others


def resolved(said: Iterable[str], of: Callable[[str], tuple[str, ...]]) -> tuple[str, ...]:
    """Pronunciations as an admin wrote them, all in phones: `like shiv on` is what those words sound like, one after
    the other. `of`: how a word is said; one with a word that nobody knows is left out."""
    found: list[str] = []
    for each in said:
        ways = [""] if each.startswith(LIKE) else [each]
        for word in each.removeprefix(LIKE).split() if each.startswith(LIKE) else ():
            ways = [f"{before} {after}".strip() for before in ways for after in of(word)][:ways_max]
        found += ways
    return tuple(dict.fromkeys(found))


class Dictionary:
    """The words of a language as its model ships them."""

    def __init__(self, text: str) -> None:
        """Raises SpeechError: lines that are not `word<TAB>phones`, or not sorted (looked at here and there)."""
        self.lines = text.splitlines()
        sample = self.lines[:: max(1, len(self.lines) // 100)]
        if any("\t" not in line for line in sample) or [_word(line) for line in sample] != sorted(map(_word, sample)):
            raise SpeechError("this dictionary is broken: it holds lines `word<TAB>phones`, sorted by words")

    def of(self, word: str) -> tuple[str, ...]:
        """Its pronunciations; () when it is not there."""
        found: list[str] = []
        at = bisect_left(self.lines, word, key=_word)
        while at < len(self.lines) and _word(self.lines[at]) == word:
            found.append(self.lines[at].partition("\t")[2])
            at += 1
        return tuple(dict.fromkeys(found))


def _word(line: str) -> str:
    return line.partition("\t")[0]


class Lexicon:
    """`own`, in phones or `like` other words, before the dictionary, guesses last. Both: word -> pronunciations."""

    def __init__(
        self,
        dictionary: Dictionary,
        own: Mapping[str, tuple[str, ...]] | None = None,
        guesses: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.dictionary = dictionary
        self.own = dict(own or {})
        self.guesses = dict(guesses or {})

    def of(self, word: str) -> tuple[str, ...]:
        """The pronunciations of a word of a net (`a.m.` is said letter by letter); () when nothing is known."""
        own = resolved(self.own[word], self._plain) if word in self.own else ()
        return own or self._plain(word)

    def _plain(self, word: str) -> tuple[str, ...]:
        if word.endswith("."):
            return (" ".join(LETTERS[letter] for letter in word if letter != "."),)
        return SPECIAL.get(word) or self.dictionary.of(word) or self.guesses.get(word, ())

    def missing(self, words: Iterable[str]) -> list[str]:
        """The words that nobody knows how to say."""
        return [word for word in words if not self.of(word)]


def unknown_words(net: nets.Net, lexicon: Lexicon) -> list[str]:
    """The words of a grammar's net that have no pronunciation: to be guessed, or to be given by the admin."""
    return lexicon.missing(nets.vocabulary(net))

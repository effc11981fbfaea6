"""From words back to what they mean: the readings of a sentence in a grammar, and whether it could go on.

The same net that a decoder was given is walked with the words that it heard, so what can be heard can be read, and a
test that types words passes the same way as a caller who speaks them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import islice

import msgspec

from engine.speech import grammar_net, slot_values
from engine.speech import words as spelling
from engine.speech.grammar import Grammar
from engine.speech.net import FILLER, FILLER_ON, Net
from engine.speech.slot_values import Value
from engine.speech.utterance import Heard

readings_max = 16
_paths_max = 8  # ways to one place that are kept
_NOWHERE = -1


class _Walk:
    """Where the words of one sentence lead in a net. Pasts are numbers: what was noted on the way to a place."""

    def __init__(self, net: Net, once: bool) -> None:
        self.net, self._once = net, once
        self._past: list[tuple[int, str]] = []  # of each past: the one before it, and the tag that it adds
        self._known: dict[tuple[int, str], int] = {}

    def along(self, words: Sequence[str]) -> dict[int, list[int]]:
        """The places that the words lead to, each with the pasts that lead to it, best first."""
        places = self._silently({self.net.start: [_NOWHERE]})
        for said in words:
            plain = said.replace(".", "")
            following: dict[int, list[int]] = {}
            for place, pasts in places.items():
                for word, tag, target in self.net.arcs[place]:
                    if word and (word == plain or word.replace(".", "") == plain):
                        known = following.setdefault(target, [])
                        for past in pasts:
                            noted = self._noted(past, tag)
                            if noted not in known and len(known) < _paths_max:
                                known.append(noted)
            places = self._silently(following)
        return places

    def tags(self, past: int) -> list[str]:
        """Everything that was noted, in order."""
        tags: list[str] = []
        while past != _NOWHERE:
            past, tag = self._past[past]
            tags.append(tag)
        return tags[::-1]

    def _silently(self, places: dict[int, list[int]]) -> dict[int, list[int]]:
        """The places and those that lie behind silent arcs, in the order of the arcs."""
        found: dict[int, list[int]] = {}
        for begun, pasts in places.items():
            stack = [(begun, past) for past in reversed(pasts)]
            while stack:
                place, past = stack.pop()
                known = found.setdefault(place, [])
                if past in known or len(known) >= _paths_max:
                    continue
                known.append(past)
                for word, tag, target in reversed(self.net.arcs[place]):
                    if not word and not (tag[:1] == "L" and self._once and tag in self.tags(past)):
                        stack.append((target, self._noted(past, tag)))
        return found

    def _noted(self, past: int, tag: str) -> int:
        if not tag or tag in (FILLER, FILLER_ON):
            return past
        key = (past, tag)
        if key not in self._known:
            self._known[key] = len(self._past)
            self._past.append(key)
        return self._known[key]


class Matcher:
    """One grammar, ready to read; may be shared by threads. Raises SpeechError as `grammar_net.build` does."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self.net = grammar_net.build(grammar)

    def read(self, words: Sequence[str], today: str = "") -> list[Heard]:
        """The readings, the likeliest first: in the order of the lines, of a line the simplest first ("a hundred
        twenty" is 120 before it is 100.20), and of each what its slots may mean."""
        found: list[Heard] = []
        seen: dict[tuple[str, tuple[tuple[str, Value], ...]], None] = {}
        text = spelling.joined([word.replace(".", "") for word in words])
        walk = _Walk(self.net, self.grammar.any_order)
        paths = [walk.tags(past) for past in walk.along(words).get(self.net.end, ())]
        for path in sorted(paths, key=lambda tags: (int(tags[0][1:]), len(tags))):
            for intent, slots in self._meanings(path, today):
                key = (intent, tuple((name, value) for name, value in sorted(slots.items())))
                if key not in seen and len(found) < readings_max:
                    seen[key] = None
                    found.append(Heard(text, intent, slots))
        return found

    def state(self, words: Sequence[str], today: str = "") -> tuple[bool, bool]:
        """(complete, continues): whether the words mean something already, and whether words that mean more could
        follow. Polite words are not waited for."""
        walk = _Walk(self.net, self.grammar.any_order)
        places = walk.along(words)
        complete = any(self._meanings(walk.tags(past), today) for past in places.get(self.net.end, ()))
        continues = any(
            word and tag not in (FILLER, FILLER_ON) for place in places for word, tag, _ in self.net.arcs[place]
        )
        return complete, continues

    def _meanings(self, tags: list[str], today: str) -> list[tuple[str, dict[str, Value]]]:
        """Intents and slots of one path; several where a slot may mean several things, none where one means nothing."""
        intent = ""
        options: dict[str, tuple[Value, ...]] = {}
        at = 0
        while at < len(tags):
            tag = tags[at]
            if tag[0] == "L":
                intent = intent or self.grammar.lines[int(tag[1:])].intent
            elif tag[0] == "<":
                name, closing = tag[1:], tags.index(">", at)
                meant = slot_values.values(self.grammar.slots[name], tags[at + 1 : closing], today)
                if name in options:  # said twice: both have to agree
                    meant = tuple(value for value in meant if value in options[name])
                if not meant:
                    return []
                options[name] = meant
                at = closing
            at += 1
        best = {name: meant[0] for name, meant in options.items()}
        others = [{**best, name: value} for name, meant in options.items() for value in meant[1:]]
        return [(intent, slots) for slots in islice([best, *others], readings_max)]


@lru_cache(maxsize=64)
def _matcher(packed: bytes) -> Matcher:
    return Matcher(msgspec.msgpack.decode(packed, type=Grammar))


def read(grammar: Grammar, words: Sequence[str] | str, today: str = "") -> list[Heard]:
    """The readings of a sentence (words, or a text to split), best first; [] when it is not in the grammar.

    `today` (2026-03-04) is what relative dates count from. Raises SpeechError for a grammar that can't be built.
    """
    said = spelling.split(words, grammar.language) if isinstance(words, str) else words
    return _matcher(msgspec.msgpack.encode(grammar)).read(said, today)


def state(grammar: Grammar, words: Sequence[str] | str, today: str = "") -> tuple[bool, bool]:
    """(complete, continues) of what has been said so far; see `Matcher.state`."""
    said = spelling.split(words, grammar.language) if isinstance(words, str) else words
    return _matcher(msgspec.msgpack.encode(grammar)).state(said, today)

"""A word net: what may be said, as nodes and arcs, with tags that say what it means.

The one source of both readers of a grammar: `speech.matcher` walks it with words, `speech.graph` turns it into a
decoding graph. An arc says a word or nothing; its tag is noted by whoever passes. There is no circle of silent arcs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from engine.errors import SpeechError
from engine.speech import notation

Arc = tuple[str, str, int]  # word ("" = silent), tag ("" = none), target node
nodes_max = 200_000
FILLER, FILLER_ON = "~", "~+"  # the tags of words that mean nothing: the first of a polite phrase, and the others
CALENDAR = ("M", "D")  # with these begin the tags of a month and of its day
Build = Callable[["Net", int, int], None]  # draws something between two nodes
Slots = Callable[["Net", str, int, int], None]  # draws the slot of a name between two nodes


class Net:
    """Nodes are integers from 0; `start` begins, `end` accepts."""

    def __init__(self) -> None:
        self.arcs: list[list[Arc]] = []
        self.start, self.end = self.node(), self.node()

    def node(self) -> int:
        """A new node. Raises SpeechError when the grammar is out of all bounds."""
        if len(self.arcs) == nodes_max:
            raise SpeechError(
                f"this grammar is too large: more than {nodes_max} places between words; "
                "shorten its lists, or the ranges of its slots"
            )
        self.arcs.append([])
        return len(self.arcs) - 1

    def say(self, source: int, word: str, target: int, tag: str = "") -> None:
        """One word between two nodes."""
        self.arcs[source].append((word, tag, target))

    def pass_by(self, source: int, target: int, tag: str = "") -> None:
        """Nothing to say between two nodes."""
        self.arcs[source].append(("", tag, target))

    def words(self, source: int, text: str, target: int, tag: str = "") -> None:
        """Several words, split at spaces; the tag stands at the last of them."""
        spoken = text.split()
        for index, word in enumerate(spoken):
            last = index == len(spoken) - 1
            following = target if last else self.node()
            self.say(source, word, following, tag if last else "")
            source = following

    def counted(self, source: int, target: int, low: int, high: int, unit: Build, repeats: dict[str, int]) -> None:
        """`low`…`high` units one after the other (`high` 0: any number from `low` on, at least one). A word of
        `repeats` before a unit ("double") makes it count that often and is tagged `x` and the count."""
        low = max(1, low)
        places = [self.node() for _ in range((high or low) + 1)]
        self.pass_by(source, places[0])
        for count, place in enumerate(places):
            if count >= low:
                self.pass_by(place, target)
            for word, times in (("", 1), *repeats.items()):
                following = count + times if high else min(count + times, low)
                if following >= len(places):
                    continue
                begun = place
                if word:
                    begun = self.node()
                    self.say(place, word, begun, f"x{times}")
                unit(self, begun, places[following])

    def any_of(self, source: int, target: int, meanings: Iterable[tuple[str, str]]) -> None:
        """Alternatives: (words, tag) each."""
        for text, tag in meanings:
            self.words(source, text, target, tag)

    def draw(self, tree: notation.Node, source: int, target: int, slot: Slots, tag: str = "") -> None:
        """A phrase's tree between two nodes; `slot(net, name, source, target)` draws the places of slots, and every
        word gets the tag."""
        if isinstance(tree, notation.Word):
            self.say(source, tree.text, target, tag)
        elif isinstance(tree, notation.SlotPlace):
            slot(self, tree.name, source, target)
        elif isinstance(tree, notation.Sequence):
            for index, part in enumerate(tree.parts):
                following = target if index == len(tree.parts) - 1 else self.node()
                self.draw(part, source, following, slot, tag)
                source = following
        else:
            for branch in tree.branches:
                self.draw(branch, source, target, slot, tag)
            if tree.optional:
                self.pass_by(source, target)


def vocabulary(net: Net) -> list[str]:
    """Every word of a net once, sorted."""
    return sorted({word for arcs in net.arcs for word, _, _ in arcs if word})

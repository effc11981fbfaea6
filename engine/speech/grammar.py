"""What a caller may say at one place of a dialplan, in one language: plain structs, as a dialplan makes them.

The notation of a phrase is `speech.notation`'s; what it becomes for a decoder `speech.graph`'s; how a sentence is read
back into an intent and slots `speech.matcher`'s. Structs here are encodable: a site carries its grammars.
"""

from __future__ import annotations

import msgspec

SLOT_KINDS = ("yes_no", "digits", "number", "amount", "date", "time", "spelled", "choice")


class Line(msgspec.Struct, frozen=True, array_like=True):
    """A phrase and what it means. `phrase`: words, (one|or another), [optional], $slot."""

    phrase: str
    intent: str


class Slot(msgspec.Struct, frozen=True, array_like=True):
    """What `$name` in a phrase stands for.

    `low`/`high`: how many digits or letters, or between which numbers (both 0: free). `choices`: what a choice means ->
    the phrases that say so; `open_list`: its choices are known in the call alone and come with the wish to listen.
    """

    kind: str
    low: int = 0
    high: int = 0
    currency: str = ""  # ISO 4217, of an amount
    choices: dict[str, tuple[str, ...]] = {}
    open_list: bool = False


class Grammar(msgspec.Struct, frozen=True, array_like=True):
    """`lines` are alternatives. `any_order`: an utterance may string several lines together, each at most once, in any
    order, and their slots add up. `fillers`: polite words of the language may stand around and between, and those of
    `polite` beside them. `words`: pronunciations of the admin's own, before those of the dictionary: phones of the
    language's model, or `like` and words that it knows (`lexicon.resolved`)."""

    language: str
    lines: tuple[Line, ...]
    slots: dict[str, Slot] = {}
    words: dict[str, tuple[str, ...]] = {}
    fillers: bool = True
    any_order: bool = False
    polite: tuple[str, ...] = ()

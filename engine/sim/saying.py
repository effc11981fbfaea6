"""What a caller of a test says, as a recogniser would tell it: without a sound, by the grammar that is listened with.

The words go through the same matcher that reads what a recogniser has heard; how sure it was is the test's to say.
"""

from __future__ import annotations

import msgspec

from engine.dialplan.model import Site
from engine.speech import grammar_net, matcher
from engine.speech.ports import Listening
from engine.speech.utterance import MATCH, NO_MATCH, Heard, Utterance

ENGINE = "test"
SURE_PERCENT = 95
APART_PERCENT = 15  # between a reading and the next that the test names
WORD_MS = 350
BEGINS_MS, ANSWERS_MS = 200, 300


class Said(msgspec.Struct, frozen=True):
    """Words of a caller. `others`: what he may have said instead, the likelier first."""

    text: str
    percent: int = SURE_PERCENT
    others: tuple[str, ...] = ()


def lasts_ms(said: Said) -> int:
    return WORD_MS * max(1, len(said.text.split()) if said.text.isascii() else len(said.text))


def utterance(site: Site, listening: Listening, said: Said) -> Utterance:
    """What comes of it: a match when the grammar knows the words and the reading is sure enough for the step."""
    grammar = site.grammars[listening.grammar]
    if listening.lists:
        grammar = grammar_net.fill(grammar, listening.lists)
    best: list[Heard] = []
    for place, text in enumerate((said.text, *said.others)):
        sure = max(1, said.percent - APART_PERCENT * place) / 100
        best += [
            msgspec.structs.replace(each, confidence=sure) for each in matcher.read(grammar, text, listening.today)
        ]
    good = bool(best) and best[0].confidence >= listening.threshold
    heard = tuple(best) if best else (Heard(said.text, ""),)
    end_ms = BEGINS_MS + lasts_ms(said)
    return Utterance(MATCH if good else NO_MATCH, heard, BEGINS_MS, end_ms, end_ms + ANSWERS_MS, engine=ENGINE)

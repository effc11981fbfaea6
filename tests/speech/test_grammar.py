"""Grammars are data: they cross the wall to recognisers, and a site carries them."""

from __future__ import annotations

import msgspec

from engine.speech.grammar import SLOT_KINDS, Grammar, Line, Slot


def test_a_grammar_comes_back_whole() -> None:
    grammar = Grammar(
        "en",
        (Line("[the] (bill|invoice) [of $day]", "billing"),),
        {"day": Slot("date"), "who": Slot("choice", choices={"ann": ("ann", "missis lee")})},
        {"ringdown": ("R IH NG D AW N",)},
        any_order=True,
    )
    packed = msgspec.msgpack.encode(grammar)
    assert msgspec.msgpack.decode(packed, type=Grammar) == grammar
    assert {slot.kind for slot in grammar.slots.values()} <= set(SLOT_KINDS)

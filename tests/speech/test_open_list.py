"""A list that only the call knows: what may be said for its entries, and which have no words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine import limits
from engine.speech import grammar_net, open_list
from engine.speech.grammar import Grammar, Line, Slot
from engine.speech.open_list import OpenList


def test_entries_are_said_by_their_words_and_kept_as_they_are() -> None:
    found = open_list.read(" Dr. Smith (ENT)|O'Brien |B 12||\nthe nurse", "en")
    assert found == OpenList(
        ("Dr. Smith (ENT)", "O'Brien", "B 12", "the nurse"),
        {"dr smith ent": "Dr. Smith (ENT)", "o'brien": "O'Brien", "b one two": "B 12", "the nurse": "the nurse"},
    )
    assert open_list.read("上海|北京", "zh").phrases == {"上 海": "上海", "北 京": "北京"}
    assert open_list.read("", "en") == open_list.read(" | \n|", "en") == OpenList()


def test_what_nobody_can_say_has_its_place_all_the_same() -> None:
    long = "a" * (limits.spoken_entry_letters_max + 1)
    found = open_list.read(f"Bath|100%|bath!|{long}|***|York", "en")
    assert found.entries == ("Bath", "100%", "bath!", long, "***", "York")
    assert list(found.phrases) == ["bath", "york"] and found.left_out == ("100%", "bath!", long, "***")


def test_it_is_bounded() -> None:
    most = limits.spoken_list_entries_max
    found = open_list.read(open_list.join([f"town {'x' * n}" for n in range(most + 2)]), "en")
    assert len(found.entries) == most and len(found.left_out) >= 2


def test_a_sign_in_an_entry_divides_nothing() -> None:
    assert open_list.read(open_list.join(["a|b", "c\nd"]), "en").entries == ("a b", "c d")


@given(st.text(max_size=200), st.sampled_from(["en", "zh", "de"]))
def test_whatever_comes_can_be_listened_for(text: str, language: str) -> None:
    found = open_list.read(text, language)
    assert set(found.phrases.values()) <= set(found.entries)
    if found.phrases:
        grammar = Grammar(language, (Line("$it", ""),), {"it": Slot("choice", open_list=True)})
        grammar_net.build(grammar_net.fill(grammar, {"it": tuple(found.phrases)}))

"""The notation of phrases, and errors that point at the sign that is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.speech import notation
from engine.speech.notation import Choice, NotationError, Sequence, SlotPlace, Word


def test_a_phrase_becomes_a_tree() -> None:
    tree = notation.read("[the] (bill|invoice number) of $day", "en")
    assert tree == Sequence(
        (
            Choice((Word("the"),), optional=True),
            Choice((Word("bill"), Sequence((Word("invoice"), Word("number"))))),
            Word("of"),
            SlotPlace("day"),
        )
    )
    assert notation.slots(tree) == ("day",)


def test_what_stands_alone_is_not_wrapped() -> None:
    assert notation.read("(billing)", "en") == Word("billing")
    assert notation.read("Billing, please.", "en") == Sequence((Word("billing"), Word("please")))
    assert notation.read("余额", "zh") == Sequence((Word("余"), Word("额")))


@pytest.mark.parametrize(
    ("phrase", "column", "says"),
    [
        ("", 1, "without a word"),
        ("[the] [bill]", 1, "without a word"),
        ("(a|[b]) [c]", 1, "without a word"),
        ("the (bill|invoice", 5, "never closed"),
        ("the bill)", 9, "closes nothing"),
        ("the (bill]", 10, "closes nothing"),
        ("bill|invoice", 5, "alternatives"),
        ("(bill|)", 7, "empty"),
        ("()", 2, "empty"),
        ("on $", 4, "name of a slot"),
        ("on $Day", 4, "name of a slot"),
        ("bed & breakfast", 5, "can't be spoken"),
        ("pay €5", 5, "can't be spoken"),
        ("rock ' roll", 6, "no word"),
        ("(" * 9 + "a" + ")" * 9, 9, "nested"),
        ("a " * 300, 501, "at most"),
    ],
)
def test_errors_point_at_the_sign(phrase: str, column: int, says: str) -> None:
    with pytest.raises(NotationError, match=says) as caught:
        notation.read(phrase, "en")
    assert caught.value.column == column and f"column {column}" in str(caught.value)


@given(st.text("ab ()[]|$'é7", max_size=30))
def test_any_text_is_read_or_refused_within_itself(phrase: str) -> None:
    try:
        tree = notation.read(phrase, "en")
    except NotationError as error:
        assert 1 <= error.column <= len(phrase) + 1
    else:
        assert not notation.may_be_silent(tree)

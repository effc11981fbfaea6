"""Phrases that are taken for each other on telephones are near, others aren't."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.speech import phonetics
from engine.speech.phonetics import alike, distance, plain

SAID = {
    "billing": "B IH1 L IH0 NG", "building": "B IH1 L D IH0 NG", "sales": "S EY1 L Z", "sails": "S EY1 L Z",
    "support": "S AH0 P AO1 R T", "report": "R IH0 P AO1 R T", "fifteen": "F IH0 F T IY1 N", "fifty": "F IH1 F T IY0",
    "yes": "Y EH1 S", "no": "N OW1", "agent": "EY1 JH AH0 N T", "operator": "AA1 P ER0 EY2 T ER0", "five": "F AY1 V",
    "nine": "N AY1 N", "outage": "AW1 T IH0 JH", "power cut": "P AW1 ER0 K AH1 T", "renew": "R IH0 N UW1",
    "review": "R IY0 V Y UW1", "delivery": "D IH0 L IH1 V ER0 IY0", "mail": "M EY1 L", "male": "M EY1 L",
    "cancel": "K AE1 N S AH0 L", "account": "AH0 K AW1 N T", "a count": "AH0 K AW1 N T",
}  # fmt: skip
PHONES = sorted({*phonetics._VOWELS, *phonetics._CONSONANTS})
PHRASES = st.lists(st.sampled_from(PHONES), max_size=8)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("billing", "building", True), ("sales", "sails", True), ("support", "report", True),
        ("fifteen", "fifty", True),
        ("five", "nine", True), ("renew", "review", True), ("mail", "male", True), ("account", "a count", True),
        ("yes", "no", False), ("agent", "operator", False), ("billing", "sales", False), ("outage", "power cut", False),
        ("sales", "support", False), ("delivery", "cancel", False), ("mail", "sales", False),
        ("billing", "mail", False),
    ],
)  # fmt: skip
def test_what_is_taken_for_the_other(left: str, right: str, expected: bool) -> None:
    assert alike(plain(SAID[left]), plain(SAID[right])) is expected, distance(plain(SAID[left]), plain(SAID[right]))


def test_syllables() -> None:
    words = ("sales", "billing", "operator", "delivery")
    assert [phonetics.syllables(plain(SAID[word])) for word in words] == [1, 2, 4, 4]
    assert phonetics.syllables(("zh", "ONG1")) == 1


@given(PHRASES, PHRASES)
def test_it_is_a_distance(left: list[str], right: list[str]) -> None:
    assert distance(left, left) == 0
    assert distance(left, right) == pytest.approx(distance(right, left))
    assert 0 <= distance(left, right) <= sum(map(phonetics.missing, (*left, *right))) + 1e-9


@pytest.mark.parametrize("phone", PHONES)
def test_no_phone_is_free_and_none_costs_more_than_one(phone: str) -> None:
    others = [phonetics.unlike(phone, other) for other in PHONES if other != phone]
    assert 0 < min(others) <= max(others) <= 1
    assert phonetics.unlike(phone, "TONE3") == 1

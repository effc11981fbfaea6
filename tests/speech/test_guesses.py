"""Phonemes of espeak-ng into phones of the model."""

from __future__ import annotations

import pytest

from engine.speech import guesses
from tests.speech.models import PHONES, the_lexicon


@pytest.mark.parametrize(
    ("phonemes", "phones"),
    [
        ("bˈɪlɪŋ", "B IH L IH NG"),
        ("ɹˈɪŋdaʊn", "R IH NG D AW N"),
        ("wˈɔːɾɚ", "W AO T ER"),
        ("bˈʌʔn̩", "B AH T AH N"),
        ("kjˌuːbɚnˈiːts", "K Y UW B ER N IY T S"),
        ("tʃˈɜːtʃ", "CH ER CH"),
        ("dʒˈɔɪ", "JH OY"),
        ("", ""),
        ("bɯ", ""),
    ],
)
def test_phonemes_become_phones(phonemes: str, phones: str) -> None:
    assert guesses.from_ipa(phonemes) == phones
    assert {*phones.split()} <= {*PHONES}


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("menusales", ("M EH N Y UW S EY L Z",)),
        ("tomatos", ("T AH M AA T OW Z", "T AH M EY T OW Z")),
        ("bills's", ("B IH L Z IH Z",)),
        ("salestwo", ("S EY L Z T UW",)),
        ("blorp", ()),
        ("as", ()),
        ("", ()),
    ],
)
def test_words_follow_from_others(word: str, phones: tuple[str, ...]) -> None:
    assert guesses.derived(word, the_lexicon().of) == phones

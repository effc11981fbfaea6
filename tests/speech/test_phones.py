"""Phones, their positions and their transitions."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import SpeechError
from engine.speech import phones
from tests.speech.models import PHONES, the_phones


def test_phones_are_placed_by_their_position() -> None:
    known = the_phones()
    assert known.placed("B IH L") == ("B_B", "IH_I", "L_E")
    assert known.placed("EY") == ("EY_S",)
    assert known.names() == tuple(PHONES)
    with pytest.raises(SpeechError, match="'XX', which is no phone"):
        known.placed("B XX")


def test_transitions_follow_the_numbers() -> None:
    known = the_phones()
    assert (known.enter("SIL"), known.stay("SIL"), known.enter("AA_B")) == (2, 1, 6)


def test_noise_needs_a_model_that_knows_it() -> None:
    assert the_phones(noise=True).noise and not the_phones().noise
    assert not phones.read("<eps> 0\nSIL 1\nAA_S 2\n", noise=True).noise


@pytest.mark.parametrize("text", ["", "SIL 1\n", "SIL 1\nAA_S two\n", "AA_S 1\n"])
def test_what_is_no_phone_table_is_refused(text: str) -> None:
    with pytest.raises(SpeechError, match=r"phones\.txt"):
        phones.read(text)


def test_boundaries_name_the_positions() -> None:
    assert phones.boundaries(phones.read("<eps> 0\nSIL 1\nAA_B 2\nAA_I 3\nAA_E 4\nAA_S 5\n")) == (
        "1 nonword\n2 begin\n3 internal\n4 end\n5 singleton\n"
    )


@pytest.mark.parametrize("language", phones.OF_LANGUAGE)
def test_pronunciations_are_written_in_the_phones_of_the_model(language: str) -> None:
    text = (Path(phones.__file__).parent / "models" / language / "phones.txt").read_text("utf-8")
    assert set(phones.OF_LANGUAGE[language]) == set(phones.read(text).names())

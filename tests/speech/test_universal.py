"""Words that are live everywhere can be read, and mean one thing each."""

from __future__ import annotations

import pytest

from engine.speech import notation, universal


@pytest.mark.parametrize("language", sorted(universal.WORDS))
def test_every_meaning_has_words_that_can_be_read(language: str) -> None:
    said: dict[str, str] = {}
    for name in (universal.PERSON, universal.AGAIN, universal.HELP, universal.YES, universal.NO):
        phrases = universal.words(language, name)
        assert phrases
        for phrase in phrases:
            notation.read(phrase, language)
            assert said.setdefault(phrase, name) == name
    assert notation.slots(notation.read(universal.correcting(language, "$day"), language)) == ("day",)


def test_a_language_of_a_country_is_its_language_and_others_have_none() -> None:
    assert universal.words("en-GB", universal.YES) == universal.words("en", universal.YES)
    assert universal.words("de", universal.YES) == ()
    assert universal.correcting("de", "$day") == "$day"

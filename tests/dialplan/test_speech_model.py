"""Which recogniser serves a language; which models ship."""

from __future__ import annotations

from engine.dialplan.speech_model import SHIPPED, SpeechModel, recognizer_of, ships
from engine.runtime.graph_shelf import MODELS


def test_own_then_the_language_without_its_region_then_the_engines_then_none() -> None:
    british, any_english = SpeechModel("none"), SpeechModel("folder", "/srv/en")
    assert recognizer_of({"en-GB": british, "en": any_english}, "en-GB") is british
    assert recognizer_of({"en": any_english}, "en-GB") is any_english
    assert recognizer_of({}, "en-GB").kind == "embedded"
    assert recognizer_of({}, "xx").kind == "none"


def test_the_models_that_ship_are_those_in_the_folder() -> None:
    assert sorted(SHIPPED) == sorted(path.parent.name for path in MODELS.glob("*/manifest.yaml"))
    assert ships("en-US") and not ships("xx")

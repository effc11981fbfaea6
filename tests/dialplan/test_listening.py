"""When a step listens to words, and how long its prompt's first sentence lasts."""

from __future__ import annotations

import pytest

from engine.dialplan.verbs import listening
from engine.speech.utterance import Heard
from tests.dialplan.site import lines, site_of

PLAN = lines(
    "ringdown: 1", "person: {none: a test}", "phrases: {out: [out]}", "flows:", "  main:", "    - answer",
    "    - menu: {prompt: hello, listen: [keys, speech], choices: {1: out}, failed: out}", "  out: [hangup]",
)  # fmt: skip


@pytest.mark.parametrize(("text", "share"), [
    ("Hello. How can we help you today?", 7 / 33), ("One sentence.", 1.0), ("No stop at all", 1.0),
    ("你好。请说。", 0.5),
])  # fmt: skip
def test_the_first_sentence(text: str, share: float) -> None:
    site = site_of(PLAN, prompts__en=f"hello: {text}\nchoose: And more.\n")
    whole = site.prompts["en/hello"].duration_ms
    found = listening.first_sentence_ms(site, ("en/hello", "en/choose"))
    ends = any(sign in text for sign in ".。?")
    assert found == (int(whole * share) if ends else whole + site.prompts["en/choose"].duration_ms)
    assert listening.first_sentence_ms(site, ("nobody",)) == 0


def test_a_reading_means_a_key() -> None:
    step = site_of(PLAN).programs["default/main"].flows["main"][1]
    assert listening.value_in(step, Heard("out", "out")) == "1"
    assert listening.value_in(step, Heard("no out", "no, out")) == "1"
    assert listening.value_in(step, Heard("x", "person")) is None
    assert listening.barge_in(step) == "on"

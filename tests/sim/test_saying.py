"""Words in tests: read by the step's own grammar, as sure as the test says, without a sound."""

from __future__ import annotations

import pytest

from engine.errors import UsageError
from engine.sim import saying, transcript_reader
from engine.sim.expecting import Result, play
from engine.sim.saying import Said
from engine.sim.trying import Session, given_of, words_of
from engine.speech.utterance import MATCH, NO_MATCH, Listening
from tests.scenarios.sites import busy_site

PLAN = """
ringdown: 1
person: desk
variables: {day: date, account: digits 8}
phrases:
  told: [the news, "[what is] new"]
  shut: [the weather, the whether]
flows:
  main:
    - answer
    - menu: {prompt: welcome, confirm: one_moment, heard: thank_you, listen: [keys, speech],
             choices: {1: told, 2: shut}, failed: desk}
  told:
    - gather: {into: day, listen: [keys, speech], prompt: goodbye, failed: desk}
    - gather: {into: account, listen: [keys, speech], prompt: please_hold, failed: desk}
    - hangup: told
  shut: [{hangup: shut}]
  desk: [{hangup: desk}]
"""
SITE = busy_site(dialplans__echo=PLAN)
HEAD = "ringdown: 1\ngiven: {dialled: 9196, at: 2026-03-04 10:00}\ntests:\n  it:\n"


def run(*lines: str) -> Result:
    text = HEAD + "".join(f"    - {line}\n" for line in lines)
    cases, findings = transcript_reader.read(text.encode(), "dialplans/echo.test.yaml", SITE)
    assert cases is not None, findings
    return play(SITE, cases.tests[0])


@pytest.mark.parametrize("lines", [
    ("hears: welcome", "say: I'd like the news please", "hears: [thank_you, goodbye]", "say: next Tuesday",
     "hears: please_hold", "say: one two three four double five six oh", "outcome: told"),
    ("say: {text: the news, confidence: 60}", "hears: one_moment", "say: 'yes'", "hears: goodbye", "press: 0",
     "outcome: desk"),
    ("say: {text: the news, confidence: 60, or: the weather}", "hears: one_moment", "say: 'no'", "hears: one_moment",
     "say: that's right", "outcome: shut"),
    ("say: {text: the news, confidence: 60}", "hears: one_moment", "say: no the weather", "outcome: shut"),
    ("say: bananas", "hears: [invalid_choice, welcome]", "silence", "hears: welcome", "say: can I speak to a person",
     "outcome: desk"),
    ("say: {text: the news, confidence: 20}", "hears: invalid_choice", "press: 2", "hears: one_moment", "press: 1",
     "outcome: shut"),
    ("say: operator", "outcome: desk"), ("say: repeat that", "hears: welcome", "say: new", "hears: thank_you"),
])  # fmt: skip
def test_a_dialogue(lines: tuple[str, ...]) -> None:
    result = run(*lines)
    assert result.failure is None, result.failure


def test_who_speaks_where_nobody_listens_is_told() -> None:
    result = run("say: operator", "say: hello")
    assert result.failure is not None
    assert (result.failure.expected, result.failure.place.line) == ("somebody to listen to “hello”", 6)


def test_an_utterance() -> None:
    step = SITE.programs["default/echo"].flows["main"][1]
    listening = Listening(step.data["hears"]["en"], "en")
    told = saying.utterance(SITE, listening, Said("the news", 70, ("new", "nothing")))
    assert told.result == MATCH and [round(each.confidence, 2) for each in told.best] == [0.7, 0.55]
    assert saying.utterance(SITE, listening, Said("the news", 40)).result == NO_MATCH
    foreign = saying.utterance(SITE, listening, Said("bananas"))
    assert foreign.result == NO_MATCH and foreign.best[0].text == "bananas"
    assert told.decided_ms > told.speech_end_ms > told.speech_start_ms


def test_words_in_quotes_are_tried() -> None:
    assert words_of("1 \"my bill\" _ 'no, two' “a b” 10s") == ["1", '"my bill"', "_", "'no, two'", "“a b”", "10s"]
    given, _ = given_of(SITE, "9196", {})
    assert given is not None
    session = Session(SITE, given)
    session.do("“the news”")
    assert any("says “the news”" in line for line in session.printed)
    with pytest.raises(UsageError, match="between the quotes"):
        session.do("''")
    session.do('"operator"')
    assert session.over()

"""survey: its questions one after another, answers noted at once, silence and wrong keys."""

from __future__ import annotations

from engine.dialplan.actions import Digit, Hangup, TimerFired
from tests.dialplan.site import Caller, site_of

PLAN = "ringdown: 1\nflows:\n  main:\n    - answer\n    - survey: after\n    - hangup: served\n"
SURVEYS = (
    "after:\n  intro: hello\n  questions:\n    happy: {prompt: choose, keys: 1-5}\n"
    "    solved: {prompt: choose, keys: [1, 2]}\n  thanks: thank_you\n"
)


def caller(surveys: str = SURVEYS) -> Caller:
    made = Caller(site_of(PLAN, surveys=surveys))
    made.answered()
    return made


def silence(c: Caller) -> None:
    c.tell(TimerFired(c.run.ticket))


def test_every_answer_is_noted_at_once_and_the_next_question_follows() -> None:
    c = caller()
    assert c.notes("survey") == ["after"]
    c.played()
    c.tell(Digit("4"))  # into the question
    assert c.notes("survey")[1:] == ["after happy 4"]
    c.played()
    c.tell(Digit("2"))
    assert c.notes("survey")[2:] == ["after solved 2"]
    c.played()  # the thanks
    assert c.one(Hangup) == Hangup("served", 16)


def test_a_key_that_is_no_answer_asks_again_and_silence_goes_on() -> None:
    c = caller()
    c.played()
    c.tell(Digit("9"))
    assert "PlayPrompts" in c.kinds() and c.run.scratch["survey"] == 0
    c.played()
    silence(c)
    assert c.run.scratch["survey"] == 1
    c.played()
    silence(c)
    c.played()
    silence(c)
    c.played()
    assert c.one(Hangup) and c.notes("survey") == ["after"]


def test_a_key_cuts_the_intro_short_and_plays_that_never_end_do_not_hold_him() -> None:
    c = caller()
    c.tell(Digit("1"))
    assert c.run.scratch["survey"] == 0 and c.notes("survey") == ["after"]
    for _ in range(9):
        silence(c)
    assert c.one(Hangup)


def test_without_intro_and_thanks_only_the_question_is_heard() -> None:
    c = caller("after:\n  questions:\n    happy: {prompt: choose}\n")
    c.tell(Digit("5"))
    assert c.one(Hangup) and c.notes("survey") == ["after", "after happy 5"]

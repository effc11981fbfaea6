"""Who is kept as sound hears so before the first step that keeps him; a sensitive step never does."""

from __future__ import annotations

import pytest

from engine.dialplan.actions import Digit, Hear
from engine.dialplan.people_actions import RecordingTold, TellRecording
from tests.dialplan.site import Caller, site_of

SITE = """\
ringdown: 1
languages: [en]
numbers: {100: main}
recording:
  incoming: {announce: hello, opt_out: star}
  utterances: {consent: WHY}
retention: {utterances: 30d}
"""
PLAN = """\
ringdown: 1
variables: {code: digits 4 sensitive, day: date}
person: desk
phrases: {told: [the news]}
flows:
  main:
    - answer
    - FIRST
    - gather: {into: day, prompt: choose, listen: [keys, speech], failed: desk, missing: yes}
    - hangup: served
  told:
    - gather: {into: day, prompt: choose, listen: [keys, speech], failed: desk}
    - hangup: told
  desk:
    - hangup: desk
"""
MENU = "menu: {prompt: choose, listen: [keys, speech], choices: {1: told}, failed: desk}"
SECRET = "gather: {into: code, prompt: choose, listen: [keys, speech], failed: desk}"
SENTENCE = """ask:
        prompt: choose
        listen: [keys, speech]
        failed: desk
        slots:
          day: {prompt: choose}"""


def caller(first: str = MENU, why: str = "announced") -> Caller:
    made = Caller(site_of(PLAN.replace("FIRST", first), site=SITE.replace("WHY", why)))
    made.answered()
    return made


@pytest.mark.parametrize("first", [MENU, SENTENCE], ids=["menu", "ask"])
@pytest.mark.parametrize("result", ["told", "declined", "none"])
def test_he_is_told_first_and_then_asked(first: str, result: str) -> None:
    c = caller(first)
    wish = c.one(TellRecording)
    assert isinstance(wish, TellRecording) and (wish.clips, wish.opt_out) == (("en/hello",), "*")
    c.tell(RecordingTold(wish.ticket, result))
    found = c.one(Hear)
    assert isinstance(found, Hear) and found.keep  # whether he consented is the call's to know


def test_once_in_a_dialplan() -> None:
    c = caller()
    c.tell(RecordingTold(c.run.ticket, "told"))
    c.tell(Digit("1"))
    assert "TellRecording" not in c.kinds() and c.one(Hear).keep  # type: ignore[attr-defined]


def test_consent_from_elsewhere_says_nothing() -> None:
    c = caller(why='"our contract, section 4"')
    assert "TellRecording" not in c.kinds() and c.one(Hear).keep  # type: ignore[attr-defined]


def test_a_secret_is_neither_told_of_nor_kept() -> None:
    c = caller(SECRET)
    found = c.one(Hear)
    assert "TellRecording" not in c.kinds()
    assert isinstance(found, Hear) and not found.keep and found.listening.sensitive

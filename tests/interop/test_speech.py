"""Callers who speak: real audio into a running engine; what was understood, and the timing, read from its packets.

Judged here with generous bounds, because other tests share the machine; the figures are printed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import listening
import pytest
from harness import speaker
from harness.server import ROOT, Engine
from harness.visit import Visiting, gathered, heard

pytestmark = pytest.mark.interop

NUMBERS = "numbers:\n  8820: {dialplan: interop, public: yes}\n"
DIALPLAN = """\
ringdown: 1
entry: main
person: desk
languages: [en]
phrases:
  billing: [billing, my bill, "[pay] an invoice"]
  sales: [sales, "buy something"]
variables:
  account: digits 8
flows:
  main:
    - answer
    - menu:
        prompt: ten_seconds
        again: say_again
        no_match: did_not_catch
        no_input: heard_nothing
        listen: [keys, speech]
        timeout: 2s
        tries: 2
        choices: {1: billing, 2: sales}
        failed: lost
  billing:
    - gather: {into: account, prompt: say_again, listen: [keys, speech], timeout: 4s, failed: lost}
    - play: thank_you
    - hangup: billing
  sales:
    - play: thank_you
    - hangup: sales
  desk:
    - play: connecting_person
    - hangup: desk
  lost:
    - play: goodbye
    - hangup: lost
"""
BARGE_IN_MS_MAX, ANSWER_MS_MAX = 450, 1_500


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(edits={"site.yaml": ("numbers:\n", NUMBERS)}, extra=DIALPLAN) as made:
        yield made


def test_billing_over_the_greeting_and_a_number_with_a_pause(engine: Engine) -> None:
    with Visiting(engine) as visit:
        visit.wait_loud()
        time.sleep(1.0)
        visit.say(speaker.words("billing"))
        visit.wait_loud(visit.said_s[0][1])
        visit.wait_quiet()
        number = (speaker.words("two seven four one"), speaker.pause(700), speaker.words("nine three eight six"))
        visit.say(*number)
    print(f"barge-in {visit.barge_in_ms():.0f} ms, answers {[round(visit.answer_ms(n)) for n in (0, 1)]} ms")
    print(heard(engine, visit))
    assert visit.outcome == "billing"
    assert gathered(engine, visit) == {"account": "27419386"}
    assert visit.barge_in_ms() <= BARGE_IN_MS_MAX
    assert max(visit.answer_ms(0), visit.answer_ms(1)) <= ANSWER_MS_MAX


@pytest.mark.parametrize(("text", "voice", "outcome"), [
    ("operator", "festival", "desk"), ("i would like to buy something please", "rms", "sales"),
])
def test_a_person_and_a_polite_sentence(engine: Engine, text: str, voice: str, outcome: str) -> None:
    with Visiting(engine) as visit:
        visit.wait_loud()
        time.sleep(0.5)
        visit.say(speaker.words(text, voice))
    print(f"barge-in {visit.barge_in_ms():.0f} ms, answer {visit.answer_ms():.0f} ms", heard(engine, visit))
    assert visit.outcome == outcome
    assert visit.barge_in_ms() <= BARGE_IN_MS_MAX and visit.answer_ms() <= ANSWER_MS_MAX


def test_a_key_while_he_talks_decides(engine: Engine) -> None:
    with Visiting(engine) as visit:
        visit.wait_loud()
        time.sleep(0.5)
        visit.ear.play(speaker.words("my bill is wrong and i do not know why"))
        time.sleep(0.6)
        visit.ear.press("2")
    assert visit.outcome == "sales"


def test_nobody_who_speaks_and_music_are_bounded(engine: Engine) -> None:
    """Silence is asked again and handed on; so is music, which never ends by itself. Both at once."""
    music = listening.read_wav(ROOT / "prompts" / "music" / "default.wav")
    began = time.monotonic()
    with Visiting(engine, 60.0, "silent") as silent:
        silent.wait_loud()
        with Visiting(engine, 60.0, "musical") as musical:
            musical.wait_loud()
            musical.ear.play(music[: 60 * speaker.RATE])
    print(f"{time.monotonic() - began:.1f} s", heard(engine, silent), heard(engine, musical))
    assert (silent.outcome, musical.outcome) == ("lost", "lost")
    assert heard(engine, musical)[0]["result"] == "too_long"
    assert time.monotonic() - began < 55

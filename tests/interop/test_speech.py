"""Callers who speak: real audio into a running engine; what was understood, and the timing, read from its packets.

Judged here with generous bounds, because other tests share the machine; the figures are printed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import listening
import numpy as np
import pytest
from harness import speaker
from harness.rtp import Ear, Packet
from harness.server import ROOT, Engine

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
LOUD = 300.0  # RMS of a frame that can be heard
BARGE_IN_MS_MAX, ANSWER_MS_MAX = 450, 1_500


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(edits={"site.yaml": ("numbers:\n", NUMBERS)}, extra=DIALPLAN) as made:
        yield made


def is_loud(packet: Packet) -> bool:
    samples = listening.decode(packet.payload, packet.kind).astype(np.float64)
    return bool(np.sqrt(np.mean(samples**2)) > LOUD)


@dataclass
class Visit:
    """One call: what the caller did and when (monotonic s), and what became of it."""

    ear: Ear
    said_s: list[tuple[float, float]] = field(default_factory=list)  # first and last sound
    outcome: str = ""
    call: str = ""

    def loud(self) -> list[float]:
        """When each packet that can be heard arrived."""
        return [p.at for p in list(self.ear.packets) if p.kind in (0, 8) and is_loud(p)]

    def wait_loud(self, after: float = 0.0, seconds: float = 8.0) -> float:
        """When the engine is heard, after a moment."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = [at for at in self.loud() if at > after]
            if found:
                return found[0]
            time.sleep(0.02)
        raise AssertionError("the engine says nothing")

    def wait_quiet(self, seconds: float = 12.0) -> None:
        """Until nothing has been heard for 300 ms."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if time.monotonic() - max(self.loud(), default=0.0) > 0.3:
                return
            time.sleep(0.02)
        raise AssertionError("the engine doesn't stop")

    def say(self, *parts: np.ndarray, snr_db: float = 25.0) -> None:
        """Speak, and wait until it is said."""
        samples = np.concatenate(parts)
        began = time.monotonic()
        self.ear.play(speaker.in_room(samples, snr_db, len(self.said_s) + 1))
        self.said_s.append((began, began + samples.size / speaker.RATE))
        time.sleep(samples.size / speaker.RATE)

    def barge_in_ms(self, number: int = 0) -> float:
        """From the caller's first sound to the last packet of the prompt."""
        began, ended = self.said_s[number]
        heard = [at for at in self.loud() if began <= at]
        gaps = [at for at, after in zip(heard, [*heard[1:], np.inf], strict=True) if after - at > 0.15]
        return 1_000 * (gaps[0] - began) if gaps and gaps[0] < ended + 2.0 else np.inf

    def answer_ms(self, number: int = 0) -> float:
        """From his last sound to the first packet of the answer."""
        _, ended = self.said_s[number]
        return 1_000 * (min((at for at in self.loud() if at > ended), default=np.inf) - ended)


class Visiting:
    """`with Visiting(engine) as visit:` the call; after it the outcome is there."""

    def __init__(self, engine: Engine, seconds: float = 30.0, user: str = "stranger") -> None:
        self.engine, self.seconds, self.user = engine, seconds, user

    def __enter__(self) -> Visit:
        self.phone = self.engine.phone(self.user, secret=False).__enter__()
        self.ear = Ear().__enter__()
        self.dialog = self.phone.call("8820", media=self.ear.port)
        self.ear.start(self.dialog.media.host, self.dialog.media.port)
        self.visit = Visit(self.ear)
        return self.visit

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self.dialog.expect_bye(self.seconds)
                call = self.engine.last_call(dialled="8820", caller=self.user)
                self.visit.call, self.visit.outcome = str(call["call"]), str(call["outcome"])
        finally:
            self.ear.close()
            self.phone.close()


def heard(engine: Engine, visit: Visit) -> list[dict[str, object]]:
    return [each["data"] for each in engine.events(visit.call) if each["kind"] == "speech.heard"]


def gathered(engine: Engine, visit: Visit) -> dict[str, str]:
    """What the dialplan took from the caller, by variable."""
    rows = [each["data"] for each in engine.events(visit.call) if each["kind"] == "call.gathered"]
    return {row["variable"]: row["value"] for row in rows}


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

"""One listening, by frames: when it begins and ends, late recognisers, lost frames, and what fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
import pytest

from engine.errors import SpeechError
from engine.media.ears import PLAYING
from engine.runtime.one_utterance import OneUtterance
from engine.runtime.recognizer_child import endpointing
from engine.speech.ports import Heard, Listening, Partial, Samples, Utterance
from tests.runtime.fakes import run
from tests.runtime.spoken import digits, frames, silence, spoken

QUIET = np.zeros(160, np.int16)


class Parrot:
    """A recogniser that understands `words` once it has heard so many frames, and says what it was given."""

    def __init__(self, complete_at: int = 10_000, sure: float = 0.9, broken_at: int = 10_000) -> None:
        self.name = "parrot"
        self.heard: list[Samples] = []
        self.cancelled = False
        self._complete_at, self._sure, self._broken_at = complete_at, sure, broken_at

    def feed(self, frame: Samples) -> Partial | None:
        self.heard.append(frame)
        if len(self.heard) == self._broken_at:
            raise SpeechError("the model failed")
        return Partial("four", complete=True, continues=False) if len(self.heard) == self._complete_at else None

    async def result(self) -> tuple[Heard, ...]:
        return (Heard("four", "number", {}, self._sure),)

    def cancel(self) -> None:
        self.cancelled = True


def hear(
    samples: Samples, parrot: Parrot | None, listening: Listening | None = None,
    at: Callable[[OneUtterance, int], None] = lambda each, number: None,
) -> tuple[Utterance, OneUtterance, list[int]]:
    async def work() -> tuple[Utterance, OneUtterance, list[int]]:
        began: list[int] = []
        wish = listening or Listening("g", "en")
        utterance = OneUtterance(wish, endpointing()(wish, None), began.append)
        if parrot is not None:
            utterance.serve(parrot)
        for number, frame in enumerate(frames(samples)):
            at(utterance, number)
            utterance.frame(number, frame, QUIET)
            if utterance.over:
                break
        return await utterance.conclude(), utterance, began

    return run(work())


def test_it_begins_with_the_sound_and_ends_a_pause_after_it() -> None:
    parrot = Parrot()
    said, utterance, began = hear(digits("4079"), parrot)
    assert utterance.over and said.result == "match" and said.engine == "parrot"
    assert len(began) == 1 and 0 < began[0] <= 200
    assert 300 <= said.speech_start_ms <= 600
    assert 1_000 <= said.decided_ms - said.speech_end_ms <= 1_100  # nothing is complete: a whole pause is waited for
    # the recogniser has heard what came before the onset was noticed, too
    assert 20 * len(parrot.heard) > said.decided_ms - said.speech_start_ms


def test_what_is_complete_is_not_waited_for() -> None:
    said, _, _ = hear(digits("4079"), Parrot(complete_at=60))
    assert 280 <= said.decided_ms - said.speech_end_ms <= 400


def test_an_unsure_result_is_no_match_and_an_endless_one_too_long() -> None:
    assert hear(digits("4"), Parrot(sure=0.3))[0].result == "no_match"
    long = spoken("all_busy", "technical_fault", "all_busy")
    said, _, _ = hear(long, Parrot(), Listening("g", "en", utterance_ms_max=2_000))
    assert said.result == "too_long" and said.decided_ms - said.speech_start_ms == 2_000


def test_a_recogniser_that_comes_late_hears_everything() -> None:
    late, early = Parrot(), Parrot()
    hear(digits("4079"), early)
    hear(digits("4079"), None, at=lambda each, number: each.serve(late) if number == 60 else None)
    assert len(late.heard) == len(early.heard)
    assert all((a == b).all() for a, b in zip(late.heard, early.heard, strict=True))


def test_one_that_never_comes_or_breaks_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.runtime.one_utterance.HEARER_S_MAX", 0.05)
    said, _, _ = hear(digits("4"), None)
    assert said.result == "failed" and "ready in time" in said.detail
    said, _, _ = hear(digits("4"), Parrot(broken_at=5))
    assert said.result == "failed" and said.detail == "the model failed"


def test_lost_frames_are_silence_and_time_goes_on() -> None:
    async def work() -> int:
        wish = Listening("g", "en")
        utterance = OneUtterance(wish, endpointing()(wish, None), lambda ms: None)
        for number, frame in enumerate(frames(digits("40"))):
            if number < 20 or number % 10:
                utterance.frame(number, frame, QUIET)
        return utterance.endpoint.now_ms

    assert run(work()) in range(2_000, 20 * len(list(frames(digits("40")))) + 1)


def test_cancelled_before_and_after_it_is_served() -> None:
    async def work() -> None:
        wish = Listening("g", "en")
        utterance = OneUtterance(wish, endpointing()(wish, None), lambda ms: None)
        utterance.cancel()
        late = Parrot()
        utterance.serve(late)
        assert late.cancelled and utterance.over
        await asyncio.sleep(0)

    run(work())


def test_who_speaks_over_a_prompt_has_barged_in() -> None:
    async def work() -> bool:
        wish = Listening("g", "en")
        utterance = OneUtterance(wish, endpointing()(wish, None), lambda ms: None)
        for number, frame in enumerate(frames(np.concatenate([silence(1_000), spoken("goodbye")]))):
            utterance.frame(number, frame, QUIET, PLAYING)
        return utterance.endpoint.barged_in

    assert run(work())

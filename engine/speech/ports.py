"""The two ports of speech: what a recogniser and a synthesiser are asked, and what they answer.

Audio is linear 16 bit, 8 kHz, mono, in frames of 20 ms, unless said otherwise.
"""

from __future__ import annotations

from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from engine.speech.grammar import Grammar

RATE_HZ = 8_000
FRAME_SAMPLES = 160
Samples = npt.NDArray[np.int16]

# how an utterance ended
MATCH, NO_MATCH, NO_INPUT, TOO_LONG, FAILED = "match", "no_match", "no_input", "too_long", "failed"


class Heard(msgspec.Struct, frozen=True, array_like=True):
    """One reading of an utterance: its words, what they mean, and how sure that is (0 … 1, calibrated per model).

    Values as `dialplan.types` has them: digits, letters and a choice as text, a number as int, an amount in minor
    units, a date as 2026-03-04, a time as 08:00, yes/no as bool.
    """

    text: str
    intent: str
    slots: dict[str, str | int | bool] = {}
    confidence: float = 0.0


class Utterance(msgspec.Struct, frozen=True, array_like=True):
    """What came of listening. `result`: match | no_match | no_input | too_long | failed; `best`: readings, best first
    (of a no_match those that were not good enough). Times count from the moment that listening began."""

    result: str
    best: tuple[Heard, ...] = ()
    speech_start_ms: int = -1
    speech_end_ms: int = -1
    decided_ms: int = -1  # when the result stood: less speech_end_ms is what the caller waited for the recogniser
    barged_in: bool = False
    engine: str = ""  # which recogniser it was
    detail: str = ""  # why it failed, in words


class Listening(msgspec.Struct, frozen=True, array_like=True):
    """One wish to listen.

    `grammar`: key in `Site.grammars` (its content's hash). `barge_in`: on | off | after_first (then speech counts from
    `barge_in_ms` of the prompt on). The end of speech is known after `complete_ms` of silence once what was said is
    complete and can't be continued, `pause_ms` while it may go on or is incomplete, `phrase_ms` when it is complete but
    may go on. `sensitive`: neither words nor sound leave the call.
    """

    grammar: str
    language: str
    barge_in: str = "on"
    barge_in_ms: int = 0
    complete_ms: int = 300
    phrase_ms: int = 500
    pause_ms: int = 1_000
    utterance_ms_max: int = 15_000
    threshold: float = 0.5  # a best reading that is less sure is no match
    sensitive: bool = False
    today: str = ""  # 2026-03-04 where the caller's clock is: relative dates count from it
    lists: dict[str, tuple[str, ...]] = {}  # choices of the slots whose list only the call knows


class Partial(msgspec.Struct, frozen=True, array_like=True):
    """What has been understood so far, and whether the grammar is content with it or could go on."""

    text: str
    complete: bool
    continues: bool


class Recognizer(Protocol):
    """One utterance: start, feed frames, finish (or cancel). Not shared between threads."""

    def start(self, grammar: Grammar, today: str = "") -> None:
        """Raises SpeechError: a grammar that this recogniser can't use, and why."""

    def feed(self, frame: Samples) -> Partial | None:
        """One frame; a Partial when there is news."""

    def finish(self) -> tuple[Heard, ...]:
        """The readings, best first; () when nothing in the grammar was heard."""

    def cancel(self) -> None:
        """Forget the utterance."""


class Sound(msgspec.Struct, frozen=True):
    """What a synthesiser said."""

    samples: Samples
    rate_hz: int


class Synthesizer(Protocol):
    """Blocking: run it in a child process, never on the event loop."""

    name: str

    def version(self) -> str:
        """What its cache entries depend on beside text, language and voice."""

    def speak(self, text: str, language: str, voice: str) -> Sound:
        """Raises SpeechError: a voice or language that it has not, or a program that failed, in words."""

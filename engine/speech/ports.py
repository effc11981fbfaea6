"""The two ports of speech: what a recogniser and a synthesiser are asked, and what they answer.

Audio is linear 16 bit, 8 kHz, mono, in frames of 20 ms, unless said otherwise.
"""

from __future__ import annotations

from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from engine.speech.grammar import Grammar
from engine.speech.utterance import (
    FAILED,
    MATCH,
    NO_INPUT,
    NO_MATCH,
    TOO_LONG,
    Heard,
    Listening,
    Utterance,
)

__all__ = [
    "FAILED", "FRAME_SAMPLES", "MATCH", "NO_INPUT", "NO_MATCH", "RATE_HZ", "TOO_LONG", "Heard", "Listening", "Partial",
    "Recognizer", "Samples", "Sound", "Synthesizer", "Utterance",
]  # fmt: skip

RATE_HZ = 8_000
FRAME_SAMPLES = 160
Samples = npt.NDArray[np.int16]

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

"""Speech without a synthesiser: the stock prompts' own recordings of digits and sentences, as callers say them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from engine.runtime.graph_shelf import shipped
from engine.runtime.wav import read_wav
from engine.speech.grammar import Grammar, Line, Slot
from engine.speech.ports import FRAME_SAMPLES, Samples

PROMPTS = Path(__file__).resolve().parents[2] / "prompts/en"
MODEL = str(shipped("en"))
DIGITS = Grammar("en", (Line("$number", "number"),), {"number": Slot("digits", 4, 4)})
MENU = Grammar(
    "en", (Line("(sales|orders)", "sales"), Line("thank you [for calling]", "thanks"), Line("goodbye", "end"))
)


def silence(ms: int) -> Samples:
    """A quiet line: a little noise, the same each time."""
    return np.random.default_rng(1).normal(0, 6, ms * 8).astype(np.int16)


def spoken(*names: str, before_ms: int = 400, between_ms: int = 120, after_ms: int = 1_200) -> Samples:
    """Recordings one after the other: `digits/4`, `goodbye` …"""
    parts = [silence(before_ms)]
    for name in names:
        parts += [read_wav(PROMPTS / f"{name}.wav"), silence(between_ms)]
    return np.concatenate([*parts, silence(after_ms)])


def digits(text: str) -> Samples:
    """A string of digits."""
    return spoken(*(f"digits/{digit}" for digit in text))


def frames(samples: Samples) -> Iterator[Samples]:
    """20 ms each."""
    for at in range(0, len(samples) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        yield samples[at : at + FRAME_SAMPLES]

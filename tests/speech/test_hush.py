"""The first gate: it saves work, and changes nothing of what is found out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import webrtcvad

from engine.speech import echo, endpointing, hush, levels
from engine.speech.endpointing import Endpointer, Gates, Step
from engine.speech.ports import FRAME_SAMPLES, Listening, Samples
from tests.speech.talk import echo_of, hiss, line, sentences

Found = list[tuple[Gates, Step]]


def frames(wave: Samples) -> list[Samples]:
    return [wave[at : at + FRAME_SAMPLES] for at in range(0, wave.size - FRAME_SAMPLES + 1, FRAME_SAMPLES)]


def call(seed: int) -> tuple[list[Samples], list[Samples]]:
    """What a caller said and what he was sent: a prompt with its echo, silence, two sentences, a cough of noise."""
    chance = np.random.default_rng(seed)
    prompt = np.concatenate([sentences()[seed].wave, np.zeros(24_000)])
    one, other = (sentences()[number].wave for number in chance.integers(0, 20, 2))
    pauses = [np.zeros(int(each)) for each in chance.integers(4_000, 40_000, 3)]
    cough = hiss(2_000, -25, seed) * np.hanning(2_000)
    said = np.concatenate([np.zeros(prompt.size), pauses[0], one, pauses[1], cough, pauses[2], other, np.zeros(16_000)])
    sent = np.concatenate([prompt, np.zeros(said.size - prompt.size)])
    said += echo_of(sent, -18, 60 + 20 * seed, seed) + hiss(said.size, -62 + 8 * (seed % 3), seed)
    return frames(line(said)), frames(line(sent))


def heard(seed: int) -> Found:
    """Every frame's gates and step; whenever an utterance ends, the next listening of this call begins."""
    voices = webrtcvad.Vad(3)
    listening = Listening("g", "en", pause_ms=600)
    ear = Endpointer(listening, lambda frame: voices.is_speech(frame, 8_000))
    found: Found = []
    for at, (said, sent) in enumerate(zip(*call(seed), strict=True)):
        step = ear.hear(said, sent, playing=bool(sent.any()), key=at % 97 == 0, silent=at % 89 == 0)
        found.append((ear.gates, step))
        if step.ended:
            ear = Endpointer(listening, ear.detector, None, ear)
    return found


@pytest.mark.parametrize("seed", range(6))
def test_it_finds_out_what_all_gates_together_do(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [0, 0]

    def counted(*arguments: Any) -> float:
        level = original(*arguments)
        asked[level == hush.STANDS_OUT] += 1
        return level

    original = hush.take_in
    monkeypatch.setattr(hush, "take_in", counted)
    quick = heard(seed)
    monkeypatch.setattr(hush, "take_in", lambda *arguments: hush.STANDS_OUT)
    thorough = heard(seed)
    assert asked[0] > len(quick) / 5 and asked[1] > 0
    assert sum(step.started for _, step in quick) >= 2 and sum(step.ended == endpointing.END for _, step in quick) >= 2
    for (gates, step), (other_gates, other_step) in zip(quick, thorough, strict=True):
        assert gates == other_gates
        assert (step.started, step.ended) == (other_step.started, other_step.ended)
        assert [each.tobytes() for each in step.feed] == [each.tobytes() for each in other_step.feed]


def test_what_stands_out_leaves_no_trace_and_what_does_not_is_taken_in() -> None:
    line_levels, raw = np.zeros(levels.FIELDS), np.zeros(levels.FIELDS)
    levels.begin(line_levels, levels.SILENT_DBFS)
    memory = echo.EchoFilter().memory
    chance = np.random.default_rng(1)
    soft, loud = (chance.normal(0, size, FRAME_SAMPLES).astype(np.int16) for size in (6, 2_000))
    kept = [array.copy() for array in (line_levels, raw, *memory)]
    assert hush.take_in(line_levels, raw, *memory, loud, loud) == hush.STANDS_OUT
    assert all(np.array_equal(one, other) for one, other in zip(kept, (line_levels, raw, *memory), strict=True))
    level = hush.take_in(line_levels, raw, *memory, soft, loud)
    assert -77 < level < -70 and line_levels[levels.HEARD] == 1 and abs(line_levels[levels.FLOOR] - level) <= 0.25
    sent, said, state = memory
    end = int(state[echo.AT])
    assert np.array_equal(sent[end - FRAME_SAMPLES : end], loud) and np.array_equal(said[-FRAME_SAMPLES:], soft)

"""The prompt's echo is taken out, whatever its delay and shape; the caller never is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.speech import echo, echo_paths
from engine.speech.echo import EchoFilter
from tests.speech.talk import echo_of, hiss, line, sentences

ROOT = Path(__file__).parents[2]
PROMPT = line(np.concatenate([said.wave for said in sentences(6)]))


def run(said: np.ndarray, sent: np.ndarray) -> tuple[np.ndarray, EchoFilter, np.ndarray]:
    """(what is left, the filter at the end, which frames had an echo)."""
    echoes, left, heard = EchoFilter(), [], []
    for first in range(0, said.size - 159, 160):
        frame = said[first : first + 160]
        rest = echoes.hear(frame, sent[first : first + 160])
        heard.append(rest is not None)
        left.append(frame.astype(np.float64) if rest is None else rest.copy())
    return np.concatenate(left), echoes, np.array(heard)


def loud(wave: np.ndarray) -> float:
    return 10 * float(np.log10(np.mean(np.asarray(wave, np.float64) ** 2) / 32_768**2 + 1e-12))


@pytest.mark.parametrize(("db", "delay_ms"), [(-10, 20), (-10, 300), (-20, 73), (-30, 150)])
def test_an_echo_is_found_and_taken_out(db: int, delay_ms: int) -> None:
    said = line(echo_of(PROMPT.astype(np.float64), db, delay_ms, delay_ms) + hiss(PROMPT.size, -68.0))
    left, echoes, heard = run(said, PROMPT)
    assert loud(said) - loud(left) > (12 if db > -30 else 5)
    assert echoes.delays_ms[0] == pytest.approx(delay_ms, abs=5)
    assert heard.mean() > 0.4


def test_an_echo_that_moves_is_found_again() -> None:
    half = PROMPT.size // 2 // 160 * 160
    sent = PROMPT.astype(np.float64)
    said = np.concatenate([echo_of(sent, -15, 60, 1)[:half], echo_of(sent, -15, 110, 1)[half:]])
    said = line(said + hiss(said.size, -68.0))
    left, echoes, _ = run(said, PROMPT)
    assert echoes.delays_ms[0] == pytest.approx(110, abs=5)
    assert loud(said[half + 1_600 :]) - loud(left[half + 1_600 :]) > 10


@pytest.mark.parametrize(("near_db", "far_db"), [(-10, -10), (-10, -20), (-20, -20), (-30, -12)])
def test_two_echoes_are_found_and_taken_out(near_db: int, far_db: int) -> None:
    """Both hybrids of a long way: one filter of 6 ms would leave the other echo to be somebody."""
    sent = PROMPT.astype(np.float64)
    echo = echo_of(sent, near_db, 35, 3) + echo_of(sent, far_db, 210, 4)
    said = line(echo + hiss(PROMPT.size, -68.0))
    left, echoes, _ = run(said, PROMPT)
    begun = 8_000  # both must have been heard
    assert loud(said[begun:]) - loud(left[begun:]) > 12
    for delay_ms in (35, 210):
        assert any(found == pytest.approx(delay_ms, abs=5) for found in echoes.delays_ms)


def test_of_two_echoes_one_moves_and_is_found_in_the_next_frames() -> None:
    half = PROMPT.size // 2 // 160 * 160
    sent = PROMPT.astype(np.float64)
    far = np.concatenate([echo_of(sent, -20, 210, 4)[:half], echo_of(sent, -20, 143, 4)[half:]])
    said = line(echo_of(sent, -14, 35, 3) + far + hiss(far.size, -68.0))
    left, echoes, _ = run(said, PROMPT)
    assert any(found == pytest.approx(143, abs=5) for found in echoes.delays_ms)
    assert loud(said[half + 1_600 :]) - loud(left[half + 1_600 :]) > 12


def test_whoever_talks_over_two_echoes_is_left() -> None:
    alone = 16_000
    talker = np.concatenate([np.zeros(alone), *(said.wave for said in sentences(14)[8:])])[: PROMPT.size]
    sent = PROMPT[: talker.size].astype(np.float64)
    echo = echo_of(sent, -12, 40, 3) + echo_of(sent, -15, 190, 4)
    left, _, _ = run(line(talker + echo), PROMPT[: talker.size])
    error = (left - talker[: left.size])[alone:]
    assert loud(error) < loud(echo[alone:]) - 8


def test_nothing_is_left_to_compile_in_a_call() -> None:
    program = """
import numpy as np
from engine.speech import echo
echo.warm()
compiled = len(echo.cancel.signatures), len(echo.take_in.signatures)
assert compiled == (1, 1), compiled
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_whoever_talks_over_the_prompt_is_left() -> None:
    alone = 16_000  # before he talks
    talker = np.concatenate([np.zeros(alone), *(said.wave for said in sentences(14)[8:])])[: PROMPT.size]
    prompt = PROMPT[: talker.size]
    echo = echo_of(prompt.astype(np.float64), -10, 90, 3)
    left, _, _ = run(line(talker + echo), prompt)
    error = (left - talker[: left.size])[alone:]
    assert loud(error) < loud(echo[alone:]) - 8


@pytest.mark.parametrize(("db", "share"), [(0, 0.015), (-12, 0.15)])
def test_without_an_echo_little_is_changed(db: int, share: float) -> None:
    """Although the prompt's voice is the talker's, and of one pitch: nothing resembles him more."""
    talker = line(np.concatenate([said.wave for said in sentences(14)[8:]])[: PROMPT.size] * 10 ** (db / 20))
    left, echoes, heard = run(talker, PROMPT[: talker.size])
    assert heard.mean() < share
    assert loud(talker) == pytest.approx(loud(left), abs=1.0)
    left, echoes, heard = run(talker, np.zeros_like(talker))
    assert not heard.any()
    assert (left == talker[: left.size]).all()
    assert (echoes.delays_ms, echoes.echo_dbfs) == ((), -100.0)


def test_it_is_the_same_every_time() -> None:
    said = line(echo_of(PROMPT.astype(np.float64), -20, 55, 2))[:16_000]
    assert (run(said, PROMPT)[0] == run(said, PROMPT)[0]).all()


def test_what_was_sent_is_remembered_wherever_it_lies_in_memory_and_silence_costs_no_move() -> None:
    chance = np.random.default_rng(3)
    known, ear = np.zeros(echo_paths.HISTORY), EchoFilter()
    sent, _, state = ear.memory
    for frame in range(400):
        new = chance.integers(-900, 900, 160).astype(np.int16) * np.int16(frame % 150 < 60)
        known = np.concatenate([known[160:], new])
        at = state[echo.AT]
        ear.hear(np.zeros(160, np.int16), new, loud=False)
        end = int(state[echo.AT])
        assert np.array_equal(sent[end - echo_paths.HISTORY : end], known)
        assert frame % 150 < 62 + echo_paths.HISTORY // 160 or state[echo.AT] == at

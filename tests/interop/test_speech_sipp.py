"""SIPp as a caller who speaks: noise, tones and the echo of our own prompt on his line, judged by the packets alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import listening
import numpy as np
import pytest
from harness import speaker
from harness.rtp import Packet
from harness.server import ROOT, Engine
from harness.sipp import Sipp
from harness.visit import is_loud
from harness.wire import Wire

NUMBERS = "numbers:\n  8820: {dialplan: interop, public: yes}\n"
DIALPLAN = """\
ringdown: 1
entry: main
person: desk
languages: [en]
phrases:
  billing: [billing, my bill]
  sales: [sales, "buy something"]
flows:
  main:
    - answer
    - menu: {prompt: ten_seconds, listen: [keys, speech], timeout: 2s, choices: {1: billing, 2: sales}, failed: lost}
  billing: [play: thank_you, hangup: billing]
  sales: [play: thank_you, hangup: sales]
  desk: [hangup: desk]
  lost: [hangup: lost]
"""
RATE = speaker.RATE
SPEAKS_S = 2.5  # over the prompt
WHOLE_S = 9.0
BARGE_IN_MS_MAX, ANSWER_MS_MAX = 450, 1_500
QUIET_S = 0.4  # longer than a pause in the prompt


def line(words: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """WHOLE_S of a caller's line: his words at SPEAKS_S, and what else is on it."""
    whole = np.zeros(int(WHOLE_S * RATE))
    whole[: behind.size] += behind[: whole.size]
    at = int(SPEAKS_S * RATE)
    whole[at : at + words.size] += words
    return speaker.in_room(np.clip(whole, -32_000, 32_000).astype(np.int16), 35, 5)


def tones() -> np.ndarray:
    """A second of the ringing tone of North America, then a beep."""
    at = np.arange(RATE) / RATE
    ringing = 1_600 * (np.sin(2 * np.pi * 440 * at) + np.sin(2 * np.pi * 480 * at))
    return np.concatenate([ringing, np.zeros(RATE // 4), 2_500 * np.sin(2 * np.pi * 1_000 * at[: RATE // 2])])


def echo() -> np.ndarray:
    """Our own prompt, 20 dB down and 120 ms late, as an analogue gateway gives it back, until it falls silent."""
    prompt = listening.read_wav(ROOT / "prompts" / "en" / "ten_seconds.wav")[: int((SPEAKS_S + 0.2) * RATE)]
    return np.concatenate([np.zeros(RATE * 120 // 1_000), prompt * 0.1])


def noise() -> np.ndarray:
    """Pink noise 20 dB below the voice, all the time."""
    return speaker.in_room(np.zeros(int(WHOLE_S * RATE), np.int16), 20, 9).astype(float)


CASES = {
    "noise": ("billing", "flite", noise, "billing"), "tones": ("sales", "festival", tones, "sales"),
    "echo": ("i would like to buy something please", "rms", echo, "sales"),
}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(edits={"site.yaml": ("numbers:\n", NUMBERS)}, extra=DIALPLAN) as made:
        yield made


def caller(engine: Engine, folder: Path, case: str) -> tuple[Sipp, bytes]:
    """SIPp calls and speaks; what it sends."""
    text, voice, behind, _ = CASES[case]
    sound = listening.encode(line(speaker.words(text, voice), behind()), 0)
    audio = folder / f"{case}.ulaw"
    audio.write_bytes(sound)
    keys = {"caller": case, "audio": str(audio)}
    return Sipp(folder, "uac_speaks.xml", server=engine.address, number="8820", keys=keys, seconds=25), sound


def judge(case: str, said: list[Packet], heard: list[Packet]) -> None:
    """From the packets of one call, both ways. AssertionError when anything was late, or the prompt was cut short."""
    text, voice, _, _ = CASES[case]
    began = said[0].at + SPEAKS_S  # his packets leave at their pace from the first on
    ended = began + speaker.words(text, voice).size / RATE
    loud = [each.at for each in heard if is_loud(each)]
    pauses = [(at, after) for at, after in zip(loud, [*loud[1:], np.inf], strict=True) if after - at > QUIET_S]
    assert loud[0] < began - 1.0 and pauses
    stopped, answered = pauses[0]
    barge_in_ms, answer_ms = 1_000 * (stopped - began), 1_000 * (answered - ended)
    print(f"{case}: barge-in {barge_in_ms:.0f} ms, answer {answer_ms:.0f} ms")
    assert 0 < barge_in_ms <= BARGE_IN_MS_MAX, f"{case}: the prompt ends {barge_in_ms:.0f} ms after he begins"
    assert 0 < answer_ms <= ANSWER_MS_MAX, f"{case}: the answer begins {answer_ms:.0f} ms after he ends"


def test_noise_tones_and_echo_on_the_line(engine: Engine, tmp_path: Path) -> None:
    with Wire() as wire:
        calls = {case: caller(engine, tmp_path, case) for case in CASES}
        for sipp, _ in calls.values():
            sipp.wait().check()
    for case, (_, sound) in calls.items():
        here, there = wire.carrying(sound)
        judge(case, wire.between(here, there), wire.between(there, here))
        call = engine.last_call(dialled="8820", caller=case)
        said = [each["data"] for each in engine.events(str(call["call"])) if each["kind"] == "speech.heard"]
        assert call["outcome"] == CASES[case][3] and len(said) == 1, f"{case}: {said}"

"""Trials through the real recogniser: words by a synthesiser, on a line with noise, as a call would hear them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import numpy as np
import pytest

from engine.dialplan.corpus import Condition, Said
from engine.dialplan.corpus_score import Result, Trial, judge
from engine.runtime import speech_trials as trials
from engine.runtime.graph_shelf import shipped
from engine.runtime.wav import write_wav
from engine.speech import line
from engine.speech.grammar import Grammar, Line, Slot
from engine.speech.ports import Listening

GRAMMAR = Grammar("en", (Line("billing", "billing"), Line("opening hours", "hours")))
CODE = Grammar("en", (Line("$code", ""),), {"code": Slot("digits", 4, 4)})
VOICE = "espeak-ng en-us+f3"


def said(text: str, **fields: object) -> Said:
    base = Said("main.speech.yaml", 3, 5, "choose/menu(m)", "menu", "en", (text,) if text else (), intent="billing")
    return msgspec.structs.replace(base, **fields)


def order(folder: Path, *utterances: Said) -> trials.Order:
    made = [
        (number, Trial(number, (each.texts or ("",))[0], VOICE if each.texts else "", Condition(), -22, 7))
        for number, each in enumerate(utterances)
    ]
    wishes = tuple(Listening(each.grammar, "en") for each in utterances)
    grammars = {"menu": GRAMMAR, "code": CODE}
    return trials.Order(str(folder), utterances, wishes, made, grammars, {"en": str(shipped("en"))})


def run(asked: trials.Order, children: int = 1) -> list[Result]:
    told: list[Result] = []
    results = asyncio.run(trials.run(asked, told.append, children))
    assert len(told) == len(results) == len(asked.trials)
    return results


def test_what_is_said_is_understood_and_what_is_not_is_not(tmp_path: Path) -> None:
    asked = order(
        tmp_path, said("billing"), said("opening hours", intent="hours"), said("", intent="", result="no_input"),
        said("seven two five nine", grammar="code", intent="", slots={"code": "7259"}),
        said("the old house is painted green", intent="", result="no_match"),
    )  # fmt: skip
    results = run(asked, 2)
    assert [each.fault for each in results] == [""] * 5
    assert [judge(asked.said[number], each.utterance).right for number, each in enumerate(results)] == [True] * 5
    first = results[0]
    assert first.trial.text == "billing" and first.audio_ms > line.LEAD_MS + line.TAIL_MS
    assert line.LEAD_MS - 200 <= first.utterance.speech_start_ms < first.utterance.speech_end_ms < first.audio_ms
    again = run(asked, 1)
    assert [each.utterance for each in again] == [each.utterance for each in results], "exact"


def test_a_recording_and_one_that_is_not_there(tmp_path: Path) -> None:
    asked = order(tmp_path, said("billing"))
    samples = trials.sound(tmp_path, asked.said[0], asked.trials[0][1])
    write_wav(tmp_path / "ana.wav", samples)
    results = run(order(tmp_path, said("", recording="ana.wav"), said("", recording="eva.wav")))
    assert judge(said(""), results[0].utterance).right
    assert results[1].fault == "can't read eva.wav: No such file or directory"


def test_a_voice_that_is_not_there_is_a_fault_of_its_trial(tmp_path: Path) -> None:
    asked = order(tmp_path, said("billing"), said("billing"))
    number, trial = asked.trials[0]
    asked.trials[0] = (number, msgspec.structs.replace(trial, voice="flite nobody"))
    first, second = run(asked)
    assert first.fault and not second.fault


DYING = """
import os, sys
from engine.runtime import speech_trials as trials
attempt = trials.attempt
def dies(order, trial, ears):
    if trial.said == 1:
        os.write(2, b"libvosk: broken\\n")
        os._exit(9)
    return attempt(order, trial, ears)
trials.attempt = dies
sys.exit(trials.main())
"""


def instead(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program for the children."""
    (folder / "other_trials.py").write_text(text)
    monkeypatch.setattr(trials, "MODULE", "other_trials")
    monkeypatch.setenv("PYTHONPATH", f"{folder}:{Path(__file__).parents[2]}")


def test_a_child_that_dies_costs_its_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instead(tmp_path, DYING, monkeypatch)
    results = run(order(tmp_path, said("billing"), said("billing"), said("billing")))
    assert [each.fault for each in results] == ["", "the recogniser died (libvosk: broken)", ""]


def test_a_child_that_hangs_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instead(tmp_path, "import time\ntime.sleep(60)\n", monkeypatch)
    monkeypatch.setattr(trials, "trial_s_max", 0.3)
    results = run(order(tmp_path, said("billing")))
    assert [each.fault for each in results] == ["the recogniser hung for 0 s"]


def test_the_line_is_a_telephones(tmp_path: Path) -> None:
    asked = order(tmp_path, said("billing"))
    trial = asked.trials[0][1]
    clean = trials.sound(tmp_path, asked.said[0], trial)
    noisy = trials.sound(tmp_path, asked.said[0], msgspec.structs.replace(trial, condition=Condition("pink", 10)))
    head = slice(0, line.LEAD_MS * 8)
    assert clean.dtype == np.int16 and clean.size == noisy.size
    assert np.std(noisy[head].astype(float)) > 20 * np.std(clean[head].astype(float))
    assert {int(each) for each in clean} <= set(trials.g711.decode_tables()[0].tolist())


def test_installed_voices_and_models() -> None:
    assert trials.voices("en") and trials.voices("en-GB") == trials.voices("en")
    assert VOICE in trials.voices("en") and trials.voices("zh")
    assert trials.voices("de") == ["espeak-ng de+f2", "espeak-ng de+m3"]
    name = trials.named(str(shipped("en")), "en")
    assert name.startswith("en ") and name == trials.named(str(shipped("en")), "en")

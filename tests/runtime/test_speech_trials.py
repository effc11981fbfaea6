"""Trials through the real recogniser: words by a synthesiser, on a line with noise, as a call would hear them."""

from __future__ import annotations

import asyncio
import shutil
import socket
from pathlib import Path

import msgspec
import numpy as np
import pytest

from engine.dialplan.corpus import Condition, Said
from engine.dialplan.corpus_score import Result, Trial, judge
from engine.dialplan.reader import read_site
from engine.errors import SpeechError
from engine.runtime import recognizer_wire as wire
from engine.runtime import speech_trials as trials
from engine.runtime.graph_shelf import shipped
from engine.runtime.recognizer_server import RecognizerServer
from engine.runtime.wav import write_wav
from engine.speech import line, open_list
from engine.speech.grammar import Grammar, Line, Slot
from engine.speech.ports import Listening
from tests.dialplan.site import STOCK, files_with
from tests.runtime.spoken import MODEL

GRAMMAR = Grammar("en", (Line("billing", "billing"), Line("opening hours", "hours")))
CODE = Grammar("en", (Line("$code", ""),), {"code": Slot("digits", 4, 4)})
VOICE = "espeak-ng en-us+f3"
ENGINE = wire.Engine("embedded", str(shipped("en")))


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
    return trials.Order(str(folder), utterances, wishes, made, grammars, {"en": ENGINE})


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
    name = trials.named(ENGINE, "en")
    assert name.startswith("en ") and name == trials.named(ENGINE, "en")


def test_the_recogniser_is_the_one_that_the_site_chose(tmp_path: Path) -> None:
    """Per tenant and language, and the report says which."""
    own = shutil.copytree(str(shipped("en")), tmp_path / "own")
    speech = f"speech:\n  en: {{remote: ['ws://127.0.0.1:9', 'ws://127.0.0.1:10'], folder: {own}}}\n  zh: none\n"
    head = "ringdown: 1\nlanguages: [en, zh]\nnumbers: {100: main}\n"
    plan = "ringdown: 1\nflows: {main: [answer, hangup]}\n"
    files = files_with({
        "site.yaml": head + speech, "dialplans/main.yaml": plan, "tenants/press/dialplans/main.yaml": plan,
        "tenants/press/tenant.yaml": f"name: Press\nlanguages: [en]\nspeech:\n  en: {{folder: {own}}}\n",
        "tenants/chess/dialplans/main.yaml": plan, "tenants/chess/tenant.yaml": "name: Chess\nspeech: {en: embedded}\n",
    })  # fmt: skip
    site, findings = read_site(files, STOCK)
    assert site is not None, findings
    plans = site.programs
    found = trials.engine(site, plans["default/main"], "en")
    assert found == wire.Engine("remote", str(own), ("ws://127.0.0.1:9", "ws://127.0.0.1:10"))
    assert trials.named(found, "en") == "en remote ws://127.0.0.1:9 ws://127.0.0.1:10"
    folder = trials.engine(site, plans["press/main"], "en")
    assert folder == wire.Engine("folder", str(own)) and str(own) in trials.named(folder, "en")
    assert trials.engine(site, plans["chess/main"], "en") == ENGINE
    with pytest.raises(SpeechError, match="no recogniser serves zh in default/main"):
        trials.engine(site, plans["default/main"], "zh")
    asked = order(tmp_path, said("billing"))
    asked.engines["en"] = folder
    assert judge(asked.said[0], run(asked)[0].utterance).right


def test_a_remote_recogniser_hears_the_trials_and_who_stands_in_is_told(tmp_path: Path) -> None:
    hours = said("opening hours", intent="hours")
    asked = order(tmp_path, said("billing"), hours, said("", intent="", result="no_input"))
    told: list[Result] = []

    async def work() -> list[Result]:
        server = RecognizerServer(Path(MODEL), "en", GRAMMAR, port=0)
        asked.engines["en"] = wire.Engine("remote", "", (await server.start(),))
        try:
            return await trials.run(asked, told.append, 1)
        finally:
            await server.close()

    results = asyncio.run(work())
    assert [each.fault for each in results] == [""] * 3
    assert [judge(asked.said[number], each.utterance).right for number, each in enumerate(results)] == [True] * 3
    assert results[0].utterance.engine.startswith("remote ws://127.0.0.1:") and trials.stood_in(results) == []
    asked.engines["en"] = wire.Engine("remote", MODEL, (closed_port(),))
    alone = run(asked)
    assert judge(asked.said[0], alone[0].utterance).right
    assert trials.stood_in(alone) == ["3 of 3 heard by embedded, which stands in"], [each.utterance for each in alone]


def closed_port() -> str:
    """An address at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"ws://127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize(("own", "understood"), [
    (("like jeff fray",), True), (("T R AE K", "JH EH F R EY"), True), ((), False),
])  # fmt: skip
def test_a_made_up_name_is_understood_as_the_site_says_it(
    own: tuple[str, ...], understood: bool, tmp_path: Path
) -> None:
    asked = order(tmp_path, said("doctor jeff fray", intent="geoffrey"))
    names = (Line("doctor djpfrwy", "geoffrey"), Line("doctor farnel", "farnel"), Line("doctor bexley", "bexley"))
    asked.grammars["menu"] = Grammar("en", names, words={"djpfrwy": own} if own else {})
    (result,) = run(asked)
    assert not result.fault
    assert judge(asked.said[0], result.utterance).right is understood


def test_an_entry_of_a_list_that_only_the_call_knows_is_understood(tmp_path: Path) -> None:
    listed = open_list.read("Bath Spa|Doctor Djpfrwy|York (city)|Bristol Temple Meads", "en")
    asked = order(tmp_path, said("york city", intent="", slots={"town": "york city"}),
                  said("I would like bath spa please", intent="", slots={"town": "bath spa"}),
                  said("the old house is painted green", intent="", result="no_match"))  # fmt: skip
    asked.grammars["menu"] = Grammar("en", (Line("$town", ""),), {"town": Slot("choice", open_list=True)})
    asked.listenings = tuple(
        msgspec.structs.replace(each, lists={"town": tuple(listed.phrases)}) for each in asked.listenings
    )
    results = run(asked)
    assert [each.fault for each in results] == [""] * 3
    assert [judge(asked.said[number], each.utterance).right for number, each in enumerate(results)] == [True] * 3
    heard = [str(each.utterance.best[0].slots["town"]) for each in results[:2]]
    assert [listed.phrases[each] for each in heard] == ["York (city)", "Bath Spa"]

"""`ringdown test --speech` as it is typed: a corpus of one step through the recogniser, and what becomes of a drop."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import run
from tests.sim.shows import files

PLAN = b"""ringdown: 1
person: {none: a test}
phrases: {person: [billing department], bye: [opening hours]}
flows:
  main:
    - answer
    - menu: {prompt: choose, listen: [keys, speech], choices: {1: person, 2: bye}, failed: bye}
  person: [hangup: served]
  bye: [hangup: served]
  support: [hangup: served]
"""
CORPUS = """ringdown: 1
voices: [espeak-ng en-us+f3]
noise: clean
utterances:
  - {at: main, say: billing department, intent: person}
  - {at: main, say: opening hours, intent: INTENT}
"""


def site(path: Path, intent: str) -> Path:
    corpus = CORPUS.replace("INTENT", intent).encode()
    made = {**files(), "dialplans/main.yaml": PLAN, "dialplans/main.speech.yaml": corpus}
    for name, data in made.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def test_a_corpus_is_accepted_and_a_drop_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = site(tmp_path, "bye")
    assert run(["test", str(folder), "--speech", "--accept"]) == 0
    out = capsys.readouterr().out
    assert "100.0 %" in out and "nothing to compare with" in out
    kept = folder / "dialplans/main.speech.accepted.txt"
    assert kept.read_text("utf-8").count("clean: 1 of 1") == 2
    site(tmp_path, "person")  # now another meaning is wanted: understood as before, but wrong
    assert run(["test", str(folder), "--speech", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["corpora"][0]["worse"][0] == "intents, clean: 50.0 %, 100.0 % when it was accepted"
    (confused,) = told["corpora"][0]["confused"]
    assert confused == {"count": 1, "at": "main/menu(choose)", "meant": "person", "heard": "bye"}


def test_words_of_who_waits_in_a_queue_are_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = site(tmp_path, "bye")
    plan = PLAN.decode().replace("  support: [hangup: served]", """\
  support:
    - queue: {name: support, waiting: hold, full: bye, no_agents: bye, timeout: bye, max_wait: 10min}
    - hangup: served
waits:
  hold:
    - menu: {prompt: choose, listen: [keys, speech], choices: {1: bye}, failed: continue}
    - music: 20s""")
    (folder / "dialplans/main.yaml").write_text(plan)
    wait = CORPUS.split("  - ")[0] + "  - {at: wait hold, say: opening hours, intent: bye}\n"
    wait += "  - {at: wait hold, say: the weather is nice today my friend, expect: no match}\n"
    (folder / "dialplans/main.speech.yaml").write_text(wait)
    assert run(["test", str(folder), "--speech", "--accept"]) == 0, capsys.readouterr().out
    kept = (folder / "dialplans/main.speech.accepted.txt").read_text("utf-8")
    assert "[wait hold: opening hours]\n    clean: 1 of 1" in kept and kept.count("1 of 1") == 2


def test_used_wrongly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = site(tmp_path, "bye")
    assert run(["test", str(folder), "--speech", "--accept", "--match", "x"]) == 2
    assert run(["test", str(folder / "dialplans/main.yaml"), "--speech"]) == 2
    (folder / "dialplans/main.speech.yaml").write_text(CORPUS.replace("INTENT", "by"))
    assert run(["test", str(folder), "--speech"]) == 1
    assert "did you mean 'bye'?" in capsys.readouterr().out
    (folder / "dialplans/main.speech.yaml").unlink()
    assert run(["test", str(folder), "--speech"]) == 1
    assert "no speech corpus" in capsys.readouterr().out

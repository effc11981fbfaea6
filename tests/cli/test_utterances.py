"""`ringdown utterances`: the worst, one played, labelled, and made a test."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from engine.cli.app import run
from tests.runtime.test_utterance_cases import NAME, labelled
from tests.runtime.test_utterances import AUDIO


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    status = run(["utterances", *words])
    told = capsys.readouterr()
    return status, told.out + told.err


def test_from_the_list_to_a_case(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, site = labelled(tmp_path, ("appointments today", {}), ("", {"confidence": 95, "audio": ""}))
    for path in (data / "utterances").rglob("*.json"):
        path.unlink()
    where = ("--data", str(data))
    status, text = ask(capsys, *where)
    assert status == 0 and "bako-0/1" in text and "bako-0/2" not in text and "1 of 2 utterances" in text
    rows = json.loads(ask(capsys, *where, "--worst", "0", "--json", "--site", str(site))[1])
    assert [(row["id"], row["wrong"], bool(row["audio"]), row["label"]) for row in rows] == [
        ("bako-0/1", ["unsure"], True, None), ("bako-0/2", [], False, None),
    ]  # fmt: skip
    assert "0 of 0" in ask(capsys, *where, "--grammar", "front/nowhere")[1]
    assert ask(capsys, "label", "bako-0/1", "see a doctor today", *where)[0] == 0
    status, text = ask(capsys, "cases", "--site", str(site), *where)
    assert status == 0 and f"bako-0/1: written into {NAME}" in text
    assert "no new labels" in ask(capsys, "cases", "--site", str(site), *where)[1]
    assert "see a doctor today ✓" in ask(capsys, *where)[1]
    assert ask(capsys, "label", "bako-0/2", "--nothing", *where)[0] == 0
    status, text = ask(capsys, "cases", "--site", str(site), *where)
    assert status == 1 and "bako-0/2: left" in text


def test_playing_notes_who_heard_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data, _ = labelled(tmp_path, ("appointments", {}), ("appointments", {"audio": ""}))
    player = tmp_path / "bin" / "aplay"
    player.parent.mkdir()
    player.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/played\n')
    player.chmod(player.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(player.parent), prepend=":")
    assert ask(capsys, "play", "bako-0/1", "--data", str(data))[0] == 0
    assert (tmp_path / "played").read_text().strip().endswith(AUDIO)
    assert ask(capsys, "play", "bako-0/2", "--data", str(data)) == (
        1, "ringdown: the sound of bako-0/2 isn't kept\n"
    )  # fmt: skip


@pytest.mark.parametrize("words", [
    ("sing",), ("play",), ("list", "bako-0/1"), ("label", "bako-0/1"), ("label", "bako-0/1", "a", "--nothing"),
    ("play", "bako-0/1", "a"), ("list", "--with-audio"), ("cases",), ("label", "bako-0/9", "a"),
])  # fmt: skip
def test_used_wrongly(words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, text = ask(capsys, *words, "--data", str(tmp_path))
    assert status == 2 and text.startswith("ringdown: ")

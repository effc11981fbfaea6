"""`ringdown prompts`: a human voice from an installed package, and what recordings say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.cli import prompts
from engine.cli.app import run
from engine.runtime.wav import read_wav, write_wav
from tests.cli.test_schema import site_in
from tests.media.test_voice import speech


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RINGDOWN_CACHE", str(tmp_path / "cache"))
    return site_in(tmp_path / "site")


def pack(folder: Path) -> Path:
    """A voice package of three files, soft and 16 kHz."""
    for name in ("vm-goodbye", "queue-holdtime", "digits/7"):
        path = folder / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_wav(path, np.rint(speech(16_000, 0.5, -38.0) * 32_768).astype(np.int16), 16_000)
    return folder


def test_a_package_is_mapped(site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = pack(tmp_path / "en_US")
    own = site / "prompts" / "en" / "digits" / "7.wav"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"mine")
    words = ["prompts", "import", "asterisk-core-sounds", "--site", str(site), "--from", str(folder), "--json"]
    assert run(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["written"] == ["goodbye", "numbers/7"] and found["kept"] == ["digits/7"]
    assert {"wait_less_than", "please_hold"} <= set(found["missing"])  # queue-less-than isn't in this package
    note = site / "prompts" / "en" / "asterisk-core-sounds.txt"
    assert own.read_bytes() == b"mine" and "copyright" in note.read_text()
    heard = read_wav(site / "prompts" / "en" / "goodbye.wav") / 32_768
    assert 0.45 < heard.size / 8_000 < 0.75 and -26 < 10 * np.log10(np.mean(heard**2)) < -17
    assert run([*words, "--replace"]) == 0
    assert json.loads(capsys.readouterr().out)["written"] == ["digits/7", "goodbye", "numbers/7"]


def test_what_is_not_there(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prompts, "SOUNDS", tmp_path / "none")
    assert run(["prompts", "import", "asterisk-core-sounds", "--site", str(site)]) == 2
    assert "apt-get install asterisk-core-sounds-en-wav" in capsys.readouterr().err
    assert run(["prompts", "import", "other-sounds", "--site", str(site)]) == 2
    assert "no voice package 'other-sounds'" in capsys.readouterr().err
    assert run(["prompts", "export", "--site", str(site)]) == 2
    assert run(["prompts", "accept", "--site", str(tmp_path)]) == 2
    (tmp_path / "none" / "empty").mkdir(parents=True)
    words = ["prompts", "import", "asterisk-core-sounds", "--site", str(site), "--from", str(tmp_path / "none")]
    assert run(words) == 2
    assert "holds none of the files" in capsys.readouterr().err
    assert run([*words[:3], *words[3:5], "--language", "xx", "--from", str(pack(tmp_path / "p"))]) == 2


@pytest.mark.interop
def test_the_debian_package_itself(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A human voice is one command away: every number, letter and digit is there, and nothing is refused."""
    assert run(["prompts", "import", "asterisk-core-sounds", "--site", str(site), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["written"]) >= 90 and "goodbye" in found["written"] and "please_hold" in found["missing"]
    assert run(["check", str(site), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == []


def test_changed_words_are_told_after_accept(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = site / "prompts" / "en.yaml"
    texts.parent.mkdir(exist_ok=True)
    (site / "prompts" / "en").mkdir()
    plan = site / "dialplans" / "main.yaml"
    text = plan.read_text().replace("play: goodbye", "play: [open, code]")
    plan.write_text(text.replace("flows:", "variables: {n: digits = 1}\nflows:"))
    texts.write_text("open: It's nine o'clock.\ncode: Your code $n is fine.\n")
    sound = np.rint(speech(8_000, 1.0, -18.0) * 32_768).astype(np.int16)
    for name in ("open", "code#1", "code#2"):
        write_wav(site / "prompts" / "en" / f"{name}.wav", sound)
    assert run(["prompts", "accept", "--site", str(site)]) == 0
    assert "3 recordings noted" in capsys.readouterr().out
    assert run(["check", str(site), "--strict"]) == 0
    texts.write_text("open: It's ten o'clock.\ncode: The code $n is fine.\n")
    capsys.readouterr()
    assert run(["check", str(site), "--strict"]) == 1
    out = capsys.readouterr().out
    assert out.count("RD092") == 2 and "\"It's nine o'clock.\"" in out and "ringdown prompts accept" in out
    assert run(["prompts", "accept", "--site", str(site)]) == 0 and run(["check", str(site), "--strict"]) == 0


def test_texts_are_spoken_by_the_sites_voice(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wav(tmp_path / "said.wav", np.rint(speech(16_000, 0.5, -38.0) * 32_768).astype(np.int16), 16_000)
    with (site / "site.yaml").open("a") as file:
        file.write(f"\nvoices: {{en: {{command: cat {tmp_path}/said.wav}}}}\n")
    (site / "prompts").mkdir(exist_ok=True)
    (site / "prompts" / "en.yaml").write_text("hello: Hello there.\n")
    assert run(["prompts", "build", "--site", str(site), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["made"] == ["prompts/en/hello"] and not found["failed"]
    assert len(read_wav(site / "prompts" / "en" / "hello.wav")) > 2_000
    assert run(["prompts", "build", "--site", str(site)]) == 0
    assert "0 prompts spoken, 1 as they were, 0 own recordings kept" in capsys.readouterr().out
    (tmp_path / "said.wav").unlink()
    (site / "prompts" / "en.yaml").write_text("hello: Good day.\n")
    assert run(["prompts", "build", "--site", str(site)]) == 1
    assert "prompts/en/hello: not spoken: cat failed with status 1" in capsys.readouterr().out

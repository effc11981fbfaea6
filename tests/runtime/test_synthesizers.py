"""The three synthesisers of Debian, and programs of an admin's that speak, lie, hang, flood or die."""

from __future__ import annotations

import os
import shlex
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from engine.dialplan.voice_model import VoiceModel
from engine.errors import SpeechError
from engine.runtime import synthesizers
from engine.runtime.wav import write_wav
from engine.speech.ports import Sound


def loud_ms(sound: Sound) -> int:
    """How much of it can be heard."""
    frame = sound.rate_hz // 100
    frames = sound.samples[: sound.samples.size // frame * frame].astype(np.float64).reshape(-1, frame)
    return 10 * int(np.count_nonzero(np.sqrt((frames**2).mean(axis=1)) > 300))


def command(tmp_path: Path, *lines: str) -> synthesizers.Command:
    """A program of an admin's, in Python; {file} is its first argument."""
    script = tmp_path / "say.py"
    script.write_text("\n".join(("import sys, time, os, subprocess", *lines)))
    return synthesizers.Command((sys.executable, str(script), "{file}", "{language}", "{voice}"))


@pytest.mark.interop
@pytest.mark.parametrize(
    ("model", "language", "text"),
    [
        (VoiceModel("espeak-ng"), "en", "Please say a date."),
        (VoiceModel("espeak-ng", "en-us+f3"), "en", "Please say a date."),
        (VoiceModel("espeak-ng"), "zh", "请说一个日期。"),
        (VoiceModel("espeak-ng"), "de", "Bitte nennen Sie ein Datum."),
        (VoiceModel("flite"), "en", "-o please say a date."),
        (VoiceModel("flite", "rms"), "en", "Please say a date."),
        (VoiceModel("festival"), "en", 'Please say "a date").'),
    ],
)
def test_each_of_them_speaks(model: VoiceModel, language: str, text: str) -> None:
    voice = synthesizers.of(model)
    sound = voice.speak(text, language, model.voice)
    assert sound.rate_hz >= 8_000 and 600 <= loud_ms(sound) <= 4_000
    assert voice.version().startswith(f"{model.engine} ")
    assert synthesizers.missing(model) == ""


@pytest.mark.interop
@pytest.mark.parametrize(
    ("model", "language", "why"),
    [
        (VoiceModel("espeak-ng", "klingon9"), "en", "klingon9"),
        (VoiceModel("espeak-ng"), "ja", "no voice for ja"),
        (VoiceModel("flite"), "zh", "English only"),
        (VoiceModel("festival", "nobody"), "en", "no voice 'nobody' here; it has"),
        (VoiceModel("festival"), "tlh", "no voice for tlh"),
    ],
)
def test_a_voice_that_is_missing_is_named(model: VoiceModel, language: str, why: str) -> None:
    with pytest.raises(SpeechError, match=why):
        synthesizers.of(model).speak("Hello.", language, model.voice)
    if model.voice:
        assert model.voice in synthesizers.missing(model)


def test_a_program_by_command_gets_words_and_writes_a_file(tmp_path: Path) -> None:
    write_wav(tmp_path / "ready.wav", (8_000 * np.sin(np.arange(8_000) / 3)).astype(np.int16), 22_050)
    (tmp_path / "ready.wav").rename(tmp_path / "ready")
    program = command(
        tmp_path,
        "words = sys.stdin.read()",
        "assert (words, sys.argv[2:]) == ('two words', ['en', 'amy'])",
        "assert set(os.environ) <= {'PATH', 'HOME', 'LANG', 'LC_ALL', 'LC_CTYPE'}, os.environ",
        f"open(sys.argv[1], 'wb').write(open({str(tmp_path / 'ready')!r}, 'rb').read())",
    )
    os.environ["RINGDOWN_TEST_ONLY"] = "1"
    try:
        sound = program.speak(" two\nwords ", "en", "amy")
    finally:
        del os.environ["RINGDOWN_TEST_ONLY"]
    assert sound.rate_hz == 22_050 and sound.samples.size == 8_000
    out = synthesizers.Command(("cat", str(tmp_path / "ready")))
    assert out.speak("hello", "en", "").samples.size == 8_000


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["sys.exit('the model is broken')"], "failed with status 1: the model is broken"),
        (["os.kill(os.getpid(), 9)"], "was ended by signal 9"),
        (["pass"], "wrote no sound"),
        (["open(sys.argv[1], 'wb').write(b'RIFF no sound at all')"], "can't be used"),
    ],
)
def test_a_program_that_fails_is_told_of(tmp_path: Path, lines: list[str], why: str) -> None:
    with pytest.raises(SpeechError, match=why):
        command(tmp_path, *lines).speak("hello", "en", "")


def test_silence_is_no_voice(tmp_path: Path) -> None:
    write_wav(tmp_path / "mute.wav", np.zeros(8_000, np.int16))
    with pytest.raises(SpeechError, match="wrote silence"):
        synthesizers.Command(("cat", str(tmp_path / "mute.wav"))).speak("hello", "en", "")


def test_one_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    grandchild = tmp_path / "grandchild"
    script = f"import subprocess, time; c = subprocess.Popen(['sleep', '60']); " \
             f"open({str(grandchild)!r}, 'w').write(str(c.pid)); time.sleep(60)"
    began = time.monotonic()
    with pytest.raises(SpeechError, match="took longer than 1 s"):
        synthesizers.run((sys.executable, "-c", script), seconds=1.0)
    assert time.monotonic() - began < 5
    stat = Path(f"/proc/{grandchild.read_text()}/stat")
    assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_one_that_floods_the_disk_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesizers, "written_bytes_max", 100_000)
    with pytest.raises(SpeechError):
        command(tmp_path, "open(sys.argv[1], 'wb').write(bytes(10_000_000))").speak("hello", "en", "")


def test_it_gives_way_to_calls() -> None:
    said = synthesizers.run((sys.executable, "-c", "import os; print(os.nice(0))"))
    assert int(said) >= min(19, os.nice(0) + 10)


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gone = VoiceModel("command", "", ("no-such-voice", "{file}"))
    assert "there is no program no-such-voice" in synthesizers.missing(gone)
    with pytest.raises(SpeechError, match="no-such-voice can't be run"):
        synthesizers.of(gone).speak("hello", "en", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "Debian: flite" in synthesizers.missing(VoiceModel("flite"))
    with pytest.raises(SpeechError, match="festival festvox-us-slt-hts or flite or espeak-ng"):
        synthesizers.best("en")


def test_another_command_is_another_version(tmp_path: Path) -> None:
    program = tmp_path / "say"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    first = synthesizers.Command((str(program),)).version()
    assert synthesizers.Command((str(program),)).version() == first
    assert synthesizers.Command((str(program),), "2").version() != first
    assert synthesizers.Command((str(program), "-x")).version() != first
    os.utime(program, (1, 1))
    assert synthesizers.Command((str(program),)).version() != first
    assert shlex.join((str(program),)) == str(program)

"""The sound of utterances on disk: whole or not at all, for its owner alone; and what a bad disk costs."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from engine.runtime import kept_sound
from engine.runtime.kept_sound import BEFORE_FRAMES, KeptSound, Missing, SoundShelf
from engine.runtime.wav import read_wav
from tests.runtime.fakes import run, until


def sound(path: Path, before: int = 3, said: int = 4) -> KeptSound:
    made = KeptSound(str(path))
    for number in range(before + said):
        made.hear(np.full(160, number, np.int16), begun=number >= before)
    return made


def test_it_begins_a_second_before_he_speaks(tmp_path: Path) -> None:
    path = tmp_path / "utterances" / "default" / "bako-0-a-1.wav"
    kept_sound.write(path, sound(path, before=BEFORE_FRAMES + 7).wav())
    samples = read_wav(path)
    assert samples.size == (BEFORE_FRAMES + 4) * 160 and samples[0] == 7 and samples[-1] == BEFORE_FRAMES + 10
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o077 == 0
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_an_endless_utterance_is_bounded(tmp_path: Path) -> None:
    assert len(sound(tmp_path / "x.wav", 0, kept_sound.FRAMES_MAX + 9).wav()) == 44 + kept_sound.FRAMES_MAX * 320


def test_a_disk_that_is_nearly_full_is_left_to_the_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_bavail=10, f_frsize=4_096))
    lost: list[tuple[str, str]] = []

    async def work() -> None:
        SoundShelf(lambda path, why: lost.append((path, why))).put(sound(tmp_path / "u" / "1.wav"))
        await until(lambda: bool(lost))

    run(work())
    assert lost == [(str(tmp_path / "u" / "1.wav"), "less than 200 MB are free on the disk")]
    assert not list((tmp_path / "u").iterdir())


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="No space"):
        kept_sound.write(tmp_path / "1.wav", b"RIFF")
    assert not list(tmp_path.iterdir())


def test_a_disk_that_hangs_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck, written, lost = threading.Event(), [], []  # type: ignore[var-annotated]

    def slow(path: Path, content: bytes) -> None:
        stuck.wait(30)
        written.append(path)

    monkeypatch.setattr(kept_sound, "write", slow)

    async def work() -> None:
        shelf = SoundShelf(lambda path, why: lost.append(why))
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in range(kept_sound.waiting_max + 3):
            shelf.put(sound(tmp_path / f"{number}.wav"))
            await asyncio.sleep(0.002)
        assert loop.time() - began < 5
        assert len(lost) == 2 and "too slow" in lost[0]
        stuck.set()
        await until(lambda: len(written) == kept_sound.waiting_max + 1)

    run(work())


def test_ops_are_told_of_each_and_the_records_once_a_minute() -> None:
    lines: list[str] = []
    asked: list[Any] = []

    async def ask(author: str, verb: str, arguments: dict[str, str]) -> None:
        asked.append((author, verb, arguments))

    async def work() -> None:
        now = [0.0]
        log = SimpleNamespace(warning=lambda text, kind: lines.append(text))
        server = SimpleNamespace(log=log, loop=asyncio.get_running_loop(), ask=ask)
        missing = Missing(server, seconds=lambda: now[0])  # type: ignore[arg-type]
        for now_s in (0.0, 1.0, 2.0, 70.0):
            now[0] = now_s
            missing.tell("/data/utterances/acme/bako-0-a-1.wav", "No space left on device")
        await asyncio.sleep(0)

    run(work())
    assert len(lines) == 4
    assert lines[0] == "the sound of utterance bako-0-a-1.wav of tenant acme isn't kept: No space left on device"
    assert [each[2]["counts"] for each in asked] == ["utterances=1", "utterances=3"]
    assert asked[0] == ("utterances", "noted", {"act": "unkept", "subject": "acme", "counts": "utterances=1"})

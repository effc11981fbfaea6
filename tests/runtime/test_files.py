"""Files are removed below the data folder, and nowhere else."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from engine.call.effects import ClipLoaded, LoadClip, RemoveFile
from engine.errors import LimitExceeded
from engine.media.clips import encode_both
from engine.runtime.files import Files, encoded
from engine.runtime.wav import write_wav
from tests.runtime.fakes import quiet_log, run, until


def removed(folder: Path, *names: str) -> str:
    log, said = quiet_log()

    async def work() -> None:
        files = Files(folder, asyncio.get_running_loop(), log)
        for name in names:
            files.remove(RemoveFile(name))
        await files.close()
        await asyncio.sleep(0)

    run(work())
    return said.getvalue()


def test_a_message_goes_and_one_that_is_gone_is_no_trouble(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "voicemail").mkdir(parents=True)
    (data / "voicemail" / "a.wav").write_bytes(b"RIFF")
    assert removed(data, "voicemail/a.wav", "voicemail/a.wav") == ""
    assert not (data / "voicemail" / "a.wav").exists()


def test_a_name_never_leads_out(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "precious").write_text("x")
    assert "lies outside" in removed(data, "../precious")
    assert (tmp_path / "precious").exists()


def test_what_the_disk_refuses_is_said(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert "can't remove folder" in removed(tmp_path, "folder")


# --- recordings that are to be played -----------------------------------------------------------------------
def loaded(folder: Path, name: str, store: object = None) -> tuple[list[ClipLoaded], list[tuple[int, int]]]:
    """What is delivered, and (clip, bytes) of what was stored."""
    told: list[ClipLoaded] = []
    stored: list[tuple[int, int]] = []

    async def work() -> None:
        files = Files(folder, asyncio.get_running_loop(), quiet_log()[0])
        files.deliver = told.append
        files.store = store or (lambda clip, both: stored.append((clip, len(both[0]))))  # type: ignore[assignment]
        files.load(LoadClip(7, 16_000, name))
        await until(lambda: told)
        await files.close()

    run(work())
    return told, stored


def test_what_the_caller_said_becomes_the_clip(tmp_path: Path) -> None:
    said = np.arange(10_000, dtype=np.int16)
    write_wav(tmp_path / "a.wav", np.column_stack([said, np.full(10_000, 99, np.int16)]))
    assert loaded(tmp_path, "a.wav") == ([ClipLoaded(7, 1_250, "")], [(16_000, 10_000)])
    assert encoded(tmp_path / "a.wav") == encode_both(said)


@pytest.mark.parametrize("name", ["gone.wav", "../a.wav", "text.wav"])
def test_what_cannot_be_played_is_said_in_words(tmp_path: Path, name: str) -> None:
    (tmp_path / "text.wav").write_text("no sound at all, but long enough for a header, and then some")
    ((answer,), stored) = loaded(tmp_path, name)
    assert answer.detail and answer.duration_ms == 0 and not stored


def test_a_plane_that_is_full_says_so(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", np.zeros((80, 2), np.int16))

    def full(clip: int, both: tuple[bytes, bytes]) -> None:
        raise LimitExceeded("audio_bytes", 5)

    assert "audio_bytes" in loaded(tmp_path, "a.wav", full)[0][0].detail


def test_a_clip_holds_what_was_asked_for_last(tmp_path: Path) -> None:
    """The number was given to another call while the disk was slow: what comes late is for nobody."""
    write_wav(tmp_path / "a.wav", np.zeros((8_000, 2), np.int16))
    told: list[ClipLoaded] = []
    stored: list[int] = []

    async def work() -> None:
        files = Files(tmp_path, asyncio.get_running_loop(), quiet_log()[0])
        files.deliver = told.append
        files.store = lambda clip, both: stored.append(clip)
        files.load(LoadClip(7, 16_000, "a.wav"))
        files.claim(16_000, 8)
        await until(lambda: told)
        assert files.put(16_000, 8, (b"x", b"y")) and not files.put(16_000, 7, (b"", b""))
        await files.close()

    run(work())
    assert told == [ClipLoaded(7, 1_000, "nobody waits for it any more")] and stored == [16_000]

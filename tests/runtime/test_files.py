"""Files are removed below the data folder, and nowhere else."""

from __future__ import annotations

import asyncio
from pathlib import Path

from engine.call.effects import RemoveFile
from engine.runtime.files import Files
from tests.runtime.fakes import quiet_log, run


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

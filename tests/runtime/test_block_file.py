"""The file of blocks: written when they change, whole or not at all, read by the next process."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from engine import limits
from engine.runtime import block_file
from engine.runtime.block_file import BlockFile
from engine.sip.gate import Gate
from tests.runtime.fakes import quiet_log, run, until


def guessed(*hosts: str) -> Gate:
    gate = Gate()
    for host in hosts:
        for number in range(2 * limits.source_faults_max):
            gate.judged(host, 5_060, "bad", f"{number}", 0)
    assert list(gate.blocks) == list(hosts)
    return gate


def made(folder: Path) -> tuple[BlockFile, Path]:
    path = folder / "blocks.json"
    return BlockFile(path, asyncio.get_running_loop(), quiet_log()[0]), path


def test_a_block_is_written_and_read_by_the_next_process(tmp_path: Path) -> None:
    async def work() -> None:
        file, path = made(tmp_path)
        file.note(guessed("203.0.113.5"), 1_000)
        await until(path.exists)
        assert path.stat().st_mode & 0o777 == 0o600
        after = Gate()
        made(tmp_path)[0].load(after, 50)
        (block,) = after.blocks.values()
        assert block.key == "203.0.113.5" and 50 < block.until_ms <= 50 + limits.source_block_ms

    run(work())


def test_it_is_written_when_something_has_changed_and_not_at_every_sweep(tmp_path: Path) -> None:
    async def work() -> None:
        file, path = made(tmp_path)
        gate = guessed("203.0.113.5")
        file.note(gate, 1_000)
        await until(path.exists)
        await file.close(gate, 1_001)
        path.unlink()
        file.note(gate, 60_000)
        await asyncio.sleep(0)
        assert file._writing is not None and file._writing.done() and not path.exists()
        gate.lift("all", "ana")
        file.note(gate, 1_001)
        assert file._writing.done(), "too soon after the last"
        file.note(gate, 60_000)
        await until(path.exists)
        assert json.loads(path.read_bytes())["blocks"] == []

    run(work())


def test_the_last_writing_is_at_the_end_and_none_without_a_block(tmp_path: Path) -> None:
    async def work() -> None:
        file, path = made(tmp_path)
        await file.close(Gate(), 0)
        assert not path.exists()
        await file.close(guessed("203.0.113.5", "203.0.113.6"), 0)
        assert [each[0] for each in json.loads(path.read_bytes())["blocks"]] == ["203.0.113.5", "203.0.113.6"]

    run(work())


@pytest.mark.parametrize("text", ["", "nonsense", '{"format": 9, "blocks": []}', '{"format": 1, "blocks": [[1]]}'])
def test_a_file_that_cannot_be_read_is_said_and_blocks_nobody(tmp_path: Path, text: str) -> None:
    async def work() -> None:
        log, printed = quiet_log()
        path = tmp_path / "blocks.json"
        path.write_text(text)
        gate = Gate()
        BlockFile(path, asyncio.get_running_loop(), log).load(gate, 0)
        assert not gate.blocks and "nobody is blocked" in printed.getvalue()

    run(work())


def test_a_file_of_absurd_size_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_file, "bytes_max", 10)

    async def work() -> None:
        file, path = made(tmp_path)
        await file.close(guessed("203.0.113.5"), 0)
        gate = Gate()
        file.load(gate, 0)
        assert path.exists() and not gate.blocks

    run(work())


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    async def work() -> None:
        log, printed = quiet_log()
        file = BlockFile(tmp_path / "nowhere" / "blocks.json", asyncio.get_running_loop(), log)
        await file.close(guessed("203.0.113.5"), 0)
        assert "can't write" in printed.getvalue()

    run(work())

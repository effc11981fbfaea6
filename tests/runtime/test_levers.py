"""Switches off their default survive a restart; an unreadable file costs nobody his calls."""

from __future__ import annotations

import asyncio
from pathlib import Path

from engine.call.levers import Lever
from engine.runtime.levers import Levers
from tests.runtime.fakes import event, quiet_log, run


def switched(n: int, name: str, state: str, until_ms: int = 0, reason: str = "") -> object:
    return event(
        n, "operator.switch", "", switch="queue", name=name, state=state, author="ann", reason=reason,
        until_ms=until_ms,
    )  # fmt: skip


def again(path: Path) -> list[Lever]:
    async def work() -> list[Lever]:
        return Levers(path, asyncio.get_running_loop(), quiet_log()[0]).load()

    return run(work())


def test_what_was_moved_is_there_again_and_what_went_back_is_not(tmp_path: Path) -> None:
    path = tmp_path / "switches.json"

    async def work() -> None:
        levers = Levers(path, asyncio.get_running_loop(), quiet_log()[0])
        assert levers.load() == []
        for name, state in (("default/a", "closed"), ("default/b", "closed"), ("default/a", "default")):
            levers.note(switched(1, name, state, 99))  # type: ignore[arg-type]
        await levers.close()

    run(work())
    (lever,) = again(path)
    assert (lever.kind, lever.name, lever.state) == ("queue", "default/b", "closed")
    assert (lever.author, lever.until_ms) == ("ann", 99)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_read_is_put_aside_and_said(tmp_path: Path) -> None:
    path = tmp_path / "switches.json"
    for content in (b"not json", b'{"format": 9, "switches": []}', b'{"format": 1, "switches": [[1]]}'):
        path.write_bytes(content)

        async def work() -> None:
            log, printed = quiet_log()
            assert Levers(path, asyncio.get_running_loop(), log).load() == []
            assert "put aside" in printed.getvalue()

        run(work())
        assert not path.exists() and (tmp_path / "switches.unreadable").read_bytes() == content


def test_a_folder_that_cannot_be_written_is_said_and_harms_nothing(tmp_path: Path) -> None:
    async def work() -> None:
        log, printed = quiet_log()
        levers = Levers(tmp_path / "gone" / "switches.json", asyncio.get_running_loop(), log)
        levers.note(switched(1, "default/a", "closed"))  # type: ignore[arg-type]
        await levers.close()
        assert "can't write" in printed.getvalue()

    run(work())

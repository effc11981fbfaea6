"""Who watches is told when calls are taken, what happens meanwhile, and when it ends."""

from __future__ import annotations

import asyncio
import types
from typing import Any

import pytest

from engine.errors import UsageError
from engine.runtime import watching as room
from engine.runtime.tally import Tally
from engine.runtime.watching import Watching
from tests.runtime.fakes import quiet_log, run, site


def play(scene: Any) -> None:
    async def work() -> None:
        log, _ = quiet_log()
        server: Any = types.SimpleNamespace(
            loop=asyncio.get_running_loop(), tally=Tally(), log=log, site=site(drain_ms_max=60_000), draining=False,
            switch=None, plane=types.SimpleNamespace(sign_of_life=lambda: True),
            storage=types.SimpleNamespace(state="ok", detail="", spooled=0),
            options=types.SimpleNamespace(provision="", provision_cert=""),
        )  # fmt: skip
        watching = Watching(server)
        told: list[tuple[str, ...]] = []
        watching.supervisor.tell = lambda *lines: told.append(lines)  # type: ignore[method-assign]
        try:
            await scene(watching, told)
        finally:
            await watching.close()

    run(work())


def test_a_life() -> None:
    async def scene(watching: Watching, told: list[tuple[str, ...]]) -> None:
        watching.bind("127.0.0.1:0")
        assert not watching.health.ready()[0]
        address = await watching.start()
        assert address.startswith("127.0.0.1:") and watching.health.ready()[0]
        watching.reloading()
        watching.reloaded()
        watching.look()
        watching.server.draining = True
        watching.draining()
        assert [lines[0] for lines in told] == ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]
        assert told[-1][-1] == f"EXTEND_TIMEOUT_USEC={(60 + 5 + 15) * 1_000_000}"
        host, _, port = address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /ready HTTP/1.0\r\n\r\n")
        assert b'"why":["draining"]' in await reader.read()
        writer.close()

    play(scene)


def test_without_an_address_there_is_no_http() -> None:
    async def scene(watching: Watching, told: list[tuple[str, ...]]) -> None:
        watching.bind("")
        assert await watching.start() == "-"

    play(scene)


def test_a_wrong_address_is_said_at_once() -> None:
    async def scene(watching: Watching, told: list[tuple[str, ...]]) -> None:
        with pytest.raises(UsageError, match="--http"):
            watching.bind("somewhere")

    play(scene)


def test_the_loop_measures_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "lag_s", 0.01)

    async def scene(watching: Watching, told: list[tuple[str, ...]]) -> None:
        await watching.start()
        await asyncio.sleep(0.1)
        tally = watching.server.tally
        assert sum(tally.lag_counts) >= 3
        import time

        time.sleep(0.06)  # the loop stands still
        await asyncio.sleep(0.03)
        assert tally.lag_max_s > 0.04

    play(scene)


def test_provisioning_lives_as_long_and_only_when_it_was_asked_for() -> None:
    async def scene(watching: Watching, told: list[tuple[str, ...]]) -> None:
        watching.bind("")
        assert await watching.start() == "-" and watching.provisioning.address == ""
        watching.server.options.provision = "127.0.0.1:0"
        watching.bind("")
        await watching.start()
        host, _, port = watching.provisioning.address.rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.close()

    play(scene)

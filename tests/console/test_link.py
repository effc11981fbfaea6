"""The console's way to the engine: every failure is Gone or Refused, in words."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from engine.console import link as room
from engine.console.link import Gone, Link, Refused


@contextlib.asynccontextmanager
async def engine(folder: Path, *lines: Any) -> AsyncIterator[list[dict[str, Any]]]:
    """Answers every connection with the next line (bytes as they are, the rest as JSON); yields the requests."""
    asked: list[dict[str, Any]] = []
    waiting = list(lines)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(json.loads(await reader.readline()))
        answers = waiting.pop(0)
        for answer in answers if isinstance(answers, list) else [answers]:
            writer.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode() + b"\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(serve, str(folder / room.SOCKET_NAME))
    try:
        yield asked
    finally:
        server.close()
        (folder / room.SOCKET_NAME).unlink(missing_ok=True)


def good(data: Any) -> dict[str, Any]:
    return {"ok": True, "data": data, "error": ""}


def test_answers_refusals_and_ends(tmp_path: Path) -> None:
    async def work() -> None:
        link = Link(tmp_path)
        with pytest.raises(Gone, match="no engine runs"):
            await link.ask("status")
        async with engine(tmp_path, good(5), {"ok": False, "error": "no such call"}, b"") as asked:
            assert await link.ask("calls", limit="1") == 5
            with pytest.raises(Refused, match="no such call"):
                await link.ask("call.hangup", call="x")
            with pytest.raises(Gone, match="without an answer"):
                await link.ask("status")
        assert asked[0] == {"verb": "calls", "arguments": {"limit": "1"}}

    asyncio.run(work())


def test_an_engine_that_hangs_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "answer_s_max", 0.05)

    async def work() -> None:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_unix_server(silent, str(tmp_path / room.SOCKET_NAME))
        with pytest.raises(Gone, match="doesn't answer"):
            await Link(tmp_path).ask("status")
        server.close()

    asyncio.run(work())


def test_many_calls_come_in_pages_and_ladders_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "page_rows", 2)

    async def work() -> None:
        link = Link(tmp_path)
        async with engine(tmp_path, good([1, 2]), good([3, 4]), good([5])) as asked:
            assert await link.all_calls() == [1, 2, 3, 4, 5]
        assert [each["arguments"]["offset"] for each in asked] == ["0", "2", "4"]
        parts = (good({"hops": [1], "next": 7}), good({"hops": [2], "next": 0}))
        async with engine(tmp_path, *parts) as asked:
            assert await link.ladder("bako-0", raw=True) == [1, 2]
        assert asked[1]["arguments"] == {"call": "bako-0", "raw": "yes", "after": "7"}

    asyncio.run(work())


def test_the_stream_ends_as_gone(tmp_path: Path) -> None:
    async def work() -> None:
        found = []
        async with engine(tmp_path, [good("tail"), {"event": 1}, {"event": 2}]):
            with pytest.raises(Gone, match="ended"):
                async for item in Link(tmp_path).tail():
                    found.append(item)
        assert found == [{"event": 1}, {"event": 2}]

    asyncio.run(work())

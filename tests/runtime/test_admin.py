"""The operators' socket: private, one JSON object a line, and nobody can hold it up."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import pwd
import socket
from pathlib import Path
from typing import Any

import pytest

from engine.runtime import admin as room
from engine.runtime.admin import Admin, Answer, Request, answer, refusal
from tests.runtime.fakes import run, until

assert getpass  # the author's name comes from the system, as getpass would say


async def echo(author: str, request: Request) -> Answer:
    if request.verb == "bad":
        return refusal("no such thing")
    if request.verb == "huge":
        return answer("x" * 5_000_000)
    return answer({"author": author, "verb": request.verb, **request.arguments})


async def opened(tmp_path: Path) -> tuple[Admin, Any, Any]:
    admin = Admin(tmp_path / room.SOCKET_NAME, echo)
    await admin.start()
    reader, writer = await asyncio.open_unix_connection(str(admin.path), limit=10_000_000)
    return admin, reader, writer


async def ask(reader: Any, writer: Any, text: object) -> Any:
    writer.write((text if isinstance(text, bytes) else json.dumps(text).encode()) + b"\n")
    return json.loads(await reader.readline())


def test_questions_and_answers(tmp_path: Path) -> None:
    async def work() -> None:
        admin, reader, writer = await opened(tmp_path)
        assert admin.path.stat().st_mode & 0o777 == 0o600
        reply = await ask(reader, writer, {"verb": "agents", "arguments": {"x": "y"}})
        me = pwd.getpwuid(os.getuid()).pw_name
        assert reply["ok"] and reply["data"] == {"author": me, "verb": "agents", "x": "y"}
        assert await ask(reader, writer, {"verb": "bad"}) == {"ok": False, "data": None, "error": "no such thing"}
        assert "too large" in (await ask(reader, writer, {"verb": "huge"}))["error"]
        writer.close()
        await admin.close()
        assert not admin.path.exists()

    run(work())


@pytest.mark.parametrize("text", [b"hello", b"{}", b"[]", b'{"verb": 3}', b'{"verb": "a", "arguments": {"x": 1}}', b""])
def test_what_is_no_request_gets_a_sentence(tmp_path: Path, text: bytes) -> None:
    async def work() -> None:
        admin, reader, writer = await opened(tmp_path)
        reply = await ask(reader, writer, text)
        assert not reply["ok"] and "not a request" in reply["error"]
        assert (await ask(reader, writer, {"verb": "still"}))["ok"]
        writer.close()
        await admin.close()

    run(work())


def test_an_endless_line_ends_only_that_connection(tmp_path: Path) -> None:
    async def work() -> None:
        admin, reader, writer = await opened(tmp_path)
        writer.write(b"x" * (room.request_bytes_max * 3))
        assert await reader.read() == b""
        reader, writer = await asyncio.open_unix_connection(str(admin.path))
        assert (await ask(reader, writer, {"verb": "still"}))["ok"]
        writer.close()
        await admin.close()

    run(work())


def test_tails_get_lines_and_sip_only_on_request(tmp_path: Path) -> None:
    async def work() -> None:
        admin, plain, plain_writer = await opened(tmp_path)
        sip, sip_writer = await asyncio.open_unix_connection(str(admin.path))
        assert (await ask(plain, plain_writer, {"verb": "tail"}))["ok"]
        assert (await ask(sip, sip_writer, {"verb": "tail", "arguments": {"sip": "yes"}}))["ok"]
        assert len(admin.readers) == 2 and admin.sip_readers == 1
        admin.publish(b"", b"message\n")
        admin.publish(b"fact\n")
        assert await plain.readline() == b"fact\n"
        assert [await sip.readline(), await sip.readline()] == [b"message\n", b"fact\n"]
        plain_writer.close()
        sip_writer.close()
        await until(lambda: not admin.readers)
        assert admin.sip_readers == 0 and admin.dropped == 0
        await admin.close()

    run(work())


def test_a_slow_reader_is_dropped_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "reader_bytes_max", 100_000)

    async def work() -> None:
        admin, reader, writer = await opened(tmp_path)
        await ask(reader, writer, {"verb": "tail"})
        writer.transport.pause_reading()
        for _ in range(100):
            admin.publish(b"x" * 50_000 + b"\n")
        await until(lambda: not admin.readers)
        assert admin.dropped == 1
        await admin.close()

    run(work())


def test_a_leftover_socket_is_replaced_and_a_living_engine_respected(tmp_path: Path) -> None:
    path = tmp_path / room.SOCKET_NAME
    leftover = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    leftover.bind(str(path))
    leftover.close()

    async def work() -> None:
        admin, _, writer = await opened(tmp_path)
        second = Admin(path, echo)
        with pytest.raises(FileExistsError, match="another engine"):
            await second.start()
        await second.close()
        assert path.exists()
        writer.close()
        await admin.close()

    run(work())


def test_too_many_operators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "connections_max", 1)

    async def work() -> None:
        admin, reader, writer = await opened(tmp_path)
        assert (await ask(reader, writer, {"verb": "a"}))["ok"]
        second, second_writer = await asyncio.open_unix_connection(str(admin.path))
        assert "too many" in json.loads(await second.readline())["error"]
        second_writer.close()
        writer.close()
        await admin.close()

    run(work())

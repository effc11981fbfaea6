"""The mail spool against a server that refuses, hangs, then accepts; over a restart; and letters that nobody wants."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from engine.call.effects import Reply
from engine.dialplan.box_model import BoxModel, MailModel
from engine.dialplan.model import Site, TenantModel
from engine.records.events import Event
from engine.runtime import mail as room
from engine.runtime.mail import Letter, Mail, pause_s, words
from engine.runtime.wav import write_wav
from tests.runtime.fakes import quiet_log, run, site, until

NAME = "voicemail/default/front/bako-0-b-1.wav"


class Smtp:
    """A mail server: `moods` says what it does with each connection (refuse, hang, drop, accept), the last for good."""

    def __init__(self, *moods: str) -> None:
        self.moods = list(moods)
        self.connections = 0
        self.letters: list[str] = []
        self.port = 0

    async def __aenter__(self) -> Smtp:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mood = self.moods.pop(0) if len(self.moods) > 1 else self.moods[0]
        self.connections += 1
        if mood == "hang":
            await reader.read()
            writer.close()
            return
        if mood == "drop":
            writer.close()
            return
        writer.write(b"220 mx\r\n")
        while line := (await reader.readline()).decode():
            verb = line.split(None, 1)[0].upper()
            if verb == "RCPT" and mood == "refuse":
                writer.write(b"451 greylisted, come again\r\n")
            elif verb == "DATA":
                writer.write(b"354 go on\r\n")
                self.letters.append((await reader.readuntil(b"\r\n.\r\n")).decode())
                writer.write(b"250 taken\r\n")
            elif verb == "QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"250 ok\r\n")
        writer.close()


class World:
    """What the spool sees of a server."""

    def __init__(self, folder: Path, port: int, **mail: Any) -> None:
        given = {"security": "none", **mail}
        box = BoxModel("default", "front", mail=("ana@example.org",))
        self.site: Site = site(
            boxes={"default/front": box}, mail=MailModel("127.0.0.1", port, "ringdown@example.org", **given)
        )
        self.options = SimpleNamespace(data=folder)
        self.log, self.said = quiet_log()
        self.password = ""
        self.secrets = SimpleNamespace(mail_password=lambda name: self.password)
        self.told: list[dict[str, str]] = []
        path = folder / NAME
        path.parent.mkdir(parents=True, exist_ok=True)
        write_wav(path, np.zeros((8_000, 2), np.int16))

    async def ask(self, author: str, verb: str, arguments: dict[str, str]) -> Reply:
        assert (author, verb) == ("mail", "voicemail_mailed")
        self.told.append(arguments)
        return Reply(1, True, b"null")


def left(caller: str = "+441514960001") -> Event:
    data = {"box": "default/front", "message": NAME, "caller": caller, "name": "Ana", "dialled": "700",
            "duration_ms": 4_000}  # fmt: skip
    now_ms = time.time_ns() // 1_000_000
    return Event(1, "b", now_ms, 1, "voicemail.left", "default", "bako-0", data)  # type: ignore[arg-type]


def spool(work: Callable[[], Awaitable[None]], seconds: float = 30.0) -> None:
    run(work(), seconds)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "retry_s_first", 0.05)
    monkeypatch.setattr(room, "retry_s_max", 0.1)


def test_refused_hung_dropped_then_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "child_s_max", 1.5)

    async def work() -> None:
        async with Smtp("refuse", "hang", "drop", "accept") as smtp:
            world = World(tmp_path, smtp.port)
            mail = Mail(world)  # type: ignore[arg-type]
            mail.start()
            mail.note(left())
            await until(lambda: world.told, 25.0)
            await mail.close()
            assert smtp.connections == 4 and len(smtp.letters) == 1
            assert "To: ana@example.org" in smtp.letters[0] and "audio/wav" in smtp.letters[0]
            assert "Ana +441514960001 left a message of 4 s for 700" in smtp.letters[0].replace("=\r\n", "")
            said = world.said.getvalue()
            assert "451 greylisted, come again; attempt 2 in 0 s" in said
            assert world.told[0] == {
                "box": "default/front", "message": NAME, "result": "sent", "attempts": "4",
            }  # fmt: skip
            assert list((tmp_path / "mail").iterdir()) == []

    spool(work)


def test_what_waits_outlives_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "retry_s_first", 3_600.0)
    monkeypatch.setattr(room, "retry_s_max", 3_600.0)

    async def first() -> None:
        async with Smtp("refuse") as smtp:
            world = World(tmp_path, smtp.port)
            mail = Mail(world)  # type: ignore[arg-type]
            mail.start()
            mail.note(left())
            await until(lambda: "451" in world.said.getvalue(), 15.0)
            await mail.close()

    spool(first)
    (path,) = (tmp_path / "mail").glob("*.json")
    kept = msgspec.json.decode(path.read_bytes(), type=Letter)
    assert (kept.attempts, kept.error[:3]) == (1, "451") and path.stat().st_mode & 0o777 == 0o600
    assert kept.next_ms - time.time() * 1000 > 3_500_000
    kept.next_ms = 0
    path.write_bytes(msgspec.json.encode(kept))
    (tmp_path / "mail" / "torn.json").write_text("{")

    async def second() -> None:
        async with Smtp("accept") as smtp:
            world = World(tmp_path, smtp.port)
            mail = Mail(world)  # type: ignore[arg-type]
            mail.start()
            await until(lambda: world.told, 15.0)
            await mail.close()
            assert smtp.letters and world.told[0]["attempts"] == "2" and "torn.json" in world.said.getvalue()

    spool(second)


def test_a_letter_whose_message_is_deleted_is_not_sent(tmp_path: Path) -> None:
    async def work() -> None:
        async with Smtp("accept") as smtp:
            world = World(tmp_path, smtp.port)
            (tmp_path / NAME).unlink()
            mail = Mail(world)  # type: ignore[arg-type]
            mail.start()
            mail.note(left())
            await until(lambda: world.told)
            await mail.close()
            assert world.told[0]["result"] == "gone" and smtp.connections == 0

    spool(work)


def test_after_three_days_it_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "age_s_max", 0.0)

    async def work() -> None:
        async with Smtp("refuse") as smtp:
            world = World(tmp_path, smtp.port)
            mail = Mail(world)  # type: ignore[arg-type]
            mail.start()
            mail.note(left())
            await until(lambda: world.told, 15.0)
            await mail.close()
            assert world.told[0]["result"] == "failed" and "given up: 451" in world.said.getvalue()

    spool(work)
    assert [path.suffix for path in (tmp_path / "mail").iterdir()] == [".failed"]


def test_without_a_password_or_a_server_nothing_is_tried(tmp_path: Path) -> None:
    async def work() -> None:
        world = World(tmp_path, 1, user="u", security="starttls")
        mail = Mail(world)  # type: ignore[arg-type]
        letter = Letter("1", "default/front", NAME, "a@b.org", "", "", "", "", 0, 0)
        assert "no password for u: RINGDOWN_SECRET_MAIL" in await mail._hand_in(letter)
        world.site = msgspec.structs.replace(world.site, mail=None)
        assert "no mail server" in await mail._hand_in(letter)

    spool(work)


def test_a_box_without_addresses_sends_nothing(tmp_path: Path) -> None:
    async def work() -> None:
        world = World(tmp_path, 1)
        world.site = msgspec.structs.replace(world.site, boxes={})
        mail = Mail(world)  # type: ignore[arg-type]
        mail.note(left())
        assert not mail.waiting
        await mail.close()

    spool(work)


def test_the_pauses_double_up_to_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "retry_s_first", 60.0)
    monkeypatch.setattr(room, "retry_s_max", 3_600.0)
    assert [pause_s(n) for n in (1, 2, 3, 7, 99)] == [60, 120, 240, 3_600, 3_600]


@pytest.mark.parametrize(
    ("language", "who"), [("en", "a withheld number left"), ("zh", "未知号码"), ("fr", "a withheld")]
)
def test_the_words_are_the_tenants(tmp_path: Path, language: str, who: str) -> None:
    world = World(tmp_path, 1)
    tenant = TenantModel("default", "r", languages=(language,), time_zone="Europe/Berlin")
    world.site = msgspec.structs.replace(world.site, tenants={"default": tenant})
    letter = Letter("1", "default/front", NAME, "a@b.org", "", "", "700", "bako-0", 1_750_000_000_000, 4_400)
    subject, text = words(world, letter)  # type: ignore[arg-type]
    assert who in text and "2025-06-15 17:06 CEST" in text and "front" in subject

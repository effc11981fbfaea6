"""Our models by vosk-server's protocol, to real WebSocket clients: results, and what clients may not do."""

from __future__ import annotations

import json
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from engine.errors import SpeechError, UsageError
from engine.runtime import recognizer_server as room
from engine.runtime.recognizer_server import Config, RecognizerServer, checked, final, grammar_of
from engine.speech.ports import Heard, Samples
from tests.runtime.fakes import run, until
from tests.runtime.spoken import DIGITS, MODEL, digits, spoken


def play(scene: Callable[[str, RecognizerServer], Awaitable[None]], grammar: Any = DIGITS) -> None:
    async def work() -> None:
        server = RecognizerServer(Path(MODEL), "en", grammar, port=0)
        address = await server.start()
        try:
            await scene(address, server)
        finally:
            await server.close()

    run(work(), 60)


async def ask(address: str, samples: Samples, config: dict[str, Any] | None = None, chunk: int = 4_000) -> Any:
    """As vosk-transcriber does: one answer to each message."""
    async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
        if config is not None:
            await socket.send_str(json.dumps({"config": config}))
        data = samples.astype("<i2").tobytes()
        for at in range(0, len(data), chunk):
            await socket.send_bytes(data[at : at + chunk])
            assert "partial" in json.loads(await socket.receive_str(timeout=10))
        await socket.send_str('{"eof" : 1}')
        told = json.loads(await socket.receive_str(timeout=10))
        assert (await socket.receive()).type == aiohttp.WSMsgType.CLOSE
        return told


def test_its_own_grammar_a_phrase_list_and_another_rate() -> None:
    async def scene(address: str, server: RecognizerServer) -> None:
        assert await ask(address, digits("4079")) == {"text": "four zero seven nine"}
        told = await ask(address, digits("4079").repeat(2), {"sample_rate": 16_000.0, "words": 1 == 1})
        assert told["text"] == "four zero seven nine" and len(told["result"]) == 4 and told["result"][0]["conf"] > 0.5
        config = {"sample_rate": 8_000, "phrase_list": ["goodbye", "good morning", "[unk]"], "max_alternatives": 2}
        assert (await ask(address, spoken("goodbye"), config))["alternatives"][0]["text"] == "goodbye"
        await until(lambda: server.served == 3 and server.connections == 0)

    play(scene)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ('{"config": {"sample_rate": 100}}', "sample rate"),
        ('{"config": {"phrase_list": "x"}}', "not understood"),
        ("nonsense", "not understood"),
        (b"\0" * 320, "phrase_list"),
        ('{"config": ' + "[" * 100_000, "not understood"),
        ('{"config": {"sample_rate": NaN}}', "not understood"),
        ('{"config": {"sample_rate": 1e308}}', "sample rate"),
        ('{"config": {"phrase_list": ["' + "a" * 501 + '"]}}', "at most 500 bytes"),
        ('{"config": {"phrase_list": ["[unk]"]}}', "no phrase"),
        ('{"config": {"phrase_list": ["x"], "ringdown": ["en", [["(a", "b"]]]}}', "column 1"),
        ('{"config": {"phrase_list": ["x"], "ringdown": ["en", [["$n", "b"]]]}}', "n"),
        ('{"config": {"phrase_list": ["x"], "ringdown": ["en", [["$n", "b"]], {"n": ["digits", 9, 2]}]}}', "smaller"),
        ('{"config": {"phrase_list": ["\u260e"]}}', "spoken"),
    ],
)
def test_what_a_client_may_not_do_ends_its_connection_alone(message: str | bytes, why: str) -> None:
    async def scene(address: str, server: RecognizerServer) -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
            await (socket.send_str(message) if isinstance(message, str) else socket.send_bytes(message))
            closed = await socket.receive(timeout=10)
            assert closed.type == aiohttp.WSMsgType.CLOSE and closed.data == 1008 and why in str(closed.extra)
        config = {"phrase_list": ["goodbye"]}
        assert (await ask(address, spoken("goodbye"), config))["text"] == "goodbye"

    play(scene, None)


def test_too_much_at_once_and_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "utterance_s_max", 1.0)

    async def scene(address: str, server: RecognizerServer) -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
            await socket.send_bytes(b"\0" * (room.message_bytes_max + 2))
            assert (await socket.receive(timeout=10)).data == 1009
        async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
            await socket.send_bytes(digits("4079").tobytes())
            closed = await socket.receive(timeout=10)
            assert closed.data == 1008 and "at most 1 s" in str(closed.extra)

    play(scene)


def test_an_address_in_use_is_told() -> None:
    async def scene(address: str, server: RecognizerServer) -> None:
        other = RecognizerServer(Path(MODEL), "en", None, port=int(address.rpartition(":")[2]))
        with pytest.raises(UsageError, match="can't listen on"):
            await other.start()
        await other.close()

    play(scene)


def test_phrases_are_taken_literally() -> None:
    grammar = grammar_of(["(call) me $now", "[unk]", "yes", "yes"], "en")
    assert [line.phrase for line in grammar.lines] == ["call me now", "yes"] and not grammar.fillers
    with pytest.raises(SpeechError, match="no phrase"):
        grammar_of(["[unk]", "  "], "en")
    with pytest.raises(SpeechError, match="at most"):
        checked(Config(phrase_list=["x"] * (room.phrases_max + 1)))


def test_last_messages() -> None:
    best = (Heard("four two", "n", {}, 0.9), Heard("four", "n", {}, 0.1))
    assert json.loads(final((), Config())) == {"text": ""}
    assert json.loads(final(best, Config(words=True)))["result"] == [
        {"word": "four", "conf": 0.9}, {"word": "two", "conf": 0.9},
    ]  # fmt: skip
    assert len(json.loads(final(best, Config(max_alternatives=1)))["alternatives"]) == 1


def test_a_clients_grammar_that_takes_long_keeps_nobody_else_waiting() -> None:
    """It is compiled when it is sent, by a thread of its own, before a word is said."""

    async def scene(address: str, server: RecognizerServer) -> None:
        prepared, free, asked = server._shelf.prepared, threading.Event(), list[str]()

        def slowly(folder: str, grammar: Any, lists: Any) -> Any:
            asked.append(grammar.lines[0].phrase)
            if grammar.lines[0].phrase == "good morning":
                assert free.wait(20)
            return prepared(folder, grammar, lists)

        server._shelf.prepared = slowly  # type: ignore[method-assign]
        async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
            await socket.send_str('{"config": {"phrase_list": ["good morning"]}}')
            await until(lambda: "good morning" in asked)
            assert await ask(address, digits("4079")) == {"text": "four zero seven nine"}
            free.set()
            await socket.send_str('{"eof": 1}')
            assert json.loads(await socket.receive_str(timeout=10)) == {"text": ""}

    play(scene)

"""The child's side of the socket: orders in, answers out, and faults that cost one utterance."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.runtime import recognizer_wire as wire
from engine.runtime import second_opinion
from engine.runtime.graph_shelf import Shelf
from engine.runtime.hearers import Hearers
from engine.runtime.recognizer_child import Child, endpointing
from engine.runtime.wav import read_wav
from engine.speech.endpointing import ASKED_FRAMES
from engine.speech.ports import Listening, Samples
from tests.runtime.fakes import run, until
from tests.runtime.spoken import DIGITS, MODEL, digits, frames

ENGINE = wire.Engine("embedded", MODEL)


class Transport:
    """What the child writes."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self._reader = wire.Reader(to_child=False)

    def is_closing(self) -> bool:
        return False

    def write(self, data: bytes) -> None:
        self.told += self._reader.feed(data)

    def of(self, kind: type) -> list[Any]:
        return [each for each in self.told if type(each) is kind]


def test_orders_and_answers(tmp_path: Path) -> None:
    Shelf().prepared(MODEL, DIGITS, {})

    async def work() -> None:
        child, transport = Child(Hearers(), endpointing(), 0.0), Transport()
        child.connection_made(transport)
        assert transport.of(wire.Ready)
        child.data_received(wire.words(wire.Learn("digits", DIGITS)))
        child.data_received(wire.words(wire.Listen(5, Listening("digits", "en"), ENGINE, 1)))
        await until(lambda: child._utterances[5]._hearer is not None, 20)
        for number, samples in enumerate(frames(digits("4079"))):
            frame = np.zeros(1, wire.FRAME)
            frame[0]["token"], frame[0]["frame"], frame[0]["heard"] = 5, number, samples
            child.data_received(wire.sound(frame))
        await until(lambda: transport.of(wire.Done), 20)
        assert transport.of(wire.Began)[0].number == 5
        assert transport.of(wire.Done)[0].utterance.best[0].slots == {"number": "4079"}
        child.data_received(wire.words(wire.Ping(3)))
        (pong,) = transport.of(wire.Pong)
        assert pong.number == 3 and pong.frames > pong.decoded > 0
        # his sound is kept where that was ordered, whatever else is: not of a secret, and not of who said nothing
        assert not list(tmp_path.iterdir())
        for number, wish in enumerate((Listening("digits", "en"), Listening("digits", "en", sensitive=True)), 10):
            order = wire.Listen(number, wish, ENGINE, 1, str(tmp_path / "utterances" / f"{number}.wav"))
            child.data_received(wire.words(order))
            for place, samples in enumerate(frames(digits("4079"))):
                frame[0]["token"], frame[0]["frame"], frame[0]["heard"] = number, place, samples
                child.data_received(wire.sound(frame))
        child.data_received(wire.words(wire.Listen(12, wish, ENGINE, 1, str(tmp_path / "utterances" / "12.wav"))))
        frame[0]["token"], frame[0]["heard"] = 12, 0
        child.data_received(wire.sound(frame))
        child.data_received(wire.words(wire.Leave(12)))
        await until(lambda: len(transport.of(wire.Done)) == 3, 20)
        await until(lambda: list(tmp_path.rglob("*.wav")), 20)
        (kept,) = tmp_path.rglob("*.wav")
        assert kept.name == "10.wav" and np.array_equal(read_wav(kept)[:8_000], digits("4079")[:8_000])
        # a place where nothing can be written
        frame[0]["token"] = 13
        child.data_received(wire.words(wire.Listen(13, Listening("digits", "en"), ENGINE, 1, f"{kept}/13.wav")))
        for place, samples in enumerate(frames(digits("4079"))):
            frame[0]["frame"], frame[0]["heard"] = place, samples
            child.data_received(wire.sound(frame))
        await until(lambda: transport.of(wire.Unkept), 20)
        assert transport.of(wire.Unkept) == [wire.Unkept(f"{kept}/13.wav", "File exists")]
        await until(lambda: len(transport.of(wire.Done)) == 4, 20)
        transport.told.clear()
        # what nobody listens to any more, and a grammar that it was never told of
        child.data_received(wire.words(wire.Listen(6, Listening("digits", "en"), ENGINE, 1)))
        child.data_received(wire.words(wire.Leave(6)))
        child.data_received(wire.sound(frame))
        child.data_received(wire.words(wire.Listen(7, Listening("digits", "en"), wire.Engine("folder", "/no"))))
        await until(lambda: transport.of(wire.Done), 20)
        assert transport.of(wire.Done)[0].number == 7 and transport.of(wire.Complaint)
        child.connection_lost(None)
        await asyncio.wait_for(child.ended.wait(), 1)

    run(work(), 60)


def test_whoever_begins_to_speak_is_confirmed_where_that_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def no(samples: Samples) -> bool:
        asked.append(samples.size)
        return False

    spoken = list(frames(digits("4079")))
    for opinion, begins in ((None, True), (no, False)):
        monkeypatch.setattr(second_opinion, "load", lambda opinion=opinion: opinion)
        make = endpointing()
        before = make(Listening("digits", "en"), None)
        for endpoint in (before, make(Listening("digits", "en"), before)):
            for samples in spoken:
                endpoint.hear(samples, np.zeros_like(samples), playing=False, key=False, silent=False)
            assert (endpoint.speech_start_ms >= 0) is begins
    assert asked and max(asked) <= ASKED_FRAMES * 160

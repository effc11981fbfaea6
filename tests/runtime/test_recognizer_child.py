"""The child's side of the socket: orders in, answers out, and faults that cost one utterance."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np

from engine.runtime import recognizer_wire as wire
from engine.runtime.graph_shelf import Shelf
from engine.runtime.hearers import Hearers
from engine.runtime.recognizer_child import Child, endpointing
from engine.speech.ports import Listening
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


def test_orders_and_answers() -> None:
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
        # what nobody listens to any more, and a grammar that it was never told of
        child.data_received(wire.words(wire.Listen(6, Listening("digits", "en"), ENGINE, 1)))
        child.data_received(wire.words(wire.Leave(6)))
        child.data_received(wire.sound(frame))
        child.data_received(wire.words(wire.Listen(7, Listening("digits", "en"), wire.Engine("folder", "/no"))))
        await until(lambda: len(transport.of(wire.Done)) == 2, 20)
        assert transport.of(wire.Done)[1].number == 7 and transport.of(wire.Complaint)
        child.connection_lost(None)
        await asyncio.wait_for(child.ended.wait(), 1)

    run(work(), 60)

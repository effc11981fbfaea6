"""The process that lets synthesisers speak: orders come in, finished sounds go out, so that neither waiting for a
program nor the work on what it said touches the event loop.

stdin and stdout: four bytes of length (big-endian), then an Order or a Said as msgpack. Two are spoken at a time, and
answered as they are done. The end of stdin ends the process.
"""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

import msgspec

from engine.dialplan.voice_model import VoiceModel
from engine.errors import SpeechError

AT_ONCE = 2
LENGTH_BYTES = 4
order_bytes_max = 100_000


class Order(msgspec.Struct):
    """`voice` None: the best that the machine has for the language."""

    serial: int
    text: str
    language: str
    voice: VoiceModel | None = None


class Said(msgspec.Struct):
    """`sound`: 16-bit samples at 8 kHz, trimmed and levelled; or `error`, in words."""

    serial: int
    sound: bytes = b""
    error: str = ""


def obey(order: Order) -> Said:
    """One order, whatever becomes of it."""
    from engine.runtime import spoken

    try:
        return Said(order.serial, spoken.say(order.text, order.language, order.voice).astype("<i2").tobytes())
    except (SpeechError, OSError, ValueError) as error:
        return Said(order.serial, error=str(error) or type(error).__name__)


def packed(message: Order | Said) -> bytes:
    """As it goes through the pipe."""
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def serve(orders: BinaryIO, answers: BinaryIO) -> None:
    """Until the orders end, or whoever gives them is gone."""
    writing = threading.Lock()

    def answer(order: Order) -> None:
        content = packed(obey(order))
        with writing:
            answers.write(content)
            answers.flush()

    with ThreadPoolExecutor(AT_ONCE, "speaking") as pool:
        while len(head := orders.read(LENGTH_BYTES)) == LENGTH_BYTES:
            length = int.from_bytes(head, "big")
            if length > order_bytes_max:
                return
            pool.submit(answer, msgspec.msgpack.decode(orders.read(length), type=Order))


if __name__ == "__main__":
    os.nice(5)  # calls come first
    serve(sys.stdin.buffer, sys.stdout.buffer)

"""The recogniser child as it is, and how it may go wrong, by RINGDOWN_TEST_CHILD: hang (answers nothing once it has
heard a second of somebody), spin (the same, and computes all the while), eat (takes 200 MB then), lie (says what isn't
understood then), refuse (never starts)."""

from __future__ import annotations

import os
import sys
import time

from engine.runtime import recognizer_child
from engine.runtime.one_utterance import Endpoint
from engine.speech.endpointing import Endpointer, Step
from engine.speech.ports import Listening, Samples

MOOD = os.environ.get("RINGDOWN_TEST_CHILD", "")


class Moody(Endpointer):
    """Goes wrong at its fiftieth frame."""

    def hear(
        self, said: Samples, sent: Samples, *, playing: bool = False, key: bool = False, silent: bool = False
    ) -> Step:
        if self.now_ms == 1_000:
            WRONG[MOOD]()
        return super().hear(said, sent, playing=playing, key=key, silent=silent)


def spin() -> None:
    while True:
        sum(range(1_000))


def eat() -> None:
    EATEN.append(b"x" * 200_000_000)


def lie() -> None:
    os.write(0, b"\x05\x00\x00\x00\x01what")


EATEN: list[bytes] = []
WRONG = {"hang": lambda: time.sleep(3_600), "spin": spin, "eat": eat, "lie": lie}


def moody(listening: Listening, before: Endpoint | None) -> Endpoint:
    return Moody(listening, lambda frame: True)


if __name__ == "__main__":
    if MOOD == "refuse":
        print("no speech today", file=sys.stderr)
        os._exit(1)
    os._exit(recognizer_child.main((lambda: moody) if MOOD in WRONG else recognizer_child.endpointing))

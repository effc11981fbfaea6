"""The recogniser child as it is, and how it may go wrong, by RINGDOWN_TEST_CHILD: hang (answers nothing once it has
heard a second of somebody), refuse (never starts)."""

from __future__ import annotations

import os
import sys
import time

from engine.runtime import recognizer_child
from engine.runtime.one_utterance import Endpoint
from engine.speech.endpointing import Endpointer, Step
from engine.speech.ports import Listening, Samples

MOOD = os.environ.get("RINGDOWN_TEST_CHILD", "")


class Hanging(Endpointer):
    """Never comes back from its fiftieth frame."""

    def hear(
        self, said: Samples, sent: Samples, *, playing: bool = False, key: bool = False, silent: bool = False
    ) -> Step:
        if self.now_ms >= 1_000:
            time.sleep(3_600)
        return super().hear(said, sent, playing=playing, key=key, silent=silent)


def hanging(listening: Listening, before: Endpoint | None) -> Endpoint:
    return Hanging(listening, lambda frame: True)


if __name__ == "__main__":
    if MOOD == "refuse":
        print("no speech today", file=sys.stderr)
        os._exit(1)
    os._exit(recognizer_child.main((lambda: hanging) if MOOD == "hang" else recognizer_child.endpointing))

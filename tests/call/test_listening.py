"""What crosses the wall to the recognisers comes back whole: it is journalled and, after a crash, replayed."""

from __future__ import annotations

import msgspec

from engine.call.listening import ListenEnded, ListenWanted, SpeechDone, SpeechStarted
from engine.speech.ports import NO_INPUT, Listening, Utterance


def test_each_message_comes_back_as_itself() -> None:
    every = [
        ListenWanted(7, 3, "lute", 1, 2, "default", Listening("digest", "en", lists={"who": ("ann", "bob")})),
        ListenEnded(7, 3), SpeechStarted(7, 3, 80), SpeechDone(7, 3, Utterance(NO_INPUT)),
    ]  # fmt: skip
    kinds = ListenWanted | ListenEnded | SpeechStarted | SpeechDone
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(every), type=list[kinds]) == every

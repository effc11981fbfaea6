"""Messages through a socket: whole whatever way they are cut, refused when they are none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import SpeechError
from engine.media import columns, ears
from engine.runtime import recognizer_wire as wire
from engine.speech.ports import Heard, Listening, Utterance
from tests.runtime.spoken import DIGITS


def block(count: int) -> wire.Frames:
    frames = np.zeros(count, wire.FRAME)
    frames["token"], frames["heard"] = 7, np.arange(160)
    return frames


def test_a_frame_is_what_the_media_plane_writes() -> None:
    assert wire.FRAME.itemsize == ears.FRAME_BYTES == 2 * columns.EAR_WORDS
    assert wire.FRAME.fields is not None and wire.FRAME.fields["heard"][1] == 2 * columns.EAR_HEADER


@given(st.lists(st.integers(1, 3_000), max_size=20))
def test_messages_are_whole_however_they_are_cut(cuts: list[int]) -> None:
    orders = [wire.Learn("k", DIGITS, "/m"), wire.Listen(7, Listening("k", "en"), wire.Engine("embedded", "/m")),
              wire.Ping(3), wire.Leave(7)]  # fmt: skip
    data = b"".join(map(wire.words, orders[:2])) + wire.sound(block(3)) + b"".join(map(wire.words, orders[2:]))
    reader, found, at = wire.Reader(to_child=True), list[Any](), 0
    for size in [*cuts, len(data)]:
        found += reader.feed(data[at : at + size])
        at += size
    assert [each for each in found if not isinstance(each, np.ndarray)] == orders
    (sound,) = (each for each in found if isinstance(each, np.ndarray))
    assert (sound == block(3)).all()


def test_answers_come_back() -> None:
    utterance = Utterance("match", (Heard("four", "number", {"n": 4}, 0.9),), 100, 900, 1_200)
    told = [wire.Ready(12), wire.Began(7, 80), wire.Done(7, utterance), wire.Pong(3, 1, 2, 3), wire.Complaint("k", "t")]
    assert list(wire.Reader(to_child=False).feed(b"".join(map(wire.words, told)))) == told


@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff\x00", b"\0\0\0\0\0", b"\x04\0\0\0\x01abc", b"\x05\0\0\0\x001234"])
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(SpeechError):
        list(wire.Reader(to_child=True).feed(data))

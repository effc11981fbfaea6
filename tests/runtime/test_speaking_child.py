"""Orders in, sounds out: each is answered, whatever it holds."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import numpy as np

from engine.dialplan.voice_model import VoiceModel
from engine.runtime import speaking_child
from engine.runtime.speaking_child import Order, Said, packed
from engine.runtime.wav import write_wav


def test_every_order_is_answered(tmp_path: Path) -> None:
    write_wav(tmp_path / "said.wav", (9_000 * np.sin(np.arange(16_000) / 3)).astype(np.int16), 16_000)
    good = VoiceModel("command", "", ("cat", str(tmp_path / "said.wav")))
    bad = VoiceModel("command", "", ("false",))
    orders = [Order(1, "one", "en", good), Order(2, "two", "en", bad), Order(3, "...", "en", good)]
    answers = io.BytesIO()
    speaking_child.serve(io.BytesIO(b"".join(map(packed, orders)) + b"\0"), answers)
    content, found = answers.getvalue(), {}
    while content:
        length = int.from_bytes(content[:4], "big")
        said = msgspec.msgpack.decode(content[4 : 4 + length], type=Said)
        found[said.serial], content = said, content[4 + length :]
    assert sorted(found) == [1, 2, 3]
    assert 15_000 <= len(found[1].sound) <= 17_000 and not found[1].error
    assert "false failed with status 1" in found[2].error and "nothing to say" in found[3].error


def test_an_order_of_absurd_length_ends_it() -> None:
    answers = io.BytesIO()
    speaking_child.serve(io.BytesIO(b"\xff\xff\xff\xff" + packed(Order(1, "one", "en"))), answers)
    assert answers.getvalue() == b""

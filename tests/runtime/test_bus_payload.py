"""Payloads of commands over the bus: what they say, and what can't be meant."""

from __future__ import annotations

from typing import Any

import pytest

from engine.runtime import agent_bus, bus
from engine.runtime.bus_payload import fields, text_of, until_ms

DEEP = (b'{"state":' + b"[" * 2_000 + b"]" * 2_000 + b"}", b'{"do":' + b"[" * 500 + b"]" * 500 + b"}")


def test_a_word_or_an_object() -> None:
    assert fields(b" on\n", 10, "state") == {"state": "on"}
    assert fields(b'{"state": "on", "minutes": 3}', 100, "state") == {"state": "on", "minutes": 3}
    assert fields('{"text": "Sturm: schön, \\ud83d\\ude00"}'.encode(), 100, "state")["text"] == "Sturm: schön, 😀"
    assert fields(b"\xff", 10, "do") == {"do": "\ufffd"}


@pytest.mark.parametrize(("payload", "words"), [
    (b"x" * 101, "101 bytes are too many"), (b"{", "not JSON"), (b"[1]", "not a JSON object: write it like"),
    (b'{"text": "\\ud800"}', "half of a character"), (b'{"\\udc00": 1}', "half of a character"),
    (b'{"state": {}} x', "not JSON"), (b'{"do": [[1]]}', "'do' holds brackets"),
])  # fmt: skip
def test_what_can_not_be_meant(payload: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        fields(payload, 100, "state")


def test_brackets_without_end_are_refused_like_any_other_nonsense() -> None:
    with pytest.raises(ValueError, match="brackets"):
        bus.request_of("notice/default/storm", DEEP[0], 0)
    with pytest.raises(ValueError, match="brackets"):
        agent_bus.request_of("default/201", DEEP[1], 0)


def test_times_and_texts() -> None:
    assert until_ms("until_ms", 7, 0) == "7" and until_ms("minutes", 2, 1.0) == "121000"
    wrong: Any
    for wrong in (0, -1, True, "7", 1.5, 10**15, None):
        with pytest.raises(ValueError, match="whole number"):
            until_ms("minutes", wrong, 0)
    assert text_of("by", "ana") == "ana"
    with pytest.raises(ValueError, match="by is a text"):
        text_of("by", 1)

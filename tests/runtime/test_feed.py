"""The tail's lines are gathered, and handed over once."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from engine.runtime.feed import Feed
from engine.runtime.ladder import Ladder
from engine.sip.events import Path
from tests.runtime.fakes import event, run, until


class Readers:
    def __init__(self) -> None:
        self.blocks: list[tuple[bytes, bytes | None]] = []

    def publish(self, facts: bytes, everything: bytes | None = None) -> None:
        self.blocks.append((facts, everything))


def test_facts_and_messages_keep_their_order() -> None:
    async def work() -> None:
        readers: Any = Readers()
        ladder = Ladder()
        feed = Feed(asyncio.get_running_loop(), readers, ladder)
        feed.event(event(0))
        feed.message(0, "in", Path(1, "192.0.2.1", 5060), b"INVITE sip:x SIP/2.0\r\nCall-ID: abc\r\n\r\n")
        feed.event(event(1))
        ladder.name("bako-0", "abc")  # known a moment after the message came
        assert readers.blocks == []
        await until(lambda: readers.blocks)
        ((facts, everything),) = readers.blocks
        assert [json.loads(line)["event"]["n"] for line in facts.splitlines()] == [0, 1]
        first, message, second = (json.loads(line) for line in everything.splitlines())
        assert "event" in first and "event" in second
        hop = message["sip"]
        assert (hop["way"], hop["call"], hop["far_end"]) == ("in", "bako-0", "192.0.2.1:5060")
        feed.event(event(9))
        await until(lambda: len(readers.blocks) == 2)
        assert readers.blocks[1][1] is None

    run(work())

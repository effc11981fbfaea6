"""What crosses the ports is data that comes back whole, with its types."""

from __future__ import annotations

import msgspec

from engine.speech.ports import MATCH, Heard, Listening, Utterance


def test_an_utterance_comes_back_with_typed_slots() -> None:
    heard = Heard("on friday yes", "day", {"day": "2026-11-27", "sure": True, "n": 3}, 0.9)
    said = Utterance(MATCH, (heard,), 100, 900)
    back = msgspec.msgpack.decode(msgspec.msgpack.encode(said), type=Utterance)
    assert back == said and back.best[0].slots["sure"] is True and type(back.best[0].slots["n"]) is int


def test_who_listens_waits_longest_while_more_may_come() -> None:
    wish = Listening("digest", "en")
    assert wish.complete_ms < wish.phrase_ms < wish.pause_ms < wish.utterance_ms_max

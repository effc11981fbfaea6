"""A stay in a queue: music goes on where it was, leaving is recorded once, and nothing stays armed behind it."""

from __future__ import annotations

import pytest

from engine.call import staying
from engine.media.commands import Play
from tests.call.calls import ring, world
from tests.call.waits import expect, waits_site


def test_music_begins_where_it_was_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    expect(monkeypatch, 0, 0, 0)
    w = world(waits_site())
    ring(w, "751")
    w.run(40_000)
    (call,) = w.switch.room.calls.values()
    assert call.waiting is not None and call.waiting.music_played_ms > 25_000
    leg = w.switch.room.legs[call.leg]
    staying.music(w.switch.room, call, leg, w.now_ms)
    play = w.switch.room.out[-1].command  # type: ignore[union-attr]
    assert isinstance(play, Play) and play.loop and play.start_ms == call.waiting.music_played_ms


@pytest.mark.parametrize(("reason", "kind"), [("abandoned", "queue.abandoned"), ("empty", "queue.left")])
def test_leaving_is_recorded_once_and_disarms_everything(
    reason: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect(monkeypatch, 0, 0, 0)
    w = world(waits_site())
    ring(w, "751")
    w.run(5_000)
    room = w.switch.room
    (call,) = room.calls.values()
    staying.leave(room, call, reason, w.now_ms)
    staying.leave(room, call, reason, w.now_ms)  # he is out already
    assert [(number, told) for number, told, _ in room.parting] == [(call.id, kind)]
    assert call.waiting is None and 4_800 <= call.queue_waited_ms <= 5_000
    assert not any(room.deadlines.at((each, call.id)) for each in ("position", "wait", "overflow"))

"""Which menu an agent is in decides whose key it is; other calls are nobody's."""

from __future__ import annotations

from engine.call import menus
from engine.call.effects import ClipLoaded, PromptUsed
from tests.call.boxed import boxes_world
from tests.call.calls import ring


def test_other_calls_have_no_menu() -> None:
    w = boxes_world()
    ring(w, "700")
    w.run(100)
    room = w.switch.room
    (call,) = room.calls.values()
    before = len(room.out)
    menus.key(room, call, "1", w.now_ms)
    menus.played(room, call, w.now_ms)
    menus.due(room, call, w.now_ms)
    menus.clip_loaded(room, ClipLoaded(7, 1), w.now_ms)
    assert len(room.out) == before and call.phase == "script"
    w.give(PromptUsed(9))
    assert menus.WORDS == ("voicemail", "record_prompt")

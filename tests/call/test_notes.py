"""What a dialplan notes: steps on the path once a flow, faults told, values as gathered, tags as steps."""

from __future__ import annotations

from engine.call import notes
from engine.dialplan.actions import Note
from tests.call.calls import ring, world


def test_each_kind_of_note_becomes_its_event() -> None:
    w = world()
    ring(w, "100")
    w.run(200)
    (call,) = w.switch.room.calls.values()
    room = w.switch.room
    before = len(call.path)
    for note in (Note("step", "f:1", "other#2/play(x)"), Note("step", "f:2", "other/menu")):
        notes.take(room, call, note)
    notes.take(room, call, Note("tag", "gold", "other/tag"))
    notes.take(room, call, Note("set", "code=42", "other/set"))
    notes.take(room, call, Note("fault", "no recording", "other/play"))
    assert call.path[before:] == ["other"]
    told = [(each.event.kind, each.event.data) for each in room.out if hasattr(each, "event")]
    assert ("call.step", {"step": "other/tag", "text": "tag: gold"}) in told
    assert ("call.gathered", {"variable": "code", "value": "42"}) in told
    assert ("call.fault", {"where": "other/play", "detail": "no recording"}) in told

"""Facts that a dialplan notes for the records: steps, what was set, tags, faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call.call import Call, tread

if TYPE_CHECKING:
    from engine.call.room import Room
    from engine.dialplan.actions import Note, PlayPrompts

MASK = "·"


def take(room: Room, call: Call, note: Note) -> None:
    """One note of a dialplan, or of a wait list, into the records."""
    if note.kind == "step":
        tread_step(call, note.step)
        room.emit("call.step", call.tenant, call.name, step=note.step, text=note.text)
    elif note.kind == "way":
        room.emit("call.way", call.tenant, call.name, step=note.step, text=note.text, way=note.way)
    elif note.kind == "fault":
        room.emit("call.fault", call.tenant, call.name, where=note.step, detail=note.text)
        room.log("error", f"{call.name} {note.step}: {note.text}", "dialplan")
    elif note.kind == "set":
        variable, _, value = note.text.partition("=")
        room.emit("call.gathered", call.tenant, call.name, variable=variable, value=value)
    elif note.kind == "metric":
        name, _, by = note.text.rpartition(" ")
        room.emit("call.metric", call.tenant, call.name, name=name, by=int(by))
    elif note.kind == "survey":
        survey, question, answer = [*note.text.split(" "), "", ""][:3]
        room.emit(
            "survey.answered", call.tenant, call.name, survey=survey, question=question, answer=answer,
            queue=call.queue, agent=call.people[-1] if call.people else "",
        )  # fmt: skip
    elif note.kind == "lookup":
        lookup, result, ms, *reason = note.text.split(" ", 3)
        why = " ".join(reason)
        room.emit("call.lookup", call.tenant, call.name, lookup=lookup, result=result, ms=int(ms), reason=why)
        if result == "failed":
            room.log("warning", f"{call.name} {note.step}: the lookup {lookup} failed: {why}", f"lookup {lookup}")
    elif note.kind == "fetch":
        url, result, ms, *reason = note.text.split(" ", 3)
        why, shown = " ".join(reason), url.split("?", 1)[0]  # what stands behind a ? may be a key to the door
        room.emit("call.fetch", call.tenant, call.name, url=shown, result=result, ms=int(ms), reason=why)
        if result == "failed":
            room.log("warning", f"{call.name} {note.step}: {shown} could not be played: {why}", f"fetch {shown}")
    else:
        room.emit("call.step", call.tenant, call.name, step=note.step, text=f"{note.kind}: {note.text}")


def clips(wish: PlayPrompts) -> str:
    """The clips for the records; a sensitive value's are one mask, however many they are."""
    words: list[str] = []
    for clip in wish.clips:
        word = MASK if clip in wish.hidden else clip
        if word != MASK or words[-1:] != [word]:
            words.append(word)
    return " ".join(words)


def tread_step(call: Call, step: str) -> None:
    """Flows make the path, not every step: `main`, `choose`, `support`."""
    flow = step.split("/", 1)[0].split("#", 1)[0]
    if not call.path or call.path[-1] != flow:
        tread(call, flow)

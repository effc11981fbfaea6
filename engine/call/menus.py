"""Which menu an agent is in decides whose key, whose prompt's end and whose deadline it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import mailbox, own_clips, prompting

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.effects import ClipLoaded
    from engine.call.room import Room

_MENUS = {"mailbox": mailbox, "prompting": prompting}  # phase of the call -> who has it
WORDS = (mailbox.WORD, prompting.WORD)  # of the codes that lead into one


def dialled(room: Room, call: Call, word: str, digits: str, now_ms: int) -> None:
    """A code of WORDS, with what was dialled behind it."""
    (mailbox if word == mailbox.WORD else prompting).dialled(room, call, digits, now_ms)


def key(room: Room, call: Call, digit: str, now_ms: int) -> None:
    if call.phase in _MENUS:
        _MENUS[call.phase].key(room, call, digit, now_ms)


def played(room: Room, call: Call, now_ms: int) -> None:
    if call.phase in _MENUS:
        _MENUS[call.phase].played(room, call, now_ms)


def due(room: Room, call: Call, now_ms: int) -> None:
    if call.phase in _MENUS:
        _MENUS[call.phase].due(room, call, now_ms)


def clip_loaded(room: Room, event: ClipLoaded, now_ms: int) -> None:
    """The disk's answer; one that nobody waits for any more is dropped."""
    call = own_clips.waiting(room, event)
    if call is not None and call.phase in _MENUS:
        _MENUS[call.phase].loaded(room, call, event.duration_ms, event.detail, now_ms)

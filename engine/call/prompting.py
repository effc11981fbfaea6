"""A prompt recorded by phone: `*771` records the one of key 1, `*77` asks for the key first.

which (digits, #) --> intro --> beep --> speaking (#, or its longest time) --> loading --> hearing --> asking
keys then: 1 callers hear it from now on, 2 hear it again, 3 record it again, * leave the old one.
The recording lies in the data folder until it is wanted; the runtime makes it the site's (`UsePrompt`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import leg as legs
from engine.call import own_clips, phone_menu, recording, talking
from engine.call.effects import RemoveFile, UsePrompt
from engine.call.phone_menu import bye, say, stock, wait
from engine.call.phone_menus import PhoneMenu

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.effects import PromptUsed
    from engine.call.room import Room
    from engine.media.commands import TapEnded

WORD = "record_prompt"  # of the code
KEY_DIGITS_MAX = 2
PROMPT_MS_MAX = 300_000
PROMPT_MS_MIN = 500
USE_MS = 10_000  # for the runtime to load it
FOLDER = "prompts/new"


def dialled(room: Room, call: Call, digits: str, now_ms: int) -> None:
    """Only who is allowed to, by `records_prompts: yes`, gets further than the refusal."""
    call.phase, call.outcome, call.menu = "prompting", "served", PhoneMenu("")
    call.path.append(f"{WORD} {digits}".strip())
    if not talking.answer_caller(room, call, now_ms):
        return
    agent = room.site_of(call).agents.get(call.agent)
    if agent is None or not agent.records_prompts:
        bye(room, call, now_ms, "number_unknown")
    elif digits:
        _chosen(room, call, digits, now_ms)
    else:
        say(room, call, "which", stock(room, call, "prompt_number"), now_ms)


def _chosen(room: Room, call: Call, digits: str, now_ms: int) -> None:
    tenant, menu = room.site_of(call).tenants.get(call.tenant), call.menu
    assert menu is not None
    menu.typed = ""
    menu.what = tenant.recordable.get(digits, "") if tenant is not None else ""
    if menu.what:
        _intro(room, call, now_ms)
        return
    menu.tries += 1
    if menu.tries > phone_menu.TRIES_MAX:
        bye(room, call, now_ms, "invalid_choice")
    else:
        say(room, call, "which", stock(room, call, "invalid_choice", "prompt_number"), now_ms)


def _intro(room: Room, call: Call, now_ms: int) -> None:
    _forget(room, call)
    say(room, call, "intro", stock(room, call, "prompt_speak"), now_ms)


def _forget(room: Room, call: Call) -> None:
    """What he has recorded so far is wanted no more."""
    menu = call.menu
    if menu is not None and menu.file:
        room.out.append(RemoveFile(menu.file))
        menu.file = ""


def _record(room: Room, call: Call, now_ms: int) -> None:
    menu = call.menu
    assert menu is not None
    menu.step, leg = "speaking", room.legs[call.leg]
    room.clip_serial += 1
    menu.file = f"{FOLDER}/{call.tenant}-{call.name}-{room.boot}-{room.clip_serial}.wav"
    recording.start(room, call, now_ms, name=menu.file)
    if leg.tap:
        wait(room, call, PROMPT_MS_MAX, now_ms)
    else:
        bye(room, call, now_ms, "technical_fault", "prompt_kept")


def ended(room: Room, event: TapEnded, now_ms: int) -> None:
    """A file is complete; was it ours? Then he hears what he has said. Too short: again; refused by the disk: nothing
    was changed."""
    call = next((c for c in room.calls.values() if c.menu is not None and c.menu.file == event.name), None)
    menu = call.menu if call is not None else None
    if call is None or menu is None or menu.step not in ("speaking", "stopping"):
        return
    if event.detail:
        bye(room, call, now_ms, "technical_fault", "prompt_kept")
    elif event.duration_ms < PROMPT_MS_MIN:
        _intro(room, call, now_ms)
    else:
        menu.ms = event.duration_ms
        _load(room, call, now_ms)


def _load(room: Room, call: Call, now_ms: int) -> None:
    menu = call.menu
    assert menu is not None
    menu.step, menu.ticket = "loading", own_clips.load(room, call, menu.file)
    if menu.ticket:
        wait(room, call, phone_menu.LOAD_MS, now_ms)
    else:
        bye(room, call, now_ms, "technical_fault", "prompt_kept")


def loaded(room: Room, call: Call, duration_ms: int, detail: str, now_ms: int) -> None:
    """The disk has given what he said, or not."""
    menu = call.menu
    if menu is None or menu.step != "loading":
        return
    menu.ticket = 0
    if detail:
        room.log("error", f"prompt {menu.what}: {detail}", "prompt")
        bye(room, call, now_ms, "technical_fault", "prompt_kept")
    else:
        menu.ms = duration_ms
        _hear(room, call, now_ms)


def _hear(room: Room, call: Call, now_ms: int) -> None:
    menu = call.menu
    assert menu is not None
    say(room, call, "hearing", (), now_ms, clips=(own_clips.clip_of(room, call),), ms=menu.ms)


def played(room: Room, call: Call, now_ms: int) -> None:
    """What he was told is over."""
    menu = call.menu
    if menu is None:
        return
    if menu.step in ("which", "asking"):
        wait(room, call, phone_menu.KEYS_MS, now_ms)
    elif menu.step == "intro":
        site, leg = room.site_of(call), room.legs[call.leg]
        say(room, call, "beep", (recording.BEEP,) if recording.BEEP in site.prompts else (), now_ms)
        if leg.playing != phone_menu.PURPOSE:
            _record(room, call, now_ms)
    elif menu.step == "beep":
        _record(room, call, now_ms)
    elif menu.step == "hearing":
        say(room, call, "asking", stock(room, call, "prompt_menu"), now_ms)
    elif menu.step == "bye":
        phone_menu.over(room, call, now_ms)


def due(room: Room, call: Call, now_ms: int) -> None:
    """Nothing was pressed, the longest time is over, or an answer never came."""
    menu, leg = call.menu, room.legs.get(call.leg)
    if menu is None or leg is None:
        return
    if leg.playing == phone_menu.PURPOSE:
        legs.quiet(room, leg)
        played(room, call, now_ms)
    elif menu.step == "which":
        _chosen(room, call, menu.typed, now_ms)
    elif menu.step == "speaking":
        _stop(room, call, now_ms)
    elif menu.step in ("stopping", "loading", "using"):
        _forget(room, call)
        bye(room, call, now_ms, "technical_fault", "prompt_kept")
    elif menu.step == "asking" and menu.tries < phone_menu.TRIES_MAX:
        menu.tries += 1
        say(room, call, "asking", stock(room, call, "prompt_menu"), now_ms)
    elif menu.step == "asking":
        _forget(room, call)
        bye(room, call, now_ms, "prompt_kept")
    else:
        played(room, call, now_ms)


def _stop(room: Room, call: Call, now_ms: int) -> None:
    menu = call.menu
    assert menu is not None
    menu.step = "stopping"
    recording.stop(room, call, now_ms)
    wait(room, call, phone_menu.LOAD_MS, now_ms)


def key(room: Room, call: Call, digit: str, now_ms: int) -> None:
    """A press of who records."""
    menu, leg = call.menu, room.legs.get(call.leg)
    if menu is None or leg is None:
        return
    if menu.step == "which":
        legs.quiet(room, leg)
        if digit != "#":
            menu.typed += digit
            wait(room, call, phone_menu.KEYS_MS, now_ms)
        if digit == "#" or len(menu.typed) >= KEY_DIGITS_MAX:
            _chosen(room, call, menu.typed, now_ms)
    elif menu.step == "speaking" and digit == "#":
        _stop(room, call, now_ms)
    elif menu.step in ("hearing", "asking"):
        _decided(room, call, digit, now_ms)


def _decided(room: Room, call: Call, digit: str, now_ms: int) -> None:
    menu = call.menu
    assert menu is not None
    if digit == "1":
        legs.quiet(room, room.legs[call.leg])
        room.clip_serial += 1
        menu.step, menu.ticket = "using", room.clip_serial
        room.out.append(UsePrompt(menu.ticket, menu.what, menu.file))
        wait(room, call, USE_MS, now_ms)
    elif digit == "2":
        _hear(room, call, now_ms)
    elif digit == "3":
        _intro(room, call, now_ms)
    elif digit == "*":
        _forget(room, call)
        bye(room, call, now_ms, "prompt_kept")


def used(room: Room, event: PromptUsed, now_ms: int) -> None:
    """The runtime has made it the site's, or says why not: then nothing was changed."""
    call = next((c for c in room.calls.values() if c.menu is not None and c.menu.ticket == event.ticket), None)
    if call is None or call.menu is None or call.menu.step != "using":
        return
    menu = call.menu
    menu.ticket = 0
    if event.detail:
        room.log("error", f"prompt {menu.what}: {event.detail}", "prompt")
        bye(room, call, now_ms, "technical_fault", "prompt_kept")
        return
    menu.file = ""
    room.emit("prompt.recorded", call.tenant, call.name, prompt=menu.what, agent=call.agent, duration_ms=menu.ms)
    bye(room, call, now_ms, "prompt_used")


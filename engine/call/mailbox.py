"""A box opened by phone: `*97` of who may hear it, `*97900` for the one with that number.

pin (digits, #) --right--> opening --> loading --> hearing (number, message) --end--> asking (menu) --key--> …
keys, also while he hears: 1 again, 2 next, 3 delete, 4 save, 5 call back, * leave. Every step has a deadline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.call import boxes, own_clips, phone_menu, pins, talking
from engine.call import leg as legs
from engine.call.phone_menu import bye, say, stock, wait
from engine.call.phone_menus import PhoneMenu
from engine.dialplan.speaking import clips_for

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.messages import Message
    from engine.call.room import Room
    from engine.dialplan.box_model import BoxModel

WORD = "voicemail"  # of the code
DIGITS_MAX = 12  # behind the code
PIN_MS = 15_000
_HEARD_AT = ("hearing", "asking")  # steps in which the keys of a message are live


def meant(room: Room, agent: str, digits: str) -> BoxModel | None:
    """Which box an agent opens: the one of that number, or (without one) his own, else the first of his that has
    something new. Only who is said to hear a box may open it."""
    site = boxes.site_now(room)
    own = [box for box in (site.boxes.values() if site is not None else ()) if agent in box.hearers]
    if digits:
        return next((box for box in own if box.number == digits), None)
    mine = [box for box in own if box.agent == agent]
    new = [box for box in own if boxes.counts(room, f"{box.tenant}/{box.name}")[0]]
    return next(iter(mine or new or own), None)


def dialled(room: Room, call: Call, digits: str, now_ms: int) -> None:
    """He has dialled the code: who he is his phone has proven."""
    box = meant(room, call.agent, digits)
    call.phase, call.outcome = "mailbox", "served"
    call.path.append(f"{WORD} {digits}".strip())
    call.menu = PhoneMenu(f"{box.tenant}/{box.name}" if box is not None else "")
    if not talking.answer_caller(room, call, now_ms):
        return
    if box is None:
        bye(room, call, now_ms, "number_unknown")
    elif box.pin:
        call.sensitive = True
        say(room, call, "pin", stock(room, call, "box_pin"), now_ms)
    else:
        _open(room, call, now_ms)


def _open(room: Room, call: Call, now_ms: int) -> None:
    """What is in it: the new ones first, each kind the oldest first."""
    menu = call.menu
    assert menu is not None
    call.sensitive = False
    room.emit("voicemail.opened", call.tenant, call.name, box=menu.what, by=f"phone {call.agent}", result="opened")
    found = boxes.of_box(room, menu.what)
    new = [message.id for message in found if message.state == boxes.NEW]
    menu.order = [*new, *(message.id for message in found if message.id not in new)]
    if not menu.order:
        bye(room, call, now_ms, "box_none")
        return
    site, language = room.site_of(call), phone_menu.language(room, call)
    count = clips_for("number", len(new) or len(found), language, site, call.tenant)
    say(room, call, "opening", count + stock(room, call, "box_new" if new else "box_old"), now_ms)


def _message(room: Room, call: Call) -> Message | None:
    """The one that he is at; None when it has gone meanwhile."""
    menu = call.menu
    return room.messages.get(menu.order[menu.at]) if menu is not None and 0 <= menu.at < len(menu.order) else None


def _next(room: Room, call: Call, now_ms: int, *said: str) -> None:
    """The next one that is still there, or the end."""
    menu = call.menu
    assert menu is not None
    menu.at += 1
    while menu.at < len(menu.order) and menu.order[menu.at] not in room.messages:
        menu.at += 1
    if menu.at < len(menu.order):
        say(room, call, "between", stock(room, call, *said), now_ms)
    else:
        bye(room, call, now_ms, *said, "box_last")


def _load(room: Room, call: Call, now_ms: int) -> None:
    menu, message = call.menu, _message(room, call)
    assert menu is not None
    menu.tries = 1
    if message is None:
        _next(room, call, now_ms)
        return
    menu.step, menu.ticket = "loading", own_clips.load(room, call, message.name)
    if menu.ticket:
        wait(room, call, phone_menu.LOAD_MS, now_ms)
    else:
        bye(room, call, now_ms, "technical_fault")


def loaded(room: Room, call: Call, duration_ms: int, detail: str, now_ms: int) -> None:
    """The disk has given the message, or not: then he is told, and the next one follows."""
    menu, message = call.menu, _message(room, call)
    if menu is None or menu.step != "loading":
        return
    menu.ticket = 0
    if message is None or detail:
        room.log("error", f"box {menu.what}: {detail or 'a message is gone'}", "box")
        _next(room, call, now_ms, "box_lost")
        return
    menu.ms = duration_ms
    hear(room, call, message, now_ms)


def hear(room: Room, call: Call, message: Message, now_ms: int) -> None:
    """From whom, and what he said."""
    menu = call.menu
    assert menu is not None
    who: tuple[str, ...] = ()
    if message.caller.lstrip("+").isdigit():
        who = stock(room, call, "box_from") + clips_for(
            "digits", message.caller, phone_menu.language(room, call), room.site_of(call), call.tenant
        )
    say(room, call, "hearing", who, now_ms, clips=(own_clips.clip_of(room, call),), ms=menu.ms)


def played(room: Room, call: Call, now_ms: int) -> None:
    """What he was told is over."""
    menu = call.menu
    if menu is None:
        return
    if menu.step == "pin":
        wait(room, call, PIN_MS, now_ms)
    elif menu.step in ("opening",):
        _next(room, call, now_ms)
    elif menu.step == "between":
        _load(room, call, now_ms)
    elif menu.step == "hearing":
        message = _message(room, call)
        if message is not None:
            boxes.mark(room, message, boxes.HEARD, f"phone {call.agent}")
        say(room, call, "asking", stock(room, call, "box_menu"), now_ms)
    elif menu.step == "asking":
        wait(room, call, phone_menu.KEYS_MS, now_ms)
    elif menu.step == "bye":
        phone_menu.over(room, call, now_ms)


def due(room: Room, call: Call, now_ms: int) -> None:
    """Nothing was pressed, or the end of a prompt was never told."""
    menu, leg = call.menu, room.legs.get(call.leg)
    if menu is None or leg is None:
        return
    if leg.playing == phone_menu.PURPOSE:
        legs.quiet(room, leg)
        played(room, call, now_ms)
    elif menu.step == "pin":
        _pin(room, call, now_ms)
    elif menu.step == "loading":
        loaded(room, call, 0, "the disk doesn't answer", now_ms)
    elif menu.step == "asking" and menu.tries < phone_menu.TRIES_MAX:
        menu.tries += 1
        say(room, call, "asking", stock(room, call, "box_menu"), now_ms)
    elif menu.step == "asking":
        bye(room, call, now_ms)
    else:
        played(room, call, now_ms)


# --- keys ---------------------------------------------------------------------------------------------------
def key(room: Room, call: Call, digit: str, now_ms: int) -> None:
    """A press of who has opened the box, or is to say its PIN."""
    menu, leg = call.menu, room.legs.get(call.leg)
    if menu is None or leg is None:
        return
    if menu.step == "pin":
        legs.quiet(room, leg)
        if digit != "#":
            menu.typed += digit
            wait(room, call, PIN_MS, now_ms)
        if digit == "#" or len(menu.typed) >= pins.PIN_DIGITS_MAX:
            _pin(room, call, now_ms)
        return
    rule = _KEYS.get(digit)
    if menu.step in _HEARD_AT and rule is not None:
        message = _message(room, call)
        if message is None:
            _next(room, call, now_ms, "box_lost")
        else:
            rule(room, call, message, now_ms)


def _pin(room: Room, call: Call, now_ms: int) -> None:
    menu = call.menu
    assert menu is not None
    typed, menu.typed = menu.typed, ""
    if pins.fits(typed, room.pins.get(menu.what, "")):
        menu.tries = 1
        _open(room, call, now_ms)
        return
    room.emit("voicemail.opened", call.tenant, call.name, box=menu.what, by=f"phone {call.agent}", result="wrong_pin")
    menu.tries += 1
    if menu.tries > phone_menu.TRIES_MAX:
        call.sensitive = False
        bye(room, call, now_ms, "box_pin_wrong")
    else:
        say(room, call, "pin", stock(room, call, "box_pin_wrong", "box_pin"), now_ms)


def _again(room: Room, call: Call, message: Message, now_ms: int) -> None:
    hear(room, call, message, now_ms)


def _onward(room: Room, call: Call, message: Message, now_ms: int) -> None:
    boxes.mark(room, message, boxes.HEARD, f"phone {call.agent}")
    _next(room, call, now_ms)


def _delete(room: Room, call: Call, message: Message, now_ms: int) -> None:
    boxes.delete(room, message, f"phone {call.agent}")
    _next(room, call, now_ms, "box_deleted")


def _save(room: Room, call: Call, message: Message, now_ms: int) -> None:
    boxes.mark(room, message, boxes.SAVED, f"phone {call.agent}")
    _next(room, call, now_ms, "box_saved")


def _call_back(room: Room, call: Call, message: Message, now_ms: int) -> None:
    """To whoever left it, by the way out that this agent may take."""
    agent = room.site_of(call).agents.get(call.agent)
    team = agent.team if agent is not None else ""
    if room.index().outbound(call.tenant, team, message.caller) is None:
        say(room, call, "asking", stock(room, call, "box_no_callback"), now_ms)
        return
    boxes.mark(room, message, boxes.HEARD, f"phone {call.agent}")
    call.menu = None
    room.deadlines.cancel((phone_menu.PURPOSE, call.id))
    legs.quiet(room, room.legs[call.leg])
    talking.dial_direct(room, call, f"number/{message.caller}", team, now_ms)


def _leave(room: Room, call: Call, message: Message, now_ms: int) -> None:
    bye(room, call, now_ms)


_KEYS: dict[str, Callable[[Room, Call, Message, int], None]] = {
    "1": _again, "2": _onward, "3": _delete, "4": _save, "5": _call_back, "*": _leave,
}

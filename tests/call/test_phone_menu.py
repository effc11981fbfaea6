"""What every menu by keys shares: prompts of the site, a deadline behind each word, the last word."""

from __future__ import annotations

from engine.call import phone_menu
from engine.sim.world import World
from tests.call.boxed import boxed_site, boxes_world
from tests.call.calls import agent, ring


def menu_world() -> tuple[World, int]:
    """An agent who is asked for the PIN of his box, and the number of his call."""
    w = boxes_world()
    ring(w, "*97", phone=agent(w, "201"))
    w.run(200)
    (number,) = w.switch.room.calls
    return w, number


def test_every_word_has_a_deadline_behind_its_length() -> None:
    w, number = menu_world()
    call = w.switch.room.calls[number]
    at = w.switch.room.deadlines.at((phone_menu.PURPOSE, number))
    assert call.phase in phone_menu.PHASES and call.menu is not None and call.menu.step == "pin"
    assert at is not None and w.now_ms + 1_000 < at <= w.now_ms + 1_500 + phone_menu.GRACE_MS


def test_nothing_to_say_is_over_at_once() -> None:
    w, number = menu_world()
    room, call = w.switch.room, w.switch.room.calls[number]
    phone_menu.say(room, call, "bye", (), w.now_ms)
    assert room.deadlines.at((phone_menu.PURPOSE, number)) == w.now_ms
    w.run(1)
    assert call.phase == "closing"


def test_prompts_are_those_of_the_tenants_language_that_exist() -> None:
    w, number = menu_world()
    room, call = w.switch.room, w.switch.room.calls[number]
    assert phone_menu.stock(room, call, "box_new", "nosuch") == ("en/box_new",)
    assert phone_menu.language(room, call) == boxed_site().tenants["default"].languages[0]


def test_the_menu_of_a_call_that_has_none_says_nothing() -> None:
    w, number = menu_world()
    room, call = w.switch.room, w.switch.room.calls[number]
    call.menu = None
    before = len(room.out)
    phone_menu.say(room, call, "bye", ("en/goodbye",), w.now_ms)
    assert len(room.out) == before

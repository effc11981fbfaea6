"""Which slots there are, and what is wrong with one."""

from __future__ import annotations

import pytest

from engine.errors import SpeechError
from engine.speech import slots
from engine.speech.grammar import SLOT_KINDS, Slot
from engine.speech.net import Net, vocabulary


@pytest.mark.parametrize("language", slots.LANGUAGES)
@pytest.mark.parametrize("kind", SLOT_KINDS)
def test_every_language_draws_every_kind(kind: str, language: str) -> None:
    net = Net()
    slots.draw(net, net.start, net.end, Slot(kind, choices={"ann": ()}, currency="EUR"), language)
    assert vocabulary(net)


@pytest.mark.parametrize(
    ("slot", "language", "says"),
    [
        (Slot("colour"), "en", "no kind of slot; there are yes_no"),
        (Slot("choice"), "en", "without choices"),
        (Slot("date"), "fi", "in the language 'fi'"),
        (Slot("number", 5, 2), "en", "nothing lies between 5 and 2"),
        (Slot("digits", 1, 65), "en", "64 at most"),
        (Slot("digits", -1, 4), "en", "below 0"),
        (Slot("number", 0, 2_000_000_000), "en", "999999999 at most"),
    ],
)
def test_what_is_wrong_is_said(slot: Slot, language: str, says: str) -> None:
    assert says in slots.wrong(slot, language)
    net = Net()
    with pytest.raises(SpeechError, match=says):
        slots.draw(net, net.start, net.end, slot, language)


def test_a_choice_needs_no_language_of_ours() -> None:
    assert slots.wrong(Slot("choice", choices={"kyllä": ()}), "fi") == ""
    assert slots.leading("fi") == slots.trailing("fi") == slots.between("fi") == ()


def test_a_choice_holds_no_slots() -> None:
    net = Net()
    with pytest.raises(SpeechError, match="hold words alone"):
        slots.draw(net, net.start, net.end, Slot("choice", choices={"x": ("on $day",)}), "en")

"""Operators and boxes: the lists, and acts on one message with their effect."""

from __future__ import annotations

import msgspec
import pytest

from engine.call.effects import BoxesLoaded, RemoveFile
from engine.sim.world import World
from tests.call.boxed import CUSTOMER, boxes_world, customer, speak
from tests.call.test_boxes import lying, stored


def asked(w: World, verb: str, **arguments: str) -> list[dict[str, object]]:
    reply = w.operate(verb, **arguments)
    assert reply.ok, reply.error
    return list(msgspec.json.decode(reply.data))


@pytest.fixture
def w() -> World:
    made = boxes_world()
    speak(made, customer(made))
    made.give(BoxesLoaded([stored("default/201", state="heard"), stored("default/gone", name="g")]))
    return made


def test_boxes_are_listed_with_those_that_no_site_has_any_more(w: World) -> None:
    rows = {str(row["box"]): row for row in asked(w, "boxes")}
    assert list(rows) == ["default/support", "default/201", "default/gone"]
    assert (rows["default/support"]["new"], rows["default/support"]["old"]) == (1, 0)
    assert (rows["default/201"]["new"], rows["default/201"]["old"]) == (0, 1)
    assert rows["default/support"]["hears"] == ["default/201", "default/202"]
    assert rows["default/gone"]["messages_max"] == 0


def test_messages_of_one_box(w: World) -> None:
    (row,) = asked(w, "messages", box="support")
    assert (row["n"], row["caller"], row["state"], row["warned"]) == (1, CUSTOMER, "new", False)
    assert asked(w, "messages", box="default/201")[0]["state"] == "heard"


def test_acts_by_place_or_name(w: World) -> None:
    name = lying(w)[0].name
    assert w.operate("voicemail.heard", box="support", message="1").ok
    assert w.last("voicemail.heard").data == {"box": "default/support", "message": name, "by": "operator test"}
    assert w.operate("voicemail.save", box="support", message=name).ok and lying(w)[0].state == "saved"
    assert w.operate("voicemail.delete", box="support", message=name.rpartition("/")[2]).ok
    assert [each.name for each in w.outputs if isinstance(each, RemoveFile)] == [name]
    assert not asked(w, "messages", box="support")
    assert w.last("operator.command").data["result"] == "deleted, its file too; undo: none"


@pytest.mark.parametrize(
    ("box", "message", "why"),
    [
        ("nosuch", "1", "no box 'nosuch'"), ("", "1", "no box"), ("support", "2", "holds 1"),
        ("support", "0", "holds 1"),
        ("support", "x", "nothing was changed"), ("support", "", "nothing was changed"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_said(w: World, box: str, message: str, why: str) -> None:
    reply = w.operate("voicemail.delete", box=box, message=message)
    assert not reply.ok and why in reply.error and len(lying(w)) == 3


def test_two_tenants_boxes_of_one_name_must_be_told_apart(w: World) -> None:
    w.give(BoxesLoaded([stored("acme/support", name="x")]))
    reply = w.operate("messages", box="support")
    assert not reply.ok and "default/support or acme/support" in reply.error


def test_what_became_of_a_letter_is_told(w: World) -> None:
    assert w.operate("voicemail_mailed", box="default/support", message="x", result="sent", attempts="4").ok
    assert w.last("voicemail.mailed").data == {
        "box": "default/support", "message": "x", "result": "sent", "attempts": 4,
    }  # fmt: skip

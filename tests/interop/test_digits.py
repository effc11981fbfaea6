"""Keys: one digit out per press, however badly they come (field.md E3, C: duplicates and losses)."""

from __future__ import annotations

import time
from typing import Any

import pytest
from harness.phone import Phone
from harness.rtp import Ear
from harness.server import Engine
from test_calls import digits_of


@pytest.mark.parametrize(
    "way",
    [
        {}, {"markers": False}, {"ends": 1}, {"ends": 0}, {"shuffle": True}, {"twice": True}, {"skip_first": True},
        {"length_ms": 40, "pause_ms": 60}, {"markers": False, "ends": 1, "shuffle": True, "twice": True},
    ],
    ids=str,
)  # fmt: skip
def test_one_digit_per_press(engine: Engine, caller: Phone, way: dict[str, Any]) -> None:
    with Ear() as ear:
        dialog = caller.call("9101", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        time.sleep(0.5)
        ear.press("1", **way)
        time.sleep(0.3)
        ear.press("225#", **way)
        time.sleep(0.5)
        dialog.bye()
    assert digits_of(engine) == "1225#"


def test_the_events_payload_type_is_the_offers(engine: Engine, caller: Phone) -> None:
    from tools.load import wire

    with Ear(event=97) as ear:
        dialog = caller.call("9101", sdp=wire.offer("127.0.0.1", ear.port, event=97))
        assert dialog.media.event == 97
        ear.start(dialog.media.host, dialog.media.port)
        time.sleep(0.5)
        ear.press("36")
        time.sleep(0.5)
        dialog.bye()
    assert digits_of(engine) == "36"


def test_info_in_both_bodies(engine: Engine, caller: Phone) -> None:
    dialog = caller.call("9101")
    time.sleep(0.3)
    for kind, body in (("application/dtmf-relay", "Signal=8\r\nDuration=100\r\n"), ("application/dtmf", "9")):
        dialog.request("INFO", headers=[("Content-Type", kind)], body=body)
        assert dialog.expect(200, method="INFO")
    time.sleep(0.3)
    dialog.bye()
    assert digits_of(engine) == "89"


def test_the_menu_obeys_a_key_during_its_prompt(engine: Engine, caller: Phone) -> None:
    """Barge-in: 1 pressed in the first second leads to the queue without waiting for the prompt's end."""
    with Ear() as ear:
        dialog = caller.call("100", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        time.sleep(0.8)
        ear.press("1")
        time.sleep(1.5)
        dialog.bye()
    row = engine.last_call(dialled="100")
    assert "queue.joined" in engine.kinds(row["call"])

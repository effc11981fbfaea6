"""What a carrier learns of the house behind a call: nothing but the number that may be shown."""

from __future__ import annotations

import re

import pytest

from engine.call.effects import Listening
from engine.sim.phone import Habit, Phone
from engine.sim.world import World
from engine.sip.parser import parse
from tests.call.calls import agent, world
from tests.call.numbered import CARRIER, NUMBERS, numbered_site

PUBLIC = "203.0.113.1"
SITE = numbered_site(outbound="0x.: carrier\n9123: carrier\n", site=NUMBERS)


@pytest.fixture
def house() -> tuple[World, Phone, Phone]:
    """(world, agent, carrier): an engine at 10.0.0.1 that tells the outside a public address."""
    w = world(SITE)
    w.give(Listening(1, "udp", "10.0.0.1", 5060, PUBLIC, 5060, ("10.0.0.0/8",)))
    carrier = w.phone("far", host=CARRIER, password="")
    carrier.habit = Habit(answer_ms=300)
    return w, agent(w, "201"), carrier


def told(carrier: Phone) -> list[bytes]:
    return [data for data in carrier.got if not data.startswith(b"OPTIONS ")]


def test_a_call_outside_names_no_phone_no_inner_address_and_no_version(house: tuple[World, Phone, Phone]) -> None:
    w, ana, carrier = house
    ana.headers = (
        ("Record-Route", "<sip:10.0.1.98;lr>"), ("X-Inner", "10.0.1.99"), ("User-Agent", "Desk 1.2.3 (10.0.1.97)"),
        ("Contact-Info", "10.0.1.96"),
    )  # fmt: skip
    ana.call("0891234567", w.now_ms, secret=True)
    w.run(3_000)
    assert ana.up() and carrier.up()
    inner = [parse(data).call_id for data in ana.got if data.startswith((b"SIP/2.0", b"BYE", b"INVITE"))]
    ana.hang_up(w.now_ms)
    w.run(1_000)
    found = told(carrier)
    assert {parse(data).method for data in found} >= {"INVITE", "ACK", "BYE"}
    for data in found:
        message, text = parse(data), data.decode()
        assert len(message.all("via")) == 1 and not message.all("record-route") and not message.all("route"), text
        assert not re.search(r"\b10\.\d+\.\d+\.\d+|\b127\.|192\.168\.", text), text
        assert message.call_id not in inner and not any(each in text for each in ("x-inner", "X-Inner", "Desk 1.2.3"))
        for name in ("user-agent", "server"):
            assert not re.search(r"[0-9]", " ".join(message.all(name))), text
        contact = " ".join(message.all("contact"))
        assert "201" not in contact.replace(PUBLIC, ""), contact  # nor the extension that dials


def test_answers_to_a_carrier_name_no_inner_address_either(house: tuple[World, Phone, Phone]) -> None:
    w, _, carrier = house
    w.wire.clear()
    carrier.domain = PUBLIC  # as it writes the To, which is answered as it came
    carrier.call("03022334466", w.now_ms)
    w.run(8_000)
    assert carrier.up()
    answers = [data for data in w.wire if data.startswith(b"SIP/2.0") and parse(data).via.host == CARRIER]
    assert any(data.startswith(b"SIP/2.0 200") and PUBLIC.encode() in data for data in answers)
    for data in answers:
        assert not re.search(rb"\b10\.\d+\.\d+\.\d+", data), data.decode()
        assert not re.search(r"[0-9]", " ".join(parse(data).all("server")))

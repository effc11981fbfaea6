"""RFC 5626 with baresip: two flows to the engine, each by a connection of its own that the test can break. An agent
whose flow has gone is called by the other at once, and by the new one once baresip has opened it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from harness.baresip import Baresip
from harness.children import until
from harness.phone import Phone
from harness.relay import Relay
from harness.server import Engine

AT_ONCE_S = 1.5


def rung(engine: Engine, caller: Phone, phone: Baresip) -> str:
    """Call the agent, once it rings give up: by which of its connections the INVITE went. It rings once."""
    place, began = len(phone.events), time.monotonic()
    dialog = caller.invite("8203")
    phone.wait_event("CALL_INCOMING", 6, after=place)
    took = time.monotonic() - began
    dialog.cancel()
    dialog.expect(487)
    dialog.ack()
    phone.wait_event("CALL_CLOSED", 4, after=place)
    assert [event.get("type") for event in phone.events[place:]].count("CALL_INCOMING") == 1, phone.events[place:]
    engine.wait_idle()
    hops = engine.ask("ladder", call="last")["hops"]
    ways = [str(hop["far_end"]) for hop in hops if hop["transport"] == "tcp" and hop["text"].startswith("INVITE")]
    print(f"rang after {took * 1000:.0f} ms by {ways}")
    assert took < AT_ONCE_S
    return ways[-1]  # one whose end we hadn't seen yet may stand before it


def test_a_broken_flow_is_passed_by(engine: Engine, caller: Phone, tmp_path: Path) -> None:
    with (
        Relay(engine.address) as first, Relay(engine.address) as second,
        baresip(engine, tmp_path, first, second) as phone,
    ):  # fmt: skip
        known = {first.seen_as[0]: first, second.seen_as[0]: second}
        used = known[rung(engine, caller, phone)]
        other = second if used is first else first
        used.cut()
        assert rung(engine, caller, phone) == other.seen_as[0]


@pytest.mark.slow
def test_the_flow_that_baresip_opens_instead_is_used(engine: Engine, caller: Phone, tmp_path: Path) -> None:
    """By itself, half a minute to a minute after the only one broke (§4.5)."""
    with Relay(engine.address) as relay, baresip(engine, tmp_path, relay) as phone:
        broken = relay.seen_as[0]
        place = len(phone.events)
        relay.cut()
        until(lambda: not engine.agent("203")["reachable"], 5, what="the phone out of reach")
        phone.wait_event("REGISTER_OK", 75, after=place)
        assert relay.seen_as != [broken]
        assert rung(engine, caller, phone) == relay.seen_as[-1]


def baresip(engine: Engine, folder: Path, *relays: Relay) -> Baresip:
    """Agent 203's phone, registered by a flow through each of these."""
    phone = Baresip(
        folder, engine.address, "203", engine.passwords()["203"], transport="tcp", outbound=True,
        proxies=tuple(each.port for each in relays),
    )  # fmt: skip
    phone.child.wait_for(r"200 OK .*\[\d+ binding", 8, count=len(relays))
    until(lambda: all(each.seen_as for each in relays), 3, what="its flows")
    return phone

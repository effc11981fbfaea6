"""Carriers: Kamailio challenges our registration and carries our calls; one that hangs is left for the next in time."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.children import until
from harness.desks import desk
from harness.kamailio import Kamailio
from harness.phone import Phone
from harness.server import DEMO, Engine
from harness.sipp import Sipp

PASSWORD = secrets.token_hex(12)
WITHIN_S = 2.0  # of the probes
CALLS = 5  # that the far end takes
NUMBERS = "  4412: {dialplan: interop, entry: main}\n"
DIALPLAN = """\
ringdown: 1
about: 4412 is the carrier's number; nobody reaches it but by the carrier.
entry: main

flows:
  main:
    - answer
    - echo
"""


def site_of(folder: Path, trunks: str, outbound: str) -> Path:
    site = folder / "site"
    shutil.copytree(DEMO, site)
    (site / "trunks.yaml").write_text(trunks)
    (site / "outbound.yaml").write_text(outbound)
    return site


class Carriers:
    """An engine with two carriers, and the phone behind them."""

    def __init__(self, engine: Engine, first: Kamailio, second: Kamailio, far: Sipp) -> None:
        self.engine, self.first, self.second, self.far = engine, first, second, far

    def state(self, trunk: str) -> dict[str, object]:
        return next(row for row in self.engine.ask("trunks") if row["trunk"] == trunk)


@pytest.fixture(scope="module")
def carriers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Carriers]:
    folder = tmp_path_factory.mktemp("carriers")
    patch = pytest.MonkeyPatch()
    for name in ("FIRST", "SECOND", "BLIND"):
        patch.setenv(f"RINGDOWN_TRUNK_{name}", PASSWORD)
    with (
        Sipp(folder, "uas_answer.xml", calls=CALLS, seconds=120) as far,
        Kamailio(folder, far.port, PASSWORD, algorithm="SHA-256", expires_min=90, expires_max=600) as first,
        Kamailio(folder, far.port, PASSWORD) as second,
    ):
        trunks = "".join(
            f"{name}:\n  host: 127.0.0.1\n  port: {each.port}\n  user: '4412'\n  addresses: [127.0.0.99]\n"
            f"  probe: {{within: {WITHIN_S:g}s, bad: 1, good: 2}}\n"
            for name, each in (("first", first), ("second", second))
        )  # fmt: skip
        trunks = trunks.replace("second:", "  register: {domain: carrier.test, expires: 1min}\nsecond:")
        trunks += f"blind: {{host: 127.0.0.1, port: {first.port}, user: '4412', addresses: [127.0.0.99]}}\n"
        rules = "0x.: {trunks: [first, second], strip: 1}\n5x.: {trunks: [blind, second]}\n"
        site = site_of(folder, trunks, rules)
        edits = {"site.yaml": ("numbers:\n", "numbers:\n" + NUMBERS)}
        with Engine(site, edits=edits, extra=DIALPLAN) as engine:
            yield Carriers(engine, first, second, far)
    patch.undo()


def test_the_registrar_challenges_and_grants_what_it_likes(carriers: Carriers) -> None:
    """SHA-256; asked for a minute, Kamailio gives 90 s."""

    def registered() -> bool:
        found = carriers.state("first")["registration"]
        return isinstance(found, dict) and found["state"] == "registered" and 60 < int(found["left_s"]) <= 90

    until(registered, 5, what="registered for 90 s")
    assert "trunk first is registered for 90 s" in carriers.engine.output()
    assert PASSWORD not in carriers.engine.output()


def test_a_call_to_the_registered_contact_is_the_carriers(carriers: Carriers) -> None:
    """127.0.0.1 is nobody's address: the contact alone says whose call it is. Others are asked who they are."""
    with Phone(("127.0.0.1", carriers.first.port), "outside") as outside:
        dialog = outside.call("4412")
        dialog.bye()
    until(lambda: carriers.engine.last_call(dialled="4412") is not None, 5, what="the call on record")
    assert carriers.engine.last_call(dialled="4412")["trunk"] == "first"
    with carriers.engine.phone("stranger", secret=False) as stranger:
        assert stranger.invite("4412").expect(401, 403, 404).status in (401, 403, 404)


def placed(agent: Phone, number: str) -> float:
    """An agent's call to the outside, answered there and ended: seconds until it rang."""
    dialog = agent.place(number)
    began = time.monotonic()
    dialog.expect(180, within=8)
    took = time.monotonic() - began
    assert dialog.expect(200).status == 200
    dialog.ack()
    assert dialog.bye().status == 200
    return took


def moves(carriers: Carriers) -> list[tuple[str, str]]:
    return [
        (str(each["data"]["trunk"]), str(each["data"]["to"])) for each in carriers.engine.events()
        if each["kind"] == "dial.moved"
    ]  # fmt: skip


def started(carriers: Carriers) -> list[str]:
    return [
        str(each["data"]["trunk"]) for each in carriers.engine.events()
        if each["kind"] == "dial.started" and each["data"]["trunk"]
    ]  # fmt: skip


def test_a_carrier_that_hangs_is_left_in_set_up_and_passed_by_afterwards(carriers: Carriers) -> None:
    """The call in set-up within 4 s, the next one at once; back after its probes are answered again."""
    engine, first = carriers.engine, carriers.first
    until(lambda: carriers.state("first")["state"] == "up", 5, what="the first trunk up")
    with desk(engine, "200", ready=False) as agent:
        calm = placed(agent, "0555001")
        first.freeze()
        try:
            moved = placed(agent, "0555002")
            until(lambda: carriers.state("first")["state"] == "down", 4, what="the first trunk down")
            after = placed(agent, "0555003")
            silent = placed(agent, "5555005")
        finally:
            first.thaw()
        print(f"until it rings: calm {calm * 1000:.0f} ms; by a probe in set-up {moved * 1000:.0f}, without one "
              f"{silent * 1000:.0f}; the next call {after * 1000:.0f}")  # fmt: skip
        until(lambda: carriers.state("first")["state"] == "up", 6, what="the first trunk up again")
        back = placed(agent, "0555004")
    assert max(moved, silent) < 4 and max(calm, after, back) < 1
    tried = ["first", "first", "second", "second", "blind", "second", "first"]
    until(lambda: started(carriers) == tried, 4, what="the trunks on record")
    assert moves(carriers) == [("first", "second"), ("blind", "second")]
    carriers.far.wait(8).check(CALLS)


def test_a_dead_carrier_is_known_within_the_time_of_its_probes(carriers: Carriers) -> None:
    until(lambda: carriers.state("first")["state"] == "up", 6, what="the first trunk up")
    carriers.first.freeze()
    try:
        began = time.monotonic()
        until(lambda: carriers.state("first")["state"] == "down", 4, what="the first trunk down")
        took = time.monotonic() - began
    finally:
        carriers.first.thaw()
    print(f"known after {took * 1000:.0f} ms of {WITHIN_S * 1000:.0f}")
    assert took < WITHIN_S + 0.3  # a look costs some of it
    assert "trunk_troubles" in carriers.engine.ask("status")["switch"]


def test_a_killed_engine_comes_back_with_its_registration(carriers: Carriers) -> None:
    """The same contact, said again at once: the carrier's calls find it."""
    carriers.engine.kill()
    carriers.engine.start()
    until(lambda: registration(carriers) == "renewed", 8, what="the registration renewed")
    with Phone(("127.0.0.1", carriers.first.port), "outside") as outside:
        outside.call("4412").bye()


def registration(carriers: Carriers) -> str:
    found = carriers.state("first")["registration"]
    return str(found["state"]) if isinstance(found, dict) else ""


def test_a_drain_takes_the_registration_back(carriers: Carriers) -> None:
    """The last of them: the engine stops. Kamailio has nobody for the number then."""
    until(lambda: registration(carriers) in ("registered", "renewed"), 8, what="registered")
    carriers.engine.drain()
    assert carriers.engine.child is not None
    until(lambda: not carriers.engine.child.running(), 8, what="the engine stopped")  # type: ignore[union-attr]
    with Phone(("127.0.0.1", carriers.first.port), "outside") as outside:
        assert outside.invite("4412").expect(404, 200, within=3).status == 404

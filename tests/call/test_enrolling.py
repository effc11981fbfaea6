"""When we register with carriers, what is said about it, and how it ends."""

from __future__ import annotations

import pytest

from engine.call.effects import Drain, Resumed
from engine.sim.world import World
from engine.sip.locating import Place
from tests.call.calls import SITE, world
from tests.call.carriers import ENROL, A, B, Carrier, carrier, edited, secrets, site


def begin(status: int = 200, *, password: str = "right", law9: bool = False) -> tuple[World, Carrier]:
    w = world(SITE, law9=law9)
    registrar = carrier(w)
    registrar.status = status
    w.load(edited(site(), "a", enrol=ENROL, user="4412"))
    if password:
        secrets(w, password=password)
    w.run(1_000)
    return w, registrar


def changes(w: World) -> list[object]:
    return [e.data["change"] for e in w.all("trunk.registered")]


@pytest.mark.parametrize("law9", [False, True])
def test_it_registers_with_its_password_and_renews_in_time(law9: bool) -> None:
    w, registrar = begin(law9=law9)
    assert changes(w) == ["registered"] and w.last("trunk.registered").data["granted_s"] == 600
    assert registrar.registers[-1].index["to"] == "<sip:4412@carrier.test>"
    contact = registrar.contact
    w.run(1_500_000)
    assert changes(w) == ["registered", "renewed", "renewed", "renewed"] and registrar.contact == contact
    assert [line.text for line in w.logs if "registered" in line.text] == ["trunk a is registered for 600 s"]


@pytest.mark.parametrize(
    ("status", "password", "words"),
    [
        (403, "right", "the carrier forbids it"),
        (404, "right", "doesn't know the user"),
        (200, "wrong", "its password was refused"),
        (200, "", "there is no password for it"),
    ],
)
def test_a_refusal_is_one_clear_line_with_what_to_do(status: int, password: str, words: str) -> None:
    w, registrar = begin(status, password=password)
    (line,) = [each for each in w.logs if "trunk a" in each.text]
    assert line.level == "error" and words in line.text and "next try in" in line.text
    assert changes(w) == ["refused"] and "next_ms" in w.last("trunk.registered").data
    before = len(registrar.registers)
    w.run(1_700_000)
    assert len(registrar.registers) == before  # slowly


def test_the_right_password_is_used_as_soon_as_it_is_there() -> None:
    w, _ = begin(password="wrong")
    secrets(w)
    w.run(500)
    assert changes(w) == ["refused", "registered"]
    secrets(w)  # the same again asks nothing
    w.run(500)
    assert len(changes(w)) == 2


def test_a_drain_takes_the_contact_away_before_the_engine_stops() -> None:
    w, registrar = begin()
    w.give(Drain())
    assert w.run_until(lambda: "engine.stopped" in w.kinds(), 5_000)
    assert registrar.registers[-1].expires == 0 and registrar.contact == "" and changes(w)[-1] == "left"


def test_a_drain_does_not_wait_long_for_a_registrar_that_is_gone() -> None:
    w, _ = begin()
    w.network.dark[A] = True
    w.give(Drain())
    assert w.run_until(lambda: "engine.stopped" in w.kinds(), 6_000)


def test_after_an_outage_the_registrar_is_told_at_once_and_the_contact_is_the_same() -> None:
    w, registrar = begin()
    contact, asked = registrar.contact, len(registrar.registers)
    w.now_ms += 20_000
    w.give(Resumed(20_000, "crash", 600_000))
    from engine.call.effects import Listening
    from engine.sim.world import ENGINE

    w.give(Listening(1, "udp", *ENGINE, *ENGINE))
    w.run(2_000)
    assert len(registrar.registers) > asked and registrar.contact == contact and changes(w)[-1] == "renewed"


def test_an_engine_that_was_to_stop_and_did_not_registers_again() -> None:
    w, registrar = begin()
    w.give(Drain())
    w.run(20)
    w.give(Resumed(10, "restart", 600_000))
    from engine.call.effects import Listening
    from engine.sim.world import ENGINE

    w.give(Listening(1, "udp", *ENGINE, *ENGINE))
    w.run(40_000)
    assert registrar.contact and changes(w)[-1] in ("registered", "renewed")


def test_a_trunk_that_leaves_the_site_leaves_the_registrar() -> None:
    w, registrar = begin()
    w.load(SITE)
    w.run(1_000)
    assert registrar.contact == "" and w.switch.room.endpoint.accounts() == []
    w.load(edited(site(), "a", enrol=ENROL, user="4412"))
    w.run(1_000)
    assert registrar.contact


def test_a_registrar_that_dies_is_a_warning_and_we_stay_registered_until_it_runs_out() -> None:
    w, registrar = begin()
    w.network.dark[A] = True
    w.run(560_000)
    assert changes(w) == ["registered", "failed"]
    assert any("registered until it runs out" in line.text for line in w.logs)
    w.run(100_000)
    assert "lapsed" in changes(w)
    w.network.dark.pop(A)
    w.run(1_900_000)
    assert changes(w)[-1] in ("registered", "renewed") and registrar.contact


def test_the_registrar_is_found_by_the_trunks_name_and_followed_when_it_moves() -> None:
    w = world(SITE)
    w.names["carrier.test"] = (Place(A, 5060, "udp"),)
    first, second = carrier(w), carrier(w, B)
    enrol = type(ENROL)("carrier.test", "carrier.test", "4412", "4412", 600)
    w.load(edited(site(), "a", host="carrier.test", find="naptr", enrol=enrol, user="4412"))
    secrets(w)
    w.run(1_000)
    assert first.contact and first.registers[0].uri == "sip:carrier.test"
    w.names["carrier.test"] = (Place(B, 5060, "udp"),)
    w.run(61_000)
    assert second.contact and changes(w)[-1] == "renewed"

"""Gateways that register with us: their calls, calls to them, what is told of them, and who is none."""

from __future__ import annotations

import msgspec
import pytest

from engine.call import trunk_desk
from engine.call.effects import SecretsLoaded
from engine.dialplan.model import OutboundRule, Site, TrunkModel
from engine.sim.phone import Habit, Phone
from engine.sim.world import World
from tests.call.calls import SITE, agent, over, ring, told, wire, world
from tests.call.carriers import invites
from tests.call.lamplit import watch

HOST = "10.0.7.7"


def site(*accounts: str, **fields: object) -> Site:
    """The busy site with the box `attic` behind 8…."""
    model = msgspec.structs.replace(
        TrunkModel("attic", user="attic", accounts=accounts or ("attic",)), **fields
    )
    rule = OutboundRule("default", "8x.", "attic", strip=1)
    trunks, version = {**SITE.trunks, "attic": model}, f"attic{accounts}{fields}"
    return msgspec.structs.replace(SITE, trunks=trunks, outbound=(rule, *SITE.outbound), version=version)


def start(*accounts: str, law9: bool = False, password: str = "box", **fields: object) -> World:
    w = world(site(*accounts, **fields), law9=law9)
    room = w.switch.room
    w.give(SecretsLoaded(room.secrets, {"attic": ("attic", password)}, room.pins))
    return w


def box(w: World, user: str = "attic", *, host: str = HOST, port: int = 5060, password: str = "box",
        registered: bool = True, **habit: object) -> Phone:  # fmt: skip
    found = w.phone(user, host=host, port=port, password=password)
    found.habit = Habit(**habit)  # type: ignore[arg-type]
    found.register(w.now_ms)
    w.run_until(lambda: found.registered_ms >= 0, 2_000)
    assert (found.registered_ms >= 0) == registered
    return found


def row(w: World) -> dict[str, object]:
    return next(each for each in trunk_desk.rows(w.switch.room) if each["trunk"] == "attic")


@pytest.mark.parametrize("law9", [False, True])
def test_it_is_down_until_it_has_registered_and_again_when_it_leaves(law9: bool) -> None:
    w = start(law9=law9)
    assert row(w)["state"] == "down" and "attic is down: nobody has registered as attic" in " ".join(
        trunk_desk.troubles(trunk_desk.rows(w.switch.room))
    )
    attic = box(w)
    w.run(6_000)
    assert row(w)["state"] == "up" and row(w)["addresses"] == [
        {"address": f"udp:{HOST}:5060", "usable": True, "round_trip_ms": row(w)["addresses"][0]["round_trip_ms"],  # type: ignore[index]
         "status": 0},
    ]  # fmt: skip
    assert w.last("trunk.registered").data["detail"] == f"attic at udp:{HOST}:5060"
    attic.register(w.now_ms, expires_s=0)
    w.run(1_000)
    assert row(w)["state"] == "down" and w.last("trunk.registered").data["change"] == "left"
    assert [str(event.data["state"]) for event in w.all("trunk.state")] == ["up", "down"]


def test_what_comes_from_there_is_the_trunks_without_a_password() -> None:
    w = start()
    attic = box(w)
    attic.user = "+493055512"  # the caller that its line tells
    ring(w, "9196", phone=attic, offer=True)
    w.run(500)
    started = w.last("call.started").data
    assert (started["trunk"], started["via"], started["caller"]) == ("attic", "trunk", "+493055512") and attic.up()
    assert not wire(w, "SIP/2.0 401", "INVITE")
    attic.hang_up(w.now_ms)
    over(w)


def test_from_elsewhere_its_password_says_that_it_is_the_trunks() -> None:
    w = start()
    elsewhere = w.phone("attic", host="10.0.7.8", password="box")
    ring(w, "9196", phone=elsewhere)
    w.run(500)
    assert w.last("call.started").data["trunk"] == "attic" and elsewhere.up()
    assert wire(w, "SIP/2.0 401", "INVITE")
    stranger = w.phone("attic", host="10.0.7.9", password="wrong")
    ring(w, "9196", phone=stranger)
    w.run(500)
    assert told(stranger).startswith("rejected 401") and len(w.all("call.started")) == 1


def test_nobody_beside_it_is_the_trunk() -> None:
    """Behind the same address as the box (one NAT): another port is another device."""
    w = start()
    box(w)
    other = w.phone("5550001", host=HOST, port=5070, password="")
    ring(w, "600", phone=other)
    w.run(500)
    assert not w.all("call.started") and told(other).startswith("rejected 401")


def test_our_calls_go_to_its_contact() -> None:
    w = start()
    attic = box(w, answer_ms=300)
    ana = agent(w, "201", login=False)
    ring(w, "85551", phone=ana)
    w.run(1_500)
    assert invites(attic) == [f"sip:5551@{HOST}:5060"] and ana.up() and attic.up()
    assert w.hears(ana).startswith("row") and w.last("dial.started").data["trunk"] == "attic"
    ana.hang_up(w.now_ms)
    over(w)


def test_several_ports_register_each_and_the_next_takes_what_one_cannot() -> None:
    w = start("port1", "port2")
    one, two = box(w, "port1", port=5061, status=503, answer_ms=50), box(w, "port2", port=5062, answer_ms=100)
    ana = agent(w, "201", login=False)
    ring(w, "85551", phone=ana)
    w.run(1_500)
    assert invites(one) == [f"sip:5551@{HOST}:5061"] and invites(two) == [f"sip:5551@{HOST}:5062"]
    assert ana.up() and two.up()


def test_nobody_registered_is_nobody_to_call() -> None:
    w = start()
    ana = agent(w, "201", login=False)
    ring(w, "85551", phone=ana)
    w.run(1_000)
    assert told(ana) == "rejected 480" and w.last("dial.ended").data["result"] == "unreachable"


def test_a_wrong_password_registers_nobody() -> None:
    w = start(password="other")
    box(w, registered=False)
    assert row(w)["state"] == "down" and "REGISTER as attic" in str(w.last("engine.refused").data["detail"])


def test_a_box_that_dies_is_down_before_it_runs_out() -> None:
    w = start()
    attic = box(w)
    w.run(6_000)
    assert row(w)["state"] == "up"
    w.darken(attic)
    w.run(90_000)
    assert row(w)["state"] == "down"
    w.lighten(attic)
    w.run(90_000)
    assert row(w)["state"] == "up"


def test_a_reload_keeps_who_is_registered() -> None:
    w = start()
    box(w)
    w.run(6_000)
    w.load(site(calls_max=3))
    w.run(500)
    assert row(w)["state"] == "up" and row(w)["calls_max"] == 3


def test_it_watches_nobody() -> None:
    w = start()
    assert watch(w, box(w), "201").startswith("403")

"""3xx by phones and trunks: refused unless they may; then only to numbers of the tenant, bounded, without circles."""

from __future__ import annotations

import msgspec
import pytest

from engine.call import fraud
from engine.dialplan.fraud_model import FraudRule, Threshold
from engine.dialplan.model import Site
from engine.dialplan.outgoing_model import ServiceClass
from engine.sim.world import World
from tests.call.calls import SITE, agent, over, ring, told, wire, world


def following(*users: str, site: Site = SITE) -> Site:
    """The site with `forward: follow` for these agents."""
    agents = dict(site.agents)
    for user in users:
        agents[f"default/{user}"] = msgspec.structs.replace(agents[f"default/{user}"], forward=True)
    return msgspec.structs.replace(site, agents=agents, version="following")


def own(w: World) -> str:
    return f"<sip:202@{w.switch.room.listeners[0].host}>"


def test_followed_to_a_colleague() -> None:
    w = world(following("201"))
    agent(w, "201", answer_ms=100, status=302, contacts=(own(w),))
    ben = agent(w, "202", answer_ms=300)
    caller = ring(w, "201", phone=agent(w, "203"))
    assert w.run_until(lambda: bool(ben.up()) and bool(caller.up()), 5_000)
    w.run(200)
    assert w.hears(caller).startswith("row")
    assert [event.data["result"] for event in w.all("dial.ended")] == ["forwarded", "answered"]
    caller.hang_up(w.now_ms)
    over(w)
    assert w.state("201") == w.state("202") == w.state("203") == "ready"


def test_refused_unless_it_may() -> None:
    w = world()
    agent(w, "201", answer_ms=100, status=302, contacts=(own(w),))
    ben = agent(w, "202", answer_ms=300)
    caller = ring(w, "201", phone=agent(w, "203"))
    w.run(2_000)
    assert told(caller) == "rejected 480" and not ben.log[-1][1].startswith("rings")
    over(w)


@pytest.mark.parametrize("contact", [
    "<sip:202@192.0.2.9>", "<sip:elsewhere@10.0.0.1>", "<mailto:a@b>", "<sip:7777777@{own}>", "<sip:201@{own}>", "*",
])
def test_only_numbers_of_ours_and_no_circles(contact: str) -> None:
    w = world(following("201"))
    host = w.switch.room.listeners[0].host
    agent(w, "201", answer_ms=100, status=302, contacts=(contact.format(own=host),))
    ben = agent(w, "202", answer_ms=300)
    caller = ring(w, "201", phone=agent(w, "203"))
    w.run(3_000)
    assert told(caller) == "rejected 480" and not ben.sessions and not wire(w, "INVITE sip:7777777")
    over(w)


def test_two_who_forward_to_each_other_end() -> None:
    w = world(following("201", "202"))
    host = w.switch.room.listeners[0].host
    agent(w, "201", answer_ms=100, status=302, contacts=(f"<sip:202@{host}>",))
    agent(w, "202", answer_ms=100, status=302, contacts=(f"<sip:201@{host}>",))
    caller = ring(w, "201", phone=agent(w, "203"))
    w.run(5_000)
    assert told(caller) == "rejected 480"
    assert len(w.all("dial.started")) <= 3
    over(w)


def test_at_most_three_contacts() -> None:
    w = world(following("201"))
    host = w.switch.room.listeners[0].host
    contacts = tuple(f"<sip:{number}@{host}>" for number in ("202", "9123", "9124", "203"))
    agent(w, "201", answer_ms=100, status=300, contacts=contacts)
    ben, cho = agent(w, "202", answer_ms=-1), agent(w, "203", answer_ms=-1)
    caller = ring(w, "201", phone=agent(w, "205"))
    w.run(1_000)
    assert ben.sessions and not cho.sessions and len(wire(w, "INVITE sip:+49")) >= 2
    assert [event.data["target"] for event in w.all("dial.started")] == ["agent 201", "agent 202", "+49123", "+49124"]
    caller.hang_up(w.now_ms)
    over(w)


def test_a_queues_offer_follows_its_agent_outside() -> None:
    w = world(following("201"))
    host = w.switch.room.listeners[0].host
    carrier = w.phone("carrier", host="192.0.2.1", password="")
    agent(w, "201", answer_ms=100, status=302, contacts=(f"<sip:9555@{host}>",))
    caller = ring(w, "700")
    assert w.run_until(lambda: bool(carrier.up()) and w.hears(caller).startswith("row"), 5_000)
    assert w.state("201") == "talking" and w.last("queue.connected").data["agent"] == "default/201"
    caller.hang_up(w.now_ms)
    over(w)


@pytest.mark.parametrize("may", [True, False])
def test_a_trunks_3xx(may: bool) -> None:
    """Its own host names another number: dialled by the tenant's rules, when the trunk may forward."""
    trunks = {**SITE.trunks, "carrier": msgspec.structs.replace(SITE.trunks["carrier"], forward=may)}
    w = world(msgspec.structs.replace(SITE, trunks=trunks, version="carrier"))
    carrier = w.phone("carrier", host="192.0.2.1", password="")
    carrier.habit = msgspec.structs.replace(
        carrier.habit, answer_ms=100, status=302, contacts=("<sip:0044@192.0.2.1>",)
    )
    gateway = w.phone("gateway", host="198.51.100.7", password="")
    caller = ring(w, "9123", phone=agent(w, "201"))
    w.run(2_000)
    assert bool(gateway.up()) == may == bool(caller.up())
    caller.hang_up(w.now_ms)
    over(w)


def test_a_queues_offer_is_not_handed_to_a_colleague() -> None:
    w = world(following("201"))
    agent(w, "201", answer_ms=100, status=302, contacts=(own(w),))
    ben = agent(w, "202", login=False, answer_ms=100)
    caller = ring(w, "700")
    w.run(3_000)
    assert not ben.sessions and w.last("queue.offer_ended").data["agent"] == "default/201"
    caller.hang_up(w.now_ms)
    over(w)


def limited() -> Site:
    """201 forwards; one call outside, of whomever; calls there cost 0.60 a minute."""
    found = following("201")
    front = msgspec.structs.replace(found.tenants["default"], rates=(("+.", 600),))
    rule = FraudRule("all", ("+.",), total=Threshold(0, 1))
    return msgspec.structs.replace(found, tenants={**found.tenants, "default": front}, fraud=(rule,))


@pytest.mark.parametrize("dialled", ["201", "700"])
def test_who_forwards_outside_pays_for_it_whoever_calls(dialled: str) -> None:
    """By a direct call, and by a queue's offer: the second is one too many, though another caller's."""
    w = world(limited(), law9=True)
    carrier = w.phone("carrier", host="192.0.2.1", password="")
    agent(w, "201", answer_ms=100, status=302, contacts=(f"<sip:9555@{w.switch.room.listeners[0].host}>",))
    one, other = (
        (agent(w, user, login=False) if dialled == "201" else w.phone(f"555{user}", password=""))
        for user in ("202", "203")
    )  # fmt: skip
    ring(w, dialled, phone=one)
    assert w.run_until(lambda: bool(carrier.up()), 5_000)
    (row,) = fraud.rows(w.switch.room)
    assert (row["caller"], row["number"], row["at_once"]) == ("default/201", "+49555", 1)
    w.run(1_000)
    one.hang_up(w.now_ms)
    w.run(8_000)
    assert w.switch.room.fraud["all|default/201"].legs == []
    assert (w.last("dial.cost").data["agent"], w.last("dial.cost").data["number"]) == ("default/201", "+49555")
    ring(w, dialled, phone=other)
    w.run(5_000)
    assert not carrier.up() and w.last("fraud.stopped").data["caller"] == "default/201"
    other.hang_up(w.now_ms)
    over(w)


def test_a_number_that_his_class_refuses_is_not_forwarded_to_either() -> None:
    found = following("201")
    served = ServiceClass("default", refuse=("+49555.",))
    front = msgspec.structs.replace(found.tenants["default"], classes={"default": served})
    w = world(msgspec.structs.replace(found, tenants={**found.tenants, "default": front}))
    carrier = w.phone("carrier", host="192.0.2.1", password="")
    agent(w, "201", answer_ms=100, status=302, contacts=(f"<sip:95551@{w.switch.room.listeners[0].host}>",))
    caller = ring(w, "700")
    w.run(5_000)
    assert not carrier.got and w.last("dial.refused").data["agent"] == "default/201"
    caller.hang_up(w.now_ms)
    over(w)

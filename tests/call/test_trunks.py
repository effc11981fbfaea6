"""Trunks: their order, their limits, whose call it is."""

from __future__ import annotations

from collections import Counter

import msgspec

from engine.call import trunks
from engine.dialplan.model import OutboundRule, TrunkModel
from engine.dialplan.trunk_model import Route
from engine.sip.locating import Place
from tests.call.calls import agent, ring, told, world
from tests.call.carriers import ENROL, A, B, C, carrier, edited, gateway, invites, secrets, site


def test_shares_by_weight_and_spares_behind() -> None:
    w = world(site(Route("a", 1, 3), Route("b", 1, 1), Route("c", 2)))
    room = w.switch.room
    rule = room.sites[room.site].outbound[0]
    first: Counter[str] = Counter()
    for _ in range(400):
        order = trunks.in_order(room, rule)
        assert order[-1] == "c" and sorted(order[:2]) == ["a", "b"]
        first[order[0]] += 1
    assert 0.6 < first["a"] / 400 < 0.85
    assert trunks.in_order(room, OutboundRule("default", "1.", "a")) == ["a"]


def test_a_full_trunk_gives_the_call_to_the_next_and_counts_it() -> None:
    w = world(edited(site(), "a", calls_max=1))
    first, second = gateway(w, A, answer_ms=100), gateway(w, B, answer_ms=100)
    ana, ben = agent(w, "201"), agent(w, "202")
    ring(w, "8111", phone=ana)
    w.run(500)
    ring(w, "8222", phone=ben)
    w.run(500)
    assert len(invites(first)) == len(invites(second)) == 1 and ben.up()
    assert w.switch.room.trunk_rows["a"].limited == 1
    assert w.last("engine.limit").data["name"] == "trunk.a.calls_max"


def test_no_more_calls_a_second_than_the_carrier_allows() -> None:
    w = world(site(Route("a"), calls_per_second=2))
    gateway(w, A, answer_ms=100)
    people = [agent(w, user) for user in ("201", "202", "203")]
    for number, each in enumerate(people):
        ring(w, f"855{number}", phone=each)
    w.run(400)
    assert [bool(each.up()) for each in people] == [True, True, False]
    assert told(people[2]) == "rejected 486"
    assert w.last("engine.limit").data["name"] == "trunk.a.calls_per_second"
    w.run(700)
    ring(w, "8559", phone=people[2])
    w.run(400)
    assert people[2].up()


def test_a_call_that_moves_respects_the_next_trunks_limits_too() -> None:
    w = world(edited(edited(site(), "b", calls_per_second=1), "a", calls_max=0))
    gateway(w, A, status=503, answer_ms=0)
    second, third = gateway(w, B, answer_ms=100), gateway(w, C, answer_ms=100)
    ana, ben = agent(w, "201"), agent(w, "202")
    ring(w, "8111", phone=ana)
    ring(w, "8222", phone=ben)
    w.run(800)
    assert len(invites(second)) == len(invites(third)) == 1


def test_all_addresses_of_a_trunk_come_before_the_next_trunk() -> None:
    w = world(edited(site(), "a", host="carrier.test", find="naptr"))
    w.names["carrier.test"] = (Place(A, 5060, "udp", 1, 0), Place(C, 5070, "udp", 2, 0))
    w.load(edited(w.site, "a", host="carrier.test", find="srv"))
    gateway(w, A, status=503, answer_ms=0)
    other = w.phone("c", host=C, port=5070, password="")
    ana = agent(w, "201")
    ring(w, "8555", phone=ana)
    w.run(1_500)
    assert invites(other) == ["sip:555@carrier.test"]  # RFC 3263 §4: the domain stays the Request-URI
    assert w.last("dial.moved").data["to"] == "a"


def test_a_call_from_an_address_of_its_name_is_the_trunks() -> None:
    w = world(site())
    w.names["carrier.test"] = (Place(A, 5060, "udp"),)
    w.load(edited(w.site, "a", host="carrier.test", find="naptr"))
    caller = gateway(w, A)
    ring(w, "600", phone=caller)  # a number that isn't public
    w.run(500)
    assert w.last("call.started").data["trunk"] == "a"


def test_a_call_to_the_registered_contact_is_the_trunks_wherever_it_comes_from() -> None:
    w = world(site(version="enrolled"))
    registrar = carrier(w)
    w.load(edited(w.site, "a", enrol=ENROL, user="4412"))
    secrets(w)
    assert w.run_until(lambda: bool(registrar.contact), 2_000)
    elsewhere = w.phone("x", host="203.0.113.9", password="")
    line = registrar.contact.partition(";line=")[2]
    elsewhere.domain = f"10.0.0.1;line={line}"
    ring(w, "600", phone=elsewhere)
    w.run(500)
    assert w.last("call.started").data["trunk"] == "a" and w.last("call.started").data["dialled"] == "600"
    elsewhere.domain = f"10.0.0.1;line={line[:-1]}0"
    ring(w, "600", phone=elsewhere)
    w.run(500)
    assert len(w.all("call.started")) == 1 + (line[-1] == "0")


def test_states_in_words() -> None:
    model = TrunkModel("a", host=A)
    row = trunks.TrunkRow(1, "a", "")
    assert trunks.state(row, model, 0) == "unknown"
    row.detail = "no such name"
    assert trunks.state(row, model, 0) == "unresolved"
    row.hops = [trunks.Hop(Place(A, 5060, "udp"), round_trip_ms=1)]
    assert trunks.state(row, model, 0) == "up"
    row.hops[0].rests_until_ms = 10
    assert trunks.state(row, model, 5) == "down" and trunks.state(row, model, 10) == "up"
    assert trunks.state(row, msgspec.structs.replace(model, host=""), 0) == "unknown"

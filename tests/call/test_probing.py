"""Probes find a dead trunk within their time and bring it back; names are looked up again."""

from __future__ import annotations

import pytest

from engine.call import probing
from engine.call.effects import Resolved
from engine.dialplan.trunk_model import ProbeModel
from engine.sim.world import World
from engine.sip.locating import Place
from tests.call.calls import agent, ring, world
from tests.call.carriers import PROBE, A, B, edited, gateway, invites, site


def states(w: World, trunk: str = "a") -> list[object]:
    return [e.data["state"] for e in w.all("trunk.state") if e.data["trunk"] == trunk]


@pytest.mark.parametrize("probe", [ProbeModel(2_000, 1), PROBE, ProbeModel(30_000, 3), ProbeModel(4_000, 10)])
def test_the_worst_moment_to_die_is_still_found_in_time(probe: ProbeModel) -> None:
    assert probing.every_ms(probe) + probe.bad * probing.answer_ms(probe) <= probe.within_ms


@pytest.mark.parametrize("after_ms", [0, 1_300, 2_600, 4_900])
def test_a_dead_trunk_is_passed_by_within_its_time(after_ms: int) -> None:
    w = world(site(probe=PROBE))
    gateway(w, A, answer_ms=100)
    good = gateway(w, B, answer_ms=100)
    ana = agent(w, "201")
    w.run(11_000 + after_ms)
    assert states(w) == ["up"]
    w.network.dark[A] = True
    died = w.now_ms
    assert w.run_until(lambda: states(w)[-1] == "down", 20_000)
    assert w.now_ms - died <= PROBE.within_ms
    began = w.now_ms
    ring(w, "8555", phone=ana)
    assert w.run_until(lambda: bool(invites(good)), 1_000) and w.now_ms - began < 200
    assert not w.all("dial.moved")


def test_it_comes_back_after_so_many_good_answers_and_not_before() -> None:
    w = world(site(probe=PROBE))
    first = gateway(w, A, answer_ms=100)
    gateway(w, B, answer_ms=100)
    w.network.dark[A] = True
    w.run(12_000)
    assert states(w) == ["down"]
    w.network.dark.pop(A)
    before = len([data for data in first.got if data.startswith(b"OPTIONS")])
    assert w.run_until(lambda: states(w)[-1] == "up", 10_000)
    assert len([data for data in first.got if data.startswith(b"OPTIONS")]) - before == PROBE.good
    ana = agent(w, "201")
    ring(w, "8555", phone=ana)
    w.run(500)
    assert invites(first)


def test_a_call_that_has_not_rung_leaves_a_trunk_that_dies_under_it() -> None:
    """It has said 100, so the INVITE's own time doesn't run: the probe saves it."""
    w = world(site(probe=ProbeModel(4_000)))
    first = gateway(w, A, answer_ms=-1, ring=False)
    good = gateway(w, B, answer_ms=100)
    ana = agent(w, "201")
    w.run(5_000)
    ring(w, "8555", phone=ana)
    assert w.run_until(lambda: bool(first.sessions), 1_000)
    w.run(50)
    w.network.dark[A] = True
    began = w.now_ms
    assert w.run_until(lambda: bool(good.up()), 6_000) and w.now_ms - began <= 4_000 + 200
    assert w.last("dial.moved").data["to"] == "b"


def test_when_all_are_down_a_caller_is_still_tried() -> None:
    w = world(site(probe=PROBE))
    w.network.dark[A] = True
    first = gateway(w, A, answer_ms=100)
    ana = agent(w, "201")
    w.run(15_000)
    assert states(w) == states(w, "c") == ["down"]
    w.network.dark.pop(A)
    ring(w, "8555", phone=ana)
    assert w.run_until(lambda: bool(first.up()), 5_000)


def test_503_to_a_probe_is_no_calls_please() -> None:
    w = world(site(probe=PROBE))
    w.run(100)
    room = w.switch.room
    row = room.trunk_rows["a"]
    from engine.sip.events import Qualified

    for _ in range(PROBE.bad):
        probing.qualified(room, Qualified(f"{probing.TOKEN}/{row.id}/0/{A}", True, 5, 503), room.now_ms)
    assert trunks_state(w) == "down"
    for _ in range(PROBE.good):
        probing.qualified(room, Qualified(f"{probing.TOKEN}/{row.id}/0/{A}", True, 5, 404), room.now_ms)
    assert trunks_state(w) == "up"
    probing.qualified(room, Qualified(f"{probing.TOKEN}/{row.id}/9/{A}", False, -1), room.now_ms)
    probing.qualified(room, Qualified(f"{probing.TOKEN}/99/0/{A}", False, -1), room.now_ms)


def trunks_state(w: World) -> str:
    from engine.call import trunks

    room = w.switch.room
    return trunks.state(room.trunk_rows["a"], room.sites[room.site].trunks["a"], room.now_ms)


# --- names ------------------------------------------------------------------------------------------------------------
def test_a_name_is_looked_up_again_when_its_time_is_over_and_what_stays_keeps_its_state() -> None:
    w = world(site())
    w.names["carrier.test"] = (Place(A, 5060, "udp"), Place(B, 5060, "udp"))
    w.load(edited(w.site, "a", host="carrier.test", find="naptr", probe=PROBE))
    gateway(w, A)
    w.run(15_000)
    row = w.switch.room.trunk_rows["a"]
    assert [hop.down for hop in row.hops] == [False, True]
    w.names["carrier.test"] = (Place(B, 5060, "udp"), Place("192.0.2.99", 5060, "udp"))
    w.run(60_000)
    assert [hop.place.host for hop in row.hops] == [B, "192.0.2.99"] and row.hops[0].down


def test_a_name_that_nobody_answers_for_keeps_what_was_known() -> None:
    w = world(site())
    w.names["carrier.test"] = (Place(A, 5060, "udp"),)
    w.load(edited(w.site, "a", host="carrier.test", find="naptr"))
    w.run(100)
    room = w.switch.room
    row = room.trunk_rows["a"]
    w.give(Resolved(row.id, "carrier.test", (), 0, "the DNS doesn't answer"))
    assert [hop.place.host for hop in row.hops] == [A] and trunks_state(w) != "unresolved"
    w.give(Resolved(row.id, "other.test", (Place(B, 1, "udp"),)))  # of an earlier site
    w.give(Resolved(99, "carrier.test", (Place(B, 1, "udp"),)))
    assert [hop.place.host for hop in row.hops] == [A]


def test_a_name_that_leads_nowhere_is_said_once_and_the_next_trunk_is_taken() -> None:
    w = world(site())
    w.names["nowhere.test"] = ()
    w.load(edited(w.site, "a", host="nowhere.test", find="naptr"))
    good = gateway(w, B, answer_ms=100)
    ana = agent(w, "201")
    w.run(100_000)
    assert states(w) == ["unresolved"]
    assert len([line for line in w.logs if "nowhere.test" in line.text or "is unresolved" in line.text]) == 1
    ring(w, "8555", phone=ana)
    w.run(500)
    assert good.up() and not w.all("dial.moved")


def test_a_reload_keeps_what_has_not_changed_and_forgets_what_has_gone() -> None:
    base = site(probe=PROBE)
    w = world(base)
    w.network.dark[A] = True
    w.run(15_000)
    w.load(edited(base, "b", host="192.0.2.77"))
    rows = w.switch.room.trunk_rows
    assert rows["a"].hops[0].down and rows["b"].hops[0].place.host == "192.0.2.77"
    w.load(edited(base, "a", probe=None))
    assert not rows["a"].hops[0].down and w.switch.room.deadlines.at(("trunk_probe", rows["a"].id)) is None
    from tests.call.calls import SITE

    w.load(SITE)
    assert sorted(rows) == sorted(SITE.trunks)

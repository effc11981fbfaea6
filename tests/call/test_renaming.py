"""A queue under a new name: callers, agents, figures and levers follow, at a reload and over a restart."""

from __future__ import annotations

import msgspec

from engine.call.effects import LeverStates, Resumed, SiteLoaded
from engine.call.levers import Lever
from engine.dialplan.model import Site
from engine.sim.world import World
from engine.switch import Switch
from tests.call.calls import agent, over, ring, talk, world
from tests.call.waits import AGENTS, QUEUES, WAITS, waits_site

RENAMED_QUEUES = QUEUES.replace("first:\n", "front:\n  was: first\n")
RENAMED_AGENTS = AGENTS.replace("[first,", "[front,")
RENAMED_WAITS = WAITS.replace("{name: first,", "{name: front,")


def renamed() -> Site:
    return waits_site(queues=RENAMED_QUEUES, agents=RENAMED_AGENTS, waits=RENAMED_WAITS)


def load(w: World, site: Site) -> None:
    w.media.load(site)
    w.give(SiteLoaded(site.version, msgspec.msgpack.encode(site)))


def rows(w: World) -> dict[str, dict[str, object]]:
    return {str(row["name"]): row for row in w.switch.room.acd.snapshot_queues(w.now_ms)}


def test_who_waits_keeps_his_place_and_is_served_under_the_new_name() -> None:
    w = world(waits_site(), law9=True)
    first, second = ring(w, "750"), ring(w, "750", "5550002")
    w.run(5_000)
    load(w, renamed())
    assert w.last("queue.renamed").data == {"queue": "default/front", "was": "default/first"}
    w.run(1_000)
    late = ring(w, "750", "5550003")
    w.run(200)
    assert [call.queue for call in w.switch.room.calls.values()] == ["default/front"] * 3
    assert w.last("queue.joined").data["position"] == 3
    row = rows(w)["default/front"]
    assert row["offered"] == 3 and row["waiting"] == 3 and "default/first" not in rows(w)
    ana = agent(w, "201", answer_ms=300)
    assert w.run_until(lambda: bool(ana.up()), 5_000)
    w.run(200)
    assert w.last("queue.connected").data["queue"] == "default/front" and w.hears(first).startswith("row")
    for caller in (first, second, late):
        caller.hang_up(w.now_ms)
    over(w)


def test_calls_of_the_old_site_that_join_later_come_into_the_new_queue() -> None:
    menu = WAITS.replace("    - queue: {name: first", "    - silence: 5s\n    - queue: {name: first")
    w = world(waits_site(waits=menu), law9=True)
    caller = ring(w, "750")
    w.run(1_000)
    load(w, renamed())
    w.run(5_000)
    assert w.last("queue.joined").data["queue"] == "default/front" and w.hears(caller) == "music/default"


def test_a_closed_queue_stays_closed_and_says_so_under_its_new_name() -> None:
    w = world(waits_site())
    w.operate("queue.close", queue="first")
    load(w, renamed())
    caller = ring(w, "750")
    w.run(200)
    assert w.hears(caller) == "en/goodbye"
    switches = [(e.data["name"], e.data["state"]) for e in w.all("operator.switch")]
    assert switches == [("default/first", "closed"), ("default/first", "default"), ("default/front", "closed")]
    assert w.operate("queue.open", queue="front").ok


def test_levers_kept_over_a_restart_follow_too() -> None:
    """The runtime gives them back by the old name before the new site is there."""
    fresh = Switch(b"key", boot="b", seed=1)
    fresh.handle(LeverStates([Lever("queue", "default/first", "closed", "ops", 1)]), 0)
    site = renamed()
    fresh.handle(SiteLoaded(site.version, msgspec.msgpack.encode(site)), 1)
    assert list(fresh.room.levers) == ["queue/default/front"]
    assert fresh.room.levers["queue/default/front"].name == "default/front"


def test_the_same_site_again_and_a_second_reload_change_nothing() -> None:
    w = world(waits_site())
    ring(w, "750")
    w.run(1_000)
    for _ in range(2):
        load(w, renamed())
        w.run(100)
    assert len(w.all("queue.renamed")) == 1 and rows(w)["default/front"]["waiting"] == 1


def test_logins_reasons_and_closed_queues_outlive_a_reload_and_a_restart() -> None:
    w = world(waits_site())
    agent(w, "201", answer_ms=-1)
    agent(w, "202", answer_ms=-1)
    w.operate("agent.not_ready", agent="202", reason="lunch")
    w.operate("queue.close", queue="third")
    before = [(row.key, row.state, row.reason) for row in w.switch.room.agents.values()]
    load(w, msgspec.structs.replace(waits_site(), version="again"))
    assert [(row.key, row.state, row.reason) for row in w.switch.room.agents.values()] == before
    w.switch = Switch.decode(w.switch.encode())
    w.give(Resumed(2_000, "restart", 600_000))
    assert [(row.key, row.state, row.reason) for row in w.switch.room.agents.values()] == before
    assert "queue/default/third" in w.switch.room.levers
    assert ("default/202", "not_ready", "lunch") in before and ("default/201", "ready", "") in [
        (key, state, "") for key, state, _ in before
    ]


def test_a_conversation_goes_on_and_is_recorded_under_the_new_name() -> None:
    w = world(waits_site())
    caller, ana = talk(w, "750")
    load(w, renamed())
    w.run(2_000)
    assert w.hears(caller).startswith("row")
    ana.hang_up(w.now_ms)
    w.run(200)
    assert w.last("queue.completed").data["queue"] == "default/front"
    assert w.hears(caller) == "en/thank_you"  # his dialplan is the old version's

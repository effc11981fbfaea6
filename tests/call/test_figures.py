"""Figures for machines agree with what the room holds, and reading them changes nothing."""

from __future__ import annotations

from engine.call import figures
from tests.call.calls import SITE, agent, changed, ring, talk, world


def test_totals_count_what_is_there() -> None:
    w = world()
    talk(w)
    ring(w, "740", "5550000")
    w.run(1_000)
    found = figures.totals(w.switch.room)
    assert found["calls"] == {"queue": 1, "talking": 1} and found["legs"] == 3 and found["sessions"] == 3
    assert found["agents"]["talking"] == 1 and sum(found["agents"].values()) == len(SITE.agents)
    assert found["bindings"] == 1 and not found["full"] and not found["draining"]


def test_queues_by_slices_are_the_snapshots() -> None:
    w = world()
    talk(w)
    agent(w, "202", answer_ms=-1)
    for number in range(3):
        ring(w, "700", f"555000{number}")
        w.run(1_000)
    room = w.switch.room
    before = w.switch.encode()
    whole = figures.queues(room, 0, 1_000, w.now_ms)
    sliced = [row for first in range(0, room.acd.queue_rows(), 2) for row in figures.queues(room, first, 2, w.now_ms)]
    assert whole == sliced and w.switch.encode() == before
    snapshots = {row["name"].rpartition("/")[2]: row for row in room.acd.snapshot_queues(w.now_ms)}
    for row in whole:
        known = snapshots[row["queue"]]
        same = ("waiting", "alerting", "connected", "longest_wait_ms", "offered", "answered", "abandoned", "timed_out",
                "left", "refused_full", "refused_no_agents", "missed", "talked_ms")
        assert {key: row[key] for key in same} == {key: known[key] for key in same}
        for state in ("ready", "talking", "alerting"):
            assert row[f"agents_{state}"] == sum(each["state"] == state for each in known["on_duty"])
    support = next(row for row in whole if row["queue"] == "support")
    assert (support["waiting"], support["alerting"], support["connected"]) == (2, 1, 1)
    assert support["longest_wait_ms"] == 3_000 or 2_900 < support["longest_wait_ms"] < 3_100


def test_a_full_trunk_is_counted_by_name() -> None:
    trunk = next(iter(SITE.trunks))
    w = world(changed(SITE, trunk, calls_max=1))
    gateway = w.phone("5551111", host=SITE.trunks[trunk].host, password="")
    gateway.call("9196", w.now_ms)
    w.run(500)
    assert figures.trunks(w.switch.room)[trunk] == (1, 1)
    gateway.call("9196", w.now_ms)
    w.run(500)
    assert w.last("engine.limit").data == {"name": f"trunk.{trunk}.calls_max", "value": 1}
    w.run(100)
    gateway.hang_up(w.now_ms)
    w.run(2_000)
    assert figures.trunks(w.switch.room)[trunk] == (0, 1)
    assert w.last("call.quality").data["trunk"] == trunk

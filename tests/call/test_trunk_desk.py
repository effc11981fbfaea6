"""What operators read of the trunks: state, registration, what is wrong in one line each."""

from __future__ import annotations

import json

from engine.call import trunk_desk
from engine.cli.status import lines
from tests.call.calls import SITE, world
from tests.call.carriers import ENROL, PROBE, A, carrier, edited, secrets, site


def test_a_sound_trunk_and_a_dead_one() -> None:
    w = world(SITE)
    carrier(w)
    w.load(edited(site(probe=PROBE), "a", enrol=ENROL, user="4412"))
    secrets(w)
    w.run(15_000)
    rows = {row["trunk"]: row for row in json.loads(w.operate("trunks").data)}
    assert rows["a"]["state"] == "up" and rows["a"]["registration"]["state"] == "registered"
    assert 500 < rows["a"]["registration"]["left_s"] < 600
    assert rows["a"]["addresses"][0]["usable"] and rows["a"]["addresses"][0]["round_trip_ms"] >= 0
    assert rows["b"]["state"] == "down" and rows["b"]["registration"] is None
    assert rows["carrier"]["state"] == "unknown" and not rows["carrier"]["probed"]
    assert "right" not in json.dumps(rows) and "4412" not in json.dumps(rows)
    status = json.loads(w.operate("status").data)
    assert status["trunk_troubles"] == [
        "trunk b is down: udp:192.0.2.112:5060 doesn't answer", "trunk c is down: udp:192.0.2.113:5060 doesn't answer",
    ]  # fmt: skip


def test_a_refused_registration_says_what_to_do_and_when_it_is_tried_again() -> None:
    w = world(SITE)
    carrier(w).status = 403
    w.load(edited(site(), "a", enrol=ENROL, user="4412"))
    secrets(w)
    w.run(1_000)
    (text,) = json.loads(w.operate("status").data)["trunk_troubles"]
    assert text.startswith("trunk a is not registered: refused (403") and "check user: and password" in text
    assert "; next try in " in text and A not in text


def test_status_shows_them() -> None:
    storage = {"state": "ok", "detail": "", "written": 0, "spooled": 0, "lost": 0}
    runtime = {
        "storage": storage, "journal": {"failed": "", "bytes": 0}, "inputs": 0, "loop_lag_mean_ms": 0,
        "loop_lag_max_ms": 0, "cpu_s": 0, "memory_kib_max": 0, "datagrams_in": 0, "datagrams_out": 0,
        "datagrams_dropped": 0, "tcp_flows": 0, "send_failures": {}, "media": {}, "faults": 0,
    }  # fmt: skip
    found = {
        "version": "1", "boot": "b", "up_s": 1, "addresses": [], "site": {"folder": "x", "version": "v"},
        "runtime": runtime, "draining": False, "switch": {"trunk_troubles": ["trunk a is down: x"]},
    }  # fmt: skip
    assert "TRUNK    trunk a is down: x" in lines(found)


def test_a_name_that_leads_nowhere_and_a_room_without_a_site() -> None:
    w = world(SITE)
    w.names["nowhere.test"] = ()
    w.load(edited(site(), "a", host="nowhere.test", find="naptr"))
    w.run(100)
    assert trunk_desk.troubles(trunk_desk.rows(w.switch.room)) == ["trunk a is unresolved: no such name"]
    w.switch.room.site = ""
    assert trunk_desk.rows(w.switch.room) == []

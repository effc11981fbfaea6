"""Rows of the engine as cells, and the filter."""

from __future__ import annotations

from engine.console import tables
from tests.console.test_wallboard import one

CALL = {"call": "bako-0", "caller": "", "dialled": "100", "seconds": 75, "phase": "script", "with": "", "path": "main"}


def test_a_call_says_what_it_does() -> None:
    assert tables.call(CALL) == ("bako-0", ("bako-0", "anonymous", "100", "1:15", "in the dialplan", "main"))
    assert (
        tables.call({**CALL, "phase": "queue", "queue": "default/support", "position": 2})[1][4]
        == "waits in support as no. 2"
    )
    assert tables.call({**CALL, "phase": "talking", "with": "agent 201"})[1][4] == "talks with agent 201"
    assert tables.call({**CALL, "phase": "whisper", "with": "agent 201"})[1][4] == "whisper with agent 201"


def test_queues_agents_and_trunks() -> None:
    key, cells = tables.queue(one(), True)
    assert key == "default/support" and cells[0] == "support CLOSED" and cells[5:] == ("12", "83 %", "8 %", "51 %")
    row = {"tenant": "chess", "agent": "201", "name": "Ana", "state": "not_ready", "reason": "lunch", "seconds": 5,
           "reachable": False, "queues": ["default/support", "chess/x"]}  # fmt: skip
    assert tables.agent(row) == (
        "chess/201",
        ("chess/201", "Ana", "not ready (lunch)", "0:05", "NO", "support chess/x"),
    )
    trunk = {"trunk": "gw", "tenant": "default", "to": "192.0.2.1:5060", "transport": "udp",
             "calls": 2, "calls_max": 30,
             "from": ["192.0.2.0/24"]}  # fmt: skip
    assert tables.trunk(trunk)[1] == ("gw", "default", "2 of 30", "unknown", "192.0.2.1:5060 udp", "192.0.2.0/24")
    assert tables.trunk({**trunk, "to": "", "calls_max": 0})[1][2:5] == ("2", "unknown", "nowhere")
    refused = {**trunk, "state": "down", "registration": {"state": "refused", "status": 403}}
    assert tables.trunk(refused)[1][3] == "DOWN, NOT REGISTERED 403"
    held = {**trunk, "state": "up", "registration": {"state": "renewed", "status": 200}}
    assert tables.trunk(held)[1][3] == "up, registered"
    box = {**trunk, "to": "", "accounts": ["attic", "loft"], "addresses": []}
    assert tables.trunk(box)[1][4] == "nobody is attic or loft"
    there = {**box, "addresses": [{"address": "udp:192.0.2.7:5060"}, {"address": "tcp:192.0.2.7:5062"}]}
    assert tables.trunk(there)[1][4] == "udp:192.0.2.7:5060 tcp:192.0.2.7:5062"


def test_every_row_has_as_many_cells_as_columns() -> None:
    assert len(tables.call(CALL)[1]) == len(tables.COLUMNS["calls"])
    assert len(tables.queue(one(), False)[1]) == len(tables.COLUMNS["queues"])


def test_the_filter_wants_every_word_somewhere() -> None:
    rows = [("1", ("Ana", "ready")), ("2", ("Ben", "Ready")), ("3", ("ana", "talking"))]
    assert [key for key, _ in tables.matching(rows, "ana READY")] == ["1"]
    assert [key for key, _ in tables.matching(rows, " ")] == ["1", "2", "3"]

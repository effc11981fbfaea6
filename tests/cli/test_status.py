"""`ringdown status` in words."""

from __future__ import annotations

from typing import Any

from engine.cli.status import lines

FOUND: dict[str, Any] = {
    "version": "0.1.0",
    "boot": "b1",
    "node": "a",
    "up_s": 12,
    "addresses": ["udp:127.0.0.1:5060"],
    "draining": True,
    "site": {"folder": "/s", "version": "abcdef0123456789"},
    "switch": {"calls": 3, "waiting": 1, "agents_ready": 2, "sessions": 6, "refused": {"parse": 4}},
    "runtime": {
        "cpu_s": 1.5,
        "memory_kib_max": 204_800,
        "loop_lag_max_ms": 3.0,
        "loop_lag_mean_ms": 0.1,
        "inputs": 99,
        "faults": 1,
        "datagrams_in": 5,
        "datagrams_out": 6,
        "datagrams_dropped": 0,
        "send_failures": {},
        "tcp_flows": 2,
        "storage": {"state": "spooling", "detail": "locked", "spooled": 7, "written": 70, "lost": 0},
        "journal": {"file": "j", "bytes": 4_096, "failed": ""},
        "media": {"legs": 4},
    },
}


def test_everything_that_matters_is_said() -> None:
    text = "\n".join(lines(FOUND))
    for part in (
        "DRAINING",
        "3 up, 1 waiting, 2 agents ready",
        "spooling locked",
        "7 waiting",
        "abcdef012345",
        "200 MiB",
        "parse 4",
        "FAULTS   1",
        "legs 4",
        "2 TCP connections",
        "4 KiB",
    ):
        assert part in text, part


def test_a_quiet_engine_says_less() -> None:
    quiet = FOUND | {"switch": {"error": "no answer"}, "runtime": FOUND["runtime"] | {"faults": 0}, "draining": False}
    text = "\n".join(lines(quiet))
    assert "FAULTS" not in text and "refused" not in text and "DRAINING" not in text


def test_every_switch_off_its_default_with_author_times_and_undo() -> None:
    switches = [
        {"switch": "queue", "name": "default/support", "state": "closed", "author": "ann",
         "since_ms": 1_700_000_000_000, "until_ms": 1_700_003_600_000, "reason": "",
         "undo": "ringdown queue default/support open"},
        {"switch": "agent", "name": "default/201", "state": "not_ready", "author": "ben", "since_ms": 1_700_000_000_000,
         "until_ms": 0, "reason": "lunch", "undo": "ringdown agent default/201 ready"},
    ]  # fmt: skip
    found = FOUND | {
        "switch": FOUND["switch"] | {"switches": switches},
        "drained_by": {"author": "eve", "since_ms": 1_700_000_000_000},
    }
    text = [line for line in lines(found) if line.startswith("switch ")]
    assert len(text) == 3 and "engine drains: by eve since 2023-11-1" in text[0]
    assert "queue default/support closed: by ann since" in text[1] and " until " in text[1]
    assert "agent default/201 not ready (lunch): by ben" in text[2] and " until " not in text[2]
    assert text[2].endswith("(undo: ringdown agent default/201 ready)")
    assert "switch   engine drains: by signal" in "\n".join(lines(FOUND))


def test_a_share_and_a_bus_are_said() -> None:
    share = {"version": "b" * 20, "share": "5%", "author": "ann", "until_ms": 1_900_000_000_000, "guard": "faults<=1%",
             "judged": "faults 0.0% of 7, the others 0.0% of 93, at most 1.0%"}  # fmt: skip
    text = "\n".join(lines(FOUND | {"share": share, "bus": {"state": "down", "detail": "refused"}}))
    assert "share    5% of new calls on bbbbbbbbbbbb by ann until " in text and "of 93, at most 1.0%" in text
    assert "(undo: ringdown rollback)" in text and "bus      down refused" in text
    assert "bus" not in "\n".join(lines(FOUND | {"bus": {"state": "none", "detail": ""}}))

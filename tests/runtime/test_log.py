"""One line a fact, and a flood becomes one line with a number."""

from __future__ import annotations

import io
import json

from engine import limits
from engine.runtime.log import Log


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def make(**settings: object) -> tuple[Log, io.StringIO, Clock]:
    stream, clock = io.StringIO(), Clock()
    return Log(stream=stream, seconds=clock, **settings), stream, clock  # type: ignore[arg-type]


def test_levels() -> None:
    log, stream, _ = make(level="warning")
    log.info("quiet")
    log.debug("quieter")
    log.warning("heard", cause="x")
    log.error("heard too")
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2 and "heard" in lines[0] and "cause" in lines[0]
    assert log.counts == {"info": 1, "debug": 1, "warning": 1, "error": 1}


def test_a_flood_is_held_back_and_counted() -> None:
    log, stream, clock = make()
    for _ in range(500):
        log.warning("bad packet from 192.0.2.1", "bad packet")
    log.warning("another fact", "other")
    assert len(stream.getvalue().splitlines()) == limits.log_lines_per_second_max + 1
    clock.now += 1
    log.info("later")
    last_but_one = stream.getvalue().splitlines()[-2]
    assert f"{500 - limits.log_lines_per_second_max} lines held back" in last_but_one and "bad packet" in last_but_one
    assert log.held_back == 500 - limits.log_lines_per_second_max


def test_many_different_keys_are_a_flood_as_well() -> None:
    log, stream, _ = make()
    for number in range(5_000):
        log.warning("x", f"key {number}")
    assert len(stream.getvalue().splitlines()) <= 1_100


def test_json_lines() -> None:
    log, stream, _ = make(as_json=True)
    log.info("started", calls=0)
    line = json.loads(stream.getvalue())
    assert (line["event"], line["calls"], line["level"]) == ("started", 0, "info")


def test_a_closed_stderr_is_survived() -> None:
    log, stream, _ = make()
    stream.close()
    log.error("nobody reads this")

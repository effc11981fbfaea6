"""One line a fact, and a flood becomes one line with a number."""

from __future__ import annotations

import io
import json

import pytest

from engine import limits
from engine.runtime.log import Log, clock_jump


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
    assert len(stream.getvalue().splitlines()) == limits.log_lines_total_per_second_max
    assert log.held_back == 5_000 - limits.log_lines_total_per_second_max


def test_a_flood_that_is_over_is_told_without_another_line() -> None:
    log, stream, clock = make()
    for _ in range(100):
        log.warning("again", "same")
    log.tick()
    assert "held back" not in stream.getvalue()
    clock.now += 1
    log.tick()
    log.tick()
    assert stream.getvalue().count("80 lines held back in one second") == 1


@pytest.mark.parametrize("as_json", [False, True])
def test_one_fact_stays_one_line_whatever_it_holds(as_json: bool) -> None:
    log, stream, _ = make(as_json=as_json)
    hostile = "refused\r\n12:00:00 [error] all is lost\x1b[2J\x9b\u2028\x00"
    log.warning(hostile, "x", detail=hostile)
    text = stream.getvalue()
    assert len(text.splitlines()) == 1 and text.count("\n") == 1
    assert not set(text) & {"\x1b", "\x9b", "\x00", "\r", "\u2028"}
    if as_json:
        assert json.loads(text)["event"].startswith("refused\\x0d\\x0a12:00:00")


def test_a_jump_of_the_clock_names_both_times() -> None:
    now_ms, old, new = 5_000, 1_767_225_595_000, 1_767_229_195_000
    assert clock_jump(old, new, now_ms) == (
        "the wall clock jumped by +3600.0 s: it was 2026-01-01 00:00:00 UTC, it is 2026-01-01 01:00:00 UTC; "
        "no timer moves"
    )
    assert "by -3600.0 s" in clock_jump(new, old, now_ms)


def test_json_lines() -> None:
    log, stream, _ = make(as_json=True)
    log.info("started", calls=0)
    line = json.loads(stream.getvalue())
    assert (line["event"], line["calls"], line["level"]) == ("started", 0, "info")


def test_a_closed_stderr_is_survived() -> None:
    log, stream, _ = make()
    stream.close()
    log.error("nobody reads this")

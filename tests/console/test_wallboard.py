"""The wallboard fits its terminal, whatever there is to show."""

from __future__ import annotations

from typing import Any

import pytest

from engine.acd.tables import AGENT_STATES
from engine.console import wallboard
from engine.console.format import width
from engine.records.kpi_board import Board, OnDuty

AT = 1_700_000_000_000


def one(name: str = "default/support", agents: int = 2, **more: Any) -> Board:
    duty = [
        OnDuty(f"default/{200 + n}", f"王小明 {n}", "ready" if n % 2 else "not_ready", "lunch", 61)
        for n in range(agents)
    ]
    fields = {
        "queue": name, "tenant": "default", "inbound": 12, "service_level": 83.3, "service_level_patient": 90.0,
        "utilisation": 51.2, "on_duty": duty, "waiting": 3, "alerting": 1, "connected": 2, "longest_wait_ms": 42_000,
        "answered": 9, "abandoned": 1, "abandonment": 8.3, "speed_of_answer_ms": 9e3, "ready": 1, "within_ms": 20_000,
    }  # fmt: skip
    return Board(**{**fields, **more})


def test_the_five_figures_and_who_waits() -> None:
    lines = wallboard.lines([one()], [], width=80, height=24, at_ms=AT)
    row = next(line for line in lines if line.startswith("support"))
    assert row.split() == ["support", "4", "42", "s!", "2", "1", "12", "83", "%/20s", "8", "%", "51", "%"]
    heads = lines[2].split()
    assert heads == ["queue", "wait", "longest", "talk", "ready", "inbound", "service", "aband.", "util."]
    people = "\n".join(lines)
    assert "2 on duty: 1 ready, 1 not ready" in people and "200 王小明 0" in people and "not ready (lunch)" in people
    assert lines[0].endswith("4 waiting")


@pytest.mark.parametrize(("columns", "height"), [(80, 24), (60, 10), (132, 50), (40, 5)])
@pytest.mark.parametrize(("queues", "agents"), [(0, 0), (1, 0), (3, 400), (80, 3)])
def test_it_never_leaves_its_terminal(columns: int, height: int, queues: int, agents: int) -> None:
    boards = [one(f"tenant/queue-{number}-with-a-long-name", agents) for number in range(queues)]
    lines = wallboard.lines(
        boards, [boards[0].queue] if boards else [], width=columns, height=height, at_ms=AT, note="n" * 200
    )
    assert len(lines) <= height and all(width(line) <= columns for line in lines)


def test_what_is_closed_late_or_unknown_is_said_in_signs_and_words() -> None:
    lines = wallboard.lines(
        [one(longest_wait_ms=5, service_level=None)], ["default/support"], width=90, height=24, at_ms=AT
    )
    row = next(line for line in lines if "support" in line)
    assert row.startswith("closed: support") and "!" not in row and "–/20s" in row
    assert wallboard.lines([], [], width=80, height=24, at_ms=AT)[2] == "no queues"
    assert "nobody is on duty" in wallboard.lines([one(agents=0)], [], width=80, height=24, at_ms=AT)


def test_every_state_has_words() -> None:
    assert set(AGENT_STATES) - {"logged_out"} == wallboard.STATE_WORDS.keys()
    assert wallboard.state_words("not_ready", "lunch") == "not ready (lunch)"
    assert wallboard.state_words("talking", "answered") == "talking"
    assert wallboard.state_words("resting", "occupancy") == "resting (occupancy)"

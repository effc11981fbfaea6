"""The hour without a caller: every thing that must interrupt nothing, a minute of each; the table can fail."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tools import false_barge_ins as hour


@cache
def bench() -> hour.Bench:
    return hour.Bench(asked=False)


@pytest.mark.parametrize("name", list(hour.MUST))
def test_a_minute_of_it_interrupts_nothing(name: str) -> None:
    assert bench().row(name, hour.MUST[name], 1, 11)["false barge-ins"] == 0


@pytest.mark.parametrize(("name", "times"), [
    ("echo -20 dB, jumps", 0), ("two echoes", 0), ("two echoes, far jumps", 2),
])  # fmt: skip
def test_nor_do_echoes_that_are_hard(name: str, times: int) -> None:
    assert bench().row(name, hour.REPORTED[name], 1, 11)["false barge-ins"] <= times


def test_somebody_who_speaks_is_counted() -> None:
    row = bench().row("somebody", lambda chance, sent, fixed: np.roll(sent, 80_000) / 2, 1, 11)
    assert row["false barge-ins"] > 10
    assert row["must"] == "–"
    assert row["an hour, at most"] > 600


def test_a_seed_is_a_table() -> None:
    rows = [bench().row("coughs", hour.REPORTED["coughs"], 1, seed) for seed in (3, 3)]
    assert [{**row, "times real time": 0} for row in rows] == [{**rows[0], "times real time": 0}] * 2

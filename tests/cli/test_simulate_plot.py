"""Pictures of a simulation are pictures, and their absence is explained."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine.cli import simulate_plot
from engine.errors import SiteError, UsageError
from engine.sim.queueing import Run
from engine.sim.scenario import AgentPlan, Law, QueuePlan, Scenario, Source

SCENARIO = Scenario(
    (QueuePlan("busy"), QueuePlan("empty")), (AgentPlan("a", 1, ((0, 1), (1, 1))),),
    (Source(0, at_ms=(0, 1_000, 2_000), talk=Law(mean_ms=9_000.0)),),
)  # fmt: skip


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    run = Run(SCENARIO)
    run.go()
    return [run]


def test_png_and_svg(tmp_path: Path, runs: list[Run]) -> None:
    simulate_plot.draw(tmp_path / "a.png", SCENARIO, runs)
    simulate_plot.draw(tmp_path / "a.svg", SCENARIO, runs)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG\r\n")
    assert b"<svg" in (tmp_path / "a.svg").read_bytes()


def test_what_the_lines_say(runs: list[Run]) -> None:
    from matplotlib.figure import Figure

    from engine.sim.estimates import Table

    table = Table(SCENARIO, runs[0].calls)
    axes = Figure().subplots()
    simulate_plot._waits(axes, "busy", table.waited[[0, 1, 2]] / 1_000)  # 0, 8 and 16 s
    simulate_plot._length(axes, "busy", table, 0)
    above, length = (line.get_ydata() for line in axes.get_lines())
    assert above[0] == pytest.approx(2 / 3) and min(above) == pytest.approx(1 / 3)
    assert max(length) == 2 and length[-1] == 0


def test_nowhere_to_write(tmp_path: Path, runs: list[Run]) -> None:
    with pytest.raises(SiteError, match="can't write"):
        simulate_plot.draw(tmp_path / "none" / "a.png", SCENARIO, runs)


def test_without_matplotlib(tmp_path: Path, runs: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UsageError, match="extra `plots`"):
        simulate_plot.draw(tmp_path / "a.png", SCENARIO, runs)

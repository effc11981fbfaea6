"""Pictures are pictures, and their absence is explained."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine.cli import report_plot
from engine.errors import SiteError, UsageError
from engine.records.kpi import Contact, add_up
from engine.records.kpi_agents import Worked
from engine.records.report import Line, Wish

SUMS = add_up([Contact("q", "connected", 4_000), Contact("q", "abandoned", 9_000)], 20_000)
LINES = [Line(hour * 3_600_000, "default/q", SUMS, Worked({"talking": 3_600_000, "ready": 1, "logged_out": 5}))
         for hour in range(30)]


@pytest.mark.parametrize("wish", [Wish(by="queue"), Wish(by="queue", interval="hour"), Wish(by="agent")],
                         ids=["queues", "hours", "agents"])
def test_png_and_svg(tmp_path: Path, wish: Wish) -> None:
    report_plot.draw(tmp_path / "a.png", wish, LINES)
    report_plot.draw(tmp_path / "a.svg", wish, LINES)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG\r\n")
    assert b"<svg" in (tmp_path / "a.svg").read_bytes()


def test_an_empty_report_is_an_empty_picture(tmp_path: Path) -> None:
    report_plot.draw(tmp_path / "a.png", Wish(by="agent"), [])
    assert (tmp_path / "a.png").stat().st_size > 0


def test_nowhere_to_write(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="can't write"):
        report_plot.draw(tmp_path / "none" / "a.png", Wish(), LINES)


def test_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UsageError, match="extra `plots`"):
        report_plot.draw(tmp_path / "a.png", Wish(), LINES)

"""Rows for people and for spreadsheets."""

from __future__ import annotations

from engine.cli import report_text
from engine.records.kpi import Sums
from engine.records.kpi_agents import Worked
from engine.records.report import Line, Wish

LINE = Line(1_743_296_400_000, "default/q", Sums(offered=2, connected=1, in_time=1, waited_ms=4_000, waits={4: 2}),
            Worked({"not_ready": 9}, {"lunch": 9}))


def test_begin_is_local() -> None:
    hour = Wish(interval="hour", offsets=[(0, 0), (1_743_296_400_000, 3_600_000)])
    assert report_text.begin_text(hour, 1_743_296_400_000) == "2025-03-30 02:00"
    assert report_text.begin_text(hour, 1_743_292_800_000) == "2025-03-30 00:00"
    assert report_text.begin_text(Wish(interval="day"), 1_743_292_800_000) == "2025-03-30"


def test_csv_is_plain_and_runs_nothing() -> None:
    rows = report_text.rows(Wish(by="agent"), [Line(0, "=1+1/201", LINE.sums, LINE.worked)])
    head, line = report_text.as_csv(rows).splitlines()
    assert head.startswith("agent,connected,") and line.startswith("'=1+1/201,1,4000.000,") and "lunch=9" in line
    assert report_text.as_csv([]) == ""


def test_table_shows_durations_and_shares() -> None:
    wish = Wish(by="queue", interval="hour")
    text = report_text.as_table(wish, report_text.rows(wish, [LINE]),
                                [("service_level_percent", "SL %"), ("speed_of_answer_ms", "ASA")])
    assert text.splitlines()[1].split("  ") == ["2025-03-30 01:00", "default/q", "50.0", "4.0 s"]

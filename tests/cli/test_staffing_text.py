"""Tables for people, numbers for programs."""

from __future__ import annotations

import json

from engine.acd.forecast import Load, Target
from engine.cli import staffing_text
from engine.cli.staffing_rows import Need, Row, Table

NEED = Need(Target(service_level=0.8))


def test_columns_follow_what_is_there() -> None:
    row = Row(36_000, 37_800, 4, 90.0, erlang_c=2, need=2, planned=2, duty=1.0, gap=-1)
    past = Table("default/q", [row], None, 3, [])
    out = staffing_text.of_records(past, NEED, json=False).splitlines()
    assert "on duty" in out[0] and "shifts" not in out[0] and "low" not in out[0]
    assert out[1].split()[:3] == ["1970-01-01", "10:00", "4"] and out[1].split()[-4:] == ["2", "2", "1.0", "-1"]
    assert out[-2:] == ["patience unknown (3 gave up): the need is Erlang C's", "short 1 agent from 10:00 until 10:30"]
    coming = Table("default/q", [Row(0, 1800, 4.4, None, 1.0, 9.0, shift=3.0, shift_gap=0)], 120.0, 9, ["a note"])
    text = staffing_text.of_records(coming, NEED, json=False)
    assert "low" in text and "on duty" not in text and "a note" in text
    assert text.endswith("shifts: as many as are needed, everywhere")


def test_nobody_was_missing() -> None:
    fine = Table("default/q", [Row(0, 1800, 4, 90.0, duty=3.0, gap=1)], None, 0, [])
    assert staffing_text.of_records(fine, NEED, json=False).endswith("on duty: nobody was missing")


def test_json_has_no_infinity() -> None:
    found = staffing_text.of_numbers(Load(1.0, 60.0), NEED, 50, json=True)
    row = json.loads(found, parse_constant=lambda name: (_ for _ in ()).throw(ValueError(name)))["rows"][1]
    assert row["agents"] == 50 and row["mean_queue_length"] is None
    assert "endless" in staffing_text.of_numbers(Load(1.0, 60.0), NEED, 50, json=False)

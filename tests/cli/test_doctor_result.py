"""The shape that `ringdown doctor --json` promises."""

from __future__ import annotations

from engine.cli.doctor_result import result


def test_a_result_has_its_four_fields() -> None:
    assert result("disk", "ok", "room") == {"check": "disk", "state": "ok", "detail": "room", "remedy": ""}

"""The doctor's line about trunks."""

from __future__ import annotations

from pathlib import Path

from engine.cli import doctor
from engine.cli.doctor_trunks import trunks
from tests.cli.engine_double import engine
from tests.cli.test_doctor import STATUS


def test_troubles_are_told_as_the_engine_tells_them(tmp_path: Path) -> None:
    told = ["trunk a is down: x", "trunk b is not registered: refused (403 No)"]
    with engine(tmp_path, {"status": {**STATUS, "switch": {"trunk_troubles": told}}}):
        (line,) = [each for each in doctor.checks(None, tmp_path) if each["check"] == "trunks"]
    assert line["state"] == "warn" and line["detail"] == "; ".join(told) and line["remedy"]


def test_no_trouble_and_no_engine() -> None:
    assert [each["state"] for each in trunks({"switch": {"trunk_troubles": []}})] == ["ok"]
    assert list(trunks(None)) == [] and list(trunks({"switch": {}})) == []

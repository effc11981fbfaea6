"""`ringdown hours`: what is open at a moment, why, until when."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import run
from engine.cli.hours import moment
from engine.dialplan import zones
from engine.errors import UsageError
from tests.dialplan.test_calendars import at

CALENDARS = """
office:
  open: [mon-fri 08:00-20:00]
  holidays: GB-ENG
  special: {12-24: 08:00-12:00}
  periods: {storm: 2026-10-01 to 2027-03-31}
night: {open: [daily 22:00-06:00], time_zone: Asia/Shanghai}
"""


@pytest.fixture
def site(tmp_path: Path) -> str:
    (tmp_path / "site.yaml").write_text("ringdown: 1\nlanguages: [en]\ntime_zone: Europe/London\n")
    (tmp_path / "calendars.yaml").write_text(CALENDARS)
    return str(tmp_path)


def rows(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, dict[str, str]]:
    assert run(["hours", *arguments, "--json"]) == 0
    return {row["calendar"]: row for row in json.loads(capsys.readouterr().out)["calendars"]}


def test_a_moment_and_what_comes_next(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = rows(capsys, "--site", site, "--at", "2026-12-24 10:00")
    assert found["default/office"] == {
        "calendar": "default/office", "at": "2026-12-24 10:00", "state": "open", "hours": "08:00-12:00",
        "why": "special day, storm", "until": "2026-12-24 12:00 (closed)", "zone": "Europe/London",
    }  # fmt: skip
    # by each calendar's own clock
    assert found["default/night"]["state"] == "closed"
    assert found["default/night"]["until"] == "2026-12-24 22:00 (open)"
    assert found["default/night"]["hours"] == "22:00-06:00"


def test_a_whole_day(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = rows(capsys, "office", "--site", site, "--at", "2026-12-25")
    assert list(found) == ["default/office"]
    row = found["default/office"]
    assert (row["state"], row["hours"], row["why"]) == ("holiday", "none", "Christmas Day, storm")
    found = rows(capsys, "default/office", "--site", site, "--at", "2026-12-27")
    assert (found["default/office"]["state"], found["default/office"]["why"]) == ("closed", "sun, storm")


def test_text_now_and_mistakes(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["hours", "--site", site]) == 0
    assert "Europe/London" in capsys.readouterr().out
    assert run(["hours", "ofice", "--site", site]) == 2
    assert "did you mean 'office'?" in capsys.readouterr().err
    for wrong in ("christmas", "2026-13-01", "2026-12-25 24:00", "2026-12-25 1:00"):
        assert run(["hours", "--site", site, "--at", wrong]) == 2
        assert "--at" in capsys.readouterr().err
    (Path(site) / "calendars.yaml").write_text("office: {open: [mon 8-9]}\n")
    assert run(["hours", "--site", site]) == 1
    assert "RD121" in capsys.readouterr().err


def test_a_time_that_is_left_out_is_the_jump_and_of_two_the_first_is_meant() -> None:
    zone = zones.table("Europe/London")
    assert zone is not None
    assert moment(zone, "2026-03-29 01:30") == at("2026-03-29 02:00")
    assert moment(zone, "2026-10-25 01:30") == at("2026-10-25 01:30", fold=0)
    with pytest.raises(UsageError):
        moment(zone, "2026-10-25 25:00")


def test_numbers_in_season(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(site)
    (folder / "dialplans").mkdir()
    plan = "ringdown: 1\nflows:\n  main:\n    - reject: 480\n  stormy:\n    - reject: 486\n"
    (folder / "dialplans" / "front.yaml").write_text(plan)
    numbers = "numbers:\n  101: front\n  100:\n    dialplan: front\n    seasons: [{flow: stormy, during: storm}]\n"
    with (folder / "site.yaml").open("a") as file:
        file.write(numbers)
    assert run(["hours", "--site", site, "--at", "2026-09-30", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["seasons"]
    assert row == {"number": "100", "at": "2026-09-30", "dialplan": "default/front", "until": "2026-09-30"}
    assert run(["hours", "--site", site, "--at", "2026-12-01 09:00"]) == 0
    assert "default/front.stormy  2027-03-31" in capsys.readouterr().out

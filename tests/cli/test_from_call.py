"""`ringdown test --from CALL`: what it prints is a file that passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.cli.app import run
from engine.runtime.site_files import read_folder
from tests.cli.test_test import folder
from tests.console.scenario import Recorded
from tests.sim.shows import MAIN
from tests.sim.test_from_records import call, day


def test_a_recorded_call_becomes_a_test_that_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site, data = folder(tmp_path / "site"), tmp_path / "data"
    data.mkdir()
    loaded = read_folder(site).site
    assert loaded is not None
    w, desks = day(loaded)
    caller = call(w)
    w.press(caller, "1")
    w.run(15_000)
    desks[0].hang_up(w.now_ms)
    w.run(6_000)
    Recorded(data, w)
    assert run(["test", "--from", w.last("call.started").call, str(site), "--data", str(data)]) == 0
    text = capsys.readouterr().out
    assert "agent: 201 answers" in text and "caller: +440000000000" in text
    (site / "dialplans" / "main.complaint.test.yaml").write_text(text, "utf-8")
    assert run(["test", str(site)]) == 0
    assert "1 tests in 1 files, 0 failed" in capsys.readouterr().out
    plan = site / "dialplans" / "main.yaml"
    plan.write_text(MAIN.replace("- play: hello\n", "- play: thanks\n", 1), "utf-8")
    assert run(["test", "--from", w.last("call.started").call, str(site), "--data", str(data)]) == 1
    assert "# prompt 1 was en/hello, and is en/thanks now" in capsys.readouterr().err


def test_what_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = folder(tmp_path / "site")
    assert run(["test", "--from", "last", str(site), "--data", str(tmp_path)]) == 1
    assert "no call 'last' is up or recorded" in capsys.readouterr().err
    folder(tmp_path / "other")
    assert run(["test", "--from", "last", str(site), str(tmp_path / "other"), "--data", str(tmp_path)]) == 2

"""A site's tests in a child: passed, failed, not runnable, too slow."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine.runtime import site_tests
from tests.runtime.fakes import run


def given(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> site_tests.Tested:
    (folder / "dialplans").mkdir(exist_ok=True)
    (folder / "dialplans" / "main.test.yaml").write_text("x: []\n")
    monkeypatch.setattr(site_tests, "COMMAND", (sys.executable, "-c", code))
    return run(site_tests.run(folder), 20)


def test_no_tests_are_said(tmp_path: Path) -> None:
    found = run(site_tests.run(tmp_path))
    assert found.ok and found.files == 0 and "no tests" in found.summary


def test_passed_and_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passed = given(tmp_path, monkeypatch, "import sys; print(sys.argv[1]); print('3 passed')")
    assert passed.ok and passed.files == 1 and passed.summary == "3 passed" and passed.lines == []
    failed = given(tmp_path, monkeypatch, "print('storm: no notice'); print('1 failed'); raise SystemExit(1)")
    assert not failed.ok and failed.summary == "1 failed" and failed.lines == ["storm: no notice", "1 failed"]


def test_tests_that_cannot_be_run_have_not_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = given(tmp_path, monkeypatch, "print('what?'); raise SystemExit(2)")
    assert not odd.ok and "status 2" in odd.summary and odd.lines == ["what?"]
    monkeypatch.setattr(site_tests, "COMMAND", ("/no/such/program",))
    assert "No such file" in run(site_tests.run(tmp_path)).summary


def test_tests_without_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_tests, "run_s_max", 0.2)
    slow = given(tmp_path, monkeypatch, "import time; time.sleep(60)")
    assert not slow.ok and "longer than" in slow.summary

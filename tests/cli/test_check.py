"""`ringdown check`: sites, and files within them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import run
from tests.runtime.test_site_files import broken_site

DEMO = Path(__file__).parents[2] / "dialplans" / "demo"


def test_the_demo_is_fine(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(DEMO)]) == 0
    assert " 0 errors" in capsys.readouterr().out
    assert run(["check", str(DEMO / "dialplans" / "main.yaml"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True


def test_a_broken_site_shows_place_and_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = broken_site(tmp_path / "s")
    assert run(["check", str(folder)]) == 1
    out = capsys.readouterr().out
    assert "dialplans/main.yaml:4:" in out and "^" in out and "answer" in out
    assert run(["check", str(folder / "dialplans" / "main.yaml"), "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert findings and all(finding["file"] == "dialplans/main.yaml" for finding in findings)


def test_a_file_outside_any_site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "alone.yaml").write_text("ringdown: 1\n")
    assert run(["check", str(tmp_path / "alone.yaml")]) == 2
    assert "no site.yaml" in capsys.readouterr().err

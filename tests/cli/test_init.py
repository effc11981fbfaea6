"""`ringdown init DIR`: what it writes checks clean, its tests see all of it, and it can be called."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from engine.cli.app import run


def test_a_new_site_checks_clean_and_its_tests_see_all_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "my site"
    assert run(["init", str(site), "--zone", "Europe/London"]) == 0
    out = capsys.readouterr().out
    assert f"{site}/dialplans/main.test.yaml" in out and f"ringdown check {site}" in out
    assert run(["check", str(site), "--strict"]) == 0
    assert capsys.readouterr().out.strip().endswith("0 errors, 0 warnings")
    assert run(["test", str(site), "--coverage", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["tests"]) == 6 and told["coverage"][0]["missing"] == []


def test_it_can_be_tried(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", str(tmp_path / "a"), "--name", 'O"Hara: & # Söhne']) == 0
    assert run(["try", str(tmp_path / "a"), "--keys", "1", "--agents", "support: 1"]) == 0
    assert "joins queue default/support" in capsys.readouterr().out
    assert 'name: "OHara: & # Söhne"' in (tmp_path / "a" / "site.yaml").read_text("utf-8")


def test_nothing_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "kept").write_text("x")
    assert run(["init", str(tmp_path)]) == 2
    assert "is not empty: nothing was written" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert run(["init", str(tmp_path / "kept")]) == 2
    assert run(["init", str(tmp_path / "kept" / "a")]) == 2
    assert "can't write" in capsys.readouterr().err
    assert run(["init", str(tmp_path / "new"), "--zone", "Moon/Base"]) == 2
    assert not (tmp_path / "new").exists()


def test_json_names_the_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", str(tmp_path / "a"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert "prompts/en/main_menu.wav" in told["files"] and (tmp_path / "a" / "prompts/en/main_menu.wav").is_file()


def test_the_steps_for_an_analogue_line_make_a_site_without_faults(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What hardware/README.md tells to write, read from there: `check` finds no fault, and the profile is taken."""
    site = tmp_path / "office"
    assert run(["init", str(site)]) == 0
    guide = (Path(__file__).parents[2] / "hardware" / "README.md").read_text(encoding="utf-8")
    steps = dict(re.findall(r"n `office/(\w+)\.yaml`: `([^`]+)`", guide))
    assert list(steps) == ["trunks", "devices", "outbound", "site"]
    for name, text in steps.items():
        with (site / f"{name}.yaml").open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")
    capsys.readouterr()
    assert run(["check", str(site), "--strict"]) == 0, capsys.readouterr().out
    assert run(["profiles", "--site", str(site)]) == 0 and "port            5062" in capsys.readouterr().out

"""`ringdown staffing --simulate`: groups and what the queues reach, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import run

TEXT = """\
calls: 1400
queues: [{name: q}]
agents:
  - {name: en, count: 6, queues: [q], skills: {en: 1}}
  - {name: both, count: 6, queues: [q], skills: {en: 1, fr: 1}}
arrivals:
  - {queue: q, rate: 3/min, skills: {en: 1}, talk: {exponential: 60s}, patience: {exponential: 2min}}
  - {queue: q, rate: 1/min, skills: {fr: 1}, talk: {exponential: 60s}, patience: {exponential: 2min}}
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "s.yaml"
    path.write_text(TEXT, "utf-8")
    return path


def test_groups_and_queues(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["staffing", "--simulate", str(scenario), "--shrinkage", "30%", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    level = found["queues"]["q"]["service_level"]
    assert level["mean"] - level["half_width"] >= 0.8 == found["service_level"]
    en, both = found["groups"]
    assert 0 < en["agents"] + both["agents"] < 12 and both["agents"] >= 1, "somebody must speak French"
    assert all(group["planned"] >= group["agents"] / 0.7 for group in found["groups"])
    assert run(["staffing", "--simulate", str(scenario)]) == 0
    out = capsys.readouterr().out
    assert "no group can do with one agent fewer" in out and "both" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rate", "3/min"], "--rate: not with --simulate"),
        (["--within", "10s"], "--within: not with --simulate"),
        (["--service-level", "0%"], "above 0%"),
    ],
)
def test_used_wrongly(
    arguments: list[str], said: str, scenario: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["staffing", "--simulate", str(scenario), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_too_short_and_misspelt(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenario.write_text(TEXT.replace("1400", "40"), "utf-8")
    assert run(["staffing", "--simulate", str(scenario)]) == 2
    assert "simulate more calls" in capsys.readouterr().err
    scenario.write_text(TEXT.replace("strategy", "strtegy").replace("queues: [{", "queus: [{"), "utf-8")
    assert run(["staffing", "--simulate", str(scenario)]) == 1
    assert "did you mean 'queues'" in capsys.readouterr().err

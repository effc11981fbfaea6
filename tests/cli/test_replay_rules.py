"""`ringdown replay --rules`: what was, the same rules again, and other rules; or a refusal with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import run
from engine.cli.replay_rules import figures
from engine.sim.rerun import Figures
from tests.runtime.test_rerunning import QUICK, morning
from tests.scenarios.sites import AGENTS, SUPPORT

SITE = "ringdown: 1\ntime_zone: UTC\nlanguages: [en]\nnumbers:\n  700: {dialplan: support, public: yes}\n"


def folder(path: Path, queues: str) -> Path:
    """A site on disk with these queues; it may speak stock prompts only."""
    (path / "dialplans").mkdir(parents=True)
    for name, text in (("site", SITE), ("agents", AGENTS), ("queues", queues), ("dialplans/support", SUPPORT)):
        (path / f"{name}.yaml").write_text(text)
    return path


def test_a_day_by_other_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal, rules = tmp_path / "journal", folder(tmp_path / "site", QUICK)
    journal.mkdir()
    morning(journal)
    assert run(["replay", str(journal), "--rules", str(rules), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    queue = found["queues"]["default/support"]
    assert found["calls"] == 6 and found["complete"] and queue["was"]["offered"] == queue["rules"]["offered"] == 6
    assert queue["again"]["mean_wait_s"] == queue["was"]["mean_wait_s"] > 2 * queue["rules"]["mean_wait_s"]
    assert run(["replay", str(journal), "--rules", str(rules)]) == 0
    out = capsys.readouterr().out
    assert "6 stays in queues" in out and "by these rules" in out and "drawn:" in out


def test_a_broken_site_is_shown_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = tmp_path / "journal"
    journal.mkdir()
    morning(journal)
    rules = folder(tmp_path / "site", QUICK.replace("ring-all", "ring-alll"))
    assert run(["replay", str(journal), "--rules", str(rules)]) == 1
    assert "queues.yaml:2:" in (out := capsys.readouterr().out) and "ring-all" in out
    assert run(["replay", str(journal), "--rules", str(rules), "--until", "last"]) == 2


def test_figures_of_nobody() -> None:
    assert figures(None)["in_time"] == 1.0
    some = figures(Figures(offered=4, answered=2, in_time=1, waited_ms=5_000, waited_ms_max=4_000))
    assert (some["mean_wait_s"], some["max_wait_s"], some["in_time"]) == (2.5, 4.0, 0.25)

"""`ringdown simulate --what-if`: before, after and a paired difference; what can't be compared is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import run

TEXT = """\
seed: 3
calls: 1500
replications: {replications}
queues: [{name: q}]
agents: [{name: day, count: 5, queues: [q]}]
arrivals: [{queue: q, rate: 3/min, patience: {exponential: 60s}, talk: {exponential: 85s}}]
"""


@pytest.fixture(params=[1, 4])
def scenario(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "s.yaml"
    path.write_text(TEXT.replace("{replications}", str(request.param)), "utf-8")
    return path


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:  # type: ignore[type-arg]
    assert run(["simulate", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]


def test_the_difference_is_paired(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both meet the same callers, so the difference is surer than either figure."""
    found = told(capsys, str(scenario), "--what-if", "agents.day.count=+1")
    assert found["engine"] == "distributor"
    before, after = found["queues"]["q"]["service_level"], found["what_if"]["queues"]["q"]["service_level"]
    difference = found["what_if"]["difference"]["q"]["service_level"]
    assert difference["mean"] == pytest.approx(after["mean"] - before["mean"])
    assert difference["mean"] > difference["half_width"] > 0
    assert difference["half_width"] < 0.9 * (before["half_width"] ** 2 + after["half_width"] ** 2) ** 0.5
    assert found["what_if"]["difference"]["q"]["offered"] == {"mean": 0.0, "half_width": 0.0}


def test_nothing_changed_is_no_difference(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, str(scenario), "--against", str(scenario))
    assert all(figure == {"mean": 0.0, "half_width": 0.0} for figure in found["what_if"]["difference"]["q"].values())


def test_text_and_picture(scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    picture = tmp_path / "p.svg"
    change = "queues.q.strategy=linear"
    assert run(["simulate", str(scenario), "--what-if", change, "--plot", str(picture)]) == 0
    out = capsys.readouterr().out
    assert f"what if {change}" in out and "difference" in out
    assert "stroke-dasharray" in picture.read_text("utf-8")


def test_a_wrong_change_is_refused_at_its_place(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", str(scenario), "--what-if", "agents.dya.count=+1"]) == 1
    said = capsys.readouterr().err
    assert "--what-if:1:8" in said and "did you mean 'day'" in said


def test_what_cannot_be_compared(scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = scenario.read_text("utf-8")
    for name, old, new, said in (
        ("queues", "q}", "r}", "no queue of the same name"), ("seed", "seed: 3", "seed: 4", "same callers"),
        ("more", "replications: ", "replications: 9", "replications compare"),
    ):  # fmt: skip
        other = tmp_path / f"{name}.yaml"
        other.write_text(text.replace(old, new).replace("[q]", "[r]").replace("queue: q", "queue: r")
                         if name == "queues" else text.replace(old, new), "utf-8")  # fmt: skip
        assert run(["simulate", str(scenario), "--against", str(other)]) == 2
        assert said in capsys.readouterr().err
    assert run(["simulate", str(scenario), "--against", str(scenario), "--what-if", "agents.day.count=+1"]) == 2
    assert run(["simulate", str(scenario), "--engine", "steam"]) == 2

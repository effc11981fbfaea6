"""`ringdown simulate` as it is typed: text, JSON, calls, and refusals that name the place."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.cli.app import run
from engine.sim.estimates import METRICS

SIMULATIONS = Path(__file__).parents[1] / "sim" / "simulations"
BY_HAND = """\
queues:
  - {name: q}
agents:
  - {name: ana, queues: [q]}
arrivals:
  - {queue: q, at: [0s, 1s], talk: 10s, wrap_up: 2s}
  - {queue: q, at: 2s, talk: 10s, patience: 3s}
"""
RANDOM = BY_HAND.replace("queues:\n", "seed: 9\ncalls: 400\nreplications: 3\nqueues:\n", 1) + (
    "  - {queue: q, rate: 3/min, talk: {exponential: 18s}, patience: {exponential: 30s}}\n")


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "s.yaml"
    path.write_text(BY_HAND, "utf-8")
    return path


def simulated(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["simulate", *arguments]) == 0
    return capsys.readouterr().out


def test_json_has_every_metric_of_every_queue(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = json.loads(simulated(capsys, str(scenario), "--json"))
    assert list(result) == ["seed", "replications", "engine", "queues"]
    assert list(result["queues"]["q"]) == list(METRICS)
    assert result["queues"]["q"]["answered"] == {"mean": 2.0, "half_width": 0.0}
    assert result["queues"]["q"]["mean_wait_answered_s"]["mean"] == 5.5


def test_calls_name_the_agent_and_every_time(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(simulated(capsys, str(scenario), "--json", "--calls"))["calls"]
    assert rows[1] == {
        "call": 2, "replication": 1, "source": 1, "attempt": 1, "queue": "q", "outcome": "answered", "agent": "ana",
        "arrived_s": 1.0, "offered_s": 12.0, "answered_s": 12.0, "ended_s": 22.0, "free_s": 24.0, "waited_s": 11.0,
        "counted": True,
    }  # fmt: skip
    assert rows[2] == {
        "call": 3, "replication": 1, "source": 2, "attempt": 1, "queue": "q", "outcome": "abandoned", "agent": None,
        "arrived_s": 2.0, "offered_s": None, "answered_s": None, "ended_s": 5.0, "free_s": None, "waited_s": 3.0,
        "counted": True,
    }  # fmt: skip


def test_text(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = simulated(capsys, str(scenario), "--calls")
    assert text.startswith("3 calls, seed 1, nothing left to chance\n")
    assert "p_abandon             33.33 ± 0.00 %" in text and "ana" in text and "abandoned" in text


def test_text_of_chance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(RANDOM, "utf-8")
    assert simulated(capsys, str(path)).startswith("1200 calls, seed 9, ± 95 % over 3 replications\n")
    path.write_text(RANDOM.replace("replications: 3\n", "").replace("calls: 400", "calls: 40"), "utf-8")
    text = simulated(capsys, str(path))
    assert "over batches" in text and "too few calls" in text


def test_a_queue_that_only_grows_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(RANDOM.replace("patience: {exponential: 30s}", "patience: infinite").replace("18s", "21s"), "utf-8")
    assert run(["simulate", str(path), "--json"]) == 0
    told = capsys.readouterr()
    assert "warning: the queue q has 1.1 erlangs for 1 agents" in told.err and json.loads(told.out)


def test_same_seed_same_bytes_under_any_hash_seed(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(RANDOM, "utf-8")
    outputs = []
    for hash_seed in ("0", "1"):
        script = "import sys; from engine.cli.app import run; sys.exit(run(sys.argv[1:]))"
        command = [sys.executable, "-c", script, "simulate", str(path), "--json", "--calls"]
        done = subprocess.run(command, capture_output=True, check=True, env={"PYTHONHASHSEED": hash_seed})
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1] and len(outputs[0]) > 100_000


def test_a_typo_is_refused_with_its_place(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenario.write_text(BY_HAND.replace("queue: q, at: 2s", "queue: p, at: 2s").replace("wrap_up", "wrapup"), "utf-8")
    assert run(["simulate", str(scenario)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert f"{scenario}:6:41: error RD021: arrivals has no key 'wrapup'\n" in told.err
    assert "did you mean 'wrap_up'?" in told.err and f"{scenario}:7:13: error RD032" in told.err


def test_json_of_a_refusal(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenario.write_text(BY_HAND.replace("talk: 10s, wrap_up", "tlak: 10s, wrap_up"), "utf-8")
    assert run(["simulate", str(scenario), "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert result["ok"] is False and [each["code"] for each in result["findings"]] == ["RD022", "RD021"]
    assert result["findings"][1]["suggestion"] == "did you mean 'talk'?"


@pytest.mark.parametrize("arguments", [["/no/such.yaml"], [str(SIMULATIONS)], ["{}", "--plot", "a.txt"], []])
def test_used_wrongly(arguments: list[str], scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", *(each.format(scenario) for each in arguments)]) == 2
    assert capsys.readouterr().err


def test_the_examples_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "a.svg"
    text = simulated(capsys, str(SIMULATIONS / "two_languages.yaml"), "--plot", str(picture))
    assert "± 95 % over 20 replications" in text and "general" in text and "vip" in text
    assert "<svg" in picture.read_text("utf-8")


def test_simulate_needs_no_kernel(scenario: Path) -> None:
    script = (
        "import sys; from engine.cli.app import run; status = run(sys.argv[1:]); "
        "sys.exit('imported numba' if 'numba' in sys.modules else status)"
    )
    done = subprocess.run([sys.executable, "-c", script, "simulate", str(scenario)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_rule_that_the_compiled_loop_does_not_know_is_told_and_run_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(BY_HAND.replace("{name: q}", "{name: q, strategy: ucd-loa}"), "utf-8")
    assert run(["simulate", str(path), "--json", "--engine", "kernel"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["engine"] == "distributor"
    assert "doesn't know the strategy ucd-loa: the distributor runs it" in said.err

"""Calibration, small: promises kept within bounds on short runs; the judge, the oracle and the plot on known numbers.

The whole is `python -m tools.calibrate`. Seeds are fixed, so these runs repeat to the byte.
"""

from __future__ import annotations

import math
from random import Random
from statistics import mean

import pytest

from engine.acd.waits import WaitEstimate
from engine.sim import calibration
from engine.sim.calibration import Asked, Oracle, Probe, judge
from engine.sim.scenario import CONSTANT, EXPONENTIAL, INFINITE, Law
from tools import calibrate

SEED = 7


def probed(number: int, calls: int, **more: int) -> tuple[Probe, list[Asked]]:
    shape = calibration.shapes(SEED, calls)[number]
    probe = Probe(shape, **more)
    probe.go()
    from_ms = probe.moments[len(probe.moments) // 10]
    return probe, [each for each in probe.asked if each.at_ms >= from_ms]


@pytest.mark.parametrize(
    ("number", "low", "high"), [(0, 0.84, 0.97), (1, 0.84, 0.97), (2, 0.84, 0.97), (4, 0.78, 0.97)]
)
def test_promises_are_kept_and_beat_the_last_to_enter_service(number: int, low: float, high: float) -> None:
    """90 % are promised; a short run's waits hang together, so its share scatters by some points."""
    _, asked = probed(number, 1_200)
    found = judge("x", asked)
    assert found.promises > 200
    assert low <= found.kept <= high
    assert found.gain("les") >= 0.15 and found.gain("naive") >= 0.15
    assert found.kept + found.sooner + found.later == pytest.approx(1.0)


def test_patient_callers_of_an_overload_are_judged_and_staff_that_leaves_is_seen() -> None:
    probe, asked = probed(5, 1_500)
    assert {probe.calls.source[each.call] for each in asked} == {1}, "only those who never give up"
    found = judge("x", asked)
    assert found.promises > 30 and found.kept >= 0.7
    left = [state for state in (probe.distributor.agent_state(number) for number in range(24)) if state == "logged_out"]
    assert len(left) == 6


def test_widths_are_near_the_oracles() -> None:
    _, asked = probed(0, 1_200, oracle_every=25, replications=80)
    found = judge("x", asked)
    assert found.oracles >= 15 and found.widths is not None
    assert 0.75 <= found.widths <= 1.35


def test_a_probed_run_repeats() -> None:
    one, other = probed(4, 300)[1], probed(4, 300)[1]
    assert one == other and one


def test_asking_changes_nothing() -> None:
    """The run with questions ends exactly as the run without."""
    from engine.sim.queueing import Run

    shape = calibration.shapes(SEED, 400)[1]
    probe, plain = Probe(shape), Run(shape.scenario)
    assert probe.go().answered == plain.go().answered
    assert probe.distributor.encode() == plain.distributor.encode()


def test_the_oracle_knows_erlangs_law() -> None:
    probe, _ = probed(0, 600)
    oracle = Oracle.__new__(Oracle)
    oracle.scenario, oracle.chance = probe.scenario, calibration.seeded(1)
    oracle.waiting = [(-1_000.0 + place, float(place), 0) for place in range(9)]
    oracle.me, oracle.own, oracle.overtaking = (0.0, 99.0), 0, []
    oracle.busy = [(agent, 0, 5_000, -1) for agent in range(20)]
    oracle.able = [(True,)] * 20
    waits = [oracle.once() for _ in range(1_500)]
    assert mean(waits) == pytest.approx(10 * 180_000 / 20, rel=0.05)


def test_the_rest_of_a_duration() -> None:
    chance, other = calibration.seeded(4), Random(4)
    assert calibration._left(Law(INFINITE), 5.0, chance) == math.inf
    assert calibration._left(Law(CONSTANT, 60_000.0), 45_000.0, chance) == 15_000.0
    memoryless = [calibration._left(Law(EXPONENTIAL, 60_000.0), 90_000.0, chance) for _ in range(4_000)]
    assert mean(memoryless) == pytest.approx(60_000, rel=0.06)
    law = Law("lognormal", 60_000.0, 1.2)
    sigma = math.sqrt(math.log1p(1.44))
    drawn = [other.lognormvariate(math.log(60_000) - sigma**2 / 2, sigma) - 40_000 for _ in range(60_000)]
    conditional = [calibration._left(law, 40_000.0, chance) for _ in range(8_000)]
    assert mean(conditional) == pytest.approx(mean(each for each in drawn if each > 0), rel=0.1)


def test_the_judge_counts() -> None:
    told = WaitEstimate(100, 200, 300, (50, 100, 120, 150, 200, 250, 280, 300, 350), "queue", 3, 2)
    asked = [
        Asked(1, 0, True, told, 200, 400, 200, (100, 200)), Asked(2, 0, False, told, 200, 400, 350, (300, 400)),
        Asked(3, 0, True, told, 200, 400, 50), Asked(4, 0, True, told, 200, 400, -1),
    ]  # fmt: skip
    found = judge("x", asked)
    assert (found.promises, found.oracles, found.widths, found.oracle_kept) == (3, 2, 2.0, 1.0)
    assert (found.kept, found.sooner, found.later) == (1 / 3, 1 / 3, 1 / 3) and found.kept_at_join == 0.5
    assert calibration._pinball(100, 300, 0.9) == pytest.approx(180) and calibration._pinball(300, 100, 0.9) == (
        pytest.approx(20)
    )
    assert judge("none", []).promises == 0 and found.below[calibration.LEVELS.index(500)] == pytest.approx(2 / 3)


def test_the_table_and_the_plot(tmp_path: object, capsys: pytest.CaptureFixture[str]) -> None:
    from pathlib import Path
    from xml.etree import ElementTree

    file = Path(str(tmp_path)) / "plot.svg"
    assert calibrate.main(["--calls", "120", "--oracle-every", "0", "--plot", str(file), "--seed", "3"]) == 0
    printed = capsys.readouterr().out
    assert "seed 3" in printed and "overload with abandonment" in printed
    assert printed.splitlines()[-1].startswith("all ")
    lines = ElementTree.parse(file).getroot().findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == 7

"""Figures against queueing theory: the tables of Erlang A and C, the identities, M/M/n/K, and pooling by skills.

Simulated means are random, though the seed makes them the same every time. Of the rows that run always each figure
lies inside its 99 % interval; of the many of the slow test at most one in thirty may lie outside, and none outside
99.99 %. The intervals must be narrow, too: one that holds everything proves nothing.

The short runs are the production distributor's; the long ones go to the compiled loop, as they do for whoever
simulates so many calls, and one row of each table is the same by both.
"""

from __future__ import annotations

import math

import pytest
import scipy.stats

from engine.sim import engines, estimates, scenario_reader
from engine.sim.estimates import Figure, student
from engine.sim.queueing import Run
from engine.sim.scenario import Scenario

TALK_24 = (360, 240)  # calls an hour, seconds of talk: 24 erlangs
# agents, mean patience in s -> P(wait), P(abandon), E[wait] s, answered within 20 s of all arrivals (Erlang A)
ERLANG_A = {
    (24, 60): (0.37197, 0.10778, 6.467, 0.79551), (24, 120): (0.44688, 0.09493, 11.391, 0.71946),
    (24, 300): (0.55333, 0.07666, 22.998, 0.59186), (26, 60): (0.26204, 0.06914, 4.149, 0.86929),
    (26, 120): (0.31371, 0.05847, 7.016, 0.82347), (26, 300): (0.38555, 0.04362, 13.087, 0.74685),
    (28, 60): (0.16949, 0.04090, 2.454, 0.92345), (28, 120): (0.20074, 0.03309, 3.971, 0.89930),
    (28, 300): (0.24200, 0.02278, 6.833, 0.86002), (30, 60): (0.09973, 0.02210, 1.326, 0.95926),
    (30, 120): (0.11632, 0.01709, 2.051, 0.94819), (30, 300): (0.13679, 0.01090, 3.271, 0.93080),
}
# calls an hour, seconds of talk, agents -> P(wait), E[wait] s, answered within 20 s (Erlang C)
ERLANG_C = {
    (720, 240, 55): (0.23870, 8.184, 0.86680), (360, 240, 29): (0.24227, 11.629, 0.84028),
    (360, 240, 28): (0.33314, 19.988, 0.76130), (100, 300, 10): (0.48761, 87.770, 0.56367),
    (100, 300, 11): (0.29962, 33.707, 0.74918), (60, 300, 8): (0.16727, 16.727, 0.86305),
}


def scenario(text: str) -> Scenario:
    found, findings = scenario_reader.read(text.encode(), "s.yaml")
    assert found is not None, findings
    return found


def one_queue(
    rate: int, talk_s: int, agents: int, *, patience: str = "infinite", calls: int, seed: int = 1, queue: str = "",
    more: str = "",
) -> str:
    return f"""\
seed: {seed}
calls: {calls}
warm_up: {calls // 20}
{more}
queues:
  - {{name: q{queue}}}
agents:
  - {{name: a, count: {agents}, queues: [q]}}
arrivals:
  - queue: q
    rate: {rate}/h
    patience: {patience}
    talk: {{exponential: {talk_s}s}}
"""


def figures(text: str, engine: str = engines.DISTRIBUTOR) -> dict[str, Figure]:
    found = scenario(text)
    assert engines.choose([found], engine) == (engine, "")
    return estimates.estimate(found, engines.run(found, engine))["q"]


def off(figure: Figure, theory: float, degrees: int = 19) -> float:
    """How far the truth lies from the figure, in half-widths of its 99 % interval."""
    mean, half = figure["mean"], figure["half_width"]
    assert mean is not None and half is not None and half > 0
    assert half < 0.4 * theory, "too wide to prove anything"
    return abs(mean - theory) / (half * student(0.99, degrees) / student(0.95, degrees))


def erlang_a(
    agents: int, patience_s: int, calls: int, *, seed: int = 1, engine: str = engines.DISTRIBUTOR
) -> dict[str, float]:
    rate, talk_s = TALK_24
    text = one_queue(rate, talk_s, agents, patience=f"{{exponential: {patience_s}s}}", calls=calls, seed=seed)
    found = figures(text, engine)
    names = ("p_wait", "p_abandon", "mean_wait_s", "service_level")
    theory = ERLANG_A[agents, patience_s]
    return {name: off(found[name], value) for name, value in zip(names, theory, strict=True)}


def erlang_c(
    rate: int, talk_s: int, agents: int, calls: int, *, seed: int = 1, engine: str = engines.DISTRIBUTOR
) -> dict[str, float]:
    found = figures(one_queue(rate, talk_s, agents, calls=calls, seed=seed), engine)
    names = ("p_wait", "mean_wait_s", "service_level")
    theory = ERLANG_C[rate, talk_s, agents]
    return {name: off(found[name], value) for name, value in zip(names, theory, strict=True)}


# --- theory -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("agents", "patience_s"), [(28, 120), (24, 60)])
def test_erlang_a(agents: int, patience_s: int) -> None:
    found = erlang_a(agents, patience_s, 40_000)
    assert max(found.values()) < 1, found


def test_erlang_c() -> None:
    found = erlang_c(60, 300, 8, 40_000)
    assert max(found.values()) < 1, found


def test_identities_of_erlang_a() -> None:
    """P(abandon) = E[wait] / patience, occupancy = λ (1 − P(abandon)) / (n μ), length = λ E[wait]."""
    found = figures(one_queue(360, 240, 26, patience="{exponential: 120s}", calls=40_000))
    mean = {name: figure["mean"] or 0.0 for name, figure in found.items()}
    assert mean["p_abandon"] == pytest.approx(mean["mean_wait_s"] / 120, rel=0.06)
    # λ as it was in the window: offered calls over its length, which the queue's length and Little's law share
    table = estimates.Table(*_run(one_queue(360, 240, 26, patience="{exponential: 120s}", calls=40_000)))
    rate_s = mean["offered"] / ((table.end - table.begin) / 1_000)
    assert mean["mean_queue_length"] == pytest.approx(rate_s * mean["mean_wait_s"], rel=0.002)
    assert mean["occupancy"] == pytest.approx(rate_s * (1 - mean["p_abandon"]) * 240 / 26, rel=0.02)
    assert mean["answered"] + mean["abandoned"] == mean["offered"] == 38_000


def _run(text: str) -> tuple[Scenario, object]:
    found = scenario(text)
    return found, Run(found).go()


def erlang_b(agents: int, load: float) -> float:
    blocked = 1.0
    for count in range(1, agents + 1):
        blocked = load * blocked / (count + load * blocked)
    return blocked


def finite(agents: int, load: float, places: int) -> tuple[float, float]:
    """M/M/n/K: (share blocked, mean number waiting)."""
    weights = [load**k / math.factorial(k) for k in range(agents + 1)]
    weights += [weights[-1] * (load / agents) ** extra for extra in range(1, places - agents + 1)]
    total = sum(weights)
    waiting = sum((k - agents) * weight for k, weight in enumerate(weights) if k > agents)
    return weights[-1] / total, waiting / total


def test_the_formulas_of_this_file() -> None:
    for load, agents, blocked in ((10, 10, 0.214582), (20, 30, 0.008457), (84, 90, 0.044620), (100, 117, 0.009790)):
        assert erlang_b(agents, load) == pytest.approx(blocked, abs=1e-6)
        assert finite(agents, load, agents)[0] == pytest.approx(blocked, abs=1e-6)


@pytest.mark.parametrize("places", [10, 14])
def test_blocking_by_capacity(places: int) -> None:
    """K = n is Erlang B; beyond, whoever finds K callers waiting and talking is turned away."""
    found = figures(one_queue(120, 300, 10, calls=40_000, queue=f", capacity: {places}"))
    blocked, waiting = finite(10, 10.0, places)
    assert off(found["p_blocked"], blocked) < 1
    if places == 10:
        assert blocked == pytest.approx(erlang_b(10, 10)) and found["mean_queue_length"]["mean"] == 0
    else:
        assert off(found["mean_queue_length"], waiting) < 1


@pytest.mark.slow
def test_all_rows_of_erlang() -> None:
    loop = engines.KERNEL
    found = {f"A {row}": erlang_a(*row, 60_000, seed=2, engine=loop) for row in ERLANG_A}
    found |= {f"C {row}": erlang_c(*row, 180 * row[0] + 30_000, seed=2, engine=loop) for row in ERLANG_C}
    assert found["A (24, 60)"] == erlang_a(24, 60, 60_000, seed=2)
    assert found["C (60, 300, 8)"] == erlang_c(60, 300, 8, 40_800, seed=2)
    values = {f"{row} {name}": value for row, each in found.items() for name, value in each.items()}
    outside = {name: value for name, value in values.items() if value >= 1}
    assert len(values) == 66 and len(outside) <= 2, outside
    assert max(values.values()) < student(0.9999, 19) / student(0.99, 19), outside


@pytest.mark.slow
def test_fifty_agents_with_and_without_patience() -> None:
    """48 calls a minute, a minute each: without abandonment 20.8 s of waiting, with two minutes of patience 3.7 s."""
    patient = figures(one_queue(2_880, 60, 50, calls=400_000), engines.KERNEL)
    assert off(patient["p_wait"], 0.69446) < 1 and off(patient["mean_wait_s"], 20.834) < 1
    assert off(patient["mean_queue_length"], 16.667) < 1 and off(patient["service_level"], 0.64345) < 1
    human = figures(one_queue(2_880, 60, 50, patience="{exponential: 120s}", calls=200_000), engines.KERNEL)
    for name, theory in (("p_wait", 0.46777), ("p_abandon", 0.03091), ("mean_wait_s", 3.709),
                         ("mean_queue_length", 2.968), ("occupancy", 0.93032), ("service_level", 0.94302)):  # fmt: skip
        assert off(human[name], theory) < 1, name


def pooled(skills: int, calls: int) -> dict[str, Figure]:
    """90 agents in six groups of 15, each with so many of the six skills; 84 erlangs of six kinds of callers."""
    lines = [f"calls: {calls}\nwarm_up: {calls // 15}\nqueues:\n  - {{name: q}}\nagents:"]
    for group in range(6):
        held = ", ".join(f"s{(group + step) % 6}: 1" for step in range(skills))
        lines.append(f"  - {{name: g{group}, count: 15, queues: [q], skills: {{{held}}}}}")
    lines.append("arrivals:")
    lines += [f"  - {{queue: q, rate: 168/h, skills: {{s{kind}: 1}}, talk: {{exponential: 5min}}}}"
              for kind in range(6)]  # fmt: skip
    return figures("\n".join(lines) + "\n", engines.KERNEL)


@pytest.mark.slow
def test_two_skills_come_close_to_all() -> None:
    """Wallace and Whitt 2005: a second skill brings nearly all that full flexibility could bring."""
    one, two, every = ((pooled(skills, 90_000)["mean_wait_s"]["mean"] or 0.0) for skills in (1, 2, 6))
    assert one > 5 * every
    assert (one - two) / (one - every) > 0.9


# --- bookkeeping ----------------------------------------------------------------------------------------
HEAD = "queues:\n  - {name: q, service_level: 5s}\nagents:\n  - {name: a, queues: [q]}\narrivals:\n"


def test_a_run_worked_out_by_hand() -> None:
    """One agent: 0–10 talk, –14 wrap-up; the second waits 13 s and talks 14–24, –28; the third gives up after 4 s."""
    text = HEAD + ("  - {queue: q, at: [0s, 1s], talk: 10s, wrap_up: 4s}\n"
                   "  - {queue: q, at: 2s, talk: 10s, patience: 4s}\n")  # fmt: skip
    found = figures(text)
    mean = {name: figure["mean"] for name, figure in found.items()}
    assert mean == {
        "offered": 3, "answered": 2, "abandoned": 1, "blocked": 0, "timed_out": 0, "p_blocked": 0,
        "p_wait": pytest.approx(2 / 3), "p_abandon": pytest.approx(1 / 3), "mean_wait_s": pytest.approx(17 / 3),
        "mean_wait_answered_s": pytest.approx(6.5), "service_level": pytest.approx(1 / 3),
        "occupancy": pytest.approx(1.0), "mean_queue_length": pytest.approx(17 / 28),
    }
    assert {figure["half_width"] for figure in found.values()} == {0.0}


def test_warm_up_is_left_out() -> None:
    text = "warm_up: %s\n" + HEAD + "  - {queue: q, at: [0s, 1s, 30s, 40s], talk: 10s}\n"
    for warm_up in ("2", "30s", "29.5s"):
        found = figures(text % warm_up)
        assert found["offered"]["mean"] == 2 and found["mean_wait_s"]["mean"] == 0, warm_up
        expected = 20 / 20.5 if warm_up == "29.5s" else 1
        assert found["occupancy"]["mean"] == pytest.approx(expected)
    nothing = figures(text % "9")
    assert nothing["offered"]["mean"] == 0 and nothing["mean_wait_s"] == {"mean": None, "half_width": None}
    assert nothing["occupancy"]["mean"] is None


def test_a_duration_is_the_window() -> None:
    found = figures("duration: 40s\n" + HEAD + "  - {queue: q, at: [0s, 35s, 50s], talk: 10s}\n")
    assert found["offered"]["mean"] == 2
    assert found["occupancy"]["mean"] == pytest.approx(15 / 40)  # of the second talk only 5 s lie within it


def test_an_agent_of_two_queues_is_busy_in_both() -> None:
    text = ("queues:\n  - {name: q}\n  - {name: r}\nagents:\n  - {name: a, queues: [q, r]}\n"
            "  - {name: b, queues: [r]}\narrivals:\n  - {queue: q, at: 0s, talk: 10s}\n"
            "  - {queue: r, at: 0s, talk: 20s}\n")  # fmt: skip
    found = scenario(text)
    run = Run(found)
    run.go()
    result = estimates.estimate(found, [run])
    assert result["q"]["occupancy"]["mean"] == pytest.approx(0.5)
    assert result["r"]["occupancy"]["mean"] == pytest.approx(0.75)


def test_replications_and_batches_say_how_sure_they_are() -> None:
    text = one_queue(360, 240, 28, patience="{exponential: 120s}", calls=2_000, more="replications: 8")
    found = figures(text)
    assert found["offered"] == {"mean": 1_900.0, "half_width": 0.0}
    assert off(found["p_wait"], 0.20074, 7) < 1
    few = figures(one_queue(360, 240, 28, calls=60))
    assert few["p_wait"]["mean"] is not None and few["p_wait"]["half_width"] is None


@pytest.mark.slow
def test_the_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """60 seeds of a short queue: 95 % intervals for P(abandon) miss the truth about three times."""
    missed = 0
    for seed in range(60):
        text = one_queue(360, 60, 7, patience="{exponential: 60s}", calls=2_000, seed=seed)
        found = figures(text)["p_abandon"]
        assert found["mean"] is not None and found["half_width"] is not None
        missed += abs(found["mean"] - _abandon(7, 6.0, 1.0)) > found["half_width"]
    assert missed <= 9  # P(more) < 0.2 % if they hold what they promise


def _abandon(agents: int, load: float, patience: float) -> float:
    """Erlang A by its birth–death chain; `patience` in units of the mean talk."""
    weights, impatient = [1.0], [0.0]
    for count in range(1, 400):
        leaving = min(count, agents) + max(0, count - agents) / patience
        weights.append(weights[-1] * load / leaving)
        impatient.append(max(0, count - agents) / patience)
    lost = sum(weight * rate for weight, rate in zip(weights, impatient, strict=True)) / sum(weights)
    return lost / load


def test_the_chain_equals_the_table() -> None:
    assert _abandon(28, 24.0, 0.5) == pytest.approx(0.03309, abs=5e-6)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 9, 19, 20, 100])
@pytest.mark.parametrize("confidence", [0.95, 0.99])
def test_student(confidence: float, degrees: int) -> None:
    assert student(confidence, degrees) == pytest.approx(scipy.stats.t.ppf((1 + confidence) / 2, degrees), rel=1e-9)

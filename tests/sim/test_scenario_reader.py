"""Scenarios as they are written: what is read, and each mistake with its place and what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.sim import scenario_reader
from engine.sim.scenario import CONSTANT, EXPONENTIAL, INFINITE, LOGNORMAL, Law, Retry, Scenario

GOOD = """\
seed: 7
calls: 1000
warm_up: 50
queues:
  - {name: support, strategy: ring-all, capacity: 60, length: 20, max_wait: 5min, service_level: 10s, weight: 3}
  - {name: sales, ring: 2s}
agents:
  - {name: day, count: 2, queues: [support], skills: {en: 8}, tier: 2}
  - {name: eve, queues: {sales: 3, support: 1}, skills: {fr: 4, en: 1}}
arrivals:
  - queue: support
    rate: 48/min
    skills: {en: 5}
    priority: 2min
    patience: {exponential: 2min}
    talk: {lognormal: {mean: 3min, cv: 1.2}}
    wrap_up: {constant: 5s}
    retry: {chance: 0.5, after: 3min, times: 2}
  - queue: sales
    at: [3s, 0s, 1.5s]
    patience: infinite
    talk: 60s
"""


def good(text: str = GOOD) -> Scenario:
    scenario, findings = scenario_reader.read(text.encode(), "s.yaml")
    assert scenario is not None and findings == [], findings
    return scenario


def test_everything_is_read() -> None:
    scenario = good()
    assert (scenario.seed, scenario.calls, scenario.warm_up_calls, scenario.skills) == (7, 1_000, 50, ("en", "fr"))
    support, sales = scenario.queues
    assert (support.strategy, support.capacity, support.length, support.weight) == ("ring-all", 60, 20, 3)
    assert (support.wait_ms_max, support.service_level_ms, support.ring) == (300_000, 10_000, Law())
    assert (sales.ring, sales.service_level_ms) == (Law(CONSTANT, 2_000.0), 20_000)
    day, eve = scenario.agents
    assert (day.count, day.queues, day.skills) == (2, ((0, 2),), ((0, 8),))
    assert (eve.count, eve.queues, eve.skills) == (1, ((0, 1), (1, 3)), ((0, 1), (1, 4)))
    first, second = scenario.sources
    assert first.rate_per_ms == pytest.approx(48 / 60_000) and first.needs == ((0, 5),)
    assert (first.priority_ms, first.patience) == (120_000, Law(EXPONENTIAL, 120_000.0))
    assert (first.talk, first.wrap_up) == (Law(LOGNORMAL, 180_000.0, 1.2), Law(CONSTANT, 5_000.0))
    assert first.retry == Retry(0.5, Law(CONSTANT, 180_000.0), 2)
    assert (second.at_ms, second.patience, second.talk) == ((0, 1_500, 3_000), Law(INFINITE), Law(CONSTANT, 60_000.0))


def test_json_is_yaml_too() -> None:
    import json

    text = json.dumps({
        "duration": "8h", "warm_up": "30min", "queues": [{"name": "q"}], "agents": [{"name": "a", "queues": ["q"]}],
        "arrivals": [{"queue": "q", "rate": "1.5/s", "talk": {"lognormal": {"mean": "3min", "cv": 1.2}}}],
    })
    scenario = good(text)
    assert (scenario.duration_ms, scenario.warm_up_ms, scenario.warm_up_calls) == (28_800_000, 1_800_000, 0)
    assert scenario.sources[0].rate_per_ms == pytest.approx(0.0015)


def test_moments_need_no_other_end() -> None:
    lines = [line for line in GOOD.split("\n") if not line.startswith(("calls", "warm_up"))]
    text = "\n".join(lines).replace("rate: 48/min", "at: 0s")
    assert good(text).calls == 0


@pytest.mark.parametrize("path", sorted((Path(__file__).parent / "simulations").glob("*.yaml")), ids=lambda p: p.name)
def test_the_examples_are_right(path: Path) -> None:
    good(path.read_text("utf-8"))


@pytest.mark.parametrize(("old", "new", "code", "line", "column", "words"), [
    ("warm_up: 50", "warmup: 50", "RD021", 3, 1, "did you mean 'warm_up'?"),
    ("capacity: 60", "capcity: 60", "RD021", 5, 41, "did you mean 'capacity'?"),
    ("strategy: ring-all", "strategy: ring-al", "RD081", 5, 31, "did you mean 'ring-all'?"),
    ("strategy: ring-all", "strategy: custom", "RD026", 5, 31, ""),
    ("strategy: ring-all", "rings: [1], strategy: ring-all", "RD026", 5, 21, "remove it for now"),
    ("queue: sales", "queue: slaes", "RD032", 19, 12, "did you mean 'sales'?"),
    ("queues: [support]", "queues: [suport]", "RD032", 8, 36, "did you mean 'support'?"),
    ("skills: {en: 5}", "skills: {ne: 5}", "RD040", 13, 14, "known here: en, fr"),
    ("skills: {en: 5}", "skills: {en: 9}", "RD040", 13, 13, "no agent could ever serve"),
    ("count: 2", "count: two", "RD024", 8, 24, "whole number from 1"),
    ("rate: 48/min", "rate: 48", "RD024", 12, 11, "as in 48/min"),
    ("rate: 48/min", "rate: 0/min", "RD024", 12, 11, "a rate lies above 0"),
    ("rate: 48/min", "rate: 48/min\n    at: 0s", "RD024", 11, 5, "either rate or at"),
    ("patience: infinite", "patience: 90", "RD024", 21, 15, "not a duration"),
    ("talk: 60s", "talk: infinite", "RD024", 22, 11, "talk is not infinite"),
    ("talk: 60s", "talk: {exponental: 60s}", "RD021", 22, 12, "did you mean 'exponential'?"),
    ("talk: 60s", "talk: {exponential: 60s, constant: 1s}", "RD023", 22, 11, "follows one law"),
    ("cv: 1.2", "cv: much", "RD024", 16, 40, "cv is a number"),
    ("lognormal: {mean: 3min, cv: 1.2}", "lognormal: {mean: 3min}", "RD022", 16, 23, "lognormal needs cv"),
    ("chance: 0.5", "chance: 50", "RD024", 18, 21, "chance is a number from 0 to 1"),
    ("    talk: 60s\n", "", "RD022", 19, 5, "arrivals without talk"),
    ("calls: 1000\n", "", "RD022", 1, 1, "nothing ends the arrivals"),
    ("calls: 1000", "calls: 1000\nduration: 1h", "RD024", 3, 1, "keep one of the two"),
    ("warm_up: 50", "warm_up: 1000", "RD024", 3, 10, "keep it smaller"),
    ("name: sales", "name: support", "RD009", 6, 12, "described twice"),
    ("name: eve", "name: day", "RD009", 8, 3, "own name"),
    ("seed: 7", "seed: 7\nseed: 8", "RD009", 2, 1, "stands twice"),
])
def test_mistakes(old: str, new: str, code: str, line: int, column: int, words: str) -> None:
    assert old in GOOD
    scenario, findings = scenario_reader.read(GOOD.replace(old, new, 1).encode(), "s.yaml")
    assert scenario is None
    found = [each for each in findings if (each.code, each.line, each.column) == (code, line, column)]
    assert found, findings
    assert words in f"{found[0].message} {found[0].suggestion}"
    assert found[0].snippet and found[0].file == "s.yaml"


@pytest.mark.parametrize("data", [
    b"", b"- 1\n", b"seed", b"\xff", b"queues: {a: 1}\n", b"arrivals: [1, [2]]\nqueues: x\nagents: [{}]\n", b"{" * 99,
    b"seed: 1\nqueues:\n  - name: [a]\nagents:\n  - queues: {a: {b: c}}\narrivals:\n  - talk: [1]\n    at: []\n",
])
def test_no_bytes_raise(data: bytes) -> None:
    scenario, findings = scenario_reader.read(data, "s.yaml")
    assert scenario is None and findings


def test_a_queue_without_agents_is_told() -> None:
    text = GOOD.replace("queues: {sales: 3, support: 1}", "queues: [support]")
    scenario, findings = scenario_reader.read(text.encode(), "s.yaml")
    assert scenario is None and [each.code for each in findings] == ["RD035"]


@pytest.mark.parametrize(("end", "line"), [
    ("duration: 300d\nwarm_up: 50", 2), ("calls: 300000\nreplications: 20\nwarm_up: 50", 2),
])
def test_more_calls_than_can_be_held_are_refused(end: str, line: int) -> None:
    text = GOOD.replace("calls: 1000\nwarm_up: 50", end)
    scenario, findings = scenario_reader.read(text.encode(), "s.yaml")
    assert scenario is None and findings[0].line == line and "at most 2000000" in findings[0].message

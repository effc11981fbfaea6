"""Changes in one line: what they do to a scenario, and where the caret stands when they can't be made."""

from __future__ import annotations

import pytest

from engine.dialplan.findings import Finding
from engine.sim import scenario_reader, what_if
from engine.sim.scenario import Law, Scenario

TEXT = """\
calls: 100
queues: [{name: support, strategy: linear}, {name: v1.2}]
agents:
  - {name: day, count: 4, queues: [support, v1.2], skills: {en: 2, fr: 1}}
  - {queues: [support]}
arrivals:
  - {queue: support, rate: 2/min, talk: 30s}
  - {queue: v1.2, at: [0s, 1s], talk: 9s, patience: {exponential: 2min}}
  - {queue: support, rate: 1/min, talk: 20s}
"""


def changed(*changes: str) -> Scenario:
    scenario, findings = scenario_reader.read(TEXT.encode(), "s.yaml", changes)
    assert scenario is not None, findings
    return scenario


def refused(*changes: str) -> list[Finding]:
    scenario, findings = scenario_reader.read(TEXT.encode(), "s.yaml", changes)
    assert scenario is None
    return findings


def test_numbers_are_set_or_moved() -> None:
    assert changed("agents.day.count=+2").agents[0].count == 6
    assert changed("agents.day.count=-1", "agents.day.count=-1").agents[0].count == 2
    assert changed("agents.day.count=9").agents[0].count == 9
    assert changed("agents.agent.count=+1").agents[1].count == 2, "absent is one; the group without a name is agent"


def test_skills_and_queues_come_and_go() -> None:
    before = changed()
    assert before.agents[0].skills == ((0, 2), (1, 1)) and before.skills == ("en", "fr")
    assert changed("agents.day.skills.en=+1").agents[0].skills == ((0, 3), (1, 1))
    assert changed("agents.day.skills.es=4").agents[0].skills == ((0, 2), (1, 1), (2, 4))
    assert changed("agents.day.skills.fr=0").agents[0].skills == ((0, 2),)
    alone = changed("agents.day.queues.v1.2=0", "agents.agent.queues.v1.2=3")
    assert [group.queues for group in alone.agents] == [((0, 1),), ((0, 1), (1, 3))]


def test_rules_and_arrivals() -> None:
    assert changed("queues.support.strategy=ring-all").queues[0].strategy == "ring-all"
    assert changed("queues.v1.2.max_wait=2min").queues[1].wait_ms_max == 120_000
    rates = [source.rate_per_ms for source in changed("arrivals.support.rate=60/min").sources]
    assert rates == [0.001, 0.0, 0.001], "all callers of the queue"
    assert changed("arrivals.3.talk={lognormal: {mean: 3min, cv: 1.2}}").sources[2].talk == Law(
        "lognormal", 180_000.0, 1.2)  # fmt: skip
    moved = changed("arrivals.v1.2.rate=1/min").sources[1]
    assert moved.rate_per_ms and not moved.at_ms, "a rate takes the place of moments"


@pytest.mark.parametrize(
    ("change", "column", "said"),
    [
        ("agents.dya.count=+1", 8, "did you mean 'day'?"),
        ("agnets.day.count=+1", 1, "did you mean 'agents'?"),
        ("agents.day.cuont=+1", 12, "did you mean 'count'?"),
        ("agents.day.count=many", 18, "count is a whole number"),
        ("agents.day.count=-9", 18, "count is a whole number from 1"),
        ("queues.support.strategy=ringal", 25, "did you mean 'ringall'?"),
        ("queues.support.strategy=+1", 25, "no number yet"),
        ("queues.support.strategy.x=1", 16, "write strategy=VALUE"),
        ("agents.day.queues.sport=1", 19, "no queue 'sport'"),
        ("arrivals.4.rate=1/min", 10, "no arrivals called '4'"),
        ("arrivals.support.talk={lognorml: 4s}", 24, "did you mean 'lognormal'?"),
        ("arrivals.support.talk={oh", 23, "is not a value"),
        ("agents.day.count", 1, "is not a change"),
        ("agents.day.count=", 1, "is not a change"),
    ],
)
def test_where_it_is_wrong_and_what_was_meant(change: str, column: int, said: str) -> None:
    finding = refused("agents.day.count=+1", change)[0]
    assert (finding.file, finding.line, finding.column) == (what_if.FILE, 2, column)
    assert said in f"{finding.message} {finding.suggestion}"
    assert change in finding.snippet


def test_a_fault_of_the_file_itself_is_told_there() -> None:
    scenario, findings = scenario_reader.read(b"calls: 1\n", "s.yaml", ["agents.day.count=+1"])
    assert scenario is None and {finding.file for finding in findings} == {"s.yaml", what_if.FILE}

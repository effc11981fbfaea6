"""Runs that can be followed with a finger on the clock: every time and every agent worked out by hand."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.sim import queueing, scenario_reader
from engine.sim.queueing import OUTCOMES, Run
from engine.sim.scenario import EXPONENTIAL, Law, Scenario


def scenario(text: str) -> Scenario:
    found, findings = scenario_reader.read(text.encode(), "s.yaml")
    assert found is not None, findings
    return found


def told(text: str, **options: Any) -> list[tuple[float, str, str, float, float]]:
    """(arrived, outcome, agent, answered, ended) of each call, in seconds."""
    found = scenario(text)
    calls = Run(found, **options).go()
    names = [*queueing.agent_names(found), ""]
    return [
        (calls.arrived[row] / 1000, OUTCOMES[calls.outcome[row]], names[calls.agent[row]],
         calls.answered[row] / 1000 if calls.answered[row] >= 0 else -1, calls.ended[row] / 1000)
        for row in range(len(calls))
    ]  # fmt: skip


HEAD = "queues:\n  - {name: q}\nagents:\n  - {name: a, count: 2, queues: [q]}\narrivals:\n"


def test_the_third_caller_waits_for_the_first_agent() -> None:
    assert told(HEAD + "  - {queue: q, at: [0s, 1s, 2s], talk: 10s}\n") == [
        (0, "answered", "a-1", 0, 10), (1, "answered", "a-2", 1, 11), (2, "answered", "a-1", 10, 20),
    ]


def test_wrap_up_comes_before_the_next_call() -> None:
    text = HEAD + "  - {queue: q, at: [0s, 1s, 2s, 40s], talk: 10s, wrap_up: 5s}\n"
    assert told(text) == [
        (0, "answered", "a-1", 0, 10), (1, "answered", "a-2", 1, 11), (2, "answered", "a-1", 15, 25),
        (40, "answered", "a-2", 40, 50),  # idle since 16 s; the other since 30 s
    ]
    calls = Run(scenario(text)).go()
    assert calls.free == [15_000, 16_000, 30_000, 55_000]
    assert calls.delayed == [0, 0, 1, 0]


def test_wrap_up_of_one_source_only() -> None:
    text = HEAD.replace("count: 2, ", "") + (
        "  - {queue: q, at: 0s, talk: 10s, wrap_up: 5s}\n  - {queue: q, at: [1s, 2s], talk: 10s}\n")
    assert [each[3] for each in told(text)] == [0, 15, 25]


def test_the_better_tier_is_asked_first_however_long_the_other_is_idle() -> None:
    text = ("queues:\n  - {name: q}\nagents:\n  - {name: second, queues: [q], tier: 2}\n"
            "  - {name: first, queues: [q], tier: 1}\narrivals:\n"
            "  - {queue: q, at: [0s, 1s, 30s], talk: 10s}\n")  # fmt: skip
    assert [each[2] for each in told(text)] == ["first", "second", "first"]


def test_skills_and_levels_decide_who_fits() -> None:
    text = """\
queues:
  - {name: q}
agents:
  - {name: en, queues: [q], skills: {en: 9}}
  - {name: both, queues: [q], skills: {en: 5, fr: 3}}
arrivals:
  - {queue: q, at: [0s, 1s], talk: 10s, skills: {fr: 3}}
  - {queue: q, at: 2s, talk: 10s, skills: {en: 6}}
  - {queue: q, at: 3s, talk: 10s, skills: {en: 1}}
"""
    assert told(text) == [
        (0, "answered", "both", 0, 10), (1, "answered", "both", 10, 20), (2, "answered", "en", 2, 12),
        (3, "answered", "en", 12, 22),
    ]


def test_priority_is_time_waited_already() -> None:
    text = HEAD.replace("count: 2, ", "") + (
        "  - {queue: q, at: [0s, 1s], talk: 10s}\n  - {queue: q, at: 2s, talk: 10s, priority: 1s}\n"
        "  - {queue: q, at: 3s, talk: 10s, priority: 3s}\n")
    assert [each[3] for each in told(text)] == [0, 20, 30, 10]  # ties go to who came first


def test_a_heavier_queue_goes_first() -> None:
    text = ("queues:\n  - {name: q}\n  - {name: vip, weight: 1}\nagents:\n  - {name: a, queues: [q, vip]}\narrivals:\n"
            "  - {queue: q, at: [0s, 1s], talk: 10s}\n  - {queue: vip, at: 9s, talk: 10s}\n")  # fmt: skip
    assert [each[3] for each in told(text)] == [0, 20, 10]


def test_patience_capacity_length_and_the_longest_wait() -> None:
    one = HEAD.replace("count: 2, ", "")
    line = "  - {queue: q, at: [0s, 1s, 2s], talk: 10s%s}\n"
    assert told(one + line % ", patience: 5s") == [
        (0, "answered", "a", 0, 10), (1, "abandoned", "", -1, 6), (2, "abandoned", "", -1, 7)]  # fmt: skip
    assert told(one + line % ", patience: 9s")[1] == (1, "answered", "a", 10, 20)  # the answer comes in the same ms
    for bound in ("capacity: 2", "length: 1"):
        assert told(one.replace("{name: q}", f"{{name: q, {bound}}}") + line % "")[2] == (2, "blocked", "", -1, 2)
    timed = told(one.replace("{name: q}", "{name: q, max_wait: 7s}") + line % "")
    assert timed[1:] == [(1, "timed_out", "", -1, 8), (2, "timed_out", "", -1, 9)]


def test_a_phone_rings_for_a_while_and_who_never_answers_rests() -> None:
    text = HEAD.replace("{name: q}", "{name: q, ring: 4s}") + "  - {queue: q, at: 0s, talk: 10s}\n"
    assert told(text) == [(0, "answered", "a-1", 4, 14)]
    assert Run(scenario(text)).go().offered == [0]
    slow = HEAD.replace("{name: q}", "{name: q, ring: 30s}") + "  - {queue: q, at: 0s, talk: 10s, patience: 65s}\n"
    assert told(slow) == [(0, "abandoned", "", -1, 65)]  # 20 s at one desk, then at the other, and again


def test_ring_all_takes_the_first_answer_alone() -> None:
    text = HEAD.replace("{name: q}", "{name: q, strategy: ring-all, ring: 1s}")
    assert told(text + "  - {queue: q, at: [0s, 0.5s], talk: 10s}\n") == [
        (0, "answered", "a-1", 1, 11), (0.5, "answered", "a-2", 2, 12)]  # fmt: skip


def test_who_got_nobody_tries_again_about_the_same() -> None:
    text = HEAD.replace("count: 2, ", "") + "  - {queue: q, at: 0s, talk: 10s}\n" + (
        "  - {queue: q, at: 1s, talk: 3s, patience: 2s, retry: {chance: 1, after: 4s, times: 2}}\n")
    assert told(text) == [
        (0, "answered", "a", 0, 10), (1, "abandoned", "", -1, 3), (7, "abandoned", "", -1, 9),
        (13, "answered", "a", 13, 16),
    ]
    assert Run(scenario(text)).go().attempt == [1, 1, 2, 3]
    assert told(text.replace("times: 2", "times: 1"))[-1] == (7, "abandoned", "", -1, 9)


def test_a_certain_run_is_one_run() -> None:
    text = HEAD + "  - {queue: q, at: [0s, 1s, 2s], talk: 10s}\n"
    assert told(text, replication=0) == told(text, replication=1)


RANDOM = """\
seed: 3
calls: 4000
queues:
  - {name: q, ring: {exponential: 8s}, length: 12}
  - {name: r, strategy: ring-all, weight: 1, ring: {exponential: 2s}, max_wait: 15s}
agents:
  - {name: a, count: 14, queues: [q], skills: {x: 3}}
  - {name: b, count: 14, queues: {q: 2, r: 1}, skills: {x: 1, y: 5}}
arrivals:
  - {queue: q, rate: 9/min, talk: {exponential: 90s}, patience: {exponential: 1min}, wrap_up: {exponential: 5s}}
  - {queue: q, rate: 2/min, talk: {exponential: 2min}, skills: {x: 2}}
  - queue: r
    rate: 3/min
    skills: {y: 4}
    talk: {lognormal: {mean: 2min, cv: 1.2}}
    patience: {exponential: 20s}
    retry: {chance: 0.7, after: {exponential: 1min}}
"""


def columns(calls: queueing.Calls) -> dict[str, list[int]]:
    return dict(vars(calls))


def test_every_caller_has_an_end_and_no_agent_two_calls() -> None:
    found = scenario(RANDOM)
    run = Run(found)
    calls = run.go()
    assert sum(attempt == 1 for attempt in calls.attempt) == 4_000
    assert set(calls.outcome) == {1, 2, 3, 4} and run.inside == [0, 0] and run.waiting == 0
    busy: dict[int, int] = {}
    seats = queueing.seats(found)
    for _, row in sorted((at, row) for row, at in enumerate(calls.answered) if at >= 0):
        agent = calls.agent[row]
        assert calls.answered[row] >= busy.get(agent, 0)
        assert agent in seats[found.sources[calls.source[row]].queue]
        assert calls.arrived[row] <= calls.offered[row] <= calls.answered[row] <= calls.ended[row] <= calls.free[row]
        busy[agent] = calls.free[row]
    assert len(busy) == 28
    assert run.distributor.check(run.distributor._pool.now_ms) == []


def test_same_seed_same_rows_and_another_seed_others() -> None:
    found = scenario(RANDOM)
    first, second = columns(Run(found).go()), columns(Run(found).go())
    assert first == second
    assert columns(Run(msgspec.structs.replace(found, seed=4)).go()) != first
    assert columns(Run(found, 1).go()) != first


def test_both_picks_decide_alike() -> None:
    found = scenario(RANDOM.replace("count: 14", "count: 40").replace("rate: ", "rate: 2"))
    assert columns(Run(found).go()) == columns(Run(found, kernels="numba").go())


def test_a_changed_rule_meets_the_same_callers() -> None:
    found = scenario(RANDOM)
    other = scenario(RANDOM.replace("retry: {chance: 0.7, after: {exponential: 1min}}", "").rstrip() + "\n")
    fewer = msgspec.structs.replace(other, agents=other.agents[1:])
    fresh = Run(found).go()
    kept = [at for at, attempt in zip(fresh.arrived, fresh.attempt, strict=True) if attempt == 1]
    assert Run(fewer).go().arrived == kept


def test_a_phone_that_is_never_answered_ends_all_the_same() -> None:
    found = scenario(HEAD + "  - {queue: q, at: [0s, 1s], talk: 10s}\n")
    deaf = msgspec.structs.replace(found.queues[0], ring=Law(EXPONENTIAL, 1e9))
    calls = Run(msgspec.structs.replace(found, queues=(deaf,))).go()
    assert calls.outcome == [4, 4] and calls.ended[0] >= 14_400_000  # queue_wait_ms_max

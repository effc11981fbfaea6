"""Who may join, who goes elsewhere: presence, overflow rules in order, credit, hops, and nobody ever lost."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import limits
from engine.call import overflow
from engine.dialplan.expressions import compile_expression
from engine.dialplan.queue_rules import FACTS
from engine.dialplan.types import FLAG
from engine.sim.world import World
from tests.call.calls import agent, over, ring, world
from tests.call.waits import AGENTS, QUEUES, WAITS, expect, waits_site
from tests.scenarios.sites import BUSY_SITE, busy_site


def story(w: World) -> list[tuple[str, str, str]]:
    """(kind, queue, why or where to) of everything that queues recorded."""
    kinds = ("queue.joined", "queue.left", "queue.overflowed", "queue.connected", "queue.abandoned")
    found = []
    for event in w.events:
        if event.kind in kinds:
            data = event.data
            found.append((event.kind[6:], str(data["queue"])[8:], str(data.get("to") or data.get("reason") or "")))
    return found


def test_he_moves_on_in_time_with_what_he_waited_and_the_music_goes_on() -> None:
    w = world(waits_site(), law9=True)
    agent(w, "202", answer_ms=-1)
    w.operate("agent.not_ready", agent="202")
    agent(w, "203")
    w.operate("agent.not_ready", agent="203")
    caller = ring(w, "750")
    w.run(60_500)
    assert story(w) == [
        ("joined", "first", ""), ("overflowed", "first", "default/second"), ("left", "first", "overflow"),
        ("joined", "second", ""),
    ]  # fmt: skip
    assert w.last("queue.joined").data["priority_ms"] == 60_001  # full credit
    assert w.heard(caller) == ["music/default"]  # never broken off
    w.run(60_500)
    assert story(w)[-1] == ("joined", "third", "") and w.last("queue.joined").data["priority_ms"] == 0
    w.operate("agent.ready", agent="203")
    assert w.run_until(lambda: w.hears(caller).startswith("row"), 5_000)
    caller.hang_up(w.now_ms)
    ended = over(w)
    assert int(str(ended.data["waited_ms"])) > 120_000 and ended.data["outcome"] == "served"


def test_a_queue_without_agents_or_skills_is_passed_over_and_he_keeps_his_place() -> None:
    w = world(waits_site())
    ring(w, "750")
    w.run(90_000)
    assert story(w) == [("joined", "first", "")]  # nobody is logged in in second
    agent(w, "202", answer_ms=-1)
    w.operate("agent.not_ready", agent="202")
    w.run(6_000)
    assert story(w)[-1] == ("joined", "first", "")  # a rule by time is looked at when its time comes
    needy = WAITS.replace("{name: first,", "{name: first, needs: {power: 2},")
    w = world(waits_site(waits=needy))
    agent(w, "202", answer_ms=-1)
    ring(w, "750")
    w.run(90_000)
    assert story(w) == [("joined", "first", "")]  # Ben lacks the skill


def test_who_rings_for_him_is_his_best_chance() -> None:
    w = world(waits_site(queues=QUEUES.replace("first:\n  ring: 10s", "first:\n  ring: 20s")))
    agent(w, "202", answer_ms=-1)
    w.operate("agent.not_ready", agent="202")
    ana = agent(w, "201", answer_ms=15_000)
    w.operate("agent.not_ready", agent="201")
    caller = ring(w, "750")
    w.run(50_000)
    w.operate("agent.ready", agent="201")
    w.run(16_000)
    assert ana.up() and w.hears(caller).startswith("row")
    assert [kind for kind, _, _ in story(w)] == ["joined", "connected"]


@pytest.mark.parametrize(
    ("rule", "hears", "result"),
    [
        ("{if: length > 1, outcome: voicemail}", "en/leave_message", "left"),
        ("{if: no_agents, outcome: callback}", "en/try_again", "called_back"),
        ("{if: closed, outcome: voicemail}", "music/default", ""),
        ("{if: agents_ready = 0 and position = 1, outcome: timeout}", "en/all_busy", "late"),
        ("{if: estimated_wait > 10min, outcome: callback}", "music/default", ""),
    ],
)
def test_rules_are_looked_at_when_he_joins(rule: str, hears: str, result: str) -> None:
    w = world(waits_site(queues=QUEUES.replace("{if: waited > 60s, queue: second}", rule)))
    caller = ring(w, "750")
    if "length" in rule:
        w.run(100)
        ring(w, "750", "5550002")
        w.run(100)
        caller = ring(w, "750", "5550003")
    w.run(200)
    assert w.hears(caller) == hears
    if result:
        w.run(5_000)
        assert w.last("call.ended").data["outcome"] == result
        assert len(w.all("queue.joined")) == (2 if "length" in rule else 0)


def with_rule(rule: str) -> str:
    return QUEUES.replace("{if: waited > 60s, queue: second}", rule)


def test_an_operator_closes_the_queue_and_newcomers_and_waiting_ones_follow_the_rule() -> None:
    w = world(waits_site(queues=with_rule("{if: closed, outcome: voicemail}")))
    early = ring(w, "750")
    w.run(500)
    w.operate("queue.close", queue="first")
    late = ring(w, "750", "5550002")
    w.run(300)
    assert w.hears(late) == "en/leave_message" and w.hears(early) == "music/default"
    w.run(5_000)
    assert "en/leave_message" in w.heard(early)


def test_an_estimate_that_grows_sends_him_to_the_callback(monkeypatch: pytest.MonkeyPatch) -> None:
    w = world(waits_site(queues=with_rule("{if: estimated_wait > 10min, outcome: callback}")))
    expect(monkeypatch, 60, 120, 240)
    caller = ring(w, "750")
    w.run(20_000)
    assert w.hears(caller) == "music/default"
    expect(monkeypatch, 600, 700, 900)
    w.run(5_100)
    assert "en/try_again" in w.heard(caller)


def test_who_would_wait_too_long_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    w = world(waits_site(queues=QUEUES.replace("first:\n", "first:\n  estimated_wait_max: 5min\n")))
    expect(monkeypatch, 200, 299, 400)
    taken = ring(w, "750")
    w.run(200)
    expect(monkeypatch, 200, 301, 400)
    refused = ring(w, "750", "5550002")
    w.run(200)
    assert w.hears(taken) == "music/default" and w.hears(refused) == "en/goodbye"
    assert w.last("queue.left").data["reason"] == "full"


@pytest.mark.parametrize(
    ("word", "pause", "taken"),
    [
        ("no", False, True), ("no", True, True), ("[not_ready]", True, False), ("[busy]", False, True),
        ("yes", True, True),
    ],
)
def test_join_conditions(word: str, pause: bool, taken: bool) -> None:
    w = world(waits_site(queues=QUEUES.replace("first:\n", f"first:\n  join_empty: {word}\n")))
    agent(w, "201", answer_ms=-1)
    if pause:
        w.operate("agent.not_ready", agent="201")
    caller = ring(w, "750")
    w.run(200)
    assert (w.hears(caller) == "music/default") == taken
    assert taken or w.last("queue.left").data["reason"] == "no_agents"
    w.operate("agent.logout", agent="201")
    w.run(20_000)
    second = ring(w, "750", "5550002")
    w.run(200)
    assert (w.hears(second) == "music/default") == (word == "yes")
    tally = w.switch.room.acd.snapshot_queues(w.now_ms)[0]
    assert tally["refused_no_agents"] == len([e for e in w.all("queue.left") if e.data["reason"] == "no_agents"])


@pytest.mark.parametrize(("word", "act"), [("yes", "agent.logout"), ("[not_ready]", "agent.not_ready")])
def test_when_the_last_agent_goes_whoever_waits_goes_on_at_once(word: str, act: str) -> None:
    w = world(waits_site(queues=QUEUES.replace("first:\n", f"first:\n  leave_when_empty: {word}\n")), law9=True)
    agent(w, "201", answer_ms=1_000)
    talking = ring(w, "750")
    w.run(2_000)
    waiting = ring(w, "750", "5550002")
    w.run(10_000)
    assert w.hears(waiting) == "music/default"
    talking.hang_up(w.now_ms)
    w.operate(act, agent="201")
    w.run(100)
    assert w.hears(waiting) == "en/goodbye"
    assert w.last("queue.left").data["reason"] == "empty"
    over(w)


def test_the_steps_own_rules_hold_in_its_queue_and_lead_to_its_flows() -> None:
    step = "    - queue:\n        name: first\n        overflow: [{if: waited > 10s, flow: left}]\n"
    step += "        full: bye\n        no_agents: bye\n        timeout: bye\n    - play: thank_you"
    own = WAITS.replace(next(each for each in WAITS.splitlines() if "name: first" in each), step)
    w = world(waits_site(waits=own))
    caller = ring(w, "750")
    w.run(10_200)
    assert w.hears(caller) == "en/leave_message"
    assert w.last("queue.overflowed").data["rule"] == "waited > 10s"


@pytest.mark.parametrize("answers", [True, False])
def test_overflow_to_a_number_is_dialled_and_one_that_fails_is_a_timeout(answers: bool) -> None:
    w = world(waits_site(queues=QUEUES.replace("waited > 60s, queue: second", "waited > 10s, number: 203")))
    cho = agent(w, "203", login=False, answer_ms=1_000 if answers else -1)
    caller = ring(w, "750")
    w.run(12_000)
    assert bool(cho.up()) == answers
    if answers:
        assert w.hears(caller).startswith("row")
        cho.hang_up(w.now_ms)
        w.run(200)
        assert w.hears(caller) == "en/thank_you"
    else:
        w.run(29_000)
        assert w.hears(caller) == "en/all_busy"
    over(w)


def test_thresholds_and_what_changes_by_itself() -> None:
    def tree(text: str) -> list[object]:
        return compile_expression(text, FACTS, FLAG, {}).tree

    assert overflow.thresholds(tree("waited > 5min or (length > 3 and waited >= 2min)")) == [300_000, 120_000]
    assert overflow.thresholds(tree("length > 20")) == []
    assert not overflow.changes(tree("waited > 5min"))
    assert overflow.changes(tree("length > 20")) and overflow.changes(tree("waited > 2 * 5min"))
    assert overflow.changes(tree("estimated_wait > 10min")) and overflow.changes(tree("no_agents"))


CONDITIONS = (
    "waited > 10s", "length > 1", "no_agents", "agents_ready = 0", "position > 1", "waited > 30s and length < 3",
)  # fmt: skip
TARGETS = ("queue: {}", "queue: {}, credit: none", "outcome: voicemail", "outcome: timeout", "number: 203")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rules=st.lists(
        st.tuples(st.sampled_from(("first", "second")), st.sampled_from(CONDITIONS), st.sampled_from(TARGETS)),
        min_size=1, max_size=6,
    ),
    acts=st.lists(st.tuples(st.integers(0, 6), st.integers(200, 20_000)), min_size=3, max_size=14),
)  # fmt: skip
def test_nobody_is_ever_lost_and_hops_are_bounded(
    rules: list[tuple[str, str, str]], acts: list[tuple[int, int]]
) -> None:
    """Whatever the rules, the agents and the operators do: every caller waits, talks, or has ended."""
    onward = {"first": "second", "second": "third"}
    text = {"first": "", "second": ""}
    for queue, condition, target in rules:
        text[queue] += f"    - {{if: {condition}, {target.format(onward[queue])}}}\n"
    queues = "".join(
        f"{name}:\n  ring: 5s\n" + (f"  overflow:\n{text[name]}" if text[name] else "") for name in ("first", "second")
    )
    queues += "third: {ring: 5s, length: 2}\nannounced: {ring: 5s}\n"
    w = world(waits_site(queues=queues, agents=AGENTS))
    phones = [agent(w, user, answer_ms=500) for user in ("201", "202")]
    assert phones
    for act, ms in acts:
        if act < 3:
            ring(w, "750", f"555{len(w.all('call.started')):04}")
        elif act == 3:
            w.operate("agent.not_ready", agent="202")
        elif act == 4:
            w.operate("agent.ready", agent="202")
        elif act == 5:
            w.operate("agent.logout", agent="201")
        else:
            w.operate("queue.close", queue="second")
        w.run(ms)
    for call in w.switch.room.calls.values():
        if call.waiting is not None:
            assert call.waiting.hops <= limits.overflow_hops_max and w.switch.room.acd.position(call.id)
    w.run(900_000)
    started, ended = w.kinds("call.started"), w.kinds("call.ended")
    talking = [call for call in w.switch.room.calls.values() if call.phase == "talking"]
    waits = [call for call in w.switch.room.calls.values() if call.phase == "queue"]
    assert len(started) == len(ended) + len(talking) + len(waits) and not waits
    assert not [line.text for line in w.logs if line.level == "error"]


def test_a_tenants_callers_overflow_into_a_queue_that_another_tenant_lends() -> None:
    desk = "ringdown: 1\nlanguages: [en]\nflows:\n  main:\n    - answer\n    - queue: {name: orders, full: bye, "
    desk += "no_agents: bye, timeout: bye}\n    - hangup: served\n  bye:\n    - hangup: failed\n"
    numbers = BUSY_SITE.replace("  9196:", "  760: {dialplan: press/desk, public: yes}\n  9196:")
    site = busy_site(
        site=numbers + "lends:\n  queues:\n    support: [press]\n",
        tenants__press__tenant="domain: press.example\nborrows: {queues: [default/support]}\n",
        tenants__press__queues="orders:\n  overflow: [{if: no_agents, queue: default/support}]\n",
        tenants__press__agents="300: {name: Paul, queues: [orders]}\n",
        tenants__press__dialplans__desk=desk,
    )
    w = world(site, law9=True)
    ana = agent(w, "201", answer_ms=300)
    caller = ring(w, "760")
    assert w.run_until(lambda: bool(ana.up()), 5_000)
    w.run(300)
    assert w.hears(caller).startswith("row")
    connected = w.last("queue.connected")
    assert (connected.tenant, connected.data["queue"], connected.data["agent"]) == (
        "press", "default/support", "default/201",
    )  # fmt: skip
    caller.hang_up(w.now_ms)
    over(w)

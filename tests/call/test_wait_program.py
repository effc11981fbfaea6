"""Wait lists as programs: rounds, choices, conditions on the queue, variables of the dialplan, words that leave."""

from __future__ import annotations

import pytest

from engine.sim.world import World
from tests.call.calls import agent, over, ring, world
from tests.call.waits import WAITS, expect, waits_site

HEAD = WAITS.replace("{name: first,", "{name: first, waiting: hold,")
QUEUES = "first: {ring: 10s}\nsecond: {ring: 10s}\nthird: {ring: 10s}\nannounced: {ring: 10s}\n"
OFFER = """
waits:
  hold:
    - set: {rounds: rounds + 1}
    - play: please_hold
    - when:
        - if: queue.waited > 20s
          then:
            - menu:
                prompt: try_again
                timeout: 4s
                choices:
                  1: back
                  2:
                    - play: thank_you
                    - set: {rounds: 100}
                failed: continue
        - if: rounds > 1
          then:
            - position
    - music: 10s
"""
LEAVES = """
waits:
  hold:
    - play: please_hold
    - switch:
        value: rounds
        cases: {0: again_later}
        else: continue
    - music: 10s
"""


def waiting(w: World) -> bool:
    return any(call.waiting is not None for call in w.switch.room.calls.values())


def a_world(wait: str, *, law9: bool = False, queues: str = QUEUES) -> World:
    return world(waits_site(waits=HEAD + wait, queues=queues), law9=law9)


def test_rounds_conditions_and_a_choice_that_stays_in_the_queue() -> None:
    w = a_world(OFFER, law9=True)
    caller = ring(w, "750")
    w.run(35_000)
    heard = w.heard(caller)
    assert heard[:5] == ["en/please_hold", "music/default", "en/please_hold", "en/you_are_next", "music/default"]
    assert "en/try_again" in heard and waiting(w)
    assert w.run_until(lambda: w.hears(caller) == "en/try_again", 30_000)
    w.press(caller, "2")
    assert w.hears(caller) == "en/thank_you" and waiting(w)
    w.run(1_000)
    assert w.hears(caller) == "music/default"
    (call,) = w.switch.room.calls.values()
    assert call.running is not None and call.running.variables["rounds"] == 100  # one scope per call
    caller.hang_up(w.now_ms)
    assert over(w).data["outcome"] == "abandoned"


@pytest.mark.parametrize("after_ms", [300, 5_000, 24_000])
def test_a_word_of_a_menu_leaves_the_queue_at_any_time(after_ms: int) -> None:
    """Key 1 is live during the prompt, the music and the menu itself."""
    w = a_world(OFFER)
    caller = ring(w, "750")
    w.run(after_ms)
    w.press(caller, "1")
    assert w.hears(caller) == "en/try_again" and not waiting(w)
    left = w.last("queue.left")
    assert (left.data["reason"], left.data["key"]) == ("exit", "1")
    w.run(2_000)
    assert w.last("call.ended").data["outcome"] == "called_back"


def test_a_word_of_a_switch_leaves_the_queue_and_what_was_set_there_stays() -> None:
    more = "  again_later:\n    - set: {rounds: 1}\n    - play: thank_you\n    - goto: main\n"
    w = world(waits_site(waits=HEAD + more + LEAVES, queues=QUEUES), law9=True)
    caller = ring(w, "750")
    w.run(1_100)
    assert w.last("queue.left").data["reason"] == "left" and w.hears(caller) == "en/thank_you"
    w.run(3_000)
    assert w.hears(caller) == "music/default" and waiting(w)  # the second time he stays
    assert [e.data["reason"] for e in w.all("queue.left")] == ["left"]


def test_a_dialplan_that_leaves_and_joins_for_ever_is_stopped_and_not_the_engine() -> None:
    more = "  again_later:\n    - goto: main\n"
    instant = "waits:\n  hold:\n    - goto: again_later\n    - music: 10s\n"
    w = world(waits_site(waits=HEAD + more + instant, queues=QUEUES))
    ring(w, "750")
    w.run(5_000)
    assert any("1000 steps without input" in str(e.data["detail"]) for e in w.all("call.fault"))
    assert w.last("call.ended").data["outcome"] == "failed"
    over(w)


def test_estimates_and_facts_of_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    wait = """
waits:
  hold:
    - when:
        - if: queue.estimated_wait > 10min
          then: back
        - if: queue.length >= 2 and queue.position = 2 and queue.agents_ready = 0
          then:
            - say: $queue.position
    - estimate
    - music: 30s
"""
    expect(monkeypatch, 200, 300, 420)
    w = a_world(wait, law9=True)
    first = ring(w, "750")
    w.run(200)
    second = ring(w, "750", "5550002")
    w.run(6_000)
    between = "en/wait_between en/numbers/4 en/numbers/and en/numbers/7 en/wait_minutes"
    assert w.heard(first) == [between, "music/default"]
    assert w.heard(second) == ["en/numbers/2", between, "music/default"]
    assert [(e.data["position"], e.data["low_min"]) for e in w.all("queue.told")] == [(1, 4), (2, 4)]
    expect(monkeypatch, 600, 660, 800)
    w.run(31_000)
    assert "en/try_again" in w.heard(second) and not waiting(w)


def test_an_unknown_estimate_says_nothing_and_no_comparison_with_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    wait = """
waits:
  hold:
    - when:
        - if: queue.estimated_wait < 1min
          then: back
    - estimate
    - silence: 5s
"""
    expect(monkeypatch, 0, 0, 0)
    w = a_world(wait)
    caller = ring(w, "750")
    w.run(30_000)
    assert waiting(w) and not w.all("queue.told") and "en/try_again" not in w.heard(caller)


@pytest.mark.parametrize("after_ms", [300, 3_000, 23_000])
def test_an_agent_who_answers_ends_the_list_in_that_moment(after_ms: int) -> None:
    """During its prompt, its music, its menu: the bridge replaces it in the same step, nothing of it comes back."""
    w = a_world(OFFER, law9=True)
    caller = ring(w, "750")
    w.run(after_ms - 100)
    ana = agent(w, "201", answer_ms=1_000)
    assert w.run_until(lambda: bool(ana.up()), 10_000)
    answered_ms = w.now_ms
    assert w.run_until(lambda: w.hears(caller).startswith("row"), 200) and w.now_ms - answered_ms < 200
    heard = len(w.heard(caller))
    w.run(60_000)
    assert len(w.heard(caller)) == heard and not waiting(w)
    assert not any(w.switch.room.deadlines.at(("wait", call.id)) for call in w.switch.room.calls.values())
    caller.hang_up(w.now_ms)
    over(w)


def test_an_agent_who_doesnt_answer_leaves_the_list_running() -> None:
    w = a_world(OFFER)
    agent(w, "201", answer_ms=-1)
    caller = ring(w, "750")
    w.run(60_000)
    assert waiting(w) and w.heard(caller).count("en/please_hold") >= 3


def test_a_list_follows_him_into_the_next_queue() -> None:
    queues = "first:\n  ring: 10s\n  overflow: [{if: waited > 15s, queue: second}]\n" + QUEUES.partition("\n")[2]
    w = world(waits_site(waits=HEAD + OFFER, queues=queues), law9=True)
    agent(w, "202", answer_ms=-1)
    w.operate("agent.not_ready", agent="202")
    caller = ring(w, "750")
    w.run(40_000)
    assert w.last("queue.joined").data["queue"] == "default/second"
    assert w.heard(caller).count("en/please_hold") >= 3 and "en/try_again" in w.heard(caller)
    w.press(caller, "1")
    assert w.last("queue.left").data["queue"] == "default/second"


def test_a_prompt_whose_end_is_never_told_doesnt_stop_the_list() -> None:
    w = a_world(OFFER)
    w.media.forgetful = True
    caller = ring(w, "750")
    w.run(60_000)
    assert w.heard(caller).count("en/please_hold") >= 3

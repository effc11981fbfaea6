"""What a waiting caller is told over the music: when, in which words, and that it never shrinks without a cause."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.call import announcing
from engine.dialplan.wait_words import said_range
from tests.call.calls import agent, over, ring, said, world
from tests.call.waits import WAITS, expect, waits_site

BETWEEN_4_7 = "en/wait_between en/numbers/4 en/numbers/and en/numbers/7 en/wait_minutes"


def test_join_position_estimate_and_periodic_in_their_rhythm(monkeypatch: pytest.MonkeyPatch) -> None:
    expect(monkeypatch, 200, 300, 420)
    w = world(waits_site(), law9=True)
    caller = ring(w, "751")
    w.run(100_000)
    heard = w.heard(caller)
    assert heard[0] == "en/please_hold" and heard[1] == "music/default"
    spoken = [each for each in heard[1:] if each != "music/default"]
    assert spoken[0] == f"en/you_are_next {BETWEEN_4_7}"
    assert [each.split()[-1] for each in spoken if "thank_you" in each or "one_moment" in each] == [
        "en/thank_you", "en/one_moment",
    ]  # fmt: skip
    assert sum("en/you_are_next" in each for each in spoken) == 4 and len(w.all("queue.position")) == 4
    told = [(e.data["low_min"], e.data["high_min"]) for e in w.all("queue.told")]
    assert told == [(4, 7), (4, 7)]


def test_nothing_is_said_while_nobody_knows_or_the_range_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for low, high in ((0, 0), (120, 1_500)):
        expect(monkeypatch, low, high // 2, high)
        w = world(waits_site())
        caller = ring(w, "751")
        w.run(70_000)
        assert not w.all("queue.told") and not any("wait_" in each for each in w.heard(caller))


def test_it_doesnt_shrink_without_a_cause_and_does_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    expect(monkeypatch, 480, 540, 600)
    w = world(waits_site())
    first = ring(w, "751", "5550001")
    w.run(50)
    second = ring(w, "751", "5550002")
    w.run(10_000)
    mine = [e for e in w.all("queue.told") if e.data["position"] == 2]
    assert [(e.data["low_min"], e.data["high_min"]) for e in mine] == [(8, 10)]
    expect(monkeypatch, 60, 120, 180)
    w.run(60_000)  # a minute has passed, he stands where he stood: a minute less, not seven
    mine = [e for e in w.all("queue.told") if e.data["position"] == 2]
    assert [(e.data["low_min"], e.data["high_min"]) for e in mine][1:] == [(7, 9)]
    first.hang_up(w.now_ms)
    w.run(60_000)
    assert (w.last("queue.told").data["low_min"], w.last("queue.told").data["high_min"]) == (1, 3)
    second.hang_up(w.now_ms)
    over(w)


def test_an_announcement_stops_the_moment_an_agent_answers() -> None:
    """In virtual time the plane gets its bridge in the same step: far below 200 ms."""
    w = world(waits_site())
    ana = agent(w, "201", answer_ms=800)
    caller = ring(w, "751")  # please_hold lasts 1,000 ms
    assert w.run_until(lambda: bool(ana.up()), 5_000)
    answered_ms = w.now_ms
    assert w.run_until(lambda: w.hears(caller).startswith("row"), 200)
    assert w.now_ms - answered_ms <= 20 and "music/default" not in w.heard(caller)
    assert said(ana, "INVITE")


def test_while_the_agent_hears_the_whisper_the_caller_hears_music_and_no_announcement() -> None:
    w = world(waits_site(waits=WAITS.replace("{name: announced,", "{name: announced, whisper: one_moment,")))
    ana = agent(w, "201", answer_ms=500)
    caller = ring(w, "751")
    assert w.run_until(lambda: bool(ana.up()), 5_000)
    w.run(100)
    assert w.hears(ana) == "en/one_moment" and w.heard(caller) == ["en/please_hold", "music/default"]
    w.run(700)
    assert w.hears(caller).startswith("row")


@given(
    low=st.integers(0, 60_000 * 40), width=st.integers(0, 60_000 * 10), passed=st.integers(0, 600_000),
    told=st.tuples(st.integers(1, 28), st.integers(0, 30)),
)  # fmt: skip
def test_what_is_said_next_is_never_less_than_what_was_said_before_minus_the_time(
    low: int, width: int, told: tuple[int, int], passed: int
) -> None:
    raised = announcing.not_less(low, low + width, told, passed)
    assert raised[0] >= low and raised[1] >= low + width and raised[0] <= raised[1]
    words = said_range(*raised)
    if words is not None and words[0]:
        assert words[0] * 60_000 >= told[0] * 60_000 - passed - 300_000 or words[1]
    assert raised[0] >= told[0] * 60_000 - passed


def test_the_distributors_own_estimate_is_said_once_it_has_learnt_how_long_calls_last() -> None:
    w = world(waits_site())
    ana = agent(w, "201", answer_ms=200)
    for number in range(20):
        caller = ring(w, "751", f"554{number:04}")
        assert w.run_until(lambda: bool(ana.up()), 20_000)
        w.run(150_000)
        caller.hang_up(w.now_ms)
        w.run(2_000)
    assert not w.all("queue.told")
    talking = ring(w, "751", "5550000")
    w.run(20_000)
    waiting = ring(w, "751", "5550001")
    w.run(8_000)
    told = w.last("queue.told")
    low, high = int(str(told.data["low_min"])), int(str(told.data["high_min"]))
    assert 2 <= high <= 4 and low <= 3  # a talk lasts 150 s, 20 s of this one are over
    assert any("en/wait_" in each for each in w.heard(waiting))
    talking.hang_up(w.now_ms)

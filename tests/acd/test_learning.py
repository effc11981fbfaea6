"""What a queue learns: bins, folding, fading, rates of arrival; all of it integers that survive encoding."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.acd import learning
from engine.acd.learning import BINS, GAVE_UP, OVER, TALK, UNIT, WRAP, Learnt

EDGES = learning.edges()


@given(st.integers(0, 1 << 26))
def test_a_bin_holds_the_durations_between_its_edges(ms: int) -> None:
    at = learning.bin_of(ms)
    assert 0 <= at < BINS
    assert EDGES[at] <= ms and (ms < EDGES[at + 1] or at == BINS - 1)


def test_bins_are_narrow() -> None:
    assert len(EDGES) == BINS + 1 and sorted(set(EDGES)) == EDGES
    assert max(above / below for below, above in pairwise(EDGES[1:])) <= 1.125


def test_nothing_counts_before_enough_has_gathered() -> None:
    learnt = Learnt()
    folded = [learnt.note(TALK, 60_000) for _ in range(8)]
    assert folded == [False] * 7 + [True]
    assert learnt.calls() == 8 and learnt.news == []
    assert learnt.histograms[TALK][learning.bin_of(60_000)] == 8 * UNIT


def test_kinds_are_kept_apart() -> None:
    learnt = Learnt()
    for kind in (TALK, WRAP, OVER, GAVE_UP) * 2:
        learnt.note(kind, 1_000 << kind)
    assert [sum(counts) // UNIT for counts in learnt.histograms] == [2, 2, 2, 2]
    assert learnt.histograms[OVER][learning.bin_of(4_000)] == 2 * UNIT


def test_the_past_fades_and_memory_is_bounded() -> None:
    learnt = Learnt()
    for _ in range(20_000):
        learnt.note(TALK, 60_000)
    for _ in range(20_000):
        learnt.note(TALK, 180_000)
    counts = learnt.histograms[TALK]
    assert sum(counts) <= learning.MEMORY + UNIT * learning.BEFORE_FOLDING[1]
    assert counts[learning.bin_of(60_000)] < counts[learning.bin_of(180_000)] // 100
    assert len(learnt.news) < learning.BEFORE_FOLDING[1]


def test_patience_fades_together_with_the_waits_it_is_compared_with() -> None:
    learnt = Learnt()
    for _ in range(10_000):
        learnt.note(OVER, 30_000)
        learnt.note(GAVE_UP, 30_000)
    assert learnt.histograms[OVER] == learnt.histograms[GAVE_UP]


def test_ringing_is_averaged_and_fades() -> None:
    learnt = Learnt()
    assert learnt.ring_ms() == 0
    for _ in range(200):
        learnt.rang(4_000)
    assert learnt.ring_ms() == 4_000
    for _ in range(500):
        learnt.rang(8_000)
    assert abs(learnt.ring_ms() - 8_000) < 100


def test_rates_follow_the_arrivals() -> None:
    chance = Random(5)
    learnt, now = Learnt(), 7_000_123
    for _ in range(4_000):
        now += round(chance.expovariate(1 / 2_000))
        learnt.arrived(60_000 if chance.random() < 0.25 else 0, now)
    rates = learnt.rates(now)
    assert sum(rates.values()) == pytest.approx(1 / 2_000, rel=0.15)
    assert rates[60_000] == pytest.approx(0.25 / 2_000, rel=0.3)


def test_rates_fall_when_nobody_comes() -> None:
    learnt = Learnt()
    for now in range(0, 600_000, 1_000):
        learnt.arrived(0, now)
    before, after = learnt.rates(600_000)[0], learnt.rates(3_600_000)[0]
    assert before == pytest.approx(1 / 1_000, rel=0.05)
    assert after < before / 5


def test_the_first_minutes_are_not_understated() -> None:
    learnt = Learnt()
    for now in range(140_000, 170_000, 1_000):  # over the edge of a slot
        learnt.arrived(0, now)
    assert learnt.rates(170_000)[0] == pytest.approx(1 / 1_000, rel=0.1)


def test_priorities_are_bounded() -> None:
    learnt = Learnt()
    for priority in range(50):
        learnt.arrived(priority * 1_000, 0)
    assert len(learnt.coming) == learning.CLASSES_MAX
    assert sum(learnt.coming.values()) == 50 * UNIT * UNIT


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 10_000_000)), max_size=300), st.integers(0, 299))
def test_encoded_in_the_middle_it_goes_on_alike(notes: list[tuple[int, int]], stop: int) -> None:
    one, other = Learnt(), Learnt()
    for index, (kind, ms) in enumerate(notes):
        if index == stop:
            other = msgspec.msgpack.decode(msgspec.msgpack.encode(other), type=Learnt)
        for learnt in (one, other):
            learnt.note(kind, ms)
            learnt.arrived(ms % 3, index * 40_000)
    assert one == other
    assert msgspec.msgpack.encode(one) == msgspec.msgpack.encode(other)

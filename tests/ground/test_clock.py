"""Deadlines: against a plain model, under re-arming, cancelling and encoding."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from engine.clock import Deadlines, Key

KEYS = st.tuples(st.sampled_from(["ring", "wrap", "B"]), st.integers(0, 4))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("arm"), KEYS, st.integers(0, 50)),
        st.tuples(st.just("cancel"), KEYS, st.just(0)),
        st.tuples(st.just("pop"), KEYS, st.integers(0, 50)),
    ),
    max_size=200,
)


@given(STEPS)
def test_deadlines_behave_like_a_sorted_list(steps: list[tuple[str, Key, int]]) -> None:
    deadlines, model, serial = Deadlines(), dict[Key, tuple[int, int]](), 0
    for number, (what, key, value) in enumerate(steps):
        if what == "arm":
            serial += 1
            model[key] = (value, serial)
            deadlines.arm(key, value)
        elif what == "cancel":
            model.pop(key, None)
            deadlines.cancel(key)
        else:
            due = sorted((at, order, each) for each, (at, order) in model.items() if at <= value)
            assert deadlines.pop_due(value) == (due[0][2] if due else None)
            if due:
                del model[due[0][2]]
        assert deadlines.next() == min((at for at, _ in model.values()), default=None)
        assert deadlines.at(key) == (model[key][0] if key in model else None)
        if number % 50 == 25:
            deadlines = msgspec.msgpack.decode(msgspec.msgpack.encode(deadlines), type=Deadlines)


def test_ties_fire_in_the_order_in_which_they_were_armed() -> None:
    deadlines = Deadlines()
    for number in (3, 1, 2):
        deadlines.arm(("ring", number), 10)
    assert [deadlines.pop_due(10) for _ in range(4)] == [("ring", 3), ("ring", 1), ("ring", 2), None]


def test_nothing_fires_early() -> None:
    deadlines = Deadlines()
    deadlines.arm(("ring", 1), 10)
    assert deadlines.pop_due(9) is None
    assert deadlines.pop_due(10) == ("ring", 1)


def test_rearming_for_ever_keeps_the_heap_small() -> None:
    deadlines = Deadlines()
    for at_ms in range(10_000):
        deadlines.arm(("session", 1), at_ms)
        deadlines.arm(("session", 2), at_ms)
    assert len(deadlines.heap) <= 66
    assert deadlines.next() == 9_999


@given(STEPS, st.integers(0, 100_000))
def test_a_shift_moves_everything_and_changes_no_order(steps: list[tuple[str, Key, int]], by_ms: int) -> None:
    deadlines = Deadlines()
    for what, key, value in steps:
        if what == "arm":
            deadlines.arm(key, value)
        elif what == "cancel":
            deadlines.cancel(key)
    plain = msgspec.msgpack.decode(msgspec.msgpack.encode(deadlines), type=Deadlines)
    deadlines.shift(by_ms)
    while (due := plain.next()) is not None:
        assert deadlines.next() == due + by_ms and deadlines.pop_due(due + by_ms - 1) is None
        assert deadlines.pop_due(due + by_ms) == plain.pop_due(due)
    assert deadlines.next() is None


def test_after_a_shift_ties_still_fire_in_the_order_in_which_they_were_armed() -> None:
    deadlines = Deadlines()
    keys: list[Key] = [("ring", number) for number in (4, 1, 3, 2)]
    for key in keys:
        deadlines.arm(key, 10)
    deadlines.shift(5)
    assert [deadlines.pop_due(15) for _ in keys] == keys

"""The heap of integers against a plain search over the columns."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.acd.deadlines import AGENT, ENTRY, OFFER, DeadlineHeap


def columns(size: int = 4) -> tuple[memoryview, memoryview, memoryview]:
    return tuple(memoryview(bytearray(8 * size)).cast("q") for _ in range(3))  # type: ignore[return-value]


def test_ties_fire_by_kind_and_row_whatever_the_order_of_arming() -> None:
    heap, live = DeadlineHeap(), columns()
    for kind, row in ((AGENT, 0), (OFFER, 3), (ENTRY, 1), (OFFER, 2)):
        live[kind][row] = 50
        heap.arm(kind, row, 50)
    fired = [heap.pop_due(live, 50) for _ in range(5)]
    assert fired == [(OFFER, 2), (OFFER, 3), (ENTRY, 1), (AGENT, 0), None]


def test_nothing_before_its_time_and_no_stale_word() -> None:
    heap, live = DeadlineHeap(), columns()
    live[ENTRY][1] = 10
    heap.arm(ENTRY, 1, 10)
    live[ENTRY][1] = 90
    heap.arm(ENTRY, 1, 90)
    assert heap.next(live) == 90
    assert heap.pop_due(live, 89) is None
    assert heap.pop_due(live, 90) == (ENTRY, 1)
    assert live[ENTRY][1] == 0 and heap.next(live) is None


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["arm", "cancel", "pop", "rebuild"]), st.integers(0, 2), st.integers(0, 3),
                  st.integers(1, 20)),
        max_size=60,
    )
)  # fmt: skip
def test_like_a_search_over_the_columns(steps: list[tuple[str, int, int, int]]) -> None:
    heap, live = DeadlineHeap(), columns()
    for what, kind, row, at in steps:
        armed = sorted((live[k][r], k, r) for k in range(3) for r in range(4) if live[k][r])
        assert heap.next(live) == (armed[0][0] if armed else None)
        if what == "arm":
            live[kind][row] = at
            heap.arm(kind, row, at)
        elif what == "cancel":
            live[kind][row] = 0
        elif what == "rebuild":
            heap.rebuild(live, (4, 4, 4))
            assert len(heap.words) == len(armed)
        else:
            expected = armed[0][1:] if armed and armed[0][0] <= at else None
            assert heap.pop_due(live, at) == expected

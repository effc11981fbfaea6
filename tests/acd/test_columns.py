"""Rows are taken lowest first, grow to a bound, come back blank with a higher generation, and survive saving."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.acd.columns import AgentColumns, Columns, EntryColumns, OfferColumns, Saved


def test_rows_are_blank_and_generations_rise() -> None:
    agents = AgentColumns(8)
    row = agents.take()
    assert (row, agents.offer[row], agents.entry[row], agents.generation[row]) == (0, -1, -1, 1)
    agents.misses[row], agents.spent[3][row] = 5, 9
    agents.give(row)
    assert agents.take() == row
    assert (agents.misses[row], agents.spent[3][row], agents.offer[row], agents.generation[row]) == (0, 0, -1, 2)


def test_growing_keeps_what_is_there_and_stops_at_the_maximum() -> None:
    entries = EntryColumns(5, capacity=2)
    rows = [entries.take() for _ in range(5)]
    assert rows == [0, 1, 2, 3, 4]
    for row in rows:
        entries.call[row] = 100 + row
    assert entries.take() == -1
    assert [entries.call[row] for row in rows] == [100, 101, 102, 103, 104]
    assert entries.block.shape == (len(EntryColumns.fields), 5)
    entries.give(3)
    entries.give(1)
    assert len(entries) == 3 and entries.take() == 1


def test_views_and_block_are_the_same_memory() -> None:
    offers = OfferColumns(4)
    row = offers.take()
    offers.started[row] = 77
    assert offers.block[OfferColumns.index("started"), row] == 77
    assert type(offers.started[row]) is int


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.just(-1), st.integers(0, 11)), max_size=60))
def test_saved_columns_go_on_alike(steps: list[int]) -> None:
    one = EntryColumns(12, capacity=2)
    for step in steps:
        taken = [row for row in range(one.used) if row not in one.free]
        if step < 0:
            one.take()
        elif step in taken:
            one.give(step)
    other = EntryColumns(12)
    other.load(one.save())
    assert other.save() == one.save()
    assert [one.take() for _ in range(4)] == [other.take() for _ in range(4)]
    assert other.save() == one.save()


def test_an_older_state_with_fewer_fields_is_read() -> None:
    saved = Saved(("generation", "call", "gone"), 2, [], np.array([[1, 1], [7, 8], [3, 3]], dtype="<i8").tobytes())
    entries = EntryColumns(4)
    entries.load(saved)
    assert (entries.call[1], entries.first[1], entries.agent[0], entries.joined[0]) == (8, -1, -1, 0)


def test_field_names_are_unique_and_have_views() -> None:
    for kind in Columns.__subclasses__():
        columns = kind(4)
        assert len(set(kind.fields)) == len(kind.fields)
        assert all(len(getattr(columns, field)) == 4 for field in kind.fields)
        assert kind.blank.keys() <= set(kind.fields)

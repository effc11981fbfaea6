"""The table of our registrations: every state answers every input, and each can be left."""

from __future__ import annotations

from engine.sip.account import ON_THE_WIRE, TABLE, Act, Life, Turn


def test_the_table_is_total_and_every_state_is_reached_and_left() -> None:
    assert set(TABLE) == {(life, turn) for life in Life for turn in Turn}
    for life in Life:
        assert any(after == life != before for (before, _), (after, _) in TABLE.items()), life
        assert any(after != life for (before, _), (after, _) in TABLE.items() if before == life), life


def test_one_register_at_a_time() -> None:
    """RFC 3261 §10.2: none while another waits for its answer; only OK and FAILED bring that."""
    for (before, turn), (after, acts) in TABLE.items():
        sends = Act.SEND in acts or Act.LEAVE in acts
        assert not sends or before not in ON_THE_WIRE or turn in (Turn.OK, Turn.FAILED), (before, turn)
        if after in ON_THE_WIRE and before not in ON_THE_WIRE:
            assert sends, (before, turn)


def test_what_waits_has_something_that_wakes_it() -> None:
    for (before, turn), (after, acts) in TABLE.items():
        if after == Life.HELD != before:
            assert Act.KEEP in acts, (before, turn)
        if after == Life.RESTING and before not in (Life.RESTING, Life.LATE):
            assert Act.REST in acts, (before, turn)

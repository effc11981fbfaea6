"""Deadlines whose call, leg or attempt is gone do nothing; those that come run their row."""

from __future__ import annotations

import pytest

from engine.call import due
from tests.call.calls import over, talk, world

GONE = 987_654
KINDS = [*due._LEG_DEADLINES, *due._CALL_DEADLINES, "ring", "lever", "budget", "unheard"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_gone_is_not_missed(kind: str) -> None:
    w = world()
    before, said = w.switch.encode(), len(w.switch.room.out)
    due.deadline(w.switch.room, (kind, GONE), w.now_ms)
    assert w.switch.encode() == before and len(w.switch.room.out) == said


def test_a_call_that_lasts_too_long_is_ended() -> None:
    w = world()
    caller, _ = talk(w)
    number = next(iter(w.switch.room.calls))
    due.deadline(w.switch.room, ("call", number), w.now_ms)
    w.run(1_000)
    over(w)
    assert not caller.up()

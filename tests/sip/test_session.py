"""The session's phases as a table."""

from __future__ import annotations

from engine.sip.session import IGNORED, MOVES, Move, Phase, Session, move
from tests.sip.test_dialog import dialog


def test_every_phase_says_why_it_ignores_the_rest() -> None:
    assert set(IGNORED) == set(Phase)


def test_every_phase_is_reached_and_left() -> None:
    assert {Phase.INCOMING, Phase.CALLING} | set(MOVES.values()) == set(Phase)
    for phase in Phase:
        if phase != Phase.OVER:
            assert any(origin == phase and target != phase for (origin, _), target in MOVES.items())
    assert not any(origin == Phase.OVER for origin, _ in MOVES)


def test_every_phase_but_the_last_can_be_hung_up_or_is_ending() -> None:
    ending = {Phase.DISMISSED, Phase.GIVING_UP, Phase.CANCELLING, Phase.LEAVING, Phase.OVER}
    for phase in Phase:
        assert ((phase, Move.HANG_UP) in MOVES) != (phase in ending)


def test_move_follows_the_table_and_ignores_the_rest() -> None:
    for phase in Phase:
        for what in Move:
            session = Session(1, phase, True, dialog(), "<sip:me>")
            moved = move(session, what)
            assert moved == ((phase, what) in MOVES)
            assert session.phase == MOVES.get((phase, what), phase)


def test_no_bye_before_the_ack() -> None:
    assert MOVES[(Phase.ANSWERED, Move.HANG_UP)] == Phase.DISMISSED
    assert MOVES[(Phase.DISMISSED, Move.ACKED)] == Phase.LEAVING

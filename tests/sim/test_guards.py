"""The guard sees what could stay for ever: a sound switch has nothing to say, each missing deadline is named."""

from __future__ import annotations

import pytest

from engine.sim.guards import SESSION_NETS, unguarded
from engine.sip.session import Phase
from tests.call.calls import agent, ring, talk, world


def test_a_sound_world_has_nothing_without_a_deadline() -> None:
    w = world()
    assert unguarded(w.switch) == []
    talk(w)
    assert unguarded(w.switch) == []


@pytest.mark.parametrize("kind", ["call", "ring", "whisper", "tone", "script", "report"])
def test_each_missing_deadline_is_named(kind: str) -> None:
    w = world()
    desk = agent(w, "201", answer_ms=-1 if kind == "ring" else 100)
    caller = desk if kind == "tone" else None
    ring(w, {"whisper": "711", "tone": "*52", "script": "100"}.get(kind, "700"), phone=caller)
    w.run(400)
    w.watched = False
    room = w.switch.room
    if kind == "report":
        next(iter(room.calls.values())).phase = "closing"
    for key in list(room.deadlines.armed):
        if key[0] == kind:
            room.deadlines.cancel(key)
    found = unguarded(w.switch)
    assert found and any(kind in text for text in found)


def test_an_orphaned_session_leg_offer_and_entry_are_named() -> None:
    w = world()
    talk(w)
    w.watched = False
    room = w.switch.room
    (call,) = room.calls.values()
    other = room.legs.pop(call.other)
    room.offers[99] = (0, 0)
    found = " ".join(unguarded(w.switch))
    assert f"session {other.session} of no leg" in found and "talks to nobody" in found and "offer 99" in found


def test_a_distributor_row_without_a_deadline_is_named() -> None:
    w = world()
    talk(w)
    w.watched = False
    pool = w.switch.room.acd._pool
    pool.entries.deadline[0] = 0
    pool.agents.deadline[next(row for row, state in enumerate(pool.agents.state) if state == 3)] = 0
    assert {text.split()[0] for text in unguarded(w.switch)} == {"entry", "agent"}


def test_every_phase_before_and_after_a_conversation_has_its_timer() -> None:
    assert set(SESSION_NETS) | {Phase.CONFIRMED, Phase.LEAVING, Phase.OVER} == set(Phase)


@pytest.mark.parametrize("phase", list(SESSION_NETS))
def test_a_sip_session_that_lost_its_timer_is_named(phase: Phase) -> None:
    w = world()
    talk(w)
    w.watched = False
    session = next(iter(w.switch.room.endpoint.core.sessions.values()))
    session.phase = phase
    assert any(f"session {session.id}: no {SESSION_NETS[phase]}" in text for text in unguarded(w.switch))

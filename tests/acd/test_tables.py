"""The tables are total, and what they say about the laws can be read from them."""

from __future__ import annotations

import numpy as np
import pytest

from engine.acd import tables
from engine.acd.tables import (
    AGENT_ACTIONS,
    AGENT_IDLE,
    AGENT_INPUTS,
    AGENT_NEXT,
    AGENT_STATES,
    ALERTING,
    CANCEL,
    CONNECT,
    DEADLINE,
    E_CONNECT,
    E_ENDED,
    E_PICK,
    ENTRY_ACTIONS,
    ENTRY_INPUTS,
    ENTRY_NEXT,
    ENTRY_STATES,
    FAULT,
    HOME,
    OFFER,
    OFFER_ACTIONS,
    OFFER_INPUTS,
    OFFER_NEXT,
    OFFER_STATES,
    PICK,
    READY,
    TALKING,
    WISH,
    WRAP,
    compile_rows,
)

MACHINES = [
    (AGENT_NEXT, AGENT_ACTIONS, AGENT_STATES, AGENT_INPUTS, 3),
    (ENTRY_NEXT, ENTRY_ACTIONS, ENTRY_STATES, ENTRY_INPUTS, 0),
    (OFFER_NEXT, OFFER_ACTIONS, OFFER_STATES, OFFER_INPUTS, 0),
]


@pytest.mark.parametrize("machine", MACHINES, ids=["agent", "entry", "offer"])
def test_total_and_within_bounds(machine: tuple) -> None:
    following, actions, states, inputs, questions = machine
    assert following.shape == actions.shape == (len(states), len(inputs))
    assert following.dtype == np.int64
    assert following.min() >= 0 and following.max() < len(states) + questions
    assert not following.flags.writeable


def test_constants_name_their_words() -> None:
    for names, prefix, words in (
        (tuple(word.upper() for word in AGENT_STATES), "", AGENT_STATES),
        (tuple(word.upper() for word in AGENT_INPUTS), "", AGENT_INPUTS),
        (tuple(f"E_{word.upper()}" for word in ENTRY_STATES), "E_", ENTRY_STATES),
        (tuple(f"E_{word.upper()}" for word in ENTRY_INPUTS), "E_", ENTRY_INPUTS),
        (tuple(f"O_{word.upper()}" for word in OFFER_STATES), "O_", OFFER_STATES),
        (tuple(f"O_{word.upper()}" for word in OFFER_INPUTS), "O_", OFFER_INPUTS),
    ):
        for name in names:
            assert words[getattr(tables, name)] == name.removeprefix(prefix).lower()


def test_a_missing_row_is_an_error() -> None:
    with pytest.raises(ValueError, match="b / go: missing"):
        compile_rows((("a", "go", "b", "", "why"),), ("a", "b"), ("go",))


def test_a_row_written_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match="a / go: written twice"):
        compile_rows((("a", "go", "a", "", "why"), ("a", "go", "a", "", "why")), ("a",), ("go",))


def test_a_row_without_reason_is_an_error() -> None:
    with pytest.raises(ValueError, match="without a reason"):
        compile_rows((("a", "go", "a", "", ""),), ("a",), ("go",))


def test_only_ready_agents_are_offered_and_only_alerting_ones_win() -> None:
    for state in range(len(AGENT_STATES)):
        assert bool(AGENT_ACTIONS[state, OFFER] & FAULT) == (state != READY)
        assert bool(AGENT_ACTIONS[state, CONNECT] & FAULT) == (state != ALERTING)


def test_every_way_out_of_alerting_that_the_agent_chose_withdraws_his_offer() -> None:
    for given, word in enumerate(AGENT_INPUTS):
        leaves = AGENT_NEXT[ALERTING, given] == HOME
        if leaves and word not in ("miss", "withdraw"):
            assert AGENT_ACTIONS[ALERTING, given] & CANCEL, word


def test_a_conversation_ends_only_by_its_end() -> None:
    for given, word in enumerate(AGENT_INPUTS):
        if word in ("end", "deadline"):
            assert AGENT_NEXT[TALKING, given] == WRAP
        elif word != "offer":  # impossible there: healed towards home
            assert AGENT_NEXT[TALKING, given] == TALKING


def test_every_state_but_idle_ones_leaves_at_its_deadline() -> None:
    for state in range(len(AGENT_STATES)):
        if state in AGENT_IDLE:
            assert AGENT_ACTIONS[state, DEADLINE] & FAULT
        else:
            assert AGENT_NEXT[state, DEADLINE] in (HOME, WRAP)


def test_what_an_agent_asks_for_is_remembered_in_every_state_where_he_is_logged_in() -> None:
    asked = [AGENT_INPUTS.index(word) for word in ("login_paused", "logout", "pause")]
    for state in range(1, len(AGENT_STATES)):
        for given in asked:
            assert AGENT_ACTIONS[state, given] & WISH, (AGENT_STATES[state], AGENT_INPUTS[given])


def test_a_connected_entry_is_never_offered_or_connected_again() -> None:
    connected = ENTRY_STATES.index("connected")
    for word in ("offer", "connect"):
        assert ENTRY_ACTIONS[connected, ENTRY_INPUTS.index(word)] & FAULT
    others = [state for state in range(len(ENTRY_STATES)) if ENTRY_STATES[state] != "alerting"]
    assert all(ENTRY_ACTIONS[state, E_CONNECT] & FAULT for state in others)


def test_leaving_ends_every_entry() -> None:
    assert all(ENTRY_NEXT[state, ENTRY_INPUTS.index("leave")] == E_ENDED for state in range(len(ENTRY_STATES)))


def test_only_who_is_on_duty_and_free_has_the_caller_whom_he_picks() -> None:
    for state, word in enumerate(AGENT_STATES):
        assert (AGENT_NEXT[state, PICK] == TALKING) == (word != "logged_out")
        assert bool(AGENT_ACTIONS[state, PICK] & CANCEL) == (word == "alerting")
    for state, word in enumerate(ENTRY_STATES):
        assert (ENTRY_NEXT[state, E_PICK] == ENTRY_STATES.index("connected")) == (
            word in ("waiting", "alerting", "connected")
        )

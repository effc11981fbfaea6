"""The tables as data: total, consistent, and free of accidents (law 3)."""

from __future__ import annotations

import msgspec
import pytest

from engine.sip.events import Path
from engine.sip.timers import Timer
from engine.sip.transaction import (
    ARM_FIRST,
    TIMER_INPUT_FIRST,
    Action,
    Input,
    Kind,
    Machine,
    State,
    Transaction,
    pairs,
)
from engine.sip.transaction_layer import MACHINES


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.kind.name.lower())
class TestEveryMachine:
    def test_is_total(self, machine: Machine) -> None:
        assert machine.gaps() == []

    def test_has_no_rows_outside_its_states_and_inputs(self, machine: Machine) -> None:
        for state, happening in [*machine.table, *machine.ignored]:
            assert state in machine.states and happening in machine.inputs
        for state, _ in machine.table.values():
            assert state in machine.states

    def test_says_why_a_pair_is_ignored(self, machine: Machine) -> None:
        assert all(len(reason) > 4 for reason in machine.ignored.values())

    def test_reaches_every_state_and_leaves_it(self, machine: Machine) -> None:
        reached = {State.NEW} | {state for state, _ in machine.table.values()}
        assert reached == set(machine.states)
        for state in machine.states:
            leaves = {row[0] for (origin, _), row in machine.table.items() if origin == state} - {state}
            assert leaves or state == State.TERMINATED

    def test_timers_that_are_armed_are_also_served(self, machine: Machine) -> None:
        for state, actions in machine.table.values():
            for action in actions:
                if action >= ARM_FIRST:
                    happening = Input(TIMER_INPUT_FIRST + action - ARM_FIRST)
                    assert (state, happening) in machine.table, (state, action)

    def test_flat_rows_equal_the_table(self, machine: Machine) -> None:
        for state in State:
            for happening in Input:
                assert machine.row(state, happening) == machine.table.get((state, happening))


def test_machines_stand_in_the_order_of_their_kinds() -> None:
    assert [machine.kind for machine in MACHINES] == list(Kind)


def test_timers_actions_and_inputs_run_in_parallel() -> None:
    for timer in Timer:
        assert Action(ARM_FIRST + timer).name == f"ARM_{timer.name}"
        assert Input(TIMER_INPUT_FIRST + timer).name == f"TIMER_{timer.name}"


def test_gaps_finds_missing_and_double_pairs() -> None:
    table = {(State.NEW, Input.START): (State.TERMINATED, ())}
    ignored = pairs((State.NEW, State.TERMINATED), (Input.START,), "double")
    machine = Machine(Kind.INVITE_CLIENT, (State.NEW, State.TERMINATED), (Input.START, Input.R1XX), table, ignored)
    assert machine.gaps() == [
        (State.NEW, Input.START), (State.NEW, Input.R1XX), (State.TERMINATED, Input.R1XX),
    ]


def test_a_transaction_is_data() -> None:
    path = Path(1, "h", 1)
    tx = Transaction(1, Kind.INVITE_CLIENT, State.CALLING, ("b", "INVITE"), "INVITE", path, False, b"x", "u", 2)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(tx), type=Transaction) == tx

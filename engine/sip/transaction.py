"""What the four transaction machines share: states, inputs, actions, the record and the table (RFC 3261 §17).

A machine is a literal table {(State, Input): (State, actions)} in its own module; every other pair must be
listed there as ignored, with the reason. `Machine` checks at import that both together are total, and lays
them out as a flat list so that a step costs one index. Who carries out the actions is `transaction_layer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

import msgspec

from engine.sip.events import Path
from engine.sip.message import Message


class State(IntEnum):
    """States by their RFC names (§17.1.1.2, §17.1.2.2, §17.2.1, §17.2.2; Accepted: RFC 6026 §7)."""

    NEW = 0
    CALLING = 1
    TRYING = 2
    PROCEEDING = 3
    COMPLETED = 4
    CONFIRMED = 5
    ACCEPTED = 6
    TERMINATED = 7


class Input(IntEnum):
    """What can happen to a transaction. FINAL stands for 200–699 where the machine doesn't care which."""

    START = 0
    REQUEST = 1  # the request again, from the wire
    ACK = 2  # ACK that matches an INVITE server transaction
    R1XX = 3
    R2XX = 4
    R3XX_6XX = 5
    FINAL = 6
    SEND_1XX = 7  # the transaction user responds
    SEND_2XX = 8
    SEND_3XX_6XX = 9
    SEND_FINAL = 10
    TIMER_A = 11
    TIMER_B = 12
    TIMER_D = 13
    TIMER_E = 14
    TIMER_F = 15
    TIMER_G = 16
    TIMER_H = 17
    TIMER_I = 18
    TIMER_J = 19
    TIMER_K = 20
    TIMER_L = 21
    TIMER_M = 22
    TRANSPORT_ERROR = 23


TIMER_INPUT_FIRST = Input.TIMER_A  # Input = TIMER_INPUT_FIRST + Timer


class Action(IntEnum):
    """What a row orders, in order. ARM and STOP name a lettered timer."""

    SEND = 0  # the stored message (request, or the response just given), also its repeats
    ACK = 1  # ACK for a non-2xx final response (§17.1.1.3)
    DELIVER = 2  # response (or an ACK, at a server) to the transaction user
    TIMED_OUT = 3  # tell the user: no answer / no ACK
    BROKEN = 4  # tell the user: the transport failed
    DOUBLE_A = 5
    DOUBLE_E = 6
    SLOW_E = 7  # E at T2 once a provisional response came (§17.1.2.2)
    DOUBLE_G = 8
    STOP_REPEATS = 9  # A, E or G
    STOP_WAIT = 10  # B, F or H
    ARM_A = 11
    ARM_B = 12
    ARM_D = 13
    ARM_E = 14
    ARM_F = 15
    ARM_G = 16
    ARM_H = 17
    ARM_I = 18
    ARM_J = 19
    ARM_K = 20
    ARM_L = 21
    ARM_M = 22


ARM_FIRST = Action.ARM_A  # Action = ARM_FIRST + Timer

Row = tuple[State, tuple[Action, ...]]
Table = Mapping[tuple[State, Input], Row]
Ignored = Mapping[tuple[State, Input], str]

_INPUTS = len(Input)


class Kind(IntEnum):
    """Which of the four machines a transaction runs on."""

    INVITE_CLIENT = 0
    NON_INVITE_CLIENT = 1
    INVITE_SERVER = 2
    NON_INVITE_SERVER = 3


class Machine:
    """A total table. `states` and `inputs` are what this machine can be in and meet."""

    def __init__(
        self, kind: Kind, states: tuple[State, ...], inputs: tuple[Input, ...], table: Table, ignored: Ignored
    ) -> None:
        self.kind = kind
        self.states = states
        self.inputs = inputs
        self.table = table
        self.ignored = ignored
        self.rows: list[Row | None] = [None] * (len(State) * _INPUTS)
        for (state, happening), row in table.items():
            self.rows[state * _INPUTS + happening] = row

    def row(self, state: int, happening: int) -> Row | None:
        """The row for this pair, or None when it is ignored on purpose."""
        return self.rows[state * _INPUTS + happening]

    def gaps(self) -> list[tuple[State, Input]]:
        """Pairs that are neither a row nor ignored, or both: must be empty (law 3)."""
        return [
            (state, happening)
            for state in self.states
            for happening in self.inputs
            if ((state, happening) in self.table) == ((state, happening) in self.ignored)
        ]


class Asked(msgspec.Struct, array_like=True):
    """The body and own headers of a request in a dialog, and how often it has been challenged."""

    headers: tuple[tuple[str, str], ...]
    body: bytes
    content_type: str
    cseq: int
    challenged: int = 0


class Transaction(msgspec.Struct, array_like=True):
    """One transaction of any kind.

    `key` is how messages find it (§17.1.3, §17.2.3). `data` is the request (client) or the last response
    (server, empty before the first). `usage` and `owner` say who in this stack is its user: an exchange name
    and the id of a session, refer, registration or probe. `interval_ms` is the running repeat interval. A server
    keeps its `request` until the final response; `other_port` is the port its Via names. `asked` is what a client
    needs to say the request again with credentials.
    """

    id: int
    kind: int
    state: int
    key: tuple[str, ...]
    method: str
    path: Path
    reliable: bool
    data: bytes
    usage: str
    owner: int
    interval_ms: int = 0
    merge_key: tuple[str, ...] = ()
    started_ms: int = 0
    other_port: int = 0
    request: Message | None = None
    asked: Asked | None = None


def pairs(states: tuple[State, ...], inputs: tuple[Input, ...], reason: str) -> dict[tuple[State, Input], str]:
    """The product of states and inputs, all ignored for one reason (a helper for the machines' lists)."""
    return {(state, happening): reason for state in states for happening in inputs}

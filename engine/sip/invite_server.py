"""INVITE server transaction: RFC 3261 §17.2.1 as changed by RFC 6026 §7.1 and §8.7 (state Accepted)."""

from __future__ import annotations

from engine.sip.transaction import Action, Ignored, Input, Kind, Machine, State, Table, pairs

_A = Action

TABLE: Table = {
    # §17.2.1: 100 Trying at once (a busy engine must not make the far end repeat), then the user decides
    (State.NEW, Input.START): (State.PROCEEDING, (_A.SEND,)),
    (State.PROCEEDING, Input.REQUEST): (State.PROCEEDING, (_A.SEND,)),
    (State.PROCEEDING, Input.SEND_1XX): (State.PROCEEDING, (_A.SEND,)),
    # RFC 6026 §8.7: the 2xx is repeated by the user; L keeps INVITE repeats away from it
    (State.PROCEEDING, Input.SEND_2XX): (State.ACCEPTED, (_A.SEND, _A.ARM_L)),
    (State.ACCEPTED, Input.SEND_2XX): (State.ACCEPTED, (_A.SEND,)),
    (State.ACCEPTED, Input.ACK): (State.ACCEPTED, (_A.DELIVER,)),
    (State.ACCEPTED, Input.TIMER_L): (State.TERMINATED, ()),
    # §17.2.1: a refusal is repeated by G until the ACK, or H
    (State.PROCEEDING, Input.SEND_3XX_6XX): (State.COMPLETED, (_A.SEND, _A.ARM_G, _A.ARM_H)),
    (State.COMPLETED, Input.REQUEST): (State.COMPLETED, (_A.SEND,)),
    (State.COMPLETED, Input.TIMER_G): (State.COMPLETED, (_A.SEND, _A.DOUBLE_G)),
    (State.COMPLETED, Input.TIMER_H): (State.TERMINATED, (_A.STOP_REPEATS, _A.TIMED_OUT)),
    (State.COMPLETED, Input.ACK): (State.CONFIRMED, (_A.STOP_REPEATS, _A.STOP_WAIT, _A.ARM_I)),
    (State.CONFIRMED, Input.TIMER_I): (State.TERMINATED, ()),
    # RFC 6026 §8.8: a failed response doesn't end the transaction; the far end may come back by another way
    (State.PROCEEDING, Input.TRANSPORT_ERROR): (State.PROCEEDING, (_A.BROKEN,)),
    (State.ACCEPTED, Input.TRANSPORT_ERROR): (State.ACCEPTED, (_A.BROKEN,)),
    (State.COMPLETED, Input.TRANSPORT_ERROR): (State.COMPLETED, (_A.BROKEN,)),
}

STATES = (State.NEW, State.PROCEEDING, State.COMPLETED, State.CONFIRMED, State.ACCEPTED, State.TERMINATED)
INPUTS = (
    Input.START, Input.REQUEST, Input.ACK, Input.SEND_1XX, Input.SEND_2XX, Input.SEND_3XX_6XX, Input.TIMER_G,
    Input.TIMER_H, Input.TIMER_I, Input.TIMER_L, Input.TRANSPORT_ERROR,
)

_ALL_BUT_START = INPUTS[1:]
_STOPPED = "the timer was stopped or never armed in this state: a spurious expiry does nothing"
_SAID = "a final response has been given: the user's later word is void (a bug there, never on the wire)"

IGNORED: Ignored = {
    **pairs((State.NEW,), _ALL_BUT_START, "the 100 goes out in the step that creates the transaction"),
    **pairs(STATES[1:], (Input.START,), "started once only"),
    **pairs((State.PROCEEDING,), (Input.ACK,), "an ACK before any final response is stray (protocol error, dropped)"),
    **pairs((State.PROCEEDING,), (Input.TIMER_G, Input.TIMER_H, Input.TIMER_I, Input.TIMER_L), _STOPPED),
    **pairs((State.ACCEPTED,), (Input.REQUEST,), "absorbed, not answered: the 2xx repeats by itself (RFC 6026 §8.7)"),
    **pairs((State.ACCEPTED,), (Input.SEND_1XX, Input.SEND_3XX_6XX), _SAID),
    **pairs((State.ACCEPTED,), (Input.TIMER_G, Input.TIMER_H, Input.TIMER_I), _STOPPED),
    **pairs((State.COMPLETED,), (Input.SEND_1XX, Input.SEND_2XX, Input.SEND_3XX_6XX), _SAID),
    **pairs((State.COMPLETED,), (Input.TIMER_I, Input.TIMER_L), _STOPPED),
    **pairs((State.CONFIRMED,), (Input.REQUEST, Input.ACK), "repeats that the network delayed are absorbed (§17.2.1)"),
    **pairs((State.CONFIRMED,), (Input.SEND_1XX, Input.SEND_2XX, Input.SEND_3XX_6XX), _SAID),
    **pairs((State.CONFIRMED,), (Input.TIMER_G, Input.TIMER_H, Input.TIMER_L), _STOPPED),
    **pairs((State.CONFIRMED,), (Input.TRANSPORT_ERROR,), "nothing is sent any more"),
    **pairs((State.TERMINATED,), _ALL_BUT_START, "the transaction is over (§17.2.1)"),
}

MACHINE = Machine(Kind.INVITE_SERVER, STATES, INPUTS, TABLE, IGNORED)

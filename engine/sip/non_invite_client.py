"""Non-INVITE client transaction: RFC 3261 §17.1.2."""

from __future__ import annotations

from engine.sip.transaction import Action, Ignored, Input, Kind, Machine, State, Table, pairs

_A = Action

TABLE: Table = {
    # §17.1.2.2: E repeats (doubling to T2), F gives up
    (State.NEW, Input.START): (State.TRYING, (_A.ARM_E, _A.ARM_F, _A.SEND)),
    (State.TRYING, Input.TIMER_E): (State.TRYING, (_A.SEND, _A.DOUBLE_E)),
    (State.TRYING, Input.TIMER_F): (State.TERMINATED, (_A.STOP_REPEATS, _A.TIMED_OUT)),
    (State.TRYING, Input.R1XX): (State.PROCEEDING, (_A.DELIVER,)),
    (State.TRYING, Input.FINAL): (State.COMPLETED, (_A.STOP_REPEATS, _A.STOP_WAIT, _A.DELIVER, _A.ARM_K)),
    # once a 1xx came the request is repeated every T2, still until F
    (State.PROCEEDING, Input.TIMER_E): (State.PROCEEDING, (_A.SEND, _A.SLOW_E)),
    (State.PROCEEDING, Input.TIMER_F): (State.TERMINATED, (_A.STOP_REPEATS, _A.TIMED_OUT)),
    (State.PROCEEDING, Input.R1XX): (State.PROCEEDING, (_A.DELIVER,)),
    (State.PROCEEDING, Input.FINAL): (State.COMPLETED, (_A.STOP_REPEATS, _A.STOP_WAIT, _A.DELIVER, _A.ARM_K)),
    # K absorbs repeats of the response
    (State.COMPLETED, Input.TIMER_K): (State.TERMINATED, ()),
    # §17.1.4
    (State.TRYING, Input.TRANSPORT_ERROR): (State.TERMINATED, (_A.STOP_REPEATS, _A.STOP_WAIT, _A.BROKEN)),
    (State.PROCEEDING, Input.TRANSPORT_ERROR): (State.TERMINATED, (_A.STOP_REPEATS, _A.STOP_WAIT, _A.BROKEN)),
}

STATES = (State.NEW, State.TRYING, State.PROCEEDING, State.COMPLETED, State.TERMINATED)
INPUTS = (
    Input.START, Input.R1XX, Input.FINAL, Input.TIMER_E, Input.TIMER_F, Input.TIMER_K, Input.TRANSPORT_ERROR,
)

_ALL_BUT_START = INPUTS[1:]
_STOPPED = "the timer was stopped or never armed in this state: a spurious expiry does nothing"

IGNORED: Ignored = {
    **pairs((State.NEW,), _ALL_BUT_START, "nothing has been sent yet: no response can match, no timer runs"),
    **pairs(STATES[1:], (Input.START,), "started once only"),
    **pairs((State.TRYING, State.PROCEEDING), (Input.TIMER_K,), _STOPPED),
    **pairs((State.COMPLETED,), (Input.R1XX, Input.FINAL), "a repeat of the response is absorbed (§17.1.2.2)"),
    **pairs((State.COMPLETED,), (Input.TIMER_E, Input.TIMER_F), _STOPPED),
    **pairs((State.COMPLETED,), (Input.TRANSPORT_ERROR,), "nothing is sent any more"),
    **pairs((State.TERMINATED,), _ALL_BUT_START, "the transaction is over (§17.1.2.2)"),
}

MACHINE = Machine(Kind.NON_INVITE_CLIENT, STATES, INPUTS, TABLE, IGNORED)

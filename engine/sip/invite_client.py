"""INVITE client transaction: RFC 3261 §17.1.1 as changed by RFC 6026 §7.2 and §8.4 (state Accepted)."""

from __future__ import annotations

from engine.sip.transaction import Action, Ignored, Input, Kind, Machine, State, Table, pairs

_A = Action

TABLE: Table = {
    # §17.1.1.2: the request goes out; A repeats it, B gives up
    (State.NEW, Input.START): (State.CALLING, (_A.ARM_A, _A.ARM_B, _A.SEND)),
    (State.CALLING, Input.TIMER_A): (State.CALLING, (_A.SEND, _A.DOUBLE_A)),
    (State.CALLING, Input.TIMER_B): (State.TERMINATED, (_A.STOP_REPEATS, _A.TIMED_OUT)),
    (State.CALLING, Input.R1XX): (State.PROCEEDING, (_A.STOP_REPEATS, _A.STOP_WAIT, _A.DELIVER)),
    (State.PROCEEDING, Input.R1XX): (State.PROCEEDING, (_A.DELIVER,)),
    # RFC 6026 §8.4: a 2xx no longer ends the transaction; forks and repeats are passed up until M
    (State.CALLING, Input.R2XX): (State.ACCEPTED, (_A.STOP_REPEATS, _A.STOP_WAIT, _A.ARM_M, _A.DELIVER)),
    (State.PROCEEDING, Input.R2XX): (State.ACCEPTED, (_A.ARM_M, _A.DELIVER)),
    (State.ACCEPTED, Input.R2XX): (State.ACCEPTED, (_A.DELIVER,)),
    (State.ACCEPTED, Input.TIMER_M): (State.TERMINATED, ()),
    # §17.1.1.2 and .3: a refusal is ACKed here, its repeats too
    (State.CALLING, Input.R3XX_6XX): (
        State.COMPLETED, (_A.STOP_REPEATS, _A.STOP_WAIT, _A.ACK, _A.DELIVER, _A.ARM_D)),
    (State.PROCEEDING, Input.R3XX_6XX): (State.COMPLETED, (_A.ACK, _A.DELIVER, _A.ARM_D)),
    (State.COMPLETED, Input.R3XX_6XX): (State.COMPLETED, (_A.ACK,)),
    (State.COMPLETED, Input.TIMER_D): (State.TERMINATED, ()),
    # §17.1.4: the transport failed; in Completed the ACK did (the user has its answer already)
    (State.CALLING, Input.TRANSPORT_ERROR): (State.TERMINATED, (_A.STOP_REPEATS, _A.STOP_WAIT, _A.BROKEN)),
    (State.PROCEEDING, Input.TRANSPORT_ERROR): (State.TERMINATED, (_A.BROKEN,)),
    (State.COMPLETED, Input.TRANSPORT_ERROR): (State.TERMINATED, ()),
}

STATES = (State.NEW, State.CALLING, State.PROCEEDING, State.COMPLETED, State.ACCEPTED, State.TERMINATED)
INPUTS = (
    Input.START, Input.R1XX, Input.R2XX, Input.R3XX_6XX, Input.TIMER_A, Input.TIMER_B, Input.TIMER_D,
    Input.TIMER_M, Input.TRANSPORT_ERROR,
)

_ALL_BUT_START = INPUTS[1:]
_STARTED = STATES[1:]
_STOPPED = "the timer was stopped or never armed in this state: a spurious expiry does nothing"

IGNORED: Ignored = {
    **pairs((State.NEW,), _ALL_BUT_START, "nothing has been sent yet: no response can match, no timer runs"),
    **pairs(_STARTED, (Input.START,), "started once only"),
    **pairs((State.CALLING, State.PROCEEDING), (Input.TIMER_D, Input.TIMER_M), _STOPPED),
    **pairs((State.PROCEEDING,), (Input.TIMER_A, Input.TIMER_B), _STOPPED),
    **pairs((State.COMPLETED,), (Input.R1XX,), "a provisional response after the final one was overtaken (§17.1.1.2)"),
    **pairs((State.COMPLETED,), (Input.R2XX,), "a 2xx after a refusal: no dialog, the callee's 64·T1 ends it"),
    **pairs((State.COMPLETED,), (Input.TIMER_A, Input.TIMER_B, Input.TIMER_M), _STOPPED),
    **pairs((State.ACCEPTED,), (Input.R1XX, Input.R3XX_6XX), "dropped in Accepted (RFC 6026 §8.4)"),
    **pairs((State.ACCEPTED,), (Input.TIMER_A, Input.TIMER_B, Input.TIMER_D), _STOPPED),
    **pairs((State.ACCEPTED,), (Input.TRANSPORT_ERROR,), "the ACK is sent by the user, who learns of it himself"),
    **pairs((State.TERMINATED,), _ALL_BUT_START, "the transaction is over (§17.1.1.2)"),
}

MACHINE = Machine(Kind.INVITE_CLIENT, STATES, INPUTS, TABLE, IGNORED)

"""Non-INVITE server transaction: RFC 3261 §17.2.2; transport errors by RFC 6026 §8.8."""

from __future__ import annotations

from engine.sip.transaction import Action, Ignored, Input, Kind, Machine, State, Table, pairs

_A = Action

TABLE: Table = {
    (State.NEW, Input.START): (State.TRYING, ()),
    (State.TRYING, Input.SEND_1XX): (State.PROCEEDING, (_A.SEND,)),
    (State.TRYING, Input.SEND_FINAL): (State.COMPLETED, (_A.SEND, _A.ARM_J)),
    (State.PROCEEDING, Input.REQUEST): (State.PROCEEDING, (_A.SEND,)),
    (State.PROCEEDING, Input.SEND_1XX): (State.PROCEEDING, (_A.SEND,)),
    (State.PROCEEDING, Input.SEND_FINAL): (State.COMPLETED, (_A.SEND, _A.ARM_J)),
    (State.COMPLETED, Input.REQUEST): (State.COMPLETED, (_A.SEND,)),
    (State.COMPLETED, Input.TIMER_J): (State.TERMINATED, ()),
    # RFC 6026 §8.8: keep the state, the request's repeat may come by a path that works
    (State.PROCEEDING, Input.TRANSPORT_ERROR): (State.PROCEEDING, (_A.BROKEN,)),
    (State.COMPLETED, Input.TRANSPORT_ERROR): (State.COMPLETED, (_A.BROKEN,)),
}

STATES = (State.NEW, State.TRYING, State.PROCEEDING, State.COMPLETED, State.TERMINATED)
INPUTS = (
    Input.START, Input.REQUEST, Input.SEND_1XX, Input.SEND_FINAL, Input.TIMER_J, Input.TRANSPORT_ERROR,
)

_ALL_BUT_START = INPUTS[1:]
_STOPPED = "the timer was stopped or never armed in this state: a spurious expiry does nothing"

IGNORED: Ignored = {
    **pairs((State.NEW,), _ALL_BUT_START, "started in the step that creates the transaction"),
    **pairs(STATES[1:], (Input.START,), "started once only"),
    **pairs((State.TRYING,), (Input.REQUEST,), "a repeat before the user has answered is discarded (§17.2.2)"),
    **pairs((State.TRYING,), (Input.TRANSPORT_ERROR,), "nothing has been sent yet"),
    **pairs((State.TRYING, State.PROCEEDING), (Input.TIMER_J,), _STOPPED),
    **pairs((State.COMPLETED,), (Input.SEND_1XX, Input.SEND_FINAL), "later responses are discarded (§17.2.2)"),
    **pairs((State.TERMINATED,), _ALL_BUT_START, "the transaction is over (§17.2.2)"),
}

MACHINE = Machine(Kind.NON_INVITE_SERVER, STATES, INPUTS, TABLE, IGNORED)

"""Inputs and outputs cross the wall as data: every one can be journalled and read again."""

from __future__ import annotations

from typing import get_args

import msgspec

from engine import switch
from engine.call import effects
from tests.call.calls import agent, talk, world


def test_every_input_has_a_rule() -> None:
    assert set(switch._INPUTS) == set(get_args(effects.Input))


def test_every_input_and_output_of_a_day_can_be_written_and_read_again() -> None:
    w = world()
    outputs: list[effects.Output] = []
    give = w.give
    w.give = lambda event: (outputs.extend(give(event)), w.outputs)[1]  # type: ignore[method-assign,func-returns-value]
    caller, desk = talk(w)
    agent(w, "202")
    w.operate("status")
    caller.hang_up(w.now_ms)
    w.run(10_000)
    encode = msgspec.msgpack.encode
    reads = msgspec.msgpack.Decoder(effects.Input)
    for _, event in w.inputs:
        assert reads.decode(encode(event)) == event
    writes = msgspec.msgpack.Decoder(effects.Output)
    assert outputs and desk is not None
    for output in outputs:
        assert writes.decode(encode(output)) == output


def test_every_event_of_a_sip_session_has_a_rule() -> None:
    from engine.sip import events as sip

    missing = {kind.__name__ for kind in get_args(sip.SipEvent)} - {kind.__name__ for kind in switch._SIP}
    assert not missing

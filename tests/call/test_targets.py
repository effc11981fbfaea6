"""Whom a target means: every phone of an agent, none, or a word for why."""

from __future__ import annotations

from engine.call.call import Call
from engine.call.targets import resolve, static_path
from tests.call.calls import agent, ring, told, world


def test_an_agent_without_a_phone_is_unreachable_at_once() -> None:
    w = world()
    ben = agent(w, "202")
    ring(w, "201", phone=ben)
    w.run(200)
    assert told(ben) == "rejected 480"
    assert [(e.data["target"], e.data["result"]) for e in w.all("dial.ended")] == [
        ("agent/default/201", "unreachable")
    ]


def test_a_number_may_be_an_agents_and_an_address_must_be_one() -> None:
    w = world()
    agent(w, "202")
    room = w.switch.room
    call = Call(9, "c", "default", room.site, "1", "", "202", "agent", "", w.now_ms)
    found = resolve(room, call, "number/202")
    assert isinstance(found, list) and [each.party for each in found] == ["agent 202"]
    assert resolve(room, call, "agent/default/999") == "unreachable"
    assert static_path(room, "sip:1@192.0.2.9;transport=sctp")[0] is None
    path, uri = static_path(room, "1@192.0.2.9")
    assert path is not None and (path.port, uri) == (5060, "1@192.0.2.9")

"""The operators' desk: answers from the living state, acts with an author, clear words for what isn't there."""

from __future__ import annotations

import msgspec
import pytest

from tests.call.calls import agent, over, ring, talk, told, world
from tests.call.test_agents import two_tenants


def test_calls_agents_queues_and_status_show_what_is() -> None:
    w = world()
    talk(w)
    ring(w, "740", "5550009")
    w.run(3_000)
    calls = msgspec.json.decode(w.operate("calls").data)
    assert [(c["caller"], c["agent"], c["queue"], c["phase"]) for c in calls] == [
        ("5551234", "default/201", "default/support", "talking"), ("5550009", "", "default/narrow", "queue"),
    ]  # fmt: skip
    agents = {row["agent"]: row for row in msgspec.json.decode(w.operate("agents").data)}
    assert (
        agents["201"]["state"] == "talking" and agents["201"]["seconds"] >= 3 and agents["202"]["state"] == "logged_out"
    )
    assert "default/support" in agents["201"]["queues"]
    queues = msgspec.json.decode(w.operate("queues").data)
    assert queues[0]["estimate_ms"] in (None, [0, 0, 0]), "nothing learnt yet: an agent is idle, or nothing is said"
    assert any("default/narrow" in map(str, row.values()) for row in queues)
    status = msgspec.json.decode(w.operate("status").data)
    assert (status["calls"], status["waiting"], status["draining"]) == (2, 1, False)


def test_a_call_is_hung_up_by_its_name_with_the_operator_as_author() -> None:
    w = world()
    caller, desk = talk(w)
    name = w.last("call.started").call
    assert w.operate("call.hangup", call=name).ok
    w.run(300)
    assert not caller.up() and not desk.up() and w.state("201") == "wrap_up"
    ended = over(w)
    assert ended.data["by"] == "operator test" and w.last("operator.command").data["author"] == "test"


def test_an_unanswered_call_that_is_hung_up_is_told_480() -> None:
    w = world()
    agent(w, "202", answer_ms=-1)
    ana = agent(w, "201")
    ring(w, "202", phone=ana)
    w.run(500)
    assert w.operate("call.hangup", call="201").ok
    w.run(300)
    assert told(ana) == "rejected 480"
    over(w)


@pytest.mark.parametrize(
    ("verb", "arguments", "words"),
    [
        ("dance", {}, "no command 'dance'"), ("call.hangup", {"call": "nobody"}, "no call 'nobody'"),
        ("agent.login", {"agent": "999"}, "no agent '999'"), ("agent.ready", {"agent": "202"}, "not logged in"),
        ("agent.not_ready", {"agent": "202"}, "not logged in"), ("agent.logout", {}, "no agent ''"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_and_leaves_no_trace(verb: str, arguments: dict[str, str], words: str) -> None:
    w = world()
    before = len(w.events)
    reply = w.operate(verb, **arguments)
    assert not reply.ok and words in reply.error and len(w.events) == before


def test_a_number_of_two_tenants_must_be_named_in_full() -> None:
    w = two_tenants()
    reply = w.operate("agent.login", agent="201")
    assert not reply.ok and "default/201 or chess/201" in reply.error
    assert w.operate("agent.login", agent="chess/201").ok


def test_every_act_names_its_undo_and_the_undo_works() -> None:
    w = world()
    agent(w, "201", login=False)
    for verb, state in (
        ("agent.login", "ready"), ("agent.not_ready", "not_ready"), ("agent.ready", "ready"),
        ("agent.logout", "logged_out"),
    ):  # fmt: skip
        reply = w.operate(verb, agent="201", reason="lunch")
        assert reply.ok and b"ringdown agent default/201" in reply.data and w.state("201") == state
    assert "lunch" in [event.data["reason"] for event in w.all("agent.paused")]


def test_what_was_done_to_the_records_is_told_with_its_author() -> None:
    w = world()
    assert w.operate("noted", act="forget", subject="k:0123", counts="calls=2").ok
    assert w.last("engine.records").data == {
        "author": "test", "act": "forget", "subject": "k:0123", "counts": "calls=2",
    }  # fmt: skip
    refused = w.operate("noted")
    assert not refused.ok and "what was done" in refused.error

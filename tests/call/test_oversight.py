"""Supervisors by an operator's word, refusals by phone and command: a clear answer and no effect."""

from __future__ import annotations

import msgspec
import pytest

from engine.call import oversight
from engine.sim.world import World
from tests.call.calls import agent, over, ring, talk, wire, world
from tests.call.followed import SUPERVISED, conversation, ears, key, supervisions


def done(w: World, verb: str, **arguments: str) -> dict[str, str]:
    reply = w.operate(verb, **arguments)
    assert reply.ok, reply.error
    return msgspec.json.decode(reply.data, type=dict[str, str])


@pytest.mark.parametrize(("verb", "named"), [("call.listen", {"call": "5551234"}), ("agent.listen", {"agent": "201"})])
def test_an_operator_rings_the_supervisor_and_changes_his_mode(verb: str, named: dict[str, str]) -> None:
    w, caller, desk, boss = conversation(law9=True)
    everyone = {"caller": caller, "agent": desk, "boss": boss}
    assert "rings default/203" in done(w, verb, **named, **{"as": "203"})["done"]
    w.run(2_000)
    assert ears(w, **everyone) == {"caller": "agent", "agent": "caller", "boss": "agent + caller"}
    assert wire(w, "INVITE", "[listen] 5551234")
    answer = done(w, verb.replace("listen", "barge"), **named, **{"as": "203"})
    assert answer["undo"].startswith("ringdown call") and answer["undo"].endswith("listen --as default/203")
    assert ears(w, **everyone) == {"caller": "agent + boss", "agent": "boss + caller", "boss": "agent + caller"}
    row = msgspec.json.decode(w.operate("call", call="5551234").data)
    assert row["supervisors"] == "203 (barge)" and row["with"] == "agent 201"
    done(w, verb.replace("listen", "takeover"), **named, **{"as": "203"})
    w.run(300)
    assert ears(w, **everyone) == {"caller": "boss", "agent": "gone", "boss": "caller"}
    assert w.state("201") == "wrap_up"
    boss.hang_up(w.now_ms)
    assert over(w).data["outcome"] == "served"


@pytest.mark.parametrize("mode", ["whisper", "barge", "takeover"])
def test_each_mode_can_be_the_first(mode: str) -> None:
    w, caller, desk, boss = conversation(law9=True)
    done(w, f"call.{mode}", **{"call": "5551234", "as": "203"})
    w.run(2_000)
    heard = ears(w, caller=caller, agent=desk, boss=boss)
    assert heard["caller"] == {"whisper": "agent", "barge": "agent + boss", "takeover": "boss"}[mode]
    assert heard["agent"] == {"whisper": "boss + caller", "barge": "boss + caller", "takeover": "gone"}[mode]
    caller.hang_up(w.now_ms)
    over(w)


def test_a_conversation_that_ends_while_he_is_rung_stops_the_ringing() -> None:
    w, caller, _, boss = conversation(law9=True)
    boss.habit = msgspec.structs.replace(boss.habit, answer_ms=5_000)
    done(w, "call.listen", **{"call": "5551234", "as": "203"})
    w.run(1_000)
    assert boss.sessions
    caller.hang_up(w.now_ms)
    w.run(1_000)
    assert not boss.sessions and not supervisions(w)
    over(w)


def test_a_supervisor_who_does_not_answer_changes_nothing() -> None:
    w, caller, desk, boss = conversation()
    boss.habit = msgspec.structs.replace(boss.habit, answer_ms=200, status=486)
    done(w, "call.listen", **{"call": "5551234", "as": "203"})
    w.run(2_000)
    assert ears(w, caller=caller, agent=desk) == {"caller": "agent", "agent": "caller"}
    assert not supervisions(w) and not any(call.watchers for call in w.switch.room.calls.values())
    boss.habit = msgspec.structs.replace(boss.habit, answer_ms=200, status=200)
    done(w, "call.listen", **{"call": "5551234", "as": "203"})
    w.run(2_000)
    assert boss.up()
    caller.hang_up(w.now_ms)
    over(w)


@pytest.mark.parametrize(("verb", "arguments", "said"), [
    ("call.listen", {"call": "nobody", "as": "203"}, "no call 'nobody'"),
    ("call.listen", {"call": "5551234", "as": "999"}, "no agent '999'"),
    ("call.listen", {"call": "5551234"}, "no agent ''"),
    ("call.listen", {"call": "5551234", "as": "201"}, "is no conversation with an agent"),  # himself
    ("call.listen", {"call": "5551234", "as": "204"}, "may not follow default/201"),
    ("call.listen", {"call": "5551234", "as": "205"}, "no phone"),
    ("call.takeover", {"call": "5550009", "as": "203"}, "is no conversation with an agent"),  # waits
    ("agent.listen", {"agent": "202", "as": "203"}, "in no conversation"),
    ("agent.barge", {"agent": "999", "as": "203"}, "no agent '999'"),
    ("call.conference", {"call": "5551234", "with": "nobody"}, "nobody answers to 'nobody'"),
    ("call.conference", {"call": "5551234", "with": "201"}, "on the call already"),
    ("call.conference", {"call": "5551234"}, "nobody answers to ''"),
    ("call.conference", {"call": "5550009", "with": "203"}, "is no conversation"),
])
def test_what_can_not_be_is_said_and_has_no_effect(verb: str, arguments: dict[str, str], said: str) -> None:
    w, caller, desk, boss = conversation()
    ring(w, "740", "5550009")
    w.run(1_000)
    before = [event.kind for event in w.events]
    reply = w.operate(verb, **arguments)
    assert not reply.ok and said in reply.error
    w.run(1_000)
    assert [event.kind for event in w.events] == before
    assert ears(w, caller=caller, agent=desk) == {"caller": "agent", "agent": "caller"} and not boss.sessions


def test_the_same_again_is_said_to_be_so() -> None:
    w, caller, _, boss = conversation()
    boss.habit = msgspec.structs.replace(boss.habit, answer_ms=2_000)
    wanted = {"call": "5551234", "as": "203"}
    done(w, "call.listen", **wanted)
    w.run(500)
    assert "being rung" in w.operate("call.listen", **wanted).error
    w.run(3_000)
    assert "already" in w.operate("call.listen", **wanted).error
    assert len(supervisions(w)) == 1
    caller.hang_up(w.now_ms)
    assert over(w)
    assert "no call" in w.operate("call.listen", **wanted).error


@pytest.mark.parametrize(("who", "number", "status"), [
    ("203", "*57999", 404), ("203", "*57", 404), ("204", "*57201", 403), ("202", "*57203", 403), ("203", "*57202", 480),
    ("203", "*57203", 403),
])
def test_a_code_that_is_refused_says_why_in_its_status(who: str, number: str, status: int) -> None:
    w = world(SUPERVISED)
    talk(w)
    agent(w, "202", login=False)
    phone = agent(w, who, login=False)
    ring(w, number, phone=phone)
    w.run(2_000)
    assert not phone.up() and str(status) in phone.log[-1][1]
    assert not supervisions(w) and w.hears(w.phones[next(iter(w.phones))]).startswith(("row", "nothing"))


def test_a_stranger_reaches_no_code() -> None:
    w, caller, desk, _ = conversation()
    thief = ring(w, "*57201", "6660000")
    w.run(2_000)
    assert not thief.up() and ears(w, caller=caller, agent=desk) == {"caller": "agent", "agent": "caller"}
    caller.hang_up(w.now_ms)
    over(w)


def test_a_supervisors_own_call_can_be_hung_up_and_is_nobodys_to_transfer() -> None:
    w, caller, desk, boss = conversation()
    ring(w, "*57201", phone=boss)
    w.run(1_000)
    assert "supervisor's own" in w.operate("call.transfer", call="203", to="202").error
    assert "no conversation with an agent" in w.operate("call.listen", **{"call": "203", "as": "203"}).error
    assert w.operate("call.hangup", call="203").ok
    w.run(500)
    assert ears(w, caller=caller, agent=desk, boss=boss) == {"caller": "agent", "agent": "caller", "boss": "gone"}
    key_free = supervisions(w)
    assert key_free[-1][0] == "ended"
    caller.hang_up(w.now_ms)
    over(w)


def test_codes_are_told_apart() -> None:
    tenant = msgspec.structs.replace(SUPERVISED.tenants["default"], codes={"*57": "supervise", "*58": "pick"})
    meanings = {number: oversight.meant(tenant, number) for number in ("*57201", "*57", "*58", "*581", "201", "")}
    assert meanings == {
        "*57201": ("supervise", "201"), "*57": ("", ""), "*58": ("pick", ""), "*581": ("", ""), "201": ("", ""),
        "": ("", ""),
    }


def test_the_offer_may_come_late() -> None:
    """A phone whose INVITE carries no offer hears from its ACK on."""
    w, caller, desk, boss = conversation(law9=True)
    ring(w, "*57201", phone=boss, offer=False)
    w.run(1_500)
    assert boss.up() and supervisions(w)[0][0] == "started"
    key(w, boss, "6")
    assert ears(w, caller=caller, agent=desk, boss=boss)["caller"] == "agent + boss"
    caller.hang_up(w.now_ms)
    over(w)

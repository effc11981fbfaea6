"""The verb transfer: rung, queued, or sent back to the carrier by REFER; and the survey behind a conversation."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from engine.dialplan.model import Site
from engine.sim.phone import Phone
from engine.sim.world import World
from engine.sip import events as sip
from tests.call.calls import agent, over, ring, talk, wire, world
from tests.call.people import carrier, results, site


def answers_refer(phone: Phone, *statuses: int) -> list[str]:
    """The carrier takes REFER and tells these; returns what it was asked to call."""
    asked: list[str] = []
    usual: Callable[[sip.SipEvent, int], None] = phone._event

    def event(happened: sip.SipEvent, now_ms: int) -> None:
        if isinstance(happened, sip.Referred):
            asked.append(happened.target)
            for status in statuses:
                phone.endpoint.notify_refer(happened.refer, status, "", now_ms)
        else:
            usual(happened, now_ms)

    phone._event = event  # type: ignore[method-assign]
    return asked


@pytest.mark.parametrize("law9", [False, True])
def test_the_caller_goes_to_an_agent_and_the_call_ends_with_their_conversation(law9: bool) -> None:
    w = world(site(), law9=law9)
    caller, ana = talk(w, "760")
    assert results(w) == [("dialplan", "started"), ("dialplan", "done")] and w.hears(caller).startswith("row")
    ana.hang_up(w.now_ms)
    ended = over(w)
    assert ended.data["outcome"] == "transferred" and "transfer to 201" in str(ended.data["path"])


def test_nobody_there_goes_on_by_the_outcome() -> None:
    w = world(site())
    agent(w, "201", answer_ms=-1)
    caller = ring(w, "760")
    assert w.run_until(lambda: w.hears(caller) == "en/goodbye", 20_000)
    assert results(w)[-1] == ("dialplan", "no_answer")
    over(w)


def test_into_a_queue_and_out_with_its_end() -> None:
    w = world(site())
    caller, ana = talk(w, "762")
    ana.hang_up(w.now_ms)
    assert over(w).data["outcome"] == "transferred" and not caller.up()


def trunk_caller(w: World) -> Phone:
    """A caller who came by the carrier's trunk."""
    line = carrier(w)
    ring(w, "761", phone=line)
    return line


@pytest.mark.parametrize("law9", [False, True])
def test_a_trunk_that_can_is_asked_to_call_the_number_itself(law9: bool) -> None:
    w = world(site(), law9=law9)
    line = carrier(w)
    asked = answers_refer(line, 100, 200)
    ring(w, "761", phone=line)
    ended = over(w)
    assert asked == ["sip:+49123@192.0.2.1:5060"] and not w.kinds("dial.started")
    assert results(w) == [("refer", "started"), ("refer", "done")]
    assert (ended.data["outcome"], ended.data["by"]) == ("transferred", "dialplan")


def joining(w: World, *statuses: int) -> tuple[Phone, list[str]]:
    """The carrier calls, and is rung for the target, and knows Replaces: (its phone, what it was asked to call)."""
    line = carrier(w, answer_ms=500)
    asked = answers_refer(line, *statuses)
    ring(w, "761", phone=line)
    assert w.run_until(lambda: len(line.up()) == 2, 10_000)
    w.run(300)
    return line, asked


def joins() -> Site:
    found = site()
    trunks = {**found.trunks, "carrier": msgspec.structs.replace(found.trunks["carrier"], replaces=True)}
    return msgspec.structs.replace(found, trunks=trunks, version="joins")


@pytest.mark.parametrize("law9", [False, True])
def test_a_trunk_that_joins_two_of_its_own_takes_us_out(law9: bool) -> None:
    w = world(joins(), law9=law9)
    line, asked = joining(w, 100, 200)
    assert asked == ["sip:+49123@192.0.2.1:5060"]
    (refer,) = wire(w, "REFER ")
    other = line.endpoint.core.sessions
    assert "?Replaces=" in refer and not line.up() and not [s for s in other.values() if s.phase == 7]
    assert results(w) == [("refer", "started"), ("dialplan", "done"), ("refer", "done")]
    assert over(w).data["outcome"] == "transferred"


def test_one_that_does_not_leaves_them_talking_through_us() -> None:
    w = world(joins())
    line, asked = joining(w, 100, 501)
    assert asked and len(line.up()) == 2 and results(w)[-1] == ("dialplan", "done")
    line.hang_up(w.now_ms)
    over(w)


def test_the_bye_of_the_replaced_leg_tells_it_too() -> None:
    w = world(joins())
    line, _ = joining(w, 100)
    replaced = max(line.up())
    line.endpoint.hang_up(replaced, w.now_ms)
    w.run(300)
    assert results(w)[-1] == ("refer", "done")
    assert over(w).data["outcome"] == "transferred"


def test_one_that_refuses_lets_us_ring() -> None:
    w = world(site())
    line = carrier(w, answer_ms=500)
    answers_refer(line, 100, 486)
    ring(w, "761", phone=line)
    assert w.run_until(lambda: len(line.up()) == 2, 10_000)
    w.run(100)
    assert results(w) == [("refer", "started"), ("dialplan", "done")]
    line.hang_up(w.now_ms)
    over(w)


def test_one_that_never_tells_cannot_hold_the_caller() -> None:
    w = world(site())
    line = carrier(w)
    answers_refer(line)
    ring(w, "761", phone=line)
    assert over(w).data["cause"] == 102


def test_who_came_by_no_such_trunk_is_rung_through_as_usual() -> None:
    w = world(site())
    line = carrier(w, answer_ms=500)
    caller = ring(w, "761")
    assert w.run_until(lambda: w.hears(caller).startswith("row"), 10_000)
    assert line.up() and results(w)[-1] == ("dialplan", "done")


def test_behind_a_conversation_he_is_asked_and_the_answer_counts_for_agent_and_queue() -> None:
    w = world(site())
    caller, ana = talk(w, "763")
    ana.hang_up(w.now_ms)
    assert w.run_until(lambda: w.hears(caller) == "en/try_again", 5_000)
    w.press(caller, "4")
    assert w.hears(caller) == "en/thank_you"
    offered, answered = w.all("survey.answered")
    assert (offered.data["question"], answered.data["question"], answered.data["answer"]) == ("", "happy", "4")
    assert (answered.data["queue"], answered.data["agent"]) == ("default/support", "default/201")
    assert over(w).data["outcome"] == "served"


@pytest.mark.parametrize("status", [200, 486])
def test_who_is_taken_out_of_a_transfer_is_not_led_by_what_comes_of_it_later(status: int) -> None:
    """The carrier's answer to REFER comes when an operator has sent the caller elsewhere: a refusal rings nobody, and
    one who is gone all the same is let go."""
    w = world(site())
    line, asked = carrier(w), list[sip.Referred]()
    usual: Callable[[sip.SipEvent, int], None] = line._event

    def event(happened: sip.SipEvent, now_ms: int) -> None:
        if isinstance(happened, sip.Referred):
            asked.append(happened)
        else:
            usual(happened, now_ms)

    line._event = event  # type: ignore[method-assign]
    ben = agent(w, "202", answer_ms=60_000)
    ring(w, "761", phone=line)
    assert w.run_until(lambda: bool(asked), 10_000)
    assert w.operate("call.transfer", call="last", to="202").ok
    (call,) = w.switch.room.calls.values()
    assert call.handing is None and (call.phase, call.cause) == ("transfer", 16)
    assert ("refer", "canceled") in results(w)
    w.run(500)
    assert ben.incoming
    line.endpoint.notify_refer(asked[0].refer, status, "", w.now_ms)
    w.run(1_000)
    assert bool(ben.incoming) is (status == 486) and not line.incoming
    assert call.phase == ("transfer" if status == 486 else "closing")


def test_a_rung_transfer_that_the_caller_is_taken_out_of_is_over() -> None:
    w = world(site())
    ana, ben = agent(w, "201", answer_ms=-1), agent(w, "202", answer_ms=200)
    caller = ring(w, "760")
    assert w.run_until(lambda: bool(ana.incoming), 10_000)
    assert w.operate("call.transfer", call="last", to="202").ok
    assert w.run_until(lambda: bool(ben.up()), 5_000)
    (call,) = w.switch.room.calls.values()
    assert call.handing is None and results(w)[1] == ("dialplan", "canceled")
    caller.hang_up(w.now_ms)
    over(w)

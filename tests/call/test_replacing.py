"""INVITE with Replaces from agents' phones: pick-up of what rings, moving what stands, and all that is refused."""

from __future__ import annotations

import pytest

from engine.sim.phone import Habit, Phone
from engine.sim.world import World
from tests.call.calls import agent, over, ring, talk, told, up, wire, world


def ringing(w: World) -> tuple[Phone, Phone, int]:
    """A stranger waits while Ben's phone rings: (caller, ben, his session)."""
    ben = agent(w, "202", answer_ms=-1)
    caller = ring(w, "700")
    assert w.run_until(lambda: bool(ben.sessions), 10_000)
    w.run(200)
    return caller, ben, next(iter(ben.sessions))


def take(w: World, phone: Phone, header: tuple[str, str], number: str = "700") -> int:
    phone.headers = (header,)
    session = phone.call(number, w.now_ms)
    w.run(600)
    return session


@pytest.mark.parametrize("law9", [False, True])
@pytest.mark.parametrize("early_only", [False, True])
def test_a_colleague_picks_up_a_queues_call_that_rings(law9: bool, early_only: bool) -> None:
    w = world(law9=law9)
    caller, ben, session = ringing(w)
    ana = agent(w, "201", login=False)
    mine = take(w, ana, ben.replaces(session, early_only=early_only), "202")
    assert ana.up() == [mine] and w.hears(caller).startswith("row") and w.hears(ana).startswith("row")
    assert not ben.sessions
    assert w.last("queue.connected").data["agent"] == "default/201"
    caller.hang_up(w.now_ms)
    over(w)
    assert w.state("202") == "ready"


def test_a_colleague_picks_up_a_call_to_an_extension() -> None:
    w = world()
    ana, ben = agent(w, "201"), agent(w, "202", answer_ms=-1)
    cho = agent(w, "203")
    ring(w, "202", phone=cho)
    assert w.run_until(lambda: bool(ben.sessions), 5_000)
    w.run(200)
    mine = take(w, ana, ben.replaces(next(iter(ben.sessions))), "202")
    assert ana.up() == [mine] and len(cho.up()) == 1 and not ben.sessions
    assert w.hears(cho).startswith("row") and w.hears(ana).startswith("row")
    assert wire(w, "CANCEL ", "Call completed elsewhere"), "Ben's phone shows no missed call"
    ana.hang_up(w.now_ms)
    over(w)
    assert w.state("201") == w.state("202") == w.state("203") == "ready" and not cho.sessions


@pytest.mark.parametrize("law9", [False, True])
def test_an_agent_moves_his_conversation_to_another_phone(law9: bool) -> None:
    w = world(law9=law9)
    caller, desk = talk(w)
    mobile = agent(w, "201", login=False, host="10.0.3.7")
    mine = take(w, mobile, desk.replaces(up(desk)), "201")
    assert mobile.up() == [mine] and not desk.sessions and w.state("201") == "talking"
    assert w.hears(caller).startswith("row") and w.hears(mobile).startswith("row")
    mobile.hang_up(w.now_ms)
    w.run(300)
    assert w.state("201") == "wrap_up" and w.last("queue.completed").data["by"] == "agent"
    over(w)


def test_and_one_that_he_dialled_himself() -> None:
    w = world()
    desk, ben = agent(w, "201"), agent(w, "202", answer_ms=200)
    ring(w, "202", phone=desk)
    assert w.run_until(lambda: bool(desk.up()) and bool(ben.up()), 5_000)
    other = agent(w, "201", login=False, host="10.0.3.7")
    mine = take(w, other, desk.replaces(up(desk)), "201")
    assert other.up() == [mine] and not desk.sessions and w.hears(ben).startswith("row")
    other.hang_up(w.now_ms)
    over(w)
    assert w.state("201") == w.state("202") == "ready"


def test_what_stands_is_not_a_colleagues() -> None:
    w = world()
    caller, desk = talk(w)
    ben = agent(w, "202")
    take(w, ben, desk.replaces(up(desk)), "201")
    assert told(ben) == "rejected 403" and desk.up() and w.hears(caller).startswith("row")
    caller.hang_up(w.now_ms)
    over(w)


def test_early_only_says_what_it_means() -> None:
    w = world()
    caller, desk = talk(w)
    mobile = agent(w, "201", login=False, host="10.0.3.7")
    take(w, mobile, desk.replaces(up(desk), early_only=True), "201")
    assert told(mobile) == "rejected 486" and desk.up()
    caller.hang_up(w.now_ms)
    over(w)


def test_unknown_dialogs_and_calls_that_ring_us_are_481() -> None:
    w = world()
    ana, ben = agent(w, "201"), agent(w, "202", answer_ms=-1)
    take(w, ana, ("Replaces", "nobody;to-tag=1;from-tag=2"), "202")
    assert told(ana) == "rejected 481"
    calling = ring(w, "202", phone=agent(w, "203"))
    w.run(300)
    call_id = calling.endpoint.session_call_id(next(iter(calling.sessions)))
    sessions = w.switch.room.endpoint.core.sessions.values()
    dialog = next(session.dialog for session in sessions if session.dialog.call_id == call_id)
    tags = f"to-tag={dialog.local_tag};from-tag={dialog.remote_tag}"
    take(w, ana, ("Replaces", f"{dialog.call_id};{tags}"), "202")
    assert told(ana) == "rejected 481" and ben.sessions
    calling.hang_up(w.now_ms)
    over(w)


def test_two_of_them_or_nonsense_is_400() -> None:
    w = world()
    ana = agent(w, "201")
    for header in (("Replaces", "x"), ("Replaces", "x;to-tag=1"), ("Replaces", "a b;to-tag=1;from-tag=2")):
        take(w, ana, header, "202")
        assert told(ana) == "rejected 400", header
    ana.headers = (("Replaces", "a;to-tag=1;from-tag=2"), ("Replaces", "b;to-tag=1;from-tag=2"))
    ana.call("202", w.now_ms)
    w.run(300)
    assert told(ana) == "rejected 400"
    over_nothing(w)


def test_strangers_have_no_say() -> None:
    w = world()
    caller, ben, session = ringing(w)
    stranger = w.phone("5550009", password="")
    stranger.headers = (ben.replaces(session),)
    stranger.call("700", w.now_ms, secret=False)
    w.run(500)
    assert told(stranger) == "rejected 401" and ben.sessions
    caller.hang_up(w.now_ms)
    over(w)


def over_nothing(w: World) -> None:
    w.run(40_000)
    assert w.quiet()


def test_what_rings_outside_is_not_for_picking_up() -> None:
    """Who is called there is a customer, and the call is the agent's who dialled it."""
    w = world()
    far = w.phone("carrier", host="192.0.2.1", password="")
    far.habit = Habit(answer_ms=-1)
    ana, ben = agent(w, "201"), agent(w, "202")
    ring(w, "9555", phone=ana)
    assert w.run_until(lambda: bool(far.sessions), 3_000)
    w.run(200)
    take(w, ben, far.replaces(next(iter(far.sessions))), "202")
    assert told(ben) == "rejected 403" and far.sessions and not ben.up()

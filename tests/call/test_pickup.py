"""Pick-up by code: whose call it is, that everybody hears the right one, and that the books stay right."""

from __future__ import annotations

import msgspec
import pytest

from engine.call import pickup
from engine.records.queue_log import QueueLog
from engine.sim.phone import Phone
from engine.sim.world import World
from tests.call.calls import SITE, agent, over, ring, told, wire, world
from tests.call.test_parking import site as parking_site
from tests.call.test_watching import grouped


def offered(w: World, user: str = "202") -> tuple[Phone, Phone]:
    """(a caller of the queue, the agent whose phone rings for him)."""
    ben = agent(w, user, answer_ms=-1)
    caller = ring(w, "700")
    assert w.run_until(lambda: bool(ben.sessions), 10_000)
    w.run(200)
    return caller, ben


@pytest.mark.parametrize("law9", [False, True])
@pytest.mark.parametrize("code", ["*78", "*78202"])
def test_a_queues_call_is_taken_and_the_books_are_right(law9: bool, code: str) -> None:
    w = world(law9=law9)
    caller, ben = offered(w)
    ana = agent(w, "201", login=False)
    ring(w, code, phone=ana)
    w.run(800)
    assert ana.up() and not ben.sessions and w.state("202") == "ready"
    assert w.hears(caller).startswith("row") and w.hears(ana).startswith("row")
    connected = w.last("queue.connected")
    assert connected.data["agent"] == "default/201" and connected.call == w.all("call.started")[0].call
    assert int(str(connected.data["waited_ms"])) > 0
    assert wire(w, "CANCEL ", "202@"), "his phone stops ringing"
    ana.hang_up(w.now_ms)
    over(w)
    assert [event.data["agent"] for event in w.all("queue.completed")] == ["default/201"]
    told = [event.data["reason"] for event in w.all("queue.offer_ended")]
    assert told == ["answered_elsewhere"], "nobody has missed him"
    assert wire(w, "CANCEL ", "Call completed elsewhere"), "nor does his phone say so"
    assert not w.all("queue.left") and w.state("202") == "ready"
    log = QueueLog()
    verbs = [line.split("|")[4] for event in w.events for line in log.lines(event)]
    assert "CONNECT" in verbs and "RINGNOANSWER" not in verbs
    assert [event.data["outcome"] for event in w.all("call.ended")] == ["served", "served"]


def test_a_call_to_an_extension_is_taken() -> None:
    w = world()
    ana, ben, cho = agent(w, "201"), agent(w, "202", answer_ms=-1), agent(w, "203")
    ring(w, "202", phone=cho)
    assert w.run_until(lambda: bool(ben.sessions), 5_000)
    ring(w, "*78202", phone=ana)
    w.run(800)
    assert ana.up() and cho.up() and not ben.sessions
    assert w.hears(cho).startswith("row") and w.hears(ana).startswith("row")
    assert wire(w, "CANCEL ", "Call completed elsewhere")
    cho.hang_up(w.now_ms)
    over(w)
    assert w.state("201") == w.state("202") == w.state("203") == "ready"


def test_of_several_the_one_that_has_rung_longest() -> None:
    w = world()
    ben, cho = agent(w, "202", answer_ms=-1), agent(w, "203", answer_ms=-1)
    first = ring(w, "203", phone=agent(w, "204", login=False))
    w.run(500)
    second = ring(w, "202", phone=agent(w, "205", login=False))
    w.run(500)
    ring(w, "*78", phone=agent(w, "201"))
    w.run(800)
    assert first.up() and not cho.sessions and not second.up() and ben.sessions


@pytest.mark.parametrize(("code", "status"), [("*78", "480"), ("*78202", "480"), ("*78999", "404")])
def test_with_nothing_to_take_it_is_said(code: str, status: str) -> None:
    w = world()
    agent(w, "202")
    ana = agent(w, "201")
    ring(w, code, phone=ana)
    w.run(800)
    assert told(ana) == f"rejected {status}" and w.state("201") == "ready"
    over(w)


def test_ones_own_ringing_phone_is_not_picked_by_code() -> None:
    w = world()
    caller, ben = offered(w)
    ring(w, "*78", phone=agent(w, "202", login=False, host="10.0.3.9"))
    w.run(500)
    assert ben.sessions and not w.all("queue.connected")
    caller.hang_up(w.now_ms)
    over(w)


def test_in_a_group_what_rings_elsewhere_is_not_for_taking() -> None:
    w = world(grouped())
    ana, ben, cho = agent(w, "201"), agent(w, "202", answer_ms=-1), agent(w, "203", login=False)
    ring(w, "202", phone=ana)
    assert w.run_until(lambda: bool(ben.sessions), 5_000)
    for code, status in (("*78202", "403"), ("*78", "480")):
        ring(w, code, phone=cho)
        w.run(500)
        assert told(cho) == f"rejected {status}" and ben.sessions, code
    assert "may not take a call" in str(w.last("engine.refused").data["detail"])
    ring(w, "*78202", phone=agent(w, "205", login=False))  # supervises the team
    w.run(800)
    assert ana.up() and not ben.sessions


def test_strangers_are_asked_who_they_are() -> None:
    w = world()
    _, ben = offered(w)
    stranger = w.phone("5550009", password="")
    stranger.call("*78202", w.now_ms, secret=False)
    w.run(500)
    assert told(stranger) == "rejected 401" and ben.sessions


def test_a_site_says_which_code_it_is() -> None:
    tenant = SITE.tenants["default"]
    assert pickup.meant(tenant, "*78201") == (True, "201") and pickup.meant(tenant, "*78") == (True, "")
    other = msgspec.structs.replace(tenant, codes={"*8": "pickup"})
    assert pickup.meant(other, "*8201") == (True, "201") and pickup.meant(other, "*78201") == (False, "")
    assert pickup.meant(tenant, "*78x") == pickup.meant(tenant, "201") == (False, "")


def test_who_is_parked_is_not_picked_by_it() -> None:
    w = world(parking_site())
    assert not w.all("call.parked")
    ana = agent(w, "201")
    ring(w, "*7871", phone=ana)
    w.run(500)
    assert told(ana) == "rejected 404"

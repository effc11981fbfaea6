"""Attended transfer by a phone: hold, consult, REFER with Replaces; who talks, who is free, what records say."""

from __future__ import annotations

from urllib.parse import quote

import msgspec
import pytest

from engine.sim.phone import Phone
from engine.sim.world import World
from engine.sip import transfer
from tests.call.calls import agent, over, ring, talk, up, wire, world
from tests.call.test_transfer import news, results
from tests.scenarios.sites import busy_site


def consulting(w: World, *, answer_ms: int = 300) -> tuple[Phone, Phone, Phone, int, int]:
    """Ana holds her caller and talks to Ben: (caller, ana, ben, her session with the caller, that with Ben)."""
    caller, ana = talk(w, refer_bye=True)
    ben = agent(w, "202", answer_ms=answer_ms)
    first = up(ana)
    ana.hold(first, w.now_ms)
    w.run(300)
    second = ana.call("202", w.now_ms)
    if answer_ms < 10_000:
        assert w.run_until(lambda: second in ana.up() and bool(ben.up()), 5_000)
    w.run(300)
    return caller, ana, ben, first, second


@pytest.mark.parametrize("law9", [False, True])
@pytest.mark.parametrize("first_leg", [True, False])
def test_the_caller_goes_on_with_whom_she_consulted(law9: bool, first_leg: bool) -> None:
    """REFER may come in either of her two dialogs: the phone chooses."""
    w = world(law9=law9)
    caller, ana, ben, first, second = consulting(w)
    assert w.hears(caller) == "music/default"
    one, two = (first, second) if first_leg else (second, first)
    ana.refer(one, "202", w.now_ms, replaces=two)
    w.run(400)
    assert news(ana)[-1] == "transfer 200"
    assert w.hears(caller).startswith("row") and w.hears(ben).startswith("row") and not ana.up()
    assert w.state("201") == "wrap_up" and len(w.switch.room.calls) == 1
    assert not ana.sessions and len(ben.up()) == 1
    ben.hang_up(w.now_ms)
    ended = over(w)
    assert ended.data["outcome"] == "served"
    moved = w.last("call.transferred")
    assert (moved.data["way"], moved.data["result"], moved.data["by"]) == ("attended", "done", "agent 201")
    assert len(w.all("queue.completed")) == 1 and w.last("queue.completed").data["by"] == "transfer"


def test_a_phone_that_never_says_bye_is_hung_up() -> None:
    w = world()
    caller, ana, _, first, second = consulting(w)
    ana.habit = msgspec.structs.replace(ana.habit, refer_bye=False)
    ana.refer(first, "202", w.now_ms, replaces=second)
    w.run(1_000)
    assert ana.up() == [first], "we wait for its BYE"
    w.run(5_000)
    assert not ana.up() and w.hears(caller).startswith("row")
    caller.hang_up(w.now_ms)
    over(w)


def test_whom_she_consulted_may_still_ring() -> None:
    """Semi-attended: the consultation ends, and the caller goes on as in a blind transfer."""
    w = world()
    caller, ana, ben, first, second = consulting(w, answer_ms=20_000)
    ana.refer(first, "202", w.now_ms, replaces=second)
    w.run(400)
    assert second not in ana.sessions and w.hears(caller) == "music/default"
    ben.pick_up(w.now_ms)
    assert w.run_until(lambda: bool(ben.up()) and w.hears(caller).startswith("row"), 25_000)
    w.run(300)
    assert news(ana)[-1] == "transfer 200" and not ana.sessions
    caller.hang_up(w.now_ms)
    over(w)


def refer_by_hand(w: World, phone: Phone, replaces: str) -> None:
    """A REFER in the phone's one conversation that names any dialog."""
    session = phone.endpoint.core.sessions[up(phone)]
    to = f"<sip:202@{phone.domain}?Replaces={quote(replaces, safe='')}>"
    transfer.refer(phone.endpoint.core, session, to, "", w.now_ms)


@pytest.mark.parametrize(("header", "status"), [
    ("nobody;to-tag=a;from-tag=b", 481), ("nonsense", 400),
])
def test_a_dialog_that_is_not_hers_changes_nothing(header: str, status: int) -> None:
    w = world()
    caller, ana = talk(w)
    first = up(ana)
    refer_by_hand(w, ana, header)
    w.run(400)
    assert news(ana)[-1] == f"transfer {status}" and w.hears(caller).startswith("row") and ana.up() == [first]
    caller.hang_up(w.now_ms)
    over(w)


def test_a_colleagues_conversation_is_not_hers_to_give() -> None:
    w = world()
    caller, ana = talk(w)
    ben = agent(w, "202", answer_ms=200)
    cho = agent(w, "203", answer_ms=200)
    ring(w, "203", phone=ben)
    assert w.run_until(lambda: bool(ben.up()) and bool(cho.up()), 5_000)
    refer_by_hand(w, ana, ben.replaces(up(ben))[1])
    w.run(400)
    assert news(ana)[-1] == "transfer 403" and w.hears(caller).startswith("row") and ben.up() and cho.up()
    caller.hang_up(w.now_ms)
    ben.hang_up(w.now_ms)
    over(w)


def test_the_budget_holds_here_too() -> None:
    site = busy_site()
    tenants = {**site.tenants, "default": msgspec.structs.replace(site.tenants["default"], hops_max=0)}
    w = world(msgspec.structs.replace(site, tenants=tenants, version="tight"))
    caller, ana, ben, first, second = consulting(w)
    ana.refer(first, "202", w.now_ms, replaces=second)
    w.run(400)
    assert news(ana)[-1] == "transfer 403" and results(w) == ["over_budget"]
    assert ana.up() == [first, second] and ben.up()
    ana.hang_up(w.now_ms)
    w.run(500)
    caller.hang_up(w.now_ms)
    over(w)


def test_two_calls_that_she_dialled_herself() -> None:
    """Both are hers; the first survives with the one whom she called first as its caller."""
    w = world()
    ana = agent(w, "201", refer_bye=True)
    ben, cho = agent(w, "202", answer_ms=200), agent(w, "203", answer_ms=200)
    first = ana.call("202", w.now_ms)
    assert w.run_until(lambda: first in ana.up() and bool(ben.up()), 5_000)
    second = ana.call("203", w.now_ms)
    assert w.run_until(lambda: second in ana.up() and bool(cho.up()), 5_000)
    w.run(200)
    ana.refer(first, "203", w.now_ms, replaces=second)
    w.run(400)
    assert not ana.sessions and w.hears(ben).startswith("row") and w.hears(cho).startswith("row")
    assert w.state("201") == "ready"
    cho.hang_up(w.now_ms)
    over(w)
    assert w.state("202") == w.state("203") == "ready" and not ben.sessions
    assert wire(w, "NOTIFY", "SIP/2.0 200 OK")

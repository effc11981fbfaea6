"""A fax machine calls: the number's own way for it, whatever the caller's dialplan was doing."""

from __future__ import annotations

import pytest

from engine.call.leg import listened_for
from engine.media.commands import TONE_FAX, FaxHeard
from engine.sim.phone import Habit, Phone
from engine.sim.world import World
from tests.call.calls import agent, plane, ring, row_of, up, world
from tests.scenarios.sites import BUSY_SITE, busy_site

SITE = busy_site(
    site=BUSY_SITE + "\n  '7001': {dialplan: faxed, public: yes, fax: paper}\n"
    "  '7002': {dialplan: faxed, entry: unanswered, public: yes, fax: paper}\n",
    dialplans__faxed="""
ringdown: 1
languages: [en]
entry: main
flows:
  main:
    - answer
    - menu:
        prompt: welcome
        choices: {1: waits, 2: rings}
        failed: bye
  waits:
    - queue: {name: support, max_wait: 60s, full: bye, no_agents: bye, timeout: bye}
    - hangup: served
  rings:
    - dial: {to: ['201'], ring: 20s, busy: bye, no_answer: bye, failed: bye}
    - hangup: served
  unanswered:
    - dial: {to: ['0044'], ring: 40s, busy: bye, no_answer: bye, failed: bye}
    - hangup: served
  paper:
    - answer
    - play: goodbye
    - hangup: served
  bye:
    - hangup: failed
""",
)


def _fax(w: World, phone: Phone, tone: str = "cng") -> None:
    plane(w, FaxHeard(*row_of(w, phone), tone))
    w.run(100)


def _call(w: World, keys: str = "") -> Phone:
    caller = ring(w, "7001")
    assert w.run_until(lambda: "welcome" in w.hears(caller), 5_000)
    w.press(caller, keys, gap_ms=500)
    return caller


def test_a_fax_in_the_menu_goes_the_numbers_own_way() -> None:
    w = world(SITE, law9=True)
    caller = _call(w)
    (leg,) = w.switch.room.legs.values()
    assert listened_for(leg) == TONE_FAX
    _fax(w, caller)
    assert "goodbye" in w.hears(caller)
    assert w.last("call.fax").data == {"tone": "cng", "leg": "caller", "to": "paper"}
    assert w.run_until(lambda: not caller.up(), 5_000)
    assert w.last("call.ended").data["path"] == "main > fax > paper"


@pytest.mark.parametrize("keys", ["1", "2"])
def test_a_fax_that_waits_or_rings_is_taken_out(keys: str) -> None:
    w = world(SITE)
    desk = agent(w, "201", answer_ms=60_000)
    caller = _call(w, keys)
    w.run(2_000)
    assert desk.incoming
    _fax(w, caller)
    assert "goodbye" in w.hears(caller)
    w.run(3_000)
    assert not caller.up() and not desk.incoming and not w.switch.room.calls


def test_a_fax_that_talks_with_an_agent_stays_and_is_told() -> None:
    w = world(SITE)
    desk = agent(w, "201")
    caller = _call(w, "1")
    assert w.run_until(lambda: bool(desk.up()) and "row" in w.hears(caller), 20_000)
    _fax(w, caller)
    assert w.last("call.fax").data["to"] == "" and up(caller) and up(desk)
    _fax(w, desk, "ced")
    assert w.last("call.fax").data == {"tone": "ced", "leg": "agent 201", "to": ""}


def test_where_no_way_is_declared_nobody_listens() -> None:
    w = world(SITE)
    caller = ring(w, "100")
    assert w.run_until(lambda: bool(caller.up()), 5_000)
    (leg,) = w.switch.room.legs.values()
    assert listened_for(leg) == 0
    _fax(w, caller)
    assert w.last("call.fax").data["to"] == "" and caller.up()


def test_a_fax_that_is_heard_before_anybody_has_answered_goes_its_way_too() -> None:
    w = world(SITE)
    far = w.phone("gateway", host="198.51.100.7", password="")
    far.habit = Habit(early=True, answer_ms=30_000)
    caller = ring(w, "7002")
    w.run(1_000)
    assert far.incoming and not caller.up()
    _fax(w, caller)
    assert w.last("call.fax").data == {"tone": "cng", "leg": "caller", "to": "paper"}
    w.run(100)
    assert caller.up() and "goodbye" in w.hears(caller) and not far.incoming
    assert w.run_until(lambda: not caller.up(), 5_000)
    w.run(2_000)
    assert not w.switch.room.calls

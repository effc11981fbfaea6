"""The time and what operators say of calendars reach a dialplan at each turn: a call at eight finds it shut."""

from __future__ import annotations

import msgspec

from engine.call import levers, live_facts
from engine.call.effects import WallClock
from engine.dialplan import facts
from engine.sim.world import World
from tests.call.calls import agent, over, ring, world
from tests.dialplan.test_calendars import at
from tests.scenarios.sites import BUSY_SITE, busy_site

NUMBERS = BUSY_SITE.replace("  9196:", "  750: {dialplan: open, public: yes}\n  9196:")
MAIN = """ringdown: 1
flows:
  main:
    - answer
    - hours: {calendar: office, closed: shut, holiday: feast}
    - play: please_hold
    - silence: 30s
    - hours: {calendar: office, closed: shut, holiday: feast}
    - hangup: stayed_open
  shut:
    - hangup: shut
  feast:
    - hangup: feast
"""
OFFICE = "office: {open: [daily 08:00-20:00], holidays: GB-ENG, time_zone: Europe/London}\n"


def outcome(moment: str, override: str = "", after_ms: int = 0) -> str:
    """How a call ends that arrives at this moment; an operator's word comes `after_ms` into it."""
    w = world(busy_site(site=NUMBERS, dialplans__open=MAIN, calendars=OFFICE), law9=True)
    w.give(WallClock(at(moment) - w.now_ms))
    ring(w, "750")
    w.run(after_ms or 10)
    if override:
        room = w.switch.room
        levers.move(room, "calendar", "default/office", override, "test", w.now_ms)
    w.run(60_000)
    ended = str(w.last("call.ended").data["outcome"])
    over(w)
    return ended


def test_the_clock_runs_on_while_a_call_lasts() -> None:
    assert outcome("2026-12-24 19:59:50") == "shut"
    assert outcome("2026-12-24 19:00:00") == "stayed_open"
    assert outcome("2026-12-24 21:00:00") == "shut"
    assert outcome("2026-12-25 10:00:00") == "feast"


def test_what_an_operator_says_counts_from_the_next_turn_on() -> None:
    assert outcome("2026-12-24 10:00:00", "closed", after_ms=5_000) == "shut"
    assert outcome("2026-12-24 19:59:50", "open", after_ms=5_000) == "stayed_open"


ASKS = """ringdown: 1
flows:
  main:
    - answer
    - when:
        - if: agent.201.ready
          then: ready
        - if: queue.support.closed
          then: shut
        - if: queue.support.agents_logged_in = 0 or agent.202.state = logged_out
          then: nobody
    - hangup: else
  ready:
    - hangup: ready
  shut:
    - hangup: shut
  nobody:
    - hangup: nobody
"""


def asked() -> World:
    return world(busy_site(site=NUMBERS, dialplans__open=ASKS), law9=True)


def answer_of(w: World) -> str:
    ring(w, "750", user=f"5550{len(w.all('call.ended'))}")
    w.run(2_000)
    return str(w.last("call.ended").data["outcome"])


def test_staffing_and_an_operators_closing_as_conditions() -> None:
    w = asked()
    assert answer_of(w) == "nobody"
    agent(w, "201")
    assert answer_of(w) == "ready"
    assert w.operate("agent.logout", agent="201").ok
    assert w.operate("queue.close", queue="support").ok
    assert answer_of(w) == "shut"
    assert w.quiet()


def test_every_fact_of_a_call_has_an_answer_in_every_phase() -> None:
    """Also of queues, agents and calendars that a reload removed: what isn't known is left out, never an error."""
    w = asked()
    ring(w, "750")
    w.run(5)
    (call,) = w.switch.room.calls.values()
    known = dict.fromkeys([
        *(name for name in facts.FACTS if facts.live(name)), *(f"queue.support.{name}" for name in facts.QUEUE_FACTS),
        *(f"queue.gone.{name}" for name in facts.QUEUE_FACTS), *(f"agent.201.{name}" for name in facts.AGENT_FACTS),
        *(f"agent.999.{name}" for name in facts.AGENT_FACTS), "calendar.office.state", "calendar:default/office",
        "system.now",
    ], "old")  # fmt: skip
    program = w.switch.room.site_of(call).programs[call.program]
    live_facts.tell(w.switch.room, call, msgspec.structs.replace(program, wants=tuple(known)), known, w.now_ms)
    assert "old" not in known.values()
    assert known["queue.gone.closed"] == known["queue.gone.full"] == "yes"
    assert known["agent.999.state"] == "logged_out" and known["agent.201.logged_in"] == "no"
    assert known["calendar.office.state"] == "closed" and "calendar:default/office" not in known
    assert known["call.waited"] == "0" and "agent.last" not in known and "queue.gone.length" not in known

"""The time and what operators say of calendars reach a dialplan at each turn: a call at eight finds it shut."""

from __future__ import annotations

from engine.call import levers
from engine.call.effects import WallClock
from tests.call.calls import over, ring, world
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

"""A site whose agents are reached in other ways than by one registered phone, and its carrier's exchange."""

from __future__ import annotations

from engine.dialplan.model import Site
from engine.sim.phone import Habit, Phone
from engine.sim.world import World
from tests.scenarios.sites import BUSY_AGENTS, BUSY_QUEUES, BUSY_SITE, busy_site

CARRIER = "192.0.2.1"
QUEUES = BUSY_QUEUES + "mobile: {ring: 10s, wrap_up: 5s, misses: 2, rest: {no_answer: 3s, rejected: 3s}}\n"
NUMBERS = BUSY_SITE + "  750: {dialplan: mobile, public: yes}\n"
DIALPLAN = """
ringdown: 1
languages: [en]
entry: main
flows:
  main:
    - answer
    - queue: {name: mobile, max_wait: 3min, full: bye, no_agents: bye, timeout: bye}
    - hangup: served
  bye:
    - play: goodbye
    - hangup: failed
"""
FAY = "206: {name: Fay, queues: [mobile], logged_in: yes, phone: {number: '91701', %s}}\n"


def reached_site(phone: str = "confirm: yes", more: str = "") -> Site:
    """The busy site and agent 206 with a mobile behind the carrier's trunk; `phone`: more of it, `more`: agents."""
    agents = BUSY_AGENTS + FAY % phone + more
    return busy_site(agents=agents, queues=QUEUES, site=NUMBERS, dialplans__mobile=DIALPLAN)


def mobile(w: World, *, host: str = CARRIER, **habit: object) -> Phone:
    """The carrier's exchange, which rings the mobile."""
    phone = w.phone("exchange", password="", host=host)
    phone.habit = Habit(**habit)  # type: ignore[arg-type]
    return phone

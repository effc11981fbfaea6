"""A site with boxes, and callers who speak into them."""

from __future__ import annotations

from engine.dialplan.model import Site
from engine.sim.phone import Phone
from engine.sim.world import World
from tests.call.calls import ring, world
from tests.scenarios.sites import site

SITE = """
ringdown: 1
time_zone: UTC
languages: [en]
retention: {voicemail: 30d}
voicemail: {quota: 5MB}
numbers:
  700: {dialplan: main, public: yes}
  701: {dialplan: main, entry: personal, public: yes}
  702: {dialplan: main, entry: beside, public: yes}
"""
QUEUES = """
support:
  callback:
    allow: ['0', '+49']
    promise: 5min
    max_age: 30min
"""
BOXES = """
support:
  queue: support
  number: 900
  messages: 2
  min: 2s
  max: 10s
  hears: [201, 202]
  callback: yes
  unheard: 4h
  keep: 10d
201:
  greeting: thank_you
  max: 1min
"""
MAIN = """
ringdown: 1
languages: [en]
entry: main
flows:
  main:
    - answer
    - voicemail: {box: support, too_short: again_later}
    - play: thank_you
    - hangup: served
  personal:
    - answer
    - voicemail: {box: 201, full: again_later}
    - hangup: served
  beside:
    - answer
    - record: start
    - voicemail: support
    - play: thank_you
    - hangup: served
  again_later:
    - play: goodbye
    - hangup: served
"""
AGENTS = (
    "201: {name: Ana, queues: [support]}\n202: {name: Ben, queues: [support]}\n203: {name: Cho, queues: [support]}\n"
)
TRUNKS = "carrier: {host: 192.0.2.1, addresses: [192.0.2.0/24], country: gb}\n"
OUTBOUND = "0.: carrier\n+49.: carrier\n"
CUSTOMER = "0301234567"


def boxed_site(**changes: str) -> Site:
    """`changes` as `site`'s: the words of a file in place of ours."""
    given = {
        "site": SITE, "queues": QUEUES, "boxes": BOXES, "agents": AGENTS, "trunks": TRUNKS, "outbound": OUTBOUND,
        "dialplans__main": MAIN, "dialplans__support": MAIN, "dialplans__echo": MAIN, "dialplans__secret": MAIN,
    }  # fmt: skip
    return site(**{**given, **changes})


def boxes_world(made: Site | None = None, *, law9: bool = False) -> World:
    w = world(made or boxed_site(), law9=law9)
    w.phone("carrier", host="192.0.2.1", password="")  # the carrier's, behind which every customer is
    return w


def customer(w: World, number: str = "700", user: str = CUSTOMER) -> Phone:
    """Somebody who rings through the carrier."""
    phone = w.phone(user, host=f"192.0.2.{20 + len(w.phones)}", password="")
    return ring(w, number, phone=phone)


def speak(w: World, caller: Phone, ms: int = 4_000, *, end: str = "#") -> None:
    """Wait for the beep, speak, and end it by `#` or ('') by hanging up."""
    assert w.run_until(lambda: w.hears(caller) == "tone/beep", 20_000)
    assert w.run_until(lambda: w.hears(caller) == "silence", 5_000)
    w.run(ms)
    if end:
        w.press(caller, end, gap_ms=100)
    else:
        caller.hang_up(w.now_ms)
    w.run(1_500)

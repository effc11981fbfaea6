"""A site that calls people back, and people who ask for it: callers come in by a trunk and are rung through it."""

from __future__ import annotations

from engine.dialplan.model import Site
from engine.sim.phone import Habit, Phone
from engine.sim.world import World
from tests.call.calls import agent, ring, world
from tests.scenarios.sites import site

SITE = """
ringdown: 1
time_zone: UTC
languages: [en]
country: gb
numbers:
  700: {dialplan: support, public: yes}
  701: {dialplan: support, entry: at_once, public: yes}
  702: {dialplan: support, entry: typed, public: yes}
  703: {dialplan: support, entry: replacing, public: yes}
"""
QUEUES = """
support:
  ring: 10s
  wrap_up: 20s
  keep_place: 30s
  callback:
    mode: MODE
    allow: ['0', '+49']
    deny: ['0900', '00']
    attempts: 2
    retry: 1min
    ring: 15s
    lead: 5s
    promise: 5min
    max_age: 30min
    open: 3
"""
TRUNKS = "carrier: {host: 192.0.2.1, addresses: [192.0.2.0/24], country: gb}\n"
OUTBOUND = "0.: carrier\n+49.: carrier\n"
AGENTS = "201: {name: Ana, queues: [support]}\n202: {name: Ben, queues: [support]}\n"
SUPPORT = """
ringdown: 1
languages: [en]
entry: main
variables:
  number: digits 3..15
flows:
  main:
    - answer
    - queue: {name: support, waiting: hold, max_wait: 20min, full: bye, no_agents: bye, timeout: bye}
    - hangup: served
  back:
    - callback:
        queue: support
        timeout: 3s
        refused: bye
        no_number: bye
        already_open: again_later
        full: all_full
        declined: main
        failed: bye
    - play: callback_booked
    - hangup: booked
  at_once:
    - answer
    - callback: {queue: support, confirm_by_key: no, failed: bye}
    - play: callback_booked
    - hangup: booked
  typed:
    - answer
    - gather: {into: number, prompt: try_again, failed: bye}
    - callback: {queue: support, number: $number, confirm: one_moment, failed: bye}
    - hangup: booked
  replacing:
    - answer
    - callback: {queue: support, confirm_by_key: no, replace: yes, failed: bye}
    - hangup: booked
  again_later:
    - play: thank_you
    - hangup: already
  all_full:
    - play: all_busy
    - hangup: full
  bye:
    - play: goodbye
    - hangup: failed
waits:
  hold:
    - menu: {prompt: please_hold, choices: {1: back}, failed: continue}
    - music: 30s
"""


def back_site(
    mode: str = "agent-first", *, more: str = "", queues: str = "", support: str = SUPPORT, queue: str = "support",
    zone: str = "UTC",
) -> Site:  # fmt: skip
    """`more`: lines below `callback:`; without `typed_numbers` the flow that types one is left out."""
    text = QUEUES.replace("MODE", mode) + more
    if "typed_numbers" not in text:
        support = support.replace("number: $number, confirm: one_moment,", "")
        support = support.replace("    - gather: {into: number, prompt: try_again, failed: bye}\n", "")
        support = support.replace("variables:\n  number: digits 3..15\n", "")
    support = support.replace("name: support", f"name: {queue}").replace("queue: support", f"queue: {queue}")
    return site(
        site=SITE.replace("time_zone: UTC", f"time_zone: {zone}"), queues=queues or text,
        agents=AGENTS.replace("[support]", f"[{queue}]"),
        trunks=TRUNKS, outbound=OUTBOUND, dialplans__support=support, dialplans__main=support,
        dialplans__echo=support, dialplans__secret=support,
    )  # fmt: skip


def back_world(mode: str = "agent-first", *, law9: bool = False, more: str = "", **carrier: object) -> World:
    """A world with the carrier's phone, which is every customer's: `carrier` is its owner's habit."""
    made = world(back_site(mode, more=more), law9=law9)
    phone = made.phone("carrier", host="192.0.2.1", password="")
    phone.habit = Habit(**carrier)  # type: ignore[arg-type]
    return made


def customer(w: World) -> Phone:
    """The phone that rings when the engine calls somebody back."""
    return w.phones["192.0.2.1", 5060]


def caller(w: World, number: str = "0301234", dialled: str = "700") -> Phone:
    """Somebody calls through the trunk and shows `number`."""
    used = sum(1 for host, _ in w.phones if host.startswith("192.0.2."))
    return ring(w, dialled, phone=w.phone(number, host=f"192.0.2.{used + 1}", password=""))


def book(w: World, number: str = "0301234") -> str:
    """Call, wait, press 1, confirm by 1, hear that it is booked: the callback's id."""
    phone = caller(w, number)
    w.run(1_500)
    w.press(phone, "1")
    assert w.hears(phone).startswith("en/callback_offer"), w.hears(phone)
    w.press(phone, "1")
    assert w.hears(phone) == "en/callback_booked", w.hears(phone)
    w.run(3_000)
    assert not phone.sessions
    return w.last("callback.requested").call


def busy_agent(w: World, user: str = "201", **habit: object) -> tuple[Phone, Phone]:
    """(an agent in conversation, his caller)."""
    desk = agent(w, user, **habit)
    talker = caller(w, f"0999{user}")
    assert w.run_until(lambda: bool(desk.up()) and "row" in w.hears(talker), 20_000)
    return desk, talker


def kinds(w: World) -> list[str]:
    return [event.kind.partition(".")[2] for event in w.events if event.kind.startswith("callback.")]

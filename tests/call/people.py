"""A site for the verbs that bring people together."""

from __future__ import annotations

from engine.dialplan.model import Site
from engine.sim.phone import Habit, Phone
from engine.sim.world import World
from tests.scenarios import sites

CARRIER, GATEWAY = "192.0.2.1", "198.51.100.7"
PEOPLE = """
ringdown: 1
languages: [en]
entry: to_agent
flows:
  to_agent:
    - answer
    - transfer: {to: 201, ring: 10s, busy: taken, failed: bye}
  to_number:
    - answer
    - transfer: {to: '9123', ring: 10s, refer: yes, failed: bye}
  to_queue:
    - answer
    - transfer: {queue: support, failed: bye}
  asked:
    - answer
    - queue: {name: support, full: bye, no_agents: bye, timeout: bye}
    - survey: after_call
    - hangup: served
  followed:
    - answer
    - dial:
        steps:
          - {to: 201, ring: 5s}
          - {to: '9123', ring: 10s, confirm: try_again}
        whisper: one_moment
        failed: bye
    - play: thank_you
    - hangup: served
  parked:
    - answer
    - park: {for: 30s, timeout: bye, full: taken}
    - play: thank_you
    - hangup: served
  room:
    - answer
    - conference: {room: standup, max: 3, exit: hash, beep: yes, full: taken}
    - play: thank_you
    - hangup: served
  listener:
    - answer
    - conference: {room: standup, muted: yes, full: taken}
    - hangup: served
  taken:
    - play: not_available
    - hangup: failed
  bye:
    - play: goodbye
    - hangup: failed
"""
NUMBERS = """
  760: {dialplan: people, public: yes}
  761: {dialplan: people, entry: to_number, public: yes}
  762: {dialplan: people, entry: to_queue, public: yes}
  763: {dialplan: people, entry: asked, public: yes}
  764: {dialplan: people, entry: followed, public: yes}
  765: {dialplan: people, entry: parked, public: yes}
  766: {dialplan: people, entry: room, public: yes}
  767: {dialplan: people, entry: listener, public: yes}
"""
SURVEYS = """
after_call:
  intro: one_moment
  questions:
    happy: {prompt: try_again, keys: 1-5}
  thanks: thank_you
"""
MORE_SITE = "parking: {slots: 71-72, back: 1min}\n"
TRUNKS = sites.BUSY_TRUNKS.replace("calls_max: 2,", "calls_max: 2, refer: yes,")


def site() -> Site:
    return sites.busy_site(
        site=sites.BUSY_SITE + NUMBERS.lstrip("\n") + MORE_SITE, trunks=TRUNKS, surveys=SURVEYS,
        dialplans__people=PEOPLE,
    )  # fmt: skip


def carrier(w: World, host: str = CARRIER, **habit: object) -> Phone:
    phone = w.phone("carrier", host=host, password="")
    phone.habit = Habit(**habit)  # type: ignore[arg-type]
    return phone


def results(w: World) -> list[tuple[object, object]]:
    return [(e.data["way"], e.data["result"]) for e in w.all("call.transferred")]

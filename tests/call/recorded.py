"""A site in which callers, and those who are called, hear that they are recorded."""

from __future__ import annotations

from engine.dialplan.model import Site
from engine.sim.world import World
from tests.scenarios import sites

RECORDING = """
recording:
  incoming: {announce: one_moment, opt_out: star, beep: yes}
  outgoing: {announce: try_again, opt_out: 9, calls: yes}
"""
KEPT = """
ringdown: 1
languages: [en]
entry: main
variables:
  code: digits 4 sensitive
flows:
  main:
    - answer
    - record: start
    - play: welcome
    - gather: {prompt: you_pressed, into: code, tries: 1, timeout: 5s, failed: bye}
    - play: thank_you
    - record: pause
    - play: please_hold
    - record: resume
    - play: goodbye
    - hangup: served
  taped:
    - answer
    - queue: {name: taped, whisper: agent_ready, full: bye, no_agents: bye, timeout: bye}
    - hangup: served
  over:
    - answer
    - queue: {name: plain, full: bye, no_agents: bye, timeout: bye}
    - hangup: served
  out:
    - answer
    - dial: {to: '9123', ring: 20s, record: yes, failed: bye}
    - play: thank_you
    - hangup: served
  at_once:
    - dial: {to: '9123', ring: 20s, record: yes, failed: bye}
    - hangup: served
  bye:
    - play: goodbye
    - hangup: failed
"""
NUMBERS = """
  750: {dialplan: kept, public: yes}
  751: {dialplan: kept, entry: taped, public: yes}
  752: {dialplan: kept, entry: over, public: yes}
  753: {dialplan: kept, entry: out, public: yes}
  754: {dialplan: kept, entry: at_once, public: yes}
"""
QUEUES = sites.BUSY_QUEUES + "plain:\n  overflow:\n    - {if: waited > 5s, queue: taped}\n"


def site() -> Site:
    return sites.busy_site(
        site=sites.BUSY_SITE + NUMBERS.lstrip("\n") + RECORDING, queues=QUEUES, dialplans__kept=KEPT,
        dialplans__main=sites.MAIN, dialplans__echo=sites.ECHO, dialplans__secret=sites.SECRET,
    )  # fmt: skip


def states(w: World) -> list[str]:
    return [str(event.data["state"]) for event in w.all("call.recording")]

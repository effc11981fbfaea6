"""A site for tests of waiting: queues that overflow into one another, wait lists, announcements."""

from __future__ import annotations

import pytest

from engine.call import queue_facts
from engine.dialplan.model import Site
from tests.scenarios.sites import BUSY_SITE, busy_site

NUMBERS = "  750: {dialplan: waits, public: yes}\n  751: {dialplan: waits, entry: told, public: yes}\n"
AGENTS = """
201: {name: Ana, queues: [first, announced], skills: {power: 3}}
202: {name: Ben, queues: [second]}
203: {name: Cho, queues: [third], skills: {power: 2}}
"""
QUEUES = """
first:
  ring: 10s
  overflow:
    - {if: waited > 60s, queue: second}
second:
  ring: 10s
  overflow: [{if: waited > 60s, queue: third, credit: none}]
third: {ring: 10s, length: 5}
announced:
  ring: 10s
  announce:
    join: please_hold
    position: 30s
    estimate: 60s
    periodic: {every: 45s, play: [thank_you, one_moment]}
"""
WAITS = """
ringdown: 1
languages: [en]
variables:
  rounds: number = 0
flows:
  main:
    - answer
    - queue: {name: first, max_wait: 10min, full: bye, no_agents: bye, timeout: late, voicemail: left, callback: back}
    - play: thank_you
    - hangup: served
  told:
    - answer
    - queue: {name: announced, max_wait: 10min, full: bye, no_agents: bye, timeout: late}
    - hangup: served
  left:
    - play: leave_message
    - hangup: left
  back:
    - play: try_again
    - hangup: called_back
  late:
    - play: all_busy
    - hangup: late
  bye:
    - play: goodbye
    - hangup: failed
"""


def waits_site(*, queues: str = QUEUES, agents: str = AGENTS, waits: str = WAITS, site: str = "") -> Site:
    """The site; every part may be given anew."""
    numbers = (site or BUSY_SITE).replace("  9196:", NUMBERS + "  9196:")
    used = "support wide taped fixed narrow nobody".split()
    queues += "".join(f"{name}: {{ring: 10s}}\n" for name in used)
    agents += "204: {name: Dee, contact: 'sip:204@10.0.9.4:5060', queues: [support, wide, fixed, taped, narrow]}\n"
    agents += "205: {name: Eva, queues: [fixed], team: front}\n"
    return busy_site(site=numbers, agents=agents, queues=queues, dialplans__waits=waits)


def expect(monkeypatch: pytest.MonkeyPatch, low_s: int, median_s: int, high_s: int) -> None:
    """From now on the distributor's estimate is this, whoever asks (0, 0, 0: it knows nothing)."""
    found = (low_s * 1_000, median_s * 1_000, high_s * 1_000) if high_s else None
    monkeypatch.setattr(queue_facts, "range_ms", lambda *given, **named: found)

"""A dialplan of 60 steps for crowds of callers, with the chances of what its values decide."""

from __future__ import annotations

import msgspec

from engine.dialplan.findings import render
from engine.dialplan.model import Site
from engine.dialplan.reader import read_site
from engine.sim.chain import Chances
from tests.scenarios.sites import stock

NAME = "default/main"
SITE = """
ringdown: 1
languages: [en, zh]
numbers:
  100: {dialplan: main, public: yes}
"""
HEAD = """
ringdown: 1
variables:
  one: digits 1
  pick: digits 1
  pair: number
always:
  0: service
rescue: fault
"""
FLOWS = """
flows:
  main:
    - answer
    - play: welcome
    - menu:
        prompt: welcome
        tries: 2
        choices:
          1:
            - language: en
          2:
            - language: zh
            - play: one_moment
        failed: continue
    - subflow: identify
    - goto: choose

  choose:
    - menu:
        prompt: position_is
        tries: 3
        choices:
          1: bill
          2: outage
          3: order
          4:
            - play: thank_you
            - tag: asked for hours
          star: again
          51: service
        failed: service
    - play: goodbye
    - hangup: served

  identify:
    - play: one_moment
    - gather: {into: one, prompt: try_again, tries: 3, failed: unknown}
    - when:
        - if: one = '7'
          then: unknown
        - if: one = '8' or one = '9'
          then:
            - tag: known
            - play: thank_you
    - return

  unknown:
    - play: not_available
    - tag: unknown
    - return

  bill:
    - play: one_moment
    - gather: {into: pick, prompt: try_again, tries: 2, failed: service}
    - switch:
        value: pick
        cases:
          '1': outage
          '2':
            - play: thank_you
        else: continue
    - say: $pick
    - menu:
        prompt: you_pressed
        tries: 2
        choices:
          1: pay
          2: choose
          9: bye
        failed: bye

  pay:
    - priority: 2min
    - gather: {into: pair, min: 2, max: 2, prompt: try_again, tries: 3, failed: service}
    - when:
        - if: pair < 25
          then: service
    - play: thank_you
    - menu:
        prompt: you_pressed
        tries: 1
        choices:
          1: bye
          2:
            - play: one_moment
            - goto: bye
        failed: bye

  outage:
    - play: please_hold
    - menu:
        prompt: you_pressed
        tries: 2
        choices:
          1: service
          2: choose
          3:
            - subflow: identify
            - play: one_moment
        failed: bye
    - play: thank_you
    - goto: bye

  order:
    - play: one_moment
    - gather: {into: one, prompt: try_again, tries: 2, failed: bye}
    - menu:
        prompt: you_pressed
        tries: 3
        choices:
          1: order
          2: pay
          5:
            - tag: ordered
            - play: thank_you
        failed: service
    - goto: bye

  service:
    - priority: 1min
    - queue:
        name: support
        full: busy
        no_agents: busy
        timeout: late
    - play: thank_you
    - hangup: served

  late:
    - play: leave_message
    - menu:
        prompt: you_pressed
        tries: 1
        choices:
          1: service
        failed: busy

  busy:
    - tag: busy
    - play: all_busy
    - hangup: {outcome: failed, cause: 17}

  bye:
    - play: goodbye
    - hangup: served

  fault:
    - play: technical_fault
    - hangup: failed
"""


def crowd_site() -> Site:
    files = {
        "site.yaml": SITE, "dialplans/main.yaml": HEAD + FLOWS, "queues.yaml": "support: {ring: 10s}\n",
        "agents.yaml": "201: {name: Ana, queues: [support]}\n",
    }  # fmt: skip
    made, findings = read_site({name: text.encode() for name, text in files.items()}, stock())
    assert made is not None, [render(finding) for finding in findings if finding.severity == "error"]
    return msgspec.structs.replace(made, traced=True)


DECIDED = {  # flow of a step that decides by a value -> its ways; digits are as likely as one another
    "identify": {0: 0.1, 1: 0.2, "": 0.7},
    "bill": {"1": 0.1, "2": 0.1, "else": 0.8},
    "pay": {0: 0.25, "": 0.75},
}


def chances(site: Site) -> Chances:
    """The chances of `when` and `switch` in the plan, by place and the names that the linker gave their ways."""
    found: dict[str, dict[str, float]] = {}
    for flow, steps in site.programs[NAME].flows.items():
        for step in steps:
            if step.verb in ("when", "switch"):
                named = [out for _, out in step.data.get("branches", step.data.get("cases", ()))]
                found[step.place] = {
                    named[way] if isinstance(way, int) else named[int(way) - 1] if way.isdigit() else way: chance
                    for way, chance in DECIDED[flow].items()
                }  # fmt: skip
    return found

"""Sites for scenarios, written as an admin would write them; prompts are names with durations, no audio."""

from __future__ import annotations

from engine.dialplan.findings import render
from engine.dialplan.model import Site
from engine.dialplan.prompts import StockPrompt
from engine.dialplan.reader import read_site

WORDS = {
    "welcome": 2_000, "please_hold": 1_000, "position_is": 800, "you_are_next": 900, "invalid_choice": 700,
    "no_input": 700, "goodbye": 500, "all_busy": 1_200, "not_available": 900, "agent_logged_in": 600,
    "agent_logged_out": 600, "agent_not_ready": 600, "agent_ready": 600, "transfer_failed": 900,
    "technical_fault": 900, "leave_message": 900, "you_pressed": 500, "thank_you": 400, "number_unknown": 600,
    "one_moment": 600, "try_again": 500, "callback_offer": 900, "callback_is_here": 1_500, "callback_whisper": 700,
    "callback_not_reached": 800, "callback_booked": 900, "place_kept": 800, "agent_talking": 500, "agent_wrap_up": 500,
    "agent_resting": 500,
    "agent_dial_refused": 500,
    "agent_occupied": 500, "agent_reason": 300, "agent_for": 200, "agent_waiting_none": 700, "agent_waiting_one": 700,
    "agent_waiting_many": 700, "agent_to_return": 600, "agent_to_log_in": 600, "agent_code_noted": 500,
    "agent_no_code": 500, "agent_no_call": 500, "agent_code_needed": 500, "agent_wrap_up_lasts": 500,
    "agent_no_wrap_up": 500, "agent_extended": 500, "agent_no_extension": 500, "reason_lunch": 300,
    "reason_missed": 300, "unit_second": 200, "unit_seconds": 200, "unit_minute": 200, "unit_minutes": 200,
    "wait_between": 900, "wait_less_than": 900, "wait_longer_than": 900,
    "wait_minutes": 500, "agent_queue_call": 900, "agent_nailed_up": 1_500,
    "agent_direct_call": 700, "agent_press_one": 1_800, "box_full": 700, "box_pin": 1_500, "box_pin_wrong": 700,
    "box_none": 700, "box_new": 500, "box_old": 500, "box_from": 400, "box_menu": 5_000, "box_deleted": 600,
    "box_saved": 600, "box_last": 700, "box_lost": 600, "box_no_callback": 800, "prompt_number": 1_500,
    "prompt_speak": 1_200, "prompt_menu": 5_000, "prompt_used": 800, "prompt_kept": 600,
}  # fmt: skip


def stock() -> dict[str, StockPrompt]:
    names = dict(WORDS)
    names.update({f"digits/{d}": 400 for d in [*"0123456789", "star", "hash"]})
    names.update({f"numbers/{n}": 500 for n in [*range(21), 30, 40, 50, 60, 70, 80, 90, "hundred", "thousand", "and"]})
    found = {f"en/{name}": StockPrompt(f"en/{name}", name.replace("_", " "), "", ms) for name, ms in names.items()}
    found["music/default"] = StockPrompt("music/default", "", "", 30_000)
    return found


SITE = """
ringdown: 1
time_zone: UTC
languages: [en]
numbers:
  100: {dialplan: main, public: yes}
  700: {dialplan: support, public: yes}
  9196: {dialplan: echo, public: yes}
  600: secret
"""
AGENTS = """
201: {name: Ana, queues: [support]}
202: {name: Ben, queues: [support]}
203: {name: Cho, queues: [support]}
"""
QUEUES = """
support: {ring: 10s, wrap_up: 5s, service_level: 80% in 20s}
ringall: {strategy: ring-all, ring: 10s}
"""
MAIN = """
ringdown: 1
about: the menu of the scenarios
languages: [en]
entry: main
flows:
  main:
    - answer
    - menu:
        prompt: welcome
        timeout: 4s
        tries: 2
        choices:
          1: support
          2: pressed
        failed: bye
  support:
    - queue:
        name: support
        max_wait: 10min
        full: bye
        no_agents: bye
        timeout: bye
    - hangup: served
  pressed:
    - play: you_pressed
    - hangup: served
  bye:
    - play: goodbye
    - hangup: failed
"""
SUPPORT = """
ringdown: 1
languages: [en]
entry: main
flows:
  main:
    - answer
    - queue:
        name: support
        max_wait: 60s
        full: bye
        no_agents: bye
        timeout: bye
    - hangup: served
  bye:
    - play: goodbye
    - hangup: failed
"""
ECHO = """
ringdown: 1
languages: [en]
entry: main
flows:
  main:
    - answer
    - echo
"""
SECRET = ECHO


# --- everything a switch can be asked for, for tests of single rules and for the soak ---------------------------
BUSY_SITE = """
ringdown: 1
time_zone: UTC
languages: [en]
country: gb
numbers:
  100: {dialplan: main, public: yes}
  700: {dialplan: support, public: yes}
  710: {dialplan: wide, public: yes}
  711: {dialplan: wide, entry: whispered, public: yes}
  720: {dialplan: onward, public: yes}
  721: {dialplan: onward, entry: serial, public: yes}
  722: {dialplan: onward, entry: music, public: yes}
  723: {dialplan: onward, entry: out, public: yes}
  730: {dialplan: keep, public: yes}
  731: {dialplan: keep, entry: message, public: yes}
  732: {dialplan: keep, entry: aside, public: yes}
  733: {dialplan: keep, entry: heard_out, public: yes}
  740: {dialplan: support, entry: narrow, public: yes}
  741: {dialplan: support, entry: nobody, public: yes}
  742: {dialplan: support, entry: taped, public: yes}
  9196: {dialplan: echo, public: yes}
  600: secret
"""
BUSY_AGENTS = """
201: {name: Ana, queues: [support, wide, taped], team: front}
202: {name: Ben, queues: [support, wide], team: front}
203: {name: Cho, queues: {support: 1, wide: 2}}
204: {name: Dee, contact: 'sip:204@10.0.9.4:5060', logged_in: yes, queues: [fixed], phone: {auto_answer: call-info}}
205: {name: Eva, queues: [fixed], phone: {dtmf: info}}
"""
BUSY_QUEUES = """
support: {ring: 10s, wrap_up: 5s, service_level: 80% in 20s, misses: 2, rest: {no_answer: 3s, busy: 3s, rejected: 3s}}
wide: {strategy: ring-all, ring: 10s, wrap_up: 2s, length: 3}
taped: {ring: 10s, record: yes}
fixed: {ring: 10s}
narrow: {ring: 5s, length: 1}
nobody: {ring: 5s, join_empty: no}
"""
BUSY_TRUNKS = """
carrier: {host: 192.0.2.1, addresses: [192.0.2.0/28], calls_max: 2, trust_identity: yes, country: us}
gateway: {host: 198.51.100.7, trust_identity: no, country: cn, dtmf: info}
"""
BUSY_OUTBOUND = """
9x.: {trunk: carrier, strip: 1, prepend: +49, caller_id: +49301234}
00x.: {trunk: gateway, teams: [front]}
"""
BUSY_SUPPORT = """
ringdown: 1
languages: [en]
entry: main
flows:
  main:
    - answer
    - queue: {name: support, max_wait: 60s, full: bye, no_agents: bye, timeout: bye}
    - hangup: served
  narrow:
    - answer
    - queue: {name: narrow, max_wait: 60s, full: bye, no_agents: bye, timeout: late}
    - hangup: served
  nobody:
    - answer
    - queue: {name: nobody, full: bye, no_agents: bye, timeout: bye}
    - hangup: served
  taped:
    - answer
    - queue: {name: taped, full: bye, no_agents: bye, timeout: bye}
    - hangup: served
  late:
    - play: all_busy
    - hangup: {outcome: failed, cause: 17}
  bye:
    - play: goodbye
    - hangup: failed
"""
WIDE = """
ringdown: 1
languages: [en]
entry: main
flows:
  main:
    - answer
    - queue: {name: wide, waiting: program, max_wait: 3min, full: bye, no_agents: bye, timeout: bye}
    - hangup: served
  whispered:
    - answer
    - queue: {name: wide, whisper: one_moment, position: 10s, full: bye, no_agents: bye, timeout: bye}
    - play: thank_you
    - hangup: served
  left:
    - play: leave_message
    - hangup: left
  bye:
    - play: goodbye
    - hangup: failed
waits:
  program:
    - play: please_hold
    - position
    - menu: {prompt: try_again, choices: {star: left}, failed: continue}
    - music: 30s
"""
ONWARD = """
ringdown: 1
languages: [en]
entry: parallel
flows:
  parallel:
    - answer
    - dial: {to: [agent 201, agent 202], ring: 10s, busy: taken, failed: bye}
    - hangup: served
  serial:
    - answer
    - dial: {to: [agent 201, '9123'], mode: serial, ring: 5s, busy: taken, failed: bye}
    - hangup: served
  music:
    - answer
    - dial: {to: agent 201, ring: 5s, music: music/default, busy: taken, failed: bye}
    - hangup: served
  out:
    - dial: {to: '9123', ring: 5s, busy: taken, failed: bye}
    - hangup: served
  taken:
    - play: not_available
    - hangup: {outcome: failed, cause: 17}
  bye:
    - play: goodbye
    - hangup: failed
"""
KEEP = """
ringdown: 1
languages: [en]
entry: main
variables:
  account: digits 4
  code: digits 4 sensitive
  message: text
flows:
  main:
    - answer
    - play: welcome
    - gather: {prompt: try_again, into: account, tries: 2, timeout: 5s, failed: bye}
    - gather: {prompt: one_moment, into: code, tries: 2, timeout: 5s, failed: bye}
    - play: thank_you
    - hangup: served
  message:
    - answer
    - record: {into: message, max: 10s, finish: hash}
    - play: thank_you
    - hangup: served
  aside:
    - answer
    - record: {call: start, beep: yes}
    - play: welcome
    - record: stop
    - hangup: served
  heard_out:
    - answer
    - gather: {prompt: welcome, into: account, barge_in: no, tries: 1, timeout: 5s, failed: bye}
    - play: thank_you
    - hangup: served
  bye:
    - play: goodbye
    - hangup: failed
"""


def busy_site(**changes: str) -> Site:
    """A site with trunks, ways out, static contacts, ring-all, wait lists, recordings, secrets; `changes` as below."""
    given = {
        "site": BUSY_SITE, "agents": BUSY_AGENTS, "queues": BUSY_QUEUES, "trunks": BUSY_TRUNKS,
        "outbound": BUSY_OUTBOUND, "dialplans__support": BUSY_SUPPORT, "dialplans__wide": WIDE,
        "dialplans__onward": ONWARD, "dialplans__keep": KEEP,
    }  # fmt: skip
    return site(**{**given, **changes})


def files(**changes: str) -> dict[str, bytes]:
    """The scenario site's files; `changes`: path with `__` for `/` and without `.yaml` -> new text."""
    found = {
        "site.yaml": SITE, "agents.yaml": AGENTS, "queues.yaml": QUEUES, "dialplans/main.yaml": MAIN,
        "dialplans/support.yaml": SUPPORT, "dialplans/echo.yaml": ECHO, "dialplans/secret.yaml": SECRET,
    }  # fmt: skip
    for name, text in changes.items():
        found[name.replace("__", "/") + ".yaml"] = text
    return {name: text.encode() for name, text in found.items()}


def site(**changes: str) -> Site:
    """The site, linked; a finding of severity error fails with its text."""
    given = files(**changes)
    linked, findings = read_site(given, stock())
    assert linked is not None, "\n".join(render(finding, given) for finding in findings)
    return linked

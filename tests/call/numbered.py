"""A site whose trunks say how they write numbers, and calls of carriers to it."""

from __future__ import annotations

from engine.dialplan.model import Site
from engine.sim.phone import Phone
from engine.sim.world import World
from tests.scenarios.sites import BUSY_AGENTS, BUSY_OUTBOUND, BUSY_SITE, busy_site

CARRIER, STRANGER, GATEWAY = "192.0.2.1", "198.51.100.9", "198.51.100.7"
TRUNKS = """
carrier:
  host: 192.0.2.1
  addresses: [192.0.2.0/28]
  trust_identity: yes
  numbers: {country: de, format: national, area: '30', main: '+493022334455', diversion: both%s}
stranger:
  host: 198.51.100.9
  numbers: {country: de, format: digits, main: '+493022334455', diversion: diversion}
gateway: {host: 198.51.100.7, numbers: {country: gb, identity: none}}
"""
NUMBERS = BUSY_SITE + """
  '+493022334455': {dialplan: asked, anonymous: hidden, malformed: strange}
  '03022334466': {dialplan: asked}
"""
ASKED = """
ringdown: 1
languages: [en]
entry: main
flows:
  main:
    - answer
    - play: welcome
    - queue: {name: support, max_wait: 60s, full: bye, no_agents: bye, timeout: bye}
    - hangup: served
  hidden:
    - answer
    - play: number_unknown
    - hangup: served
  strange:
    - reject: 484
  bye:
    - hangup: failed
"""


def numbered_site(
    *, trunk: str = "", outbound: str = BUSY_OUTBOUND, site: str = NUMBERS, agents: str = BUSY_AGENTS, **more: str
) -> Site:
    """The busy site behind trunks with numbers; `trunk`: more of the carrier's."""
    files = {"trunks": TRUNKS % trunk, "dialplans__asked": ASKED, "outbound": outbound, "site": site, "agents": agents}
    return busy_site(**{**files, **more})


def calls(
    w: World, dialled: str, user: str, *, host: str = CARRIER, headers: tuple[tuple[str, str], ...] = ()
) -> Phone:
    """A call from a carrier: `user` is what stands in its From."""
    phone = w.phone(user, host=host, password="")
    phone.headers = headers
    phone.call(dialled, w.now_ms, secret=False)
    w.run(300)
    return phone


def caller(w: World) -> str:
    """Who the latest call is from, as its record has it."""
    return str(w.last("call.started").data["caller"])

"""Sites and words for tests of the agent's life."""

from __future__ import annotations

import msgspec

from engine.dialplan.model import Site
from engine.sim.phone import Phone
from engine.sim.world import World
from tests.call.calls import agent, said, world
from tests.scenarios.sites import BUSY_AGENTS, BUSY_QUEUES, BUSY_SITE, busy_site

REASONS = "reasons: {1: {name: break, budget: 15min}, 2: lunch, 7: {name: training, budget: 1h per shift}}\n"
CODED = "{mode: mandatory-discretionary, codes: {1: sold, 2: complaint}, required: yes}"


def life(wrap_up: str = "5s", *, misses: int = 2, agents: str = BUSY_AGENTS) -> Site:
    """The busy site with this wrap-up in the queue support, and with reasons."""
    rests = "rest: {no_answer: 3s, busy: 3s, rejected: 3s}"
    own = f"support:\n  ring: 10s\n  wrap_up: {wrap_up}\n  misses: {misses}\n  {rests}\n"
    queues = "\n".join(line for line in BUSY_QUEUES.splitlines() if not line.startswith("support:"))
    return busy_site(site=BUSY_SITE + REASONS, queues=own + queues + "\n", agents=agents)


def desk(site: Site, user: str = "201", **habit: object) -> tuple[World, Phone]:
    """A world with one agent at a phone that shows messages."""
    w = world(site)
    phone = agent(w, user, reads=True, **habit)
    phone.got.clear()  # that he was logged in by somebody
    return w, phone


def texts(phone: Phone) -> list[str]:
    """What the phone was told by MESSAGE, in order."""
    return [message.split("\r\n\r\n", 1)[1] for message in said(phone, "MESSAGE")]


def dial(w: World, phone: Phone, code: str) -> str:
    """The agent dials a code; the path of that call's record says what it was."""
    phone.call(code, w.now_ms)
    w.run(15_000)
    return str(w.all("call.ended")[-1].data["path"])


def standing(w: World) -> bytes:
    """How agents, the distributor and the operators' switches stand: what a refused command may not change."""
    room = w.switch.room
    return msgspec.msgpack.encode((room.acd.snapshot_agents(w.now_ms), room.agents, room.levers))

"""Short words for tests of the call room: a world, people at their phones, a conversation."""

from __future__ import annotations

import msgspec

from engine.call.effects import MediaHappened
from engine.dialplan.model import Site
from engine.media.commands import MediaEvent
from engine.records.events import Event
from engine.sim.phone import Habit, Phone
from engine.sim.world import World
from tests.scenarios.sites import busy_site

SITE = busy_site()
LONGEST_MS = 240_000  # past every deadline that a call can have when nobody holds it


def world(site: Site = SITE, *, seed: int = 1, law9: bool = False) -> World:
    """A world in which everything alive must have a deadline, at every step."""
    made = World(site, seed=seed, law9=law9)
    made.watched = True
    return made


def agent(w: World, user: str, *, login: bool = True, host: str = "", **habit: object) -> Phone:
    """An agent's phone, registered; the agent logged in."""
    phone = w.phone(user, host=host)
    phone.habit = Habit(**habit)  # type: ignore[arg-type]
    phone.register(w.now_ms)
    assert w.run_until(lambda: phone.registered_ms >= 0, 5_000)
    if login:
        assert w.operate("agent.login", agent=user).ok
    w.run(100)
    return phone


def ring(w: World, number: str, user: str = "5551234", *, phone: Phone | None = None, offer: bool = True) -> Phone:
    """Somebody calls `number`: a stranger, or the owner of `phone`."""
    phone = phone or w.phone(user, password="")
    phone.call(number, w.now_ms, secret=bool(phone.password), offer=offer)
    return phone


def talk(
    w: World, number: str = "700", user: str = "201", *, caller: Phone | None = None, **habit: object
) -> tuple[Phone, Phone]:
    """A caller in conversation with an agent: (caller, agent)."""
    desk = agent(w, user, **habit)
    caller = ring(w, number, phone=caller)
    assert w.run_until(lambda: bool(desk.up()) and "row" in w.hears(caller), 20_000)
    w.run(200)
    return caller, desk


def up(phone: Phone) -> int:
    """The session of the phone's one conversation."""
    (session,) = phone.up()
    return session


def told(phone: Phone) -> str:
    """The latest word on the phone's display."""
    return phone.log[-1][1]


def said(phone: Phone, method: str) -> list[str]:
    """The requests of a method that the phone has got, as text."""
    return [data.decode() for data in phone.got if data.startswith(method.encode() + b" ")]


def wire(w: World, *words: str) -> list[str]:
    """What the engine has sent that holds all these words."""
    texts = (data.decode() for data in w.wire)
    return [text for text in texts if all(word in text for word in words)]


def over(w: World) -> Event:
    """Wait past every deadline: nothing may be left; returns the closing record."""
    w.run(LONGEST_MS)
    assert w.quiet()
    return w.last("call.ended")


def plane(w: World, event: MediaEvent) -> None:
    """A word of the media plane."""
    w.give(MediaHappened(event))


def row_of(w: World, phone: Phone) -> tuple[int, int]:
    """(row, generation) of the open row that sends to this phone."""
    for number, row in w.media.rows.items():
        if row.far[0] == phone.media_host:
            return number, row.generation
    raise AssertionError(f"nothing is sent to {phone.host}")


def changed(site: Site, trunk: str, **fields: object) -> Site:
    """The site with some fields of one trunk changed, as a new version."""
    trunks = {**site.trunks, trunk: msgspec.structs.replace(site.trunks[trunk], **fields)}
    return msgspec.structs.replace(site, trunks=trunks, version=f"{site.version}+{trunk}")

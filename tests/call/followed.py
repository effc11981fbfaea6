"""A conversation with supervisors at hand, for tests of who follows it."""

from __future__ import annotations

import msgspec

from engine.dialplan.model import Site
from engine.media.commands import DigitHeard
from engine.sim.phone import Phone
from engine.sim.world import World
from tests.call.calls import SITE, agent, plane, row_of, talk, world


def supervised() -> Site:
    """The busy site: 203 supervises everybody, 202 the queue `taped`, 205 the team `front`; 201 nobody."""
    agents = dict(SITE.agents)
    for number, changes in (
        ("203", {"supervisor": True}), ("202", {"supervises": ("queue/default/taped",)}),
        ("205", {"supervises": ("team/front",), "dtmf": "auto"}),
    ):
        agents[f"default/{number}"] = msgspec.structs.replace(agents[f"default/{number}"], **changes)
    return msgspec.structs.replace(SITE, agents=agents, version=f"{SITE.version}+supervisors")


SUPERVISED = supervised()


def conversation(*, law9: bool = False, number: str = "700") -> tuple[World, Phone, Phone, Phone]:
    """(world, caller, agent 201 who talks to him, supervisor 203 at his desk, not logged in)."""
    w = world(SUPERVISED, law9=law9)
    caller, desk = talk(w, number)
    return w, caller, desk, agent(w, "203", login=False)


def ears(w: World, **phones: Phone) -> dict[str, str]:
    """What each hears: the names of the others whom he hears, joined by +, or what is played to him."""
    names = {}
    for name, phone in phones.items():
        if phone.up():
            names[f"row {row_of(w, phone)[0]}"] = name
    found = {}
    for name, phone in phones.items():
        if not phone.up():
            found[name] = "gone"
            continue
        heard = w.hears(phone).removeprefix("mix ")
        found[name] = " + ".join(sorted(names.get(part, part) for part in heard.split(" + ")))
    return found


def key(w: World, phone: Phone, digit: str) -> None:
    """One press of a phone whose leg is a call's own."""
    plane(w, DigitHeard(*row_of(w, phone), digit, 100, "rfc4733"))
    w.run(50)


def supervisions(w: World) -> list[tuple[str, ...]]:
    """The events of supervision: (what, mode, reason)."""
    found = []
    for event in w.events:
        if event.kind.startswith("supervision."):
            data = event.data
            found.append((event.kind.split(".")[1], str(data["mode"]), str(data.get("reason", ""))))
    return found

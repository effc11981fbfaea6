"""A busy quarter of an hour of the demo site in the simulated world, and the console's link to it.

Everything that the console asks an engine is answered by the world's own switch and a real ladder, so what is drawn
here is what operators see; same inputs, same picture, on every machine.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from engine.call.effects import Emit, Input, Output, Received
from engine.console.link import Gone, Link, Refused
from engine.records import schema
from engine.runtime.ladder import Ladder
from engine.runtime.site_files import demo_site, read_folder
from engine.sim.phone import Habit, Phone
from engine.sim.world import World
from engine.sip.events import Send

NAMING = ("call.started", "call.leg", "queue.connected", "call.ended")


class Watched(World):
    """A world whose signalling is kept as the serving process keeps it."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        self.ladder = Ladder()
        self.ladder.local(1, "10.0.0.1", 5060)
        super().__init__(*arguments, **more)

    def give(self, event: Input) -> list[Output]:
        if isinstance(event, Received):
            self.ladder.note(self.wall_ms(), "in", event.path, event.data)
        outputs = super().give(event)
        for output in outputs:
            if isinstance(output, Send):
                self.ladder.note(self.wall_ms(), "out", output.path, output.data)
            elif isinstance(output, Emit) and output.event.kind in NAMING:
                self.ladder.know(output.event)
        return outputs

    def wall_ms(self) -> int:
        return self.now_ms + self.switch.room.wall_offset_ms


def agent(world: World, number: str, **habit: Any) -> Phone:
    phone = world.phone(number)
    phone.habit = Habit(**habit)
    phone.register(world.now_ms)
    assert world.run_until(lambda: phone.registered_ms >= 0, 5_000)
    assert world.operate("agent.login", agent=f"default/{number}").ok
    return phone


def caller(world: World, number: str, to: str = "700") -> Phone:
    phone = world.phone(number, password="")
    phone.call(to, world.now_ms)
    world.run(400)
    return phone


def busy() -> Watched:
    """Two conversations, two who wait, one in the menu; an agent who doesn't answer, one at lunch; sales closed."""
    site = read_folder(demo_site()).site
    assert site is not None
    world = Watched(site, seed=7)
    agent(world, "201", talk_ms=95_000)
    caller(world, "442071230011")
    world.run(20_000)
    agent(world, "202")
    assert world.operate("agent.not_ready", agent="default/202", reason="lunch").ok
    agent(world, "204", answer_ms=2_000)
    caller(world, "15550123")
    world.run(9_000)
    caller(world, "861012345678")
    world.run(14_000)
    agent(world, "200", answer_ms=-1)  # away from his desk: it rings in vain
    world.run(12_000)
    caller(world, "4930901820")
    assert world.operate("queue.close", queue="sales").ok
    world.run(45_000)
    caller(world, "33142685300", to="100")
    world.run(9_000)
    return world


class Recorded(Link):
    """Answers from a world; its record store is written into `folder`."""

    def __init__(self, folder: Path, world: Watched) -> None:
        super().__init__(folder)
        self.world = world
        self.gone = False
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.sounds: list[dict[str, Any]] = []
        self.store()

    def store(self) -> None:
        """The world's events, as the engine's writer would have stored them."""
        db = sqlite3.connect(self.folder / "ringdown.db")
        known = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'events'").fetchone()
        if known is None:
            for _, script in schema.MIGRATIONS:
                db.executescript(script)
        db.executemany(schema.INSERT_EVENT, [schema.event_row("a", event) for event in self.world.events])
        db.commit()
        db.close()

    async def ask(self, verb: str, **arguments: str) -> Any:
        if self.gone:
            raise Gone("no engine runs here")
        self.asked.append((verb, arguments))
        if verb == "ladder":
            hops = [hop for hop in self.world.ladder.scan(arguments["call"], raw="raw" in arguments) if hop is not None]
            if not hops:
                raise Refused(f"no signalling kept for {arguments['call']!r}")
            return json.loads(msgspec.json.encode({"call": arguments["call"], "hops": hops, "next": 0}))
        if verb == "sound":  # no media runs here
            return {"call": arguments["call"], "legs": self.sounds}
        reply = self.world.operate(verb, **arguments)
        if not reply.ok:
            raise Refused(reply.error)
        data = json.loads(reply.data)
        self.store()
        if verb == "status":
            return {"version": "0.1.0", "draining": False, "switch": data}
        return data

    async def tail(self) -> AsyncIterator[dict[str, Any]]:
        if self.gone:
            raise Gone("no engine runs here")
        for event in self.world.events[-3:]:  # the last ones again: they must not be shown twice
            yield {"event": msgspec.to_builtins(event)}
        raise Gone("the recording ends here")

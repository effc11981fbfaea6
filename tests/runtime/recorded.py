"""A journal of a real scenario: a simulated world's inputs through the real Switch, journaled as the server does."""

from __future__ import annotations

from pathlib import Path

from engine.call.effects import Input, Media, MediaHappened
from engine.media.image import Image
from engine.runtime.journal import FORMAT, Header, Journal
from engine.runtime.replaying import pack
from engine.runtime.write_ahead import machine_boot
from engine.sim.world import World
from engine.switch import Switch
from tests.scenarios.sites import busy_site

BATCH = 7  # inputs


def header(world: World, boot: str, seed: int) -> Header:
    return Header(FORMAT, "0.1", boot, "a", seed, f"{seed:032d}".encode(), world.switch.room.site, 1, 256, 0, 0,
                  machine_boot())


class Recorder:
    """Journals inputs as `runtime.server` does; `switch` and `image` are the living ones to compare with."""

    def __init__(self, folder: Path, head: Header) -> None:
        self.switch = Switch(head.tokens_key, boot=head.boot, seed=head.seed, rows_max=head.rows_max)
        self.image = Image()
        self.journal = Journal(folder, head)
        self.files = [self.journal.path]

    def give(self, now_ms: int, event: Input, *, flush: bool = True) -> None:
        self.journal.append(now_ms, event, self.switch.seal_for(event))
        if isinstance(event, MediaHappened):
            self.image.happened(event.event)
        outputs = self.switch.handle(event, now_ms)
        self.journal.outputs(outputs)
        for output in outputs:
            if isinstance(output, Media):
                self.image.apply(output.command, now_ms)
        if flush and self.journal.inputs % BATCH == 0:
            self.journal.write(self.journal.take())

    def checkpoint(self) -> None:
        self.journal.rotate(pack(self.switch, self.image), self.switch.room.site)
        self.files.append(self.journal.path)


def record(folder: Path, world: World, *, seed: int = 1, every: int = 0, boot: str = "") -> Recorder:
    """The whole of a world's inputs; a checkpoint after each `every` inputs. Neither flushed nor closed: as a kill
    would leave it."""
    made = Recorder(folder, header(world, boot or f"sim{seed}", seed))
    for number, (now_ms, event) in enumerate(world.inputs, 1):
        made.give(now_ms, event, flush=number <= len(world.inputs) - 3)
        if every and number % every == 0:
            made.checkpoint()
    return made


def busy_world(seed: int = 1) -> World:
    """A site with everything."""
    return World(busy_site(), seed=seed)

"""A world whose engine dies and comes back: the state through a checkpoint's bytes, the plane from its image."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from engine import limits
from engine.call.effects import Input, Listening, Media, MediaHappened, Output, Resumed
from engine.media.image import Image
from engine.runtime.journal import Header
from engine.runtime.replaying import pack, unpack
from engine.sim.media import MediaTwin
from engine.sim.world import ENGINE, World
from engine.switch import Switch


class Lasting(World):
    """`outage(ms)` kills the engine and starts another one that goes on. Phones live on meanwhile, unheard."""

    def __init__(self, *given: Any, **options: Any) -> None:
        self.image = Image()
        self.dead = False
        super().__init__(*given, **options)

    def give(self, event: Input) -> list[Output]:
        if self.dead:
            return []  # nobody listens
        outputs = super().give(event)
        if isinstance(event, MediaHappened):
            self.image.happened(event.event)
        for output in outputs:
            if isinstance(output, Media):
                self.image.apply(output.command, self.now_ms)
        return outputs

    def outage(self, down_ms: int, *, down_ms_max: int = limits.resume_ms_max) -> Switch:
        """Dies now, serves again after `down_ms`; the switch that died."""
        before, old_media, broke_ms = self.switch, self.media, self.now_ms
        state = pack(before, self.image)
        self.dead, self.switch = True, cast(Switch, SimpleNamespace(next_deadline=lambda: None))
        self.media = MediaTwin()
        self.media.silent, self.media.disk = old_media.silent, old_media.disk
        self.run(down_ms)
        header = Header(2, "0.1", before.room.boot, "a", 1, b"", "", 0, 256)
        self.switch, self.image = unpack(header, state)
        self.dead = False
        for site in self.switch.sites():
            self.media.load(site)
        self.media.closed = {**old_media.closed, **{(n, row.generation): row for n, row in old_media.rows.items()}}
        for command in self.image.rebuild(self.now_ms, broke_ms, lambda clip: self.media.durations.get(clip, 0)):
            self.media.command(command, self.now_ms)
        for row in self.image.rows.values():
            if row.tap is not None:
                self.media.command(row.tap, self.now_ms)
        self.give(Resumed(down_ms, "crash", down_ms_max))
        self.give(Listening(1, "udp", *ENGINE, *ENGINE))
        self._more_ports()
        return before

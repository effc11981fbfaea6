"""Servers of other people that a dialplan speaks with: lookups, recordings and bots, by clients of one kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.call.effects import FetchWanted, LookupWanted, SpeakWanted
from engine.call.stream_wall import StreamHushed, StreamPressed, StreamUnwanted, StreamWanted
from engine.runtime.fetches import Fetches
from engine.runtime.lookups import Lookups
from engine.runtime.stream_sound import StreamSound
from engine.runtime.streams import Streams

if TYPE_CHECKING:
    from engine.dialplan.model import Site
    from engine.runtime.server import Server


class Elsewhere:
    """`carry`: what carries out each output of the Switch that leads elsewhere."""

    def __init__(self, server: Server) -> None:
        self._server = server
        loop, deliver, log = server.loop, server.deliver, server.log
        self.lookups = Lookups(loop, deliver, self._secret, log)
        self.fetches = Fetches(loop, deliver, self.lookups.client, server.files)
        self.streams = Streams(loop, deliver, self._secret, lambda: StreamSound(server.plane), log)
        self.carry: dict[type, Callable[[Any], None]] = {
            LookupWanted: self.lookups.ask, FetchWanted: self.fetches.ask, SpeakWanted: self.fetches.words.ask,
            StreamWanted: self.streams.want,
            StreamUnwanted: self.streams.unwanted, StreamPressed: self.streams.pressed,
            StreamHushed: self.streams.hushed,
        }  # fmt: skip

    def _secret(self, name: str) -> str:
        return self._server.secrets.lookup(name)

    def prepare(self, site: Site) -> None:
        """Make ready for what a site's dialplans need of others."""
        self.lookups.prepare(site, self._server.secrets)
        self.streams.prepare(site, self._secret)

    async def close(self) -> None:
        """Give up what is under way; nobody is told any more."""
        await self.streams.close()
        await self.fetches.close()
        await self.lookups.close()

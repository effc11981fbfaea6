"""Servers of other people that a dialplan speaks with: lookups, recordings and bots, by clients of one kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.call.effects import FetchWanted, LookupWanted, SpeakWanted
from engine.call.signature_wall import SignatureWanted
from engine.call.stream_wall import StreamHushed, StreamPressed, StreamUnwanted, StreamWanted
from engine.runtime.fetches import Fetches
from engine.runtime.lookups import Lookups
from engine.runtime.stir import Signatures
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
        self.signatures = Signatures(loop, deliver, server.options.data / "stir")
        self.carry: dict[type, Callable[[Any], None]] = {
            LookupWanted: self.lookups.ask, FetchWanted: self.fetches.ask, SpeakWanted: self.fetches.words.ask,
            StreamWanted: self.streams.want,
            StreamUnwanted: self.streams.unwanted, StreamPressed: self.streams.pressed,
            StreamHushed: self.streams.hushed, SignatureWanted: self.signatures.ask,
        }  # fmt: skip

    def _secret(self, name: str) -> str:
        secret = self._server.secrets.lookup(name)
        self._tell()
        return secret

    def _tell(self) -> None:
        """What was mended or sealed in the secrets' files."""
        for line in self._server.secrets.take_told():
            self._server.log.warning(line, "secrets")

    def prepare(self, site: Site) -> None:
        """Make ready for what a site's dialplans need of others."""
        self.lookups.prepare(site, self._server.secrets)
        self.streams.prepare(site, self._secret)
        self._tell()

    async def close(self) -> None:
        """Give up what is under way; nobody is told any more."""
        self.signatures.close()
        await self.streams.close()
        await self.fetches.close()
        await self.lookups.close()

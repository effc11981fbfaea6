"""`reload --share 5%`: a version of the site that so many of the new calls run on, judged by a guard, taken back by
itself when it does worse, and brought into force for all when its time is over and it did not.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import msgspec

from engine.call.canary import WHOLE
from engine.call.effects import SiteLoaded
from engine.dialplan.model import PromptModel, Site
from engine.errors import SiteError
from engine.records.events import Event
from engine.records.guard import CALLS_MIN, Bound, Guard, parse
from engine.runtime.site_files import Reading
from engine.runtime.site_tests import Tested

if TYPE_CHECKING:
    from engine.runtime.reloading import Reloads

DEFAULT_GUARD = "faults<=old+1%"
HEARD_MAX = 4
FOR_S_MAX = 30 * 86_400.0
# what all calls have in common: a share of them can't have it otherwise
COMMON = (
    "tenants", "queues", "agents", "trunks", "outbound", "listen", "advertise", "local_networks", "bus",
    "retention_days", "drain_ms_max",
)  # fmt: skip


class Wish(msgspec.Struct):
    """What an operator asked for: `share` of WHOLE; `for_s` 0: until somebody says otherwise."""

    share: int
    bound: Bound
    for_s: float = 0.0


def wish(arguments: dict[str, str]) -> Wish | None:
    """None without a share. Raises SiteError for one that can't be meant."""
    if not arguments.get("share"):
        if arguments.get("guard") or arguments.get("for_s"):
            raise SiteError("--guard and --for go with --share")
        return None
    try:
        share = round(float(arguments["share"].removesuffix("%")) * WHOLE / 100)
        for_s = float(arguments.get("for_s") or 0)
    except ValueError:
        raise SiteError(f"--share {arguments['share']!r} is no share: say 5%") from None
    if not 1 <= share < WHOLE:
        raise SiteError("--share lies between 0.01% and 99.99%; without it the version is for all calls")
    if not 0 <= for_s <= FOR_S_MAX:
        raise SiteError(f"--for has at most {FOR_S_MAX / 86_400:.0f} days")
    bound = parse(arguments.get("guard") or DEFAULT_GUARD)
    if bound is None:
        raise SiteError(f"--guard {arguments['guard']!r} is no guard: say 'abandoned<=8%', or 'faults<=old+1%'")
    return Wish(share, bound, for_s)


def refuse(old: Site, new: Site) -> None:
    """Raises SiteError when the two differ in what all calls have in common."""
    differ = [name for name in COMMON if getattr(old, name) != getattr(new, name)]
    if differ:
        raise SiteError(
            f"this version changes {', '.join(differ)}, which all calls have in common: a share of them can only have "
            "other dialplans, prompts, calendars and numbers; reload it whole"
        )


class Sharing:
    """One share at a time. `feed` gets every event; what follows from it is done in tasks."""

    def __init__(self, reloads: Reloads) -> None:
        self.reloads = reloads
        self.server = reloads.server
        self.reading: Reading | None = None
        self.guard: Guard | None = None
        self.wish: Wish | None = None
        self.author = ""
        self.until_ms = 0
        self._heard: list[dict[str, PromptModel]] = []  # clips of versions lately shared: their numbers stay theirs
        self._timer: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None

    def numbering(self, site: Site) -> Site:
        """`site` with the clips of shared versions beside its own, so that their numbers are not given away."""
        prompts = dict(site.prompts)
        for heard in self._heard:
            prompts |= heard
        return msgspec.structs.replace(site, prompts=prompts) if self._heard else site

    def begin(self, author: str, reading: Reading, asked: Wish) -> None:
        """From now on. Raises SiteError when the version can't be shared."""
        site = reading.site
        assert site is not None
        self.stop()
        heard = {f"{site.version} {name}": prompt for name, prompt in site.prompts.items()}
        self._heard = [*self._heard, heard][-HEARD_MAX:]
        for problem in self.server.plane.load_clips(site.prompts):
            self.server.log.warning(problem, "clip")
        self.reading, self.guard, self.wish, self.author = reading, Guard(asked.bound), asked, author
        self.server.deliver(SiteLoaded(site.version, msgspec.msgpack.encode(site), asked.share))
        self.until_ms = 0
        if asked.for_s:
            self.until_ms = int((time.time() + asked.for_s) * 1000)
            self._timer = asyncio.get_running_loop().call_later(asked.for_s, self._time_over)

    def stop(self) -> None:
        """Nobody is judged any more; the Switch is told by whoever ends it."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.reading = self.guard = self.wish = None

    def version(self) -> str:
        """What is shared, '' when nothing is."""
        return self.reading.site.version if self.reading is not None and self.reading.site is not None else ""

    def feed(self, event: Event) -> None:
        """One event of the stream."""
        guard = self.guard
        if guard is None:
            return
        guard.feed(event)
        if event.kind == "call.ended" and guard.broken():
            self._end(f"guard {guard.bound} broken: {guard.words()}")

    def _end(self, reason: str) -> None:
        """Take it back, once."""
        if self._ending is None or self._ending.done():
            version, self.guard = self.version(), None
            self._ending = asyncio.create_task(self._withdrawn(version, reason))

    async def _withdrawn(self, version: str, reason: str) -> None:
        async with self.reloads.busy:
            if self.version() == version:
                await self.withdraw("engine", version, reason)

    async def withdraw(self, author: str, version: str, reason: str) -> None:
        """New calls run on the version in force alone; told and logged."""
        self.stop()
        await self.server.ask(author, "share_over", {})
        self.server.log.warning(f"the version {version[:12]} is withdrawn: {reason}", "share")
        await self.reloads.told(author, "withdrawn", self.server.site.version, version, 0, "", reason)

    def _time_over(self) -> None:
        guard = self.guard
        if guard is not None and not guard.enough():
            self._end(f"only {guard.new.calls} calls were judged in its time, {CALLS_MIN} are the least")
        elif guard is not None and self.reading is not None:
            self._ending = asyncio.create_task(self._for_all(self.reading, guard))

    async def _for_all(self, reading: Reading, guard: Guard) -> None:
        """Its time is over and it did well: in force for everybody."""
        tested = Tested(0, True, f"shared, {guard.words()}")
        async with self.reloads.busy:
            if self.reading is reading:
                await self.reloads.into_force(self.author, "shared", reading, tested, "")

    async def started(self) -> None:
        """A share that a restart cut off is withdrawn: nobody has counted its calls meanwhile."""
        reply = await self.server.ask("engine", "status", {})
        found = msgspec.json.decode(reply.data) if reply.ok and reply.data else {}
        share = found.get("share")
        if share:
            await self.withdraw("engine", str(share["version"]), "the engine was restarted")

    def row(self) -> dict[str, object] | None:
        """For `status`."""
        if self.wish is None or self.guard is None:
            return None
        return {
            "version": self.version(), "share": f"{self.wish.share * 100 / WHOLE:g}%", "author": self.author,
            "until_ms": self.until_ms, "guard": str(self.wish.bound), "judged": self.guard.words(),
        }  # fmt: skip

"""Bringing a version of the site into force: read in a child, checked, tested, all or nothing, and the way back.

Calls in progress finish on the version they began with. What was in force is kept (`versions`), so that `rollback`
needs nothing of the site's folder; and what was rolled back doesn't come back by a restart, although it still lies
there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from engine.call.canary import WHOLE
from engine.dialplan.findings import render
from engine.dialplan.site_version import version_of
from engine.errors import SiteError
from engine.runtime import sharing, site_tests
from engine.runtime.admin import Answer, answer, refusal
from engine.runtime.site_files import Reading, collect, read_in_child
from engine.runtime.site_tests import Tested
from engine.runtime.versions import Store, Version

if TYPE_CHECKING:
    from engine.runtime.server import Server

reason_letters_max = 200
SHORT = 12  # letters of a version that people are shown


class Reloads:
    """The desk's `reload` and `rollback`. One at a time: the second is refused, not queued."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.store = Store(server.options.data)
        self.sharing = sharing.Sharing(self)
        self.busy = asyncio.Lock()
        self._keeping: asyncio.Task[None] | None = None
        self._resumed: asyncio.Task[None] | None = None

    # --- what operators ask
    async def reload(self, author: str, arguments: dict[str, str]) -> Answer:
        """Read the site's folder again. `untested`: why it comes into force although its tests fail; `share`, `guard`,
        `for_s`: only for some of the calls, see `sharing`."""
        return await self._alone(self._reload(author, arguments))

    async def rollback(self, author: str, arguments: dict[str, str]) -> Answer:
        """Back to a kept version (`version`, or the one before)."""
        return await self._alone(self._rollback(author, arguments.get("version", "")))

    async def _alone(self, work: Any) -> Answer:
        if self.busy.locked():
            work.close()
            return refusal("another reload is under way; nothing was changed")
        async with self.busy:
            self.server.watching.reloading()
            try:
                return await work  # type: ignore[no-any-return]
            except SiteError as error:
                self.server.log.error(f"reload refused: {error}", "reload")
                return refusal(str(error))
            finally:
                self.server.watching.reloaded()

    async def _reload(self, author: str, arguments: dict[str, str]) -> Answer:
        server = self.server
        untested, asked = arguments.get("untested", "")[:reason_letters_max].strip(), sharing.wish(arguments)
        kept = self.sharing.numbering(server.site)
        reading = await read_in_child(server.options.site, kept, server.options.data)
        refused = self._refused(reading)
        if refused is not None:
            return refused
        assert reading.site is not None
        tested = await self._tested(reading)
        if not tested.ok and not untested:
            server.log.error(f"reload refused, the running site stays: {tested.summary}", "reload")
            data = {"findings": [render(each) for each in reading.findings], "tests": tested,
                    "difference": reading.difference}
            return Answer(False, msgspec.Raw(msgspec.json.encode(data)), f"a test fails: {tested.summary}")
        passed_over = "" if tested.ok else untested
        if asked is not None:
            return await self._shared(author, reading, asked, tested, passed_over)
        return await self.into_force(author, "reload", reading, tested, passed_over)

    async def _shared(
        self, author: str, reading: Reading, asked: sharing.Wish, tested: Tested, untested: str
    ) -> Answer:
        """For some of the new calls only."""
        server, site = self.server, reading.site
        assert site is not None
        if site.version == server.site.version:
            return refusal(f"{site.version[:SHORT]} is in force already; nothing was changed")
        sharing.refuse(server.site, site)
        self.sharing.begin(author, reading, asked)
        entry = Version(site.version, int(time.time() * 1000), "share", author, reading.files, reading.bytes,
                        len(reading.difference), tested.summary, untested)
        notes = await self._entered(entry, [site.version])
        old, percent = server.site.version, f"{asked.share * 100 / WHOLE:g}%"
        server.log.info(f"{percent} of new calls run on {site.version[:SHORT]}, says {author}", "share")
        await self.told(author, "share", old, site.version, len(reading.difference), tested.summary, untested)
        return answer({
            "old": old, "new": site.version, "changed": True, "passwords": [], "notes": notes, "finishing": 0,
            "findings": [render(each) for each in reading.findings], "difference": reading.difference,
            "tests": tested, "untested": untested, "undo": "ringdown rollback", "share": self.sharing.row(),
        })

    async def _tested(self, reading: Reading) -> Tested:
        """Of the files as they were read where they are kept, else of the folder."""
        assert reading.site is not None
        if reading.site.version == self.server.site.version:
            return Tested(0, True, "the version in force")
        folder = Path(reading.folder) if reading.unkept else self.store.tree(reading.site.version)
        return await site_tests.run(folder)

    async def _rollback(self, author: str, name: str) -> Answer:
        server = self.server
        running, shared = server.site.version, self.sharing.version()
        if shared and (not name or (len(name) >= 4 and running.startswith(name))):
            await self.sharing.withdraw(author, shared, f"operator {author}")
            return answer({"old": shared, "new": running, "withdrawn": shared})
        wanted = self.store.named(name) if name else self.store.before(running)
        if not wanted:
            return refusal("no earlier version is kept; `ringdown versions` lists what there is")
        if wanted == running:
            return refusal(f"{wanted[:SHORT]} is in force already; nothing was changed")
        reading = await read_in_child(self.store.tree(wanted), server.site)
        refused = self._refused(reading)
        if refused is not None:
            return refused
        assert reading.site is not None
        if reading.site.version != wanted:
            return refusal(f"the kept files of {wanted[:SHORT]} were changed: they are {reading.site.version[:SHORT]} "
                           "now; nothing was changed")
        return await self.into_force(author, "rollback", reading, Tested(0, True, "not run for a rollback"), "")

    def _refused(self, reading: Reading) -> Answer | None:
        if reading.site is not None:
            return None
        first = reading.errors()[0] if reading.errors() else None
        where = f"{first.file}:{first.line}: {first.message}" if first else "no site"
        self.server.log.error(f"reload refused, the running site stays: {where}", "reload")
        findings = [render(each) for each in reading.findings]
        return Answer(False, msgspec.Raw(msgspec.json.encode({"findings": findings})), "the site has errors")

    # --- into force
    async def into_force(
        self, author: str, act: str, reading: Reading, tested: Tested, untested: str
    ) -> Answer:
        server = self.server
        assert reading.site is not None
        old, listen, new = server.site.version, server.site.listen, reading.site.version
        finishing = (await self._calls()).get(old, 0) if new != old else 0
        self.sharing.stop()
        made = server.load_site(reading)
        server.log.info(f"site {act} by {author}: {new[:SHORT]}", "reload", files=reading.files)
        notes = []
        if reading.site.listen != listen:
            notes.append("listening addresses change at the next start")
        if reading.unkept:
            notes.append(f"this version isn't kept, so nothing can go back to it: {reading.unkept}")
        undo = ""
        if new != old:
            entry = Version(new, int(time.time() * 1000), act, author, reading.files, reading.bytes,
                            len(reading.difference), tested.summary, untested)
            notes += await self._entered(entry, [old] if act == "rollback" else [])
            await self.told(author, act, old, new, len(reading.difference), tested.summary, untested)
            undo = f"ringdown rollback {old[:SHORT]}"
        return answer({
            "old": old, "new": new, "changed": old != new, "findings": [render(each) for each in reading.findings],
            "passwords": [{"agent": each.agent, "password": each.password} for each in made], "notes": notes,
            "difference": reading.difference, "tests": tested, "untested": untested, "finishing": finishing,
            "undo": undo,
        })

    async def _calls(self) -> dict[str, int]:
        """How many calls run on each version of the site."""
        reply = await self.server.ask("engine", "status", {})
        found = msgspec.json.decode(reply.data) if reply.ok and reply.data else {}
        return dict(found.get("calls_by_version") or {})

    async def _entered(self, entry: Version, held: list[str]) -> list[str]:
        """Into the book of versions; notes when the disk refuses."""
        in_use = list(await self._calls())

        def write() -> None:
            kept = self.store.book().held if held else []
            wanted = [each for each in (*kept, *held) if each != entry.version or entry.act == "share"]
            self.store.enter(entry, str(self.server.options.site.resolve()), wanted, in_use=in_use)

        try:
            await asyncio.get_running_loop().run_in_executor(None, write)
        except SiteError as error:
            self.server.log.error(f"versions: {error}", "versions")
            return [f"the book of versions wasn't written: {error}"]
        return []

    async def told(self, author: str, act: str, old: str, new: str, changes: int, tests: str, reason: str) -> None:
        await self.server.ask(author, "site_noted", {
            "act": act, "old": old, "new": new, "changes": str(changes), "tests": tests, "reason": reason,
        })

    # --- the start
    def reader(self, read: Callable[..., Reading]) -> Callable[..., Reading]:
        """`read` for a start: what was rolled back stays so, although the folder still holds it."""

        def held_back(folder: Path, *kept: Any) -> Reading:
            reading = read(folder, *kept)
            try:
                book = self.store.book()
                if reading.site is None or reading.site.version not in book.held:
                    return reading
                other = read(self.store.tree(book.active), *kept)
            except SiteError as error:
                self.server.log.error(f"versions: {error}; the site's folder is in force", "versions")
                return reading
            if other.site is None or other.site.version != book.active:
                self.server.log.error("versions: the kept files were changed; the site's folder is in force")
                return reading
            self.server.log.warning(
                f"the site's folder holds {reading.site.version[:SHORT]}, which was rolled back: "
                f"{book.active[:SHORT]} stays in force until `ringdown reload`"
            )
            return other

        return held_back

    def started(self, reading: Reading, *, going_on: bool) -> None:
        """Keep what the engine has started with, off the loop. `going_on` with another one's calls: its share ends."""
        if reading.site is not None:
            self._keeping = asyncio.create_task(self._keep(reading, reading.site.version))
        if going_on:
            self._resumed = asyncio.create_task(self.sharing.started())

    async def _keep(self, reading: Reading, version: str) -> None:
        entry = Version(version, int(time.time() * 1000), "start", "engine", reading.files)

        def work() -> None:
            folder = Path(reading.folder)
            held = self.store.book().held if folder.parent == self.store.folder else []
            files = collect(folder)
            if version_of(files) == version:  # else somebody edits already: the next reload keeps what it reads
                entry.bytes = self.store.keep(version, files, folder)
                self.store.enter(entry, str(self.server.options.site.resolve()), held)

        try:
            await asyncio.get_running_loop().run_in_executor(None, work)
        except SiteError as error:
            self.server.log.warning(f"versions: {error}: a rollback to this version won't be possible")

    async def close(self) -> None:
        """What is being kept is finished first."""
        self.sharing.stop()
        if self._resumed is not None:
            self._resumed.cancel()
        if self._keeping is not None:
            await self._keeping

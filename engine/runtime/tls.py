"""The certificates in force: taken at a (re)load of the site, and whenever their files change under a running engine.

A file that is wrong costs one line in the log, and the certificate of before stays. A change is taken once the files
have been still for a look, so that nothing half written is read. Whoever is connected notices nothing.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterable
from pathlib import Path

from engine.dialplan.model import Site
from engine.errors import SiteError
from engine.runtime import tls_check, tls_files
from engine.runtime.log import Log

look_s = 5.0
remind_s = 12 * 3600.0
Stamps = tuple[tuple[int, int, int], ...]


class Certificates:
    """`server`: for connections that we accept, None without `tls:`; `client()`: for those that we open."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.server: ssl.SSLContext | None = None
        self.taken = 0  # how often files were taken
        self._client: ssl.SSLContext | None = None
        self._site: Site | None = None
        self._folder = Path()
        self._stamps: Stamps = ()
        self._seen: Stamps = ()
        self._look_at = self._remind_at = 0.0
        self._taking: asyncio.Task[None] | None = None
        self._reminding: asyncio.Task[None] | None = None
        self._wrong = False  # the files of now are no certificate, and the log has said so

    def use(self, site: Site, folder: Path) -> None:
        """The site's certificates from now on. Where they are wrong those of before stay, and the log says so."""
        self._site, self._folder = site, folder
        self._stamps = self._seen = self._stamp()
        self._look_at = self._remind_at = 0.0  # what runs out is said at the next look
        if site.tls is None:
            self.server = self._client = None
            return
        try:
            self._put(self._made())
        except SiteError as error:
            self._refused(error)

    def client(self) -> ssl.SSLContext:
        """Made when the first connection is opened. Raises SiteError."""
        if self._client is None:
            model = self._site.tls if self._site is not None else None
            self._client = tls_files.client_context(model, self._folder)
        return self._client

    def name_for(self, names: Iterable[str]) -> str:
        """The first of these names of ours that our certificate is for, '' for none."""
        model = self._site.tls if self._site is not None else None
        if model is None:
            return ""
        return tls_files.certified_name(tls_files.path_of(self._folder, model.certificate), names)

    def look(self) -> None:
        """Once a second: have the files changed, and is it time to remind somebody that they run out?"""
        now = time.monotonic()
        if self._site is None or self._site.tls is None or now < self._look_at:
            return
        self._look_at = now + look_s
        stamps = self._stamp()
        still = stamps == self._seen
        self._seen = stamps
        if stamps != self._stamps and still and self._taking is None:
            self._stamps = stamps
            self._taking = asyncio.get_running_loop().create_task(self._take())
        elif now > self._remind_at and self._reminding is None and self._taking is None:
            self._reminding = asyncio.get_running_loop().create_task(self._remind())

    async def _take(self) -> None:
        """Contexts are made in a thread: a bundle of authorities takes longer than a call may wait."""
        site = self._site
        try:
            made = await asyncio.get_running_loop().run_in_executor(None, self._made)
            if self._site is not site:  # another one came meanwhile, with its own
                return
            self._put(made)
            self._log.info("new TLS certificates are in force; connections that stand keep theirs", "tls")
            await self._remind()
        except SiteError as error:
            if self._site is site:
                self._refused(error)
        finally:
            self._taking = None

    def _made(self) -> tuple[ssl.SSLContext, ssl.SSLContext]:
        model = self._site.tls if self._site is not None else None
        if model is None:
            raise SiteError("the site has no tls: any more")
        return tls_files.server_context(model, self._folder), tls_files.client_context(model, self._folder)

    def _put(self, made: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
        self.server, self._client = made
        self.taken += 1
        self._wrong = False

    def _refused(self, error: SiteError) -> None:
        self._wrong = True
        stays = "the certificate of before stays" if self.server is not None else "nobody can connect with TLS"
        self._log.error(f"{error}; {stays}", "tls")

    async def _remind(self) -> None:
        """What runs out, is for other names or may be read by others. The files are read in a thread."""
        self._remind_at = time.monotonic() + remind_s
        site, folder = self._site, self._folder
        try:
            found = await asyncio.get_running_loop().run_in_executor(None, _problems, site, folder)
        finally:
            self._reminding = None
        if self._site is not site or self._stamp() != self._stamps:
            return  # others are about to be taken: they will be looked at then
        for each in found:
            if each.code != "RD341" or not self._wrong:  # else `_refused` has said so
                self._log.warning(f"tls: {each.text}: {each.remedy}", f"tls {each.code}")

    def _stamp(self) -> Stamps:
        model = self._site.tls if self._site is not None else None
        found = []
        for name in model.files().values() if model is not None else ():
            try:
                status = tls_files.path_of(self._folder, name).stat()
                found.append((status.st_mtime_ns, status.st_size, status.st_ino))
            except OSError:
                found.append((0, 0, 0))
        return tuple(found)

    async def close(self) -> None:
        """Nothing is taken any more."""
        for task in (self._taking, self._reminding):
            if task is not None:
                task.cancel()


def _problems(site: Site | None, folder: Path) -> list[tls_files.Problem]:
    if site is None or site.tls is None:
        return []
    return tls_files.problems(site.tls, folder, tls_check.names(site), tls_files.now())

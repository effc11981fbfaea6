"""Prompts recorded by phone: they lie in the data folder and come before the site's own, from the next caller on.

The engine never writes into the site's folder. `overlay` puts what was recorded over a site that has just been read,
so that recordings outlive reloads and restarts; a caller who hears the old one hears it to its end, because a changed
recording is another clip.
"""

from __future__ import annotations

import asyncio
from hashlib import blake2b, sha256
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from engine.call.effects import PromptUsed, SiteLoaded, UsePrompt
from engine.dialplan.model import PromptModel, Site
from engine.errors import SiteError
from engine.runtime.wav import RATE, read_caller, read_wav, write_wav

if TYPE_CHECKING:
    from engine.runtime.server import Server

FOLDER = "prompts"


def place(folder: Path, name: str) -> Path:
    """Where the recording of a prompt lies: `en/outage` of the default tenant, `acme:en/outage` of another."""
    tenant, colon, rest = name.rpartition(":")
    return folder / FOLDER / (tenant if colon else "default") / f"{rest}.wav"


def overlay(site: Site, folder: Path, kept: Site | None = None) -> Site:
    """The site with what was recorded by phone. `kept`: the one in force, whose clip numbers stay where a recording is
    the same. A file that can't be read leaves the site's own prompt."""
    names = [name for tenant in site.tenants.values() for name in tenant.recordable.values()]
    changes: dict[str, PromptModel] = {}
    free = 1 + max((p.clip for each in (site, kept) if each is not None for p in each.prompts.values()), default=-1)
    for name in dict.fromkeys(names):
        path = place(folder, name)
        model = site.prompts.get(name)
        if model is None or not path.is_file():
            continue
        try:
            digest, ms = sha256(path.read_bytes()).hexdigest(), len(read_wav(path)) * 1_000 // RATE
        except (OSError, SiteError):
            continue
        before = kept.prompts.get(name) if kept is not None else None
        clip = before.clip if before is not None and before.sha256 == digest else free
        free += clip == free
        changes[name] = PromptModel(clip, name, model.text, str(path), ms, digest)
    if not changes:
        return site
    heard = "".join(f"{name}\0{model.sha256}\0" for name, model in sorted(changes.items()))
    version = f"{site.version.partition('+')[0]}+{blake2b(heard.encode(), digest_size=4).hexdigest()}"
    return msgspec.structs.replace(site, version=version, prompts={**site.prompts, **changes})


class OwnPrompts:
    """`use(output)` for each UsePrompt; `over(site)` when one has been read."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.folder = server.options.data
        self._tasks: list[asyncio.Task[None]] = []

    def over(self, site: Site) -> Site:
        """With what was recorded; a site that names no such prompt is returned as it is."""
        return overlay(site, self.folder, getattr(self.server, "site", None))

    def use(self, output: UsePrompt) -> None:
        """Keep what he said, and make it the site's."""
        self._tasks = [each for each in self._tasks if not each.done()]
        self._tasks.append(asyncio.get_running_loop().create_task(self._use(output)))

    async def _use(self, output: UsePrompt) -> None:
        server = self.server
        try:
            await asyncio.to_thread(self._keep, output)
            site = await asyncio.to_thread(self.over, server.site)
            prompt = site.prompts.get(output.prompt)
            if prompt is None or prompt.path != str(place(self.folder, output.prompt)):
                raise SiteError(f"the site has no prompt {output.prompt} to record any more")
        except (OSError, SiteError) as error:
            server.deliver(PromptUsed(output.ticket, str(error)))
            return
        problems = server.plane.load_clips({prompt.clip: prompt})
        if problems:
            server.deliver(PromptUsed(output.ticket, problems[0]))
            return
        server.site = site
        server.log.info(f"prompt {output.prompt} was recorded by phone; callers hear it from now on", "prompt")
        server.deliver(SiteLoaded(site.version, msgspec.msgpack.encode(site)))
        server.deliver(PromptUsed(output.ticket))

    def _keep(self, output: UsePrompt) -> None:
        """Whole or not at all: beside the old one, and renamed."""
        source = (self.folder / output.file).resolve()
        goal = place(self.folder, output.prompt)
        if not source.is_relative_to(self.folder.resolve()):
            raise SiteError(f"{output.file} lies outside the data folder")
        samples = read_caller(source)
        goal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = goal.with_suffix(".new")
        write_wav(beside, samples)
        beside.replace(goal)
        source.unlink(missing_ok=True)

    async def close(self) -> None:
        """What is being kept is finished."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

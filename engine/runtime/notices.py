"""Notices with words or a recording of their own: made, kept in the data folder, loaded as clips, told to the Switch.

`notices/TENANT-NAME.N.wav` holds what callers hear. Their clips have the numbers from CLIPS_FROM up, which no site
uses; a notice keeps its number while the process lives.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from engine import limits
from engine.call import overrides
from engine.call.levers import Lever
from engine.dialplan.model import PromptModel
from engine.errors import SiteError
from engine.runtime import speaking
from engine.runtime.admin import Answer, refusal
from engine.runtime.wav import RATE, read_wav, write_wav

if TYPE_CHECKING:
    from engine.runtime.server import Server

FOLDER = "notices"
NOTICES_MAX = 64
CLIPS_UNTIL = limits.clips_max - limits.own_clips_max  # from there on: recordings that are played to one phone
CLIPS_FROM = CLIPS_UNTIL - NOTICES_MAX
recording_s_max = 180.0
recording_bytes_max = 40_000_000


class Notices:
    """`set` is the desk's verb; `restored` loads what stood before a start."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.folder = server.options.data / FOLDER
        self.clips: dict[str, int] = {}  # full name -> number
        self._busy = asyncio.Lock()

    async def set(self, author: str, arguments: dict[str, str]) -> Answer:
        """`notice`, `state` on | off, `text` or `recording` (a file), `language`, `until_ms`, `by`."""
        text, given = arguments.get("text", "").strip(), arguments.get("recording", "")
        passed = {key: value for key, value in arguments.items() if key not in ("recording", "language")}
        if text and given:
            return refusal("a notice has words or a recording, not both")
        if len(text) > overrides.TEXT_LETTERS_MAX:
            return refusal(f"the words have {len(text)} letters; {overrides.TEXT_LETTERS_MAX} are the most")
        if arguments.get("state") == "on" and (text or given):
            async with self._busy:
                passed |= await self._recorded(arguments.get("notice", ""), text, given, arguments.get("language", ""))
                return await self._told(author, passed)
        return await self._told(author, passed)

    async def _told(self, author: str, arguments: dict[str, str]) -> Answer:
        reply = await self.server.ask(author, "notice.set", arguments)
        await asyncio.get_running_loop().run_in_executor(None, self._sweep)
        return Answer(True, msgspec.Raw(reply.data)) if reply.ok else refusal(reply.error)

    async def _recorded(self, asked: str, text: str, given: str, language: str) -> dict[str, str]:
        """The arguments that tell the Switch of a recording which is loaded by then. Raises SiteError."""
        site = self.server.site
        names = overrides.known(site, "notice")
        found = [each for each in names if asked in (each, each.split("/", 1)[1])]
        if len(found) != 1:
            return {}  # the Switch says what is wrong with the name
        name = found[0]
        tenant = site.tenants.get(name.split("/")[0])
        spoken = language or (tenant.languages[0] if tenant is not None and tenant.languages else "en")
        path = self._fresh(name)
        if text:
            await speaking.speak(text, spoken, path, tenant.voices.get(spoken) if tenant is not None else None)
        loop = asyncio.get_running_loop()
        ms = await loop.run_in_executor(None, _take_in, path if text else Path(given), path)
        number = self._number(name)
        problems = self.server.plane.load_clips([PromptModel(number, f"notice/{name}", text, str(path), ms)])
        if problems:
            raise SiteError(problems[0])
        return {"recording": path.name, "recording_ms": str(ms), "clip": str(number)}

    def _fresh(self, name: str) -> Path:
        """A new file: the old one may be heard, and stays until nobody names it."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        stem = name.replace("/", "-")
        count = 1 + max((int(each.name.split(".")[-2]) for each in self.folder.glob(f"{stem}.*.wav")
                         if each.name.split(".")[-2].isdigit()), default=0)  # fmt: skip
        return self.folder / f"{stem}.{count}.wav"

    def _number(self, name: str) -> int:
        number = self.clips.get(name)
        if number is None:
            free = [each for each in range(CLIPS_FROM, CLIPS_UNTIL) if each not in self.clips.values()]
            if not free:
                raise SiteError(f"{NOTICES_MAX} notices have recordings of their own: restart the engine for more")
            number = self.clips[name] = free[0]
        return number

    def restored(self, levers: list[Lever], *, going_on: bool) -> None:
        """Load what stood when the engine before ended, before anybody can hear it, and give each its number. One whose
        file is gone is heard with its own prompt, if it has one.

        `going_on`: they are the Switch's own, which nobody may change beside its inputs.
        """
        for lever in levers:
            if lever.kind != "notice" or not lever.recording:
                continue
            path = self.folder / lever.recording
            if lever.clip >= CLIPS_FROM and lever.clip not in self.clips.values():
                self.clips[lever.name] = lever.clip
            number = self._number(lever.name)
            if not going_on:
                lever.clip = number
            clip = PromptModel(number, f"notice/{lever.name}", lever.reason, str(path), lever.recording_ms)
            for problem in self.server.plane.load_clips([clip]):
                self.server.log.error(f"{problem}: the notice {lever.name} isn't heard as it was recorded", "notices")
                if not going_on:
                    lever.clip, lever.recording_ms = -1, 0

    def _sweep(self) -> None:
        """Files that no notice names any more; one from before stays, somebody may be hearing it."""
        named = {each.recording for each in self.server.levers.standing.values()}
        try:
            files = sorted(self.folder.glob("*.wav"), key=lambda each: each.stat().st_mtime_ns)
            for path in files[: -2 * NOTICES_MAX]:
                if path.name not in named:
                    path.unlink()
        except OSError as error:
            self.server.log.warning(f"notices: {error}", "notices")


def _take_in(source: Path, path: Path) -> int:
    """Write a recording as we keep it; its length in ms. Raises SiteError for what is no recording, or too long."""
    try:
        if source.stat().st_size > recording_bytes_max:
            raise SiteError(f"{source} is larger than {recording_bytes_max // 1_000_000} MB")
    except OSError as error:
        raise SiteError(f"{source}: {error.strerror}") from error
    samples = read_wav(source)
    ms = len(samples) * 1_000 // RATE
    if not 200 <= ms <= recording_s_max * 1_000:
        raise SiteError(f"{source} lasts {ms / 1000:.1f} s: a notice has 0.2 to {recording_s_max:.0f} s")
    beside = path.with_suffix(".new")
    try:
        write_wav(beside, samples)
        beside.replace(path)
    except OSError as error:
        raise SiteError(f"can't write {path}: {error.strerror}") from error
    return ms

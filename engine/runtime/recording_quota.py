"""How much of the disk a tenant's recordings may take: the oldest give way, or no recording begins.

Everything here but `tell` runs in the thread that writes recordings. What a folder holds is counted when it is first
written to, kept up by what is written, and counted again before anything is removed or refused, since retention and
`ringdown forget` remove files too.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from engine.dialplan.recording_model import REFUSE

if TYPE_CHECKING:
    from engine.runtime.server import Server

SLACK_PERCENT = 1  # so much more than needed is freed at once: not one file for every second that is written
Rules = dict[str, tuple[int, str]]


class Shelves:
    """The folders `recordings/TENANT` below `folder`. `rules`: tenant -> (bytes, oldest | refuse)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "recordings"
        self.rules: Rules = {}
        self.gave_way: deque[tuple[str, int]] = deque()  # (tenant, files removed)
        self._used: dict[str, int] = {}

    def grows(self, name: str, size: int, writing: tuple[str, ...]) -> str:
        """`size` bytes will be added to the recording `name` ("recordings/TENANT/…"): '' when there is room for them,
        else why not. Recordings in `writing` never give way."""
        parts = name.split("/")
        tenant = parts[1] if len(parts) > 2 and parts[0] == "recordings" else ""
        rule = self.rules.get(tenant)
        if rule is None:
            self._used.pop(tenant, None)
            return ""
        bytes_max, full = rule
        used = self._used[tenant] = self._used.get(tenant, -1)
        if used < 0 or used + size > bytes_max:
            used = self._used[tenant] = sum(length for _, length, _ in self._files(tenant))
        if used + size > bytes_max and full != REFUSE:
            used = self._free(tenant, used, used + size - bytes_max + bytes_max * SLACK_PERCENT // 100, writing)
        if used + size > bytes_max:
            return f"the recordings of tenant {tenant} have used up their quota of {bytes_max / 1e6:.0f} MB"
        self._used[tenant] = used + size
        return ""

    def _files(self, tenant: str) -> Iterator[tuple[float, int, Path]]:
        """(time of its end, bytes, path) of each."""
        with suppress(OSError), os.scandir(self.folder / tenant) as entries:
            for entry in entries:
                with suppress(OSError):
                    if entry.is_file(follow_symlinks=False):
                        known = entry.stat(follow_symlinks=False)
                        yield known.st_mtime, known.st_size, Path(entry.path)

    def _free(self, tenant: str, used: int, wanted: int, writing: tuple[str, ...]) -> int:
        """Remove the oldest until `wanted` bytes are free; what is used then."""
        removed, until = 0, used - wanted
        busy = [self.folder.parent / name for name in writing]
        for _, length, path in sorted(self._files(tenant)):
            if used <= until:
                break
            if path in busy:
                continue
            with suppress(OSError):
                path.unlink()
                used, removed = used - length, removed + 1
        if removed:
            self.gave_way.append((tenant, removed))
        self._used[tenant] = used
        return used


def tell(server: Server) -> None:
    """In the serving loop: what gave way becomes a line for ops and an event `engine.records`."""
    gave_way = server.plane.shelves.gave_way
    while gave_way:
        tenant, removed = gave_way.popleft()
        server.log.warning(f"quota: the {removed} oldest recordings of tenant {tenant} gave way to new ones", "quota")
        told = {"act": "quota", "subject": tenant, "counts": f"recordings={removed}"}
        server.loop.create_task(server.ask("quota", "noted", told))

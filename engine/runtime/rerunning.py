"""A journal's day for `sim.rerun`: what its distributor heard and told, and the state in which the day began.

The Switch runs again over the journal's files, and its distributor is listened to; nothing is taken from records. For
other rules a Switch in the same state loads the changed site, so ids, callers and agents are those of the recorded day.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from engine.acd.commands import AcdCommand
from engine.acd.events import AcdEvent
from engine.acd.machine import Distributor
from engine.acd.model import AgentSpec, QueueSpec
from engine.call.effects import Input, Output, SiteLoaded
from engine.dialplan.model import Site
from engine.runtime.journal import Header, Replayed, replay
from engine.runtime.replaying import build
from engine.switch import Switch

Rules = tuple[int, list[QueueSpec], list[AgentSpec]]


class Heard(msgspec.Struct):
    """One listening. `state` b"" when no site was ever loaded in these files."""

    state: bytes = b""  # of the Switch, where the day begins
    began_ms: int = 0
    ended_ms: int = 0
    events: list[tuple[int, AcdEvent]] = []
    commands: list[tuple[int, AcdCommand]] = []
    reloads: list[Rules] = []
    reports: list[Replayed] = []


def listen(files: list[Path]) -> Heard:
    """Replay the files of a boot, in order, as far as they go. Raises JournalError for what is no journal."""
    listener = _Listener()
    for path in files:
        report = replay(path, listener.begin, listener.each)
        listener.found.reports.append(report)
        if report.sealed or report.differs:
            break
    return listener.found


class _Listener:
    def __init__(self) -> None:
        self.found = Heard()
        self.switch: Any = None

    def begin(self, header: Header, state: bytes | None) -> Any:
        self.switch = build(header, state)
        acd = self.switch.room.acd
        for name, hears in (("apply", self._applied), ("settle", self._settled), ("configure", self._configured)):
            setattr(acd, name, _overheard(getattr(acd, name), hears))
        return self.switch

    def each(self, number: int, now_ms: int, event: Input, outputs: list[Output]) -> None:
        found, room = self.found, self.switch.room
        found.ended_ms = now_ms
        if not found.state and room.site:
            found.state, found.began_ms = self.switch.encode(), now_ms

    def _applied(self, _: None, event: AcdEvent, now_ms: int) -> None:
        if self.found.state:
            self.found.events.append((now_ms, event))

    def _settled(self, commands: list[AcdCommand], now_ms: int) -> None:
        if self.found.state:
            self.found.commands += [(now_ms, command) for command in commands]

    def _configured(self, _: None, queues: list[QueueSpec], agents: list[AgentSpec], now_ms: int) -> None:
        if self.found.state:
            self.found.reloads.append((now_ms, queues, agents))


def _overheard(method: Any, hears: Any) -> Any:
    def called(*arguments: Any) -> Any:
        result = method(*arguments)
        hears(result, *arguments)
        return result

    return called


def pool(heard: Heard, site: Site | None = None) -> tuple[Distributor, dict[int, str]]:
    """The distributor as the day begins, under the rules of its own time or those of `site`; names of queues by id."""
    switch = Switch.decode(heard.state)
    if site is not None:
        switch.handle(SiteLoaded(site.version, msgspec.msgpack.encode(site)), heard.began_ms)
    room = switch.room
    return Distributor.decode(room.acd.encode()), dict(room.queue_names)


def levels(distributor: Distributor) -> dict[int, int]:
    """Queue id -> the service level's ms."""
    return {queue.spec.id: queue.spec.service_level_ms for queue in distributor._pool.queues if queue is not None}

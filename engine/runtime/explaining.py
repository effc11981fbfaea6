"""Every decision about one call in full, from the journal: the Switch runs again, and the pool is asked as it was.

Records keep the nearest agents of each decision; here nothing is left out. The replayed distributor tells of a
decision at the moment at which it was made, before its offers, so the columns are those that the pick has compared.
Between decisions each input shows what the agents who could serve him did, so a wait divides by causes exactly.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from engine.acd import brief, explain, preference, reasons
from engine.acd.explain import Explanation
from engine.acd.pool import Pool, Queue
from engine.acd.tables import E_ALERTING, E_WAITING
from engine.call.deciding import skill_name
from engine.call.effects import Emit, Input, Output
from engine.runtime.journal import Enough, Header, Replayed, replay
from engine.runtime.replaying import build

Able = tuple[str, ...]
_UNABLE = ("lacks", "ring", "preference", "avoid", "policy", "reserve", "hard")


class Told(msgspec.Struct, frozen=True):
    """One decision. `asked`: the agents who were rung, by key ("tenant/number"), () nobody; `names` by agent id."""

    at_ms: int  # Unix time
    queue: str
    site: str
    asked: tuple[str, ...]
    explanation: Explanation
    names: dict[int, str]
    skills: dict[int, str]


class Moment(msgspec.Struct, frozen=True):
    """From `at_ms` (Unix) on: does a phone ring for him, and the states of the agents who could serve him, each once.

    `lacking`: skills that kept others of the queue from being among them. `waits` False: he waits no more.
    """

    at_ms: int
    waits: bool
    ringing: bool = False
    able: Able = ()
    lacking: tuple[str, ...] = ()


class Account(msgspec.Struct):
    """What a replay has found out about a call."""

    decisions: list[Told] = []
    moments: list[Moment] = []
    reports: list[Replayed] = []


def account(files: list[Path], call: str) -> Account:
    """Replay `files`, which begin before the call (`stepping.find`), until it is over. Raises JournalError."""
    listener = _Listener(call)
    for path in files:
        report = replay(path, listener.begin, listener.each)
        listener.found.reports.append(report)
        if report.stopped or report.sealed or report.differs:
            break
    return listener.found


class _Listener:
    def __init__(self, call: str) -> None:
        self.name = call
        self.found = Account()
        self.switch: Any = None
        self.offset_ms = 0

    def begin(self, header: Header, state: bytes | None) -> Any:
        self.switch = build(header, state)
        self.switch.room.acd.explains(self.explain)
        return self.switch

    def explain(self, pool: Pool, queue: Queue, entry: int, rows: list[int], now_ms: int) -> None:
        """In the place of `brief.brief`, which must go on as it did: its records are among the outputs compared."""
        if self._is_ours(pool.entries.call[entry]):
            room = self.switch.room
            count = len(rows) if pool.entries.ringing[entry] else 0
            full = explain.explain(pool, queue, entry, now_ms, count)
            call = room.calls.get(pool.entries.call[entry])
            needed = dict.fromkeys(number for number, _ in full.needs)
            self.found.decisions.append(Told(
                now_ms + room.wall_offset_ms, queue.spec.name, call.site if call is not None else room.site,
                tuple(room.agent_keys.get(pool.agents.id[pool.team.agent[row]], "") for row in rows), full,
                {seat.agent: room.agent_keys.get(seat.agent, "") for seat in full.seats},
                {number: skill_name(room.skill_ids, number) for number in needed},
            ))  # fmt: skip
        brief.brief(pool, queue, entry, rows, now_ms)

    def _is_ours(self, number: int) -> bool:
        room = self.switch.room
        call, back = room.calls.get(number), room.callbacks.get(number)
        return (call is not None and call.name == self.name) or (back is not None and back.name == self.name)

    def each(self, number: int, now_ms: int, event: Input, outputs: list[Output]) -> None:
        """After each input."""
        moment = self._moment(now_ms)
        moments = self.found.moments
        if moments and msgspec.structs.replace(moment, at_ms=moments[-1].at_ms) == moments[-1]:
            pass
        elif moments or moment.waits:
            moments.append(moment)
        ended = any(
            isinstance(each, Emit) and each.event.kind == "call.ended" and each.event.call == self.name
            for each in outputs
        )
        if ended:
            raise Enough

    def _moment(self, now_ms: int) -> Moment:
        room = self.switch.room
        pool: Pool = room.acd._pool
        at_ms = now_ms + room.wall_offset_ms
        number = next((number for number in pool.calls if self._is_ours(number)), -1)
        entry = pool.calls.get(number, -1)
        if entry < 0 or pool.entries.state[entry] not in (E_WAITING, E_ALERTING):
            return Moment(at_ms, False)
        queue = pool.queue_at(pool.entries.queue[entry])
        prefers = preference.holds(pool, queue, entry, now_ms)
        shut = reasons.barred(pool, queue, entry, now_ms)
        needs = () if prefers else pool.needs_of(entry)
        able: dict[str, None] = {}
        lacking: dict[str, None] = {}
        for row in reasons.seats(pool, queue):
            against = reasons.against(pool, row, needs, shut)
            if not against:
                able["ready"] = None
            elif against[0][0] not in _UNABLE:
                able[against[0][0]] = None
            elif against[0][0] == "lacks":
                lacking[skill_name(room.skill_ids, int(against[0][1]))] = None
        return Moment(at_ms, True, pool.entries.ringing[entry] > 0, tuple(sorted(able)), tuple(sorted(lacking)))

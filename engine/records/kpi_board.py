"""The first wallboard: the five figures a manager sees from afar (field.md A1 row 10), by the report's formulas.

Input are the rows that the living engine answers to `queues` and `agents` (lists of dicts, JSON); output are structs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from engine.records import kpi
from engine.records.kpi_agents import Worked


class OnDuty(msgspec.Struct, frozen=True):
    """One agent who is logged in: name, state in words, seconds in it (0 when the engine didn't say)."""

    agent: str
    name: str
    state: str
    reason: str
    seconds: int


class Board(msgspec.Struct):
    """One queue now. Shares in percent, None when there is nothing to divide by; times in ms."""

    queue: str  # tenant/name
    tenant: str
    inbound: int  # callers who came in, those who still wait included
    service_level: float | None
    service_level_patient: float | None  # without short abandons
    utilisation: float | None
    on_duty: list[OnDuty]
    waiting: int
    alerting: int
    connected: int  # conversations now
    longest_wait_ms: int
    answered: int
    abandoned: int
    abandonment: float | None
    speed_of_answer_ms: float | None
    ready: int
    within_ms: int  # the target that service_level is held against

    def by_state(self) -> dict[str, int]:
        """How many agents on duty are in each state, commonest first."""
        counts: dict[str, int] = {}
        for agent in self.on_duty:
            counts[agent.state] = counts.get(agent.state, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def board(queues: Sequence[dict[str, Any]], agents: Sequence[dict[str, Any]] = ()) -> list[Board]:
    """The wallboard of `queues` rows; `agents` rows add reasons and how long each one has been in his state."""
    known = {f"{row['tenant']}/{row['agent']}": row for row in agents}
    return [_board(row, known) for row in queues]


def _board(row: dict[str, Any], known: dict[str, dict[str, Any]]) -> Board:
    sums = kpi.of_tally(row)
    duty = [_duty(each, known) for each in row.get("on_duty", ())]
    per_mille = row.get("utilisation", 0)
    return Board(
        queue=row["name"], tenant=row["tenant"], inbound=row["offered"],
        service_level=kpi.level(sums), service_level_patient=kpi.level_patient(sums),
        utilisation=per_mille / 10 if duty or per_mille else None, on_duty=duty, waiting=row["waiting"],
        alerting=row["alerting"], connected=row["connected"], longest_wait_ms=row["longest_wait_ms"],
        answered=row["answered"], abandoned=row["abandoned"], abandonment=kpi.abandoned_share(sums),
        speed_of_answer_ms=kpi.speed_of_answer(sums), ready=row["ready"], within_ms=row["service_level_ms"],
    )  # fmt: skip


def _duty(each: dict[str, Any], known: dict[str, dict[str, Any]]) -> OnDuty:
    key = str(each["name"])
    found = known.get(key, {})
    return OnDuty(
        key, str(found.get("name") or key), str(found.get("state") or each["state"]), str(found.get("reason") or ""),
        int(found.get("seconds") or 0),
    )


def worked_of(row: dict[str, Any]) -> Worked:
    """Time by state from an agent's row with `spent_ms` (acd.snapshots); hold is within talking there."""
    worked = Worked()
    for state, ms in row["spent_ms"].items():
        worked.add(state, str(row.get("reason") or ""), int(ms))
    return worked


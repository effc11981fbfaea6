"""The wallboard says what the report would say of the same stays."""

from __future__ import annotations

from engine.records import kpi
from engine.records.kpi import Contact
from engine.records.kpi_board import board, worked_of

ROW = {
    "name": "default/support", "tenant": "default", "waiting": 2, "alerting": 1, "connected": 1,
    "longest_wait_ms": 9_000, "offered": 10, "answered": 4, "answered_in_time": 3, "abandoned": 2,
    "abandoned_in_time": 1, "timed_out": 1, "left": 0, "completed": 3, "refused_full": 1, "refused_no_agents": 0,
    "waited_ms_mean": 12_000, "waited_ms_max": 60_000, "talked_ms": 99_000, "service_level_ms": 20_000,
    "utilisation": 425, "ready": 1,
    "on_duty": [{"agent": 0, "name": "default/201", "state": "talking"},
                {"agent": 1, "name": "default/202", "state": "not_ready"}],
}
AGENTS = [{"agent": "202", "tenant": "default", "name": "Ben", "state": "not_ready", "reason": "lunch", "seconds": 61}]


def test_the_five_figures() -> None:
    (found,) = board([ROW], AGENTS)
    assert found.inbound == 10 and found.utilisation == 42.5
    assert found.service_level == 100 * 3 / 7 and found.service_level_patient == 100 * 3 / 6
    assert [(each.name, each.state, each.reason, each.seconds) for each in found.on_duty] == [
        ("default/201", "talking", "", 0), ("Ben", "not_ready", "lunch", 61)]
    assert found.by_state() == {"not_ready": 1, "talking": 1}
    assert found.speed_of_answer_ms == 12_000 and found.longest_wait_ms == 9_000
    assert found.abandonment == 100 * 1 / 6


def test_same_stays_same_figures() -> None:
    """What the distributor counted and what the record store keeps lead to the same sums."""
    stays = [Contact("q", "connected", 5_000)] * 3 + [Contact("q", "connected", 33_000), Contact("q", "abandoned", 900),
             Contact("q", "abandoned", 50_000), Contact("q", "timeout", 60_000), Contact("q", "full", 0)]
    sums, live = kpi.add_up(stays, 20_000, short_abandon_ms=20_000), kpi.of_tally(ROW)
    for formula in (kpi.level, kpi.level_patient, kpi.abandoned_share, kpi.speed_of_answer):
        assert formula(sums) == formula(live)
    assert sums.refused == live.refused == 1


def test_an_empty_queue_promises_nothing() -> None:
    row = {**ROW, **dict.fromkeys(("answered", "answered_in_time", "abandoned", "abandoned_in_time", "timed_out",
                                   "utilisation"), 0), "on_duty": []}
    (found,) = board([row])
    assert found.service_level is None and found.utilisation is None and found.abandonment is None


def test_an_agents_time() -> None:
    worked = worked_of({"spent_ms": {"ready": 5, "not_ready": 7}, "reason": "lunch"})
    assert worked.total() == 12 and worked.reasons == {"lunch": 7}

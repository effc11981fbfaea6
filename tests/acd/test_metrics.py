"""Formulas against worked examples."""

from __future__ import annotations

from engine.acd.metrics import Tally, per_mille, service_level, service_level_patient, utilisation


def test_per_mille_rounds_half_up_and_nothing_is_all() -> None:
    parts = ((1, 3), (2, 3), (1, 2000), (0, 7), (7, 7))
    assert [per_mille(part, whole) for part, whole in parts] == [333, 667, 1, 0, 1000]
    assert per_mille(0, 0) == 1000


def test_both_forms_of_the_service_level() -> None:
    tally = Tally(offered=20, answered=10, answered_in_time=8, abandoned=5, abandoned_in_time=3, timed_out=1, left=2)
    assert service_level(tally) == 500  # 8 / (10 + 5 + 1)
    assert service_level_patient(tally) == 615  # 8 / (10 + 5 − 3 + 1)
    assert service_level(Tally()) == 1000


def test_utilisation() -> None:
    assert utilisation(45_000, 60_000) == 750
    assert utilisation(0, 0) == 0


def test_ended_counts_every_way_out() -> None:
    assert Tally(completed=1, abandoned=2, timed_out=3, left=4).ended() == 10

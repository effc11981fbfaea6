"""Who gets whom in the loop, each stream played both ways."""

from __future__ import annotations

import pytest

from engine.acd import kernel_events as loop
from engine.acd.commands import Offer
from engine.acd.model import QueueSpec
from tests.acd.kernel_streams import LOOPED, follow, person, settled


def offered(out: list) -> list[tuple[int, int]]:  # type: ignore[type-arg]
    return [(command.call, command.agent) for command in out if isinstance(command, Offer)]


def test_weight_then_age_then_order_over_all_queues() -> None:
    queues = [QueueSpec(0, "q"), QueueSpec(1, "r", weight=1), QueueSpec(2, "s")]
    steps = settled((loop.PAUSED, 0), (loop.JOINED, 1, 0), (loop.JOINED, 2, 2, 9_000), (loop.JOINED, 3, 1))
    steps += settled((loop.JOINED, 4, 1), (loop.READY, 0))
    for row in range(3):
        steps += settled((loop.OFFER_ANSWERED, row), (loop.CALL_ENDED, (2, 3, 1)[row]))
    out = offered(follow(queues, [person(0, 0, 1, 2)], steps))
    assert [call for call, _ in out] == [3, 4, 2, 1]


def test_needs_are_met_and_others_are_not_kept_waiting_by_them() -> None:
    need = 1 << 8 | 4
    steps = settled((loop.JOINED, 1, 0, 0, 0, need), (loop.JOINED, 2, 0, 0, 0, need), (loop.JOINED, 3, 0))
    people = [person(0, skills=((1, 3),)), person(1, skills=((1, 4),))]
    assert offered(follow([QueueSpec(0, "q")], people, steps)) == [(1, 7), (3, 0)]


@pytest.mark.parametrize("strategy", LOOPED)
def test_every_strategy_over_three_rounds(strategy: str) -> None:
    steps = []
    for call in range(1, 13):
        steps += settled((loop.JOINED, call, 0), (loop.OFFER_FAILED if call % 3 else loop.OFFER_ANSWERED, 0, 0, 2),
                         (loop.ADVANCE, 700), (loop.CALL_ENDED, call % 3), (loop.EXPIRE,))  # fmt: skip
    people = [person(number, level=1 + number // 3) for number in range(5)]
    assert offered(follow([QueueSpec(0, "q", strategy=strategy, delay_reject_ms=300)], people, steps))


def test_who_starves_comes_before_the_heavier_queue() -> None:
    queues = [QueueSpec(0, "q", starve_ms=60_000), QueueSpec(1, "r", weight=9)]
    steps = settled((loop.PAUSED, 0), (loop.JOINED, 1, 0), (loop.ADVANCE, 59_000), (loop.JOINED, 2, 1))
    steps += settled((loop.ADVANCE, 1_000), (loop.READY, 0))
    assert offered(follow(queues, [person(0, 0, 1)], steps)) == [(1, 0)]
    assert offered(follow([QueueSpec(0, "q"), queues[1]], [person(0, 0, 1)], steps)) == [(2, 0)]

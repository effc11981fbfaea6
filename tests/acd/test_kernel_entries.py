"""The caller's part of the loop: places, limits and ends, each stream played both ways."""

from __future__ import annotations

from engine.acd import kernel_events as loop
from engine.acd.commands import CancelOffer, Connect, EntryEnded, Offer
from engine.acd.kernel_entries import ABANDONED, MOVED
from engine.acd.model import QueueSpec
from tests.acd.kernel_streams import follow, person, settled


def test_priority_is_time_waited_and_a_missed_offer_keeps_the_place() -> None:
    steps = settled((loop.JOINED, 1, 0), (loop.JOINED, 2, 0), (loop.ADVANCE, 1_000), (loop.JOINED, 3, 0, 5_000))
    steps += settled((loop.OFFER_FAILED, 0, 0, 2))
    out = follow([QueueSpec(0, "q", delay_reject_ms=0)], [person(0)], steps)
    assert [command.call for command in out if isinstance(command, Offer)] == [1, 3]


def test_limits_of_wait_and_length_and_nobody_on_duty() -> None:
    queues = [QueueSpec(0, "q", wait_ms_max=10_000, entries_max=2), QueueSpec(1, "r", join_empty=False)]
    steps = settled((loop.JOINED, 1, 0), (loop.JOINED, 2, 0), (loop.JOINED, 3, 0), (loop.JOINED, 4, 1))
    steps += settled((loop.ADVANCE, 20_000), (loop.EXPIRE,), (loop.OFFER_FAILED, 0, 0, 0))
    out = follow(queues, [person(0)], steps)
    ends = [(command.call, command.reason) for command in out if isinstance(command, EntryEnded)]
    assert ends == [(3, "full"), (4, "no_agents"), (2, "timeout"), (1, "timeout")]


def test_the_first_answer_wins_and_who_leaves_stops_every_phone() -> None:
    queues = [QueueSpec(0, "q", strategy="ring-all"), QueueSpec(1, "r")]
    steps = settled((loop.JOINED, 1, 0), (loop.OFFER_ANSWERED, 1), (loop.CALL_ENDED, 0), (loop.JOINED, 2, 0))
    steps += settled((loop.LEFT_QUEUE, 2, ABANDONED), (loop.JOINED, 3, 0), (loop.LEFT_QUEUE, 3, MOVED))
    steps += settled((loop.JOINED, 4, 0), (loop.JOINED, 4, 1), (loop.OFFER_ANSWERED, 0))
    out = follow(queues, [person(0), person(1), person(2)], steps)
    assert [command.agent for command in out if isinstance(command, Connect)] == [7]
    reasons = [command.reason for command in out if isinstance(command, CancelOffer)]
    assert reasons[:2] == ["answered_elsewhere"] * 2 and reasons.count("caller_gone") == 3 and "moved" in reasons

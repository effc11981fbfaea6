"""The agent's part of the loop: states, rests and fading loads, each stream played both ways."""

from __future__ import annotations

from engine.acd import kernel_events as loop
from engine.acd.commands import Offer
from engine.acd.model import QueueSpec
from tests.acd.kernel_streams import follow, person, settled

HOUR = 3_600_000


def asked(out: list) -> list[int]:  # type: ignore[type-arg]
    return [command.agent for command in out if isinstance(command, Offer)]


def test_who_comes_back_has_his_share_from_now_on() -> None:
    """He is lifted to the least of those who stayed, so he doesn't take every call that comes now."""
    steps = settled((loop.PAUSED, 1))
    for call in range(1, 7):
        steps += settled((loop.JOINED, call, 0), (loop.OFFER_ANSWERED, 0), (loop.CALL_ENDED, 0), (loop.ADVANCE, 40_000))
    steps += settled((loop.READY, 1), (loop.ADVANCE, HOUR))
    steps += settled((loop.JOINED, 10, 0), (loop.JOINED, 11, 0), (loop.JOINED, 12, 0))
    out = asked(follow([QueueSpec(0, "q", strategy="fewestcalls")], [person(0), person(1), person(2)], steps))
    assert sorted(out[-3:]) == [0, 7, 14] and 7 not in out[:-3]


def test_a_miss_rests_and_misses_in_a_row_end_in_not_ready() -> None:
    steps = settled((loop.JOINED, 1, 0), (loop.OFFER_FAILED, 0, 0, 0), (loop.ADVANCE, 5_000), (loop.EXPIRE,))
    steps += settled((loop.OFFER_FAILED, 1, 0, 0), (loop.ADVANCE, 60_000), (loop.EXPIRE,), (loop.READY, 0))
    out = asked(follow([QueueSpec(0, "q", misses_max=2)], [person(0)], steps))
    assert out == [0, 0, 0], "asked again after his rest, and then when he said that he was there"


def test_another_call_keeps_him_out_unless_he_has_a_second_line() -> None:
    steps = settled((loop.OCCUPIED_BY, 0, 1), (loop.OCCUPIED_BY, 1, 1), (loop.JOINED, 1, 0), (loop.JOINED, 2, 0))
    steps += settled((loop.OCCUPIED_BY, 0, 0))
    out = asked(follow([QueueSpec(0, "q")], [person(0), person(1, second_line=True)], steps))
    assert out == [7, 0]

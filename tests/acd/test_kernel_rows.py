"""Heaps as heapq's to the word, and rows that run out."""

from __future__ import annotations

import heapq
from random import Random
from typing import Any

import numpy as np

from engine.acd import kernel_events as loop
from engine.acd import kernel_rows
from engine.acd.commands import Offer
from engine.acd.model import QueueSpec
from tests.acd.kernel_streams import follow, person, settled


def plain(function: Any) -> Any:
    return getattr(function, "py_func", function)


def test_heaps_hold_their_words_where_heapq_holds_them() -> None:
    chance = Random(1)
    push, pop = plain(kernel_rows.heap_push), plain(kernel_rows.heap_pop)
    for _ in range(200):
        words, heap = [], np.zeros(40, dtype=np.int64)
        for _ in range(60):
            if len(words) < 40 and chance.random() < 0.6:
                word = chance.randrange(20)
                push(heap, len(words), word)
                heapq.heappush(words, word)
            elif words:
                assert pop(heap, len(words)) == heapq.heappop(words)
            assert heap[: len(words)].tolist() == words


def test_rows_of_offers_are_remembered_and_taken_again() -> None:
    """Forty calls refused by two agents, some after the memory of the first has run out."""
    steps = []
    for call in range(1, 41):
        steps += settled((loop.JOINED, call, 0), (loop.OFFER_FAILED, call, 0, 2), (loop.ADVANCE, 900))
    out = follow([QueueSpec(0, "q", delay_reject_ms=0)], [person(0), person(1)], steps)
    assert len({command.offer for command in out if isinstance(command, Offer)}) > 10

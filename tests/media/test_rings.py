"""The rings: order, fullness, wrapping; and no plain access to the words that threads share."""

from __future__ import annotations

import ast
import threading
from pathlib import Path

import numpy as np
import pytest

from engine import jit
from engine.media import columns as c
from engine.media import rings

ENGINE = Path(__file__).parents[2] / "engine"


def ring(size: int = 8, words: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.zeros((size, words), np.int64), np.zeros(c.SHARED_WORDS, np.int64), np.zeros(words, np.int64)


def test_first_in_first_out_over_many_wraps() -> None:
    records, shared, record = ring()
    for number in range(50):
        record[:] = number
        assert rings.push(records, shared, record, 0)
        assert rings.waiting(shared) == 1
        assert rings.pop(records, shared, record)
        assert record.tolist() == [number] * 4
    assert not rings.pop(records, shared, record)


def test_what_was_taken_is_wiped() -> None:
    """A command may have held a key."""
    places, shared, record = ring()
    record[:] = 7
    rings.push(places, shared, record, 0)
    record[:] = 0
    assert rings.pop(places, shared, record) and record.tolist() == [7] * 4
    assert not places.any()


def test_a_full_ring_refuses_and_room_is_kept() -> None:
    records, shared, record = ring()
    assert [rings.push(records, shared, record, 3) for _ in range(6)] == [True] * 5 + [False]
    assert [rings.push(records, shared, record, 0) for _ in range(4)] == [True] * 3 + [False]
    assert rings.waiting(shared) == 8


def test_pop_many_takes_what_is_there_in_order() -> None:
    records, shared, record = ring()
    for number in range(7):
        record[0] = number
        rings.push(records, shared, record, 0)
    target = np.zeros((5, 4), np.int64)
    assert rings.pop_many(records, shared, target) == 5
    assert target[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert rings.pop_many(records, shared, target) == 2
    assert rings.pop_many(records, shared, target) == 0


def test_events_that_are_not_vital_leave_half_the_ring() -> None:
    plane = c.allocate()
    accepted = sum(rings.emit(plane, rings.MEDIA_BACK, 0, 0, 0, 0, False) for _ in range(c.EVENT_SIZE))
    assert accepted == c.EVENT_SIZE // 2
    assert rings.emit(plane, rings.DIGIT_HEARD, 0, 5, 100, 0, True)
    assert plane.counters[c.EVENTS_REFUSED] == c.EVENT_SIZE // 2


@pytest.mark.skipif(jit.DISABLED, reason="one thread without the JIT")
def test_two_threads_lose_and_invent_nothing() -> None:
    """200,000 records through a ring of 64: each arrives whole, once and in order."""
    records, shared, record = ring(64, 4)
    total, seen = 200_000, 0
    rings.push(records, shared, record, 0)  # compile before the race
    rings.pop(records, shared, record)

    @jit.kernel
    def produce(records, shared, record, total):  # type: ignore[no-untyped-def]
        number = 0
        while number < total:
            for word in range(4):
                record[word] = number * (word + 1)
            if rings.push(records, shared, record, 0):
                number += 1

    thread = threading.Thread(target=produce, args=(records, shared, np.zeros(4, np.int64), total))
    thread.start()
    target = np.zeros((64, 4), np.int64)
    while seen < total:
        count = rings.pop_many(records, shared, target)
        if count:
            numbers = np.arange(seen, seen + count)
            assert np.array_equal(target[:count], numbers[:, None] * np.arange(1, 5))
            seen += count
    thread.join()
    assert rings.waiting(shared) == 0


ROWS_OF_RINGS = ("tap_shared", "ear_shared", "mouth_shared", "live_shared")


def shared_subscripts(source: str) -> list[int]:
    """Lines that index something whose name says `shared`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Subscript):
            base = node.value
            while isinstance(base, ast.Subscript):
                base = base.value
            name = base.id if isinstance(base, ast.Name) else base.attr if isinstance(base, ast.Attribute) else ""
            row_of_taps = name in ROWS_OF_RINGS and not isinstance(node.value, ast.Subscript)
            if name.endswith("shared") and not row_of_taps:
                found.append(node.lineno)
    return found


def test_the_finder_finds() -> None:
    assert shared_subscripts("x = shared[0]\np.command_shared[1] = 2\np.tap_shared[3][0] += 1\n") == [1, 2, 3]
    assert shared_subscripts("shared = p.tap_shared[tap]\nload_acquire(shared, 0)\n") == []


def test_shared_words_are_never_touched_plainly() -> None:
    """House law (DESIGN §2): words that two threads touch go through load_acquire and store_release alone."""
    offences = {
        str(path.relative_to(ENGINE)): lines
        for path in sorted(ENGINE.rglob("*.py"))
        if (lines := shared_subscripts(path.read_text("utf-8")))
    }
    assert offences == {}


def test_every_array_of_shared_words_says_so_in_its_name() -> None:
    shapes = {name: shape for name, _, shape in c._ARRAYS if shape[-1:] == (c.SHARED_WORDS,)}
    named = {name for name in shapes if name.endswith("shared")}
    assert named == {"command_shared", "happening_shared", "tap_shared", "ear_shared", "mouth_shared"}
    assert "metrics_shared" in {name for name, _, _ in c._ARRAYS}

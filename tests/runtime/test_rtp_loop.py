"""The loop itself: it starts, ticks on its clock, counts what it missed, and ends when told."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from engine import jit
from engine.media import columns as c
from engine.media import control, rings
from engine.runtime import rtp_loop

pytestmark = pytest.mark.skipif(jit.DISABLED, reason="system calls: compiled code only")


def descriptors() -> int:
    """How many this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    """On a fresh clone the first call of `serve` compiles it: that must not count against a test's patience."""
    jit.compile_for(rtp_loop.serve, c.allocate(), 0, 0)


class Running:
    """`serve` in a thread over a bare plane. A daemon: a loop that never ends fails its test, not the whole run."""

    def __init__(self) -> None:
        self.plane = c.allocate()
        self.wake, self.tell = os.eventfd(0), os.eventfd(0, os.EFD_NONBLOCK)
        self.status: list[int] = []
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        self.status.append(rtp_loop.serve(self.plane, self.wake, self.tell))

    def command(self, *words: int) -> None:
        record = np.zeros(c.COMMAND_WORDS, np.int64)
        record[: len(words)] = words
        assert rings.push(self.plane.commands, self.plane.command_shared, record, 0)
        os.eventfd_write(self.wake, 1)

    def figure(self, word: int) -> int:
        target = np.zeros(c.COUNTERS, np.int64)
        rings.read_metrics(self.plane.metrics_shared, target)
        return int(target[word])

    def until(self, word: int, value: int) -> None:
        deadline = time.monotonic() + 3
        while self.figure(word) < value:
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def stop(self) -> int:
        self.command(control.HALT)
        self.thread.join(3)
        os.close(self.wake)
        os.close(self.tell)
        return self.status[0]


def test_it_ends_when_told_and_leaves_no_descriptor() -> None:
    before = descriptors()
    assert Running().stop() == 0
    assert descriptors() == before


def test_it_ticks_every_twenty_milliseconds_while_a_leg_is_open() -> None:
    running = Running()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        running.command(control.OPEN_LEG, 0, 1, bound.fileno(), 1, 2, 3)
        running.until(c.TICKS, 1)
        began, first = time.monotonic(), running.figure(c.TICKS)
        running.until(c.TICKS, first + 20)
        assert 0.36 < time.monotonic() - began < 0.8
        assert running.figure(c.TICKS_MISSED) <= 5
        running.command(control.CLOSE_LEG, 0, 1)
        assert running.stop() == 0


def test_a_descriptor_that_cannot_be_watched_fails_the_leg() -> None:
    running = Running()
    with Path(os.devnull).open() as plain:
        running.command(control.OPEN_LEG, 0, 1, plain.fileno(), 1, 2, 3)
        running.command(control.OPEN_LEG, 1, 1, 999_999, 1, 2, 3)
        record, kinds = np.zeros(c.EVENT_WORDS, np.int64), []
        deadline = time.monotonic() + 3
        while len(kinds) < 4 and time.monotonic() < deadline:
            if rings.pop(running.plane.happenings, running.plane.happening_shared, record):
                kinds.append((int(record[0]), int(record[1])))
    assert kinds == [(rings.LEG_BROKEN, 0), (rings.LEG_CLOSED, 0), (rings.LEG_BROKEN, 1), (rings.LEG_CLOSED, 1)]
    assert running.stop() == 0


def test_events_are_announced_once_a_batch() -> None:
    running = Running()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        running.command(control.OPEN_LEG, 0, 1, bound.fileno(), 1, 2, 3)
        running.command(control.CLOSE_LEG, 0, 1)
        assert running.stop() == 0
    assert rings.waiting(running.plane.happening_shared) == 1

"""A phone behind a bad line: every packet it sends may be lost or wait, and so overtake another."""

from __future__ import annotations

import heapq
import random
import threading
import time
from typing import Any

import numpy as np

from harness.rtp import Ear


class RoughEar(Ear):
    """An Ear whose audio packets are lost with probability `loss` and delayed by 0 to `jitter_ms`, evenly.

    `seed` decides which and by how much, counted from the last `play`, so that a run can be had again.
    `sent`, `lost` and `overtaken` count since then.
    """

    def __init__(self, *, loss: float, jitter_ms: float, seed: int, **more: Any) -> None:
        self.loss, self.jitter_s, self.seed = loss, jitter_ms / 1_000, seed
        self.sent = self.lost = self.overtaken = 0
        self._chance = random.Random(seed)
        self._waiting: list[tuple[float, int, bytes]] = []
        self._changed = threading.Condition()
        self._newest = -1
        self._carrier = threading.Thread(target=self._carry, daemon=True)
        super().__init__(**more)
        self._carrier.start()

    def play(self, samples: np.ndarray) -> None:
        with self._changed:
            self._chance = random.Random(self.seed)
            self.sent = self.lost = self.overtaken = 0
        super().play(samples)

    def close(self) -> None:
        super().close()
        with self._changed:
            self._changed.notify()
        self._carrier.join(2)

    def raw(self, data: bytes) -> None:
        """Give the packet to the line."""
        with self._changed:
            draw, delay = self._chance.random(), self._chance.random() * self.jitter_s
            self.sent += 1
            if draw < self.loss:
                self.lost += 1
                return
            heapq.heappush(self._waiting, (time.monotonic() + delay, self.sent, data))
            self._changed.notify()

    def _carry(self) -> None:
        while not self._over.is_set():
            with self._changed:
                due = self._waiting[0][0] if self._waiting else time.monotonic() + 0.1
                left = due - time.monotonic()
                if left > 0:
                    self._changed.wait(left)
                    continue
                if not self._waiting:
                    continue
                _, _, data = heapq.heappop(self._waiting)
                number = int.from_bytes(data[2:4], "big")
                if self._newest >= 0 and (number - self._newest) & 0xFFFF > 0x8000:
                    self.overtaken += 1
                else:
                    self._newest = number
            super().raw(data)

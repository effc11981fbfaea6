"""Writes a weighted transducer in OpenFst's binary `vector` format with standard arcs, as Kaldi's decoders read it.

Layout, little endian: magic number, fst type, arc type (each with its length), version, flags, properties, start state,
count of states, count of arcs; then per state its final weight (infinity: not final), its count of arcs, and its arcs
(input label, output label, weight, next state).
"""

from __future__ import annotations

import math
import struct

import numpy as np

_MAGIC = 2_125_659_606
_VERSION = 2
_EXPANDED_MUTABLE_INPUT_SORTED = 0x3 | 0x1000_0000


class Transducer:
    """States are integers from 0; the first one made begins. Weights are costs: negative logarithms."""

    def __init__(self) -> None:
        self.states = 0
        self.final: dict[int, float] = {}
        self._numbers: list[int] = []  # of each arc: source, input label, output label, target
        self._costs: list[float] = []

    def state(self) -> int:
        """A new state."""
        self.states += 1
        return self.states - 1

    def arc(self, source: int, label: int, output: int, cost: float, target: int) -> None:
        """From `source` to `target`; label and output 0 stand for nothing."""
        self._numbers += (source, label, output, target)
        self._costs.append(cost)

    def lingering(self, label: int) -> int:
        """A new state that a label leads back to."""
        state = self.states
        self.states += 1
        self._numbers += (state, label, 0, state)
        self._costs.append(0.0)
        return state

    def arc_count(self) -> int:
        """How many arcs there are."""
        return len(self._costs)

    def encode(self) -> bytes:
        """The file's bytes; the same transducer gives the same bytes."""
        numbers = np.array(self._numbers, dtype="<i4").reshape(-1, 4)
        costs = np.array(self._costs, dtype="<f4")
        order = np.lexsort((numbers[:, 3], costs, numbers[:, 2], numbers[:, 1], numbers[:, 0]))
        numbers, costs = numbers[order], costs[order]
        counts = np.bincount(numbers[:, 0], minlength=self.states)
        final = np.full(self.states, math.inf, dtype="<f4")
        for state, cost in self.final.items():
            final[state] = cost
        # in words of 32 bits: three of each state (the count of arcs takes two), then four of each of its arcs
        begins = np.arange(self.states) * 3 + (np.cumsum(counts) - counts) * 4
        body = np.zeros(self.states * 3 + len(costs) * 4, dtype="<i4")
        body[begins] = final.view("<i4")
        body[begins + 1] = counts
        places = (numbers[:, 0].astype(np.int64) + 1) * 3 + np.arange(len(costs)) * 4
        body[places], body[places + 1] = numbers[:, 1], numbers[:, 2]
        body[places + 2], body[places + 3] = costs.view("<i4"), numbers[:, 3]
        head = struct.pack("<i", _MAGIC) + _text("vector") + _text("standard")
        head += struct.pack("<iiQqqq", _VERSION, 0, _EXPANDED_MUTABLE_INPUT_SORTED, 0, self.states, len(costs))
        return head + body.tobytes()


def _text(text: str) -> bytes:
    return struct.pack("<i", len(text)) + text.encode()

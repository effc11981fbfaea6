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
_ARC = np.dtype([("input", "<i4"), ("output", "<i4"), ("weight", "<f4"), ("next", "<i4")])


class Transducer:
    """States are integers from 0; the first one made begins. Weights are costs: negative logarithms."""

    def __init__(self) -> None:
        self.arcs: list[list[tuple[int, int, float, int]]] = []
        self.final: dict[int, float] = {}

    def state(self) -> int:
        """A new state."""
        self.arcs.append([])
        return len(self.arcs) - 1

    def arc(self, source: int, label: int, output: int, cost: float, target: int) -> None:
        """From `source` to `target`; label and output 0 stand for nothing."""
        self.arcs[source].append((label, output, cost, target))

    def arc_count(self) -> int:
        """How many arcs there are."""
        return sum(map(len, self.arcs))

    def encode(self) -> bytes:
        """The file's bytes; the same transducer gives the same bytes."""
        head = struct.pack("<i", _MAGIC) + _text("vector") + _text("standard")
        counts = (len(self.arcs), self.arc_count())
        parts = [head, struct.pack("<iiQqqq", _VERSION, 0, _EXPANDED_MUTABLE_INPUT_SORTED, 0, *counts)]
        for state, arcs in enumerate(self.arcs):
            parts.append(struct.pack("<fq", self.final.get(state, math.inf), len(arcs)))
            parts.append(np.array(sorted(arcs), dtype=_ARC).tobytes())
        return b"".join(parts)


def _text(text: str) -> bytes:
    return struct.pack("<i", len(text)) + text.encode()

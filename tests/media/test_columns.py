"""The layout: names that don't collide, lines that aren't shared, memory that isn't taken."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine import limits
from engine.media import columns as c


def test_every_array_begins_on_cache_lines_of_its_own() -> None:
    offsets = [c.LAYOUT.fields[name][1] for name in c.LAYOUT.names]
    assert all(offset % 128 == 0 for offset in offsets)
    assert offsets == sorted(offsets)


def test_the_protocol_and_the_layout_name_the_same_arrays() -> None:
    assert set(c.Plane.__annotations__) == set(c.LAYOUT.names)


def test_rings_and_masks_are_powers_of_two() -> None:
    for size in (c.COMMAND_SIZE, c.EVENT_SIZE, c.PLAYOUT_SAMPLES, c.HISTORY_SAMPLES):
        assert size & (size - 1) == 0


def test_limits_reach_the_kernels_as_data() -> None:
    plane = c.allocate()
    assert plane.settings[c.UNCONFIRMED_US] == limits.unconfirmed_send_ms_max * 1_000
    assert plane.settings[c.RELATCH_US] == limits.relatch_silent_ms * 1_000
    assert plane.settings[c.MISSING_US] == 3_000_000
    assert plane.settings[c.PROBE_US] == 15_000_000
    assert plane.legs.shape[0] == limits.legs_max


def test_an_idle_plane_takes_little_memory() -> None:
    def resident_kib() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4

    c.allocate()
    before = resident_kib()
    planes = [c.allocate() for _ in range(4)]
    assert (resident_kib() - before) / len(planes) < 16_384  # huge pages round each touched place up to 2 MiB


def test_a_leg_costs_little_even_when_every_row_is_used() -> None:
    per_leg = sum(
        int(np.prod(shape)) * np.dtype(kind).itemsize for _, kind, shape in c._ARRAYS if shape[0] == c.LEGS
    ) / c.LEGS
    assert per_leg < 4_096

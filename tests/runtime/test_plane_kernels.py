"""What is compiled before a packet comes."""

from __future__ import annotations

import pytest

from engine import jit
from engine.media import columns as c
from engine.media import rings
from engine.runtime.plane_kernels import kernels, warm_kernels
from engine.runtime.warming import HELPED

pytestmark = pytest.mark.skipif(jit.DISABLED, reason="the loop makes system calls: compiled code only")


def test_warm_tells_its_progress() -> None:
    seen: list[tuple[int, int, str]] = []
    plane = c.allocate()
    warm_kernels(plane, lambda done, total, name: seen.append((done, total, name)))
    assert seen == [(done, len(seen), step[0]) for done, step in enumerate(kernels(plane))]
    assert seen[-1][2] == "media loop"
    assert rings.waiting(plane.command_shared) == 0


def test_a_share_of_them() -> None:
    seen: list[str] = []
    warm_kernels(c.allocate(), lambda done, total, name: seen.append(name), only=HELPED)
    assert sorted(seen) == sorted(HELPED)

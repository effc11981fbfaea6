"""What is compiled before a packet comes."""

from __future__ import annotations

import pytest

from engine import jit
from engine.media import columns as c
from engine.media import receive, rings, tick
from engine.runtime import rtp_loop
from engine.runtime.plane_kernels import kernels, parts, warm_kernels, warm_parts
from engine.runtime.warming import HELPED

pytestmark = pytest.mark.skipif(jit.DISABLED, reason="the loop makes system calls: compiled code only")


def test_warm_tells_its_progress() -> None:
    seen: list[tuple[int, int, str]] = []
    plane = c.allocate()
    warm_kernels(plane, lambda done, total, name: seen.append((done, total, name)))
    assert seen == [(done, len(seen), step[0]) for done, step in enumerate(kernels(plane))]
    assert seen[-1][2] == "media loop"
    assert rings.waiting(plane.command_shared) == 0


def test_a_share_of_the_parts() -> None:
    seen: list[str] = []
    warm_parts(c.allocate(), lambda done, total, name: seen.append(name), only=HELPED)
    assert sorted(seen) == sorted(HELPED)


def test_the_loop_takes_the_parts_as_they_were_compiled() -> None:
    """Of other types they would be compiled once more, by the process that was to find them ready."""
    plane = c.allocate()
    warm_parts(plane)
    warm_kernels(plane)
    assert len(rtp_loop.serve.signatures) == 1  # type: ignore[attr-defined]
    for name, function, _ in parts(plane):
        assert len(function.inner().signatures) == 1, name  # type: ignore[attr-defined]


def test_python_and_the_loop_may_both_have_one() -> None:
    assert receive.receive.inner() is not receive.receive  # type: ignore[attr-defined]
    before = len(tick.tick_mixes.signatures)  # type: ignore[attr-defined]
    jit.compile_for(tick.tick_mixes, c.allocate(), 0)
    assert len(tick.tick_mixes.signatures) == max(1, before)  # type: ignore[attr-defined]

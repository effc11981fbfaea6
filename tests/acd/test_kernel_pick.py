"""The facade: few candidates stay in Python, many go to the kernel, and a whole world runs alike with both."""

from __future__ import annotations

import subprocess
import sys

import pytest

from engine.acd import kernel_pick, policy
from engine.errors import LocalError
from tests.acd.streams import run_stream
from tests.acd.world import World, agent, offers, queue


def test_many_candidates_use_the_kernel_and_few_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[int] = []
    real = kernel_pick.run_kernel

    def spy(pool, line, needs, most):  # type: ignore[no-untyped-def]
        used.append(len(line.idle))
        return real(pool, line, needs, most)

    monkeypatch.setattr(kernel_pick, "run_kernel", spy)
    world = World([queue()], [agent(n) for n in range(1, policy.KERNEL_FROM + 2)], kernels="numba")
    assert [offers(world.join(10 + turn))[0].agent for turn in range(4)] == [1, 2, 3, 4]
    assert used == [policy.KERNEL_FROM + 1, policy.KERNEL_FROM]


def test_a_whole_stream_is_the_same_with_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "KERNEL_FROM", 1)
    for seed in range(6):
        assert run_stream(seed, 150, kernels="numba") == run_stream(seed, 150, kernels="python")


def test_an_unknown_kind_of_kernel_is_refused() -> None:
    with pytest.raises(LocalError, match="python or numba"):
        World([queue()], [agent(1)], kernels="c")


def test_the_python_twin_never_imports_numba() -> None:
    code = (
        "import sys; from engine.acd.machine import Distributor; Distributor(1).settle(0); "
        "sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_kernels_writers_are_part_of_a_distributor_of_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Round-robin marks by kernel, lots are drawn within the pick, and few candidates still meet drawn lots."""
    monkeypatch.setattr(policy, "KERNEL_FROM", 3)
    for name in ("round-robin", "linear", "top-down", "random", "wrandom"):
        took = []
        for kernels in ("python", "numba"):
            people = [agent(n, level=1 + n % 2) for n in range(1, 7)]
            world = World([queue(strategy=name)], people, kernels=kernels)
            assert (world.pool.writers is kernel_pick.WRITERS) == (kernels == "numba")
            took.append([offers(world.join(10 + turn))[0].agent for turn in range(6)])
        assert took[0] == took[1], name

"""The loop and Python end in identical states: 2,000 random streams here, 10⁵ under `slow`, with the JIT on and off."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from random import Random

import pytest

from engine.acd import kernel_events as loop
from engine.acd.happenings import HANDLERS
from tests.acd.kernel_streams import both, site, state_of, steps

STEPS = 80
NEVER_SENT = {"CallAway", "CallHere", "CallPicked", "AgentWrapUp", "AgentSkills", "OfferHeld"}  # by no scenario


def compare(seeds: range, length: int = STEPS) -> Counter[str]:
    """Commands by kind over all streams; every stream gave the same ones and left the same state, unbroken."""
    seen: Counter[str] = Counter()
    for seed in seeds:
        one, two, told, told_too = both(seed, length)
        assert told == told_too, seed
        assert state_of(one) == state_of(two), seed
        broken = two.check(two._pool.now_ms)
        assert all(each.rule.endswith("_overdue") for each in broken), "a stream that never expires may be late"
        seen.update(type(command).__name__ for command in told)
    return seen


def test_random_streams_leave_both_in_the_same_state() -> None:
    seen = compare(range(2_000))
    assert seen["Offer"] > 8_000 and seen["Connect"] > 3_000 and seen["CancelOffer"] > 8_000, seen
    assert seen["EntryEnded"] > 8_000, seen


@pytest.mark.slow
@pytest.mark.parametrize("shard", range(10))
def test_a_hundred_thousand_random_streams(shard: int) -> None:
    """In ten parts, so that no single test takes minutes."""
    first = 2_000 + 10_000 * shard
    print(f"streams {first} on, of {STEPS} steps: {dict(compare(range(first, first + 10_000)))}")


def test_streams_hold_every_event_that_the_distributor_handles_and_every_other_step() -> None:
    """A new kind of event needs a step here, or a reason why no owner of the loop sends it."""
    chance = Random(1)
    given = steps(chance, site(chance)._pool, 2_000)
    assert set(given[:, 0].tolist()) == set(range(loop.ADVANCE + 1))
    assert len({kind.__name__ for kind in HANDLERS} - NEVER_SENT) == loop.SETTLE


def test_the_same_without_the_compiler() -> None:
    code = "from tests.acd.test_kernel_events import compare; print(compare(range(7_000, 7_150)).total())"
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run([sys.executable, "-c", code], check=True, env=environment, capture_output=True, text=True)
    assert int(done.stdout) > 1_000

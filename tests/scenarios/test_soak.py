"""The long soaks, with new seeds every day (they are printed, and in every failure): nothing stuck, every sum even.

2×10⁵ calls through the distributor alone and 2×10⁴ through the whole switch; `tools/soak` runs any number of them. A
seed may draw a pool with far too few agents, which costs ten times the others: so no more of them here.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.scenarios.soak_calls import CallSoak
from tests.scenarios.soak_pool import PoolSoak

DAY = datetime.now(UTC).toordinal()
SHARDS = 10


@pytest.mark.slow
@pytest.mark.parametrize("shard", range(SHARDS))
def test_two_hundred_thousand_calls_through_the_distributor(shard: int) -> None:
    found = PoolSoak(DAY * 1_000 + shard, 200_000 // SHARDS, kernels=("python", "numba")[shard % 2]).run()
    print(found)
    assert found["calls"] == 200_000 // SHARDS


@pytest.mark.slow
@pytest.mark.parametrize("shard", range(SHARDS))
def test_twenty_thousand_calls_through_the_whole_switch(shard: int) -> None:
    found = CallSoak(DAY * 1_000 + shard, 20_000 // SHARDS).run()
    print(found)
    assert found["calls"] == 20_000 // SHARDS


def test_a_short_soak_of_each() -> None:
    assert PoolSoak(7, 3_000).run()["calls"] == 3_000
    assert CallSoak(7, 100).run()["calls"] == 100


def test_the_same_seed_tells_the_same_story() -> None:
    assert PoolSoak(11, 1_500).run() == PoolSoak(11, 1_500).run() == PoolSoak(11, 1_500, kernels="numba").run()

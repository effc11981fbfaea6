"""Check and link of 1,000 steps cost a bounded number of fixed pieces of work (bench_check tells the milliseconds)."""

from __future__ import annotations

import pytest

from engine.dialplan.reader import read_site
from tests.bench.bench_check import BASE, SHAPES, STOCK, steps_of
from tests.bench.yardstick import units

UNITS_MAX = 25.0  # 8 to 13; a unit is 4 to 8 ms of CPU, the target 150 ms


@pytest.mark.parametrize("shape", SHAPES)
def test_a_thousand_steps_cost_no_more_than_that(shape: str) -> None:
    files = {**BASE, **SHAPES[shape](1_000)}
    site, findings = read_site(files, STOCK)
    assert site is not None and not findings and 950 <= steps_of(site) <= 1_050
    assert units(lambda: read_site(files, STOCK)) <= UNITS_MAX

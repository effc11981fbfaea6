"""Any packet, on any kind of leg: nothing raises, nothing is touched that isn't the leg's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.media import columns as c
from tests.media import fuzz
from tests.media.rig import FAR, Rig, rtp

SCRIPT = Path(__file__).with_name("fuzz.py")


def in_subprocess(flag: str, packets: int, seed: int) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", str(SCRIPT), str(packets), str(seed)],
        env=os.environ | {flag: "1"}, capture_output=True, text=True, timeout=600, check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_directed_fuzz(seed: int) -> None:
    fuzz.run(3_000, seed)


def test_directed_fuzz_as_plain_python() -> None:
    in_subprocess("NUMBA_DISABLE_JIT", 500, 4)


@pytest.mark.slow
def test_directed_fuzz_with_checked_bounds() -> None:
    """Compiles the kernels once more; their cache folder is their own."""
    in_subprocess("NUMBA_BOUNDSCHECK", 20_000, 5)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=400), st.sampled_from(fuzz.ROWS), st.sampled_from([FAR, "198.51.100.3"])),
                max_size=20))
def test_any_bytes(packets: list[tuple[bytes, int, str]]) -> None:
    rig = fuzz.furnished()
    for data, row, host in packets:
        rig.receive(data, row, host=host)
        rig.tick(1)
    assert rig.plane.counters[c.PACKETS_RECEIVED] == len(packets)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(
    st.integers(0, 65_535), st.integers(0, 2**32 - 1), st.integers(0, 2), st.sampled_from([0, 8, 101]),
    st.integers(0, 1), st.binary(max_size=500)), max_size=30))
def test_any_fields(packets: list[tuple[int, int, int, int, int, bytes]]) -> None:
    rig = fuzz.furnished()
    for place, (sequence, timestamp, ssrc, payload_type, marker, body) in enumerate(packets):
        row = fuzz.ROWS[place % len(fuzz.ROWS)]
        rig.receive(rtp(sequence, timestamp, body, ssrc=ssrc, payload_type=payload_type, marker=marker), row)
        rig.tick(1)
    heard = sum(int(rig.plane.legs[row, c.DIGITS_HEARD]) for row in fuzz.ROWS)
    assert heard <= len(packets)


def test_a_flood_on_one_leg_leaves_the_others_alone() -> None:
    rig = Rig()
    rig.leg(0)
    rig.leg(1)
    rig.leg(2)
    rig.bridge(0, 1)
    for number in range(2_000):
        rig.receive(os.urandom(60), 2)
        if number % 100 == 0:
            rig.now_us += 20_000
            assert len(rig.receive(rtp(number // 100, number // 100 * 160), 0)) == 1
    assert rig.plane.legs[0, c.IGNORED] == rig.plane.legs[1, c.IGNORED] == 0

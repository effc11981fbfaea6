"""Loss, order, duplicates, jitter and gaps against hand-made arrivals."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.rtp import quality as q

FRAME_US = 20_000


def stream() -> np.ndarray:
    return np.zeros(q.FIELDS, np.int64)


def feed(row: np.ndarray, sequences: list[int], ssrc: int = 7) -> list[int]:
    return [int(q.arrive(row, sequence & 0xFFFF, ssrc, index * FRAME_US)) for index, sequence in enumerate(sequences)]


def test_order_loss_and_duplicates() -> None:
    row = stream()
    assert feed(row, [10, 11, 13, 12, 13, 15]) == [q.RESTART, q.NEW, q.NEW, q.LATE, q.DUPLICATE, q.NEW]
    assert (row[q.DUPLICATED], row[q.REORDERED], q.lost(row)) == (1, 1, 1)


def test_nothing_heard_is_nothing_lost() -> None:
    assert q.lost(stream()) == 0


def test_the_wrap_is_no_loss() -> None:
    row = stream()
    feed(row, list(range(65_530, 65_545)))
    assert q.lost(row) == 0
    assert row[q.HIGHEST] == 65_544


def test_another_ssrc_keeps_earlier_losses() -> None:
    row = stream()
    feed(row, [1, 2, 5], ssrc=1)
    assert feed(row, [900, 901, 903], ssrc=2) == [q.RESTART, q.NEW, q.NEW]
    assert q.lost(row) == 3


def test_a_far_jump_restarts() -> None:
    row = stream()
    assert feed(row, [1, 2, 30_000, 30_001]) == [q.RESTART, q.NEW, q.RESTART, q.NEW]
    assert q.lost(row) == 0


def test_late_packets_from_before_the_first_are_no_gain() -> None:
    row = stream()
    feed(row, [10, 12, 8, 9])
    assert q.lost(row) == 1


@given(st.integers(0, 65_535), st.lists(st.booleans(), min_size=1, max_size=200), st.integers(0, 1_000))
def test_lost_is_what_was_left_out(first: int, arrives: list[bool], seed: int) -> None:
    """Any losses and local reordering (blocks of 20): the count is exact between first and last."""
    arrives[0] = arrives[-1] = True
    sequences = [first + index for index, kept in enumerate(arrives) if kept]
    body = sequences[1:-1]
    chance = random.Random(seed)
    blocks = [body[index : index + 20] for index in range(0, len(body), 20)]
    for block in blocks:
        chance.shuffle(block)
    row = stream()
    feed(row, [sequences[0], *[number for block in blocks for number in block], *sequences[1:][-1:]])
    assert q.lost(row) == len(arrives) - len(sequences)


def test_steady_arrivals_have_no_jitter() -> None:
    row = stream()
    for index in range(100):
        q.time_packet(row, index * 160, 5_000 + index * FRAME_US)
    assert q.jitter_us(row) == 0


def test_jitter_is_rfc_3550s_running_mean() -> None:
    """Every other packet 10 ms late: |D| is always 10 ms, so J comes close to 10 ms (A.8)."""
    row = stream()
    expected = 0.0
    for index in range(200):
        q.time_packet(row, index * 160, index * FRAME_US + (index % 2) * 10_000)
        if index:
            expected += (10_000 - expected) / 16
    assert abs(q.jitter_us(row) - expected) < 20
    assert row[q.JITTER_MAX_US] >= q.jitter_us(row)


def test_a_new_clock_is_no_jitter() -> None:
    row = stream()
    q.time_packet(row, 0, 0)
    q.time_packet(row, 3_000_000, FRAME_US)
    assert q.jitter_us(row) == 0


def test_the_longest_gap() -> None:
    row = stream()
    for sequence, at_us in enumerate([0, 20_000, 75_000, 95_000]):
        q.arrive(row, sequence, 1, at_us)
    assert row[q.GAP_MAX_US] == 55_000


def test_runs_of_lost_packets() -> None:
    row = stream()
    feed(row, [1, 2, 5, 6, 8, 9])
    assert (q.lost(row), row[q.LOSS_RUNS]) == (3, 2)


def timed(row: np.ndarray, index: int, late_us: int = 0, marker: int = 0, skip: int = 0) -> None:
    q.arrive(row, index, 7, index * FRAME_US + late_us)
    q.time_packet(row, index * 160 + skip, index * FRAME_US + late_us, marker)


def test_lateness_is_against_what_is_usual() -> None:
    row = stream()
    for index in range(50):
        timed(row, index, 140_000 if index == 20 else 0)
    assert (row[q.DELAYED], row[q.DELAYED_MAX_US]) == (1, 140_000)
    assert row[q.FLOOR_US] < 1_000


def test_a_first_packet_that_was_late_sets_no_standard() -> None:
    row = stream()
    for index in range(50):
        timed(row, index, 100_000 if index == 0 else 0)
    assert row[q.DELAYED] == 0


def test_drift_and_a_longer_way_become_usual() -> None:
    row = stream()
    for index in range(6_000):  # two minutes of a clock that is 200 ppm slow
        timed(row, index, index * 4)
    assert (row[q.DELAYED], row[q.DELAYED_MAX_US] < 10_000) == (0, True)
    for index in range(6_000, 12_000):
        timed(row, index, 24_000 + 100_000)
    assert 100 < row[q.DELAYED] < 1_000, "until it is usual"


def test_a_talkspurt_chooses_its_delay_anew() -> None:
    row = stream()
    for index in range(100):
        timed(row, index, 0 if index < 50 else 400_000, marker=int(index == 50))
    assert row[q.DELAYED] == 0


def test_levels_of_both_laws() -> None:
    from engine.media import g711

    decode = g711.decode_tables()
    for law in (0, 1):
        row = stream()
        loud = g711.encode(np.array([32_767, -32_768, 20_000, 0] * 40, np.int16), law)
        packet = np.frombuffer(bytes(12) + loud, np.uint8).copy()
        q.weigh(row, decode[law], packet, 12, packet.size)
        assert (row[q.WEIGHED], row[q.CLIPPED], row[q.LOUDEST] > 32_000) == (160, 80, True)

"""The parts of a filter with few paths, against numpy's own way to the same figures."""

from __future__ import annotations

import numpy as np
import pytest

from engine.speech import echo_paths as e
from engine.speech.ports import FRAME_SAMPLES

SENT = np.random.default_rng(3).standard_normal(e.HISTORY) * 1_000
HYBRID = np.random.default_rng(4).standard_normal(e.TAPS) * np.exp(-np.arange(e.TAPS) / 7) * 0.05


def filter_of(*delays: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(mine, shape, factor)."""
    mine = np.zeros(e.PATHS + 1, np.int64)
    mine[: len(delays) + 1] = (len(delays), *delays)
    return mine, np.zeros((e.ORDER + 1, e.ORDER)), np.zeros((e.ORDER + 1, e.ORDER))


def columns(delays: tuple[int, ...], count: int) -> np.ndarray:
    """What each tap sees of the newest `count` samples."""
    ends = [e.HISTORY - delay + e.LEAD - tap for delay in delays for tap in range(e.TAPS)]
    return np.stack([SENT[end - count : end] for end in ends], 1)


def echo_at(delay: int, gain: float = 1.0) -> np.ndarray:
    return gain * columns((delay,), e.LONG) @ HYBRID


@pytest.mark.parametrize("delays", [(8,), (300,), (300, 348), (2_000, 50), (3_248, 160, 900)])
@pytest.mark.parametrize("count", [160, e.LONG])
def test_the_normal_equations_are_those_of_least_squares(delays: tuple[int, ...], count: int) -> None:
    mine, shape, factor = filter_of(*delays)
    said = np.random.default_rng(5).standard_normal(e.LONG) * 100
    order, seen = len(delays) * e.TAPS, columns(delays, count)
    e.add_frame(SENT, said, mine, shape, count, 0.0)
    assert np.allclose(np.triu(shape[:order, :order]), np.triu(seen.T @ seen), atol=1.0)
    assert np.allclose(shape[e.ORDER, :order], seen.T @ said[-count:], atol=1.0)
    assert e.solve(mine, shape, factor)
    whole = seen.T @ seen
    ridge = np.eye(order) * (max(whole[path * e.TAPS, path * e.TAPS] for path in range(len(delays))) * 1e-3 + 1.0)
    assert np.allclose(factor[e.ORDER, :order], np.linalg.solve(whole + ridge, seen.T @ said[-count:]), atol=1e-6)


def test_what_is_learned_is_taken_out() -> None:
    said = echo_at(250) + echo_at(1_700, 0.6)
    mine, shape, factor = filter_of(250, 1_700)
    e.add_frame(SENT, said, mine, shape, e.LONG, 0.0)
    assert e.solve(mine, shape, factor)
    rest = np.zeros(e.LONG)
    left, echo, _ = e.subtract(SENT, said, mine, factor, rest, e.LONG)
    assert left < 1e-4
    assert echo == pytest.approx(1.0, abs=0.02)
    assert np.mean(rest**2) == pytest.approx(left * np.mean(said**2), rel=0.01)
    assert not e.solve(mine, np.zeros_like(shape), factor)  # nothing was sent


def test_a_delay_is_found_by_its_likeness() -> None:
    alike = np.zeros((3, e.HISTORY), np.float32)
    strongest = int(np.argmax(np.abs(HYBRID)))
    assert e.find_delay(SENT, echo_at(1_234), alike) == pytest.approx(1_234 - e.LEAD + strongest, abs=2)
    assert e.find_delay(SENT, np.random.default_rng(9).standard_normal(e.LONG) * 1_000, alike) == -1


@pytest.mark.parametrize("moved", [8, 700, 3_100])
def test_an_echo_of_known_shape_is_found_in_one_frame(moved: int) -> None:
    mine, _, factor = filter_of(400, 1_500)
    factor[e.ORDER, : e.TAPS], factor[e.ORDER, e.TAPS : 2 * e.TAPS] = HYBRID, 0.5 * HYBRID
    said, rest = echo_at(moved) + echo_at(1_500, 0.5), np.zeros(e.LONG)
    before, _, _ = e.subtract(SENT, said, mine, factor, rest, FRAME_SAMPLES)
    delay, error, share = e.find_moved(SENT, mine, factor, np.zeros((3, e.HISTORY), np.float32), rest, 0)
    assert delay == moved
    assert share < 1e-3 < before
    assert error < 1e-3 * e.power_of(rest)


def test_taps_that_are_known_are_kept_at_a_new_place() -> None:
    mine, shape, factor = filter_of(400, 1_500)
    known = np.concatenate([HYBRID, -0.5 * HYBRID])
    factor[e.ORDER, : known.size] = known
    e.begin_anew(SENT, np.zeros(e.LONG), mine, shape, factor)
    assert e.solve(mine, shape, factor)
    assert np.allclose(factor[e.ORDER, : known.size], known, atol=2e-3)


def test_paths_come_and_go() -> None:
    mine, shape, factor = filter_of(400)
    assert e.take_on(mine, 420)  # within the first: the place beside it
    assert mine.tolist() == [2, 400, 448, 0]
    assert not e.take_on(filter_of(40)[0], 30)  # before what was sent
    assert not e.take_on(filter_of(400, 470)[0], 450)  # no room between them
    assert e.take_on(mine, 2_000)
    factor[e.ORDER, : e.TAPS], factor[e.ORDER, 2 * e.TAPS : 3 * e.TAPS] = HYBRID, 0.5 * HYBRID
    shape[:] = np.arange(e.ORDER)
    assert e.faintest_of(mine, factor) == 1
    e.forget_faint(mine, shape, factor)
    assert mine[:3].tolist() == [2, 400, 2_000]
    assert np.allclose(factor[e.ORDER, e.TAPS : 2 * e.TAPS], 0.5 * HYBRID)
    assert (shape[0, [0, e.TAPS]] == [0, 2 * e.TAPS]).all()
    e.forget_faint(mine, shape, factor)
    assert mine[0] == 2  # neither is faint
    assert e.same(np.array([1, 50]), np.array([1, 51]))
    assert not e.same(np.array([1, 50]), np.array([1, 52]))
    assert not e.same(np.array([1, 50]), np.array([2, 50]))

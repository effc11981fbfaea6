"""The objective against brute force: every path written out, every gradient by small steps."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from tools.train import mmi

FRAMES = 5
# a word with one pronunciation, then one with two; a word of two phones with noise allowed; noise alone
TEXTS = [[[[2]], [[3], [2, 3]]], [[[3, 2]]], []]
PAUSES = [[0], [0, 1], [0, 1]]
MUST = [False, False, True]


def scores(utterances: int, phones: int = 4) -> NDArray[np.float32]:
    return np.random.default_rng(5).normal(size=(utterances, FRAMES, 2 * phones)).astype(np.float32)


def every_path(batch: mmi.Graphs, utterance: int, given: NDArray[np.float32]) -> float:
    """Log of the sum over all state sequences that the graph allows, one by one."""
    low, high = batch.nodes[utterance], batch.nodes[utterance + 1]
    found = []
    for states in itertools.product(range(2 * (high - low)), repeat=FRAMES):
        nodes, late = [state // 2 for state in states], [state % 2 for state in states]
        allowed = batch.first[low + nodes[0]] and not late[0] and batch.last[low + nodes[-1]]
        for frame in range(1, FRAMES):
            arcs = batch.before[batch.arcs[low + nodes[frame]] : batch.arcs[low + nodes[frame] + 1]]
            onward = nodes[frame] == nodes[frame - 1] if late[frame] else nodes[frame - 1] in arcs
            allowed = allowed and onward
        if allowed:
            picked = [2 * batch.phones[low + node] + each for node, each in zip(nodes, late, strict=True)]
            found.append(float(sum(given[frame, state] for frame, state in enumerate(picked))))
    return float(np.logaddexp.reduce(found))


def test_numerator_is_the_sum_over_all_ways_to_say_it() -> None:
    batch = mmi.graphs(TEXTS[1:], PAUSES[1:], MUST[1:])
    given = scores(2)
    totals, _ = mmi.numerator(given, np.asarray([FRAMES] * 2), batch)
    assert batch.nodes[2] - batch.nodes[1] == 4
    assert totals[1] == pytest.approx(every_path(batch, 1, given[1]), abs=1e-4)


def test_numerator_of_two_pronunciations() -> None:
    batch = mmi.graphs([[[[3], [2, 3]]]], [[0]], [False])
    given = scores(1)
    totals, posteriors = mmi.numerator(given, np.asarray([FRAMES]), batch)
    assert totals[0] == pytest.approx(every_path(batch, 0, given[0]), abs=1e-4)
    assert posteriors[0].sum(1) == pytest.approx(np.ones(FRAMES), abs=1e-5)


def test_noise_alone_holds_noise() -> None:
    batch = mmi.graphs([[], []], [[0], [0, 1]], [False, True])
    given = np.zeros((2, FRAMES, 4), np.float32)
    _, posteriors = mmi.numerator(given, np.asarray([FRAMES] * 2), batch)
    assert posteriors[0, :, 2:].sum() == 0, "silence alone where nothing struck"
    assert posteriors[1, :, 2:].sum() > 1, "somewhere at least the noise phone where something struck"


def test_an_utterance_too_short_for_its_text_does_not_count() -> None:
    batch = mmi.graphs([[[[2, 3, 2, 3, 2, 3]]]], [[0]], [False])
    totals, posteriors = mmi.numerator(scores(1), np.asarray([FRAMES]), batch)
    assert totals[0] <= mmi.NEVER / 2
    assert not posteriors.any()


def test_noise_needs_a_phone() -> None:
    with pytest.raises(ValueError, match="noise phone"):
        mmi.graphs([[]], [[0]], [True])


def chances() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    follow = np.random.default_rng(2).random((4, 4))
    return np.asarray([0.4, 0.1, 0.3, 0.2]), follow / follow.sum(1, keepdims=True)


def test_denominator_is_the_forward_sum_in_full() -> None:
    start, follow = chances()
    given = scores(1)
    moves = np.zeros((8, 8))
    for phone, late, other in itertools.product(range(4), range(2), range(4)):
        moves[2 * phone + late, 2 * other] += (1 - mmi.STAY) * follow[phone, other]
    for phone, late in itertools.product(range(4), range(2)):
        moves[2 * phone + late, 2 * phone + 1] += mmi.STAY
    ahead = np.zeros(8)
    ahead[::2] = start
    ahead *= np.exp(given[0, 0])
    for frame in range(1, FRAMES):
        ahead = (ahead @ moves) * np.exp(given[0, frame])
    totals, _ = mmi.denominator(given, np.asarray([FRAMES]), start, follow)
    assert totals[0] == pytest.approx(np.log(ahead.sum()), abs=1e-5)


@pytest.mark.parametrize("part", ["numerator", "denominator"])
def test_gradients_by_small_steps(part: str) -> None:
    start, follow = chances()
    batch = mmi.graphs(TEXTS[:1], PAUSES[:1], MUST[:1])
    lengths = np.asarray([FRAMES])

    def total(given: NDArray[np.float32]) -> tuple[float, NDArray[np.float32]]:
        if part == "numerator":
            sums, gradient = mmi.numerator(given, lengths, batch)
        else:
            sums, gradient = mmi.denominator(given, lengths, start, follow)
        return float(sums[0]), gradient

    given = scores(1)
    _, gradient = total(given)
    for frame, state in itertools.product(range(FRAMES), range(8)):
        up, down = given.copy(), given.copy()
        up[0, frame, state] += 0.01
        down[0, frame, state] -= 0.01
        assert (total(up)[0] - total(down)[0]) / 0.02 == pytest.approx(gradient[0, frame, state], abs=2e-3)


def test_frames_behind_the_length_get_no_gradient() -> None:
    start, follow = chances()
    batch = mmi.graphs(TEXTS[:1], PAUSES[:1], MUST[:1])
    for _, gradient in (
        mmi.numerator(scores(1), np.asarray([3]), batch),
        mmi.denominator(scores(1), np.asarray([3]), start, follow),
    ):
        assert gradient[0, :3].any() and not gradient[0, 3:].any()


def test_bigram_counts_what_follows_what() -> None:
    start, follow = mmi.bigram([[[[2, 3]], [[3]]]] * 50, 4, [0, 1])
    assert start.sum() == pytest.approx(1) and follow.sum(1) == pytest.approx(np.ones(4))
    assert follow[2, 3] > 0.9
    assert start[0] > start[2]
    assert follow[3, 3] > follow[3, 2], "the next word begins with 3"

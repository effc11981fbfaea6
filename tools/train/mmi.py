"""Lattice-free MMI, forward and backward, in numba: no torch, so that it is tested where torch is not installed.

Every phone p has two emitting states: 2p for its first frame, 2p + 1 for each later one (Kaldi's chain topology, a
frame is 30 ms). The numerator is the sum over all ways to say a text, the denominator over all phone strings by a
bigram. Both return log probabilities and their gradients, which are posteriors: their difference trains the network.

Scores are (utterances, frames, 2 · phones) float32, lengths say how many frames of each utterance count.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

Scores = NDArray[np.float32]
NEVER = -1e30
STAY = 0.5  # chance of staying in a phone; the same in numerator, denominator and the exported transition model


@dataclass(frozen=True)
class Graphs:
    """Numerator graphs of a batch, end to end. Node n speaks phones[n] after any of its `before` nodes.

    nodes: (utterances + 1,) offsets into phones, first, last; arcs: (nodes + 1,) offsets into `before`, whose values
    count from the utterance's own first node. first and last say where a path may begin and end.
    """

    nodes: NDArray[np.int64]
    phones: NDArray[np.int64]
    first: NDArray[np.bool_]
    last: NDArray[np.bool_]
    arcs: NDArray[np.int64]
    before: NDArray[np.int64]


def graphs(
    texts: Sequence[Sequence[Sequence[Sequence[int]]]], pauses: Sequence[Sequence[int]], must: Sequence[bool]
) -> Graphs:
    """Graphs of `texts`: utterances of words of pronunciations of phones; `pauses[u]` lists the phones that may stand,
    once each and in that order or its reverse, before, between and after words; where `must[u]`, the utterance is one
    of noise: at least one of the last pause phone stands in it.
    """
    nodes, phones, first, last, arcs, before = [0], list[int](), list[bool](), list[bool](), [0], list[int]()

    def node(phone: int, earlier: list[int]) -> int:
        """Appends a node after `earlier` (−1: the utterance's start); returns its number within the utterance."""
        number = len(phones) - nodes[-1]
        phones.append(phone)
        first.append(-1 in earlier)
        last.append(False)
        before.extend(each for each in earlier if each >= 0)
        arcs.append(len(before))
        return number

    for words, pause, noise in zip(texts, pauses, must, strict=True):
        ends = [-1]
        rest = [node(pause[0], ends)]
        if len(pause) > 1:
            struck = node(pause[1], [*ends, *rest])
            quiet = node(pause[0], [struck])
            again = node(pause[1], [quiet])
            rest = [struck, quiet, again] if noise else [*rest, struck, quiet, again]
        elif noise:
            raise ValueError("an utterance of noise needs a noise phone among its pauses")
        ends = rest if noise or not words else [*ends, *rest]
        for word in words:
            said = []
            for pronunciation in word:
                at = ends
                for phone in pronunciation:
                    at = [node(phone, at)]
                said += at
            rest = [node(pause[0], said)]
            if len(pause) > 1:
                struck = node(pause[1], [*said, *rest])
                rest = [*rest, struck, node(pause[0], [struck])]
            ends = [*said, *rest]
        for end in ends:
            last[nodes[-1] + end] = True
        nodes.append(len(phones))
    return Graphs(
        np.asarray(nodes), np.asarray(phones), np.asarray(first), np.asarray(last), np.asarray(arcs),
        np.asarray(before, np.int64),
    )  # fmt: skip


@njit(cache=True, fastmath=False)
def _add(a, b):  # type: ignore[no-untyped-def]
    """log(e^a + e^b)."""
    if a < b:
        a, b = b, a
    if b < NEVER / 2 or a - b > 40.0:
        return a
    return a + np.log1p(np.exp(b - a))


@njit(cache=True)
def _numerator_one(scores, frames, phones, first, last, arcs, before, gradient):  # type: ignore[no-untyped-def]
    """Log probability of one utterance's graph; adds posteriors to `gradient` (frames, states)."""
    count = len(phones)
    ahead = np.full((frames, count, 2), NEVER)
    for frame in range(frames):
        for node in range(count):
            enter = NEVER
            if frame == 0:
                if first[node]:
                    enter = 0.0
            else:
                for arc in range(arcs[node], arcs[node + 1]):
                    other = before[arc]
                    enter = _add(enter, _add(ahead[frame - 1, other, 0], ahead[frame - 1, other, 1]))
                stay = _add(ahead[frame - 1, node, 0], ahead[frame - 1, node, 1])
                if stay > NEVER / 2:
                    ahead[frame, node, 1] = stay + scores[frame, 2 * phones[node] + 1]
            if enter > NEVER / 2:
                ahead[frame, node, 0] = enter + scores[frame, 2 * phones[node]]
    total = NEVER
    for node in range(count):
        if last[node]:
            total = _add(total, _add(ahead[frames - 1, node, 0], ahead[frames - 1, node, 1]))
    if total < NEVER / 2:
        return total
    back = np.full(count, NEVER)  # log probability of all that follows a node, the same from both its states
    for node in range(count):
        if last[node]:
            back[node] = 0.0
    for frame in range(frames - 1, -1, -1):
        earlier = np.full(count, NEVER)
        for node in range(count):
            if back[node] < NEVER / 2:
                continue
            for state in range(2):
                if ahead[frame, node, state] > NEVER / 2:
                    gradient[frame, 2 * phones[node] + state] += np.exp(ahead[frame, node, state] + back[node] - total)
            earlier[node] = _add(earlier[node], back[node] + scores[frame, 2 * phones[node] + 1])
            enter = back[node] + scores[frame, 2 * phones[node]]
            for arc in range(arcs[node], arcs[node + 1]):
                earlier[before[arc]] = _add(earlier[before[arc]], enter)
        back = earlier
    return total


@njit(cache=True, parallel=True)
def _numerators(scores, lengths, nodes, phones, first, last, arcs, before):  # type: ignore[no-untyped-def]
    totals = np.empty(len(lengths))
    gradient = np.zeros(scores.shape, np.float32)
    for number in prange(len(lengths)):
        low, high = nodes[number], nodes[number + 1]
        totals[number] = _numerator_one(
            scores[number], lengths[number], phones[low:high], first[low:high], last[low:high],
            arcs[low : high + 1], before, gradient[number],
        )  # fmt: skip
    return totals, gradient


@njit(cache=True)
def _denominator_one(scores, frames, start, follow, gradient):  # type: ignore[no-untyped-def]
    """The same over all phone strings: start (phones,), follow (phones, phones) are chances. Scaled, not logarithms."""
    count = len(start)
    ahead = np.zeros((frames, 2 * count))
    scaled = np.empty((frames, 2 * count))
    total = 0.0
    for frame in range(frames):
        peak = scores[frame, 0]
        for state in range(2 * count):
            peak = max(peak, scores[frame, state])
        enter = np.zeros(count)
        if frame == 0:
            enter[:] = start
        else:
            for phone in range(count):
                held = (ahead[frame - 1, 2 * phone] + ahead[frame - 1, 2 * phone + 1]) * STAY
                ahead[frame, 2 * phone + 1] = held
                for other in range(count):
                    enter[other] += held * follow[phone, other]
        norm = 0.0
        for phone in range(count):
            ahead[frame, 2 * phone] = enter[phone]
            for state in range(2 * phone, 2 * phone + 2):
                scaled[frame, state] = np.exp(scores[frame, state] - peak)
                ahead[frame, state] *= scaled[frame, state]
                norm += ahead[frame, state]
        for state in range(2 * count):
            ahead[frame, state] /= norm
            scaled[frame, state] /= norm
        total += np.log(norm) + peak
    back = np.ones(count)
    for frame in range(frames - 1, -1, -1):
        for state in range(2 * count):
            gradient[frame, state] = ahead[frame, state] * back[state // 2]
        if frame == 0:
            break
        earlier = np.empty(count)
        for phone in range(count):
            onward = scaled[frame, 2 * phone + 1] * back[phone]
            for other in range(count):
                onward += follow[phone, other] * scaled[frame, 2 * other] * back[other]
            earlier[phone] = onward * STAY
        back = earlier
    return total


@njit(cache=True, parallel=True)
def _denominators(scores, lengths, start, follow):  # type: ignore[no-untyped-def]
    totals = np.empty(len(lengths))
    gradient = np.zeros(scores.shape, np.float32)
    for number in prange(len(lengths)):
        totals[number] = _denominator_one(scores[number], lengths[number], start, follow, gradient[number])
    return totals, gradient


def numerator(scores: Scores, lengths: NDArray[np.int64], batch: Graphs) -> tuple[NDArray[np.float64], Scores]:
    """(log probabilities (utterances,), posteriors (utterances, frames, states)).

    An utterance that is shorter than every way to say its text has a probability of NEVER and no posteriors.
    """
    return _numerators(scores, lengths, batch.nodes, batch.phones, batch.first, batch.last, batch.arcs, batch.before)  # type: ignore[no-any-return]


def denominator(
    scores: Scores, lengths: NDArray[np.int64], start: NDArray[np.float64], follow: NDArray[np.float64]
) -> tuple[NDArray[np.float64], Scores]:
    """The same for every phone string: `start` (phones,) and `follow` (phones, phones) are chances that sum to 1."""
    return _denominators(scores, lengths, start, follow)  # type: ignore[no-any-return]


def bigram(
    texts: Sequence[Sequence[Sequence[Sequence[int]]]], phones: int, pauses: Sequence[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(start, follow) counted from texts as in `graphs`, with a pause at every place as likely as none."""
    start, follow = np.full(phones, 0.1), np.full((phones, phones), 0.3)
    for words in texts:
        start[pauses[0]] += 1
        ends: list[tuple[int, float]] = [(pause, 0.5 / len(pauses)) for pause in pauses]
        for word in words:
            pronunciation = word[0]
            for phone, weight in ends:
                follow[phone, pronunciation[0]] += weight
            for one, two in itertools.pairwise(pronunciation):
                follow[one, two] += 1
            for pause in pauses:
                follow[pronunciation[-1], pause] += 0.5 / len(pauses)
            ends = [(pronunciation[-1], 0.5)] + [(pause, 0.5 / len(pauses)) for pause in pauses]
    for pause in pauses:
        for other in pauses:
            follow[pause, other] += 0.05 * len(texts) * (pause != other)
    start[list(pauses)] += 0.2 * len(texts)
    return start / start.sum(), follow / follow.sum(1, keepdims=True)

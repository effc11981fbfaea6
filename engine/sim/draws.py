"""Chance of a simulation: one stream per source of callers and purpose, so that changing one thing moves nothing else.

A stream is numpy's Philox counter generator keyed with (seed, replication, source, purpose): the n-th caller of a
source arrives, talks and loses patience alike in two scenarios that differ only in agents, skills or rules. What-if
comparisons gain from that.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from engine import limits
from engine.acd.tables import IntArray
from engine.sim.scenario import CONSTANT, EXPONENTIAL, INFINITE, Law, Scenario, Source

ARRIVAL, PATIENCE, TALK, WRAP_UP, RETRY, RING, DISTRIBUTOR = range(7)
NEVER = 1 << 60  # patience without end

FloatArray = npt.NDArray[np.float64]


def stream(scenario: Scenario, replication: int, source: int, purpose: int) -> np.random.Generator:
    """The generator for one purpose of one source (or, for ringing, one queue)."""
    entropy = (scenario.seed, replication, source, purpose)
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(entropy)))


def durations(law: Law, generator: np.random.Generator, count: int, ms_max: int = NEVER) -> list[int]:
    """`count` durations in whole ms, none above `ms_max`."""
    if law.kind == INFINITE:
        return [NEVER] * count
    if law.kind == CONSTANT:
        return [min(round(law.mean_ms), ms_max)] * count
    if law.kind == EXPONENTIAL:
        drawn: FloatArray = generator.standard_exponential(count, method="inv") * law.mean_ms
    else:  # lognormal: the mean of exp(N(m, s²)) is exp(m + s²/2)
        variance = math.log1p(law.cv * law.cv)
        drawn = law.mean_ms * np.exp(math.sqrt(variance) * generator.standard_normal(count) - variance / 2)
    whole: list[int] = np.minimum(np.rint(drawn), float(ms_max)).astype(np.int64).tolist()
    return whole


class Drawn:
    """Everything that is known of a source's callers before the first of them arrives, by order of arrival."""

    def __init__(self, scenario: Scenario, replication: int, number: int, count: int) -> None:
        source = scenario.sources[number]

        def draw(law: Law, purpose: int, ms_max: int = NEVER) -> list[int]:
            return durations(law, stream(scenario, replication, number, purpose), count, ms_max)

        self.patience = draw(source.patience, PATIENCE)
        self.talk = draw(source.talk, TALK, limits.call_ms_max)  # production ends a longer call, too
        self.wrap_up = draw(source.wrap_up, WRAP_UP, limits.wrap_up_ms_max - 1)
        self.again = stream(scenario, replication, number, RETRY)  # in the order in which callers try again


def arrivals(scenario: Scenario, replication: int) -> tuple[IntArray, IntArray, list[int]]:
    """(moments in ms, source of each, callers of each source), in order of time, ties in the order of sources."""
    until_ms = float(scenario.duration_ms or NEVER)
    rate = sum(source.rate_per_ms for source in scenario.sources)
    if scenario.calls and rate:
        until_ms = (scenario.calls + 10 * math.sqrt(scenario.calls) + 100) / rate  # ten deviations: once is enough
    while True:
        streams = [_moments(scenario, replication, number, until_ms) for number in range(len(scenario.sources))]
        if not (scenario.calls and rate) or sum(len(each) for each in streams) >= scenario.calls:
            break
        until_ms *= 2
    moments = np.concatenate([np.empty(0, np.int64), *streams])
    sources = np.repeat(np.arange(len(streams)), [len(each) for each in streams])
    order = np.argsort(moments, kind="stable")
    if scenario.calls:
        order = order[: scenario.calls]
    moments, sources = moments[order], sources[order]
    return moments, sources, np.bincount(sources, minlength=len(streams)).tolist()


def _moments(scenario: Scenario, replication: int, number: int, until_ms: float) -> IntArray:
    """A Poisson stream, or the moments of `at:`, up to and with `until_ms`."""
    source: Source = scenario.sources[number]
    if source.at_ms:
        moments = np.array(source.at_ms, dtype=np.int64)
        return moments[moments <= until_ms] if scenario.duration_ms else moments
    generator = stream(scenario, replication, number, ARRIVAL)
    mean_ms = 1.0 / source.rate_per_ms
    parts: list[FloatArray] = []
    last = 0.0
    while last <= until_ms:
        part = last + np.cumsum(generator.standard_exponential(4_096, method="inv") * mean_ms)
        parts.append(part)
        last = float(part[-1])
    moments = np.rint(np.concatenate(parts)).astype(np.int64)
    return moments[moments <= until_ms]

"""Occupancy: which share of his time each agent has talked and wrapped up lately, for the strategies of least occupied.

An exponentially fading mean: a minute ago weighs twice as much as a minute HALF_MS before it. While he works the value
v tends to 1, while he waits for a call to 0:

    working for t:  1 − v := (1 − v) · 2^(−t / HALF_MS)        waiting for t:  v := v · 2^(−t / HALF_MS)

Ready, alerting and resting are waiting. Logged out, not ready and calls of another kind freeze it, so absence neither
rests nor tires; who comes back is lifted to the least that an equal had (`fairness.equals`), so a new agent isn't
flooded and logging out and in gains nothing.

All who wait fade by the same factor, hence log2(v) + since / HALF_MS, taken when an agent begins to wait, orders them
for as long as they do: that number is the column `loa`, and a pick compares integers without reading a clock.
Values are fixed point of 32 bits, logarithms of 20; nothing here is a float.
"""

from __future__ import annotations

from math import isqrt

from engine.acd import fairness, policy
from engine.acd.columns import AgentColumns
from engine.acd.pool import Pool, Queue
from engine.acd.tables import AGENT_STATES, TALKING, WRAP_UP

HALF_MS = 3_600_000
ONE = 1 << 32
LOG_UNIT = 1 << 20
WORKING, WAITING, AWAY = range(3)
KINDS: list[int] = [
    WORKING if state in (TALKING, WRAP_UP) else AWAY if fairness.AWAY[state] else WAITING
    for state in range(len(AGENT_STATES))
]

_OCCUPANCY = AgentColumns.index("occupancy")


def _roots() -> tuple[int, ...]:
    """2^(−1/2), 2^(−1/4), … 2^(−1/65536) in fixed point, each the root of the one before."""
    found, last = [], ONE // 2 << 32  # 64 bits
    for _ in range(16):
        last = isqrt(last << 64)
        found.append(last >> 32)
    return tuple(found)


ROOTS = _roots()


def faded(value: int, ms: int) -> int:
    """value · 2^(−ms / HALF_MS), rounded down; steps of 55 ms."""
    exponent = (ms << 16) // HALF_MS
    value >>= min(exponent >> 16, 63)
    bit = 1 << 15
    for root in ROOTS:
        if exponent & bit:
            value = value * root >> 32
        bit >>= 1
    return value


def log2(value: int) -> int:
    """log2(value / ONE) in units of 1 / LOG_UNIT, rounded down; below 1 / ONE it stays at −32."""
    if value <= 1:
        return -32 * LOG_UNIT
    whole = value.bit_length() - 1
    mantissa = value << 32 - whole if whole <= 32 else value >> whole - 32
    result, bit = (whole - 32) * LOG_UNIT, LOG_UNIT >> 1
    while bit:
        mantissa = mantissa * mantissa >> 32
        if mantissa >= 2 * ONE:
            mantissa >>= 1
            result += bit
        bit >>= 1
    return result


def key(value: int, since_ms: int) -> int:
    """What orders those who wait: see the module's docstring."""
    return log2(value) + since_ms * LOG_UNIT // HALF_MS


def at(pool: Pool, row: int, now_ms: int) -> int:
    """An agent's occupancy now, 0 … ONE."""
    agents = pool.agents
    value, spent_ms = agents.occupancy[row], now_ms - agents.occupancy_since[row]
    kind = KINDS[agents.state[row]]
    if kind == WORKING:
        return ONE - faded(ONE - value, spent_ms)
    return faded(value, spent_ms) if kind == WAITING else value


def moved(pool: Pool, row: int, old: int, new: int, now_ms: int) -> None:
    """He goes from one state into another; `agents.state` still says the old one or any of its kind."""
    before, after = KINDS[old], KINDS[new]
    if before == after:
        return
    agents = pool.agents
    value, spent_ms = agents.occupancy[row], now_ms - agents.occupancy_since[row]
    if before == WORKING:
        value = ONE - faded(ONE - value, spent_ms)
    elif before == WAITING:
        value = faded(value, spent_ms)
    else:
        value = max(value, _floor(pool, row))
    agents.occupancy[row], agents.occupancy_since[row] = value, now_ms
    if after == WAITING:
        agents.loa[row] = key(value, now_ms)


def _floor(pool: Pool, row: int) -> int:
    """The least that any of his equals had when his kind of state last changed; of several queues the highest."""
    floor = 0
    for queue, seat in pool.seats[row]:
        if watches(queue):
            equals = fairness.equals(pool, queue, seat, row)
            if equals.size:
                floor = max(floor, int(pool.agents.block[_OCCUPANCY][equals].min()))
    return floor


def watches(queue: Queue) -> bool:
    """Does this queue's strategy read occupancies?"""
    return policy.STRATEGIES[queue.strategy].occupancy


def watch(pool: Pool) -> None:
    """After a restore: are they kept at all? A pool in which no strategy reads them spares the work."""
    pool.occupancy = any(queue is not None and watches(queue) for queue in pool.queues)


def begin(pool: Pool, now_ms: int) -> None:
    """After a configuration: who was not watched before begins now, with what he had."""
    before = pool.occupancy
    watch(pool)
    if pool.occupancy and not before:
        for row in range(pool.agents.used):
            pool.agents.occupancy_since[row] = now_ms
            pool.agents.loa[row] = key(pool.agents.occupancy[row], now_ms)

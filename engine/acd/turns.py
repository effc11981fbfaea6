"""What strategies with a memory know: whose turn it was, in the queue or for the caller, and the lots they draw.

`prepare` turns the memory into the columns `turn` and `lot` of the membership rows just before a pick, so that the
pick stays a comparison of columns, the same in the twin and in the kernel. `remember` follows when an offer was made,
never otherwise: asking who would be picked changes nothing.

Lots are a hash of (pool's seed, number of the draw, agent id), uniform over 63 bits. The draw is a counter in the
pool, so a restored, replayed or simulated pool draws the same lots, whatever rows the agents are in.
"""

from __future__ import annotations

import numpy as np

from engine.acd import policy
from engine.acd.columns import AgentColumns, TeamColumns
from engine.acd.pool import Pool, Queue, Writers
from engine.acd.tables import IntArray

MASK = (1 << 64) - 1
STRIDE = 0x9E3779B97F4A7C15  # odd, so that consecutive numbers spread over all 64 bits
MIX_1, MIX_2 = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
WEIGHT_SHIFT = 23  # leaves 2⁴⁰ lots per level of wrandom: ties, which would favour the first, don't happen
LEVEL_MAX = 1 << 20  # above, a level's weight stays the same

_AGENT, _LEVEL = TeamColumns.index("agent"), TeamColumns.index("level")
_TURN, _LOT = TeamColumns.index("turn"), TeamColumns.index("lot")
_ID = AgentColumns.index("id")
_STRIDE, _LAST, _ONE = np.uint64(STRIDE), np.uint64(31), np.uint64(1)
_ROUNDS = ((np.uint64(30), np.uint64(MIX_1)), (np.uint64(27), np.uint64(MIX_2)))


def prepare(pool: Pool, queue: Queue, entry: int) -> None:
    """Write the columns that this queue's strategy reads, for its rows; `entry` is the caller's row."""
    memory = policy.STRATEGIES[queue.strategy].memory
    if memory == policy.LAST_OF_QUEUE:
        rows = []
        for level, agent in queue.turns.items():
            row = seat(pool, queue, agent)
            if row >= 0 and pool.team.level[row] == level:
                rows.append(row)
        pool.writers.mark(pool, queue, rows, True)
    elif memory == policy.LAST_OF_CALLER:
        row = seat(pool, queue, pool.entries.asked[entry])
        pool.writers.mark(pool, queue, [row] if row >= 0 else [], False)
    elif memory in (policy.LOTS, policy.WEIGHTED_LOTS):
        pool.writers.draw(pool, queue, memory == policy.WEIGHTED_LOTS)


def mark(pool: Pool, queue: Queue, rows: list[int], by_level: bool) -> None:
    """Who comes after each of these rows (of its level, or of the queue) comes first: `turn` is 1 up to the row."""
    turns = pool.team.block[_TURN]
    turns[queue.first_row : queue.end_row] = 0
    levels = pool.team.block[_LEVEL, queue.first_row : queue.end_row]
    for row in rows:
        skipped = int(np.searchsorted(levels, pool.team.level[row])) if by_level else 0
        turns[queue.first_row + skipped : row + 1] = 1


def draw(pool: Pool, queue: Queue, weighted: bool) -> None:
    """A `lot` for each row, 0 … 2⁶³−1; or, weighed by level, 0 … level · 2⁴⁰."""
    drawn = lots(pool, queue)
    if weighted:
        drawn >>= WEIGHT_SHIFT
        drawn *= np.clip(pool.team.block[_LEVEL, queue.first_row : queue.end_row], 1, LEVEL_MAX)
    pool.team.block[_LOT, queue.first_row : queue.end_row] = drawn


NUMPY = Writers(mark, draw)  # `kernel_pick.WRITERS` writes the same


def remember(pool: Pool, queue: Queue, entry: int, row: int, now_ms: int) -> None:
    """The agent of this membership row has been offered the call of `entry`."""
    memory = policy.STRATEGIES[queue.strategy].memory
    agent = pool.agents.id[pool.team.agent[row]]
    if memory == policy.LAST_OF_QUEUE:
        queue.turns[pool.team.level[row]] = agent
    elif memory == policy.LAST_OF_CALLER:
        pool.entries.asked[entry] = agent
    elif memory == policy.PROGRESS:
        pool.arm_more(entry, now_ms + queue.spec.progress_ms)
    else:
        pool.draws += 1


def seat(pool: Pool, queue: Queue, agent: int) -> int:
    """The membership row of an agent id in a queue; -1 when he isn't there (any more): the round starts anew."""
    number = pool.agent_rows.get(agent, -1)
    if number >= 0:
        for home, row in pool.seats[number]:
            if home is queue:
                return row
    return -1


def lots(pool: Pool, queue: Queue) -> IntArray:
    """One lot for each membership row of the queue, 0 … 2⁶³−1."""
    agents = pool.team.block[_AGENT, queue.first_row : queue.end_row]
    words = pool.agents.block[_ID].take(agents).view(np.uint64)  # a copy, mixed in place
    words *= _STRIDE
    words += np.uint64(word_of(pool.seed, pool.draws))
    for shift, factor in _ROUNDS:
        words ^= words >> shift
        words *= factor
    words ^= words >> _LAST
    words >>= _ONE
    drawn: IntArray = words.view(np.int64)
    return drawn


def word_of(seed: int, number: int) -> int:
    """The word from which the lots of draw `number` are made, 0 … 2⁶⁴−1."""
    return _mix(_mix(seed & MASK) + number * STRIDE & MASK)


def _mix(word: int) -> int:
    """A bijection of 64-bit words in which every input bit changes half of the output bits; `lots` does the same."""
    word = (word ^ word >> 30) * MIX_1 & MASK
    word = (word ^ word >> 27) * MIX_2 & MASK
    return word ^ word >> 31

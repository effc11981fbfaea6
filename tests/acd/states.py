"""Random pools for comparing picks: cheap, from a seeded integer generator."""

from __future__ import annotations

from random import Random

from engine.acd import events
from engine.acd.machine import Distributor
from engine.acd.model import AgentSpec, QueueSpec
from engine.acd.policy import NAMES
from engine.acd.pool import Pool

SKILLS = 5


def random_pool(chance: Random, agents: int) -> Pool:
    """Two queues of any strategy; everybody logged in; entry row 0 is a caller who belongs to nobody's list."""
    queues = [QueueSpec(number, f"q{number}", strategy=chance.choice(NAMES)) for number in (1, 2)]
    specs = [
        AgentSpec(
            100 + row,
            f"a{row}",
            queues=tuple((q, chance.randint(1, 3), chance.randint(0, 2)) for q in (1, 2) if chance.random() < 0.8),
            skills=tuple((skill, chance.randint(1, 16)) for skill in range(SKILLS) if chance.random() < 0.7),
        )
        for row in range(agents)
    ]
    distributor = Distributor(chance.getrandbits(64))
    distributor.configure(queues, specs, 0)
    for spec in specs:
        distributor.apply(events.AgentLoggedIn(spec.id), 1)
    distributor.settle(1)
    assert distributor._pool.entries.take() == 0
    return distributor._pool


def shuffle(chance: Random, pool: Pool) -> None:
    """Another random state of the same pool: who is idle, and since when (few values, so that ties happen).

    Counters, last turns, the caller's last agent and the draw are random too; an agent who isn't known is among them.
    """
    share = chance.choice((0.05, 0.3, 0.9))
    for row in range(len(pool.specs)):
        idle = int(chance.random() < share)
        pool.agents.reachable[row] = idle
        pool.set_idle(row, idle)
        pool.agents.idle_since[row] = chance.randrange(6)
        few = chance.getrandbits(16)
        pool.agents.last_end[row], pool.agents.call_load[row] = few & 3, few >> 2 & 3
        pool.agents.talk_load[row], pool.agents.last_offered[row] = few >> 4 & 3, few >> 6 & 3
        pool.agents.loa[row] = (few >> 8 & 3) - 2
    ids = [-1, 99, *(spec.id for spec in pool.specs if spec is not None)]
    for queue in pool.queues:
        if queue is not None:
            bar = chance.random() < 0.3
            queue.barred = bar
            for row in range(queue.first_row, queue.end_row):
                pool.team.barred[row] = int(bar and chance.random() < 0.5)
            queue.turns = {chance.randint(1, 3): chance.choice(ids) for _ in range(chance.randrange(4))}
    pool.entries.asked[0] = chance.choice(ids)
    pool.draws = chance.getrandbits(40)


def random_needs(chance: Random) -> tuple[int, ...]:
    count = chance.choice((0, 0, 1, 2))
    return tuple(chance.randrange(SKILLS + 1) << 8 | chance.randint(1, 16) for _ in range(count))

"""Random pools for comparing picks: cheap, from a seeded integer generator."""

from __future__ import annotations

from random import Random

from engine.acd import events
from engine.acd.machine import Distributor
from engine.acd.model import AgentSpec, QueueSpec
from engine.acd.pool import Pool

SKILLS = 5


def random_pool(chance: Random, agents: int) -> Pool:
    """Two queues of either strategy; everybody logged in."""
    names = ("longest-idle-agent", "ring-all")
    queues = [QueueSpec(number, f"q{number}", strategy=chance.choice(names)) for number in (1, 2)]
    specs = [
        AgentSpec(
            100 + row,
            f"a{row}",
            queues=tuple((q, chance.randint(1, 3), chance.randint(0, 2)) for q in (1, 2) if chance.random() < 0.8),
            skills=tuple((skill, chance.randint(1, 16)) for skill in range(SKILLS) if chance.random() < 0.7),
        )
        for row in range(agents)
    ]
    distributor = Distributor(1)
    distributor.configure(queues, specs, 0)
    for spec in specs:
        distributor.apply(events.AgentLoggedIn(spec.id), 1)
    distributor.settle(1)
    return distributor._pool


def shuffle(chance: Random, pool: Pool) -> None:
    """Another random state of the same pool: who is idle, and since when (few values, so that ties happen)."""
    share = chance.choice((0.05, 0.3, 0.9))
    for row in range(len(pool.specs)):
        idle = int(chance.random() < share)
        pool.agents.reachable[row] = idle
        pool.set_idle(row, idle)
        pool.agents.idle_since[row] = chance.randrange(6)


def random_needs(chance: Random) -> tuple[int, ...]:
    count = chance.choice((0, 0, 1, 2))
    return tuple(chance.randrange(SKILLS + 1) << 8 | chance.randint(1, 16) for _ in range(count))

"""Configure as a reload: queues and agents keep their state by id, what left the configuration drains."""

from __future__ import annotations

from collections.abc import Sequence

from engine import limits
from engine.acd import agents as agent_machine
from engine.acd import custom, occupancy, policy, rests
from engine.acd.model import AgentSpec, QueueSpec
from engine.acd.pool import SKILLS_MAX, Pool, Queue
from engine.acd.tables import LOGGED_OUT, REVIEW
from engine.errors import LimitExceeded, LocalError


def configure(pool: Pool, queues: Sequence[QueueSpec], agents: Sequence[AgentSpec], now_ms: int) -> None:
    """Take over a new configuration, or raise LocalError / LimitExceeded and change nothing.

    A queue that is missing drains: nobody joins, its callers are still served by the agents it had. An agent who is
    missing finishes his offer, call and wrap-up and is then logged out and forgotten.
    """
    check_specs(pool, queues, agents)
    _queues(pool, queues)
    _agents(pool, agents, now_ms)
    _memberships(pool)
    pool.reindex()
    occupancy.begin(pool, now_ms)
    for row, spec in enumerate(pool.specs):
        if spec is None:
            continue
        if pool.agents.removed[row] and pool.agents.state[row] == LOGGED_OUT:
            agent_machine.forget(pool, row)
            continue
        agent_machine.refresh_idle(pool, row)
        agent_machine.step(pool, row, REVIEW, now_ms, "reload")
    for queue in pool.queues:
        if queue is not None and queue.order:
            pool.touch(queue)


def check_specs(pool: Pool, queues: Sequence[QueueSpec], agents: Sequence[AgentSpec]) -> None:
    """What the dialplan reader should have refused; nothing is changed when this raises."""
    known = {spec.id for spec in queues}
    if len(known) != len(queues) or len({spec.id for spec in agents}) != len(agents):
        raise LocalError("a queue or agent id is used twice")
    if len(queues) > limits.queues_max:
        raise LimitExceeded("queues_max", limits.queues_max)
    named = {agent.id for agent in agents}
    staying = sum(1 for spec in pool.specs if spec is not None and spec.id not in named)
    if len(agents) + staying > pool.agents.capacity_max:
        raise LimitExceeded("agents_max", pool.agents.capacity_max)
    for queue in queues:
        policy.number_of(queue.strategy)
        if queue.policy is not None:
            custom.check(queue.policy)
    for agent in agents:
        if len({queue for queue, _, _ in agent.queues}) != len(agent.queues):
            raise LocalError(f"agent {agent.name}: a queue is named twice")
        for number, _, _ in agent.queues:
            if number not in known:
                raise LocalError(f"agent {agent.name}: no queue has the id {number}")
        for skill, level in agent.skills:
            if not (0 <= skill < SKILLS_MAX and 1 <= level <= 16):
                raise LocalError(f"agent {agent.name}: skill {skill} level {level} is out of range")


def _queues(pool: Pool, specs: Sequence[QueueSpec]) -> None:
    named = {spec.id for spec in specs}
    dropped = set()
    for row, queue in enumerate(pool.queues):
        if queue is not None and queue.spec.id not in named:
            if queue.order or queue.connected:
                queue.draining = True
            else:
                pool.queues[row] = None
                dropped.add(row)
    pool.touched = [row for row in pool.touched if row not in dropped]
    pool.memberships = [tuple(seat for seat in seats if seat[0] not in dropped) for seats in pool.memberships]
    for spec in specs:
        strategy = policy.number_of(spec.strategy)
        row = pool.queue_rows.get(spec.id, -1)
        old = pool.queues[row] if row >= 0 else None
        if old is not None:
            old.spec, old.strategy, old.draining = spec, strategy, False
            continue
        row = pool.queues.index(None) if None in pool.queues else len(pool.queues)
        fresh = Queue(row, spec, strategy)
        if row == len(pool.queues):
            pool.queues.append(fresh)
        else:
            pool.queues[row] = fresh


def _agents(pool: Pool, specs: Sequence[AgentSpec], now_ms: int) -> None:
    columns = pool.agents
    named = {spec.id for spec in specs}
    for old in pool.specs:
        if old is not None and old.id not in named:
            columns.removed[pool.agent_rows[old.id]] = 1
    for spec in specs:
        row = pool.agent_rows.get(spec.id, -1)
        if row < 0:
            row = columns.take()
            while len(pool.specs) <= row:
                pool.specs.append(None)
                pool.memberships.append(())
                pool.seats.append([])
                pool.pause_reasons.append("")
            columns.id[row] = spec.id
            columns.since[row] = now_ms
            columns.state[row] = columns.wish[row] = LOGGED_OUT
            pool.agent_rows[spec.id] = row
        known = pool.specs[row]
        rests.configured(pool, row, known.rests if known is not None else None, spec.rests)
        pool.specs[row] = spec
        columns.removed[row] = 0
        columns.second_line[row] = int(spec.second_line)
        columns.wrap_own[row] = spec.wrap_up_ms
        columns.on_demand[row] = int(spec.on_demand)


def _memberships(pool: Pool) -> None:
    """Queues by row; a draining queue keeps the agents it had, a removed agent the queues he had."""
    rows = {queue.spec.id: queue.row for queue in pool.queues if queue is not None}
    draining = {queue.row for queue in pool.queues if queue is not None and queue.draining}
    for row, spec in enumerate(pool.specs):
        if spec is None:
            continue
        had = pool.memberships[row]
        if pool.agents.removed[row]:
            continue
        alive = [seat for seat in had if seat[0] in draining]
        alive += [(rows[queue], level, position) for queue, level, position in spec.queues]
        pool.memberships[row] = tuple(alive)

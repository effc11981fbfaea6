"""What speaks against an agent for one caller at one moment: each reason by itself, in a word and a detail.

| word | detail | true while |
|---|---|---|
| lacks | skill number | he doesn't hold the skill at the level that is needed |
| ring | | he is further out than the ring that the caller has reached |
| preference | | the caller waits for another agent |
| avoid | | he has just passed this caller on |
| policy | | the site's own rule doesn't admit him |
| reserve | | he is one of the last who are ready, kept for others |
| hard | | he has had his share of hard calls |
| logged_out, alerting, talking, wrap_up, occupied | | he is in that state |
| not_ready, resting | the reason he gave, the rule by which he rests | he is |
| unreachable, leaving, aside | | ready, but: no phone; gone from the configuration; held for a caller who is rung up |

An agent against whom nothing speaks is a candidate: those are whom `policy.pick` compares (a test holds both to it).
Reading is all that is done here, but for columns that are written anew before every pick.
"""

from __future__ import annotations

import numpy as np

from engine.acd import bars, custom, policy, preference, reserve, rests, turns, widening
from engine.acd.pool import Pool, Queue
from engine.acd.tables import AGENT_STATES, NOT_READY, READY, RESTING

Reason = tuple[str, str]  # word, detail


def seats(pool: Pool, queue: Queue) -> list[int]:
    """Membership rows of the agents there are: those who are removed and gone leave theirs until the next reload."""
    rows = range(queue.first_row, queue.end_row)
    if not pool.agents.free:
        return list(rows)
    return [row for row in rows if pool.specs[pool.team.agent[row]] is not None]


def lacking(pool: Pool, agent: int, needs: tuple[int, ...]) -> list[Reason]:
    """The needs that the agent of this row doesn't meet."""
    held = pool.skill_of[agent]
    return [("lacks", str(need >> 8)) for need in needs if held.get(need >> 8, 0) < need & 0xFF]


def detail(pool: Pool, agent: int) -> str:
    """What he or a rule says about his state: of a pause its reason, of a rest that he is owed the rule."""
    if pool.agents.state[agent] == NOT_READY:
        return pool.pause_reasons[agent]
    return rests.cause(pool, agent, pool.now_ms) if pool.agents.state[agent] == RESTING else ""


def absence(pool: Pool, agent: int) -> Reason | None:
    """Why the agent of this row is in no idle list; None when he is."""
    agents = pool.agents
    if agents.idle[agent]:
        return None
    state = agents.state[agent]
    if state != READY:
        return AGENT_STATES[state], detail(pool, agent)
    if not agents.reachable[agent]:
        return "unreachable", ""
    return ("leaving" if agents.removed[agent] else "aside"), ""


def barred(pool: Pool, queue: Queue, entry: int, now_ms: int) -> dict[int, list[Reason]]:
    """Membership row -> the bars that hold against it for this caller; {} for nearly every caller.

    `bars.write` itself says who is barred; this only finds the words. What writing leaves behind is taken back.
    """
    if not bars.apply_to(pool, entry, now_ms):
        return {}
    entries = pool.entries
    looked, told, failed = entries.look_at[entry], len(pool.out), queue.policy_failed
    bars.write(pool, queue, entry, now_ms)
    there = seats(pool, queue)
    shut = [row for row in there if pool.team.barred[row]]
    bars.clear(pool, queue)
    kept = _reserved(pool, queue, entry, now_ms)
    entries.look_at[entry], queue.policy_failed = looked, failed
    del pool.out[told:]
    found: dict[int, list[Reason]] = {row: [] for row in shut}
    ring, passed = entries.ring[entry], -1
    prefers = preference.holds(pool, queue, entry, now_ms)
    if widening.holds(queue, ring) and not prefers:
        for row in shut:
            if pool.team.ring[row] > ring:
                found[row].append(("ring", ""))
    if entries.avoid[entry] >= 0 and entries.avoid_until[entry] > now_ms:
        passed = turns.seat(pool, queue, entries.avoid[entry])
        if passed in found:
            found[passed].append(("avoid", ""))
    for row in _refused(pool, queue, entry, now_ms):
        if row in found:
            found[row].append(("policy", ""))
    for row in kept:
        found[row].append(("reserve", ""))
    for words in found.values():
        if not words:  # nothing else bars him, and this rule measures against those whom nothing else bars
            words.append(("hard", ""))
    if prefers:
        wanted = turns.seat(pool, queue, entries.prefer[entry])
        for row in there:
            if row != wanted:
                found.setdefault(row, []).append(("preference", ""))
    return found


def _reserved(pool: Pool, queue: Queue, entry: int, now_ms: int) -> list[int]:
    """Membership rows that the queue's reserve keeps for others."""
    if not queue.spec.reserve or not reserve.applies(pool, queue, entry, now_ms):
        return []
    reserve.write(pool, queue, entry, fan=policy.STRATEGIES[queue.strategy].fan)
    kept = [row for row in seats(pool, queue) if pool.team.barred[row]]
    bars.clear(pool, queue)
    return kept


def _refused(pool: Pool, queue: Queue, entry: int, now_ms: int) -> list[int]:
    """Idle membership rows that the site's own policy doesn't admit."""
    own = queue.spec.policy
    if own is None or not own.admit or not queue.idle:
        return []
    rows = np.array(queue.idle, dtype=np.int64)
    try:
        admitted, _ = custom.decide(pool, queue, own, rows, entry, now_ms)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return []  # the queue goes on without its policy
    return [] if admitted is None else [int(row) for row in rows[~admitted]]


def against(pool: Pool, row: int, needs: tuple[int, ...], shut: dict[int, list[Reason]]) -> tuple[Reason, ...]:
    """Everything that speaks against the agent of this membership row; () for a candidate. `shut`: of `barred`."""
    agent = pool.team.agent[row]
    found = lacking(pool, agent, needs) if needs else []
    if shut:
        found += shut.get(row, ())
    gone = absence(pool, agent)
    if gone is not None:
        found.append(gone)
    return tuple(found)

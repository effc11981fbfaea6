"""What must always hold, checked after every step in tests and sampled in production (DESIGN law 6).

A breach is reported and healed: whoever is in an impossible state goes home or back to his place, phones that ring
for nobody are stopped, derived lists are rebuilt. The engine goes on, and no agent or caller stays stuck.
"""

from __future__ import annotations

from typing import Any

from engine import limits
from engine.acd import agents as agent_machine
from engine.acd import bars, custom, policy, recalls, widening
from engine.acd import entries as entry_machine
from engine.acd import offers as offer_rows
from engine.acd.commands import Breach
from engine.acd.pool import Pool
from engine.acd.tables import (
    AGENT_IDLE,
    AGENT_STATES,
    ALERTING,
    E_ALERTING,
    E_CONNECTED,
    E_ENDED,
    E_RECALLED,
    E_WAITING,
    O_CLOSED,
    O_RINGING,
    O_WON,
    READY,
    TALKING,
    WRAP_UP,
)

LATE_EXPIRE_MS = 5_000  # a deadline this long past was lost: the owner calls expire much sooner


def check(pool: Pool, now_ms: int) -> list[Breach]:
    """All breaches found, healed; [] when all is well. Cost: one pass over agents, entries and offers."""
    found: list[Breach] = []
    _derived(pool, found)
    _offers(pool, found, now_ms)
    _entries(pool, found, now_ms)
    if found:
        _offers(pool, found, now_ms)  # a caller who was dropped leaves his offer behind
    _agents(pool, found, now_ms)
    _holds(pool, found)
    _deadlines(pool, found, now_ms)
    _wrap_ups(pool, found, now_ms)
    _tallies(pool, found)
    if not found:
        _work(pool, found, now_ms)
    if found:
        pool.reindex()
        for queue in pool.queues:
            if queue is not None:
                pool.touch(queue)
    return found


# --- lists that can be rebuilt --------------------------------------------------------------------------
def derived_state(pool: Pool) -> dict[str, Any]:
    """Everything that `reindex` builds, in a form that compares (membership rows move up when an agent leaves)."""
    queues = [queue for queue in pool.queues if queue is not None]
    return {
        "calls": dict(pool.calls),
        "agents": dict(pool.agent_rows),
        "order": [list(queue.order) for queue in queues],
        "waiting": [list(queue.waiting) for queue in queues],
        "absent": [list(queue.absent) for queue in queues],
        "idle": [[pool.team.agent[row] for row in queue.idle] for queue in queues],
        "counts": [(queue.on_duty, queue.connected) for queue in queues],
    }


def _derived(pool: Pool, found: list[Breach]) -> None:
    agents = pool.agents
    for row, spec in enumerate(pool.specs):
        idle = int(
            spec is not None
            and agents.state[row] == READY
            and agents.reachable[row] == 1
            and not agents.removed[row]
            and agents.held[row] < 0
        )
        if agents.idle[row] != idle:
            found.append(Breach("idle_flag", f"agent {agents.id[row]}"))
            agents.idle[row] = idle
    before = derived_state(pool)
    pool.reindex()
    after = derived_state(pool)
    for name in before:
        if before[name] != after[name]:
            found.append(Breach(f"derived_{name}", "did not match the columns"))


# --- offers, entries, agents point at one another ---------------------------------------------------------
def _offers(pool: Pool, found: list[Breach], now_ms: int) -> None:
    offers, agents, entries = pool.offers, pool.agents, pool.entries
    linked: dict[int, list[int]] = {}
    for row in range(offers.used):
        state = offers.state[row]
        agent, entry = offers.agent[row], offers.entry[row]
        if state == O_RINGING:
            good = agents.state[agent] == ALERTING and agents.offer[agent] == row
            good = good and entries.state[entry] == E_ALERTING
            if good:
                linked.setdefault(entry, []).append(row)
                continue
        elif state == O_WON:
            holder = agents.entry[agent]
            held = holder >= 0 and entries.state[holder] == E_CONNECTED and entries.agent[holder] == agent
            if held and agents.offer[agent] == row:
                continue
        else:
            continue
        found.append(Breach("offer_alone", f"offer {offers.id[row]}"))
        offers.state[row] = O_CLOSED
        offers.until[row] = now_ms
        offers.deadline[row] = 0
        offers.reason[row] = offer_rows.REASONS.index("agent_state")
        pool.closed.append(row)
        if agents.offer[agent] == row:
            agents.offer[agent] = -1
        if state == O_RINGING:
            offer_rows.tell_lost(pool, row)
    _links(pool, linked, found)


def _links(pool: Pool, linked: dict[int, list[int]], found: list[Breach]) -> None:
    """The list of ringing offers of each caller, checked without trusting it (a broken one may be a circle)."""
    offers, entries = pool.offers, pool.entries
    for entry in range(entries.used):
        rows = linked.get(entry, [])
        seen: list[int] = []
        row = entries.first[entry] if entries.state[entry] != E_ENDED else -1
        while 0 <= row < offers.used and len(seen) <= len(rows):
            seen.append(row)
            row = offers.next[row]
        if sorted(seen) == rows and entries.ringing[entry] == len(rows):
            continue
        found.append(Breach("offer_links", f"call {entries.call[entry]}"))
        entries.first[entry] = -1
        entries.ringing[entry] = len(rows)
        for row in rows:
            offers.next[row] = entries.first[entry]
            entries.first[entry] = row


def _entries(pool: Pool, found: list[Breach], now_ms: int) -> None:
    entries, agents = pool.entries, pool.agents
    for row in range(entries.used):
        state = entries.state[row]
        if state == E_ALERTING and entries.ringing[row] == 0:
            found.append(Breach("alerting_alone", f"call {entries.call[row]}"))
            entries.state[row] = E_WAITING
            pool.reindex()
            pool.arm_entry(row, max(entries.wait_until[row], now_ms))
        elif state == E_CONNECTED:
            agent = entries.agent[row]
            if agent < 0 or agents.state[agent] != TALKING or agents.entry[agent] != row:
                found.append(Breach("connected_alone", f"call {entries.call[row]}"))
                entry_machine.drop(pool, row, now_ms)


def _agents(pool: Pool, found: list[Breach], now_ms: int) -> None:
    agents, entries, offers = pool.agents, pool.entries, pool.offers
    for row, spec in enumerate(pool.specs):
        if spec is None:
            continue
        state, offer, entry = agents.state[row], agents.offer[row], agents.entry[row]
        ringing = offer >= 0 and offers.state[offer] == O_RINGING and offers.agent[offer] == row
        talking = entry >= 0 and entries.state[entry] == E_CONNECTED and entries.agent[entry] == row
        won = talking and offer >= 0 and offers.state[offer] == O_WON and offers.agent[offer] == row
        points = (offer >= 0) == (ringing or won) and (entry >= 0) == talking
        if points and (state == ALERTING) == ringing and (state == TALKING) == talking:
            continue
        found.append(Breach("agent_alone", f"agent {agents.id[row]} {AGENT_STATES[state]}"))
        if not ringing and not won:
            agents.offer[row] = -1
        if not talking:
            agents.entry[row] = -1
        if state in (ALERTING, TALKING):
            agent_machine.enter(pool, row, agent_machine.home(pool, row, now_ms), now_ms, "healed", -1, -1)


def _holds(pool: Pool, found: list[Breach]) -> None:
    """An agent is put aside for a caller who is being rung up, and for nobody else; each of them has one at most."""
    agents, entries = pool.agents, pool.entries
    for row, spec in enumerate(pool.specs):
        entry = agents.held[row] if spec is not None else -1
        if entry >= 0 and not (entries.state[entry] == E_RECALLED and entries.hold[entry] == row):
            found.append(Breach("agent_held", f"agent {agents.id[row]}"))
            agents.held[row] = -1
            agent_machine.refresh_idle(pool, row)
    for row in range(entries.used):
        agent = entries.hold[row] if entries.state[row] != E_ENDED else -1
        if agent >= 0 and agents.held[agent] != row:
            found.append(Breach("entry_hold", f"call {entries.call[row]}"))
            entries.hold[row] = -1


# --- time -----------------------------------------------------------------------------------------------
def _deadlines(pool: Pool, found: list[Breach], now_ms: int) -> None:
    """Every state that waits for something has a deadline, and it has not been lost."""
    agents, entries, offers = pool.agents, pool.entries, pool.offers
    for row, spec in enumerate(pool.specs):
        if spec is None:
            continue
        idle = agents.state[row] in AGENT_IDLE
        if idle != (agents.deadline[row] == 0):
            found.append(Breach("agent_deadline", f"agent {agents.id[row]} {AGENT_STATES[agents.state[row]]}"))
            pool.arm_agent(row, 0 if idle else now_ms)
        _late(found, "agent", agents.id[row], agents.deadline[row], now_ms)
    for row in range(entries.used):
        if entries.state[row] != E_ENDED:
            if entries.deadline[row] == 0:
                found.append(Breach("entry_deadline", f"call {entries.call[row]}"))
                pool.arm_entry(row, now_ms)
            _late(found, "entry", entries.call[row], entries.deadline[row], now_ms)
            _late(found, "look", entries.call[row], entries.look_at[row], now_ms)
            if not widening.armed(pool, row):
                found.append(Breach("stage_deadline", f"call {entries.call[row]}"))
                pool.arm_look(row, now_ms)
    for row in range(offers.used):
        if offers.state[row] == O_RINGING:
            if offers.deadline[row] == 0:
                found.append(Breach("offer_deadline", f"offer {offers.id[row]}"))
                pool.arm_offer(row, now_ms)
            _late(found, "offer", offers.id[row], offers.deadline[row], now_ms)


def _wrap_ups(pool: Pool, found: list[Breach], now_ms: int) -> None:
    """No wrap-up lasts longer than `wrap_up_ms_max`, whatever its mode and however often it was extended."""
    agents = pool.agents
    for row, spec in enumerate(pool.specs):
        if spec is None or agents.state[row] != WRAP_UP:
            continue
        latest = agents.since[row] + limits.wrap_up_ms_max
        if agents.deadline[row] > max(latest, now_ms):
            found.append(Breach("wrap_up_too_long", f"agent {agents.id[row]}"))
            pool.arm_agent(row, max(latest, now_ms))


def _late(found: list[Breach], kind: str, number: int, at_ms: int, now_ms: int) -> None:
    if 0 < at_ms < now_ms - LATE_EXPIRE_MS:
        found.append(Breach(f"{kind}_overdue", f"{kind} {number}: {now_ms - at_ms} ms"))


# --- sums and promises ------------------------------------------------------------------------------------
def _tallies(pool: Pool, found: list[Breach]) -> None:
    """Calls in = waiting + alerting + connected + ended."""
    for queue in pool.queues:
        if queue is None:
            continue
        tally = queue.tally
        inside = len(queue.order) + queue.connected
        if tally.offered != inside + tally.ended():
            found.append(Breach("tally", f"queue {queue.spec.name}: {tally.offered} in, {inside} + {tally.ended()}"))
            tally.offered = inside + tally.ended()


def _work(pool: Pool, found: list[Breach], now_ms: int) -> None:
    """Nobody waits while an idle agent of his queue fits and isn't barred for him (`bars`).

    Queues that are still to be settled are excused, callers whose next look is due but not expired yet, and queues
    whose own policy goes by time: their callers are looked at every second.
    """
    for queue in pool.queues:
        if queue is None or queue.touched or not queue.idle:
            continue
        forgotten = recalls.overdue(pool, policy.pick, queue, now_ms)
        if forgotten >= 0:
            found.append(Breach("idle_and_absent", f"queue {queue.spec.name}: call {pool.entries.call[forgotten]}"))
        for _, _, entry in () if custom.timely(queue) else queue.waiting:
            if not 0 < pool.entries.look_at[entry] <= now_ms and bars.pick(pool, policy.pick, queue, entry, 1, now_ms):
                found.append(Breach("idle_and_waiting", f"queue {queue.spec.name}: call {pool.entries.call[entry]}"))
                break

"""A pool as arrays, for the loop of `kernel_events`: the pool's own columns, and arrays in place of its lists.

`State` shares the memory of the pool's agents, entries, offers and memberships: a kernel works on what Python works
on. What Python keeps in lists, dictionaries and objects (queues and their tallies, lines, heaps, turns) is laid out
beside it by `lay_out`, and taken back by `take_back`; between the two the pool belongs to the kernels.

One thing is left out: what queues learn for their estimates of wait (`learning`), which no decision reads.

`strange` says what the loop wouldn't honour: every field of a queue or an agent, every strategy, action and state
that it doesn't know. Whoever gives the distributor a new rule meets it here, and tests hold that.
"""

from __future__ import annotations

from collections import deque, namedtuple
from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import msgspec
import numpy as np

from engine import limits
from engine.acd import policy, tables
from engine.acd.columns import AgentColumns, Columns, EntryColumns, OfferColumns, TeamColumns
from engine.acd.metrics import Tally
from engine.acd.model import AgentSpec, QueueSpec
from engine.acd.offers import FAILURES
from engine.acd.pool import Pool, Queue, bounded
from engine.acd.tables import IntArray, SkillArray

LINE = 8  # words
OUT_WIDTH = 6  # of a command's row: see `kernel_rows.say`


class State(NamedTuple):
    """Shapes: blocks (fields, rows), skills (agents, skills). Heaps, rings and lists have their lengths in `pool`."""

    agents: IntArray
    entries: IntArray
    offers: IntArray
    team: IntArray
    skills: SkillArray
    queues: IntArray  # (QUEUE_FIELDS, queues)
    pool: IntArray  # (POOL_FIELDS,)
    lists: IntArray  # (LIST_FIELDS, …): see there
    calls: IntArray  # by call: its entry, -1 none
    terms: IntArray  # (strategies, 4, 3)
    out: IntArray  # (commands, OUT_WIDTH)


# --- one column per queue -----------------------------------------------------------------------------
_SPEC = (
    "ring_ms", "wrap_up_ms", "entries_max", "wait_ms_max", "join_empty", "weight", "service_level_ms", "progress_ms",
    "misses_max", "strategy", "memory", "fan", "fair", "at_once", "first", "first_row", "end_row",
    "extensions", "extend_ms", "starve_ms",
)  # fmt: skip
_LIVE = (
    "idle", "on_duty", "connected", "touched", "order_head", "order_tail", "order", "waiting_head", "waiting_tail",
    "waiting", "cursor", "ranked",
)  # fmt: skip
_DELAYS = tuple(field for field, _ in FAILURES.values())
_TALLY = tuple(field.name for field in msgspec.structs.fields(Tally))
QUEUE_FIELDS = (*_SPEC, *_LIVE, *(f"rest_{reason}" for reason in FAILURES), *(f"tally_{name}" for name in _TALLY))
POOL_FIELDS = (
    "now_ms", "sequence", "draws", "fades", "seed", "entries_used", "entries_free", "entries_max", "offers_used",
    "offers_free", "offers_max", "words", "closed_head", "closed", "touched", "out", "lost",
)  # fmt: skip
# next and previous entry in the queue's order, and among those who wait | heaps: deadlines, free rows of entries and of
# offers | ring of closed offers, oldest first | by agent his memberships, and where they begin | first membership of
# the level of each, and there the membership that had the last turn, -1 none | from each queue's first membership on,
# in any order, the idle ones, and by membership its place there | scratch, and the queues to be settled
LIST_FIELDS = (
    "order_next", "order_previous", "waiting_next", "waiting_previous", "words", "free_entries", "free_offers",
    "closed", "seats", "first_seat", "level_start", "last_turn", "idle", "idle_at",
    "needs", "picked", "ringing", "unmet", "touched",
)  # fmt: skip


def numbered(name: str, fields: tuple[str, ...]) -> Any:
    """The fields' places by name, as constants that kernels compile in: `s.agents[A.state, row]`."""
    return namedtuple(name, fields)(*range(len(fields)))


A = numbered("A", AgentColumns.fields)
E = numbered("E", EntryColumns.fields)
O = numbered("O", OfferColumns.fields)  # noqa: E741
T = numbered("T", TeamColumns.fields)
Q = numbered("Q", QUEUE_FIELDS)
P = numbered("P", POOL_FIELDS)
L = numbered("L", LIST_FIELDS)


# --- what the loop knows --------------------------------------------------------------------------------
KNOWN_QUEUE = frozenset({
    "id", "name", "tenant", "strategy", "ring_ms_max", "wrap_up_ms", "entries_max", "wait_ms_max", "join_empty",
    "weight", "service_level_ms", "misses_max", "offers_max", "progress_ms", "wrap_up_extend_ms",
    "wrap_up_extensions_max", "starve_ms", "hard_hold_ms", "recall_lead_ms", "recall_ms_max", *_DELAYS,
})  # fmt: skip
KNOWN_AGENT = frozenset({"id", "name", "tenant", "queues", "skills", "wrap_up_ms", "second_line", "team"})
KNOWN_STRATEGY = frozenset({"name", "terms", "fan", "memory", "fair"})
KNOWN_MEMORIES = range(policy.PROGRESS + 1)
KNOWN_TERMS = frozenset({
    "", "level", "turn", "lot", "position", "idle_since", "last_end", "call_load", "talk_load", "last_offered",
})  # fmt: skip
KNOWN_ACTIONS = frozenset({"fault", "wish", "cancel", "idle", "unrest", "release", "timeout", "tell", "here"})
# absent and recalled callers, whose action "here" is, need events that the loop's owner never sends
KNOWN_STATES = ("logged_out", "ready", "alerting", "talking", "wrap_up", "not_ready", "resting", "occupied")
KNOWN_ENTRY_STATES = ("ended", "waiting", "alerting", "connected", "absent", "recalled")


def unknown(struct: msgspec.Struct, known: frozenset[str]) -> list[str]:
    """Fields beyond `known` that are not at their default."""
    return [
        field.name
        for field in msgspec.structs.fields(type(struct))
        if field.name not in known and (field.required or getattr(struct, field.name) != _default(field))
    ]


def _default(field: msgspec.structs.FieldInfo) -> Any:
    return field.default if field.default is not msgspec.NODEFAULT else field.default_factory()


def strange(queues: list[QueueSpec], agents: list[AgentSpec]) -> str:
    """What in this configuration, or in the distributor itself, the loop doesn't know; '' when it knows it all."""
    return next(_strange(queues, agents), "")


def _strange(queues: list[QueueSpec], agents: list[AgentSpec]) -> Iterator[str]:
    for action in sorted(tables.ACTIONS.keys() - KNOWN_ACTIONS):
        yield f"the action {action} of the transition tables"
    if tables.AGENT_STATES != KNOWN_STATES:
        yield "a state of agents"
    if tables.ENTRY_STATES != KNOWN_ENTRY_STATES:
        yield "a state of entries"
    for queue in queues:
        strategy = policy.STRATEGIES[policy.number_of(queue.strategy)]
        for field in unknown(queue, KNOWN_QUEUE):
            yield f"{field} of the queue {queue.name}"
        if strategy.memory not in KNOWN_MEMORIES or unknown(strategy, KNOWN_STRATEGY):
            yield f"the strategy {strategy.name}"
        for term in strategy.terms:
            if term.field not in KNOWN_TERMS:
                yield f"the strategy {strategy.name}"
    for agent in agents:
        for field in unknown(agent, KNOWN_AGENT):
            yield f"{field} of the agent {agent.name}"


# --- pool -> state --------------------------------------------------------------------------------------
def lay_out(pool: Pool, calls_max: int, out_max: int = 4_096) -> State:
    """The pool's memory and its lists as arrays. Call numbers lie in 0 … calls_max − 1, queues have no gaps.

    Everything the pool has to say was taken by `settle` before; nobody of its agents is about to be removed.
    """
    queues = [pool.queue_at(row) for row in range(len(pool.queues))]
    _fill(pool.agents, pool.agents.used)
    _fill(pool.entries, pool.entries.capacity_max)
    _fill(pool.offers, pool.offers.capacity_max)
    rows, offers, team = (each.block.shape[1] for each in (pool.entries, pool.offers, pool.team))
    live = offers + 2 * rows + pool.agents.block.shape[1]  # deadlines that there can be at once
    width = max(2 * live, team, len(queues), limits.offers_parallel_max)
    state = State(
        pool.agents.block, pool.entries.block, pool.offers.block, pool.team.block, pool.skills,
        np.zeros((len(QUEUE_FIELDS), max(1, len(queues))), dtype=np.int64),
        np.zeros(len(POOL_FIELDS), dtype=np.int64),
        np.zeros((len(LIST_FIELDS), width), dtype=np.int64),
        np.full(calls_max, -1, dtype=np.int64),
        np.array(policy.TERM_TABLES, dtype=np.int64),
        np.zeros((out_max, OUT_WIDTH), dtype=np.int64),
    )  # fmt: skip
    _scalars(pool, state)
    for queue in queues:
        _queue(state, queue)
    for call, row in pool.calls.items():
        state.calls[call] = row
    seats = [row for held in pool.seats for _, row in held]
    for name, values in (
        ("seats", seats), ("first_seat", [0, *accumulate(len(held) for held in pool.seats)]),
        ("words", pool.heap.words), ("free_entries", pool.entries.free), ("free_offers", pool.offers.free),
        ("closed", list(pool.closed)), ("touched", pool.touched),
    ):  # fmt: skip
        state.lists[LIST_FIELDS.index(name), : len(values)] = values
    for queue in queues:
        _turns(pool, state, queue)
    return state


def _fill(columns: Columns, rows: int) -> None:
    """All the rows that there may ever be: a kernel can't let a block grow. Untouched memory costs nothing.

    A cache line more than a power of two, so that the fields of a row don't compete for one place in the cache.
    """
    block = np.zeros((len(columns.fields), rows + LINE), dtype="<i8")
    block[:, : columns.used] = columns.block[:, : columns.used]
    columns.block = block
    columns._bind()


def _scalars(pool: Pool, state: State) -> None:
    values: dict[str, Any] = {
        "now_ms": pool.now_ms, "sequence": pool.sequence, "draws": pool.draws, "fades": pool.fades,
        "seed": np.uint64(pool.seed & (1 << 64) - 1).astype(np.int64),
        "entries_used": pool.entries.used, "entries_free": len(pool.entries.free),
        "entries_max": pool.entries.capacity_max, "offers_used": pool.offers.used,
        "offers_free": len(pool.offers.free), "offers_max": pool.offers.capacity_max,
        "words": len(pool.heap.words), "closed": len(pool.closed), "touched": len(pool.touched),
    }  # fmt: skip
    for name, value in values.items():
        state.pool[POOL_FIELDS.index(name)] = value


def _queue(state: State, queue: Queue) -> None:
    spec, strategy = queue.spec, policy.STRATEGIES[queue.strategy]
    values = {
        "ring_ms": bounded(spec.ring_ms_max, limits.ring_ms_max), "wrap_up_ms": spec.wrap_up_ms,
        "entries_max": bounded(spec.entries_max, limits.entries_max), "wait_ms_max": spec.wait_ms_max,
        "join_empty": spec.join_empty, "weight": spec.weight, "service_level_ms": spec.service_level_ms,
        "progress_ms": spec.progress_ms, "misses_max": spec.misses_max, "strategy": queue.strategy,
        "memory": strategy.memory, "fan": strategy.fan, "fair": strategy.fair,
        "at_once": policy.offers_at_once(queue), "first": policy.offers_first(queue),
        "first_row": queue.first_row, "end_row": queue.end_row, "extensions": spec.wrap_up_extensions_max,
        "extend_ms": spec.wrap_up_extend_ms, "starve_ms": spec.starve_ms, "ranked": queue.ranked,
        "idle": len(queue.idle), "on_duty": queue.on_duty,
        "connected": queue.connected, "touched": queue.touched, "order": len(queue.order),
        "waiting": len(queue.waiting),
    }  # fmt: skip
    values |= {f"rest_{reason}": getattr(spec, field) for reason, (field, _) in FAILURES.items()}
    values |= {f"tally_{name}": getattr(queue.tally, name) for name in _TALLY}
    for name, value in values.items():
        state.queues[QUEUE_FIELDS.index(name), queue.row] = value
    idle = state.lists[L.idle, queue.first_row : queue.first_row + len(queue.idle)]
    idle[:] = queue.idle
    state.lists[L.idle_at, idle] = np.arange(queue.first_row, queue.first_row + len(queue.idle))
    for first, name, line in ((L.order_next, "order", queue.order), (L.waiting_next, "waiting", queue.waiting)):
        rows = [row for _, _, row in line]
        state.queues[QUEUE_FIELDS.index(f"{name}_head"), queue.row] = rows[0] if rows else -1
        state.queues[QUEUE_FIELDS.index(f"{name}_tail"), queue.row] = rows[-1] if rows else -1
        for before, after in pairwise(rows):
            state.lists[first, before], state.lists[first + 1, after] = after, before
        if rows:
            state.lists[first, rows[-1]] = state.lists[first + 1, rows[0]] = -1


def _turns(pool: Pool, state: State, queue: Queue) -> None:
    """The first row of each row's level, and there the row of who had the last turn."""
    start, last = state.lists[L.level_start], state.lists[L.last_turn]
    last[queue.first_row : queue.end_row] = -1
    for row in range(queue.first_row, queue.end_row):
        new = row == queue.first_row or pool.team.level[row] != pool.team.level[row - 1]
        start[row] = row if new else start[row - 1]
    for level, agent in queue.turns.items():
        number = pool.agent_rows.get(agent, -1)
        for home, row in pool.seats[number] if number >= 0 else ():
            if home is queue and pool.team.level[row] == level:
                last[start[row]] = row


# --- state -> pool --------------------------------------------------------------------------------------
def take_back(pool: Pool, state: State) -> None:
    """The pool is Python's again: lists, dictionaries, tallies and heaps say what the columns say."""
    values = {name: int(value) for name, value in zip(POOL_FIELDS, state.pool, strict=True)}
    pool.now_ms, pool.sequence = values["now_ms"], values["sequence"]
    pool.draws, pool.fades = values["draws"], values["fades"]
    pool.entries.used, pool.offers.used = values["entries_used"], values["offers_used"]
    pool.entries.free = state.lists[L.free_entries, : values["entries_free"]].tolist()
    pool.offers.free = state.lists[L.free_offers, : values["offers_free"]].tolist()
    ring = np.arange(values["closed_head"], values["closed_head"] + values["closed"]) % state.lists.shape[1]
    pool.closed = deque(state.lists[L.closed, ring].tolist())
    for row in range(len(pool.queues)):
        queue = pool.queue_at(row)
        for name in _TALLY:
            setattr(queue.tally, name, int(state.queues[QUEUE_FIELDS.index(f"tally_{name}"), row]))
        for first in dict.fromkeys(state.lists[L.level_start, queue.first_row : queue.end_row].tolist()):
            last = int(state.lists[L.last_turn, first])
            if last >= 0:
                queue.turns[pool.team.level[last]] = pool.agents.id[pool.team.agent[last]]
        queue.touched = False
    pool.touched = []
    for row in state.lists[L.touched, : values["touched"]].tolist():
        pool.touch(pool.queue_at(row))
    pool.reindex()


def blank(columns: type[Columns]) -> IntArray:
    """A fresh row of these columns."""
    values = np.zeros(len(columns.fields), dtype=np.int64)
    for field, value in columns.blank.items():
        values[columns.index(field)] = value
    return values


ENTRY_BLANK, OFFER_BLANK = blank(EntryColumns), blank(OfferColumns)

"""A run of `queueing` in one njit loop: callers, agents and the distributor's columns, event after event, compiled.

`go(run)` does what `run.go()` does, to the same rows of calls and the same state of the distributor, about ten
times faster. What the loop doesn't know, `unsupported` names: then the run is the production distributor's.
Importing this imports numba.

Chance that is drawn as it is needed (whether who got nobody calls again, and when) stays with numpy: the loop comes
back for it and goes on.
"""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

import numpy as np

from engine import jit
from engine.acd.kernel_decide import settle
from engine.acd.kernel_entries import ABANDONED as LEFT_BY_HIMSELF
from engine.acd.kernel_entries import TIMED_OUT as WAIT_IS_OVER
from engine.acd.kernel_events import (
    NO_ANSWER,
    agent_ready,
    call_ended,
    call_joined,
    call_left,
    expire,
    offer_answered,
    offer_failed,
)
from engine.acd.kernel_rows import OUT_BREACH, OUT_CONNECT, OUT_ENDED, OUT_OFFER, next_deadline, owned_by_nobody
from engine.acd.kernel_state import L, P, State, lay_out, numbered, strange, take_back, unknown
from engine.acd.pool import pack_needs
from engine.acd.tables import IntArray
from engine.errors import LocalError
from engine.jit import bare, kernel, part
from engine.sim import draws
from engine.sim.queueing import (
    ABANDONED,
    AGAIN,
    ANSWER,
    ANSWERED,
    BLOCKED,
    END,
    LEAVE,
    MISS,
    READY,
    TIMED_OUT,
    WAITING,
    Run,
    specs,
)
from engine.sim.scenario import CONSTANT, Scenario

KNOWN_SCENARIO = frozenset({
    "queues", "agents", "sources", "skills", "seed", "calls", "duration_ms", "warm_up_calls", "warm_up_ms",
    "replications", "batches",
})  # fmt: skip
KNOWN_PLAN = frozenset({
    "name", "strategy", "capacity", "length", "wait_ms_max", "service_level_ms", "ring", "weight",
})  # fmt: skip
KNOWN_GROUP = frozenset({"name", "count", "queues", "skills"})
KNOWN_SOURCE = frozenset({
    "queue", "rate_per_ms", "at_ms", "needs", "priority_ms", "patience", "talk", "wrap_up", "retry",
})  # fmt: skip
RANKS = 8
DONE, CHANCE, RINGS, FULL, STUCK, BROKEN = range(6)  # why the loop returns
NEVER = draws.NEVER

CALL_FIELDS = (
    "source", "serial", "attempt", "arrived", "outcome", "delayed", "agent", "offered", "answered", "ended", "free",
)  # fmt: skip
SOURCE_FIELDS = (
    "queue", "priority_ms", "retries", "first", "count", "needs",
    "need0", "need1", "need2", "need3", "need4", "need5", "need6", "need7",
)  # fmt: skip
PLAN_FIELDS = ("capacity", "inside", "wraps", "ring_ms", "ring", "ring_end")
LIVE_FIELDS = ("arrival", "calls", "coming", "waiting", "lost", "impatient", "why", "now_ms", "pushes")
C = numbered("C", CALL_FIELDS)
S = numbered("S", SOURCE_FIELDS)
R = numbered("R", PLAN_FIELDS)
V = numbered("V", LIVE_FIELDS)


class Floor(NamedTuple):
    """What happens around the distributor. Blocks have one row per field, as the names above say."""

    calls: IntArray  # (CALL_FIELDS, calls)
    coming: IntArray  # (2, …): heap by at_ms * RANKS + rank, then by call, offer or number of who tries again
    fresh: IntArray  # (2, fresh callers): moment, source
    sources: IntArray  # (SOURCE_FIELDS, sources)
    drawn: IntArray  # (3, fresh callers): patience, talk, wrap-up, by source
    plans: IntArray  # (PLAN_FIELDS, queues)
    rings: IntArray  # ms that phones ring, by queue
    again: IntArray  # (3, …): source, serial, attempt of who tries again
    lost: IntArray  # calls whose callers may try again; Python draws for them
    pushes: IntArray  # (3, …): at, rank, which: what Python lets happen
    live: IntArray  # (LIVE_FIELDS,)


def unsupported(scenario: Scenario) -> str:
    """What of this scenario the loop doesn't know, in words; '' when it knows it all."""
    for struct, known, what in (
        (scenario, KNOWN_SCENARIO, "the scenario"),
        *((plan, KNOWN_PLAN, f"the queue {plan.name}") for plan in scenario.queues),
        *((group, KNOWN_GROUP, f"the agents {group.name}") for group in scenario.agents),
        *((source, KNOWN_SOURCE, "the arrivals") for source in scenario.sources),
    ):
        for field in unknown(struct, known):
            return f"{field} of {what}"
    queues, agents, _ = specs(scenario)
    return strange(queues, agents)


# --- the loop ---------------------------------------------------------------------------------------------
@part
def push(f: Floor, at_ms: int, rank: int, which: int) -> None:
    """It will happen."""
    key = at_ms * RANKS + rank
    place = f.live[V.coming]
    f.live[V.coming] = place + 1
    while place > 0:
        above = (place - 1) >> 1
        if key > f.coming[0, above] or (key == f.coming[0, above] and which >= f.coming[1, above]):
            break
        f.coming[0, place], f.coming[1, place] = f.coming[0, above], f.coming[1, above]
        place = above
    f.coming[0, place], f.coming[1, place] = key, which


@part
def pop(f: Floor) -> None:
    """The first has happened."""
    count = f.live[V.coming] - 1
    f.live[V.coming] = count
    key, which = f.coming[0, count], f.coming[1, count]
    place, below = 0, 1
    while below < count:
        if below + 1 < count and (
            f.coming[0, below + 1] < f.coming[0, below]
            or (f.coming[0, below + 1] == f.coming[0, below] and f.coming[1, below + 1] < f.coming[1, below])
        ):
            below += 1
        if key < f.coming[0, below] or (key == f.coming[0, below] and which < f.coming[1, below]):
            break
        f.coming[0, place], f.coming[1, place] = f.coming[0, below], f.coming[1, below]
        place, below = below, 2 * below + 1
    f.coming[0, place], f.coming[1, place] = key, which


@part
def clock(s: State, now_ms: int) -> int:
    """Time never runs backwards inside the pool: what a deadline caused may lie before the next one's moment."""
    s.pool[P.now_ms] = max(s.pool[P.now_ms], now_ms)
    return int(s.pool[P.now_ms])


@part
def lose(f: Floor, call: int, outcome: int, now_ms: int) -> None:
    """He is gone without a conversation; Python decides whether he tries again."""
    calls, live = f.calls, f.live
    calls[C.outcome, call], calls[C.ended, call] = outcome, now_ms
    source = calls[C.source, call]
    f.plans[R.inside, f.sources[S.queue, source]] -= 1
    live[V.waiting] -= 1
    if calls[C.attempt, call] <= f.sources[S.retries, source]:
        f.lost[live[V.lost]] = call
        live[V.lost] += 1


@part
def act(f: Floor, s: State, now_ms: int) -> None:
    """Settle, and do what the distributor asks for; answers given at once are settled at once."""
    calls = f.calls
    settle(s, clock(s, now_ms))
    begin = 0
    answered = True
    while answered:
        answered = False
        end = s.pool[P.out]
        for row in range(begin, end):
            kind, one, two = s.out[row, 0], s.out[row, 1], s.out[row, 2]
            if kind == OUT_OFFER:
                answered = ring(f, s, one, two, s.out[row, 4], s.out[row, 5], now_ms) or answered
            elif kind == OUT_CONNECT:
                source = calls[C.source, two]
                calls[C.outcome, two], calls[C.answered, two] = ANSWERED, now_ms
                calls[C.agent, two] = s.out[row, 3]
                f.live[V.waiting] -= 1
                talk_ms = f.drawn[1, f.sources[S.first, source] + calls[C.serial, two]]
                push(f, now_ms + talk_ms, END, two)
            elif kind == OUT_ENDED:
                lose(f, one, TIMED_OUT if two == WAIT_IS_OVER else BLOCKED, now_ms)
            elif kind == OUT_BREACH:
                f.live[V.why] = BROKEN
        begin = end
        if answered:
            settle(s, clock(s, now_ms))
    s.pool[P.out] = 0


@part
def ring(f: Floor, s: State, offer: int, call: int, queue: int, ring_ms_max: int, now_ms: int) -> bool:
    """The agent's phone rings; True when it was answered at once."""
    plans = f.plans
    if f.calls[C.offered, call] < 0:
        f.calls[C.offered, call] = now_ms
    ring_ms = plans[R.ring_ms, queue]
    if ring_ms < 0:
        at = plans[R.ring, queue]
        if at == plans[R.ring_end, queue]:
            f.live[V.why] = RINGS
            return False
        ring_ms = f.rings[at]
        plans[R.ring, queue] = at + 1
    if ring_ms == 0:
        offer_answered(s, offer, clock(s, now_ms))
        return True
    push(f, now_ms + min(ring_ms, ring_ms_max), ANSWER if ring_ms < ring_ms_max else MISS, offer)
    return False


@part
def until(f: Floor, s: State, now_ms: int) -> None:
    """Honour the distributor's deadlines up to now."""
    due = next_deadline(s)
    while 0 <= due <= now_ms:
        expire(s, due)
        act(f, s, due)
        due = next_deadline(s)


@part
def arrive(f: Floor, s: State, source: int, serial: int, attempt: int, now_ms: int) -> None:
    """A caller comes, for the first time or again."""
    calls, sources, live = f.calls, f.sources, f.live
    call = live[V.calls]
    live[V.calls] = call + 1
    calls[C.source, call], calls[C.serial, call], calls[C.attempt, call] = source, serial, attempt
    calls[C.arrived, call], calls[C.outcome, call], calls[C.delayed, call] = now_ms, WAITING, 1
    queue = sources[S.queue, source]
    f.plans[R.inside, queue] += 1
    live[V.waiting] += 1
    if f.plans[R.capacity, queue] and f.plans[R.inside, queue] > f.plans[R.capacity, queue]:
        lose(f, call, BLOCKED, now_ms)
        return
    needs = sources[S.needs, source]
    for place in range(needs):
        s.lists[L.needs, place] = sources[S.need0 + place, source]
    call_joined(s, call, queue, sources[S.priority_ms, source], 0, needs, clock(s, now_ms))
    act(f, s, now_ms)
    if calls[C.offered, call] >= 0:
        calls[C.delayed, call] = 0
    if calls[C.outcome, call] == WAITING:
        if attempt > 1:
            live[V.impatient] = call
            return
        patience = f.drawn[0, sources[S.first, source] + serial]
        if patience < NEVER:
            push(f, now_ms + patience, LEAVE, call)


@part
def happen(f: Floor, s: State, rank: int, which: int, now_ms: int) -> None:
    """What had been coming."""
    calls = f.calls
    if rank == AGAIN:
        arrive(f, s, f.again[0, which], f.again[1, which], f.again[2, which], now_ms)
        return
    if rank == LEAVE and calls[C.outcome, which] != WAITING:
        return
    at_ms = clock(s, now_ms)
    if rank == END:
        source, agent = calls[C.source, which], calls[C.agent, which]
        queue = f.sources[S.queue, source]
        wrap_ms = f.drawn[2, f.sources[S.first, source] + calls[C.serial, which]]
        f.plans[R.inside, queue] -= 1
        calls[C.ended, which], calls[C.free, which] = now_ms, now_ms + wrap_ms
        call_ended(s, which, agent, at_ms)
        if wrap_ms:
            push(f, now_ms + wrap_ms, READY, which)
        elif f.plans[R.wraps, queue]:
            agent_ready(s, agent, at_ms)
    elif rank == READY:
        agent_ready(s, calls[C.agent, which], at_ms)
    elif rank == ANSWER:
        offer_answered(s, which, at_ms)
    elif rank == MISS:
        offer_failed(s, which, NO_ANSWER, at_ms)
    else:
        call_left(s, which, LEFT_BY_HIMSELF, at_ms)
        lose(f, which, ABANDONED, now_ms)
    act(f, s, now_ms)


@kernel
def run_floor(f: Floor, s: State) -> int:
    """Until the last caller is gone and the last wrap-up is over, or until Python is needed: DONE, CHANCE, …"""
    return _run(_owned_by_nobody(f), owned_by_nobody(s))


@part
def _owned_by_nobody(f: Floor) -> Floor:
    return Floor(
        bare(f.calls), bare(f.coming), bare(f.fresh), bare(f.sources), bare(f.drawn), bare(f.plans), bare(f.rings),
        bare(f.again), bare(f.lost), bare(f.pushes), bare(f.live),
    )  # fmt: skip


@part
def _run(f: Floor, s: State) -> int:
    live = f.live
    for place in range(live[V.pushes]):
        push(f, f.pushes[0, place], f.pushes[1, place], f.pushes[2, place])
    live[V.pushes] = 0
    last = f.fresh.shape[1]
    while live[V.why] == DONE:
        if live[V.lost] or live[V.impatient] >= 0:
            return CHANCE
        if s.pool[P.lost] or live[V.coming] + 2 * s.agents.shape[1] + 8 > f.coming.shape[1]:
            return FULL
        arrival = live[V.arrival]
        coming_ms = f.coming[0, 0] // RANKS if live[V.coming] else NEVER
        if arrival < last and coming_ms > f.fresh[0, arrival]:
            now_ms = f.fresh[0, arrival]
            until(f, s, now_ms)
            if live[V.lost] or (live[V.coming] and f.coming[0, 0] // RANKS <= now_ms):
                continue  # a deadline has made something happen before he comes
            live[V.arrival] = arrival + 1
            source = f.fresh[1, arrival]
            serial = f.sources[S.count, source]
            f.sources[S.count, source] = serial + 1
            arrive(f, s, source, serial, 1, now_ms)
        elif live[V.coming]:
            until(f, s, coming_ms)
            if live[V.lost]:
                continue  # he may try again before that
            key, which = f.coming[0, 0], f.coming[1, 0]  # perhaps a deadline has made something happen before it
            pop(f)
            happen(f, s, key % RANKS, which, key // RANKS)
        elif live[V.waiting]:
            due = next_deadline(s)
            if due < 0:
                return STUCK
            until(f, s, due)
        else:
            return DONE
    return int(live[V.why])


# --- Python's side ------------------------------------------------------------------------------------------
def go(run: Run) -> None:
    """As `run.go()`. LocalError on a broken invariant. The columns of `run.calls` are arrays afterwards."""
    rings = 2 * len(run.moments) + 1_024
    outs = 4_096
    while True:
        floor, state = _floor(run, rings), lay_out(run.distributor._pool, _calls_max(run), outs)
        why = CHANCE
        while why == CHANCE:
            with np.errstate(over="ignore" if jit.DISABLED else "warn"):
                why = run_floor(floor, state)
            if why == CHANCE:
                floor = _draw(run, floor)
        if why not in (RINGS, FULL):
            break
        rings, outs = 4 * rings, 4 * outs  # from the beginning, with more room: chance is the same
        run.restart()
    if why == STUCK:
        raise LocalError(f"{floor.live[V.waiting]} simulated callers wait for nothing")
    if why == BROKEN:
        raise LocalError(f"the distributor broke an invariant at {state.pool[P.now_ms]} ms")
    take_back(run.distributor._pool, state)
    count = int(floor.live[V.calls])
    for row, name in enumerate(CALL_FIELDS):
        setattr(run.calls, name, floor.calls[row, :count].copy())


def _calls_max(run: Run) -> int:
    """Who tries again is a new call each time."""
    tries = max((source.retry.times for source in run.scenario.sources if source.retry is not None), default=0)
    return len(run.moments) * (1 + tries) + 1


def _floor(run: Run, rings_max: int) -> Floor:
    scenario = run.scenario
    counts = [len(drawn.talk) for drawn in run.drawn]
    first = np.concatenate(([0], np.cumsum(counts, dtype=np.int64))).astype(np.int64)
    sources = np.zeros((len(SOURCE_FIELDS), len(scenario.sources)), dtype=np.int64)
    for number, source in enumerate(scenario.sources):
        times = source.retry.times if source.retry is not None else 0
        needs = pack_needs(source.needs) or ()
        sources[:, number] = (source.queue, source.priority_ms, times, first[number], 0, len(source.needs), *needs)
    plans = np.zeros((len(PLAN_FIELDS), len(scenario.queues)), dtype=np.int64)
    rings: list[int] = []
    for number, plan in enumerate(scenario.queues):
        begin, constant = len(rings), -1
        if plan.ring.kind == CONSTANT:
            constant = round(plan.ring.mean_ms)
        else:
            rings += islice(run.rings[number], rings_max)
        plans[:, number] = (plan.capacity, 0, run.wraps[number], constant, begin, len(rings))
    calls_max = _calls_max(run)
    calls = np.full((len(CALL_FIELDS), calls_max + 8), -1, dtype=np.int64)
    live = np.zeros(len(LIVE_FIELDS), dtype=np.int64)
    live[V.impatient] = -1
    agents = sum(group.count for group in scenario.agents)
    drawn = np.zeros((3, int(first[-1])), dtype=np.int64)
    for number, each in enumerate(run.drawn):
        drawn[:, first[number] : first[number + 1]] = (each.patience, each.talk, each.wrap_up)
    return Floor(
        calls, np.zeros((2, calls_max + 4 * agents + 4_096), dtype=np.int64),
        np.array((run.moments, run.sources), dtype=np.int64).reshape(2, -1), sources, drawn, plans,
        np.array(rings or [0], dtype=np.int64), np.zeros((3, calls_max), dtype=np.int64),
        np.zeros(calls_max, dtype=np.int64), np.zeros((3, calls_max), dtype=np.int64), live,
    )  # fmt: skip


def _draw(run: Run, floor: Floor) -> Floor:
    """Who was lost tries again, or doesn't; who does has new patience: as `Run._lost` and `Run._patience`."""
    live, calls = floor.live, floor.calls
    for call in floor.lost[: live[V.lost]].tolist():
        number, attempt = int(calls[C.source, call]), int(calls[C.attempt, call])
        retry, drawn = run.scenario.sources[number].retry, run.drawn[number]
        if retry is None or drawn.again.random() >= retry.chance:
            continue
        run.agains += 1
        floor.again[:, run.agains] = (number, calls[C.serial, call], attempt + 1)
        after = draws.durations(retry.after, drawn.again, 1)[0]
        _push(floor, int(calls[C.ended, call]) + max(1, after), AGAIN, run.agains)
    live[V.lost] = 0
    call = int(live[V.impatient])
    if call >= 0:
        number = int(calls[C.source, call])
        patience = draws.durations(run.scenario.sources[number].patience, run.drawn[number].again, 1)[0]
        if patience < NEVER:
            _push(floor, int(calls[C.arrived, call]) + patience, LEAVE, call)
        live[V.impatient] = -1
    return floor


def _push(floor: Floor, at_ms: int, rank: int, which: int) -> None:
    count = floor.live[V.pushes]
    floor.pushes[:, count] = (at_ms, rank, which)
    floor.live[V.pushes] = count + 1

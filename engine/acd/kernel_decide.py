"""Who gets whom: `decide` and `turns` over arrays, with the pick kernel of production."""

from __future__ import annotations

import numpy as np

from engine.acd import kernels
from engine.acd.columns import NEEDS_MAX
from engine.acd.kernel_agents import step_agent
from engine.acd.kernel_entries import start_offer, step_entry
from engine.acd.kernel_rows import (
    NEED0,
    OUT_BREACH,
    arm_entry,
    arm_more,
    same_needs,
    say,
)
from engine.acd.kernel_state import A, E, L, O, P, Q, State, T
from engine.acd.policy import LAST_OF_CALLER, LAST_OF_QUEUE, LOTS, NOTHING, PROGRESS, WEIGHTED_LOTS
from engine.acd.tables import E_ALERTING, E_OFFER, OFFER
from engine.acd.turns import MIX_1, MIX_2, STRIDE
from engine.jit import part

_STRIDE, _MIX_1, _MIX_2 = np.uint64(STRIDE), np.uint64(MIX_1), np.uint64(MIX_2)


@part
def settle(s: State, now_ms: int) -> None:
    """As `decide.decide`: every offer that can be made. Leaves no queue touched."""
    count = s.pool[P.touched]
    if count == 0:
        return
    s.pool[P.touched] = 0
    s.pool[P.now_ms] = now_ms
    rows, q = s.lists[L.touched], s.queues
    for place in range(1, count):  # few: by insertion
        queue, at = rows[place], place
        while at > 0 and rows[at - 1] > queue:
            rows[at] = rows[at - 1]
            at -= 1
        rows[at] = queue
    kept, serving = 0, 0
    for place in range(count):
        queue = rows[place]
        q[Q.touched, queue] = 0
        if q[Q.idle, queue]:
            rows[kept] = queue
            kept += 1
            if q[Q.waiting, queue]:
                serving += 1
    if serving:
        if _anybody_starves(s, kept, serving, now_ms):
            _serve_starving(s, kept, now_ms)
        for place in range(kept):
            q[Q.cursor, rows[place]] = q[Q.waiting_head, rows[place]]
        _serve_all(s, kept, now_ms)
    for place in range(kept):
        queue = rows[place]
        if q[Q.idle, queue] and q[Q.fan, queue]:
            _ring_more(s, queue, now_ms)


@part
def _anybody_starves(s: State, queues: int, serving: int, now_ms: int) -> bool:
    """As `starving.anybody`."""
    rows, q = s.lists[L.touched], s.queues
    late, ranked = False, False
    for place in range(queues):
        queue = rows[place]
        if q[Q.waiting, queue]:
            ranked = ranked or q[Q.ranked, queue] != 0
            effective = s.entries[E.effective, q[Q.waiting_head, queue]]
            late = late or (q[Q.starve_ms, queue] > 0 and effective <= now_ms - q[Q.starve_ms, queue])
    return late and (serving > 1 or ranked)


@part
def _serve_starving(s: State, queues: int, now_ms: int) -> None:
    """As `decide._serve_starving`: the longest wait first, over all touched queues, each caller once."""
    rows, q, e = s.lists[L.touched], s.queues, s.entries
    unmet, since, sequence = 0, -(1 << 62), 0
    while True:
        best = -1
        for place in range(queues):
            queue = rows[place]
            limit = now_ms - q[Q.starve_ms, queue]
            entry = q[Q.waiting_head, queue] if q[Q.starve_ms, queue] > 0 and q[Q.idle, queue] else -1
            while entry >= 0 and e[E.effective, entry] <= limit:
                due = e[E.joined, entry] <= limit and _later(s, entry, since, sequence)
                if due and (best < 0 or not _later(s, entry, e[E.joined, best], e[E.sequence, best])):
                    best = entry
                entry = s.lists[L.waiting_next, entry]
        if best < 0:
            return
        since, sequence = e[E.joined, best], e[E.sequence, best]
        queue = e[E.queue, best]
        if not _is_unmet(s, queue, best, unmet) and not _serve(s, queue, best, now_ms):
            s.lists[L.unmet, unmet] = best
            unmet += 1


@part
def _later(s: State, entry: int, since: int, sequence: int) -> bool:
    """Did he join later than that?"""
    joined = s.entries[E.joined, entry]
    return bool(joined > since or (joined == since and s.entries[E.sequence, entry] > sequence))


@part
def _is_unmet(s: State, queue: int, entry: int, count: int) -> bool:
    """Has somebody with his needs found nobody in this queue?"""
    for place in range(count):
        other = s.lists[L.unmet, place]
        if s.entries[E.queue, other] == queue and same_needs(s, other, entry):
            return True
    return False


@part
def _serve_all(s: State, queues: int, now_ms: int) -> None:
    """The heaviest, then oldest, then first claim of all touched queues, until nobody is left to serve."""
    rows, q = s.lists[L.touched], s.queues
    unmet = 0
    while True:
        best = -1
        for place in range(queues):
            queue = rows[place]
            entry = q[Q.cursor, queue]
            if entry >= 0 and (best < 0 or _claims_more(s, queue, entry, best, q[Q.cursor, best])):
                best = queue
        if best < 0:
            return
        entry = q[Q.cursor, best]
        if not q[Q.idle, best]:
            q[Q.cursor, best] = -1
            continue
        q[Q.cursor, best] = s.lists[L.waiting_next, entry]
        if _is_unmet(s, best, entry, unmet):
            continue
        if not _serve(s, best, entry, now_ms):
            s.lists[L.unmet, unmet] = entry
            unmet += 1


@part
def _claims_more(s: State, one: int, entry: int, two: int, other: int) -> bool:
    weight_1, weight_2 = s.queues[Q.weight, one], s.queues[Q.weight, two]
    if weight_1 != weight_2:
        return bool(weight_1 > weight_2)
    age_1, age_2 = s.entries[E.effective, entry], s.entries[E.effective, other]
    if age_1 != age_2:
        return bool(age_1 < age_2)
    return bool(s.entries[E.sequence, entry] < s.entries[E.sequence, other])


@part
def _pick(s: State, queue: int, entry: int, count_max: int) -> int:
    """Membership rows into State.lists[L.picked]; how many."""
    needs = 0
    while needs < NEEDS_MAX and s.entries[NEED0 + needs, entry]:
        s.lists[L.needs, needs] = s.entries[NEED0 + needs, entry]
        needs += 1
    memory = s.queues[Q.memory, queue]
    lots, word = kernels.NO_LOTS, np.uint64(0)
    if memory in (LOTS, WEIGHTED_LOTS):
        lots = kernels.PLAIN if memory == LOTS else kernels.WEIGHTED
        word = _mix(_mix(np.uint64(s.pool[P.seed])) + np.uint64(s.pool[P.draws]) * _STRIDE)
    return kernels.pick(
        s.agents, s.team, s.skills, s.terms[s.queues[Q.strategy, queue]], s.lists[L.needs, :needs],
        s.queues[Q.first_row, queue], s.queues[Q.end_row, queue], lots, word, s.lists[L.picked, :count_max],
    )  # fmt: skip


@part
def _mix(word: np.uint64) -> np.uint64:
    word = (word ^ word >> np.uint64(30)) * _MIX_1
    word = (word ^ word >> np.uint64(27)) * _MIX_2
    return np.uint64(word ^ word >> np.uint64(31))


@part
def _serve(s: State, queue: int, entry: int, now_ms: int) -> bool:
    """False when nobody idle fits: others with his needs need not ask."""
    if s.entries[NEED0, entry] and not _anybody_fits(s, queue, entry):
        return False
    memory = s.queues[Q.memory, queue]
    if memory in (LAST_OF_QUEUE, LAST_OF_CALLER):
        _mark(s, queue, entry, memory)
    count = _pick(s, queue, entry, s.queues[Q.first, queue])
    if count == 0:
        return False
    first = s.lists[L.picked, 0]
    if make_offers(s, entry, count, now_ms) and memory != NOTHING:
        _remember(s, queue, entry, first, now_ms)
    return True


@part
def _anybody_fits(s: State, queue: int, entry: int) -> bool:
    """Is one of the idle able? Most callers who still wait need somebody who isn't there: no pick is made for them."""
    first = s.queues[Q.first_row, queue]
    for place in range(first, first + s.queues[Q.idle, queue]):
        agent = s.team[T.agent, s.lists[L.idle, place]]
        at, need = 1, s.entries[NEED0, entry]
        while need and (need >> 8) < s.skills.shape[1] and s.skills[agent, need >> 8] >= need & 255:
            need = s.entries[NEED0 + at, entry] if at < NEEDS_MAX else 0
            at += 1
        if need == 0:
            return True
    return False


@part
def _mark(s: State, queue: int, entry: int, memory: int) -> None:
    """As `turns.prepare`."""
    first, end = s.queues[Q.first_row, queue], s.queues[Q.end_row, queue]
    turn = s.team[T.turn]
    if memory == LAST_OF_QUEUE:
        for row in range(first, end):
            turn[row] = 1 if row <= s.lists[L.last_turn, s.lists[L.level_start, row]] else 0
        return
    last = first - 1
    for row in range(first, end):
        if s.agents[A.id, s.team[T.agent, row]] == s.entries[E.asked, entry]:
            last = row
    for row in range(first, end):
        turn[row] = 1 if row <= last else 0


@part
def _remember(s: State, queue: int, entry: int, row: int, now_ms: int) -> None:
    """As `turns.remember`."""
    memory = s.queues[Q.memory, queue]
    if memory == LAST_OF_QUEUE:
        s.lists[L.last_turn, s.lists[L.level_start, row]] = row
    elif memory == LAST_OF_CALLER:
        s.entries[E.asked, entry] = s.agents[A.id, s.team[T.agent, row]]
    elif memory == PROGRESS:
        arm_more(s, entry, now_ms + s.queues[Q.progress_ms, queue])
    else:
        s.pool[P.draws] += 1


@part
def make_offers(s: State, entry: int, count: int, now_ms: int) -> bool:
    """Ring the agents of the membership rows in State.lists[L.picked, :count]."""
    made = False
    for place in range(count):
        row = s.lists[L.picked, place]
        agent = s.team[T.agent, row]
        offer = start_offer(s, entry, agent, now_ms)
        if offer < 0:
            say(s, OUT_BREACH, 3, entry, 0, 0, 0)
            break
        if not made:
            s.entries[E.ring_level, entry] = s.team[T.level, row]
        made = True
        step_agent(s, agent, OFFER, now_ms)
        step_entry(s, entry, E_OFFER, now_ms, 0)
    if made:
        latest, offer = 0, s.entries[E.first, entry]
        while offer >= 0:
            latest = max(latest, s.offers[O.deadline, offer])
            offer = s.offers[O.next, offer]
        arm_entry(s, entry, latest)
    return made


@part
def _ring_more(s: State, queue: int, now_ms: int) -> None:
    """As `decide._ring_more`."""
    e, q = s.entries, s.queues
    slowly = q[Q.memory, queue] == PROGRESS
    alerting = q[Q.order, queue] - q[Q.waiting, queue]
    entry = q[Q.order_head, queue]
    while entry >= 0 and alerting > 0 and q[Q.idle, queue] > 0:
        if e[E.state, entry] == E_ALERTING:
            alerting -= 1
            room = q[Q.at_once, queue] - e[E.ringing, entry]
            if room > 0 and e[E.wait_until, entry] > now_ms and not (slowly and e[E.more_at, entry]):
                count = _pick(s, queue, entry, 1 if slowly else room)
                first = s.lists[L.picked, 0]
                if count and slowly:
                    if make_offers(s, entry, count, now_ms):
                        _remember(s, queue, entry, first, now_ms)
                elif count and s.team[T.level, first] <= e[E.ring_level, entry]:
                    make_offers(s, entry, count, now_ms)
        entry = s.lists[L.order_next, entry]

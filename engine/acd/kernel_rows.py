"""Rows, heaps, lists and commands of the loop: what `pool`, `columns`, `deadlines` and heapq do for Python.

Heaps move their words exactly as heapq does, so that free rows are taken, and saved, in the same order.
"""

from __future__ import annotations

from engine.acd.columns import NEEDS_MAX
from engine.acd.deadlines import AGENT, ENTRY, MORE, OFFER, SHIFT
from engine.acd.kernel_state import ENTRY_BLANK, OFFER_BLANK, A, E, L, O, P, Q, State
from engine.acd.tables import IntArray
from engine.jit import bare, part

# rows of State.out: kind, then (offer, call, agent's row, queue's row, ring_ms), (offer, call, agent, queue, waited),
# (call, reason, queue, waited), (offer, call, agent, reason), (what, row)
OUT_OFFER, OUT_CONNECT, OUT_ENDED, OUT_CANCEL, OUT_BREACH = range(1, 6)
KINDS = (1 << SHIFT - 16) - 1
ORDER, WAITING = L.order_next, L.waiting_next
NEED0 = E.need0


@part
def owned_by_nobody(s: State) -> State:
    """The same state without counts of references: the first thing that an entry from Python does."""
    return State(
        bare(s.agents), bare(s.entries), bare(s.offers), bare(s.team), bare(s.skills), bare(s.queues), bare(s.pool),
        bare(s.lists), bare(s.calls), bare(s.terms), bare(s.out),
    )  # fmt: skip


# --- heaps ----------------------------------------------------------------------------------------------
@part
def heap_push(heap: IntArray, count: int, word: int) -> None:
    """`count` words are in the heap before."""
    place = count
    while place > 0:
        above = (place - 1) >> 1
        if word >= heap[above]:
            break
        heap[place] = heap[above]
        place = above
    heap[place] = word


@part
def heap_pop(heap: IntArray, count: int) -> int:
    """The smallest of `count` ≥ 1 words; as heapq: the hole sinks to a leaf, then the last word rises from there."""
    smallest = heap[0]
    count -= 1
    word = heap[count]
    place, below = 0, 1
    while below < count:
        if below + 1 < count and heap[below] >= heap[below + 1]:
            below += 1
        heap[place] = heap[below]
        place = below
        below = 2 * place + 1
    while place > 0:
        above = (place - 1) >> 1
        if word >= heap[above]:
            break
        heap[place] = heap[above]
        place = above
    if count > 0:
        heap[place] = word
    return int(smallest)


# --- commands -------------------------------------------------------------------------------------------
@part
def say(s: State, kind: int, one: int, two: int, three: int, four: int, five: int) -> None:
    """A command for the owner. What finds no room is counted as lost, and the run is worth nothing."""
    at = s.pool[P.out]
    if at == s.out.shape[0]:
        s.pool[P.lost] += 1
        return
    s.out[at, 0], s.out[at, 1], s.out[at, 2] = kind, one, two
    s.out[at, 3], s.out[at, 4], s.out[at, 5] = three, four, five
    s.pool[P.out] = at + 1


# --- rows -----------------------------------------------------------------------------------------------
@part
def take_entry(s: State) -> int:
    """A blank row; −1 when all are in use."""
    free = s.pool[P.entries_free]
    if free > 0:
        row = heap_pop(s.lists[L.free_entries], free)
        s.pool[P.entries_free] = free - 1
    elif s.pool[P.entries_used] < s.pool[P.entries_max]:
        row = s.pool[P.entries_used]
        s.pool[P.entries_used] = row + 1
        s.entries[E.generation, row] = 1
    else:
        return -1
    for field in range(ENTRY_BLANK.shape[0]):
        if ENTRY_BLANK[field] != 0:
            s.entries[field, row] = ENTRY_BLANK[field]
    return int(row)


@part
def give_entry(s: State, row: int) -> None:
    """All zero, next generation."""
    generation = s.entries[E.generation, row]
    for field in range(s.entries.shape[0]):
        s.entries[field, row] = 0
    s.entries[E.generation, row] = generation + 1
    heap_push(s.lists[L.free_entries], s.pool[P.entries_free], row)
    s.pool[P.entries_free] += 1


@part
def take_offer(s: State, now_ms: int) -> int:
    """As `offers._take`: what was remembered for long enough is free again; the oldest closed one at the worst."""
    while s.pool[P.closed] > 0 and s.offers[O.until, s.lists[L.closed, s.pool[P.closed_head]]] <= now_ms:
        _forget_closed(s)
    row = _free_offer(s)
    if row < 0 and s.pool[P.closed] > 0:
        _forget_closed(s)
        row = _free_offer(s)
    return row


@part
def _free_offer(s: State) -> int:
    free = s.pool[P.offers_free]
    if free > 0:
        row = heap_pop(s.lists[L.free_offers], free)
        s.pool[P.offers_free] = free - 1
    elif s.pool[P.offers_used] < s.pool[P.offers_max]:
        row = s.pool[P.offers_used]
        s.pool[P.offers_used] = row + 1
        s.offers[O.generation, row] = 1
    else:
        return -1
    for field in range(OFFER_BLANK.shape[0]):
        if OFFER_BLANK[field] != 0:
            s.offers[field, row] = OFFER_BLANK[field]
    return int(row)


@part
def _forget_closed(s: State) -> None:
    """Give the oldest closed offer's row back."""
    head = s.pool[P.closed_head]
    row = s.lists[L.closed, head]
    s.pool[P.closed_head] = 0 if head + 1 == s.lists.shape[1] else head + 1
    s.pool[P.closed] -= 1
    generation = s.offers[O.generation, row]
    for field in range(s.offers.shape[0]):
        s.offers[field, row] = 0
    s.offers[O.generation, row] = generation + 1
    heap_push(s.lists[L.free_offers], s.pool[P.offers_free], row)
    s.pool[P.offers_free] += 1


@part
def remember_closed(s: State, row: int) -> None:
    """Behind all others that are closed."""
    at = s.pool[P.closed_head] + s.pool[P.closed]
    if at >= s.lists.shape[1]:
        at -= s.lists.shape[1]
    s.lists[L.closed, at] = row
    s.pool[P.closed] += 1


# --- deadlines ------------------------------------------------------------------------------------------
@part
def _arm(s: State, kind: int, row: int, at_ms: int) -> None:
    if s.pool[P.words] == s.lists.shape[1]:
        _rebuild(s)
    heap_push(s.lists[L.words], s.pool[P.words], at_ms << SHIFT | kind << 16 | row)
    s.pool[P.words] += 1


@part
def arm_agent(s: State, row: int, at_ms: int) -> None:
    """Deadline of his state; 0: none."""
    s.agents[A.deadline, row] = at_ms
    if at_ms:
        _arm(s, AGENT, row, at_ms)


@part
def arm_entry(s: State, row: int, at_ms: int) -> None:
    """Deadline of the caller's state; 0: none."""
    s.entries[E.deadline, row] = at_ms
    if at_ms:
        _arm(s, ENTRY, row, at_ms)


@part
def arm_offer(s: State, row: int, at_ms: int) -> None:
    """While it rings; 0: none."""
    s.offers[O.deadline, row] = at_ms
    if at_ms:
        _arm(s, OFFER, row, at_ms)


@part
def arm_more(s: State, row: int, at_ms: int) -> None:
    """One more phone may ring for this caller then."""
    s.entries[E.more_at, row] = at_ms
    _arm(s, MORE, row, at_ms)


@part
def _live(s: State, word: int) -> bool:
    """Does the row's column still say so?"""
    at_ms, kind, row = word >> SHIFT, word >> 16 & KINDS, word & 0xFFFF
    if kind == OFFER:
        return bool(s.offers[O.deadline, row] == at_ms)
    if kind == ENTRY:
        return bool(s.entries[E.deadline, row] == at_ms)
    if kind == AGENT:
        return bool(s.agents[A.deadline, row] == at_ms)
    return bool(s.entries[E.more_at, row] == at_ms)


@part
def _rebuild(s: State) -> None:
    """Exactly the live deadlines, each once: at most one per offer and agent and two per caller, so there is room."""
    s.pool[P.words] = 0
    for row in range(s.pool[P.offers_used]):
        _again(s, OFFER, row, s.offers[O.deadline, row])
    for row in range(s.pool[P.entries_used]):
        _again(s, ENTRY, row, s.entries[E.deadline, row])
        _again(s, MORE, row, s.entries[E.more_at, row])
    for row in range(s.agents.shape[1]):
        _again(s, AGENT, row, s.agents[A.deadline, row])


@part
def _again(s: State, kind: int, row: int, at_ms: int) -> None:
    if at_ms:
        heap_push(s.lists[L.words], s.pool[P.words], at_ms << SHIFT | kind << 16 | row)
        s.pool[P.words] += 1


@part
def next_deadline(s: State) -> int:
    """The earliest in ms, −1 none. Words that nothing waits for fall out."""
    while s.pool[P.words] > 0:
        word = s.lists[L.words, 0]
        if _live(s, word):
            return int(word >> SHIFT)
        heap_pop(s.lists[L.words], s.pool[P.words])
        s.pool[P.words] -= 1
    return -1


@part
def pop_due(s: State, now_ms: int) -> int:
    """kind << 16 | row of the earliest deadline that is due, its column cleared; −1: nothing is due."""
    at_ms = next_deadline(s)
    if at_ms < 0 or at_ms > now_ms:
        return -1
    word = heap_pop(s.lists[L.words], s.pool[P.words])
    s.pool[P.words] -= 1
    kind, row = word >> 16 & KINDS, word & 0xFFFF
    if kind == OFFER:
        s.offers[O.deadline, row] = 0
    elif kind == ENTRY:
        s.entries[E.deadline, row] = 0
    elif kind == AGENT:
        s.agents[A.deadline, row] = 0
    else:
        s.entries[E.more_at, row] = 0
    return int(kind << 16 | row)


# --- lines ----------------------------------------------------------------------------------------------
@part
def touch(s: State, queue: int) -> None:
    """Look at it in the next settle."""
    if s.queues[Q.touched, queue] == 0:
        s.queues[Q.touched, queue] = 1
        s.lists[L.touched, s.pool[P.touched]] = queue
        s.pool[P.touched] += 1


@part
def _before(s: State, one: int, other: int) -> bool:
    """Does entry `one` have the earlier place?"""
    if s.entries[E.effective, one] != s.entries[E.effective, other]:
        return bool(s.entries[E.effective, one] < s.entries[E.effective, other])
    return bool(s.entries[E.sequence, one] < s.entries[E.sequence, other])


@part
def put(s: State, line: int, queue: int, entry: int) -> None:
    """Into a list (ORDER or WAITING) of the queue, at his place, looked for from both ends at once."""
    head, tail, count = (
        (Q.order_head, Q.order_tail, Q.order) if line == ORDER else (Q.waiting_head, Q.waiting_tail, Q.waiting)
    )
    lists, queues = s.lists, s.queues
    before, after = queues[tail, queue], queues[head, queue]
    found = False
    while not found:
        if before < 0 or _before(s, before, entry):
            after = lists[line, before] if before >= 0 else queues[head, queue]
            found = True
        elif _before(s, entry, after):
            before = lists[line + 1, after]
            found = True
        else:
            before, after = lists[line + 1, before], lists[line, after]
    lists[line, entry], lists[line + 1, entry] = after, before
    if before >= 0:
        lists[line, before] = entry
    else:
        queues[head, queue] = entry
    if after >= 0:
        lists[line + 1, after] = entry
    else:
        queues[tail, queue] = entry
    queues[count, queue] += 1


@part
def drop(s: State, line: int, queue: int, entry: int) -> None:
    """Out of a list that he is in."""
    head, tail, count = (
        (Q.order_head, Q.order_tail, Q.order) if line == ORDER else (Q.waiting_head, Q.waiting_tail, Q.waiting)
    )
    after, before = s.lists[line, entry], s.lists[line + 1, entry]
    if before >= 0:
        s.lists[line, before] = after
    else:
        s.queues[head, queue] = after
    if after >= 0:
        s.lists[line + 1, after] = before
    else:
        s.queues[tail, queue] = before
    s.queues[count, queue] -= 1


@part
def same_needs(s: State, one: int, other: int) -> bool:
    """Do two entries ask for the same skills?"""
    place = 0
    while place < NEEDS_MAX and s.entries[NEED0 + place, one] == s.entries[NEED0 + place, other]:
        if s.entries[NEED0 + place, one] == 0:
            return True  # no needs behind the first empty place
        place += 1
    return place == NEEDS_MAX

"""Offer rows: an agent's phone that rings for a caller. Row keeping only; agents and entries are stepped by callers.

An offer's id is generation << 16 | row, so it is never reused and an old one finds its row in other hands.
Closed offers are remembered for LATE_MS: an answer that crosses the cancel is told why it lost.
"""

from __future__ import annotations

from engine import limits
from engine.acd.commands import CancelOffer, Offer, OfferEnded
from engine.acd.pool import LATE_MS, OFFER_GRACE_MS, Pool, bounded
from engine.acd.tables import O_CLOSED, O_FREE, O_RINGING, O_WON

# how offers end; `_CANCEL_REASONS` are those that CancelOffer knows, a late answer to any other end hears "timeout"
REASONS = (
    "", "answered", "no_answer", "busy", "rejected", "do_not_disturb", "forwarded", "unreachable", "error",
    "answered_elsewhere", "caller_gone", "timeout", "agent_state", "moved",
)  # fmt: skip
_CANCEL_REASONS = ("answered_elsewhere", "caller_gone", "timeout", "agent_state", "moved")
# reason of OfferFailed -> (delay in QueueSpec before he is asked again, does it count as a miss)
FAILURES = {
    "no_answer": ("delay_no_answer_ms", True),  # he isn't at his desk: misses_max in a row end in not ready
    "busy": ("delay_busy_ms", False),  # he is there, on a line that we don't see
    "rejected": ("delay_reject_ms", False),  # he is there and said no
    "do_not_disturb": ("delay_do_not_disturb_ms", False),  # he said no for a while
    "forwarded": ("delay_forwarded_ms", True),  # his phone sends calls elsewhere: nobody at the desk
    "unreachable": ("delay_unreachable_ms", False),  # the network's fault; AgentReachable tells more
    "error": ("delay_error_ms", False),  # our own fault
}


def find(pool: Pool, offer: int) -> int:
    """The row of an offer id, -1 when nobody knows it any more."""
    row = offer & 0xFFFF
    if offer <= 0 or row >= pool.offers.used or pool.offers.id[row] != offer or pool.offers.state[row] == O_FREE:
        return -1
    return row


def start(pool: Pool, entry: int, agent: int, now_ms: int) -> int:
    """Let the agent's phone ring for the caller; the row, or -1 when every row is in use."""
    row = _take(pool, now_ms)
    if row < 0:
        return -1
    offers, entries, agents = pool.offers, pool.entries, pool.agents
    queue = pool.queue_at(entries.queue[entry])
    ring_ms = bounded(queue.spec.ring_ms_max, limits.ring_ms_max)
    offer = offers.generation[row] << 16 | row
    call, agent_id = entries.call[entry], agents.id[agent]
    offers.id[row], offers.call_id[row], offers.agent_id[row] = offer, call, agent_id
    offers.state[row] = O_RINGING
    offers.entry[row], offers.agent[row], offers.queue[row] = entry, agent, queue.row
    offers.started[row] = now_ms
    pool.arm_offer(row, now_ms + ring_ms + OFFER_GRACE_MS)
    offers.next[row] = entries.first[entry]
    entries.first[entry] = row
    entries.ringing[entry] += 1
    agents.offer[agent] = row
    agents.offered[agent] += 1
    agents.last_offered[agent] = now_ms
    agents.serves[agent] = queue.row + 1
    queue.tally.offers += 1
    pool.out.append(Offer(offer, call, agent_id, queue.spec.id, ring_ms))
    return row


def _take(pool: Pool, now_ms: int) -> int:
    """A free row; closed ones whose memory has run out come first, the oldest closed one when nothing else is left."""
    offers = pool.offers
    closed = pool.closed
    while closed and offers.until[closed[0]] <= now_ms:
        offers.give(closed.popleft())
    row = offers.take()
    if row < 0 and closed:
        offers.give(closed.popleft())
        row = offers.take()
    return row


def ringing(pool: Pool, entry: int) -> list[int]:
    """The offers that ring for a caller, in the order in which they were made."""
    rows = []
    row = pool.entries.first[entry]
    while row >= 0:
        rows.append(row)
        row = pool.offers.next[row]
    rows.reverse()
    return rows


def unlink(pool: Pool, row: int) -> None:
    """Out of the caller's list of ringing offers."""
    offers, entries = pool.offers, pool.entries
    entry = offers.entry[row]
    after = offers.next[row]
    if entries.first[entry] == row:
        entries.first[entry] = after
    else:
        before = entries.first[entry]
        while offers.next[before] != row:
            before = offers.next[before]
        offers.next[before] = after
    offers.next[row] = -1
    entries.ringing[entry] -= 1


def win(pool: Pool, row: int, now_ms: int) -> None:
    """It was answered first: it lives on with the conversation."""
    unlink(pool, row)
    pool.offers.state[row] = O_WON
    pool.arm_offer(row, 0)
    tell_end(pool, row, "answered", now_ms)


def close(pool: Pool, row: int, reason: str, now_ms: int, *, cancel: bool) -> None:
    """End an offer that rings or was won. `cancel`: the owner is still ringing the phone and must stop."""
    offers = pool.offers
    was = offers.state[row]
    if was == O_RINGING:
        unlink(pool, row)
    offers.state[row] = O_CLOSED
    offers.reason[row] = REASONS.index(reason)
    offers.until[row] = now_ms + LATE_MS
    pool.arm_offer(row, 0)
    pool.closed.append(row)
    agent = offers.agent[row]
    if pool.agents.offer[agent] == row:
        pool.agents.offer[agent] = -1
    if was == O_RINGING:
        if cancel:
            tell_lost(pool, row)
        tell_end(pool, row, reason, now_ms)


def tell_lost(pool: Pool, row: int) -> None:
    """Stop ringing, or hang this late answer up."""
    offers = pool.offers
    reason = REASONS[offers.reason[row]]
    if reason not in _CANCEL_REASONS:
        reason = "caller_gone" if reason == "answered" else "timeout"
    pool.out.append(CancelOffer(offers.id[row], offers.agent_id[row], offers.call_id[row], reason))


def tell_end(pool: Pool, row: int, reason: str, now_ms: int) -> None:
    offers = pool.offers
    pool.out.append(
        OfferEnded(
            offers.id[row],
            offers.call_id[row],
            offers.agent_id[row],
            pool.queue_at(offers.queue[row]).spec.id,
            reason,
            now_ms - offers.started[row],
        )
    )

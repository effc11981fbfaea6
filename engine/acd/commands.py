"""What the distributor asks for and announces."""

from __future__ import annotations

import msgspec


class Offer(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """Ring this agent for this call; answer with OfferAnswered or OfferFailed(offer, …) within ring_ms_max."""

    offer: int
    call: int
    agent: int
    queue: int
    ring_ms_max: int


class CancelOffer(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """Stop ringing: `reason` answered_elsewhere | caller_gone | timeout | agent_state | moved."""

    offer: int
    agent: int
    call: int
    reason: str


class Connect(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """This offer won: bridge call and agent now. `waited_ms` since joining."""

    offer: int
    call: int
    agent: int
    queue: int
    waited_ms: int


class Recall(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """Ring this absent caller up: `agent` is free or about to be, and put aside for him.

    Answer with CallHere, CallAway (not reached) or CallLeft within `recall_ms_max` of the queue.
    """

    call: int
    queue: int
    agent: int


class EntryEnded(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """The call may not stay: `reason` full | no_agents | timeout. The dialplan goes on.

    `position` is the 1-based place where he stood when his time was over, 0 for who was never let in.
    """

    call: int
    queue: int
    reason: str
    waited_ms: int
    position: int = 0


class AgentChanged(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """State change, with the cause in words, for records, lamps and the console."""

    agent: int
    old: str
    new: str
    reason: str
    queue: int = -1
    call: int = -1


class OfferEnded(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """For records: how an offer ended (answered, no_answer, …, answered_elsewhere, caller_gone) and after how long."""

    offer: int
    call: int
    agent: int
    queue: int
    reason: str
    rang_ms: int


class Widened(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """A waiting caller has come to the next stage of his plan: other needs, or a wider ring. Stages count from 1."""

    call: int
    queue: int
    stage: int
    ring: int
    waited_ms: int


class Decided(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """For records: whom a caller is offered to now and why, or that there is nobody (`asked` empty). See `brief`.

    `strategy`: or "preference"; `key`: the winner's columns; `others`: candidates who were not asked; `against`:
    agents by the first reason against them. `near`: the first of those others as (agent, column by which he lost, ""),
    or where nobody is asked the first agents of the queue, those who could serve him first, as (agent, word, detail).
    """

    call: int
    queue: int
    asked: tuple[int, ...]
    strategy: str
    key: tuple[tuple[str, int], ...]
    others: int
    against: tuple[tuple[tuple[str, str], int], ...]
    near: tuple[tuple[int, str, str], ...]


class Breach(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """An invariant did not hold; what was healed (DESIGN law 6)."""

    rule: str
    detail: str


AcdCommand = (
    Offer | CancelOffer | Connect | Recall | EntryEnded | AgentChanged | OfferEnded | Breach | Widened | Decided
)

"""What a pool is made of, as configured: queues and agents with their skills and tiers (no state)."""

from __future__ import annotations

import msgspec

NONE, OPTIONAL, OPTIONAL_TIMED, TIMED, DISCRETIONARY = WRAP_UP_MODES = (
    "none", "optional", "optional-timed", "mandatory-timed", "mandatory-discretionary",
)  # fmt: skip
Program = tuple[tuple[int, int], ...]  # postfix, (code, argument): see `custom`


class Policy(msgspec.Struct, frozen=True, array_like=True):
    """A site's own: `order` as the key, smallest first; who may be asked at all by `admit`, () everybody."""

    order: tuple[Program, ...]
    admit: Program = ()


class Ring(msgspec.Struct, frozen=True, array_like=True):
    """One ring of a queue, beside those before it: whom it adds, which skills it drops, how long it lasts.

    It adds the agents whose level in the queue is `level` or better and those of `teams` and `offices`; with none of
    them and `borrows` False it adds everybody. Agents of other queues are in it by a level of their own
    (`widening.BORROWED`).
    """

    level: int = 0
    teams: tuple[str, ...] = ()
    without: tuple[int, ...] = ()  # skill numbers
    for_ms: int = 0  # of the last ring: until the end
    borrows: bool = False
    offices: tuple[int, ...] = ()


class QueueSpec(msgspec.Struct, frozen=True):
    """One queue. `id` is stable over reloads (assigned by name); times in ms; a maximum of 0 means the limit's."""

    id: int
    name: str
    tenant: str = "default"
    strategy: str = "longest-idle-agent"
    ring_ms_max: int = 20_000
    wrap_up_ms: int = 0
    entries_max: int = 0
    wait_ms_max: int = 0
    join_empty: bool = True  # False: a caller is refused (no_agents) when nobody is logged in
    weight: int = 0
    service_level_ms: int = 20_000
    delay_no_answer_ms: int = 5_000  # agent rests after RONA before the next offer
    delay_busy_ms: int = 10_000
    delay_reject_ms: int = 10_000
    misses_max: int = 3  # RONAs in a row before the agent is set not ready; 0 never
    offers_max: int = 0  # phones that ring at once for one caller (ring-all); 0: offers_parallel_max
    delay_do_not_disturb_ms: int = 60_000
    delay_forwarded_ms: int = 30_000
    delay_unreachable_ms: int = 10_000
    delay_error_ms: int = 5_000
    progress_ms: int = 10_000  # ring-progressively: one more phone each time
    rings: tuple[Ring, ...] = ()  # who may be asked first, and whom waiting adds: see `widening`
    policy: Policy | None = None  # of the strategy `custom`
    recall_lead_ms: int = 10_000  # an absent caller is rung up so long before an agent's wrap-up or rest ends
    recall_ms_max: int = 90_000  # the owner has said by then whether he was reached
    wrap_up_mode: str = ""  # a word of WRAP_UP_MODES; "": timed when wrap_up_ms says a time, else none
    wrap_up_early: bool = True  # may he end a wrap-up that he didn't ask for himself?
    wrap_up_coded: bool = False  # he can't end it before its code is known
    wrap_up_extend_ms: int = 30_000  # one extension of a wrap-up
    wrap_up_extensions_max: int = 2  # a conversation; 0 none
    starve_ms: int = 900_000  # who has waited so long comes first whatever weight and priority say; 0 never
    # agents kept ready: (queue id, 0, how many) for that queue's callers, (-1, class, how many) for a class of its own
    reserve: tuple[tuple[int, int, int], ...] = ()
    hard_hold_ms: int = 30_000  # so long a hard call waits for an agent who hasn't had his share of them


class RestRule(msgspec.Struct, frozen=True):
    """What rest an agent is owed (`rests`). Times in ms; 0 means: no such rule."""

    ceiling: int = 0  # per mille of the window that may be ringing, talk, wrap-up and other calls
    window_ms: int = 3_600_000
    pause_ms: int = 0  # between the end of his work on a call and the next offer
    long_talk_ms: int = 0  # after so much talk without a rest of rest_ms …
    rest_ms: int = 0  # … he rests so long
    gives_way_ms: int = 0  # a caller who has waited so long ends it; 0: nobody does
    started_ms: int = 0  # his first day, in the pool's time (before its beginning: negative)
    ramp_days: int = 0  # so many days his calls are counted …
    ramp_from: int = 0  # … from so many an hour
    ramp_to: int = 0  # … to so many


class AgentSpec(msgspec.Struct, frozen=True):
    """One agent. `queues`: (queue id, level, position), level 1 first; `skills`: (skill number, level 1–16)."""

    id: int
    name: str
    tenant: str = "default"
    queues: tuple[tuple[int, int, int], ...] = ()
    skills: tuple[tuple[int, int], ...] = ()
    wrap_up_ms: int = -1  # -1: the queue's
    second_line: bool = False  # True: a call of another kind doesn't occupy him for offers
    team: str = ""
    wrap_up_mode: str = ""  # his own instead of the queue's, with wrap_up_ms and wrap_up_early; "": the queue's
    wrap_up_early: bool = True
    on_demand: bool = False  # one call, then not ready until he asks for the next
    rests: RestRule | None = None
    office: int = 0  # number of where he is, 0 not said
    latency_ms: int = 0  # of the way there and back
    cost: int = 0  # of a call with him, in units of the site's

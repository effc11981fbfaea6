"""Why this agent: a decision explained from the pool, in full on demand, and in a few bytes always.

`explain` looks at every agent of the queue: what speaks against him (`reasons`), and of the candidates the key by
which the strategy compared them. It reads the columns and terms that the pick reads, so it can't tell another story
than the one that happened. It is for `ringdown why --all`, which replays the journal up to the decision.

`brief` is what production keeps of each decision, made just before the offer and when a caller begins to wait for
whom there is nobody: counts by reason, the winner's key, and the NAMED_MAX agents who were nearest. It looks at each
agent of the queue once, or at columns as a whole where there are many.
"""

from __future__ import annotations

from collections import Counter

import msgspec
import numpy as np

from engine.acd import occupancy, policy, preference, reasons, turns
from engine.acd.columns import AgentColumns, TeamColumns
from engine.acd.commands import Decided, Near
from engine.acd.policy import AGENT, SKILL, STRATEGIES, TEAM, Term
from engine.acd.pool import Pool, Queue
from engine.acd.reasons import Reason
from engine.acd.tables import AGENT_STATES, LOGGED_OUT, NOT_READY, READY

NAMED_MAX = 8
ONE_BY_ONE_MAX = 32  # agents of a queue: above, columns as a whole are cheaper (bench_explain)
PREFERENCE = "preference"  # in the place of a strategy: he waits for one agent
ORDER = "order"  # where all terms tie: the order of level, position and agent
Shown = tuple[str, int]

# how a term's column is told: its name with a unit, and whether it is a time that counts from now back
_TOLD = {
    "level": ("level", False), "position": ("position", False), "turn": ("had_turn", False), "lot": ("lot", False),
    "idle_since": ("idle_ms", True), "last_end": ("since_talk_ms", True), "last_offered": ("since_offer_ms", True),
    "call_load": ("calls", False), "talk_load": ("talk_ms", False), "loa": ("occupancy_permille", False),
}  # fmt: skip


class Seat(msgspec.Struct, frozen=True):
    """One agent of the queue. `against` () makes him a candidate; `picked`, or else what he lost by: the name of a
    column, ORDER, or "" where something speaks against him. `key`: of a candidate, smaller is better, as compared;
    `shown`: the same as it is told."""

    agent: int
    level: int
    against: tuple[Reason, ...] = ()
    picked: bool = False
    lost_by: str = ""
    key: tuple[int, ...] = ()
    shown: tuple[Shown, ...] = ()


class Explanation(msgspec.Struct, frozen=True):
    """A decision, or that there was none to make. `needs`: (skill number, level); `columns` name the key's places."""

    call: int
    queue: int
    strategy: str
    needs: tuple[tuple[int, int], ...]
    ring: int
    waited_ms: int
    columns: tuple[str, ...]
    seats: tuple[Seat, ...]

    @property
    def picked(self) -> tuple[int, ...]:
        """Agent ids, best first."""
        return tuple(seat.agent for seat in sorted(self.seats, key=lambda each: each.key) if seat.picked)


def explain(pool: Pool, queue: Queue, entry: int, now_ms: int, count_max: int = 0) -> Explanation:
    """Every agent of the queue for this caller now; `count_max`: phones that may ring, 0: as for a first offer."""
    turns.prepare(pool, queue, entry)
    shut = reasons.barred(pool, queue, entry, now_ms)  # a site's own policy writes its ranks here
    strategy = STRATEGIES[queue.strategy]
    prefers = preference.holds(pool, queue, entry, now_ms)
    needs = () if prefers else pool.needs_of(entry)
    found = {row: reasons.against(pool, row, needs, shut) for row in reasons.seats(pool, queue)}
    able = [row for row, spoken in found.items() if not spoken]
    keys = {row: tuple(_value(pool, row, term, needs) * term.sign for term in strategy.terms) for row in able}
    order = sorted(able, key=lambda row: (keys[row], row))
    count = count_max or (1 if prefers else policy.offers_first(queue))
    chosen = [row for row in order if keys[row] == keys[order[0]]][:count]
    seats = []
    for row, spoken in found.items():
        agent = pool.team.agent[row]
        lost = "" if spoken or row in chosen else lost_by(pool, strategy.terms, row, chosen[0], needs)
        seats.append(Seat(
            pool.agents.id[agent], pool.team.level[row], spoken, row in chosen, lost, keys.get(row, ()),
            tuple(_shown(pool, row, term, needs, now_ms) for term in strategy.terms) if not spoken else (),
        ))  # fmt: skip
    return Explanation(
        pool.entries.call[entry], queue.spec.id, PREFERENCE if prefers else strategy.name,
        tuple((need >> 8, need & 0xFF) for need in needs), pool.entries.ring[entry],
        now_ms - pool.entries.joined[entry], tuple(_name(term) for term in strategy.terms), tuple(seats),
    )  # fmt: skip


# --- what is always kept --------------------------------------------------------------------------------------
def brief(pool: Pool, queue: Queue, entry: int, rows: list[int], now_ms: int) -> None:
    """Tell the owner of a decision: these membership rows are asked now, [] nobody can be. Costs µs, see bench."""
    shut = reasons.barred(pool, queue, entry, now_ms)
    prefers = bool(shut) and preference.holds(pool, queue, entry, now_ms)
    needs = () if prefers else pool.needs_of(entry)
    strategy = STRATEGIES[queue.strategy]
    many = queue.end_row - queue.first_row > ONE_BY_ONE_MAX
    counts, others, near = (_many if many and not shut else _each)(pool, queue, needs, shut, rows)
    ids, agent_of = pool.agents.id, pool.team.agent
    named = []
    for row in others[:NAMED_MAX]:
        lost = lost_by(pool, strategy.terms, row, rows[0], needs) if rows else ORDER
        named.append(Near(ids[agent_of[row]], lost))
    for row, reason in near[: NAMED_MAX - len(named)]:
        named.append(Near(ids[agent_of[row]], *reason))
    key: tuple[Shown, ...] = ()
    if rows:
        key = tuple([_shown(pool, rows[0], term, needs, now_ms) for term in strategy.terms])
    pool.out.append(Decided(
        pool.entries.call[entry], queue.spec.id, tuple([ids[agent_of[row]] for row in rows]),
        PREFERENCE if prefers else strategy.name, key, len(others), tuple(counts.items()), tuple(named),
    ))  # fmt: skip


Sorted = tuple[dict[Reason, int], list[int], list[tuple[int, Reason]]]


def _each(pool: Pool, queue: Queue, needs: tuple[int, ...], shut: dict[int, list[Reason]], rows: list[int]) -> Sorted:
    """(counts by first reason; candidates who aren't asked; the others with their reason, those who could first)."""
    counts: dict[Reason, int] = {}
    candidates: list[int] = []
    able: list[tuple[int, Reason]] = []
    unable: list[tuple[int, Reason]] = []
    agents, agent_of, held, paused = pool.agents, pool.team.agent, pool.skill_of, pool.pause_reasons
    idle, states = agents.idle, agents.state
    for row in reasons.seats(pool, queue):
        agent = agent_of[row]
        reason: Reason | None = None
        if needs:
            skills = held[agent]
            for need in needs:
                if skills.get(need >> 8, 0) < need & 0xFF:
                    reason = ("lacks", str(need >> 8))
                    break
        if reason is None and shut and row in shut:
            reason = shut[row][0]
        if reason is not None:
            unable.append((row, reason))
        elif idle[agent]:
            if row not in rows:
                candidates.append(row)
            continue
        else:
            state = states[agent]
            if state == READY:
                reason = reasons.absence(pool, agent) or ("aside", "")
            else:
                reason = (AGENT_STATES[state], paused[agent] if state == NOT_READY else "")
            if state != LOGGED_OUT:
                able.append((row, reason))
        counts[reason] = counts.get(reason, 0) + 1
    return counts, candidates, able + unable


_AGENT = TeamColumns.index("agent")
_STATE, _IDLE = AgentColumns.index("state"), AgentColumns.index("idle")


def _many(pool: Pool, queue: Queue, needs: tuple[int, ...], shut: dict[int, list[Reason]], rows: list[int]) -> Sorted:
    """As `_each`, for a queue of many agents and a caller for whom nobody is barred; names no more than are kept."""
    counts: dict[Reason, int] = {}
    agents = pool.team.block[_AGENT, queue.first_row : queue.end_row]
    fits = np.ones(len(agents), dtype=bool)
    if pool.agents.free:
        fits &= ~np.isin(agents, pool.agents.free)
    unable: list[tuple[int, Reason]] = []
    for need in needs:
        skill, level = need >> 8, need & 0xFF
        holds = pool.skills[agents, skill] >= level if skill < pool.skills.shape[1] else np.zeros(len(agents), bool)
        lacks = np.flatnonzero(fits & ~holds)
        if lacks.size:
            reason = ("lacks", str(skill))
            counts[reason] = counts.get(reason, 0) + int(lacks.size)
            unable += [(queue.first_row + int(place), reason) for place in lacks[:NAMED_MAX]]
        fits &= holds
    idle = pool.agents.block[_IDLE][agents] == 1
    candidates = [queue.first_row + place for place in np.flatnonzero(fits & idle).tolist()]
    states = pool.agents.block[_STATE][agents]
    able: list[tuple[int, Reason]] = []
    for state, count in enumerate(np.bincount(states[fits & ~idle], minlength=len(AGENT_STATES)).tolist()):
        if not count:
            continue
        places = np.flatnonzero(fits & ~idle & (states == state))
        detailed = state in (READY, NOT_READY)
        for place in (places if detailed else places[:NAMED_MAX]).tolist():
            row = queue.first_row + place
            reason = reasons.absence(pool, pool.team.agent[row]) or ("aside", "")
            if detailed:
                counts[reason] = counts.get(reason, 0) + 1
            if state != LOGGED_OUT:
                able.append((row, reason))
        if not detailed:
            counts[AGENT_STATES[state], ""] = count
    chosen = Counter(rows)
    return counts, [row for row in candidates if row not in chosen], sorted(able) + sorted(unable)


# --- keys -------------------------------------------------------------------------------------------------------
def lost_by(pool: Pool, terms: tuple[Term, ...], row: int, winner: int, needs: tuple[int, ...]) -> str:
    """The first column in which a candidate is worse than the winner; ORDER where all tie."""
    for term in terms:
        if _value(pool, row, term, needs) != _value(pool, winner, term, needs):
            return _name(term)
    return ORDER


def _value(pool: Pool, row: int, term: Term, needs: tuple[int, ...]) -> int:
    """What the pick compares."""
    return policy.values(pool, [row], term, needs)[0]


def _name(term: Term) -> str:
    return "skill_level" if term.source == SKILL else _TOLD[term.field][0]


def _shown(pool: Pool, row: int, term: Term, needs: tuple[int, ...], now_ms: int) -> Shown:
    """A key's column as people know it: ages instead of times, whole calls, −1 for never."""
    value = _value(pool, row, term, needs)
    if term.source == SKILL:
        return "skill_level", -value
    name, ages = _TOLD[term.field]
    if ages:
        never = term.field != "idle_since" and value == 0
        return name, -1 if never else now_ms - value
    if term.field == "call_load":
        return name, value >> 16
    if term.field == "loa":
        return name, occupancy.at(pool, pool.team.agent[row], now_ms) * 1_000 >> 32
    return name, value


assert {term.field for each in STRATEGIES for term in each.terms if term.source in (TEAM, AGENT)} <= set(_TOLD)

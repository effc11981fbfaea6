"""Why this agent: a decision explained from the pool, in full and on demand.

`explain` looks at every agent of the queue: what speaks against him (`reasons`), and of the candidates the key by
which the strategy compared them. It reads the columns and terms that the pick reads, so it can't tell another story
than the one that happened. It is for `ringdown why --all`, which replays the journal up to the decision; what is kept
of every decision is `brief`.
"""

from __future__ import annotations

import msgspec

from engine.acd import occupancy, policy, preference, reasons, turns
from engine.acd.policy import AGENT, SKILL, STRATEGIES, TEAM, Term
from engine.acd.pool import Pool, Queue
from engine.acd.reasons import Reason

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
    columns = [policy.values(pool, able, term, needs) for term in strategy.terms]
    keys = {
        row: tuple(column[place] * term.sign for column, term in zip(columns, strategy.terms, strict=True))
        for place, row in enumerate(able)
    }
    order = sorted(able, key=lambda row: (keys[row], row))
    count = count_max or (1 if prefers else policy.offers_first(queue))
    chosen = [row for row in order if keys[row] == keys[order[0]]][:count]
    seats = []
    for row, spoken in found.items():
        agent = pool.team.agent[row]
        shown, lost = compare(pool, strategy.terms, row, chosen[:1], needs, now_ms) if not spoken else ((), [""])
        seats.append(Seat(
            pool.agents.id[agent], pool.team.level[row], spoken, row in chosen, "" if row in chosen else lost[0],
            keys.get(row, ()), shown,
        ))  # fmt: skip
    return Explanation(
        pool.entries.call[entry], queue.spec.id, PREFERENCE if prefers else strategy.name,
        tuple((need >> 8, need & 0xFF) for need in needs), pool.entries.ring[entry],
        now_ms - pool.entries.joined[entry], tuple(name_of(term) for term in strategy.terms), tuple(seats),
    )  # fmt: skip


# --- keys -------------------------------------------------------------------------------------------------------
def compare(
    pool: Pool, terms: tuple[Term, ...], winner: int, others: list[int], needs: tuple[int, ...], now_ms: int
) -> tuple[tuple[Shown, ...], list[str]]:
    """(the winner's key as it is told, for each of the other candidates the first column in which he is worse)."""
    lost = [ORDER] * len(others)
    key = []
    for term in terms:
        first, *rest = policy.values(pool, [winner, *others], term, needs)
        key.append(_told(pool, winner, term, first, now_ms))
        if rest.count(first) == len(rest):
            continue
        name = name_of(term)
        lost = [name if was is ORDER and value != first else was for was, value in zip(lost, rest, strict=True)]
    return tuple(key), lost


def name_of(term: Term) -> str:
    """The column of a key by the name under which it is told."""
    return "skill_level" if term.source == SKILL else _TOLD[term.field][0]


def _told(pool: Pool, row: int, term: Term, value: int, now_ms: int) -> Shown:
    """A key's column as people know it: ages instead of times, whole calls, −1 for never."""
    if term.source == SKILL:
        return "skill_level", -value
    name, ages = _TOLD[term.field]
    if ages:
        return name, -1 if not value and term.field != "idle_since" else now_ms - value
    if term.field == "call_load":
        return name, value >> 16
    if term.field == "loa":
        return name, occupancy.at(pool, pool.team.agent[row], now_ms) * 1_000 >> 32
    return name, value


assert {term.field for each in STRATEGIES for term in each.terms if term.source in (TEAM, AGENT)} <= set(_TOLD)

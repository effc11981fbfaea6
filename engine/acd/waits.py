"""How long will he wait? A distribution from the pool's own state, so that a promise can be kept (field.md D9).

The wait is the time until enough agents have come free for everybody who is served before this caller, and for him:

- **Ahead** are those who wait in his queue with an older effective age (priority is age), and those of other queues
  with whom he shares agents, in the proportion in which the shared agents serve them. A caller whose needs an agent
  lacks doesn't compete for him. A part of the team that nobody else waits for counts by itself, too: whichever part
  serves him first.
- **Agents** who fit and are alerting, talking or wrapping up come free by what was learnt of handling times, given for
  how long each has been busy, and again and again after that (`curves`). Agents who are away don't count.
- **Giving up**: those ahead who lose patience shorten the wait, by a hazard learnt from waits censored by answers.
- **Overtaking**: callers of higher priority (or of a heavier queue) who come while their age still beats his.

Let n be those ahead and him, s(t) the rate at which agents come free, h(t) the hazard of giving up, o(t) the rate of
overtaking, H = ∫h. N, the number left before him, obeys dN = −s − hN + o, so e^H·N is a sum of independent steps with
mean n − M(t), M = ∫ e^H (s − o), and variance V = ∫ e^2H (s' + hN + o), s' being the variance of s. He is served by t
with the probability that a Poisson count of mean M/I reaches n/I, I = V/M: exact for one queue with exponential
handling times, where it is Erlang's law. Where many overtake, the first passage of a Brownian motion takes over.
What was learnt is itself uncertain: V grows by (M · rho)².

Floats stay inside: what comes out are whole milliseconds, a function of the pool's state alone.
"""

from __future__ import annotations

from bisect import bisect_left
from math import erfc

import msgspec
import numpy as np

from engine.acd.columns import AgentColumns, EntryColumns, TeamColumns
from engine.acd.curves import AGE_BINS, AGES, GRID, Curves, FloatArray
from engine.acd.pool import Mask, Place, Pool, Queue
from engine.acd.stages import merge
from engine.acd.tables import AGENT_STATES, ALERTING, E_ABSENT, E_WAITING, READY, RESTING, TALKING, WRAP_UP, IntArray

CALLS_MIN = 16  # conversations learnt before anything is promised
PROBABILITIES = (10, 50, 100, 250, 500, 750, 900, 950, 990)  # per mille, of `WaitEstimate.quantiles`
SAMPLE = 48  # callers ahead whose needs are looked at
SETS = 4  # other lines that are weighed against his own, the longest first
DOUBT = 0.05  # relative: loads and teams are never quite what they were
DOUBT_SHARED = 0.10  # more where several lines share agents

# the same in standard deviations of a normal
_DEVIATIONS: FloatArray = np.array(
    [-2.326348, -1.644854, -1.281552, -0.674490, 0.0, 0.674490, 1.281552, 1.644854, 2.326348]
)
_ROOTS: FloatArray = np.cbrt(GRID)
_STATE, _SINCE, _DEADLINE = (AgentColumns.index(name) for name in ("state", "since", "deadline"))
_OFFERED, _SERVES, _IDLE = (AgentColumns.index(name) for name in ("last_offered", "serves", "idle"))
_AGENT, _RING, _NEED = TeamColumns.index("agent"), TeamColumns.index("ring"), EntryColumns.index("need0")
_WISH = AgentColumns.index("wish")
# alerting, talking, wrapping up, or resting after a miss: he comes free by himself
_WORKING = np.array([state in (ALERTING, TALKING, WRAP_UP, RESTING) for state in range(len(AGENT_STATES))])


class WaitEstimate(msgspec.Struct, frozen=True):
    """A wait from now until he is answered, in ms. Nine of ten such waits lie within low_ms … high_ms.

    `quantiles`: at PROBABILITIES per mille, ascending. `basis`: "now" (an agent who fits is idle) | "queue" (from the
    agents who come free) | "ringing" (a phone rings for him already). `ahead`: callers who are served before him,
    those of other queues in proportion. `agents`: who can serve him and is at work.
    """

    low_ms: int
    median_ms: int
    high_ms: int
    quantiles: tuple[int, ...]
    basis: str
    ahead: int
    agents: int

    def quantile(self, per_mille: int) -> int:
        """The wait in ms that is not exceeded with this probability (clamped to 10 … 990 per mille)."""
        place = bisect_left(PROBABILITIES, per_mille)
        if place == 0:
            return self.quantiles[0]
        if place == len(PROBABILITIES):
            return self.quantiles[-1]
        low, high = PROBABILITIES[place - 1], PROBABILITIES[place]
        below, above = self.quantiles[place - 1], self.quantiles[place]
        return below + (above - below) * (per_mille - low) // (high - low)

    def chance(self, within_ms: int) -> int:
        """The probability, in per mille, that the wait is over by then (0 below and 1000 above all quantiles)."""
        if within_ms < self.quantiles[0]:
            return 0
        for place in range(1, len(PROBABILITIES)):
            below, above = self.quantiles[place - 1], self.quantiles[place]
            if within_ms < above:
                low, high = PROBABILITIES[place - 1], PROBABILITIES[place]
                return low + (high - low) * (within_ms - below) // (above - below)
        return 1000


def estimate(
    pool: Pool,
    queue: Queue,
    now_ms: int,
    *,
    entry: int = -1,
    priority_ms: int = 0,
    needs: tuple[int, ...] = (),
) -> WaitEstimate | None:
    """The rest of the wait of `entry` (a row of this queue that isn't connected), or of a caller who would join now.

    `needs` of the latter: skill << 8 | level. None where nothing honest can be said: nobody who fits is at work or
    idle, or fewer than CALLS_MIN conversations have been learnt (of this queue, or of the one that shares most of its
    agents). For a caller who never gives up: his own patience and wait limit are his affair.
    """
    ring_ms = queue.learnt.ring_ms()
    if entry < 0:
        place = (now_ms - priority_ms, pool.sequence + 1, len(pool.entries))
    elif pool.entries.state[entry] not in (E_WAITING, E_ABSENT):
        return _soon(ring_ms, "ringing", 1)
    else:
        place = pool.place(entry)
    block = pool.agents.block[:, : pool.agents.used]
    seats = _seats(pool, queue)
    phases = _phases(pool, queue, seats, entry, needs, now_ms)
    if entry < 0 and queue.idle:
        ready = int(np.count_nonzero(block[_IDLE][phases[0][1]]))
        if ready:
            return _soon(ring_ms, "now", ready)
    crew = _WORKING[block[_STATE]] & (block[_WISH] == READY)  # who wants to leave after his call serves nobody more
    curves = curves_of(pool, queue)
    if curves is None:
        return None
    middle = queue.waiting[len(queue.waiting) // 2][2] if queue.waiting else -1  # the same for all who wait
    hazard = curves.quit_hazard(now_ms - pool.entries.joined[middle] if middle >= 0 else 0)
    doubt = DOUBT * DOUBT + curves.variation / curves.calls
    mine = seats & crew
    rivals = _rivals(pool, queue, place, crew, mine, now_ms)
    best: FloatArray | None = None
    agents = ahead = 0
    for from_ms, fit in phases:
        busy = mine if fit is seats else fit & crew
        serving = int(np.count_nonzero(busy))
        if from_ms > 0 and block[_IDLE][fit].any():
            found = np.full(len(GRID), 9.0)
        elif serving:
            races = _races(busy, rivals, curves, place, now_ms)
            chances = [_run(pool, queue, curves, each, serving, hazard, doubt, now_ms) for each in races]
            found = chances[0] if len(chances) == 1 else np.maximum.reduce(chances)
            if not agents:
                agents, ahead = serving, round(races[0].others)
        else:
            continue
        if from_ms > 0:
            found = np.where(from_ms <= GRID, found, -9.0)
        best = found if best is None else np.maximum(best, found)
    if best is None:
        return None
    times = np.interp(_DEVIATIONS, np.maximum.accumulate(best), _ROOTS) ** 3 + ring_ms
    whole = tuple(np.rint(times).astype(np.int64).tolist())
    return WaitEstimate(whole[1], whole[4], whole[7], whole, "queue", ahead, agents)


def _soon(ring_ms: int, basis: str, agents: int) -> WaitEstimate:
    """Only the phone's ringing lies between him and an agent: taken as exponential."""
    whole = tuple(round(ring_ms * factor) for factor in (0.01, 0.05, 0.11, 0.29, 0.69, 1.39, 2.3, 3.0, 4.61))
    return WaitEstimate(whole[1], whole[4], whole[7], whole, basis, 0, agents)


def curves_of(pool: Pool, queue: Queue) -> Curves | None:
    """What the queue has learnt, or, while that is too little, what the neighbour that knows most has."""
    if queue.curves is None:
        queue.curves = Curves(queue.learnt)
    if queue.curves.calls >= CALLS_MIN:
        return queue.curves
    known = [other for other in shared(pool, queue) if other.learnt.calls() >= CALLS_MIN]
    if not known:
        return None
    best = max(known, key=lambda other: (other.learnt.calls(), -other.row))
    if best.curves is None:
        best.curves = Curves(best.learnt)
    return best.curves


def shared(pool: Pool, queue: Queue) -> list[Queue]:
    """Other queues with whom this one shares agents, by row; kept until the next reindex."""
    if queue.shared is None:
        agents = pool.team.block[_AGENT, queue.first_row : queue.end_row].tolist()
        rows = {other.row for agent in agents for other, _ in pool.seats[agent] if other is not queue}
        queue.shared = [pool.queue_at(row) for row in sorted(rows)]
    return queue.shared


def _seats(pool: Pool, queue: Queue) -> Mask:
    """The agents of a queue, by agent row; kept until the next reindex."""
    if queue.team is None:
        queue.team = np.zeros(pool.agents.used, dtype=np.bool_)
        queue.team[pool.team.block[_AGENT, queue.first_row : queue.end_row]] = True
    return queue.team


def _in_ring(pool: Pool, queue: Queue, ring: int) -> Mask:
    """The same up to a ring; 0: no ring holds anybody back."""
    if not ring:
        return _seats(pool, queue)
    mask = np.zeros(pool.agents.used, dtype=np.bool_)
    team = pool.team.block[:, queue.first_row : queue.end_row]
    mask[team[_AGENT][team[_RING] <= ring]] = True
    return mask


def _fitting(pool: Pool, seats: Mask, needs: tuple[int, ...]) -> Mask:
    """Those of `seats` whose skills meet the needs."""
    fit = seats
    for need in needs:
        skill = need >> 8
        if skill >= pool.skills.shape[1]:
            return np.zeros(len(seats), dtype=np.bool_)
        fit = fit & (pool.skills[: len(seats), skill] >= (need & 255))
    return fit


def _phases(
    pool: Pool, queue: Queue, seats: Mask, entry: int, needs: tuple[int, ...], now_ms: int
) -> list[tuple[int, Mask]]:
    """(ms from now, who may be asked for him from then on): more than one when his needs relax or rings open."""
    if entry < 0:
        stages = merge(((0, needs, 0),), queue.spec.rings) if queue.spec.rings else ()
        begun, stage = now_ms, 0
    else:
        stages = pool.plans.get(entry, ())
        begun, stage = pool.entries.joined[entry], pool.entries.stage[entry]
    if not stages:
        ring = pool.entries.ring[entry] if entry >= 0 else 0
        team = _in_ring(pool, queue, ring) if ring else seats
        return [(0, _fitting(pool, team, needs if entry < 0 else pool.needs_of(entry)))]
    return [
        (max(0, begun + each.from_ms - now_ms), _fitting(pool, _in_ring(pool, queue, each.ring), each.needs))
        for each in stages[stage:]
    ]


# --- who is served before him ---------------------------------------------------------------------------
class _Rival(msgspec.Struct):
    """Callers of one kind: `count` wait ahead, whom the agents of `mask` serve.

    `rates`: priority_ms -> arrivals per ms of their queue. `always`: it is heavier, all who come are served first.
    """

    count: float
    mask: Mask
    rates: dict[int, float]
    always: bool = False


def _rivals(pool: Pool, queue: Queue, place: Place, crew: Mask, mine: Mask, now_ms: int) -> list[_Rival]:
    """His own queue's callers by kind of need, then those of the queues that share agents with it.

    `crew`: all who are at work; `mine`: those of his queue.
    """
    entries = pool.entries
    ahead = bisect_left(queue.waiting, place)
    away = bisect_left(queue.absent, place)  # places kept for who is away count like all others
    found = [_Rival(0.0, mine, queue.learnt.rates(now_ms))]
    if ahead and entries.block[_NEED, : entries.used].any():
        kinds: dict[tuple[int, ...], int] = {}
        for index in range(0, ahead, max(1, ahead // SAMPLE)):
            kind = pool.needs_of(queue.waiting[index][2])
            kinds[kind] = kinds.get(kind, 0) + 1
        seen = sum(kinds.values())
        found += [_Rival(ahead * kinds[kind] / seen, _fitting(pool, mine, kind), {}) for kind in sorted(kinds)]
    else:
        found[0].count = ahead
    found[0].count += away
    weight = queue.spec.weight
    for other in shared(pool, queue):
        if other.spec.weight < weight:
            continue
        heavier = other.spec.weight > weight
        lines = (other.waiting, other.absent)
        waiting = sum(len(each) if heavier else bisect_left(each, place) for each in lines)
        coming = other.learnt.rates(now_ms)
        if waiting or (coming and (heavier or now_ms - place[0] < max(coming))):
            found.append(_Rival(waiting, _seats(pool, other) & crew, coming, heavier))
    return found


class _Demand:
    """Callers who are served by the same agents. `seats`: those agents as bits; `callers`: who waits and will come."""

    def __init__(self, mask: Mask) -> None:
        self.mask = mask
        self.seats = int.from_bytes(np.packbits(mask).tobytes(), "big")
        self.count = self.callers = 0.0
        self.overtaking: FloatArray | None = None


class _Race(msgspec.Struct):
    """`others` are served before him by the agents of `team`; `overtaking`: how many more by each time of GRID."""

    others: float
    team: Mask
    overtaking: FloatArray | None = None


def _races(busy: Mask, rivals: list[_Rival], curves: Curves, place: Place, now_ms: int) -> list[_Race]:
    """What he waits for, whichever ends soonest.

    Lines that share agents are one line where agents can even them out, and where they can't, the more loaded takes
    the shared agents for itself: the set of demands with most callers per agent is served together by all its agents;
    if he isn't in it, it and its agents are taken away and the next such set is looked for. Besides, he may be served
    when all those lines together are, or by agents whom no other line wants.
    """
    if len(rivals) == 1 and rivals[0].mask is busy:  # one line, everybody fits
        only = rivals[0]
        overtaken = bool(only.rates) and now_ms - place[0] < max(only.rates)
        return [_Race(only.count, busy, _overtaking(only, place, now_ms) if overtaken else None)]
    own = _Demand(busy)
    own.count = own.callers = 1.0
    demands = {own.seats: own}
    total = 1.0 + sum(rival.count for rival in rivals)
    soon = total * curves.handling_ms / max(1, int(np.count_nonzero(busy)))
    for rival in rivals:
        passing = None
        if rival.rates and (rival.always or now_ms - place[0] < max(rival.rates)):
            passing = _overtaking(rival, place, now_ms)
        if not rival.count and passing is None:
            continue
        fresh = _Demand(rival.mask)
        demand = demands.setdefault(fresh.seats, fresh)
        demand.count += rival.count
        demand.callers += rival.count
        if passing is not None:
            demand.callers += float(np.interp(soon, GRID, passing))
            demand.overtaking = passing if demand.overtaking is None else demand.overtaking + passing
    chosen, taken = _bottleneck(own, [each for each in demands.values() if each is own or each.seats & own.seats])
    races = [_together(chosen)]
    for demand in taken:
        races[0].team &= ~demand.mask  # they serve those others for as long as he waits
    if taken:
        races.append(_together([*chosen, *taken]))
    if len(chosen) > 1:
        alone = busy.copy()
        for demand in demands.values():
            if demand is not own:
                alone &= ~demand.mask
        if alone.any():
            races.append(_Race(own.count - 1.0, alone, own.overtaking))
    return races


def _together(demands: list[_Demand]) -> _Race:
    """All these as one line, of which he is the last, served by all their agents."""
    team, others, overtaking = demands[0].mask, -1.0, None
    for demand in demands:
        team = team | demand.mask
        others += demand.count
        if demand.overtaking is not None:
            overtaking = demand.overtaking if overtaking is None else overtaking + demand.overtaking
    return _Race(others, team, overtaking)


def _bottleneck(own: _Demand, demands: list[_Demand]) -> tuple[list[_Demand], list[_Demand]]:
    """The most loaded set of demands that `own` is in, after those that are more loaded have taken their agents, and
    those.
    """
    taken: list[_Demand] = []
    demands = [own, *sorted((each for each in demands if each is not own), key=lambda each: -each.callers)[:SETS]]
    gone = 0
    while len(demands) > 1:
        worst, worst_set = -1.0, 0
        for chosen in range(1, 1 << len(demands)):
            seats, callers = 0, 0.0
            for place, each in enumerate(demands):
                if chosen >> place & 1:
                    seats |= each.seats
                    callers += each.callers
            load = callers / max(0.5, (seats & ~gone).bit_count())
            if load > worst:
                worst, worst_set = load, chosen
        if worst_set & 1:
            return [each for place, each in enumerate(demands) if worst_set >> place & 1], taken
        more = [each for place, each in enumerate(demands) if worst_set >> place & 1]
        for each in more:
            gone |= each.seats
        if not own.seats & ~gone:
            return demands, []
        taken += more
        demands = [each for each in demands if each not in more]
    return demands, taken


def _overtaking(rival: _Rival, place: Place, now_ms: int) -> FloatArray:
    """How many who come by each time of GRID are served before him."""
    coming = np.zeros(len(GRID))
    for priority_ms, rate in rival.rates.items():
        until = GRID[-1] if rival.always else place[0] + priority_ms - now_ms
        if until > 0:
            coming += rate * np.minimum(GRID, until)
    return coming


# --- the race -------------------------------------------------------------------------------------------
def _run(
    pool: Pool, queue: Queue, curves: Curves, race: _Race, serving: int, hazard: FloatArray | None, doubt: float,
    now_ms: int,
) -> FloatArray:
    """Has he been served by each time of GRID? In standard deviations of a normal."""  # fmt: skip
    mean, variance = _supply(pool, queue, curves, np.flatnonzero(race.team), now_ms)
    last = max(1.0, int(np.count_nonzero(race.team)) / serving)  # so many are served while one of his comes free
    if last > 1.0:
        doubt += DOUBT_SHARED**2
    return _served(race.others + last, mean, variance, race.overtaking, hazard, doubt)


def _supply(
    pool: Pool, own: Queue, curves: Curves, agents: IntArray, now_ms: int
) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of how often these agents come free by each time of GRID."""
    block = pool.agents.block
    states = block[_STATE][agents]
    resting = agents[states == RESTING]
    if resting.size:
        found = _supply(pool, own, curves, agents[states != RESTING], now_ms)
        after = GRID - max(0.0, float((block[_DEADLINE][resting] - now_ms).mean()))  # rests are short: their mean
        again = [np.interp(after, GRID, curve[0], left=0.0) for curve in (curves.mean, curves.variance)]
        return found[0] + resting.size * (again[0] + (after >= 0)), found[1] + resting.size * again[1]
    wrapping = states == WRAP_UP
    ages = now_ms - np.where(wrapping, block[_SINCE][agents], block[_OFFERED][agents])
    rows = np.searchsorted(AGES, ages, side="right") + AGE_BINS * wrapping
    serves = block[_SERVES][agents]
    mine = serves == own.row + 1
    if mine.all():
        return _added(curves, rows)
    mean, variance = np.zeros(len(GRID)), np.zeros(len(GRID))
    for row in np.unique(serves).tolist():
        other = pool.queues[row - 1] if 0 < row <= len(pool.queues) else None
        known = curves if other is None or other is own else curves_of(pool, other) or curves
        one, other_one = _added(known, rows[serves == row])
        mean += one
        variance += other_one
    return mean, variance


def _added(curves: Curves, rows: IntArray) -> tuple[FloatArray, FloatArray]:
    """Mean and variance added up over agents, one row of the curves each."""
    counts = np.bincount(rows, minlength=2 * AGE_BINS).astype(np.float64)
    both: FloatArray = counts @ curves.both
    return both[: len(GRID)], both[len(GRID) :]


def _served(
    count: float, mean: FloatArray, variance: FloatArray, overtaking: FloatArray | None, hazard: FloatArray | None,
    doubt: float,
) -> FloatArray:
    """Has number `count` been served by each time of GRID? In standard deviations of a normal."""  # fmt: skip
    if overtaking is None and hazard is None:
        return _counted(count, mean, variance, doubt)
    steps, spreads = _steps(mean), _steps(variance)
    passing = _steps(overtaking) if overtaking is not None else np.zeros(len(GRID))
    growth, quits = np.ones(len(GRID)), np.zeros(len(GRID))
    if hazard is not None:
        quits = _steps(hazard)
        growth = np.exp(hazard - quits / 2)
        steps = steps - np.minimum(quits, steps) / 2  # he himself doesn't give up: of N only N − ½ on average
    gain = growth * (steps - passing)
    freed = np.cumsum(gain)
    left = np.maximum(count - freed + gain / 2, 0.0) / growth
    spread = np.cumsum(growth * growth * (spreads + passing + quits * left))
    found = _counted(count, freed, spread, doubt)
    if overtaking is None:
        return found
    weight = np.clip(2.0 * np.cumsum(growth * passing) / np.maximum(np.cumsum(growth * steps), 1e-9), 0.0, 1.0)
    return _deviate((1.0 - weight) * _normal(found) + weight * _passage(count, freed, spread, doubt))


def _steps(curve: FloatArray) -> FloatArray:
    """From each time of GRID to the next; numpy's own `diff` with `prepend` takes five times as long."""
    steps = curve.copy()
    steps[1:] -= curve[:-1]
    return steps


def _counted(count: float, freed: FloatArray, spread: FloatArray, doubt: float) -> FloatArray:
    """A count of that mean and variance has reached `count`, in standard deviations.

    The Poisson law in the form of Peizer and Pratt (1968), which is within 0.001 from one caller upwards.
    """
    freed = np.maximum(freed, 1e-6)
    ratio = np.minimum(np.maximum(spread / freed, 0.02), 50.0) + freed * doubt
    reach = (count - 0.5) / ratio + 0.5  # a whole caller at a time, whatever the ratio
    scaled = freed / ratio
    part = (reach - 0.5) / scaled
    gap = 1.0 - part
    near = np.abs(gap) < 1e-3
    safe = np.where(near, 0.5, gap)
    bend = np.where(near, gap / 3, (1.0 - part * part + 2.0 * part * np.log(part)) / (safe * safe))
    result: FloatArray = -(reach - 1.0 - scaled + 2.0 / 3.0 + 0.02 / reach) * np.sqrt((1.0 + bend) / scaled)
    return result


def _passage(count: float, freed: FloatArray, spread: FloatArray, doubt: float) -> FloatArray:
    """The line, which now also grows, has been empty once: the first passage of a Brownian motion (probabilities).

    Who is overtaken may be served in a lucky moment although his line grows on average: the second term.
    """
    spread = np.maximum(spread + freed * freed * doubt, 1e-9)
    root = np.sqrt(spread)
    again = np.exp(np.clip(2.0 * count * freed / spread, -700.0, 700.0)) * _normal(-(freed + count) / root)
    return np.clip(_normal((freed - count) / root) + again, 0.0, 1.0)


def _normal(deviations: FloatArray) -> FloatArray:
    return np.array([0.5 * erfc(-each * 0.7071067811865476) for each in deviations.tolist()])


def _deviate(chances: FloatArray) -> FloatArray:
    """Inverse of `_normal` within 0.0005 (Abramowitz and Stegun 26.2.23)."""
    tail = np.clip(np.minimum(chances, 1.0 - chances), 1e-12, 0.5)
    t = np.sqrt(-2.0 * np.log(tail))
    size = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
    result: FloatArray = np.where(chances < 0.5, -size, size)
    return result

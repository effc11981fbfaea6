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
import numpy.typing as npt

from engine.acd.columns import AgentColumns, EntryColumns, TeamColumns
from engine.acd.curves import AGE_BINS, AGES, GRID, Curves, FloatArray
from engine.acd.pool import Place, Pool, Queue
from engine.acd.tables import AGENT_STATES, ALERTING, E_WAITING, RESTING, TALKING, WRAP_UP, IntArray

Mask = npt.NDArray[np.bool_]

CALLS_MIN = 16  # conversations learnt before anything is promised
PROBABILITIES = (10, 50, 100, 250, 500, 750, 900, 950, 990)  # per mille, of `WaitEstimate.quantiles`
SAMPLE = 48  # callers ahead whose needs are looked at
DOUBT = 0.05  # relative: loads and teams are never quite what they were

# the same in standard deviations of a normal
_DEVIATIONS: FloatArray = np.array(
    [-2.326348, -1.644854, -1.281552, -0.674490, 0.0, 0.674490, 1.281552, 1.644854, 2.326348]
)
_ROOTS: FloatArray = np.cbrt(GRID)
_STATE, _SINCE, _DEADLINE = (AgentColumns.index(name) for name in ("state", "since", "deadline"))
_OFFERED, _SERVES, _IDLE = (AgentColumns.index(name) for name in ("last_offered", "serves", "idle"))
_AGENT, _NEED = TeamColumns.index("agent"), EntryColumns.index("need0")
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
    if entry >= 0:
        if pool.entries.state[entry] != E_WAITING:
            return _soon(ring_ms, "ringing", 1)
        needs = pool.needs_of(entry)
        place = pool.place(entry)
    else:
        place = (now_ms - priority_ms, pool.sequence + 1, len(pool.entries))
    block = pool.agents.block
    agents = pool.team.block[_AGENT, queue.first_row : queue.end_row]
    everybody = np.ones(len(agents), dtype=np.bool_)
    fit = _fitting(pool, agents, needs) if needs else everybody
    if entry < 0 and queue.idle:
        idle = int(np.count_nonzero(block[_IDLE][agents] & fit))
        if idle:
            return _soon(ring_ms, "now", idle)
    states = block[_STATE][agents]
    working = _WORKING[states]
    busy = fit & working if needs else working
    count = int(np.count_nonzero(busy))
    curves = curves_of(pool, queue)
    if curves is None or not count:
        return None
    waiting = bisect_left(queue.waiting, place)
    middle = queue.waiting[len(queue.waiting) // 2][2] if queue.waiting else -1  # for all alike: see `test_priority`
    age = now_ms - pool.entries.joined[middle] if middle >= 0 else 0
    hazard = curves.quit_hazard(age)
    doubt = DOUBT * DOUBT + curves.variation / curves.calls
    rivals = _rivals(pool, queue, place, waiting, agents, everybody, working, now_ms)
    best: FloatArray | None = None
    fewest = 0.0
    for part in _parts(busy, rivals):
        mean, variance = _supply(pool, queue, curves, agents[part], states[part], now_ms)
        ahead, overtaking = 0.0, None
        for rival in rivals:
            share = min(1.0, int(np.count_nonzero(part & rival.mask)) / max(1, rival.agents))
            ahead += rival.count * share
            if rival.rates and (rival.always or now_ms - place[0] < max(rival.rates)):
                passing = share * _overtaking(rival, place, now_ms)
                overtaking = passing if overtaking is None else overtaking + passing
        found = _served(ahead + 1.0, mean, variance, overtaking, hazard, doubt)
        if best is None:
            best, fewest = found, ahead
        else:
            best = np.maximum(best, found)
    assert best is not None  # the whole team is the first part
    times = np.interp(_DEVIATIONS, np.maximum.accumulate(best), _ROOTS) ** 3 + ring_ms
    whole = tuple(np.rint(times).astype(np.int64).tolist())
    return WaitEstimate(whole[1], whole[4], whole[7], whole, "queue", round(fewest), count)


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
    known = [other for other, _ in shared(pool, queue) if other.learnt.calls() >= CALLS_MIN]
    if not known:
        return None
    best = max(known, key=lambda other: (other.learnt.calls(), -other.row))
    if best.curves is None:
        best.curves = Curves(best.learnt)
    return best.curves


def shared(pool: Pool, queue: Queue) -> list[tuple[Queue, Mask]]:
    """Other queues with whom this one shares agents, and which of its seats those are; kept until the next reindex."""
    if queue.shared is None:
        agents = pool.team.block[_AGENT, queue.first_row : queue.end_row].tolist()
        places: dict[int, list[int]] = {}
        for place, agent in enumerate(agents):
            for other, _ in pool.seats[agent]:
                if other is not queue:
                    places.setdefault(other.row, []).append(place)
        queue.shared = []
        for row in sorted(places):
            mask = np.zeros(len(agents), dtype=np.bool_)
            mask[places[row]] = True
            queue.shared.append((pool.queue_at(row), mask))
    return queue.shared


def _fitting(pool: Pool, agents: IntArray, needs: tuple[int, ...]) -> Mask:
    """Whose skills meet the needs, by seat of the queue."""
    fit = np.ones(len(agents), dtype=np.bool_)
    for need in needs:
        skill = need >> 8
        if skill >= pool.skills.shape[1]:
            return np.zeros(len(agents), dtype=np.bool_)
        fit &= pool.skills[agents, skill] >= (need & 255)
    return fit


# --- who is served before him ---------------------------------------------------------------------------
class _Rival(msgspec.Struct):
    """Callers of one kind: `count` wait ahead, whom the seats of `mask` can serve; `agents` at work serve them in all.

    `rates`: priority_ms -> arrivals per ms of their queue. `always`: it is heavier, all who come are served first.
    """

    count: float
    mask: Mask
    agents: int
    rates: dict[int, float]
    always: bool = False


def _rivals(
    pool: Pool, queue: Queue, place: Place, ahead: int, agents: IntArray, everybody: Mask, working: Mask, now_ms: int
) -> list[_Rival]:
    """His own queue's callers by kind of need, then those of the queues that share agents with it."""
    entries = pool.entries
    at_work = int(np.count_nonzero(working))
    found = [_Rival(0.0, everybody, at_work, queue.learnt.rates(now_ms))]
    if ahead and entries.block[_NEED, : entries.used].any():
        kinds: dict[tuple[int, ...], int] = {}
        for index in range(0, ahead, max(1, ahead // SAMPLE)):
            kind = pool.needs_of(queue.waiting[index][2])
            kinds[kind] = kinds.get(kind, 0) + 1
        seen = sum(kinds.values())
        for kind in sorted(kinds):
            mask = _fitting(pool, agents, kind) if kind else everybody
            able = int(np.count_nonzero(mask & working)) if kind else at_work
            found.append(_Rival(ahead * kinds[kind] / seen, mask, able, {}))
    else:
        found[0].count = ahead
    weight = queue.spec.weight
    for other, mask in shared(pool, queue):
        if other.spec.weight < weight:
            continue
        heavier = other.spec.weight > weight
        waiting = len(other.waiting) if heavier else bisect_left(other.waiting, place)
        coming = other.learnt.rates(now_ms)
        if waiting or (coming and (heavier or now_ms - place[0] < max(coming))):
            theirs = pool.agents.block[_STATE][pool.team.block[_AGENT, other.first_row : other.end_row]]
            found.append(_Rival(waiting, mask, int(np.count_nonzero(_WORKING[theirs])), coming, heavier))
    return found


def _parts(busy: Mask, rivals: list[_Rival]) -> list[Mask]:
    """The team, and the parts of it for which only the fewest, two fewest … kinds of rivals compete."""
    parts = [busy]
    competing = sorted((rival for rival in rivals if rival.count > 0), key=lambda rival: rival.count)
    for kept in range(len(competing) if len(competing) > 1 or len(rivals) > 1 else 0):
        part = busy.copy()
        for rival in competing[kept:]:
            part &= ~rival.mask
        if part.any() and not any(np.array_equal(part, other) for other in parts):
            parts.append(part)
    return parts


def _overtaking(rival: _Rival, place: Place, now_ms: int) -> FloatArray:
    """How many who come by each time of GRID are served before him."""
    coming = np.zeros(len(GRID))
    for priority_ms, rate in rival.rates.items():
        until = GRID[-1] if rival.always else place[0] + priority_ms - now_ms
        if until > 0:
            coming += rate * np.minimum(GRID, until)
    return coming


# --- the race -------------------------------------------------------------------------------------------
def _supply(
    pool: Pool, own: Queue, curves: Curves, agents: IntArray, states: IntArray, now_ms: int
) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of how often these agents come free by each time of GRID."""
    block = pool.agents.block
    resting = agents[states == RESTING]
    if resting.size:
        found = _supply(pool, own, curves, agents[states != RESTING], states[states != RESTING], now_ms)
        after = GRID - max(0.0, float((block[_DEADLINE][resting] - now_ms).mean()))  # rests are short: their mean
        again = [np.interp(after, GRID, curve[0], left=0.0) for curve in (curves.mean, curves.variance)]
        return found[0] + resting.size * (again[0] + (after >= 0)), found[1] + resting.size * again[1]
    wrapping = states == WRAP_UP
    ages = now_ms - np.where(wrapping, block[_SINCE][agents], block[_OFFERED][agents])
    rows = np.searchsorted(AGES, ages, side="right") + AGE_BINS * wrapping
    serves = block[_SERVES][agents]
    mine = serves == own.row + 1
    if mine.all():
        counts = np.bincount(rows, minlength=2 * AGE_BINS)
        return counts @ curves.mean, counts @ curves.variance
    mean, variance = np.zeros(len(GRID)), np.zeros(len(GRID))
    for row in np.unique(serves).tolist():
        other = pool.queues[row - 1] if 0 < row <= len(pool.queues) else None
        known = curves if other is None or other is own else curves_of(pool, other) or curves
        counts = np.bincount(rows[serves == row], minlength=2 * AGE_BINS)
        mean += counts @ known.mean
        variance += counts @ known.variance
    return mean, variance


def _served(
    count: float, mean: FloatArray, variance: FloatArray, overtaking: FloatArray | None, hazard: FloatArray | None,
    doubt: float,
) -> FloatArray:
    """Has number `count` been served by each time of GRID? In standard deviations of a normal."""  # fmt: skip
    if overtaking is None and hazard is None:
        return _counted(count, mean, variance, doubt)
    steps, spreads = np.diff(mean, prepend=0.0), np.diff(variance, prepend=0.0)
    passing = np.diff(overtaking, prepend=0.0) if overtaking is not None else np.zeros(len(GRID))
    growth, quits = np.ones(len(GRID)), np.zeros(len(GRID))
    if hazard is not None:
        quits = np.diff(hazard, prepend=0.0)
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


def _counted(count: float, freed: FloatArray, spread: FloatArray, doubt: float) -> FloatArray:
    """A count of that mean and variance has reached `count`, in standard deviations.

    The Poisson law in the form of Peizer and Pratt (1968), which is within 0.001 from one caller upwards.
    """
    freed = np.maximum(freed, 1e-6)
    ratio = np.clip(spread / freed, 0.02, 50.0) + freed * doubt
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

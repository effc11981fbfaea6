"""How many agents a queue needs: Erlang's formulas B, C and A, with a bounded waiting room too (M/M/n/K + M).

One model holds all of them. Callers come by a Poisson law with rate λ, are served in order by n agents who take
1/μ = AHT each (exponential), wait in at most `places` places and give up after an exponential patience with mean 1/θ:

- `places = 0` is Erlang B, `patience_s = inf` without a bound Erlang C, finite patience without a bound Erlang A.

With a = λ/μ, states below n weigh π_i ∝ a^i / i!, and above n every caller who waits adds his θ to the rate of leaving:
π_{n+j} = π_n · Π_{k=1..j} λ / (nμ + kθ). All sums here are of positive terms and rescaled as they grow, so that nothing
cancels or overflows with thousands of agents; a call costs O(n) for Erlang B and O(callers who may wait) for the rest.

The interval is taken as stationary, each by itself. That is too hopeful while load rises within a long AHT (Green,
Kolesar, Soares: Improving the SIPP approach for staffing service systems, Operations Research 49, 2001).

Sources: A. K. Erlang, Solution of some problems in the theory of probabilities (1917), for B and C; C. Palm, Research
on telephone traffic carried by full availability groups (Tele 1957), for A; F. Baccelli, G. Hebuterne, On queues with
impatient customers (1981), for the law of the wait; N. Gans, G. Koole, A. Mandelbaum, Telephone call centers (2003);
A. Mandelbaum, S. Zeltyn, Service engineering in action: the Palm/Erlang-A queue (2007). Times are seconds, shares 0–1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import msgspec

from engine.errors import LimitExceeded, LocalError

agents_max = 100_000  # beyond it the inverse gives up
erlangs_max = 90_000
places_max = 1_000_000
_BIG = 1e200
_TAIL = 1e-17
_EVEN = 1e-9


class Load(msgspec.Struct, frozen=True):
    """What comes in: calls per second, seconds of work each (talk, hold and wrap-up), mean patience in seconds (inf:
    nobody gives up), places to wait in (None: no bound)."""

    rate_per_s: float
    handle_s: float
    patience_s: float = math.inf
    places: int | None = None

    @property
    def erlangs(self) -> float:
        """Offered load a = λ · AHT."""
        return self.rate_per_s * self.handle_s


class Figures(msgspec.Struct, frozen=True):
    """What a number of agents makes of a load. Everything but `p_blocked` is of the calls that were let in; waits
    and queue are infinite when load without patience exceeds the agents."""

    agents: int
    erlangs: float
    p_blocked: float
    p_wait: float
    p_abandon: float
    mean_wait_s: float  # of all, whether answered or not
    mean_wait_answered_s: float  # the ASA
    service_level: float  # answered within the time asked for, of all
    occupancy: float
    mean_queue_length: float


class Target(msgspec.Struct, frozen=True):
    """What must hold; what isn't set doesn't bind."""

    service_level: float | None = None
    within_s: float = 20.0
    answer_s: float | None = None  # the ASA at most
    p_abandon: float | None = None
    p_blocked: float | None = None
    occupancy: float | None = None


# --- the classical formulas ---------------------------------------------------------------------------------------
def erlang_b(agents: int, erlangs: float) -> float:
    """Share of calls lost with no place to wait: B(n, a) = (a^n / n!) / Σ_{i≤n} a^i / i!.

    By Erlang's recursion B(0) = 1, B(i) = a·B(i−1) / (i + a·B(i−1)): every step lies in 0–1, for any n.
    """
    _checked(Load(erlangs, 1.0), agents, 0.0, agents_min=0)
    blocked = 1.0
    for count in range(1, agents + 1):
        blocked = erlangs * blocked / (count + erlangs * blocked)
    return blocked


def erlang_c(agents: int, erlangs: float) -> float:
    """Share of calls that wait when nobody gives up: C = n·B / (n − a·(1 − B)); 1 when a ≥ n."""
    blocked = erlang_b(agents, erlangs)
    if erlangs >= agents:
        return 1.0
    return agents * blocked / (agents - erlangs * (1.0 - blocked))


def wait_quantile_c(agents: int, load: Load, share: float) -> float:
    """The wait in seconds that `share` of the calls don't exceed when nobody gives up: 0, or ln(C / (1 − share)) /
    (nμ − λ), from P(W > t) = C·e^{−(nμ − λ)t}. Infinite when load exceeds the agents."""
    waits = erlang_c(agents, load.erlangs)
    if not 0.0 <= share < 1.0:
        raise LocalError(f"a share of calls lies in 0 to 1 (without 1), not {share}")
    if load.erlangs >= agents:
        return math.inf
    return max(0.0, math.log(waits / (1.0 - share))) * load.handle_s / (agents - load.erlangs) if waits else 0.0


# --- everything about n agents -----------------------------------------------------------------------------------
def figures(load: Load, agents: int, within_s: float = 20.0) -> Figures:
    """All figures of `agents` under `load`; `within_s` is the service level's time.

    Erlang C in closed form: E[W] = C / (nμ − λ), P(W ≤ t) = 1 − C·e^{−(nμ − λ)t}. Else sums over the states: who finds
    j callers before him is served with probability nμ / (nμ + (j+1)θ), after Σ_{i=1..j+1} 1 / (nμ + iθ) on average
    when he is; E[W] by Little's law; occupancy from the states alone. Raises LocalError for numbers out of range.
    """
    _checked(load, agents, within_s)
    if load.rate_per_s == 0.0:
        return Figures(agents, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    if load.places is None and math.isinf(load.patience_s):
        return _endless(load, agents, within_s)
    return _bounded(load, agents, within_s)


def _endless(load: Load, agents: int, within_s: float) -> Figures:
    waits, spare = erlang_c(agents, load.erlangs), (agents - load.erlangs) / load.handle_s
    if spare <= 0.0:
        return Figures(agents, load.erlangs, 0.0, 1.0, 0.0, math.inf, math.inf, 0.0, 1.0, math.inf)
    wait_s = waits / spare
    level = 1.0 - waits * math.exp(-spare * within_s)
    return Figures(agents, load.erlangs, 0.0, waits, 0.0, wait_s, wait_s, level, load.erlangs / agents,
                   load.rate_per_s * wait_s)  # fmt: skip


def _bounded(load: Load, agents: int, within_s: float) -> Figures:
    sums = _add_up(load, agents)
    blocked = erlang_b(agents, load.erlangs)
    # Σ of the states up to n is 1/B times π_n; the sums from n on carry the factor e^{−log}
    scale = math.exp(-sums.log)
    first = blocked / ((1.0 - blocked) * scale + blocked * sums.states)
    exact = first * scale  # π_n
    turned_away = first * sums.blocked
    let_in = 1.0 - turned_away
    all_busy, one_free = first * sums.states, exact * agents / load.erlangs
    busy = load.erlangs * max(0.0, 1.0 - all_busy - one_free) + agents * all_busy
    # one_free is π_{n−1}: Σ_{i<n} i·π_i = a · P(fewer than n − 1 busy)
    queue, p_wait = first * sums.queue, first * sums.found / let_in
    p_abandon = first * sums.lost / let_in
    answered = 1.0 - p_abandon
    level = 1.0 - p_wait
    if first > 0.0 and sums.found > 0.0:
        level += _answered_later(load, agents, math.log(first) - sums.log, within_s) / let_in
    return Figures(
        agents, load.erlangs, turned_away, p_wait, p_abandon, queue / (load.rate_per_s * let_in),
        first * sums.answered_wait / let_in / answered if answered > 0.0 else math.inf,
        min(1.0, level), busy / agents, queue,
    )  # fmt: skip


class _Sums(msgspec.Struct):
    """Sums over the states with all agents busy, in units of π_n · e^{log}."""

    log: float = 0.0
    states: float = 0.0
    found: float = 0.0  # states in which a call may still join the queue
    queue: float = 0.0
    lost: float = 0.0
    answered_wait: float = 0.0
    blocked: float = 0.0

    def shrink(self) -> None:
        """Divide all by _BIG."""
        self.log += math.log(_BIG)
        for name in ("states", "found", "queue", "lost", "answered_wait"):
            setattr(self, name, getattr(self, name) / _BIG)


def _add_up(load: Load, agents: int) -> _Sums:
    serving, leaving = agents / load.handle_s, 1.0 / load.patience_s
    sums, weight, waiting, delay_s = _Sums(), 1.0, 0, 0.0
    while True:
        sums.states += weight
        sums.queue += waiting * weight
        if waiting == load.places:
            sums.blocked = weight
            return sums
        ends = serving + (waiting + 1) * leaving
        delay_s += 1.0 / ends
        sums.found += weight
        sums.lost += weight * (waiting + 1) * leaving / ends
        sums.answered_wait += weight * serving / ends * delay_s
        ratio = load.rate_per_s / ends
        weight *= ratio
        waiting += 1
        if ratio < 1.0 and weight * (waiting + 1.0 / (1.0 - ratio)) / (1.0 - ratio) <= _TAIL * sums.queue:
            return sums
        if weight > _BIG:
            weight /= _BIG
            sums.shrink()


def _answered_later(load: Load, agents: int, log_busy: float, within_s: float) -> float:
    """P(0 < wait ≤ t, answered), of all calls: ∫_0^t e^{−θx} v(x) dx with the law of the wait an endlessly patient
    caller would have, v(x) = nμ·π_n·e^{−nμx} · Σ_{j < places} z^j / j!, z = λ(1 − e^{−θx}) / θ (λx when θ = 0)."""
    serving, leaving, places = agents / load.handle_s, 1.0 / load.patience_s, load.places

    def ahead(at_s: float) -> float:
        return load.rate_per_s * (-math.expm1(-leaving * at_s) / leaving if leaving else at_s)

    def density(at_s: float) -> float:
        many = ahead(at_s)
        cut = 0.0 if places is None else _log_poisson_below(places, many)
        # in logarithms: where load floods a small room, e^z is beyond floats and the sum's share below them
        return serving * math.exp(log_busy + many + cut - (serving + leaving) * at_s)

    # where the law may have its peak or its edge: a place that the first coarse steps must not jump over
    edges = {0.0, within_s}
    if leaving and load.rate_per_s > serving + leaving:
        edges.add(math.log(load.rate_per_s / (serving + leaving)) / leaving)
    if places:
        edges.add(math.log1p(places * leaving / serving) / leaving if leaving else places / serving)
        if places * leaving < load.rate_per_s:
            full = places / load.rate_per_s
            edges.add(-math.log1p(-full * leaving) / leaving if leaving else full)
    return sum(_integral(density, low, high) for low, high in pairwise(sorted(edges)) if high <= within_s)


def _log_poisson_below(count: int, mean: float) -> float:
    """ln P(N < count) of a Poisson law, count ≥ 1: on the thinner side of the mean, from the larger terms down."""
    if mean <= 0.0:
        return 0.0
    below = count - 1 < mean
    place = count - 1 if below else count
    log_first = place * math.log(mean) - mean - math.lgamma(place + 1.0)
    term, total = 1.0, 0.0
    while term > _TAIL * total:
        total += term
        term *= place / mean if below else mean / (place + 1)
        place += -1 if below else 1
    return log_first + math.log(total) if below else math.log1p(-math.exp(log_first) * total)


def _integral(value: Callable[[float], float], low: float, high: float) -> float:
    """Simpson's rule, halving where the halves disagree with the whole by more than 1e−13."""
    pieces = 16
    step = (high - low) / pieces
    total = 0.0
    waiting = []
    for piece in range(pieces):
        left, right = low + piece * step, low + (piece + 1) * step
        waiting.append((left, right, value(left), value((left + right) / 2), value(right), 0))
    while waiting:
        left, right, at_left, at_middle, at_right, depth = waiting.pop()
        middle = (left + right) / 2
        one, two = value((left + middle) / 2), value((middle + right) / 2)
        whole = (right - left) / 6 * (at_left + 4 * at_middle + at_right)
        halves = (right - left) / 12 * (at_left + 4 * one + 2 * at_middle + 4 * two + at_right)
        if depth >= 40 or (depth >= 1 and abs(halves - whole) <= 1e-13):
            total += halves + (halves - whole) / 15
        else:
            waiting.append((left, middle, at_left, one, at_middle, depth + 1))
            waiting.append((middle, right, at_middle, two, at_right, depth + 1))
    return total


# --- the inverse --------------------------------------------------------------------------------------------------
def met(found: Figures, target: Target) -> bool:
    """True when everything that the target names holds (to 1e−9: 10 erlangs on 20 agents keep a ceiling of 50 %)."""
    ceilings = (
        (found.mean_wait_answered_s, target.answer_s), (found.p_abandon, target.p_abandon),
        (found.p_blocked, target.p_blocked), (found.occupancy, target.occupancy),
    )  # fmt: skip
    if any(most is not None and value > most + _EVEN for value, most in ceilings):
        return False
    return target.service_level is None or found.service_level >= target.service_level - _EVEN


def agents_needed(load: Load, target: Target) -> int:
    """The fewest agents with whom the target is met, 0 for no load. More agents make every figure better, so it is
    found by halving. Where nobody gives up and the waiting room has no bound, there are always more agents than load.

    Raises LocalError for numbers out of range, LimitExceeded when `agents_max` are not enough.
    """
    _checked(load, 1, target.within_s)
    if load.rate_per_s == 0.0:
        return 0
    low, high = 0, max(1, math.ceil(load.erlangs / 2))
    while not met(figures(load, high, target.within_s), target):
        if high >= agents_max:
            raise LimitExceeded("agents_max", agents_max)
        low, high = high, min(agents_max, high + max(1, high // 2))
    while high - low > 1:
        middle = (low + high) // 2
        if met(figures(load, middle, target.within_s), target):
            high = middle
        else:
            low = middle
    return high


def rostered(agents: int, shrinkage: float) -> int:
    """People to plan so that `agents` are at work while the share `shrinkage` (0–1) is ill, at lunch or trained:
    ⌈n / (1 − shrinkage)⌉."""
    if not 0.0 <= shrinkage < 1.0:
        raise LocalError(f"shrinkage lies in 0 to 1 (without 1), not {shrinkage}")
    return math.ceil(agents / (1.0 - shrinkage) - 1e-9)  # 7 / 0.7 is 10, not 11


def _checked(load: Load, agents: int, within_s: float, *, agents_min: int = 1) -> None:
    if not agents_min <= agents <= agents_max:
        raise LocalError(f"agents lie in {agents_min} to {agents_max}, not {agents}")
    if not (math.isfinite(load.rate_per_s) and load.rate_per_s >= 0.0):
        raise LocalError(f"calls per second are 0 or more, not {load.rate_per_s}")
    if not (math.isfinite(load.handle_s) and load.handle_s > 0.0 and load.patience_s > 0.0):
        raise LocalError(f"AHT and patience are above 0 s, not {load.handle_s} and {load.patience_s}")
    if load.erlangs > erlangs_max:
        raise LocalError(f"a load of {load.erlangs:.0f} erlangs: at most {erlangs_max} are reckoned with")
    if load.places is not None and not 0 <= load.places <= places_max:
        raise LocalError(f"places to wait in lie in 0 to {places_max}, not {load.places}")
    if not (math.isfinite(within_s) and within_s >= 0.0):
        raise LocalError(f"a service level's time is 0 s or more, not {within_s}")

"""Are promised waits kept? Loads of several shapes through the distributor of production, estimates asked on the way.

Each caller who has to wait is told an estimate when he joins and again every 30 s. Judged are the estimates given to
callers who were answered in the end; where callers give up, only to those of a source that never does (every tenth),
because impatience hides the longest waits. Compared are

- an **oracle** that knows the laws of arrival, talk and patience and simulates on from the state that the estimate
  was made in, many times: nobody can do better;
- **LES**, the wait of the caller who was last to enter service in that queue, as a forecast of every quantile, and
  dressed: times the quantiles of wait / LES over the whole shape, which only hindsight could know;
- the **naive** rule, position · mean handling time / agents.

The pinball loss of a forecast x of the quantile q of a wait w is (w − x)·q if w ≥ x, else (x − w)·(1 − q).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from statistics import NormalDist

import msgspec
import numpy as np

from engine.acd import events
from engine.acd.commands import AcdCommand, Offer
from engine.acd.tables import LOGGED_OUT, TALKING, WRAP_UP
from engine.acd.waits import WaitEstimate
from engine.sim import draws, queueing
from engine.sim.scenario import CONSTANT, EXPONENTIAL, INFINITE, AgentPlan, Law, QueuePlan, Scenario, Source

ASK_EVERY_MS = 30_000
LEVELS = (50, 100, 250, 500, 750, 900, 950)  # per mille, of the pinball loss and of the plot
TALKS = Law("lognormal", 180_000.0, 1.2)
CALM = Law(EXPONENTIAL, 180_000.0)
SHORT_OF_PATIENCE = Law(EXPONENTIAL, 240_000.0)
_ASK, _LOSS = 6, 7  # after everything else of the same millisecond
_STANDARD = NormalDist()


class Shape(msgspec.Struct, frozen=True):
    """A load. `judged`: sources whose callers are judged, all when empty. `loss`: (ms, agents who log out then)."""

    name: str
    scenario: Scenario
    judged: tuple[int, ...] = ()
    loss: tuple[int, int] | None = None


class Asked(msgspec.Struct):
    """One estimate, and what came of it: `wait_ms` from then to the answer, −1 never. `oracle`: (low, high) or none."""

    call: int
    at_ms: int
    first: bool
    estimate: WaitEstimate
    les_ms: int
    naive_ms: int
    wait_ms: int = -1
    oracle: tuple[int, int] | None = None


def seeded(seed: int) -> np.random.Generator:
    """The chance of what isn't drawn by the scenario itself."""
    return np.random.Generator(np.random.Philox(seed))


def shapes(seed: int, calls: int) -> list[Shape]:
    """Six loads of about so many calls each."""

    def scenario(queues: int, agents: tuple[AgentPlan, ...], *sources: Source) -> Scenario:
        plans = tuple(QueuePlan(f"queue{number + 1}") for number in range(queues))
        return Scenario(plans, agents, sources, seed=seed, calls=calls)

    def team(count: int, *queues: int) -> AgentPlan:
        return AgentPlan(f"team{''.join(map(str, queues))}", count, tuple((queue, 1) for queue in queues))

    def rate(agents: int, load: float, share: float = 1.0, handling_ms: float = 180_000.0) -> float:
        return agents * load * share / handling_ms

    ramp_ms = tuple(_ramp(seeded(seed), calls, rate(24, 1.08)))
    wrap = Law(CONSTANT, 20_000.0)
    return [
        Shape("steady heavy load", scenario(1, (team(20, 0),), Source(0, rate(20, 0.97), talk=CALM))),
        Shape("lognormal talk, cv 1.2, and wrap-up",
              scenario(1, (team(30, 0),), Source(0, rate(30, 0.96, handling_ms=200_000.0), talk=TALKS, wrap_up=wrap))),
        Shape("morning ramp", scenario(1, (team(24, 0),), Source(0, at_ms=ramp_ms, talk=TALKS))),
        Shape("overload with abandonment",
              scenario(1, (team(25, 0),),
                       Source(0, rate(25, 1.25, 0.9), talk=TALKS, patience=SHORT_OF_PATIENCE),
                       Source(0, rate(25, 1.25, 0.1), talk=TALKS)), judged=(1,)),
        Shape("two queues, shared agents, priority",
              scenario(2, (team(6, 0), team(10, 0, 1), team(8, 1)),
                       Source(0, rate(24, 0.96, 0.35), talk=TALKS), Source(1, rate(24, 0.96, 0.5), talk=TALKS),
                       Source(1, rate(24, 0.96, 0.15), talk=TALKS, priority_ms=120_000))),
        Shape("a quarter of the staff leaves",
              scenario(1, (team(24, 0),),
                       Source(0, rate(24, 0.95, 0.9), talk=TALKS, patience=SHORT_OF_PATIENCE),
                       Source(0, rate(24, 0.95, 0.1), talk=TALKS)),
              judged=(1,), loss=(round(calls / rate(24, 0.95) / 2), 6)),
    ]  # fmt: skip


def _ramp(chance: np.random.Generator, calls: int, top: float) -> list[int]:
    """Days of 4 h whose rate climbs from a third to `top` per ms, stays there, and falls again; moments in ms."""
    day, at = 14_400_000, 0.0
    moments: list[int] = []
    while len(moments) < calls:
        at += chance.exponential(1.0 / top)
        part = at % day / day
        level = min(1.0, 1 / 3 + 2 * part) if part < 0.75 else max(0.2, 1.0 - 4 * (part - 0.75))
        if chance.random() < level:
            moments.append(round(at))
    return moments


class Probe(queueing.Run):
    """A run in which callers ask. `asked` in order of time; the oracle tells every `oracle_every`-th, 0: none."""

    def __init__(self, shape: Shape, *, oracle_every: int = 0, replications: int = 200) -> None:
        self.shape = shape
        self.asked: list[Asked] = []
        self.oracle_every, self.replications = oracle_every, replications
        self.chance = seeded(shape.scenario.seed)
        self.turn = 0
        self.les: dict[int, int] = {}
        self.last_source: dict[int, int] = {}  # agent -> source of the call that he had last
        self.handled: list[int] = [0, 0]  # conversations, ms with wrap-up
        super().__init__(shape.scenario)
        if shape.loss is not None:
            heappush(self.coming, (shape.loss[0], _LOSS, shape.loss[1], -1))
        judged = shape.judged or tuple(range(len(shape.scenario.sources)))
        self.judged = set(judged)

    def _happen(self, now_ms: int, rank: int, which: int, agent: int) -> None:
        if rank == _ASK:
            if self.calls.outcome[which] == queueing.WAITING:
                self._ask(which, now_ms, first=False)
        elif rank == _LOSS:
            for number in range(which):
                self.distributor.apply(events.AgentLoggedOut(number), now_ms)
            self._take(self.distributor.settle(now_ms), now_ms)
        else:
            super()._happen(now_ms, rank, which, agent)

    def _join(self, call: int, now_ms: int) -> None:
        super()._join(call, now_ms)
        if self.calls.outcome[call] == queueing.WAITING and self.calls.source[call] in self.judged:
            self._ask(call, now_ms, first=True)

    def _end(self, call: int, agent: int, now_ms: int) -> None:
        source = self.scenario.sources[self.calls.source[call]]
        self.last_source[agent] = self.calls.source[call]
        self.les[source.queue] = self.les.get(source.queue, 0)
        super()._end(call, agent, now_ms)
        self.handled[0] += 1
        self.handled[1] += self.calls.free[call] - self.calls.answered[call]

    def _take(self, commands: list[AcdCommand], now_ms: int) -> None:
        super()._take(commands, now_ms)
        for command in commands:
            if isinstance(command, Offer) and self.calls.outcome[command.call] == queueing.ANSWERED:
                self.les[command.queue] = self.calls.answered[command.call] - self.calls.arrived[command.call]

    def _ask(self, call: int, now_ms: int, *, first: bool) -> None:
        queue = self.scenario.sources[self.calls.source[call]].queue
        heappush(self.coming, (now_ms + ASK_EVERY_MS, _ASK, call, -1))
        found = self.distributor.estimate(queue, now_ms, call=call)
        if found is None or found.basis != "queue" or not self.handled[0]:
            return
        place = self.distributor.position(call)
        naive = round(place * self.handled[1] / self.handled[0] / max(1, found.agents))
        waited = now_ms - self.calls.arrived[call]
        asked = Asked(call, now_ms, first, found, max(0, self.les.get(queue, 0) - waited), naive)
        self.asked.append(asked)
        self.turn += 1
        if self.oracle_every and self.turn % self.oracle_every == 0:
            asked.oracle = Oracle(self, call, now_ms).interval(self.replications)

    def go(self) -> queueing.Calls:
        calls = super().go()
        for asked in self.asked:
            if calls.outcome[asked.call] == queueing.ANSWERED:
                asked.wait_ms = calls.answered[asked.call] - asked.at_ms
        return calls


class Oracle:
    """The state of a run seen by who knows its laws: who is ahead of one caller, who serves, who may overtake."""

    def __init__(self, probe: Probe, call: int, now_ms: int) -> None:
        self.scenario, self.chance = probe.scenario, probe.chance
        pool, calls = probe.distributor._pool, probe.calls
        entries, agents = pool.entries, pool.agents
        row = pool.calls[call]
        self.own = calls.source[call]
        place = pool.place(row)
        sources = self.scenario.sources
        self.waiting = [
            (float(age - now_ms), float(serial), calls.source[entries.call[each]])
            for queue in pool.queues if queue is not None
            for age, serial, each in queue.waiting if (age, serial) < place[:2]
        ]  # fmt: skip
        self.me = (float(place[0] - now_ms), float(place[1]))
        self.busy: list[tuple[int, int, int, int]] = []  # agent, source, ms talked, ms wrapped up or −1
        for spec in pool.specs:
            assert spec is not None
            at = pool.agent_rows[spec.id]
            state = agents.state[at]
            if agents.wish[at] == LOGGED_OUT or state not in (TALKING, WRAP_UP):
                continue
            if state == TALKING:
                talking = entries.call[agents.entry[at]]
                self.busy.append((spec.id, calls.source[talking], now_ms - calls.answered[talking], -1))
            else:
                self.busy.append((spec.id, probe.last_source[spec.id], 0, now_ms - agents.since[at]))
        able = [{queue for queue, _, _ in spec.queues} for spec in pool.specs if spec is not None]
        self.able = [tuple(source.queue in queues for source in sources) for queues in able]
        # (source, until): callers who come before `until` go before him
        self.overtaking = [
            (number, place[0] + source.priority_ms - now_ms)
            for number, source in enumerate(sources)
            if source.rate_per_ms and place[0] + source.priority_ms > now_ms
        ]

    def interval(self, replications: int) -> tuple[int, int]:
        """The 5 % and 95 % quantiles of his wait."""
        waits = sorted(min(self.once(), float(draws.NEVER)) for _ in range(replications))
        return round(waits[replications // 20]), round(waits[replications - 1 - replications // 20])

    def once(self) -> float:
        """One future, until he is served: ms from now."""
        chance, sources = self.chance, self.scenario.sources
        # (effective age, sequence, source, gives up at, came at), all relative to now
        line = [(age, serial, source, _left(sources[source].patience, 0.0, chance), 0.0)
                for age, serial, source in self.waiting]  # fmt: skip
        line.append((*self.me, self.own, math.inf, 0.0))
        for number, until in self.overtaking:
            plan = sources[number]
            at = chance.exponential(1.0 / plan.rate_per_ms)
            while at < until:
                gone = at + _left(plan.patience, 0.0, chance)
                line.append((at - plan.priority_ms, math.inf, number, gone, at))
                at += chance.exponential(1.0 / plan.rate_per_ms)
        line.sort()
        free: list[tuple[float, int]] = []
        for agent, source, talked, wrapped in self.busy:
            rest = _left(sources[source].wrap_up, max(0.0, wrapped), chance)
            free.append((rest + (_left(sources[source].talk, talked, chance) if wrapped < 0 else 0.0), agent))
        heapify(free)
        while free:
            at, agent = heappop(free)
            able = self.able[agent]
            later = math.inf
            for index, (_, serial, source, gone, came) in enumerate(line):
                if not able[source] or gone <= at:
                    continue
                if came > at:
                    later = min(later, came)
                    continue
                if serial == self.me[1]:
                    return at
                del line[index]
                plan = sources[source]
                busy = _left(plan.talk, 0.0, chance) + _left(plan.wrap_up, 0.0, chance)
                heappush(free, (at + busy, agent))
                break
            else:
                if later < math.inf:
                    heappush(free, (later, agent))
        return math.inf


def _left(law: Law, age: float, chance: np.random.Generator) -> float:
    """The rest of a duration that has lasted for `age` ms."""
    if law.kind == INFINITE:
        return math.inf
    if law.kind == CONSTANT:
        return max(0.0, law.mean_ms - age)
    if law.kind == EXPONENTIAL:
        return float(chance.exponential(law.mean_ms))
    variance = math.log1p(law.cv * law.cv)
    sigma, mu = math.sqrt(variance), math.log(law.mean_ms) - variance / 2
    below = _STANDARD.cdf((math.log(age) - mu) / sigma) if age > 0 else 0.0
    at = min(below + chance.random() * (1.0 - below), 1.0 - 1e-12)
    return max(0.0, math.exp(mu + sigma * _STANDARD.inv_cdf(max(at, 1e-12))) - age)


# --- figures ------------------------------------------------------------------------------------------------
class Figures(msgspec.Struct):
    """Of one shape, or of all. Shares are fractions; `widths`: mean width / the oracle's, where both were told."""

    name: str
    promises: int
    kept: float
    sooner: float
    later: float
    kept_at_join: float
    width_ms: float
    widths: float | None
    oracles: int
    oracle_kept: float | None
    pinball: dict[str, float]  # ours, les, les_dressed, naive: mean over LEVELS, ms
    below: list[float]  # share of waits at or below the estimate's quantile, by LEVELS

    def gain(self, other: str) -> float:
        """How far our loss lies below another's, as a fraction of it."""
        return 1.0 - self.pinball["ours"] / self.pinball[other] if self.pinball[other] else 0.0


def judge(name: str, asked: list[Asked], *, from_ms: int = 0) -> Figures:
    """Figures of the estimates made at `from_ms` or later whose callers were answered."""
    told = [each for each in asked if each.wait_ms >= 0 and each.at_ms >= from_ms]
    count = max(1, len(told))
    joins = [each for each in told if each.first]
    both = [each for each in told if each.oracle is not None]
    ours = sum(each.estimate.high_ms - each.estimate.low_ms for each in both)
    theirs = sum(each.oracle[1] - each.oracle[0] for each in both if each.oracle is not None)
    within = sum(each.oracle[0] <= each.wait_ms <= each.oracle[1] for each in both if each.oracle is not None)
    ratios = sorted(each.wait_ms / max(1_000, each.les_ms) for each in told)
    losses = {"ours": 0.0, "les": 0.0, "les_dressed": 0.0, "naive": 0.0}
    below = []
    for level in LEVELS:
        share = level / 1_000
        dressing = ratios[min(len(ratios) - 1, int(share * len(ratios)))] if ratios else 1.0
        for each in told:
            wait = each.wait_ms
            losses["ours"] += _pinball(each.estimate.quantile(level), wait, share)
            losses["les"] += _pinball(each.les_ms, wait, share)
            losses["les_dressed"] += _pinball(max(1_000, each.les_ms) * dressing, wait, share)
            losses["naive"] += _pinball(each.naive_ms, wait, share)
        below.append(sum(each.wait_ms <= each.estimate.quantile(level) for each in told) / count)
    return Figures(
        name, len(told), _share(told), sum(each.wait_ms < each.estimate.low_ms for each in told) / count,
        sum(each.wait_ms > each.estimate.high_ms for each in told) / count, _share(joins),
        sum(each.estimate.high_ms - each.estimate.low_ms for each in told) / count,
        ours / theirs if theirs else None, len(both), within / len(both) if both else None,
        {each: loss / count / len(LEVELS) for each, loss in losses.items()}, below,
    )  # fmt: skip


def _share(told: list[Asked]) -> float:
    kept = sum(each.estimate.low_ms <= each.wait_ms <= each.estimate.high_ms for each in told)
    return kept / max(1, len(told))


def _pinball(forecast: float, wait: float, level: float) -> float:
    return (wait - forecast) * level if wait >= forecast else (forecast - wait) * (1.0 - level)


def calibrate(
    seed: int,
    calls: int,
    *,
    oracle_every: int = 0,
    replications: int = 200,
    told: Callable[[Figures], None] | None = None,
) -> list[Figures]:
    """Figures of every shape and, last, of all. The first tenth of each run teaches and isn't judged."""
    found, everything = [], []
    for shape in shapes(seed, calls):
        probe = Probe(shape, oracle_every=oracle_every, replications=replications)
        probe.go()
        from_ms = probe.moments[len(probe.moments) // 10]
        counted = [each for each in probe.asked if each.at_ms >= from_ms]
        figures = judge(shape.name, counted)
        if told is not None:
            told(figures)
        found.append(figures)
        everything += counted
    return [*found, judge("all", everything)]

"""One run of a scenario over the distributor that production runs: events in, commands out, in virtual ms.

Callers join, lose patience, talk and try again as drawn; agents answer after the queue's `ring` (at once unless the
scenario says otherwise), talk, wrap up and are ready again. Who gets whom, when a wait is over and who is let in is
the distributor's word alone, except for `capacity`, the bound K of M/M/n/K on callers waiting and talking together,
which production has no need of.

Of what happens in the same millisecond, first deadlines are honoured, then conversations end, wrap-ups end, agents
answer, patience ends, callers try again, and new callers arrive; each is settled before the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

from engine import limits
from engine.acd import events
from engine.acd.commands import AcdCommand, Breach, Connect, EntryEnded, Offer
from engine.acd.machine import Distributor
from engine.acd.model import AgentSpec, QueueSpec
from engine.errors import LocalError
from engine.sim import draws
from engine.sim.scenario import Scenario

OUTCOMES = ("waiting", "answered", "abandoned", "blocked", "timed_out")
WAITING, ANSWERED, ABANDONED, BLOCKED, TIMED_OUT = range(5)

END, READY, ANSWER, MISS, LEAVE, AGAIN = range(6)  # ranks within a millisecond
RING_BLOCK = 1_024


class Calls:
    """One row per call, in order of arrival; times in ms, −1 where nothing happened.

    `ended`: the conversation's end, or the moment in which the caller gave up or was sent away. `free`: the end of
    the agent's wrap-up. `delayed`: 1 when nobody was there for him in the moment of his arrival.
    """

    def __init__(self) -> None:
        self.source: list[int] = []
        self.serial: list[int] = []  # among the fresh callers of his source, kept when he tries again
        self.attempt: list[int] = []  # 1: a fresh caller
        self.arrived: list[int] = []
        self.outcome: list[int] = []
        self.delayed: list[int] = []
        self.agent: list[int] = []
        self.offered: list[int] = []
        self.answered: list[int] = []
        self.ended: list[int] = []
        self.free: list[int] = []

    def __len__(self) -> int:
        return len(self.source)

    def listed(self) -> Calls:
        """The same rows with whole numbers of Python in lists (the compiled run leaves arrays)."""
        same = Calls()
        for name, column in vars(self).items():
            setattr(same, name, [int(value) for value in column])
        return same

    def add(self, source: int, serial: int, attempt: int, now_ms: int) -> int:
        """A row for a caller who arrives now."""
        for column, value in ((self.source, source), (self.serial, serial), (self.attempt, attempt),
                              (self.arrived, now_ms), (self.outcome, WAITING), (self.delayed, 1)):  # fmt: skip
            column.append(value)
        for column in (self.agent, self.offered, self.answered, self.ended, self.free):
            column.append(-1)
        return len(self.source) - 1


def agent_names(scenario: Scenario) -> list[str]:
    """By agent's number: the group's name, with a number behind it when the group has several."""
    return [
        group.name if group.count == 1 else f"{group.name}-{number}"
        for group in scenario.agents
        for number in range(1, group.count + 1)
    ]


def seats(scenario: Scenario) -> list[list[int]]:
    """By queue: the numbers of its agents."""
    found: list[list[int]] = [[] for _ in scenario.queues]
    number = 0
    for group in scenario.agents:
        for queue, _ in group.queues:
            found[queue].extend(range(number, number + group.count))
        number += group.count
    return found


def specs(scenario: Scenario) -> tuple[list[QueueSpec], list[AgentSpec], list[bool]]:
    """The distributor's queues and agents, and by queue whether its calls are wrapped up."""
    wraps = [False] * len(scenario.queues)
    for source in scenario.sources:
        wraps[source.queue] |= source.wrap_up.mean_ms > 0
    queues = [
        QueueSpec(
            number, plan.name, strategy=plan.strategy, entries_max=plan.length, wait_ms_max=plan.wait_ms_max,
            service_level_ms=plan.service_level_ms, weight=plan.weight, misses_max=0,
            wrap_up_ms=limits.wrap_up_ms_max if wraps[number] else 0,  # each call's own end comes sooner
        )
        for number, plan in enumerate(scenario.queues)
    ]  # fmt: skip
    agents: list[AgentSpec] = []
    for group in scenario.agents:
        places = tuple((queue, tier, 0) for queue, tier in group.queues)
        agents += [
            AgentSpec(len(agents) + number, group.name, queues=places, skills=group.skills)
            for number in range(group.count)
        ]
    return queues, agents, wraps


class Run:
    """`calls` holds what happened once `go` has returned. `kernels` as the Distributor's: both decide alike."""

    def __init__(self, scenario: Scenario, replication: int = 0, *, kernels: str = "python") -> None:
        self.scenario, self.replication, self.kernels = scenario, replication, kernels
        self.restart()

    def restart(self) -> None:
        """Back to 0 ms: nobody has come yet, and chance is as it was."""
        scenario, replication = self.scenario, self.replication
        self.calls = Calls()
        self.inside = [0] * len(scenario.queues)  # callers who wait or talk
        self.waiting = 0
        moments, sources, counts = draws.arrivals(scenario, replication)
        self.moments: list[int] = moments.tolist()
        self.sources: list[int] = sources.tolist()
        self.drawn = [draws.Drawn(scenario, replication, number, count) for number, count in enumerate(counts)]
        self.rings = [self._rings(replication, number) for number in range(len(scenario.queues))]
        self.coming: list[tuple[int, int, int, int]] = []  # heap: at, rank, call or offer, agent
        self.again: dict[int, tuple[int, int, int]] = {}  # who tries again: source, serial, attempt
        self.agains = 0
        self.distributor = Distributor(scenario.seed + replication, kernels=self.kernels)
        self._open()

    def _rings(self, replication: int, queue: int) -> Iterator[int]:
        generator = draws.stream(self.scenario, replication, queue, draws.RING)
        law = self.scenario.queues[queue].ring
        while True:
            yield from draws.durations(law, generator, RING_BLOCK)

    def _open(self) -> None:
        """Everybody is at his desk at 0 ms, in the order of the scenario."""
        queues, agents, self.wraps = specs(self.scenario)
        self.distributor.configure(queues, agents, 0)
        for agent in agents:
            self.distributor.apply(events.AgentReachable(agent.id, True), 0)
            self.distributor.apply(events.AgentLoggedIn(agent.id), 0)
        self._take(self.distributor.settle(0), 0)

    # --- time ---------------------------------------------------------------------------------------
    def go(self) -> Calls:
        """Until the last caller is gone and the last wrap-up is over. Raises LocalError on a broken invariant."""
        coming, moments, distributor = self.coming, self.moments, self.distributor
        counts = [0] * len(self.drawn)
        arrival, last = 0, len(moments)
        while True:
            if arrival < last and not (coming and coming[0][0] <= moments[arrival]):
                now_ms = moments[arrival]
                self._until(now_ms)
                if coming and coming[0][0] <= now_ms:
                    continue  # a deadline has made something happen before he comes
                source = self.sources[arrival]
                self._join(self.calls.add(source, counts[source], 1, now_ms), now_ms)
                counts[source] += 1
                arrival += 1
            elif coming:
                now_ms = coming[0][0]
                self._until(now_ms)
                self._happen(*heappop(coming))
            elif self.waiting:
                due = distributor.next_deadline()
                if due is None:
                    raise LocalError(f"{self.waiting} simulated callers wait for nothing")
                self._until(due)
            else:
                return self.calls

    def _until(self, now_ms: int) -> None:
        """Honour the distributor's deadlines up to now."""
        distributor = self.distributor
        while distributor.perhaps_due(now_ms):
            due = distributor.next_deadline()
            if due is None or due > now_ms:
                return
            distributor.expire(due)
            self._take(distributor.settle(due), due)

    def _happen(self, now_ms: int, rank: int, which: int, agent: int) -> None:
        distributor, calls = self.distributor, self.calls
        if rank == END:
            self._end(which, agent, now_ms)
        elif rank == READY:
            distributor.apply(events.AgentReady(agent), now_ms)
        elif rank == ANSWER:
            distributor.apply(events.OfferAnswered(which), now_ms)
        elif rank == MISS:
            distributor.apply(events.OfferFailed(which, "no_answer"), now_ms)
        elif rank == LEAVE:
            if calls.outcome[which] != WAITING:
                return
            distributor.apply(events.CallLeft(which, "abandoned"), now_ms)
            self._lost(which, ABANDONED, now_ms)
        else:
            self._join(calls.add(*self.again.pop(which), now_ms), now_ms)
            return
        self._take(distributor.settle(now_ms), now_ms)

    # --- callers ------------------------------------------------------------------------------------
    def _join(self, call: int, now_ms: int) -> None:
        calls = self.calls
        source = self.scenario.sources[calls.source[call]]
        plan = self.scenario.queues[source.queue]
        self.inside[source.queue] += 1
        self.waiting += 1
        if plan.capacity and self.inside[source.queue] > plan.capacity:
            self._lost(call, BLOCKED, now_ms)
            return
        self.distributor.apply(events.CallJoined(call, source.queue, source.priority_ms, source.needs), now_ms)
        self._take(self.distributor.settle(now_ms), now_ms)
        if calls.offered[call] >= 0:
            calls.delayed[call] = 0
        if calls.outcome[call] == WAITING:
            patience = self._patience(call)
            if patience < draws.NEVER:
                heappush(self.coming, (now_ms + patience, LEAVE, call, -1))

    def _patience(self, call: int) -> int:
        """A caller who tries again has new patience; what he wants to talk about is the same."""
        calls = self.calls
        drawn = self.drawn[calls.source[call]]
        if calls.attempt[call] == 1:
            return drawn.patience[calls.serial[call]]
        law = self.scenario.sources[calls.source[call]].patience
        return draws.durations(law, drawn.again, 1)[0]

    def _lost(self, call: int, outcome: int, now_ms: int) -> None:
        """He is gone without a conversation; perhaps he tries again."""
        calls = self.calls
        calls.outcome[call] = outcome
        calls.ended[call] = now_ms
        number, attempt = calls.source[call], calls.attempt[call]
        source = self.scenario.sources[number]
        self.inside[source.queue] -= 1
        self.waiting -= 1
        retry, drawn = source.retry, self.drawn[number]
        if retry is None or attempt > retry.times or drawn.again.random() >= retry.chance:
            return
        self.agains += 1
        self.again[self.agains] = (number, calls.serial[call], attempt + 1)
        after = draws.durations(retry.after, drawn.again, 1)[0]
        heappush(self.coming, (now_ms + max(1, after), AGAIN, self.agains, -1))

    def _end(self, call: int, agent: int, now_ms: int) -> None:
        """The conversation is over: wrap-up, or at once ready again."""
        calls = self.calls
        number = calls.source[call]
        queue = self.scenario.sources[number].queue
        self.inside[queue] -= 1
        calls.ended[call] = now_ms
        wrap_ms = self.drawn[number].wrap_up[calls.serial[call]]
        calls.free[call] = now_ms + wrap_ms
        self.distributor.apply(events.CallEnded(call, agent), now_ms)
        if wrap_ms:
            heappush(self.coming, (now_ms + wrap_ms, READY, call, agent))
        elif self.wraps[queue]:
            self.distributor.apply(events.AgentReady(agent), now_ms)

    # --- commands -------------------------------------------------------------------------------------
    def _take(self, commands: list[AcdCommand], now_ms: int) -> None:
        """Do what the distributor asks for; answers given at once are settled at once."""
        calls = self.calls
        while commands:
            answered = False
            for command in commands:
                if isinstance(command, Offer):
                    answered |= self._ring(command, now_ms)
                elif isinstance(command, Connect):
                    call, agent = command.call, command.agent
                    calls.outcome[call] = ANSWERED
                    calls.agent[call], calls.answered[call] = agent, now_ms
                    self.waiting -= 1
                    talk_ms = self.drawn[calls.source[call]].talk[calls.serial[call]]
                    heappush(self.coming, (now_ms + talk_ms, END, call, agent))
                elif isinstance(command, EntryEnded):
                    self._lost(command.call, TIMED_OUT if command.reason == "timeout" else BLOCKED, now_ms)
                elif isinstance(command, Breach):
                    raise LocalError(f"the distributor broke an invariant at {now_ms} ms: {command}")
            commands = self.distributor.settle(now_ms) if answered else []

    def _ring(self, offer: Offer, now_ms: int) -> bool:
        """The agent's phone rings; True when it was answered at once."""
        if self.calls.offered[offer.call] < 0:
            self.calls.offered[offer.call] = now_ms
        ring_ms = next(self.rings[offer.queue])
        if not ring_ms:
            self.distributor.apply(events.OfferAnswered(offer.offer), now_ms)
            return True
        rank = ANSWER if ring_ms < offer.ring_ms_max else MISS
        heappush(self.coming, (now_ms + min(ring_ms, offer.ring_ms_max), rank, offer.offer, offer.agent))
        return False

"""A call floor in virtual time: callers come, agents answer after a second, talk and hang up; what happened is kept.

`Floor.served` holds who got whom when, `Floor.states` every agent's timeline. Each settle is checked against what
always holds: an offer never passes over a caller with a better claim whom the same agent could have served.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import pairwise

from engine.acd import bars, events, starving
from engine.acd.commands import AcdCommand, AgentChanged, Breach, Connect, EntryEnded, Offer
from engine.acd.machine import Distributor
from engine.acd.model import AgentSpec, QueueSpec

RING_MS = 1_000


class Floor:
    def __init__(self, queues: list[QueueSpec], agents: list[AgentSpec], *, kernels: str = "python") -> None:
        self.distributor = Distributor(11, kernels=kernels)
        self.distributor.configure(queues, agents, 0)
        self.coming: list[tuple[int, int, events.AcdEvent]] = []
        self.number = 0
        self.now = 0
        self.joined: dict[int, tuple[int, events.CallJoined]] = {}
        self.talks: dict[int, int] = {}
        self.served: list[tuple[int, int, int, int]] = []  # ms, call, agent, waited ms
        self.ended: list[EntryEnded] = []
        self.states: dict[int, list[tuple[int, str, str]]] = {spec.id: [] for spec in agents}  # ms, state, reason
        for spec in agents:
            self.at(0, events.AgentReachable(spec.id, True))
            self.at(0, events.AgentLoggedIn(spec.id))

    def at(self, ms: int, event: events.AcdEvent) -> None:
        self.number += 1
        heappush(self.coming, (ms, self.number, event))

    def call(self, ms: int, number: int, queue: int, talk_ms: int, **more: object) -> None:
        """Somebody calls at `ms` and will talk for `talk_ms`."""
        self.talks[number] = talk_ms
        self.at(ms, events.CallJoined(number, queue, **more))  # type: ignore[arg-type]

    def run(self, until_ms: int) -> None:
        while True:
            due = self.distributor.next_deadline()
            now = min(due if due is not None else until_ms, self.coming[0][0] if self.coming else until_ms)
            if now > until_ms or (now == until_ms and not (self.coming and self.coming[0][0] == now)):
                self.now = until_ms
                return
            self.now = max(self.now, now)
            self.distributor.expire(self.now)
            while self.coming and self.coming[0][0] <= self.now:
                event = heappop(self.coming)[2]
                if isinstance(event, events.CallJoined):
                    self.joined[event.call] = (self.now, event)
                self.distributor.apply(event, self.now)
            self.take(self.distributor.settle(self.now))
            assert self.distributor.check(self.now) == []

    def take(self, commands: list[AcdCommand]) -> None:
        for command in commands:
            assert not isinstance(command, Breach), command
            if isinstance(command, Offer):
                self.fair(command)
                self.at(self.now + RING_MS, events.OfferAnswered(command.offer))
            elif isinstance(command, Connect):
                self.served.append((self.now, command.call, command.agent, command.waited_ms))
                self.at(self.now + self.talks[command.call], events.CallEnded(command.call, command.agent))
            elif isinstance(command, EntryEnded):
                self.ended.append(command)
            elif isinstance(command, AgentChanged):
                self.states[command.agent].append((self.now, command.new, command.reason))

    def fair(self, offer: Offer) -> None:
        """Nobody who still waits could have had this agent by a better claim."""
        pool = self.distributor._pool
        entries, agent = pool.entries, pool.agent_rows[offer.agent]
        chosen = pool.calls[offer.call]
        for queue, _ in pool.seats[agent]:
            for _, _, entry in queue.waiting:
                fits = all(pool.skill_of[agent].get(n >> 8, 0) >= n & 255 for n in pool.needs_of(entry))
                if not fits or bars.apply_to(pool, entry, self.now):
                    continue
                assert claim(pool, entry, self.now) > claim(pool, chosen, self.now), (offer, entries.call[entry])

    def spans(self, agent: int, states: tuple[str, ...]) -> list[tuple[int, int]]:
        """Begin and end of his times in these states."""
        line = [*self.states[agent], (self.now, "", "")]
        return [(at, until) for (at, state, _), (until, _, _) in pairwise(line) if state in states]


def claim(pool: object, entry: int, now_ms: int) -> tuple[int, int, int, int]:
    """Written from the rule's words: who starves by his wait; the others by weight, then age with priority."""
    entries = pool.entries  # type: ignore[attr-defined]
    queue = pool.queue_at(entries.queue[entry])  # type: ignore[attr-defined]
    if starving.starves(pool, queue, entry, now_ms):  # type: ignore[arg-type]
        return 0, 0, entries.joined[entry] - entries.credit[entry], entries.sequence[entry]
    return 1, -queue.spec.weight, entries.effective[entry], entries.sequence[entry]


def inside(spans: list[tuple[int, int]], begin: int, end: int) -> int:
    """How much of begin … end these spans cover, in ms."""
    return sum(max(0, min(end, until) - max(begin, at)) for at, until in spans)

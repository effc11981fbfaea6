"""A pool in virtual time for tests: says what happened in words, and checks every invariant after every step."""

from __future__ import annotations

from typing import Any

from engine.acd import events
from engine.acd.commands import AcdCommand, AgentChanged, Breach, CancelOffer, Connect, EntryEnded, Offer, OfferEnded
from engine.acd.machine import Distributor
from engine.acd.model import AgentSpec, QueueSpec

Q, R = 1, 2  # queue ids that tests use most


class World:
    """`agents` who are logged in, reachable and ready from time 0 unless `ready` is False; `now` moves on demand."""

    def __init__(self, queues: list[QueueSpec], agents: list[AgentSpec], *, ready: bool = True, **options: Any) -> None:
        self.now = 0
        self.distributor = Distributor(7, **options)
        self.distributor.configure(queues, agents, 0)
        self.log: list[AcdCommand] = []
        for spec in agents if ready else []:
            self.distributor.apply(events.AgentReachable(spec.id, True), self.now)
            self.distributor.apply(events.AgentLoggedIn(spec.id), self.now)
            self.now += 1
        self.settle()
        self.log.clear()

    @property
    def pool(self) -> Any:
        return self.distributor._pool

    def settle(self) -> list[AcdCommand]:
        out = self.distributor.settle(self.now)
        self.log += out
        assert self.distributor.check(self.now) == []
        assert not [command for command in out if isinstance(command, Breach)], out
        return out

    def do(self, *happened: events.AcdEvent, after: int = 0) -> list[AcdCommand]:
        """Apply all, settle once."""
        self.wait(after)
        for event in happened:
            self.distributor.apply(event, self.now)
        return self.settle()

    def wait(self, ms: int) -> list[AcdCommand]:
        """Let time pass, stopping at every deadline."""
        out: list[AcdCommand] = []
        until = self.now + ms
        while ms:
            at = self.distributor.next_deadline()
            if at is None or at > until:
                break
            self.now = max(self.now, at)
            self.distributor.expire(self.now)
            out += self.settle()
        self.now = until
        return out

    # --- shorthands ---------------------------------------------------------------------------------
    def join(self, call: int, queue: int = Q, *, after: int = 0, **more: Any) -> list[AcdCommand]:
        return self.do(events.CallJoined(call, queue, **more), after=after)

    def answer(self, offer: Offer, *, after: int = 0) -> list[AcdCommand]:
        return self.do(events.OfferAnswered(offer.offer), after=after)

    def fail(self, offer: Offer, reason: str, *, after: int = 0) -> list[AcdCommand]:
        return self.do(events.OfferFailed(offer.offer, reason), after=after)

    def end(self, call: int, agent: int, *, after: int = 0) -> list[AcdCommand]:
        return self.do(events.CallEnded(call, agent), after=after)

    def state(self, agent: int) -> str:
        return self.distributor.agent_state(agent)

    def talk(self, call: int, queue: int = Q) -> Offer:
        """Join, be answered by whomever is picked."""
        offer = offers(self.join(call, queue))[0]
        self.answer(offer)
        return offer


def offers(commands: list[AcdCommand]) -> list[Offer]:
    return [command for command in commands if isinstance(command, Offer)]


def cancels(commands: list[AcdCommand]) -> list[CancelOffer]:
    return [command for command in commands if isinstance(command, CancelOffer)]


def connects(commands: list[AcdCommand]) -> list[Connect]:
    return [command for command in commands if isinstance(command, Connect)]


def ended(commands: list[AcdCommand]) -> list[EntryEnded]:
    return [command for command in commands if isinstance(command, EntryEnded)]


def changes(commands: list[AcdCommand]) -> list[tuple[int, str, str, str]]:
    """(agent, old, new, reason)."""
    return [(c.agent, c.old, c.new, c.reason) for c in commands if isinstance(c, AgentChanged)]


def endings(commands: list[AcdCommand]) -> list[tuple[int, str]]:
    """(agent, reason) of offers that ended."""
    return [(c.agent, c.reason) for c in commands if isinstance(c, OfferEnded)]


def queue(number: int = Q, **more: Any) -> QueueSpec:
    return QueueSpec(number, f"queue{number}", **more)


def agent(number: int, *queues: int, level: int = 1, position: int = 0, **more: Any) -> AgentSpec:
    seats = tuple((where, level, position) for where in queues or (Q,))
    return AgentSpec(number, f"agent{number}", queues=more.pop("seats", seats), **more)

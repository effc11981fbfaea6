"""Random streams of events, from a seed: late, repeated and unknown ids included."""

from __future__ import annotations

from random import Random

import msgspec

from engine.acd import custom, events
from engine.acd.commands import AcdCommand, Connect, Offer
from engine.acd.machine import Distributor
from engine.acd.model import AgentSpec, Policy, QueueSpec, RestRule, Ring
from engine.acd.offers import FAILURES
from engine.acd.policy import NAMES

QUEUES = [
    QueueSpec(
        1, "sales", wrap_up_ms=3_000, wait_ms_max=60_000, entries_max=12, ring_ms_max=8_000, wrap_up_early=False,
        wrap_up_coded=True, wrap_up_mode="optional-timed", starve_ms=20_000, hard_hold_ms=4_000,
    ),
    QueueSpec(
        2, "support", strategy="ring-all", wait_ms_max=90_000, weight=1, delay_no_answer_ms=0, misses_max=2,
        starve_ms=9_000, reserve=((1, 0, 1), (3, 0, 1)),
    ),
    QueueSpec(
        3, "night", strategy="ring-all", join_empty=False, offers_max=2, delay_busy_ms=0, wrap_up_coded=True,
        wrap_up_mode="mandatory-discretionary", reserve=((-1, 7, 1),),
    ),
]
AGENTS = [
    AgentSpec(
        10,
        "a",
        queues=((1, 1, 0), (2, 1, 0)),
        skills=((1, 5),),
        rests=RestRule(ceiling=400, window_ms=60_000, gives_way_ms=10_000),
    ),
    AgentSpec(
        11,
        "b",
        queues=((1, 1, 1),),
        skills=((1, 2), (2, 9)),
        wrap_up_ms=0,
        rests=RestRule(pause_ms=900, long_talk_ms=5_000, rest_ms=12_000, gives_way_ms=15_000),
    ),
    AgentSpec(12, "c", queues=((1, 2, 0), (2, 1, 1), (3, 1, 0)), second_line=True),
    AgentSpec(13, "d", queues=((2, 2, 0), (3, 1, 0)), on_demand=True),
    AgentSpec(
        14, "e", queues=((3, 2, 0), (1, 3, 0)), skills=((2, 16),), wrap_up_ms=9_000, wrap_up_mode="mandatory-timed",
        wrap_up_early=False, rests=RestRule(ramp_days=20, ramp_from=60, ramp_to=600, ceiling=800, window_ms=120_000),
    ),
]
TEMP = AgentSpec(15, "f", queues=((2, 1, 0), (3, 1, 9)))


def site(queues: list[QueueSpec], agents: list[AgentSpec]) -> tuple[list[QueueSpec], list[AgentSpec]]:
    """Agents without seats in queues that aren't there."""
    known = [spec.id for spec in queues]
    kept = [
        msgspec.structs.replace(spec, queues=tuple(seat for seat in spec.queues if seat[0] in known)) for spec in agents
    ]
    return queues, kept


ALTERNATIVES = (
    site(QUEUES, AGENTS),
    site(QUEUES[:2], AGENTS[:3]),
    site(QUEUES[1:], [*AGENTS[2:4], TEMP]),
    site([msgspec.structs.replace(QUEUES[0], strategy="ring-all", weight=2), QUEUES[2]], [TEMP, *AGENTS[::-1]]),
)
RINGS = (Ring(level=1, for_ms=3_000), Ring(level=2, without=(1,), for_ms=9_000), Ring())
# the least talk first; who lacks skill 1 is asked after half a second
POLICY = Policy(
    (((custom.FIELD, custom.FIELDS.index("agent.talk")),),),
    (
        (custom.FIELD, custom.FIELDS.index("caller.waited")), (custom.CONST, 500), (custom.GT, 0),
        (custom.SKILL, 1), (custom.CONST, 1), (custom.GE, 0), (custom.OR, 0),
    ),
)  # fmt: skip
REASONS = [*FAILURES, "nonsense"]


def vary(chance: Random, queues: list[QueueSpec]) -> list[QueueSpec]:
    """Most of them with another strategy, some with rings."""
    return [
        spec
        if chance.random() < 0.25
        else msgspec.structs.replace(
            spec,
            strategy=strategy,
            rings=RINGS if chance.random() < 0.3 else spec.rings,
            policy=POLICY if strategy == "custom" else None,
        )
        for spec, strategy in ((spec, chance.choice(NAMES)) for spec in queues)
    ]


def wish(chance: Random, joined: events.CallJoined) -> events.CallJoined:
    """Some callers ask for less as they wait, some for one agent."""
    if chance.random() < 0.2:
        steps = (events.Step(chance.choice((1, 700)), ((1, 6),)), events.Step(9_000, ((1, 2),), 2), events.Step())
        joined = msgspec.structs.replace(joined, steps=steps)
    if chance.random() < 0.2:
        owner = chance.choice((10, 11, 12, 13, 99))
        joined = msgspec.structs.replace(joined, prefer=owner, prefer_ms=6_000, prefer_away=chance.random() < 0.3)
    return joined


class Stream:
    """Draws the next step; knows only what the owner of a distributor could know, and lies sometimes."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.now = 1_000
        self.call = 100
        self.offers: list[int] = [1]
        self.pairs: list[tuple[int, int]] = [(1, 1)]

    def learn(self, commands: list[AcdCommand]) -> None:
        for command in commands:
            if isinstance(command, Offer):
                self.offers.append(command.offer)
            elif isinstance(command, Connect):
                self.pairs.append((command.call, command.agent))

    @staticmethod
    def held(what: int) -> bool:
        """Some of those who pick up are asked for a key first."""
        return what < 30

    def recent(self, things: list) -> object:  # type: ignore[type-arg]
        return things[-1 - min(self.chance.choice((0, 0, 0, 1, 1, 2, 3, 7)), len(things) - 1)]

    def event(self) -> events.AcdEvent:
        chance = self.chance
        agent = chance.choice((10, 11, 12, 13, 14, 15, 99))
        what = chance.randrange(100)
        if what < 22:
            self.call += chance.randrange(-1, 3)
            needs = ((1, chance.randint(1, 6)),) if chance.random() < 0.2 else ()
            avoid, avoid_ms = (agent, chance.choice((700, 20_000))) if chance.random() < 0.3 else (-1, 0)
            joined = events.CallJoined(
                self.call, chance.choice((1, 1, 2, 2, 3, 9)), chance.choice((0, 0, 5_000)), needs,
                chance.choice((0, 0, 2_000)), avoid, avoid_ms,
                credit_ms=chance.choice((0, 0, 7_000)), group=chance.choice((0, 7)), hard=chance.random() < 0.3,
            )  # fmt: skip
            return wish(chance, joined)
        if what == 25:
            call = self.call - chance.randrange(6)
            self.pairs.append((call, agent))
            return events.CallPicked(call, agent)
        if what < 26:
            return events.CallLeft(self.call - chance.randrange(6), chance.choice(("abandoned", "exit", "moved")))
        if what < 52:
            offer = int(self.recent(self.offers))  # type: ignore[call-overload]
            return events.OfferHeld(offer, 9_000) if self.held(what) else events.OfferAnswered(offer)
        if what < 55:
            return events.OfferFailed(int(self.recent(self.offers)), chance.choice(REASONS))  # type: ignore[call-overload]
        if what < 68:
            call, talker = self.recent(self.pairs)  # type: ignore[misc]
            return events.CallEnded(call, talker)
        if what < 77:
            return events.AgentLoggedIn(agent, chance.random() < 0.9)
        if what < 82:
            return events.AgentWrapUp(agent, chance.choice(("ask", "extend", "coded", "nonsense")))
        if what < 91:
            return events.AgentReady(agent, chance.random() < 0.2)
        if what < 93:
            return events.AgentNotReady(agent, chance.choice(("", "lunch")))
        if what < 94:
            return events.AgentLoggedOut(agent)
        if what < 97:
            return events.AgentReachable(agent, chance.random() < 0.85)
        return events.AgentOccupied(agent, chance.random() < 0.5, "direct")

    def step(self, distributor: Distributor) -> list[AcdCommand]:
        """Some events, perhaps some time, one settle; perhaps a reload."""
        chance = self.chance
        if chance.random() < 0.03:
            queues, agents = chance.choice(ALTERNATIVES)
            distributor.configure(vary(chance, queues), agents, self.now)
        for _ in range(chance.choice((0, 1, 1, 1, 2, 4))):
            distributor.apply(self.event(), self.now)
        out = distributor.settle(self.now)
        self.learn(out)
        self.now += chance.choice((0, 0, 1, 40, 40, 700, 700, 5_000, 5_000, 30_000))
        if chance.random() < 0.8:
            distributor.expire(self.now)
        return out


def start(seed: int, kernels: str = "python") -> tuple[Distributor, Stream]:
    distributor = Distributor(seed, entries_max=40, agents_max=20, kernels=kernels)
    distributor.configure(vary(Random(seed), QUEUES), AGENTS, 0)
    for spec in AGENTS:
        distributor.apply(events.AgentReachable(spec.id, True), 10)
        distributor.apply(events.AgentLoggedIn(spec.id), 10)
    return distributor, Stream(seed)


def run_stream(seed: int, steps: int, kernels: str = "python") -> list[AcdCommand]:
    distributor, stream = start(seed, kernels)
    out: list[AcdCommand] = []
    for _ in range(steps):
        out += stream.step(distributor)
    return out

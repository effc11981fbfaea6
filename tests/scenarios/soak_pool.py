"""Long soak of the distributor alone: calls by the hundred thousand in virtual time, with an owner who makes mistakes.

`python -m tests.scenarios.soak_pool SEED CALLS` prints one JSON line. Faults, each by its own chance: an answer that
crosses the withdrawal, two phones that answer in the same millisecond, a dead phone that never says a word, an end of
a conversation that is lost until the owner's own limit, an end told twice, callers who give up in the very millisecond
of the answer, agents who log out, pause, lose their registration or take another call at any time, and reloads while
phones ring.
"""

from __future__ import annotations

import json
import sys
from heapq import heappop, heappush
from random import Random

from engine import limits
from engine.acd import events
from engine.acd.agents import CALL_MS_MAX
from engine.acd.commands import AcdCommand, Breach, CancelOffer, Connect, EntryEnded, Offer, Recall
from engine.acd.machine import Distributor
from engine.acd.model import WRAP_UP_MODES, AgentSpec, QueueSpec, RestRule, Ring
from engine.acd.policy import NAMES
from engine.acd.tables import AGENT_IDLE, AGENT_STATES, E_ENDED

QUEUES, AGENTS, SKILLS = 6, 40, 5
CALLS_PER_MINUTE = 12
CHECK_EVERY = 300  # settles between two looks at all invariants
FAILURES = ("busy", "rejected", "no_answer", "unreachable", "error")
FATES = ("good",) * 88 + ("lost_end",) + ("twice",) * 5 + ("late",) * 3 + ("dead",) * 3
RINGS = ((), (), (Ring(level=1, for_ms=15_000), Ring(teams=("front",), without=(0,), for_ms=30_000), Ring()))
RESTS = (
    RestRule(ceiling=850, gives_way_ms=120_000), RestRule(pause_ms=10_000),
    RestRule(long_talk_ms=1_800_000, rest_ms=300_000, gives_way_ms=60_000),
)  # fmt: skip
WAYS = ("agent_first", "customer_first")


class Unsound(AssertionError):
    """A promise was broken; the text names seed, time and what."""


class PoolSoak:
    """An owner of one distributor; `run` returns what it counted."""

    def __init__(self, seed: int, calls: int, kernels: str = "python") -> None:
        self.chance = Random(seed)
        self.seed, self.calls_max, self.kernels = seed, calls, kernels
        self.now = 0
        self.versions = [self.site(), self.site(fewer=True), self.site(fewer=True)]
        self.distributor = Distributor(seed, kernels=kernels)
        self.distributor.configure(*self.versions[0], 0)
        self.diary: list[tuple[int, int, str, int, int]] = []  # at, n, what, call or agent, offer
        self.number = self.joined = self.settles = 0
        counted = ("offered", "connected", "refused", "timeout", "gone", "cancelled", "late", "booked", "recalled")
        self.counts = dict.fromkeys(counted, 0)
        self.ringing: dict[int, Offer] = {}
        self.talking: dict[int, int] = {}  # call -> agent
        self.inside: dict[int, bool] = {}  # calls that haven't been answered, refused or left
        self.booked: dict[int, str] = {}  # call -> how he is to be called back
        self.crossed: dict[int, bool] = {}  # who left since the last settle: his refusal may be under way
        for agent in range(AGENTS):
            self.apply(events.AgentReachable(agent, True))
            self.apply(events.AgentLoggedIn(agent))
            self.note(self.chance.randrange(3_600_000), "mood", agent)
        self.note(0, "arrival")
        self.note(self.chance.randrange(7_200_000), "reload")

    def site(self, *, fewer: bool = False) -> tuple[list[QueueSpec], list[AgentSpec]]:
        """Queues of any strategy, agents in one to four of them; `fewer` leaves a queue and some agents out."""
        chance = self.chance
        gone = chance.randrange(QUEUES) if fewer else -1
        queues = [
            QueueSpec(
                number, f"q{number}", strategy=chance.choice(NAMES), ring_ms_max=chance.choice((8_000, 20_000)),
                wrap_up_ms=chance.choice((0, 5_000, 30_000)), wait_ms_max=chance.choice((0, 90_000, 600_000)),
                entries_max=chance.choice((0, 40)), weight=chance.choice((0, 0, 1)), misses_max=chance.choice((0, 3)),
                wrap_up_mode=chance.choice(("", "", *WRAP_UP_MODES)), wrap_up_early=chance.random() < 0.7,
                wrap_up_coded=chance.random() < 0.2, starve_ms=chance.choice((0, 60_000, 900_000)),
                rings=chance.choice(RINGS), reserve=chance.choice(((), (), ((-1, 1, 2),))),
            )
            for number in range(QUEUES) if number != gone
        ]  # fmt: skip
        known = [spec.id for spec in queues]
        agents = []
        for number in range(AGENTS):
            if fewer and chance.random() < 0.1:
                continue
            seats = sorted(chance.sample(known, chance.randint(1, 4)))
            skills = tuple((skill, chance.randint(1, 16)) for skill in range(SKILLS) if chance.random() < 0.8)
            agents.append(
                AgentSpec(
                    number, f"a{number}", queues=tuple((q, chance.randint(1, 3), chance.randint(0, 3)) for q in seats),
                    skills=skills, second_line=chance.random() < 0.1, team=chance.choice(("", "front")),
                    on_demand=chance.random() < 0.05, rests=chance.choice((None, None, *RESTS)),
                )
            )  # fmt: skip
        return queues, agents

    # --- the owner's diary ----------------------------------------------------------------------------------
    def note(self, after_ms: int, what: str, who: int = 0, offer: int = 0) -> None:
        self.number += 1
        heappush(self.diary, (self.now + after_ms, self.number, what, who, offer))

    def apply(self, event: events.AcdEvent) -> None:
        self.distributor.apply(event, self.now)

    def run(self) -> dict[str, int | str | dict[str, int]]:
        while self.diary:
            due = self.distributor.next_deadline()
            at = self.diary[0][0]
            if due is not None and due < at:
                self.now = due
                self.distributor.expire(due)
            else:
                self.now = at
                while self.diary and self.diary[0][0] == at:
                    _, _, what, who, offer = heappop(self.diary)
                    if what in FAILURES:
                        self.fail(what, offer)
                    else:
                        getattr(self, what)(who, offer)
            self.settle()
        self.come_to_rest()
        return {"seed": self.seed, "calls": self.joined, "virtual_hours": self.now // 3_600_000, "counts": self.counts}

    def settle(self) -> None:
        self.take(self.distributor.settle(self.now))
        self.crossed.clear()
        self.settles += 1
        if self.settles % CHECK_EVERY == 0:
            self.look()

    def look(self) -> None:
        found = self.distributor.check(self.now)
        if found:
            raise Unsound(f"seed {self.seed} at {self.now} ms: {found}")

    def take(self, commands: list[AcdCommand]) -> None:
        """Carry out what the distributor wants, and hold it to what it said before."""
        for command in commands:
            if type(command) is Offer:
                self.ring(command)
            elif type(command) is CancelOffer:
                self.counts["cancelled"] += 1
                self.ringing.pop(command.offer, None)
            elif type(command) is Connect:
                self.connect(command)
            elif type(command) is EntryEnded:
                if command.call in self.crossed:
                    continue
                self.counts["timeout" if command.reason == "timeout" else "refused"] += 1
                if not self.inside.pop(command.call, False):
                    raise Unsound(f"seed {self.seed}: call {command.call} ended twice")
            elif type(command) is Recall:
                self.rings_up(command.call)
            elif type(command) is Breach:
                raise Unsound(f"seed {self.seed} at {self.now} ms: {command}")

    def ring(self, offer: Offer) -> None:
        chance = self.chance
        self.counts["offered"] += 1
        if not self.inside.get(offer.call):
            raise Unsound(f"seed {self.seed}: an offer for call {offer.call}, which isn't waiting")
        if any(other.agent == offer.agent for other in self.ringing.values()):
            raise Unsound(f"seed {self.seed}: agent {offer.agent} is offered two calls at once")
        self.ringing[offer.offer] = offer
        fate = chance.random()
        if fate < 0.72:
            self.note(chance.choice((0, 500, 2_000, 2_000, 4_000)), "answer", offer.agent, offer.offer)
        elif fate < 0.80:
            self.note(offer.ring_ms_max, "answer", offer.agent, offer.offer)  # with the last ring, or just too late
        elif fate < 0.96:
            reason = chance.choice(FAILURES)
            self.note(chance.randrange(offer.ring_ms_max), reason, offer.agent, offer.offer)
        # else: a dead phone, which never says a word

    def connect(self, command: Connect) -> None:
        self.counts["connected"] += 1
        self.ringing.pop(command.offer, None)
        if not self.inside.pop(command.call, False) or command.agent in self.talking.values():
            raise Unsound(f"seed {self.seed}: {command} while {self.talking}")
        self.talking[command.call] = command.agent
        if self.booked.get(command.call) == "agent_first":
            self.rings_up(command.call)
        fate = self.chance.choice(FATES)
        talk_ms = int(self.chance.expovariate(1 / 150_000)) + 1
        if fate == "lost_end":
            talk_ms = limits.call_ms_max  # the owner's own limit ends it
        self.note(talk_ms, "end", command.call, command.agent)
        if fate == "twice":
            self.note(talk_ms + 10, "end_again", command.call, command.agent)

    # --- what happens, by its name in the diary -----------------------------------------------------------------
    def arrival(self, *_: int) -> None:
        chance = self.chance
        self.joined += 1
        call = self.joined
        self.inside[call] = True
        self.apply(self.joining(call))
        if chance.random() < 0.6:
            self.note(chance.choice((0, 2_000, int(chance.expovariate(1 / 120_000)))), "abandon", call)
        elif chance.random() < 0.1:
            self.note(chance.randrange(60_000), "books", call)
        if self.joined < self.calls_max:
            self.note(int(chance.expovariate(CALLS_PER_MINUTE / 60_000)), "arrival")

    def joining(self, call: int) -> events.CallJoined:
        """Anybody: with needs, perhaps relaxing ones, a preferred agent, a bar, a class, a hard case."""
        chance = self.chance
        needs = tuple((skill, chance.randint(1, 9)) for skill in range(SKILLS) if chance.random() < 0.08)
        relaxing = bool(needs) and chance.random() < 0.3
        bar = (chance.randrange(AGENTS), 60_000) if chance.random() < 0.03 else (-1, 0)
        prefers = chance.random() < 0.05
        return events.CallJoined(
            call, chance.randrange(QUEUES), chance.choice((0, 0, 60_000)), () if relaxing else needs, 0, *bar,
            steps=(events.Step(20_000, needs), events.Step()) if relaxing else (),
            prefer=chance.randrange(AGENTS) if prefers else -1, prefer_ms=45_000 if prefers else 0,
            prefer_away=prefers and chance.random() < 0.3, group=int(chance.random() < 0.1),
            hard=chance.random() < 0.1,
        )  # fmt: skip

    # --- callers who hang up and keep their place --------------------------------------------------------------
    def books(self, call: int, _: int) -> None:
        """He wants to be called back; he may do without it later, and after eight hours he is given up."""
        if self.inside.get(call) and not any(offer.call == call for offer in self.ringing.values()):
            self.booked[call] = self.chance.choice(WAYS)
            self.counts["booked"] += 1
            self.apply(events.CallAway(call, self.booked[call], wait_ms_max=28_800_000))
            if self.chance.random() < 0.1:
                self.note(self.chance.randrange(3_600_000), "abandon", call)

    def rings_up(self, call: int) -> None:
        """His phone rings: he is there, or isn't and is tried again, or rings until the owner's own limit."""
        self.counts["recalled"] += 1
        fate = self.chance.random()
        if fate < 0.7:
            self.note(self.chance.randrange(20_000), "reached", call)
        else:
            self.note(self.chance.choice((5_000, 20_000, 89_000)), "not_reached", call)

    def reached(self, call: int, _: int) -> None:
        self.apply(events.CallHere(call))

    def not_reached(self, call: int, _: int) -> None:
        """Back to his place; an agent who was there first is free again."""
        if self.talking.pop(call, -1) >= 0:
            self.counts["connected"] -= 1
            self.inside[call] = True
        self.apply(events.CallAway(call, self.booked.get(call, WAYS[0]), pause_ms=60_000))

    def abandon(self, call: int, _: int) -> None:
        if self.inside.pop(call, False):
            self.counts["gone"] += 1
            self.crossed[call] = True
            self.apply(events.CallLeft(call, self.chance.choice(("abandoned", "exit"))))

    def answer(self, _: int, offer: int) -> None:
        self.counts["late"] += offer not in self.ringing
        self.apply(events.OfferAnswered(offer))

    def fail(self, reason: str, offer: int) -> None:
        self.ringing.pop(offer, None)
        self.apply(events.OfferFailed(offer, reason))

    def end(self, call: int, agent: int) -> None:
        if self.talking.get(call) == agent:
            del self.talking[call]
            self.apply(events.CallEnded(call, agent))

    def end_again(self, call: int, agent: int) -> None:
        self.apply(events.CallEnded(call, agent))

    def mood(self, agent: int, _: int) -> None:
        """Something happens to an agent, and is put right after a while."""
        chance = self.chance
        kind = chance.randrange(6)
        later = chance.choice((0, 1_000, 30_000, 600_000))
        if kind == 0:
            self.apply(events.AgentLoggedOut(agent))
        elif kind == 1:
            self.apply(events.AgentNotReady(agent, "break"))
        elif kind == 2:
            self.apply(events.AgentReachable(agent, False))
        elif kind == 3:
            self.apply(events.AgentOccupied(agent, True, "direct"))
        elif kind == 4:
            self.apply(events.AgentWrapUp(agent, chance.choice(("ask", "extend", "coded"))))
        self.note(later, "back", agent, kind)
        if self.joined < self.calls_max:
            self.note(later + chance.randrange(3_600_000), "mood", agent)

    def back(self, agent: int, kind: int) -> None:
        self.apply(events.AgentReachable(agent, True))
        self.apply(events.AgentOccupied(agent, False, "direct"))
        self.apply(events.AgentLoggedIn(agent) if kind == 0 else events.AgentReady(agent))

    def reload(self, *_: int) -> None:
        """Another version of the site, whatever rings; sometimes the whole state goes through its bytes."""
        chance = self.chance
        if chance.random() < 0.3:
            self.distributor = Distributor.decode(self.distributor.encode(), kernels=self.kernels)
        self.distributor.configure(*chance.choice(self.versions), self.now)
        for agent in range(AGENTS):
            self.note(chance.randrange(5_000), "back", agent, 0)
        if self.joined < self.calls_max:
            self.note(chance.randrange(7_200_000), "reload")

    # --- the end ----------------------------------------------------------------------------------------------
    def come_to_rest(self) -> None:
        """No more calls: after the longest deadline nobody waits, rings or talks, and every sum is even."""
        for agent in range(AGENTS):
            self.apply(events.AgentOccupied(agent, False, "direct"))
        end = self.now + 2 * CALL_MS_MAX
        while (due := self.distributor.next_deadline()) is not None and due <= end:
            self.now = due
            self.distributor.expire(due)
            self.take(self.distributor.settle(due))
        self.look()
        pool = self.distributor._pool
        stuck = {
            pool.agents.id[row]: AGENT_STATES[pool.agents.state[row]]
            for row, spec in enumerate(pool.specs) if spec is not None and pool.agents.state[row] not in AGENT_IDLE
        }  # fmt: skip
        waiting = [row for row in range(pool.entries.used) if pool.entries.state[row] != E_ENDED]
        if stuck or waiting or self.inside or self.ringing:
            raise Unsound(f"seed {self.seed}: stuck {stuck}, waiting {waiting} {self.inside}, ringing {self.ringing}")
        ended = sum(self.counts[name] for name in ("connected", "refused", "timeout", "gone"))
        if ended != self.joined:
            raise Unsound(f"seed {self.seed}: {self.joined} calls in, {ended} ended: {self.counts}")


def main() -> None:
    print(json.dumps(PoolSoak(int(sys.argv[1]), int(sys.argv[2])).run()))


if __name__ == "__main__":
    main()

"""A recorded day of the distributor once more, under the rules that it had or under others.

What people did is taken over from the record, what the distributor did is not. Taken over: when callers came and with
what wishes; when those who gave up did so; how long each conversation was; what each agent did with his offers, and
when he logged in, paused and came back. What the record can't know is drawn from what it does: the patience of who was
served in time lasts beyond that by an exponential law of his queue (its hazard is the number who gave up by the time
that all have waited), and who was never served talks as long as somebody of his queue. Draws hang on the seed and the
call alone, so two runs under different rules meet the same people.

Not run again: what a dialplan did after a wait (each stay in a queue is an arrival of its own, at its own time), and
callbacks (who hangs up to be called back has left).
"""

from __future__ import annotations

import math
from heapq import heappop, heappush

import msgspec

from engine.acd import events
from engine.acd.commands import AcdCommand, Connect, EntryEnded, Offer
from engine.acd.events import AcdEvent
from engine.acd.machine import Distributor
from engine.acd.model import AgentSpec, QueueSpec
from engine.sim.network import Dice

TALK_MS_DEFAULT = 180_000  # of a queue that has answered nobody
ANSWER_MS_DEFAULT = 3_000  # of an agent who was never offered a call
NEVER = 1 << 60
_OF_AGENTS = (
    events.AgentLoggedIn, events.AgentLoggedOut, events.AgentNotReady, events.AgentReady, events.AgentReachable,
    events.AgentOccupied, events.AgentWrapUp, events.AgentSkills,
)  # fmt: skip


class Stay(msgspec.Struct):
    """One caller's time in one queue, as it was. `patience_ms` −1: he never showed its end."""

    joined: events.CallJoined
    at_ms: int
    waited_ms: int = -1  # until he was answered, left or was sent away; −1: still there when the record ends
    outcome: str = "open"  # answered | abandoned | left | timeout | refused | open
    patience_ms: int = -1
    talk_ms: int = -1


class Day(msgspec.Struct):
    """What `learn` makes of a record. Times are the engine's own ms."""

    began_ms: int
    ended_ms: int
    stays: list[Stay] = []
    acts: list[tuple[int, AcdEvent]] = []  # of agents, and of calls that were there when the record began
    reactions: dict[int, list[tuple[int, str]]] = {}  # agent -> (after ms, "" answered or why not)
    talks: dict[int, list[int]] = {}  # queue -> ms
    hazards: dict[int, float] = {}  # queue -> givings up a ms of waiting


class Figures(msgspec.Struct):
    """One queue's. Waits are of the answered, in ms; `open`: still waiting at the end."""

    offered: int = 0
    answered: int = 0
    in_time: int = 0
    abandoned: int = 0
    timeout: int = 0
    refused: int = 0
    left: int = 0
    open: int = 0
    waited_ms: int = 0
    waited_ms_max: int = 0

    def add(self, outcome: str, waited_ms: int, service_level_ms: int) -> None:
        self.offered += 1
        setattr(self, outcome, getattr(self, outcome) + 1)
        if outcome == "answered":
            self.waited_ms += waited_ms
            self.waited_ms_max = max(self.waited_ms_max, waited_ms)
            self.in_time += waited_ms <= service_level_ms


def learn(heard: list[tuple[int, AcdEvent]], told: list[tuple[int, AcdCommand]], began_ms: int, ended_ms: int) -> Day:
    """The people in a record: `heard` by a distributor and `told` by it, each in order, between the two times."""
    day = Day(began_ms, ended_ms)
    open_stays: dict[int, Stay] = {}
    offers: dict[int, tuple[int, int]] = {}  # offer -> (when, agent)
    talking: dict[tuple[int, int], tuple[int, Stay]] = {}
    # a command answers the events of its own step: events first
    both = sorted([*((at, 0, n, each) for n, (at, each) in enumerate(heard)),
                   *((at, 1, n, each) for n, (at, each) in enumerate(told))], key=lambda row: row[:3])  # fmt: skip
    for at, _, _, each in both:
        if isinstance(each, events.CallJoined):
            if not each.away:
                _close(open_stays, each.call, at, "left")
                open_stays[each.call] = stay = Stay(each, at)
                day.stays.append(stay)
        elif isinstance(each, events.CallLeft | events.CallAway):
            if each.call in open_stays:
                gave_up = isinstance(each, events.CallLeft) and each.reason == "abandoned"
                _close(open_stays, each.call, at, "abandoned" if gave_up else "left")
            elif isinstance(each, events.CallLeft):
                day.acts.append((at, each))
        elif isinstance(each, events.CallPicked):  # another day an agent is offered him
            taken = open_stays.get(each.call)
            if taken is not None:
                talking[each.call, each.agent] = (at, taken)
                _close(open_stays, each.call, at, "answered")
        elif isinstance(each, events.CallEnded):
            began = talking.pop((each.call, each.agent), None)
            if began is None:
                day.acts.append((at, each))
            else:
                began[1].talk_ms = at - began[0]
                day.talks.setdefault(began[1].joined.queue, []).append(at - began[0])
        elif isinstance(each, events.OfferAnswered | events.OfferFailed):
            offered = offers.pop(each.offer, None)
            if offered is None:
                day.acts.append((at, each))
            else:
                reason = each.reason if isinstance(each, events.OfferFailed) else ""
                day.reactions.setdefault(offered[1], []).append((at - offered[0], reason))
        elif isinstance(each, Offer):
            offers[each.offer] = (at, each.agent)
        elif isinstance(each, Connect):
            stay_of = open_stays.get(each.call)
            if stay_of is not None:
                talking[each.call, each.agent] = (at, stay_of)
                _close(open_stays, each.call, at, "answered")
        elif isinstance(each, EntryEnded):
            _close(open_stays, each.call, at, "timeout" if each.reason == "timeout" else "refused")
        elif isinstance(each, _OF_AGENTS):
            day.acts.append((at, each))
    _hazards(day)
    return day


def _close(open_stays: dict[int, Stay], call: int, at: int, outcome: str) -> None:
    stay = open_stays.pop(call, None)
    if stay is not None:
        stay.waited_ms, stay.outcome = at - stay.at_ms, outcome
        if outcome in ("abandoned", "left"):
            stay.patience_ms = stay.waited_ms


def _hazards(day: Day) -> None:
    waited: dict[int, int] = {}
    gave_up: dict[int, int] = {}
    for stay in day.stays:
        queue = stay.joined.queue
        seen_ms = stay.waited_ms if stay.waited_ms >= 0 else day.ended_ms - stay.at_ms
        waited[queue] = waited.get(queue, 0) + seen_ms
        gave_up[queue] = gave_up.get(queue, 0) + (stay.outcome == "abandoned")
    day.hazards = {queue: gave_up[queue] / waited[queue] if waited[queue] else 0.0 for queue in waited}


def as_it_was(day: Day, service_level_ms: dict[int, int]) -> dict[int, Figures]:
    """The record's own figures, by queue id."""
    found: dict[int, Figures] = {}
    for stay in day.stays:
        queue = stay.joined.queue
        found.setdefault(queue, Figures()).add(stay.outcome, stay.waited_ms, service_level_ms.get(queue, 20_000))
    return found


class Rerun:
    """One run of a day through `distributor`, which is in the state of the day's beginning, under its own rules.

    `levels`: queue id -> the service level's ms. `reloads`: (when, queues, agents) of configurations that came during
    the day; none when the rules are to hold for
    all of it.
    """

    def __init__(
        self, day: Day, distributor: Distributor, levels: dict[int, int], seed: int,
        reloads: tuple[tuple[int, list[QueueSpec], list[AgentSpec]], ...] = (),
    ) -> None:  # fmt: skip
        self.day, self.distributor, self.seed = day, distributor, seed
        self.now = day.began_ms
        self.diary: list[tuple[int, int, str, object]] = []
        self.number = 0
        self.inside: dict[int, tuple[Stay, int]] = {}  # call -> (stay, when he joined)
        self.levels = levels
        self.figures: dict[int, Figures] = {}
        self.turns: dict[int, int] = {}  # agent -> offers so far
        for stay in day.stays:
            self.note(stay.at_ms, "joins", stay)
        for at, act in day.acts:
            self.note(at, "acts", act)
        for at, queues, agents in reloads:
            self.note(at, "reloads", (queues, agents))

    def note(self, at_ms: int, what: str, about: object) -> None:
        self.number += 1
        heappush(self.diary, (at_ms, self.number, what, about))

    def run(self) -> dict[int, Figures]:
        """Figures by queue id, over the stays that began during the day."""
        self.take(self.distributor.settle(self.now))
        while True:
            at = self.diary[0][0] if self.diary else NEVER
            due = self.distributor.next_deadline()
            if due is not None and due <= at:
                at = max(due, self.now)
            if at > self.day.ended_ms:
                break
            self.now = max(at, self.now)
            self.distributor.expire(self.now)
            while self.diary and self.diary[0][0] <= self.now:
                _, _, what, about = heappop(self.diary)
                getattr(self, what)(about)
            self.take(self.distributor.settle(self.now))
        for stay, at in self.inside.values():
            self.count(stay, "open", self.day.ended_ms - at)
        return self.figures

    def count(self, stay: Stay, outcome: str, waited_ms: int) -> None:
        queue = stay.joined.queue
        self.figures.setdefault(queue, Figures()).add(outcome, waited_ms, self.levels.get(queue, 20_000))

    # --- by their names in the diary ------------------------------------------------------------------------------
    def joins(self, stay: Stay) -> None:
        call = stay.joined.call
        if call in self.inside:  # the record had him leave before: here his first wait goes on until now
            self.leaves((call, self.inside[call][0]))
        self.inside[call] = (stay, self.now)
        self.distributor.apply(stay.joined, self.now)
        patience = self.patience(stay)
        if patience < NEVER:
            self.note(self.now + patience, "leaves", (call, stay))

    def leaves(self, who: tuple[int, Stay]) -> None:
        call, stay = who
        held = self.inside.get(call)
        if held is not None and held[0] is stay:
            del self.inside[call]
            given_up = stay.outcome != "left"
            self.count(stay, "abandoned" if given_up else "left", self.now - held[1])
            self.distributor.apply(events.CallLeft(call, "abandoned" if given_up else "exit"), self.now)

    def acts(self, event: AcdEvent) -> None:
        self.distributor.apply(event, self.now)

    def reloads(self, rules: tuple[list[QueueSpec], list[AgentSpec]]) -> None:
        self.distributor.configure(*rules, self.now)

    def reacts(self, reaction: tuple[int, str]) -> None:
        offer, reason = reaction
        event = events.OfferFailed(offer, reason) if reason else events.OfferAnswered(offer)
        self.distributor.apply(event, self.now)

    def ends(self, pair: tuple[int, int]) -> None:
        self.distributor.apply(events.CallEnded(*pair), self.now)

    # --- what the distributor wants ---------------------------------------------------------------------------------
    def take(self, commands: list[AcdCommand]) -> None:
        for command in commands:
            if isinstance(command, Offer):
                after, reason = self.reaction(command.agent)
                self.note(self.now + min(after, command.ring_ms_max), "reacts", (command.offer, reason))
            elif isinstance(command, Connect):
                stay, at = self.inside.pop(command.call, (None, 0))
                if stay is not None:
                    self.count(stay, "answered", self.now - at)
                self.note(self.now + self.talk(stay, command), "ends", (command.call, command.agent))
            elif isinstance(command, EntryEnded):
                stay, at = self.inside.pop(command.call, (None, 0))
                if stay is not None:
                    self.count(stay, "timeout" if command.reason == "timeout" else "refused", self.now - at)

    # --- what the record doesn't say ----------------------------------------------------------------------------------
    def patience(self, stay: Stay) -> int:
        if stay.patience_ms >= 0:
            return stay.patience_ms
        hazard = self.day.hazards.get(stay.joined.queue, 0.0)
        if hazard <= 0.0:
            return NEVER
        chance = (Dice(self.seed * 1_000_003 + stay.joined.call).below(1 << 30) + 1) / (1 << 30)
        return max(stay.waited_ms, 0) + 1 + round(-math.log(chance) / hazard)

    def talk(self, stay: Stay | None, command: Connect) -> int:
        if stay is not None and stay.talk_ms >= 0:
            return stay.talk_ms
        talks = self.day.talks.get(command.queue) or [TALK_MS_DEFAULT]
        return talks[Dice(self.seed * 1_000_003 + command.call + (1 << 40)).below(len(talks))]

    def reaction(self, agent: int) -> tuple[int, str]:
        """What he did with an offer, in turn."""
        known = self.day.reactions.get(agent)
        if not known:
            return ANSWER_MS_DEFAULT, ""
        turn = self.turns.get(agent, 0)
        self.turns[agent] = turn + 1
        return known[turn % len(known)]

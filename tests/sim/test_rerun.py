"""A recorded day again: the same rules give the same day, other rules another one with the same people."""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from engine.acd import events
from engine.acd.commands import AcdCommand, Connect, EntryEnded, Offer
from engine.acd.events import AcdEvent
from engine.acd.machine import Distributor
from engine.acd.model import AgentSpec, QueueSpec
from engine.sim.rerun import Day, Figures, Rerun, as_it_was, learn

HOUR = 3_600_000
LEVELS = {1: 20_000}
QUEUE = QueueSpec(1, "support", wrap_up_ms=60_000, ring_ms_max=20_000, wait_ms_max=600_000)
AGENTS = [AgentSpec(10 + n, f"a{n}", queues=((1, 1, n),)) for n in range(4)]


class Recorded:
    """A day that a distributor lived through: callers by chance, agents who answer after 2 s, or miss every tenth."""

    def __init__(self, seed: int, calls: int) -> None:
        chance = Random(seed)
        self.distributor = Distributor(seed)
        self.distributor.configure([QUEUE], AGENTS, 0)
        self.heard: list[tuple[int, AcdEvent]] = []
        self.told: list[tuple[int, AcdCommand]] = []
        self.now = 0
        self.todo: list[tuple[int, int, AcdEvent]] = []
        self.start = self.distributor.encode()
        for spec in AGENTS:
            self.plan(1_000, events.AgentReachable(spec.id, True))
            self.plan(1_000, events.AgentLoggedIn(spec.id))
        at = 2_000
        for call in range(calls):
            at += round(chance.expovariate(1 / 45_000))
            self.plan(at, events.CallJoined(call, 1))
            if chance.random() < 0.4:
                self.plan(at + round(chance.expovariate(1 / 90_000)), events.CallLeft(call, "abandoned"))
        offers = 0
        while self.todo:
            due = self.distributor.next_deadline()
            at = min(self.todo[0][0], due if due is not None else self.todo[0][0])
            self.now = max(self.now, at)
            self.distributor.expire(self.now)
            while self.todo and self.todo[0][0] <= self.now:
                event = self.todo.pop(0)[2]
                self.heard.append((self.now, event))
                self.distributor.apply(event, self.now)
            for command in self.distributor.settle(self.now):
                self.told.append((self.now, command))
                if isinstance(command, Offer):
                    offers += 1
                    answer: AcdEvent = events.OfferAnswered(command.offer)
                    if offers % 10 == 0:
                        answer = events.OfferFailed(command.offer, "busy")
                    self.plan(self.now + 2_000, answer)
                elif isinstance(command, Connect):
                    talk_ms = round(chance.expovariate(1 / 100_000)) + 1
                    self.plan(self.now + talk_ms, events.CallEnded(command.call, command.agent))

    def plan(self, at: int, event: AcdEvent) -> None:
        self.todo.append((at, len(self.heard) + len(self.todo), event))
        self.todo.sort(key=lambda row: row[0])

    def day(self) -> Day:
        return learn(self.heard, self.told, 0, self.now)

    def again(self, queue: QueueSpec = QUEUE, agents: list[AgentSpec] = AGENTS, seed: int = 1) -> Figures:
        distributor = Distributor.decode(self.start)
        distributor.configure([queue], agents, 0)
        return Rerun(self.day(), distributor, LEVELS, seed).run()[1]


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    return Recorded(4, 300)


def test_what_was_is_counted_as_the_distributor_counted_it(recorded: Recorded) -> None:
    was = as_it_was(recorded.day(), LEVELS)[1]
    queue = recorded.distributor._pool.queues[0]
    assert queue is not None
    tally = queue.tally
    assert (was.offered, was.answered, was.abandoned, was.timeout) == (
        tally.offered, tally.answered, tally.abandoned, tally.timed_out,
    )  # fmt: skip
    assert (was.waited_ms, was.waited_ms_max, was.in_time) == (
        tally.waited_ms, tally.waited_ms_max, tally.answered_in_time,
    )  # fmt: skip
    assert was.abandoned > 20 and was.answered > 150


def test_the_same_rules_give_nearly_the_same_day(recorded: Recorded) -> None:
    """Every agent does with his offers what he did, in turn; the rest is the rules' own."""
    was, again = as_it_was(recorded.day(), LEVELS)[1], recorded.again()
    assert again.offered == was.offered
    assert abs(again.answered - was.answered) <= 0.03 * was.offered
    assert abs(again.waited_ms / again.answered - was.waited_ms / was.answered) <= 0.1 * was.waited_ms / was.answered


def test_less_wrap_up_and_one_agent_less_show(recorded: Recorded) -> None:
    again = recorded.again()
    quick = recorded.again(msgspec.structs.replace(QUEUE, wrap_up_ms=0))
    fewer = recorded.again(agents=AGENTS[:3])
    waits = [each.waited_ms / each.answered for each in (quick, again, fewer)]
    assert waits[0] < 0.7 * waits[1] < waits[1] < 0.8 * waits[2]
    assert quick.abandoned < again.abandoned < fewer.abandoned


def test_a_run_repeats_and_its_seed_only_draws_what_nobody_knows(recorded: Recorded) -> None:
    assert recorded.again() == recorded.again()
    one, other = recorded.again(agents=AGENTS[:3], seed=1), recorded.again(agents=AGENTS[:3], seed=2)
    assert one != other and one.offered == other.offered


def test_the_patience_of_the_served_lasts_beyond_their_wait(recorded: Recorded) -> None:
    day = recorded.day()
    run = Rerun(day, Distributor.decode(recorded.start), LEVELS, 1)
    for stay in day.stays:
        if stay.outcome == "abandoned":
            assert run.patience(stay) == stay.waited_ms
        elif stay.outcome == "answered":
            assert run.patience(stay) > stay.waited_ms
    left = sum(each.outcome == "abandoned" for each in day.stays)
    assert day.hazards[1] == pytest.approx(left / sum(each.waited_ms for each in day.stays))


def test_stays_that_end_otherwise_and_words_about_calls_from_before() -> None:
    heard: list[tuple[int, AcdEvent]] = [
        (10, events.CallEnded(1, 10)), (20, events.CallLeft(2, "abandoned")), (25, events.OfferAnswered(7)),
        (30, events.CallJoined(3, 1)), (40, events.CallJoined(4, 1)), (50, events.CallLeft(3, "exit")),
        (60, events.CallJoined(5, 1)), (70, events.CallAway(4, "customer_first")), (80, events.CallJoined(6, 1)),
    ]  # fmt: skip
    told: list[tuple[int, AcdCommand]] = [(60, EntryEnded(5, 1, "full", 0))]
    day = learn(heard, told, 0, 100)
    assert [(stay.joined.call, stay.outcome, stay.waited_ms) for stay in day.stays] == [
        (3, "left", 20), (4, "left", 30), (5, "refused", 0), (6, "open", -1),
    ]  # fmt: skip
    assert [event for _, event in day.acts] == [event for _, event in heard[:3]]


def test_who_was_picked_up_was_answered_and_talked_as_long_as_he_did() -> None:
    heard: list[tuple[int, AcdEvent]] = [
        (10, events.CallJoined(3, 1)), (40, events.CallPicked(3, 10)), (45, events.CallPicked(9, 10)),
        (100, events.CallEnded(3, 10)),
    ]  # fmt: skip
    (stay,) = learn(heard, [], 0, 200).stays
    assert (stay.outcome, stay.waited_ms, stay.talk_ms) == ("answered", 30, 60)

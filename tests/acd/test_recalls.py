"""Virtual hold in the distributor: places stay, turns come, and no call is started for which nobody will be there."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine import limits
from engine.acd import events
from engine.acd.commands import AcdCommand, Recall
from engine.acd.machine import Distributor
from tests.acd.world import Q, R, World, agent, connects, ended, offers, queue

HOUR_MS = 3_600_000


def recalls(commands: list[AcdCommand]) -> list[Recall]:
    return [command for command in commands if isinstance(command, Recall)]


def busy(count: int = 1, **spec: object) -> World:
    """`count` agents, all talking (calls 900 …)."""
    world = World([queue(Q, **spec)], [agent(number) for number in range(1, count + 1)])
    for number in range(count):
        world.talk(900 + number)
    return world


def away(call: int, way: str, **more: int) -> events.CallAway:
    return events.CallAway(call, way, wait_ms_max=HOUR_MS, **more)


# --- places ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("way", ["held", "agent_first", "customer_first"])
def test_who_is_away_keeps_his_place_and_is_counted(way: str) -> None:
    world = busy()
    for call in (1, 2, 3):
        world.join(call, after=1_000)
    world.do(away(2, way, key=12), after=5_000)
    d = world.distributor
    assert [d.position(call) for call in (1, 12, 3)] == [1, 2, 3] and d.position(2) == 0 and d.queue_length(Q) == 3
    row = d.snapshot_queues(world.now)[0]
    assert (row["callbacks"], row["alerting"]) == (1, 0)


def test_a_place_that_is_only_held_gets_no_turn_and_ends_at_its_time() -> None:
    world = busy()
    world.join(1)
    world.do(events.CallAway(1, "held", wait_ms_max=60_000))
    assert offers(world.end(900, 1)) == [] and world.distributor.position(1) == 1
    left = ended(world.wait(60_000))
    assert [(e.call, e.reason, e.position) for e in left] == [(1, "timeout", 1)]


def test_who_comes_back_within_the_hold_stands_where_he_stood() -> None:
    world = busy()
    world.join(1)
    world.do(events.CallAway(1, "held", wait_ms_max=60_000), after=500)
    world.join(2, after=500)
    world.join(1, after=500)  # the dialplan has brought him back to the queue
    assert world.distributor.position(1) == 1
    assert offers(world.end(900, 1))[0].call == 1


def test_the_queue_s_length_does_not_refuse_a_callback() -> None:
    world = World([queue(Q, entries_max=1, join_empty=False)], [agent(1)], ready=False)
    world.join(1, away="customer_first")
    assert world.distributor.position(1) == 1
    assert ended(world.join(2))[0].reason == "no_agents"  # who is on the line is


# --- agent first --------------------------------------------------------------------------------------------
def test_agent_first_is_offered_in_its_turn_and_counts_when_both_are_there() -> None:
    world = busy()
    world.join(1)
    world.join(2, after=10)
    world.do(away(1, "agent_first", key=11))
    offer = offers(world.end(900, 1))[0]
    assert offer.call == 11
    assert connects(world.answer(offer))[0].call == 11 and world.state(1) == "talking"
    tally = world.pool.queues[0].tally
    assert tally.answered == 1  # the first call; this caller isn't there yet
    world.do(events.CallHere(11), after=8_000)
    assert tally.answered == 2 and tally.waited_ms >= 8_000
    world.end(11, 1, after=5_000)
    assert tally.completed == 2 and tally.talked_ms >= 5_000


def test_agent_first_not_reached_gives_the_agent_back_without_wrap_up_and_keeps_the_place() -> None:
    world = World([queue(Q, wrap_up_ms=30_000)], [agent(1)])
    world.join(1, away="agent_first")
    offer = world.log[-1]
    offer = offers(world.log)[-1]
    world.answer(offer)
    world.join(2, after=100)
    out = world.do(events.CallAway(1, "agent_first", pause_ms=60_000), after=20_000)
    assert world.distributor.position(1) == 1 and offers(out)[0].call == 2
    world.answer(offers(out)[0])
    world.end(2, 1, after=5_000)
    assert world.state(1) == "wrap_up"  # a conversation has one
    assert [o.call for o in offers(world.wait(60_000))] == [1]  # when its pause is over, in its old place
    tally = world.pool.queues[0].tally
    assert (tally.offered, tally.answered, tally.completed) == (2, 1, 1)


# --- customer first -----------------------------------------------------------------------------------------
def test_customer_first_puts_the_idle_agent_aside_and_gives_him_to_the_caller() -> None:
    world = World([queue(Q)], [agent(1)])
    started = recalls(world.join(1, away="customer_first"))
    assert [(r.call, r.agent) for r in started] == [(1, 1)]
    assert offers(world.join(2, after=1_000)) == []  # the younger one doesn't get him meanwhile
    out = world.do(events.CallHere(1), after=9_000)
    assert offers(out)[0].call == 1 and world.distributor.position(1) == 1


def test_not_reached_frees_the_agent_at_once() -> None:
    world = World([queue(Q)], [agent(1)])
    world.join(1, away="customer_first")
    world.join(2)
    out = world.do(events.CallAway(1, "customer_first", pause_ms=600_000), after=25_000)
    assert offers(out)[0].call == 2 and world.distributor.position(1) == 1
    world.answer(offers(out)[0])
    world.end(2, 1, after=1_000)
    assert recalls(world.wait(600_000))[0].call == 1


def test_the_caller_is_rung_up_shortly_before_the_wrap_up_ends() -> None:
    world = busy(wrap_up_ms=30_000, recall_lead_ms=10_000)
    world.join(1, away="customer_first")
    at_ms = world.now
    assert recalls(world.end(900, 1)) == []
    assert recalls(world.wait(19_999)) == []
    assert recalls(world.wait(1))[0].agent == 1 and world.now == at_ms + 20_000
    world.do(events.CallHere(1), after=4_000)
    assert [o.call for o in offers(world.wait(6_000))] == [1]


def test_an_earlier_caller_on_the_line_has_the_agent_to_be_free() -> None:
    world = busy(wrap_up_ms=5_000)
    world.join(1)
    world.join(2, after=10, away="customer_first")
    assert recalls(world.end(900, 1)) == []
    out = world.wait(5_000)
    assert [o.call for o in offers(out)] == [1] and recalls(out) == []


def test_two_agents_to_be_free_start_two_calls_and_not_three() -> None:
    world = busy(2, wrap_up_ms=5_000)
    for call in (1, 2, 3):
        world.join(call, after=1, away="customer_first")
    out = world.do(events.CallEnded(900, 1), events.CallEnded(901, 2))
    assert [r.call for r in recalls(out)] == [1, 2]
    assert recalls(world.wait(4_000)) == []


def test_skills_decide_whose_agent_he_is() -> None:
    world = World([queue(Q)], [agent(1), agent(2, skills=((7, 3),))])
    world.join(1, away="customer_first", needs=((7, 2),))
    assert recalls(world.log)[-1].agent == 2
    assert offers(world.join(2))[0].agent == 1


def test_an_agent_who_leaves_is_put_aside_no_longer() -> None:
    world = World([queue(Q)], [agent(1)])
    world.join(1, away="customer_first")
    world.do(events.AgentNotReady(1, "lunch"))
    assert world.distributor.entry_state(1) == "recalled"
    world.do(events.CallHere(1))
    assert [o.call for o in offers(world.do(events.AgentReady(1), after=500))] == [1]


def test_a_lost_answer_is_a_breach_and_the_place_stays() -> None:
    world = World([queue(Q, recall_ms_max=40_000)], [agent(1)])
    world.join(1, away="customer_first")
    world.distributor.expire(world.now + 40_000)
    out = world.distributor.settle(world.now + 40_000)
    assert any(command.rule == "entry.recalled.deadline" for command in out if hasattr(command, "rule"))
    assert recalls(out)  # the agent is free, so he is rung up anew


def test_a_callback_ends_with_its_age() -> None:
    world = busy()
    world.join(1)
    world.do(away(1, "customer_first"))
    left = ended(world.wait(HOUR_MS))
    assert [(e.call, e.reason) for e in left] == [(1, "timeout")]
    world.join(2)
    world.do(events.CallAway(2, "agent_first", wait_ms_max=10 * limits.callback_ms_max))
    assert world.pool.entries.wait_until[world.pool.calls[2]] == world.now + limits.callback_ms_max


def test_a_conversation_is_not_taken_back_and_a_key_not_taken_twice() -> None:
    world = busy()
    world.do(events.CallAway(900, "held"))
    assert world.distributor.entry_state(900) == "connected"
    world.join(1)
    world.join(2)
    world.do(events.CallAway(1, "held", key=2))
    assert [world.distributor.entry_state(call) for call in (1, 2)] == ["absent", "waiting"]


def test_a_caller_who_rings_up_himself_meanwhile_is_not_rung_up() -> None:
    world = busy()
    world.join(1)
    world.do(away(1, "customer_first", key=11))
    world.do(events.CallHere(11))
    assert [o.call for o in offers(world.end(900, 1))] == [11]


# --- everything at once ---------------------------------------------------------------------------------------
class Owner:
    """Answers every command after a random while, sometimes badly; restores the distributor at random moments."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        specs = [
            queue(Q, wrap_up_ms=8_000, recall_lead_ms=6_000, ring_ms_max=5_000, recall_ms_max=60_000),
            queue(R, weight=1, strategy="ring-all", wrap_up_ms=0, ring_ms_max=5_000, recall_ms_max=60_000),
        ]
        self.staff = [agent(1, Q), agent(2, Q, R), agent(3, Q, R), agent(4, R, skills=((1, 5),))]
        self.specs = specs
        self.world = World(specs, self.staff)
        self.todo: list[tuple[int, events.AcdEvent]] = []
        self.call = 100
        self.rung: list[int] = []

    def hear(self, commands: list[AcdCommand]) -> None:
        for command in commands:
            after = self.world.now + self.chance.randrange(1, 4_500)
            if isinstance(command, Recall):
                self._started(command)
                way = self.chance.random()
                if way < 0.5:
                    self.todo.append((after, events.CallHere(command.call)))
                elif way < 0.9:
                    pause = self.chance.choice((0, 5_000, 60_000))
                    self.todo.append((after, events.CallAway(command.call, "customer_first", pause_ms=pause)))
                else:
                    self.todo.append((after, events.CallLeft(command.call, "exit")))
            elif type(command).__name__ == "Offer":
                lost = self.chance.random() < 0.2
                event = events.OfferFailed(command.offer, "busy") if lost else events.OfferAnswered(command.offer)
                self.todo.append((after, event))
            elif type(command).__name__ == "Connect":
                self._connected(command, after)

    def _started(self, recall: Recall) -> None:
        """The stated rule, written anew: an agent of his own, who is ready or will be within the lead time."""
        pool = self.world.pool
        row = pool.agent_rows[recall.agent]
        entry = pool.calls[recall.call]
        assert pool.agents.held[row] == entry
        state, lead = pool.agents.state[row], 10_000
        assert state == 1 or (state in (4, 6) and pool.agents.deadline[row] <= self.world.now + lead)
        started = [e for e in range(pool.entries.used) if pool.entries.state[e] == 5]
        holders = [r for r, spec in enumerate(pool.specs) if spec is not None and pool.agents.held[r] >= 0]
        assert len(holders) <= len(started) and recall.call not in self.rung
        self.rung.append(recall.call)

    def _connected(self, command: object, after: int) -> None:
        pool, call = self.world.pool, command.call  # type: ignore[attr-defined]
        end = events.CallEnded(call, command.agent)  # type: ignore[attr-defined]
        if call in pool.calls and pool.entries.away[pool.calls[call]]:
            if self.chance.random() < 0.5:
                self.todo.append((after, events.CallAway(call, "agent_first", pause_ms=20_000)))
                return
            self.todo.append((after, events.CallHere(call)))
        self.todo.append((after + self.chance.randrange(500, 20_000), end))

    def step(self) -> None:
        chance, world = self.chance, self.world
        what = chance.random()
        now: list[events.AcdEvent] = []
        if what < 0.3:
            self.call += 1
            way = chance.choice(("", "", "customer_first", "customer_first", "agent_first"))
            needs = ((1, 2),) if chance.random() < 0.1 else ()
            now.append(events.CallJoined(self.call, chance.choice((Q, R)), needs=needs, wait_ms_max=300_000, away=way))
        elif what < 0.38 and world.pool.calls:
            call = chance.choice(sorted(world.pool.calls))
            now.append(chance.choice((
                events.CallLeft(call, "abandoned"), events.CallAway(call, "held", wait_ms_max=9_000),
                events.CallAway(call, "customer_first", key=call + 10_000, pause_ms=chance.choice((0, 3_000))),
            )))
        elif what < 0.44:
            who = chance.randrange(1, 5)
            now.append(chance.choice((
                events.AgentNotReady(who, "x"), events.AgentLoggedOut(who), events.AgentReachable(who, False),
            )))
        elif what < 0.6:
            who = chance.randrange(1, 5)
            now += [events.AgentReachable(who, True), events.AgentLoggedIn(who)]
        elif what < 0.63:
            kept = self.staff[: chance.randrange(2, 5)]
            world.distributor.configure(self.specs, kept, world.now)
        elif what < 0.7:
            world.distributor = Distributor.decode(world.distributor.encode())
        self.hear(world.do(*now))
        self.pass_time(chance.choice((0, 10, 700, 3_000)))

    def pass_time(self, ms: int) -> None:
        world = self.world
        until = world.now + ms
        while True:
            due = min((at for at, _ in self.todo), default=until + 1)
            deadline = world.distributor.next_deadline()
            at = min(due, deadline if deadline is not None else until + 1)
            if at > until:
                break
            world.now = max(world.now, at)
            world.distributor.expire(world.now)
            self.hear(world.settle())
            ready = [event for when, event in self.todo if when <= world.now]
            self.todo = [(when, event) for when, event in self.todo if when > world.now]
            for event in ready:
                call = getattr(event, "call", -1)
                if call in self.rung and isinstance(event, events.CallHere | events.CallAway | events.CallLeft):
                    self.rung.remove(call)
                self.hear(world.do(event))
        world.now = until

    def in_order(self) -> None:
        """A place never changes while it is kept: order is by effective age, then by joining."""
        for home in self.world.pool.queues:
            assert home.order == sorted(home.order)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1 << 32))
@example(466720857)
@example(180913)
@example(1493)
def test_never_more_calls_than_agents_and_nobody_is_stuck(seed: int) -> None:
    """World.settle checks every invariant after every step: each kept place has a deadline, each hold its caller."""
    owner = Owner(seed)
    owner.world.now += 1
    for _ in range(150):
        before = {call: owner.world.pool.place(row)[:2] for call, row in owner.world.pool.calls.items()}
        owner.step()
        owner.in_order()
        for call, place in before.items():  # nobody's place gets worse or better by what others do
            row = owner.world.pool.calls.get(call)
            assert row is None or owner.world.pool.place(row)[:2] == place
    owner.pass_time(limits.queue_wait_ms_max + limits.call_ms_max + 60_000)
    assert owner.world.pool.calls == {}
    agents = owner.world.pool.agents
    assert all(agents.held[row] == -1 for row, spec in enumerate(owner.world.pool.specs) if spec is not None)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(1, 80))
def test_a_restored_distributor_goes_on_to_the_byte(seed: int, at: int) -> None:
    one = Owner(seed)
    for _ in range(at):
        one.step()
    copy = Distributor.decode(one.world.distributor.encode())
    assert copy.encode() == one.world.distributor.encode()
    later = one.world.now + 30_000
    for each in (one.world.distributor, copy):
        each.expire(later)
    assert copy.settle(later) == one.world.distributor.settle(later)


def test_the_next_agent_takes_the_place_of_one_who_left_before_any_other_call_is_started() -> None:
    world = World([queue(Q)], [agent(1)])
    world.join(1, away="customer_first")
    world.join(2, after=10, away="customer_first")
    world.do(events.AgentNotReady(1, "lunch"))
    assert recalls(world.do(events.AgentReady(1), after=500)) == []  # he is put aside for 1 again, who still rings
    assert world.pool.entries.hold[world.pool.calls[1]] == 0
    assert offers(world.do(events.CallHere(1)))[0].call == 1


def test_while_one_who_was_reached_waits_on_the_line_no_other_is_rung() -> None:
    world = World([queue(Q, delay_no_answer_ms=8_000, recall_lead_ms=10_000)], [agent(1)])
    world.join(1, away="customer_first")
    world.do(events.CallAway(1, "customer_first", pause_ms=20_000))  # not reached: 2 comes to his turn before him
    world.join(2, after=10, away="customer_first")
    offer = offers(world.do(events.CallHere(2), after=5_000))[0]
    world.fail(offer, "no_answer", after=14_900)  # the agent rests; the pause of 1 is over in this time
    assert recalls(world.wait(7_999)) == []
    assert [o.call for o in offers(world.wait(10))] == [2]

"""The facade under random streams: invariants after every step, bytes that repeat, state that goes on."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine.acd import events
from engine.acd.commands import AcdCommand, AgentChanged, Breach, Connect, Offer
from engine.acd.machine import Distributor
from engine.acd.model import AgentSpec, QueueSpec
from engine.acd.offers import FAILURES
from engine.acd.tables import AGENT_IDLE, ALERTING, E_CONNECTED, E_ENDED, O_RINGING, TALKING
from tests.acd.streams import AGENTS, ALTERNATIVES, QUEUES, run_stream, start
from tests.acd.world import World, agent, offers, queue


# --- promises that hold in every state ------------------------------------------------------------------
def assert_sound(distributor: Distributor) -> None:
    """The laws, looked up in the columns without the help of `invariants`."""
    pool = distributor._pool
    agents, entries, ring = pool.agents, pool.entries, pool.offers
    talking: dict[int, int] = {}
    for row, spec in enumerate(pool.specs):
        if spec is None:
            continue
        state = agents.state[row]
        assert (agents.deadline[row] > 0) == (state not in AGENT_IDLE)
        assert (state == TALKING) == (agents.entry[row] >= 0)
        if state == TALKING:
            assert agents.entry[row] not in talking, "two agents on one call"
            talking[agents.entry[row]] = row
        if state == ALERTING:
            assert ring.state[agents.offer[row]] == O_RINGING and ring.agent[agents.offer[row]] == row
    inside = 0
    for row in range(entries.used):
        if entries.state[row] != E_ENDED:
            inside += 1
            assert entries.deadline[row] > 0
            assert (entries.state[row] == E_CONNECTED) == (row in talking)
    for row in range(ring.used):
        if ring.state[row] == O_RINGING:
            assert ring.deadline[row] > 0 and agents.state[ring.agent[row]] == ALERTING
    tallies = [line.tally for line in pool.queues if line is not None]
    assert sum(tally.offered - tally.ended() for tally in tallies) == inside == len(pool.calls)


class Owner:
    """What the commands alone tell an owner; raises when they contradict one another."""

    def __init__(self) -> None:
        self.ringing: dict[int, Offer] = {}
        self.talking: dict[int, int] = {}  # agent -> call
        self.states: dict[int, str] = {}

    def hear(self, commands: list[AcdCommand]) -> None:
        for command in commands:
            assert not isinstance(command, Breach), command
            if isinstance(command, Offer):
                assert command.agent not in [offer.agent for offer in self.ringing.values()], "double offer"
                assert command.agent not in self.talking
                self.ringing[command.offer] = command
            elif isinstance(command, Connect):
                assert command.call not in self.talking.values(), "two agents connected to one call"
                assert command.agent not in self.talking, "one agent on two calls"
                self.talking[command.agent] = command.call
            elif isinstance(command, AgentChanged):
                assert self.states.get(command.agent, "logged_out") == command.old
                self.states[command.agent] = command.new
                if command.old == "talking":
                    del self.talking[command.agent]
                if command.reason == "picked_up":
                    assert command.call not in self.talking.values(), "two agents for one call"
                    assert command.agent not in [offer.agent for offer in self.ringing.values()], "his phone rings on"
                    self.talking[command.agent] = command.call
            elif type(command).__name__ == "OfferEnded":
                del self.ringing[command.offer]  # type: ignore[union-attr]


class Random(RuleBasedStateMachine):
    """Any events in any order: late, repeated and unknown ids, reloads, clocks that stand still or jump."""

    def __init__(self) -> None:
        super().__init__()
        self.distributor = Distributor(3, entries_max=6, agents_max=12)
        self.distributor.configure(QUEUES, AGENTS, 0)
        self.owner = Owner()
        self.now = 1
        self.offers = [1]
        self.settled = True
        for spec in AGENTS:
            self.apply(events.AgentReachable(spec.id, True))
            self.apply(events.AgentLoggedIn(spec.id))

    def apply(self, event: events.AcdEvent) -> None:
        self.distributor.apply(event, self.now)
        self.settled = False

    calls = st.integers(1, 9)
    people = st.sampled_from([10, 11, 12, 13, 14, 15, 99])

    @rule(call=calls, queue=st.sampled_from([1, 2, 3, 9]), priority=st.sampled_from([0, 0, 4_000]),
          wait=st.sampled_from([0, 0, 1_500]), level=st.integers(0, 6))  # fmt: skip
    def join(self, call: int, queue: int, priority: int, wait: int, level: int) -> None:
        self.apply(events.CallJoined(call, queue, priority, ((1, level),) if level else (), wait))

    @rule(call=calls, reason=st.sampled_from(["abandoned", "exit", "moved", "closed"]))
    def leave(self, call: int, reason: str) -> None:
        self.apply(events.CallLeft(call, reason))

    @rule(call=calls, who=people)
    def pick(self, call: int, who: int) -> None:
        self.apply(events.CallPicked(call, who))

    @rule(back=st.integers(0, 6))
    def answer(self, back: int) -> None:
        self.apply(events.OfferAnswered(self.offers[max(-1 - back, -len(self.offers))]))

    @rule(back=st.integers(0, 6), reason=st.sampled_from([*FAILURES, "?"]))
    def fail(self, back: int, reason: str) -> None:
        self.apply(events.OfferFailed(self.offers[max(-1 - back, -len(self.offers))], reason))

    @precondition(lambda self: self.owner.talking)
    @rule(pick=st.integers(0, 9))
    def end(self, pick: int) -> None:
        pairs = sorted(self.owner.talking.items())
        who, call = pairs[pick % len(pairs)]
        self.apply(events.CallEnded(call, who))

    @rule(call=calls, who=people)
    def end_wrongly(self, call: int, who: int) -> None:
        if self.owner.talking.get(who) != call:
            self.apply(events.CallEnded(call, who))

    @rule(who=people, what=st.integers(0, 9))
    def agent(self, who: int, what: int) -> None:
        self.apply(
            (
                events.AgentLoggedIn(who), events.AgentLoggedIn(who), events.AgentLoggedIn(who, False),
                events.AgentReady(who), events.AgentReady(who), events.AgentNotReady(who, "tea"),
                events.AgentLoggedOut(who), events.AgentOccupied(who, True, "direct"),
                events.AgentOccupied(who, False), events.AgentReachable(who, what % 2 == 1),
            )[what]
        )  # fmt: skip

    @rule(site=st.integers(0, len(ALTERNATIVES) - 1))
    def reload(self, site: int) -> None:
        self.distributor.configure(*ALTERNATIVES[site], self.now)
        self.settled = False

    @rule(ms=st.sampled_from([0, 1, 999, 8_000, 60_000]), all_the_way=st.booleans())
    def wait(self, ms: int, all_the_way: bool) -> None:
        self.now += ms
        if all_the_way:
            self.distributor.expire(self.now)
            self.settled = False
            at = self.distributor.next_deadline()
            assert at is None or at > self.now

    @rule()
    def settle(self) -> None:
        out = self.distributor.settle(self.now)
        self.offers += [command.offer for command in out if isinstance(command, Offer)]
        self.owner.hear(out)
        self.settled = True
        assert self.distributor.settle(self.now) == [], "a second settle has nothing to decide"

    @rule()
    def restore(self) -> None:
        data = self.distributor.encode()
        self.distributor = Distributor.decode(data)
        assert self.distributor.encode() == data

    @invariant()
    def sound(self) -> None:
        assert_sound(self.distributor)
        late = [breach for breach in self.distributor.check(self.now) if not breach.rule.endswith("_overdue")]
        assert late == []

    def teardown(self) -> None:
        """Silence from now on: nobody stays stuck longer than the longest deadline."""
        for _ in range(10_000):
            self.settle()
            at = self.distributor.next_deadline()
            if at is None:
                break
            self.now = max(at, self.now)
            self.distributor.expire(self.now)
            self.distributor._pool.out = [c for c in self.distributor._pool.out if not isinstance(c, Breach)]
        assert not self.distributor._pool.calls
        words = [self.distributor.agent_state(who) for who in (10, 11, 12, 13, 14, 15)]
        assert all(word in ("", "logged_out", "ready", "not_ready") for word in words), words


TestRandom = Random.TestCase
TestRandom.settings = settings(
    max_examples=150, stateful_step_count=60, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip


# --- same inputs, same bytes --------------------------------------------------------------------------
@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), stop=st.integers(0, 80), between=st.integers(0, 3))
def test_stop_encode_restore_continue(seed: int, stop: int, between: int) -> None:
    """Stopped at any step, also between apply and settle, the restored machine says the same."""
    one, stream = start(seed)
    for _ in range(stop):
        stream.step(one)
    for _ in range(between):
        one.apply(stream.event(), stream.now)
    other = Distributor.decode(one.encode())
    for _ in range(60):
        state = stream.chance.getstate()
        known = (stream.now, stream.call, list(stream.offers), list(stream.pairs))
        said = stream.step(one)
        stream.chance.setstate(state)
        stream.now, stream.call, stream.offers, stream.pairs = known[0], known[1], list(known[2]), list(known[3])
        assert stream.step(other) == said
        assert other.encode() == one.encode()
        assert other.next_deadline() == one.next_deadline()


def test_streams_do_something() -> None:
    """The streams above would prove nothing if they never connected anybody."""
    kinds: dict[str, int] = {}
    for seed in range(9):
        for command in run_stream(seed, 200):
            kinds[type(command).__name__] = kinds.get(type(command).__name__, 0) + 1
    assert set(kinds) == {"Offer", "CancelOffer", "Connect", "EntryEnded", "AgentChanged", "OfferEnded", "Widened"}
    assert kinds["Connect"] > 50


_HASH_RUN = (
    "import hashlib; from tests.acd.streams import start; d, s = start(5); h = hashlib.blake2b()\n"
    "for _ in range(300): h.update(repr(s.step(d)).encode() + d.encode())\n"
    "print(h.hexdigest())"
)


def test_no_hash_seed_changes_a_byte() -> None:
    runs = [
        subprocess.run(
            [sys.executable, "-c", _HASH_RUN], env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    ]  # fmt: skip
    assert len(set(runs)) == 1 and len(runs[0]) > 100


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_long_streams_stay_sound(seed: int) -> None:
    distributor, stream = start(seed)
    owner = Owner()
    for _ in range(3_000):
        owner.hear(stream.step(distributor))
        assert_sound(distributor)
        assert [b for b in distributor.check(stream.now) if not b.rule.endswith("_overdue")] == []


# --- the facade itself ------------------------------------------------------------------------------------
def test_the_clock_never_runs_backwards_inside() -> None:
    world = World([queue()], [agent(1)])
    world.now = 50_000
    offer = offers(world.join(10))[0]
    world.distributor.apply(events.OfferAnswered(offer.offer), 10)
    connect = next(c for c in world.distributor.settle(10) if isinstance(c, Connect))
    assert connect.waited_ms == 0
    assert all(spent >= 0 for spent in world.distributor.snapshot_agents(50_000)[0]["spent_ms"].values())


def test_apply_and_expire_say_nothing_until_settle() -> None:
    distributor = Distributor(1)
    distributor.configure([QueueSpec(1, "q")], [AgentSpec(1, "a", queues=((1, 1, 0),))], 0)
    distributor.apply(events.AgentReachable(1, True), 0)
    distributor.apply(events.AgentLoggedIn(1), 0)
    distributor.apply(events.CallJoined(10, 1), 0)
    assert distributor.agent_state(1) == "ready" and distributor.position(10) == 1
    kinds = [type(command).__name__ for command in distributor.settle(0)]
    assert kinds == ["AgentChanged", "Offer", "AgentChanged"]
    assert distributor.settle(0) == []


def test_questions_about_the_unknown() -> None:
    distributor = Distributor(1)
    assert (distributor.position(1), distributor.queue_length(1), distributor.agent_state(1)) == (0, 0, "")
    assert distributor.next_deadline() is None
    assert distributor.snapshot_queues(0) == distributor.snapshot_agents(0) == []
    distributor.expire(10)
    assert distributor.settle(10) == []


def test_a_late_expire_does_everything_in_order_of_time() -> None:
    world = World([queue(wait_ms_max=30_000)], [agent(1)], ready=False)
    world.join(10)
    world.join(11, after=5_000)
    world.now = 100_000
    world.distributor.expire(world.now)
    assert [command.call for command in world.distributor.settle(world.now)] == [10, 11]  # type: ignore[union-attr]


def test_an_outage_shifts_every_deadline_and_no_place() -> None:
    """Waiting (wait_ms_max), ringing (ring_ms_max), wrap-up: each as much later as the owner was away."""
    for by_ms in (0, 7_000):
        distributor = Distributor(1)
        distributor.configure(
            [QueueSpec(1, "q", ring_ms_max=10_000, wait_ms_max=60_000)],
            [AgentSpec(number, str(number), queues=((1, 1, 0),)) for number in (1, 2)],
            0,
        )
        for number in (1, 2):
            distributor.apply(events.AgentReachable(number, True), 0)
            distributor.apply(events.AgentLoggedIn(number), 0)
        for call in (10, 11, 12):
            distributor.apply(events.CallJoined(call, 1), 1_000)
        distributor.settle(1_000)
        before, places = distributor.next_deadline(), [distributor.position(call) for call in (10, 11, 12)]
        distributor.shift(by_ms)
        assert before is not None and distributor.next_deadline() == before + by_ms
        assert [distributor.position(call) for call in (10, 11, 12)] == places
        distributor.expire(before + by_ms - 1)
        assert not distributor.settle(before + by_ms - 1)
        assert not distributor.check(before + by_ms - 1) and distributor.agent_state(1) == "alerting"
        distributor.expire(before + by_ms)  # both rings are over
        assert [type(each).__name__ for each in distributor.settle(before + by_ms)].count("OfferEnded") == 2
        assert distributor.agent_state(1) != "alerting"

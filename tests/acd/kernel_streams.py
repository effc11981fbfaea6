"""Random streams for the loop and for Python, drawn before they are played: see `kernel_events.play`."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
import numpy as np

from engine.acd import events
from engine.acd import kernel_events as loop
from engine.acd.commands import AcdCommand, Breach, CancelOffer, Connect, EntryEnded, Offer
from engine.acd.kernel_entries import ABANDONED, LEFT, MOVED, REASONS
from engine.acd.kernel_rows import OUT_BREACH, OUT_CANCEL, OUT_CONNECT, OUT_ENDED, OUT_OFFER
from engine.acd.kernel_state import lay_out, strange, take_back
from engine.acd.learning import Learnt
from engine.acd.machine import Distributor
from engine.acd.model import AgentSpec, QueueSpec
from engine.acd.offers import FAILURES
from engine.acd.policy import NAMES
from engine.acd.pool import Pool
from engine.acd.saving import SavedPool
from engine.acd.tables import IntArray

CALLS = 64
FAILED = list(FAILURES)
LEAVES = {ABANDONED: "abandoned", LEFT: "exit", MOVED: "moved"}
LOOPED = [name for name in NAMES if not strange([QueueSpec(0, "q", strategy=name)], [])]
TIMES = (0, 0, 1, 40, 40, 40, 700, 700, 700, 5_000, 5_000, 30_000, 3_600_000)


def site(chance: Random) -> Distributor:
    """One to four queues and one to nine agents of any kind; some have logged in."""
    queues = [
        QueueSpec(
            number, f"q{number}", strategy=chance.choice(LOOPED), ring_ms_max=chance.choice((0, 8_000)),
            wrap_up_ms=chance.choice((0, 3_000)), entries_max=chance.choice((0, 4)),
            wait_ms_max=chance.choice((0, 60_000)), join_empty=chance.random() < 0.7, weight=chance.choice((0, 0, 1)),
            delay_no_answer_ms=chance.choice((0, 5_000)), delay_busy_ms=chance.choice((0, 10_000)),
            misses_max=chance.choice((0, 1, 3)), offers_max=chance.choice((0, 2)),
            progress_ms=chance.choice((700, 10_000)), service_level_ms=chance.choice((0, 1_000, 20_000)),
        )
        for number in range(chance.randint(1, 4))
    ]  # fmt: skip
    agents = [
        AgentSpec(
            7 * number, f"a{number}",
            queues=tuple((queue.id, chance.randint(1, 3), chance.randint(0, 2)) for queue in queues
                         if chance.random() < 0.7),
            skills=tuple((skill, chance.randint(1, 16)) for skill in range(4) if chance.random() < 0.6),
            wrap_up_ms=chance.choice((-1, -1, 0, 900)), second_line=chance.random() < 0.2,
        )
        for number in range(chance.randint(1, 9))
    ]  # fmt: skip
    distributor = Distributor(chance.getrandbits(64), entries_max=chance.choice((5, 40)), agents_max=20)
    distributor._pool.offers.capacity_max = 48  # so few that rows run out
    distributor.configure(queues, agents, 0)
    for agent in agents:
        distributor.apply(events.AgentReachable(agent.id, chance.random() < 0.95), 0)
        if chance.random() < 0.9:
            distributor.apply(events.AgentLoggedIn(agent.id, chance.random() < 0.9), 0)
    distributor.settle(0)
    return distributor


def steps(chance: Random, pool: Pool, length: int) -> IntArray:
    """Events as a busy floor has them, the late, repeated and wrong ones included."""
    found = np.zeros((length, loop.STEP_WIDTH), dtype=np.int64)
    agents, queues = len(pool.specs), len(pool.queues)
    kinds = chance.choices(
        (loop.JOINED, loop.LEFT_QUEUE, loop.OFFER_ANSWERED, loop.OFFER_FAILED, loop.CALL_ENDED, loop.LOGGED_IN,
         loop.LOGGED_OUT, loop.PAUSED, loop.READY, loop.REACHABLE, loop.OCCUPIED_BY, loop.SETTLE, loop.EXPIRE,
         loop.ADVANCE), (24, 4, 18, 5, 12, 3, 1, 1, 8, 2, 1, 40, 12, 20), k=length,
    )  # fmt: skip
    for place, kind in enumerate(kinds):
        agent, few = chance.randrange(agents), chance.randrange(16)
        if kind == loop.JOINED:
            need = chance.randrange(5) << 8 | chance.randint(1, 8) if chance.random() < 0.4 else 0
            rest = (chance.randint(1, CALLS - 1), chance.randrange(queues), chance.choice((0, 0, 5_000)),
                    chance.choice((0, 0, 2_000)), need)  # fmt: skip
        elif kind == loop.LEFT_QUEUE:
            rest = (chance.randint(1, CALLS - 1), chance.choice(list(LEAVES)), 0, 0, 0)
        elif kind == loop.OFFER_FAILED:
            rest = (few, int(chance.random() < 0.1), chance.randrange(len(FAILED)), 0, 0)
        elif kind in (loop.OFFER_ANSWERED, loop.CALL_ENDED):
            rest = (few, int(chance.random() < 0.1), 0, 0, 0)
        elif kind == loop.ADVANCE:
            rest = (chance.choice(TIMES), 0, 0, 0, 0)
        else:
            rest = (agent, int(chance.random() < 0.8), 0, 0, 0)
        found[place] = (kind, *rest)
    return found


def play_python(distributor: Distributor, given: IntArray) -> list[AcdCommand]:
    """The production distributor, event by event; the commands that both kinds of loop give, in order."""
    pool = distributor._pool
    now_ms = pool.now_ms
    out: list[AcdCommand] = []
    for kind, one, two, three, four, five in given.tolist():
        if kind == loop.ADVANCE:
            now_ms += one
        elif kind == loop.SETTLE:
            out += distributor.settle(now_ms)
        elif kind == loop.EXPIRE:
            distributor.expire(now_ms)
        else:
            event = _event(pool, kind, one, two, three, four, five)
            if event is not None:
                distributor.apply(event, now_ms)
            else:
                distributor._clock(now_ms)
    out += pool.out
    pool.out = []
    return [command for command in out if isinstance(command, Offer | Connect | EntryEnded | CancelOffer | Breach)]


def _event(pool: Pool, kind: int, one: int, two: int, three: int, four: int, five: int) -> events.AcdEvent | None:
    if kind == loop.JOINED:
        return events.CallJoined(one, two, three, ((five >> 8, five & 255),) if five else (), four)
    if kind == loop.LEFT_QUEUE:
        return events.CallLeft(one, LEAVES[two])
    if kind in (loop.OFFER_ANSWERED, loop.OFFER_FAILED):
        used = pool.offers.used
        offer = pool.offers.id[one % used] - (two << 16) if used else 1
        return events.OfferAnswered(offer) if kind == loop.OFFER_ANSWERED else events.OfferFailed(offer, FAILED[three])
    if kind == loop.CALL_ENDED:
        if not pool.entries.used:
            return None
        row = one % pool.entries.used
        return events.CallEnded(pool.entries.call[row], 7 * (pool.entries.agent[row] + two))
    agent = 7 * one
    return {
        loop.LOGGED_IN: events.AgentLoggedIn(agent, bool(two)), loop.LOGGED_OUT: events.AgentLoggedOut(agent),
        loop.PAUSED: events.AgentNotReady(agent, "lunch"), loop.READY: events.AgentReady(agent),
        loop.REACHABLE: events.AgentReachable(agent, bool(two)),
        loop.OCCUPIED_BY: events.AgentOccupied(agent, bool(two)),
    }[kind]  # fmt: skip


def play_loop(distributor: Distributor, given: IntArray) -> list[AcdCommand]:
    """The njit loop over the same columns; its commands as Python's."""
    pool = distributor._pool
    state = lay_out(pool, CALLS)
    with np.errstate(over="ignore"):  # plain numpy words wrap with a warning (JIT off)
        loop.play(state, given)
    pool.out = []
    take_back(pool, state)
    assert not state.pool[loop.P.lost]
    return [_command(pool, row) for row in state.out[: state.pool[loop.P.out]].tolist()]


def _command(pool: Pool, row: list[int]) -> AcdCommand:
    kind, one, two, three, four, five = row
    if kind == OUT_OFFER:
        return Offer(one, two, pool.agents.id[three], pool.queue_at(four).spec.id, five)
    if kind == OUT_CONNECT:
        return Connect(one, two, pool.agents.id[three], pool.queue_at(four).spec.id, five)
    if kind == OUT_ENDED:
        return EntryEnded(one, pool.queue_at(three).spec.id, REASONS[two], four)
    if kind == OUT_CANCEL:
        return CancelOffer(one, pool.agents.id[three] if three >= 0 else -1, two, REASONS[four])
    assert kind == OUT_BREACH
    return Breach(f"{one}", "")


def plain(commands: list[AcdCommand]) -> list[AcdCommand]:
    """Without the words of a breach, and without the place of who timed out."""
    return [
        msgspec.structs.replace(command, position=0) if isinstance(command, EntryEnded)
        else Breach("", "") if isinstance(command, Breach) else command
        for command in commands
    ]  # fmt: skip


def both(seed: int, length: int) -> tuple[Distributor, Distributor, list[AcdCommand], list[AcdCommand]]:
    """The same stream through Python and through the loop: both distributors, both lists of commands."""
    one, two = site(Random(seed)), site(Random(seed))
    given = steps(Random(seed + 1), one._pool, length)
    return one, two, plain(play_python(one, given)), plain(play_loop(two, given))


def state_of(distributor: Distributor) -> tuple[object, ...]:
    """Everything that is saved, as data, and what comes next.

    Not compared: reasons of pauses, words for people, and what estimates of wait have learnt: the loop keeps neither.
    """
    saved = msgspec.msgpack.decode(distributor.encode(), type=SavedPool)
    saved.pause_reasons = []
    for queue in saved.queues:
        if queue is not None:
            queue.learnt = Learnt()
    return saved, distributor.next_deadline()


def follow(queues: list[QueueSpec], agents: list[AgentSpec], given: list[tuple[int, ...]]) -> list[AcdCommand]:
    """A stream written by hand, played both ways over agents who are all there: alike, and the commands it gave.

    Ids of queues are 0, 1, …, of agents 0, 7, 14, …
    """
    found = []
    for play in (play_python, play_loop):
        distributor = Distributor(1, entries_max=40, agents_max=20)
        distributor.configure(queues, agents, 0)
        for agent in agents:
            distributor.apply(events.AgentReachable(agent.id, True), 0)
            distributor.apply(events.AgentLoggedIn(agent.id), 0)
        distributor.settle(0)
        rows = np.zeros((len(given), loop.STEP_WIDTH), dtype=np.int64)
        for place, step in enumerate(given):
            rows[place, : len(step)] = step
        found.append((plain(play(distributor, rows)), state_of(distributor)))
    assert found[0] == found[1]
    return found[1][0]


def person(number: int, *queues: int, level: int = 1, **more: Any) -> AgentSpec:
    """The agent in row `number`."""
    return AgentSpec(7 * number, f"a{number}", queues=tuple((queue, level, 0) for queue in queues or (0,)), **more)


def settled(*given: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Each step with a settle behind it."""
    return [each for step in given for each in (step, (loop.SETTLE,))]

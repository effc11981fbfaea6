"""Bytes and back."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from engine.acd import events, fairness, policy, saving
from engine.acd.machine import Distributor
from tests.acd.streams import start
from tests.acd.world import World, agent, offers, queue


def test_restored_state_answers_the_same_questions() -> None:
    world = World([queue(strategy="ring-all", wrap_up_ms=5_000)], [agent(1), agent(2)])
    first = world.talk(10)
    world.join(11)
    world.join(12)
    other = Distributor.decode(world.distributor.encode())
    assert [other.position(call) for call in (10, 11, 12)] == [0, 1, 2]
    assert other.queue_length(1) == 2 and other.agent_state(first.agent) == "talking"
    assert other.next_deadline() == world.distributor.next_deadline()
    assert other.snapshot_queues(world.now) == world.distributor.snapshot_queues(world.now)
    assert other.snapshot_agents(world.now) == world.distributor.snapshot_agents(world.now)


NEW_AGENT = ("last_offered", "last_end", "call_load", "talk_load")
NEW_ENTRY = ("asked", "more_at")


def without(saved: list[Any], names: tuple[str, ...]) -> list[Any]:
    """Columns as a version saved them that had no such fields."""
    fields, used, free, data = saved
    block = np.frombuffer(data, dtype="<i8").reshape(len(fields), used)
    keep = [row for row, field in enumerate(fields) if field not in names]
    assert len(keep) == len(fields) - len(names)
    return [[fields[row] for row in keep], used, free, block[keep].tobytes()]


def test_a_state_of_before_the_strategies_goes_on() -> None:
    world = World([queue(wrap_up_ms=5_000)], [agent(1), agent(2), agent(3)])
    first = world.talk(10)
    ringing = offers(world.join(11))[0]
    older = msgspec.msgpack.decode(world.distributor.encode())
    older["agents"] = without(older["agents"], NEW_AGENT)
    older["entries"] = without(older["entries"], NEW_ENTRY)
    older["queues"] = [kept[:4] for kept in older["queues"]]
    del older["draws"], older["fades"]
    for kept in older["queues"]:
        del kept[1]["progress_ms"]
    world.distributor = Distributor.decode(msgspec.msgpack.encode(older))
    assert world.distributor.check(world.now) == []
    world.answer(ringing)
    world.end(10, first.agent)
    assert world.pool.agents.call_load[1] == fairness.CALL and world.pool.entries.asked[1] == -1
    for strategy in policy.NAMES:
        world.distributor.configure([queue(strategy=strategy)], [agent(1), agent(2), agent(3)], world.now)
        assert offers(world.join(12, after=10_000))[0].agent in (1, 3)
        world.do(events.CallLeft(12, "abandoned"))


@pytest.mark.parametrize("strategy", policy.NAMES)
def test_every_strategy_goes_on_where_it_was(strategy: str) -> None:
    """Pointers, lots and loads: the same offers with a restore after every step and without."""
    lines = [queue(strategy=strategy, progress_ms=3_000, misses_max=0)]
    people = [agent(n, level=1 + n % 2, position=n % 3) for n in range(1, 7)]
    one, other = World(lines, people), World(lines, people)
    for call in range(10, 60):
        for world in (one, other):
            talking = world.talk(call)
            world.join(call + 1_000)
            world.wait(4_000)
            world.end(call, talking.agent)
            world.do(events.CallLeft(call + 1_000, "abandoned"), after=10_000 * call)
        other.distributor = Distributor.decode(other.distributor.encode())
        assert other.distributor.encode() == one.distributor.encode()
    assert one.log == other.log and len(offers(one.log)) >= 100


def test_commands_that_nobody_has_taken_are_kept() -> None:
    distributor, stream = start(2)
    for _ in range(30):
        distributor.apply(stream.event(), stream.now)
    assert distributor._pool.out
    other = Distributor.decode(distributor.encode())
    assert other.settle(stream.now) == distributor.settle(stream.now)


def test_the_offer_of_before_can_be_answered_after() -> None:
    world = World([queue()], [agent(1)])
    offer = offers(world.join(10))[0]
    world.distributor = Distributor.decode(world.distributor.encode())
    world.answer(offer)
    assert world.state(1) == "talking"


def test_encoding_changes_nothing_and_repeats() -> None:
    world = World([queue()], [agent(1)])
    world.join(10)
    assert world.distributor.encode() == world.distributor.encode()


@pytest.mark.parametrize("data", [b"", b"\x00", b"{}", b"\x80"])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        Distributor.decode(data)


def test_a_newer_format_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = Distributor(1).encode()
    monkeypatch.setattr(saving, "FORMAT", 0)
    with pytest.raises(msgspec.ValidationError, match="newer"):
        Distributor.decode(data)

"""Bytes and back."""

from __future__ import annotations

import msgspec
import pytest

from engine.acd import saving
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

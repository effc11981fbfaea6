"""Symmetric RTP: whom a leg believes and where it sends."""

from __future__ import annotations

import pytest

from engine.media import columns as c
from engine.media.commands import Latched
from tests.media.rig import FAR, Rig, rtp, tone

STRANGER, OTHER = "198.51.100.7", "203.0.113.9"


def sending(**changes: object) -> Rig:
    """A leg that plays for ever, so that its destination shows."""
    rig = Rig()
    rig.clip(1, tone(60))
    rig.leg(0, **changes)
    rig.play(1)
    return rig


def talk(rig: Rig, count: int, *, first: int = 0, ssrc: int = 99, host: str = FAR, port: int = 4_000) -> None:
    for number in range(first, first + count):
        rig.tick(1)
        rig.receive(rtp(number, 160 * number, ssrc=ssrc), 0, host=host, port=port)


def goes_to(rig: Rig) -> tuple[str, int]:
    return rig.tick(1)[0].to


def test_the_signalled_address_is_believed_at_once() -> None:
    rig = sending()
    talk(rig, 1)
    assert rig.take(Latched) == [Latched(0, 1, FAR, 4_000)]
    assert goes_to(rig) == (FAR, 4_000)


def test_another_source_needs_four_consecutive_packets() -> None:
    rig = sending()
    talk(rig, 3, host=OTHER, port=9)
    assert goes_to(rig) == (FAR, 4_000)
    assert rig.plane.legs[0, c.IGNORED] == 3
    talk(rig, 1, first=3, host=OTHER, port=9)
    assert rig.take(Latched) == [Latched(0, 1, OTHER, 9)]
    assert goes_to(rig) == (OTHER, 9)
    assert rig.plane.legs[0, c.IGNORED] == 3


@pytest.mark.parametrize("breaks", ["sequence", "ssrc", "address"])
def test_a_break_begins_the_count_anew(breaks: str) -> None:
    rig = sending()
    talk(rig, 3, host=OTHER, port=9)
    change = {"sequence": {"first": 7}, "ssrc": {"first": 3, "ssrc": 5}, "address": {"first": 3, "port": 10}}[breaks]
    talk(rig, 3, **({"host": OTHER, "port": 9} | change))  # type: ignore[arg-type]
    assert rig.take(Latched) == []


def test_the_signalled_address_wins_over_a_quicker_stranger() -> None:
    rig = sending()
    talk(rig, 10, host=STRANGER, port=6)
    assert goes_to(rig) == (STRANGER, 6)
    talk(rig, 3)
    assert goes_to(rig) == (STRANGER, 6)
    talk(rig, 1, first=3)
    assert goes_to(rig) == (FAR, 4_000)
    talk(rig, 20, first=10, host=STRANGER, port=6)
    assert goes_to(rig) == (FAR, 4_000)


def test_a_latched_source_is_replaced_only_after_half_a_second_of_silence() -> None:
    rig = sending()
    talk(rig, 10)
    for number in range(50):  # both talk: the stranger never gets in
        talk(rig, 1, first=10 + number)
        rig.receive(rtp(number, 0, ssrc=5), 0, host=STRANGER, port=6)
    assert goes_to(rig) == (FAR, 4_000)
    rig.tick(20)
    talk(rig, 4, first=900, host=STRANGER, port=6)  # 80 ms too early
    assert goes_to(rig) == (FAR, 4_000)
    talk(rig, 8, first=904, host=STRANGER, port=6)
    assert goes_to(rig) == (STRANGER, 6)


def test_learning_closes_so_the_signalled_address_must_wait_later() -> None:
    rig = sending()
    talk(rig, 300, host=OTHER, port=9)  # 6 s
    for number in range(20):
        talk(rig, 1, first=300 + number, host=OTHER, port=9)
        rig.receive(rtp(number, 0, ssrc=5), 0)
    assert goes_to(rig) == (OTHER, 9)


def test_a_refresh_keeps_what_works() -> None:
    rig = sending()
    talk(rig, 10, host=OTHER, port=9)
    rig.set()
    assert goes_to(rig) == (OTHER, 9)
    rig.set(host="0.0.0.0", send=False)
    rig.set()
    assert goes_to(rig) == (OTHER, 9)


def test_a_new_address_in_an_answer_is_used_at_once_and_learnt_anew() -> None:
    rig = sending()
    talk(rig, 10)
    rig.set(host=OTHER, port=77)
    assert goes_to(rig) == (OTHER, 77)
    talk(rig, 6, first=10)  # the old phone still talks: four packets and it would win …
    talk(rig, 5, first=0, ssrc=3, host=OTHER, port=77)  # … but the signalled address takes over
    assert goes_to(rig) == (OTHER, 77)


def test_an_answer_that_names_the_learnt_address_keeps_it() -> None:
    rig = sending()
    talk(rig, 10, host=OTHER, port=9)
    rig.take(Latched)
    rig.set(host=OTHER, port=9)
    assert rig.plane.legs[0, c.LATCHED] == 1
    talk(rig, 1, first=10, host=OTHER, port=9)
    assert rig.take(Latched) == []


def test_signalled_narrows_to_the_host_whatever_its_port() -> None:
    rig = sending(accept="signalled")
    talk(rig, 10, host=OTHER)
    assert rig.take(Latched) == []
    talk(rig, 4, port=4_444)
    assert rig.take(Latched) == [Latched(0, 1, FAR, 4_444)]


@pytest.mark.parametrize(
    ("network", "host", "accepted"),
    [("198.51.100.0/24", STRANGER, True), ("198.51.100.0/29", STRANGER, True), ("198.51.100.8/29", STRANGER, False),
     ("198.51.100.0/24", OTHER, False), ("0.0.0.0/0", OTHER, True), ("198.51.100.7/32", STRANGER, True),
     ("2001:db8::/32", STRANGER, False), ("nonsense", STRANGER, False), ("nonsense", FAR, True)],
)
def test_a_network_narrows(network: str, host: str, accepted: bool) -> None:
    rig = sending(accept="network", network=network)
    talk(rig, 4, host=host, port=6)
    assert bool(rig.take(Latched)) == accepted


def test_the_signalled_address_outside_the_network_is_refused_too() -> None:
    rig = sending(accept="network", network="198.51.100.0/24")
    talk(rig, 10)
    assert rig.take(Latched) == []


def test_ipv6_addresses_and_networks() -> None:
    rig = sending(host="2001:db8::5", accept="network", network="2001:db8::/64")
    talk(rig, 4, host="2001:db8::77", port=6)
    assert rig.take(Latched) == [Latched(0, 1, "2001:db8::77", 6)]
    talk(rig, 4, first=4, host="2001:db8:1::77", port=6)
    assert goes_to(rig) == ("2001:db8::77", 6)
    rig = sending(host="2001:db8::5", accept="signalled")
    talk(rig, 4, host="2001:db8::6")
    assert rig.take(Latched) == []
    talk(rig, 4, host="2001:db8::5", port=9)
    assert rig.take(Latched) == [Latched(0, 1, "2001:db8::5", 9)]


def test_a_wrong_payload_type_never_latches() -> None:
    rig = sending()
    for number in range(10):
        rig.receive(rtp(number, 0, payload_type=18), 0, host=OTHER, port=9)
    assert rig.take(Latched) == []


def test_nothing_is_learnt_before_the_first_answer() -> None:
    rig = Rig()
    rig.open()
    talk(rig, 10)
    assert rig.take(Latched) == []
    assert rig.plane.legs[0, c.IGNORED] == 10


def test_latched_waits_for_room_in_the_ring() -> None:
    from engine.media import rings

    rig = sending()
    while rings.emit(rig.plane, rings.NUDGE, 0, 0, 0, 0, False):
        pass
    collect, rig._collect = rig._collect, lambda: None  # type: ignore[method-assign]
    rig.receive(rtp(1, 1))
    rig._collect = collect  # type: ignore[method-assign]
    assert rig.plane.legs[0, c.TELL_LATCHED] == 1
    rig._collect()
    assert rig.take(Latched) == []
    rig.tick(10)
    assert rig.take(Latched) == [Latched(0, 1, FAR, 4_000)]

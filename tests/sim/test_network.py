"""The simulated network: seeded, fair in its arithmetic, deaf to dark hosts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.sim.network import Dice, Network, Weather

A, B = ("10.0.0.1", 5060), ("10.0.0.2", 5060)


def all_arrivals(network: Network) -> list[tuple[int, bytes]]:
    found = []
    while (at := network.next()) is not None:
        arrived = network.arrive(at)
        if arrived is not None:
            found.append((at, arrived[2]))
    return found


def test_in_good_weather_everything_arrives_once_in_order() -> None:
    network = Network(1)
    for number in range(50):
        network.send(A, B, b"%d" % number, 100)
    assert all_arrivals(network) == [(105, b"%d" % number) for number in range(50)]


def test_nothing_arrives_before_its_time() -> None:
    network = Network(1)
    network.send(A, B, b"x", 100)
    assert network.arrive(104) is None and network.arrive(105) == (A, B, b"x")


@given(st.integers(0, 2**32), st.integers(0, 400), st.integers(0, 400))
def test_loss_and_duplication_come_near_their_shares_and_are_seeded(seed: int, loss: int, duplicate: int) -> None:
    def run() -> list[tuple[int, bytes]]:
        network = Network(seed, Weather(loss=loss, duplicate=duplicate, jitter_ms=20, reorder=100))
        for number in range(300):
            network.send(A, B, b"%d" % number, 0)
        return all_arrivals(network)

    arrived = run()
    assert arrived == run()
    expected = 300 * (1 - loss / 1_000) * (1 + duplicate / 1_000)
    assert abs(len(arrived) - expected) < 90
    assert all(5 <= at <= 5 + 20 + 60 for at, _ in arrived)


def test_a_dark_host_neither_sends_nor_hears_even_what_is_under_way() -> None:
    network = Network(1)
    network.send(A, B, b"under way", 0)
    network.dark[B[0]] = True
    network.send(A, B, b"to", 0)
    network.send(B, A, b"from", 0)
    assert network.arrive(100) is None and network.lost == 2 and network.sent == 3


@given(st.integers(-(2**63), 2**63), st.integers(1, 10_000))
def test_dice_stay_in_bounds_and_are_never_stuck(seed: int, bound: int) -> None:
    dice = Dice(seed)
    throws = [dice.below(bound) for _ in range(64)]
    assert all(0 <= throw < bound for throw in throws)
    assert bound < 8 or len(set(throws)) > 3
    assert dice.below(0) == 0 and not dice.chance(0) and dice.chance(1_000)

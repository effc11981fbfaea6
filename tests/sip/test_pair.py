"""The harness itself: time jumps, loss, doubles and order are as told, and runs repeat."""

from __future__ import annotations

from engine.sip.events import Answered, Incoming
from tests.sip.pair import Chance, Link, Pair, answering


def test_the_link_does_what_it_is_told() -> None:
    assert [Link(loss=1_000).delays() for _ in range(3)] == [[], [], []]
    assert Link(double=1_000, latency_ms=5).delays() == [5, 5]
    delays = [delay for _ in range(200) for delay in Link(3, jitter_ms=20, latency_ms=10).delays()]
    assert min(delays) >= 10 and max(delays) <= 30
    lost = sum(not link.delays() for link in [Link(9, loss=200)] for _ in range(1_000))
    assert 150 < lost < 250


def test_chance_is_seeded() -> None:
    assert [Chance(5).below(100) for _ in range(3)] == [Chance(5).below(100)] * 3
    one, two = Chance(5), Chance(6)
    assert [one.below(1_000) for _ in range(5)] != [two.below(1_000) for _ in range(5)]


def test_the_same_seed_gives_the_same_wire() -> None:
    def run(seed: int) -> list[tuple[int, str, bytes]]:
        pair = Pair(Link(seed, loss=200, double=100, jitter_ms=50))
        pair.b.script = answering()
        pair.call()
        pair.run(5_000)
        return pair.wire

    assert run(3) == run(3) and run(3) != run(4)


def test_a_deaf_side_hears_nothing_and_comes_back() -> None:
    pair = Pair()
    pair.b.script = answering()
    pair.b.deaf = True
    pair.call()
    pair.run(3_000)
    assert pair.b.events == []
    pair.b.deaf = False
    pair.until(lambda: bool(pair.a.of(Answered)))
    assert len(pair.b.of(Incoming)) == 1

"""Plans: own steps and the queue's rings on one clock, checked against a plain reading of both at every moment."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.acd.model import Ring
from engine.acd.stages import RINGS_MAX, STEPS_MAX, Stage, merge, ring_of

POWER, EN = 1 << 8 | 3, 2 << 8 | 2


def test_steps_relax_one_after_another() -> None:
    steps = ((30_000, (POWER, EN), 0), (60_000, (POWER,), 0), (0, (), 0))
    assert merge(steps, ()) == (Stage(0, (POWER, EN), 0), Stage(30_000, (POWER,), 0), Stage(90_000, (), 0))


def test_rings_open_beside_the_steps_and_drop_skills() -> None:
    rings = (Ring(level=1, for_ms=20_000), Ring(level=2, without=(2,), for_ms=20_000), Ring())
    steps = ((30_000, (POWER, EN), 0), (0, (EN,), 3))
    assert merge(steps, rings) == (
        Stage(0, (POWER, EN), 1),
        Stage(20_000, (POWER,), 2),
        Stage(30_000, (), 3),
    )


def test_a_ring_holds_levels_teams_everybody_or_who_is_borrowed() -> None:
    rings = (Ring(level=1), Ring(teams=("bpo",)), Ring(level=4, teams=("night",)), Ring(borrows=True))
    seats = ((1, ""), (2, "bpo"), (2, ""), (9, "night"), (104, "x"))
    assert [ring_of(rings, *seat) for seat in seats] == [1, 2, 3, 3, 4]
    assert ring_of(rings, 9, "") == 5, "nobody's ring"
    assert ring_of((*rings, Ring()), 9, "") == 5
    offices = (Ring(offices=(2,)), Ring(level=1), Ring(offices=(3,)))
    assert [ring_of(offices, 1, "", office) for office in (2, 3, 0)] == [1, 2, 2]
    assert [ring_of(offices, 9, "", office) for office in (2, 3, 0)] == [1, 3, 4]


NEED = st.sampled_from((POWER, EN, 3 << 8 | 16))
STEPS = st.lists(
    st.tuples(st.integers(0, 50), st.lists(NEED, max_size=3).map(tuple), st.integers(0, RINGS_MAX)),
    min_size=1, max_size=STEPS_MAX,
)  # fmt: skip
RINGS = st.lists(
    st.builds(Ring, level=st.integers(0, 3), without=st.lists(st.integers(1, 3), max_size=2).map(tuple),
              for_ms=st.integers(0, 50)),
    max_size=RINGS_MAX,
)  # fmt: skip


def at(spans: list[int], now: int) -> int:
    """Which of consecutive spans the moment falls in; the last never ends."""
    for number, span in enumerate(spans[:-1]):
        if now < span:
            return number
        now -= span
    return len(spans) - 1


@given(STEPS, RINGS, st.integers(0, 1_000))
def test_at_every_moment_the_plan_says_what_steps_and_rings_say(steps, rings, now) -> None:  # type: ignore[no-untyped-def]
    plan = merge(tuple(steps), tuple(rings))
    present = [stage for stage in plan if stage.from_ms <= now][-1]
    _, needs, least = steps[at([span for span, _, _ in steps], now)]
    reached = min(len(rings), max(1 + at([ring.for_ms for ring in rings], now), least)) if rings else 0
    gone = [skill for ring in rings[:reached] for skill in ring.without]
    assert (present.needs, present.ring) == (tuple(need for need in needs if need >> 8 not in gone), reached)
    assert [stage.from_ms for stage in plan] == sorted({stage.from_ms for stage in plan}) and plan[0].from_ms == 0
    assert len(plan) <= STEPS_MAX + RINGS_MAX

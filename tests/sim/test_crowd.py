"""Callers without number: every share that is counted fits the one that the graph gives."""

from __future__ import annotations

import msgspec
import pytest

from engine.sim.chain import expected
from engine.sim.crowd import Counts, Crowd, Share, chances_of, judge, usual
from tests.sim.crowds import NAME, chances, crowd_site

SITE = crowd_site()
PROGRAM = SITE.programs[NAME]


def sent(calls: int, seed: int = 7) -> Counts:
    return Crowd(SITE, NAME, usual(PROGRAM), seed).send(calls)


def shares(counts: Counts) -> list[Share]:
    return judge(counts, expected(PROGRAM, chances_of(PROGRAM, usual(PROGRAM), chances(SITE))))


def test_the_plan_has_sixty_steps() -> None:
    assert sum(len(steps) for steps in PROGRAM.flows.values()) >= 60


def test_every_share_lies_in_its_interval() -> None:
    counts = sent(4_000)
    found = shares(counts)
    assert len(found) > 90 and not [each for each in found if not each.fits()]
    assert {key for key, times in counts.ways.items() if times} <= {(each.place, each.way) for each in found}
    assert counts.calls == 4_000 and 15 < counts.steps / counts.calls < 30


def test_a_crowd_that_behaves_otherwise_is_noticed() -> None:
    habits = usual(PROGRAM)
    menu = next(iter(habits.keys))
    first, second = list(habits.keys[menu])[:2]
    other = {**habits.keys[menu], first: habits.keys[menu][first] - 0.1, second: habits.keys[menu][second] + 0.1}
    changed = msgspec.structs.replace(habits, keys={**habits.keys, menu: other})
    counts = Crowd(SITE, NAME, changed, 7).send(4_000)
    assert {(each.place, each.way) for each in shares(counts) if not each.fits()} >= {(menu, first), (menu, second)}


def test_the_same_seed_is_the_same_crowd() -> None:
    assert sent(200) == sent(200) != sent(200, seed=8)


@pytest.mark.slow
def test_twenty_thousand() -> None:
    assert not [each for each in shares(sent(20_000, seed=11)) if not each.fits()]

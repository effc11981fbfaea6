"""Random sequences of happenings through every example: nothing raises, nothing waits for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.dialplan import interpreter
from engine.dialplan.actions import PlayDone
from engine.dialplan.model import Site
from engine.runtime.site_files import read_folder
from engine.sim import sequences
from tests.sim.crowds import crowd_site
from tests.sim.shows import site

DIALPLANS = Path(__file__).parents[2] / "dialplans"
SITES = sorted(file.parent for file in DIALPLANS.rglob("site.yaml"))


def loaded(folder: Path) -> Site:
    found = read_folder(folder).site
    assert found is not None
    return found


def troubles(made: Site, count: int, seed: int = 1) -> list[sequences.Trouble]:
    doors = sequences.doors(made)
    found = [sequences.run(made, doors[number % len(doors)], seed, number) for number in range(count)]
    return [each for each in found if each is not None]


@pytest.mark.parametrize("folder", SITES, ids=lambda folder: folder.name)
def test_every_example_stands_a_thousand(folder: Path) -> None:
    assert not troubles(loaded(folder), 1_000)


@pytest.mark.slow
def test_every_example_stands_a_hundred_thousand() -> None:
    sites = [loaded(folder) for folder in SITES]
    for made in sites:
        assert not troubles(made, 100_000 // len(sites), seed=2)


def test_a_plan_with_everything_stands_them() -> None:
    assert not troubles(crowd_site(), 500) and not troubles(site(), 500)


def test_every_door_is_tried() -> None:
    assert sequences.doors(site()) == [("default/main", "", ""), ("default/main", "support", "")]


def test_what_raises_is_told_with_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("nobody caught this")

    monkeypatch.setitem(interpreter.ROWS, ("play", PlayDone), broken)
    found = troubles(site(), 20)
    assert found and "KeyError" in found[0].why and found[0].told
    again = sequences.run(site(), sequences.doors(site())[found[0].number % 2], 1, found[0].number)
    assert again == found[0]


def test_a_wait_that_lost_its_timer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.dialplan.turn import Turn

    monkeypatch.setattr(Turn, "length", lambda self, clips: 0)
    assert any("without a timer" in each.why for each in troubles(site(), 50))

"""One caller in the interpreter alone."""

from __future__ import annotations

from engine.dialplan import actions
from engine.sim.walker import Walker
from tests.sim.crowds import NAME, crowd_site
from tests.sim.shows import MAIN, site

HOLD = "\nwaits:\n  hold:\n    - play: thanks\n    - music: 20s\n"


def test_who_does_nothing_comes_to_an_end() -> None:
    walker = Walker(site(), NAME)
    assert walker.run.waiting == "answer" and not walker.unguarded()
    for _ in range(30):
        if not walker.over():
            walker.patience()
    assert walker.over() and walker.ms < 60_000 and not walker.unguarded()


def test_keys_reach_the_dialplan() -> None:
    walker = Walker(site(), NAME)
    walker.patience()
    walker.patience()
    walker.tell(actions.Digit("1"))
    assert walker.run.waiting == "queue"
    walker.patience()
    assert walker.run.stack[0][0] == "bye"


def test_a_wait_list_goes_round() -> None:
    made = site(**{"dialplans/main.yaml": MAIN.replace("needs: {language: 1}", "waiting: hold") + HOLD})
    walker = Walker(made, NAME, wait="hold")
    seen = []
    for _ in range(6):
        seen.append(walker.run.waiting)
        walker.patience()
    assert not walker.over() and seen.count("play") >= 3 and not walker.unguarded()


def test_a_wait_without_its_timer_is_told() -> None:
    walker = Walker(crowd_site(), NAME)
    walker.patience()
    assert walker.run.waiting == "play"
    walker.timer = (0, 0)
    assert walker.unguarded() == "it waits (play) without a timer"
    walker.run.waiting = ""
    assert walker.unguarded() == "it waits for nothing and doesn't go on"

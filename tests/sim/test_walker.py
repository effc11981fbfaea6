"""One caller in the interpreter alone."""

from __future__ import annotations

import pytest

from engine.dialplan import actions
from engine.sim.walker import Walker
from tests.sim.crowds import NAME, crowd_site
from tests.sim.shows import MAIN, SITE, site

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


TALK = """  talk:
    - answer
    - {step}
    - hangup: served
  late:
    - hangup: late
"""
MORE = {"boxes.yaml": "front: {hears: 201, number: 800}\n", "site.yaml": SITE + "parking: {slots: 71-79}\n"}


@pytest.mark.parametrize(
    ("step", "waits", "outcome"),
    [
        ("voicemail: front", ["box", "play", "record"], "served"),
        ("callback: {queue: support, failed: late}", ["callback", "play", "digits", "play", "digits"], "late"),
        ("callback: {queue: support, confirm_by_key: no, failed: late}", ["callback", "callback"], "served"),
        ("park: {for: 30s, timeout: late, full: late}", ["park"], "late"),
        ("conference: {room: standup, full: late}", ["room"], ""),
        ("echo", ["echo"], ""),
    ],
)
def test_what_the_engine_answers_is_answered(step: str, waits: list[str], outcome: str) -> None:
    """Nobody stands before a box, a desk or a slot until his call's longest time is over. `outcome` '' : he hung up."""
    queues = "support:\n  ring: 10s\n  callback: {allow: ['5']}\n"
    made = site(**MORE, **{"dialplans/main.yaml": MAIN + TALK.format(step=step), "queues.yaml": queues})
    walker, found, ended = Walker(made, NAME, entry="talk"), [], ""
    while not walker.over():
        assert not walker.unguarded() and len(found) < 20, found
        found.append(walker.run.waiting)
        walker.patience()
        ended = next((act.outcome for act in walker.last if isinstance(act, actions.Hangup)), ended)
    assert found == ["answer", *waits] and ended == outcome

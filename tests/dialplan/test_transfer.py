"""transfer: to somebody, into a queue, and where it fails."""

from __future__ import annotations

import pytest

from engine.dialplan.actions import DialEnded, Hangup, JoinQueue, QueueEnded
from engine.dialplan.people_actions import HandOver
from tests.dialplan.site import Caller, codes_of, site_of

PLAN = "ringdown: 1\nvariables:\n  number: phone = +4930\nflows:\n  main:\n    - answer\n    - {}\n"
WAYS = "  late:\n    - hangup: late\n  bye:\n    - hangup: failed\n"


def caller(step: str, **more: str) -> Caller:
    made = Caller(site_of(PLAN.format(f"transfer: {{{step}, no_answer: late, failed: bye}}") + WAYS, **more))
    made.answered()
    return made


@pytest.mark.parametrize(
    ("result", "outcome"),
    [("served", "transferred"), ("transferred", "transferred"), ("busy", "failed"), ("no_answer", "late")],
)
def test_it_ends_the_dialplan_or_takes_its_outcome(result: str, outcome: str) -> None:
    c = caller("to: [200, $number], ring: 15s, refer: yes")
    assert c.one(HandOver) == HandOver(2, ("agent/200", "number/+4930"), 15_000, refer=True)
    c.tell(DialEnded(2, result))
    assert c.one(Hangup) == Hangup(outcome, 16)


@pytest.mark.parametrize(("result", "outcome"), [("served", "transferred"), ("no_agents", "failed")])
def test_into_a_queue_with_what_the_queue_says(result: str, outcome: str) -> None:
    c = caller("queue: support", queues="support: {announce: hello, skills: [power]}\n")
    assert c.one(JoinQueue) == JoinQueue(2, "default/support", (), announce=("en/hello",))
    c.tell(QueueEnded(2, result))
    assert c.one(Hangup) == Hangup(outcome, 16)


def test_to_somebody_or_into_a_queue_not_both() -> None:
    text = PLAN.format("transfer: {to: 200, queue: support, failed: bye}") + WAYS
    assert "RD164" in [code for code, _ in codes_of(text)]

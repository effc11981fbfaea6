"""What ops are alerted to: each once, in order, and how many were lost while nobody could be told."""

from __future__ import annotations

import json

import pytest

from engine.records.events import KINDS
from engine.runtime.alerts import ALERTS, Alerts, alerts_max
from tests.runtime.fakes import event


@pytest.mark.parametrize(("kind", "topic"), ALERTS.items())
def test_every_alert_is_its_event_as_recorded(kind: str, topic: str) -> None:
    alerts = Alerts("a")
    alerts.feed(event(1, kind, "bako-0", **dict.fromkeys(KINDS[kind], "x")))
    (alert,) = alerts.waiting
    told = json.loads(alert.payload)
    assert alert.topic == f"alert/{topic}" and set(told) == {
        "event", "at_ms", "node", "tenant", "call", "lost", *KINDS[kind],
    }  # fmt: skip
    assert (told["event"], told["node"], told["call"], told["lost"]) == (kind, "a", "bako-0", 0)
    assert len(told) == 6 + len(KINDS[kind]), "no field of the event hides one of ours"


def test_while_nobody_listens_the_newest_wait_and_the_next_says_how_many_went() -> None:
    alerts = Alerts("a")
    for number in range(alerts_max + 7):
        alerts.feed(event(number, "engine.unblocked", "", source=f"{number}", kind="flood", dropped=1, by=""))
    told = [json.loads(each.payload) for each in alerts.waiting]
    assert len(told) == alerts_max and [each["lost"] for each in told[:2]] == [7, 0]
    assert told[0]["source"] == "7" and told[-1]["source"] == str(alerts_max + 6)

"""Operators see whose calls are counted, and let one dial again."""

from __future__ import annotations

import msgspec

from engine.dialplan.fraud_model import Threshold
from tests.call.calls import agent, world
from tests.call.test_fraud import dial, far_end, site


def test_counts_are_listed_and_reset_and_a_stranger_is_refused() -> None:
    w = world(site(total=Threshold(0, 1)))
    far_end(w)
    ana = agent(w, "201")
    assert dial(w, ana) and not dial(w, ana)
    (row,) = msgspec.json.decode(w.operate("fraud").data)
    assert row["caller"] == "default/201" and row["total"] == 1
    assert not w.operate("fraud.reset", caller="nobody").ok
    assert w.operate("fraud.reset", caller="default/201").ok and dial(w, ana)

"""OPTIONS to trunks and static contacts."""

from __future__ import annotations

import pytest

from engine import limits
from engine.sip.events import Path, Qualified, Refused
from tests.sip.wire import PHONE, Rig, response


@pytest.mark.parametrize("status", [200, 404, 405, 503])
def test_any_final_answer_means_there(status: int) -> None:
    rig = Rig()
    rig.endpoint.qualify("trunk/a", "sip:10.0.0.9", PHONE, rig.now)
    (options,) = rig.sent()
    assert options.method == "OPTIONS" and options.uri == "sip:10.0.0.9" and options.get("contact")
    rig.feed(response(options, 100, tag=""))
    assert rig.events() == []
    rig.now += 12
    rig.feed(response(options, status))
    assert rig.one(Qualified) == Qualified("trunk/a", True, 12, status)
    rig.advance(10_000)
    assert rig.events() == []


def test_silence_means_gone_after_its_limit() -> None:
    rig = Rig()
    rig.endpoint.qualify("trunk/a", "sip:10.0.0.9", PHONE, rig.now)
    rig.sent()
    assert [at for at, _ in rig.advance(limits.qualify_answer_ms_max)] == [500, 1_500, 3_500]
    assert rig.one(Qualified) == Qualified("trunk/a", False, -1)
    assert not rig.endpoint.core.transactions and not rig.endpoint.core.probes


def test_flow_zero_and_unusable_targets() -> None:
    rig = Rig()
    rig.endpoint.qualify("t", "sip:10.0.0.9", Path(0, "10.0.0.9", 5060), rig.now)
    assert rig.statuses(rig.sent()) == ["OPTIONS"] and rig.raw[0].path.flow == 1  # type: ignore[union-attr]
    rig.endpoint.qualify("bad", "nonsense", PHONE, rig.now)
    assert [type(event) for event in rig.events()] == [Refused, Qualified]
    rig.endpoint.qualify("name", "sip:x", Path(0, "a.name", 5060, "tcp"), rig.now)
    assert rig.one(Qualified) == Qualified("name", False, -1)

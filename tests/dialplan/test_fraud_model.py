"""Rules against fraud as data."""

from __future__ import annotations

import msgspec

from engine.dialplan.fraud_model import FraudRule, Threshold


def test_a_rule_survives_encoding_and_limits_nothing_by_itself() -> None:
    rule = FraudRule("premium", ("+4490.",), per_minute=Threshold(2, 4))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(rule), type=FraudRule) == rule
    assert rule.at_once == rule.total == rule.ms == rule.in_a_row == Threshold(0, 0)

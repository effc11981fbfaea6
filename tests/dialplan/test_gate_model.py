"""The gate of a site as data: what isn't said lets everybody in."""

from __future__ import annotations

import msgspec

from engine.dialplan.gate_model import AccessModel, GateModel
from engine.sip.access import admitted


def test_defaults_let_everybody_in_and_survive_encoding() -> None:
    plain = GateModel()
    assert admitted("203.0.113.9", plain.access.allow, plain.access.deny) and not plain.answer_scanners
    full = GateModel(AccessModel(("192.0.2.0/24",), ("192.0.2.7",)), {"udp:0.0.0.0:5060": AccessModel()}, ("::1",))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(full), type=GateModel) == full

"""What the gate is told survives the journal's encoding."""

from __future__ import annotations

import msgspec

from engine.call.edge_wall import Judged


def test_a_verdict_is_data() -> None:
    told = Judged("2001:db8::1", 5060, "bad", "201")
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(told), type=Judged) == told

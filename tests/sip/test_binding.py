"""The registrar's and probes' records are data."""

from __future__ import annotations

import msgspec
import pytest

from engine.sip.binding import Binding, Probe, Refer, Registration
from engine.sip.events import Path

PATH = Path(1, "198.51.100.7", 31_007)


@pytest.mark.parametrize(
    "record",
    [
        Binding("sip:a@b", PATH, 5, "phone", True, "urn:1", 7, "call", 3, "0.5", 12), Registration(1, 2),
        Probe(1, "t", 5, 2, 3), Refer(1, 2, 3, 4, 180, "Ringing"),
    ],
)
def test_round_trip(record: msgspec.Struct) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=type(record)) == record


def test_the_contracts_fields_come_first() -> None:
    assert Binding.__struct_fields__[:6] == ("contact", "path", "expires_at_ms", "user_agent", "reachable", "instance")

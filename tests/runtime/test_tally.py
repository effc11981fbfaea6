"""Counts beside the hot path: right by name, bounded whatever comes in."""

from __future__ import annotations

import random

import pytest

from engine.runtime import tally as room
from engine.runtime.tally import Quality, Tally, by_name
from tests.runtime.fakes import event


@pytest.mark.parametrize(("data", "name"), [
    (b"INVITE sip:100@x SIP/2.0\r\n", ("request", "INVITE")), (b"SIP/2.0 200 OK\r\n", ("response", "2xx")),
    (b"SIP/2.0 486 Busy Here\r\n", ("response", "4xx")), (b"ACK sip:x SIP/2.0", ("request", "ACK")),
    (b"SUBSCRIBE sip:x SIP/2.0", ("request", "SUBSCRIBE")), (b"SIP/2.0 999 x", ("request", "other")),
    (b"GET / HTTP/1.1", ("request", "other")), (b"", ("request", "other")), (b"\r\n\r\n", ("request", "other")),
])
def test_a_message_is_known_by_its_first_bytes(data: bytes, name: tuple[str, str]) -> None:
    tally = Tally()
    tally.message(tally.received, data)
    tally.message(tally.received, data)
    assert by_name(tally.received) == {name: 2} and tally.sent == {}


def test_garbage_takes_no_memory() -> None:
    tally, chance = Tally(), random.Random(1)
    for _ in range(5_000):
        tally.message(tally.received, chance.randbytes(12))
        tally.message(tally.received, b"SIP/2.0 " + chance.randbytes(3))
    assert len(tally.received) <= 22 and sum(by_name(tally.received).values()) == 10_000


def test_names_from_outside_are_bounded() -> None:
    tally = Tally()
    for number in range(3 * room.names_max):
        tally.feed(event(1, "call.ended", outcome=f"word {number}"))
        tally.feed(event(1, "engine.limit", name=f"limit {number}", value=1))
        quality = {"packets_in": 1, "packets_out": 1, "lost": 0, "jitter_us": 1}
        tally.feed(event(1, "call.quality", trunk=f"t{number}", **quality))
    assert len(tally.ended) == len(tally.limits) == len(tally.quality) == room.names_max + 1
    assert tally.ended[room.OTHER] == tally.quality[room.OTHER].legs == 2 * room.names_max


def test_events_are_summed() -> None:
    tally = Tally()
    tally.feed(event(1, "call.started", via="trunk", trunk="gw"))
    tally.feed(event(2, "call.started", via="public", trunk=""))
    assert tally.started == {"trunk": 1, "public": 1}
    tally.feed(event(3, "call.ended", outcome="served"))
    for lost in (0, 5):
        tally.feed(event(4, "call.quality", trunk="gw", packets_in=100, packets_out=1, lost=lost, jitter_us=700))
    tally.feed(event(5, "call.step", step="x", text=""))
    assert tally.ended == {"served": 1} and tally.trunk_started == {"gw": 1}
    assert tally.quality == {"gw": Quality(2, 200, 5, 1_400)}


def test_opinions_faults_and_round_trips_are_summed() -> None:
    tally = Tally()
    media = {"trunk": "gw", "packets_in": 100, "packets_out": 1, "lost": 0, "jitter_us": 700}
    for mos_in, mos_out, trip_us, side in ((4.0, 0.0, -1, ""), (3.0, 4.25, 40_000, "theirs"), (0.0, 0.0, 0, "theirs")):
        told = {"mos_in": mos_in, "mos_out": mos_out, "round_trip_us": trip_us, "side": side}
        tally.feed(event(1, "call.quality", **media, **told))
    found = tally.quality["gw"]
    assert (found.rated, found.opinions) == ({"from": 2, "to": 1}, {"from": 7.0, "to": 4.25})
    assert (found.trips, found.trip_us, found.poor) == (2, 40_000, {"theirs": 2})


def test_lag_falls_into_its_bucket() -> None:
    tally = Tally()
    for seconds in (0.0, 0.001, 0.0011, 0.3, 7.0):
        tally.lag(seconds)
    assert tally.lag_counts == [2, 1, 0, 0, 0, 0, 0, 0, 1, 1] and 7.3 < tally.lag_sum_s < 7.31
    assert tally.lag_max_s == 7.0 and tally.lag_mean_s() == pytest.approx(tally.lag_sum_s / 5)
    assert Tally().lag_mean_s() == 0.0


def test_lookups_and_metrics_are_counted_by_tenant_and_bounded() -> None:
    tally = Tally()
    for result in ("ok", "ok", "failed"):
        tally.feed(event(1, "call.lookup", lookup="customer", result=result, ms=3, reason=""))
    for number in range(2 * room.names_max):
        tally.feed(event(1, "call.metric", name=f"m{number}", by=3))
    assert tally.lookups == {"default/customer ok": 2, "default/customer failed": 1}
    assert tally.metrics["default/m0"] == 3 and len(tally.metrics) == room.names_max + 1


def test_emergency_calls_are_counted() -> None:
    tally = Tally()
    for kind, data in (
        ("emergency.dialled", {}), ("emergency.preempted", {}), ("emergency.ended", {"result": "answered"}),
        ("emergency.dialled", {}), ("emergency.ended", {"result": "unreachable"}),
    ):  # fmt: skip
        tally.feed(event(1, kind, **data))
    assert tally.emergency == {"dialled": 2, "preempted": 1, "answered": 1, "unreachable": 1}


def test_rules_against_fraud_are_counted_by_what_they_did() -> None:
    tally = Tally()
    for number, kind in enumerate(("fraud.warned", "fraud.stopped", "fraud.stopped")):
        tally.feed(event(number, kind, rule="premium", caller="default/201", count=3, most=2))
    assert tally.fraud == {"premium warned": 1, "premium stopped": 2}

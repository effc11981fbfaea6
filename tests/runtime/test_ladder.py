"""Kept signalling: by call, without secrets, bounded."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.records import numbers
from engine.runtime import ladder as room
from engine.runtime.ladder import Ladder, call_id_of, without_secrets
from engine.sip.events import Path
from tests.runtime.fakes import event

PATH = Path(1, "192.0.2.1", 5060)


def message(call_id: str = "abc@x", first: str = "INVITE sip:100@x SIP/2.0", extra: str = "", body: str = "") -> bytes:
    return f"{first}\r\nVia: SIP/2.0/UDP x\r\nCall-ID: {call_id}\r\n{extra}\r\n{body}".encode()


@pytest.mark.parametrize(("text", "expected"), [
    (b"X\r\nCall-ID: abc@x\r\n\r\n", "abc@x"), (b"X\r\ni:abc\r\n\r\n", "abc"),
    (b"X\r\ncall-id \t: abc \r\n\r\n", "abc"),
    (b"X\r\nVia: i: no\r\n\r\nCall-ID: body", ""), (b"", ""),
])
def test_call_ids(text: bytes, expected: str) -> None:
    assert call_id_of(text) == expected


def test_a_calls_messages_in_order() -> None:
    ladder = Ladder()
    ladder.note(1, "in", PATH, message("one"))
    ladder.name("bako-0", "one")
    ladder.note(2, "out", PATH, message("two"))
    ladder.name("bako-0", "two")
    ladder.note(3, "in", PATH, message("other"))
    ladder.note(4, "in", PATH, message("two", "SIP/2.0 200 OK"))
    hops = ladder.of_call("bako-0")
    assert [(hop.at_ms, hop.way, hop.call_id) for hop in hops] == [
        (1, "in", "one"), (2, "out", "two"), (4, "in", "two")]
    assert hops[0].far_end == "192.0.2.1:5060" and hops[0].call == "bako-0"
    assert ladder.last_call() == "bako-0" and ladder.call_of("two") == "bako-0"
    assert [hop.at_ms for hop in ladder.of_call("other")] == [3]
    assert ladder.of_call("nobody") == []


def test_registrations_and_probes_do_not_push_calls_out() -> None:
    ladder = Ladder()
    for first in ("REGISTER sip:x SIP/2.0", "OPTIONS sip:x SIP/2.0"):
        ladder.note(1, "in", PATH, message(first=first))
    ladder.note(1, "in", PATH, b"\r\n\r\n")
    ladder.note(2, "in", PATH, message())
    assert [hop.at_ms for hop in ladder.of_call("abc@x")] == [2]


@pytest.mark.parametrize(("text", "gone"), [
    (message(extra='Authorization: Digest username="200", response="deadbeef"\r\n'), "deadbeef"),
    (message(extra='Proxy-Authorization: Digest a=b,\r\n response="deadbeef"\r\nMax-Forwards: 70\r\n'), "deadbeef"),
    (message(extra='AUTHORIZATION: Digest response="deadbeef"\r\n'), "deadbeef"),
    (message(extra='WWW-Authenticate: Digest realm="r", nonce="deadbeef"\r\n'), "deadbeef"),
    (message(body="v=0\r\na=crypto:1 AES_CM_128 inline:deadbeef\r\n"), "deadbeef"),
    (message(first="INFO sip:x SIP/2.0", body="Signal=7\r\nDuration=160\r\n"), "Signal=7"),
    (message(first="INFO sip:x SIP/2.0", extra="Content-Type: application/dtmf\r\n", body="7"), "\r\n7"),
    (message(extra="Authorization: Basic deadbeef\r\n"), "deadbeef"),
    (message(extra="Authorization: Digest deadbeef\r\n"), "deadbeef"),
    (message(extra='Authentication-Info: nextnonce="deadbeef", rspauth="deadbeef"\r\n'), "deadbeef"),
    (message(body="v=0\r\na=ice-pwd:deadbeef\r\n"), "deadbeef"),
    (message(body="v=0\r\nk=clear:deadbeef\r\n"), "deadbeef"),
])
def test_no_secret_comes_out(text: bytes, gone: str) -> None:
    ladder = Ladder()
    ladder.note(1, "in", PATH, text)
    (hop,) = ladder.of_call("abc@x")
    assert gone not in hop.text and "Call-ID: abc@x" in hop.text
    assert gone not in ladder.hop(1, "in", PATH, text).text
    (kept,) = [hop for hop in ladder.scan("abc@x", raw=True) if hop]
    assert gone.encode() not in kept.data and len(kept.data) == len(text)  # a capture's lengths stay true
    if "Max-Forwards" in text.decode():
        assert "Max-Forwards: 70" in hop.text


def test_what_is_no_secret_stays_readable() -> None:
    line = 'Authorization: Digest username="200", realm="r", nonce="n1", uri="sip:x", response="beef", qop=auth\r\n'
    shown = without_secrets(message(extra=line)).decode()
    assert 'username="200", realm="r", nonce="xx", uri="sip:x", response="xxxx", qop=auth' in shown


def test_a_call_is_found_by_what_one_knows_of_it() -> None:
    ladder = Ladder()
    for number, (call, caller, agent) in enumerate((("bako-0", "5551", "201"), ("gozu-0", "5552", "201"))):
        ladder.know(event(number, "call.started", call, caller=caller, dialled="700", sip=f"id-{number}"))
        ladder.know(event(number, "call.leg", call, leg=f"agent {agent}", sip=f"leg-{number}"))
        ladder.know(event(number, "queue.connected", call, agent=f"default/{agent}"))
    ladder.know(event(7, "call.ended", "bako-0"))
    assert [call for call, _ in ladder.find("5551")] == ["bako-0"]
    assert [call for call, _ in ladder.find("201")] == ["gozu-0", "bako-0"]  # the newest first
    assert [call for call, _ in ladder.find("last")] == ["gozu-0"]
    assert [call for call, _ in ladder.find("leg-0")] == ["bako-0"]
    assert ladder.find("nobody") == [] == ladder.find("")
    assert ladder.find("bako-0")[0][1].ended_ms and not ladder.find("gozu-0")[0][1].ended_ms


def test_a_scan_begins_where_it_is_told_and_lets_others_run() -> None:
    ladder = Ladder()
    ladder.local(1, "192.0.2.9", 5060)
    for number in range(1_200):
        ladder.note(number, "in", PATH, message(f"c{number}"))
    pauses = [hop for hop in ladder.scan() if hop is None]
    assert len(pauses) == 4
    found = [hop for hop in ladder.scan(since_ms=1_190, after=1_195) if hop]
    assert [hop.n for hop in found] == [1196, 1197, 1198, 1199, 1200]
    assert found[0].here == "192.0.2.9:5060" and found[0].at_ms == 1_195 and not found[0].data


def test_messages_and_calls_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "messages_max", 50)
    monkeypatch.setattr(room, "bytes_max", 20_000)
    ladder = Ladder()
    for number in range(200):
        ladder.note(number, "in", PATH, message(f"c{number}", body="x" * 20_000 if number % 50 == 0 else ""))
    assert len(ladder._ring) <= 50 and ladder._bytes <= 20_000
    assert ladder._bytes == sum(len(entry[4]) for entry in ladder._ring)
    for number in range(room.calls_kept_max + 5):
        ladder.name(f"call-{number}", f"id-{number}")
    assert len(ladder._calls) == len(ladder._names) == room.calls_kept_max
    assert ladder.call_of("id-0") == ""


def test_a_flood_of_refused_calls_does_not_push_out_the_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "messages_max", 50)
    monkeypatch.setattr(room, "calls_messages_max", 30)
    ladder = Ladder()
    for number in range(20):
        compact = f"INVITE sip:x SIP/2.0\r\ni: c{number}\r\n\r\n".encode()
        ladder.note(number, "in", PATH, compact if number % 2 else message(f"c{number}"))
        ladder.name(f"call-{number}", f"c{number}")
    for number in range(1_000):
        ladder.note(100 + number, "in", PATH, message(f"scan-{number}"))
    assert [len(ladder.of_call(f"call-{number}")) for number in range(20)] == [1] * 20
    assert len(ladder.of_call("scan-999")) == 1 and ladder.of_call("scan-5") == []
    for number in range(20, 100):
        ladder.name(f"call-{number}", f"c{number}")
        ladder.note(2_000 + number, "in", PATH, message(f"c{number}"))
    assert len(ladder._older) == 30 and ladder._older_bytes == sum(len(entry[4]) for entry in ladder._older)
    order = [hop.n for hop in ladder.scan() if hop]
    assert order == sorted(order)


def test_a_call_of_an_engine_before_is_found_by_its_people() -> None:
    ladder = Ladder()
    ladder.recall("bako-0", 5, "5551", "700", ["default/201", ""])
    ladder.name("bako-0", "id")
    assert [call for call, _ in ladder.find("201")] == [call for call, _ in ladder.find("5551")] == ["bako-0"]


def test_one_call_can_not_own_endless_dialogs() -> None:
    ladder = Ladder()
    for number in range(room.dialogs_per_call_max + 20):
        ladder.name("bako-0", f"id-{number}")
    assert len(ladder._calls["bako-0"].dialogs) == room.dialogs_per_call_max


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.binary(max_size=300))
def test_any_bytes_are_kept_or_left_out(data: bytes) -> None:
    ladder = Ladder()
    ladder.note(1, "in", PATH, data)
    ladder.hop(1, "in", PATH, data)
    assert without_secrets(without_secrets(data)) == without_secrets(data)


def test_a_forgotten_number_takes_its_dialogs_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "scan_messages_max", 3)
    monkeypatch.setattr(room, "messages_max", 12)  # some have left the first ring already
    ladder = Ladder()
    way = Path(1, "192.0.2.7", 5060, "udp")
    for at in range(10):
        number = b"+441514960001" if at == 4 else b"+4415149600012"
        ladder.note(at, "in", way, b"INVITE sip:1@x SIP/2.0\r\nFrom: <sip:%s@y>\r\nCall-ID: %d\r\n\r\n" % (number, at))
        ladder.note(at, "out", way, b"SIP/2.0 200 OK\r\nCall-ID: %d\r\n\r\n" % at)
        ladder.name(f"call-{at}", str(at))
    steps = ladder.forget(numbers.whole("00441514960001"))
    next(steps)
    ladder.note(99, "in", way, b"BYE sip:1@x SIP/2.0\r\nCall-ID: 9\r\n\r\n")  # calls go on between the steps
    assert list(steps)[-1] == 2
    assert ladder.of_call("call-4") == [] and ladder.call_of("4") == ""
    assert [len(ladder.of_call(f"call-{at}")) for at in range(10)] == [2, 2, 2, 2, 0, 2, 2, 2, 2, 3]
    assert ladder.last_call() == "call-9" and list(ladder.forget(numbers.whole("+999999")))[-1] == 0

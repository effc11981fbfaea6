"""INFO digits both ways, OPTIONS in and out of dialogs."""

from __future__ import annotations

import pytest

from engine.sip.events import Ended, InfoDigit, Probed
from engine.sip.session_info import read_digit
from tests.sip.wire import Rig, request, response


def info(tag: str, body: bytes, kind: str = "application/dtmf-relay", cseq: int = 2) -> bytes:
    return request("INFO", branch=f"z9hG4bKi{cseq}", to_tag=tag, cseq=cseq, body=body, content_type=kind)


@pytest.mark.parametrize(
    ("body", "digit"),
    [
        (b"Signal=5\r\nDuration=250\r\n", ("5", 250)), (b"Signal= *\nDuration= 100", ("*", 100)),
        (b"signal=11\r\n", ("#", 160)),
        (b"7", ("7", 160)), (b" 12\r\n", ("A", 160)), (b"Signal=d", ("D", 160)), (b"Signal=16", ("", 160)),
        (b"Duration=99999999", ("", 160)), (b"Signal=1\r\nDuration=1", ("1", 40)),
        (b"Signal=1\r\nDuration=99999", ("1", 5_000)),
        (b"", ("", 160)), (b"\xff\xfe", ("", 160)), ("Signal=1\r\nDuration=²".encode(), ("1", 160)),
    ],
)
def test_bodies_of_all_kinds(body: bytes, digit: tuple[str, int]) -> None:
    assert read_digit(body) == digit


def test_a_digit_is_raised_once() -> None:
    rig = Rig()
    session, tag = rig.established()
    message = info(tag, b"Signal=5\r\nDuration=250\r\n")
    assert rig.statuses(rig.feed(message)) == [200]
    assert rig.one(InfoDigit) == InfoDigit(session, "5", 250)
    assert rig.statuses(rig.feed(message)) == [200] and rig.events() == []


def test_other_bodies() -> None:
    rig = Rig()
    _, tag = rig.established()
    assert rig.statuses(rig.feed(info(tag, b"", cseq=2))) == [200], "a keep-alive"
    (refusal,) = rig.feed(info(tag, b"<x/>", "application/media_control+xml", 3))
    assert refusal.status == 415 and "dtmf-relay" in (refusal.get("accept") or "")
    assert rig.statuses(rig.feed(info(tag, b"Signal=flash", cseq=4))) == [400]
    assert rig.events() == []


def test_our_digit() -> None:
    rig = Rig()
    session, _ = rig.established()
    rig.endpoint.info_digit(session, "#", 120, rig.now)
    (message,) = rig.sent()
    assert message.body == b"Signal=#\r\nDuration=120\r\n" and message.content_type == "application/dtmf-relay"
    rig.feed(response(message, 415))
    assert rig.events() == [], "a phone may refuse digits"
    rig.endpoint.info_digit(session, "x", 120, rig.now)
    rig.endpoint.info_digit(99, "1", 120, rig.now)
    assert rig.sent() == []


@pytest.mark.parametrize(("status", "after"), [(481, []), (408, ["BYE"])])
def test_a_digit_finds_the_far_end_gone(status: int, after: list[str]) -> None:
    rig = Rig()
    session, _ = rig.established()
    rig.endpoint.info_digit(session, "1", 120, rig.now)
    (message,) = rig.sent()
    assert rig.statuses(rig.feed(response(message, status))) == after
    assert rig.one(Ended) == Ended(session, "probe", "Phrase")


def test_an_unanswered_digit_too() -> None:
    rig = Rig()
    session, _ = rig.established()
    rig.endpoint.info_digit(session, "1", 120, rig.now)
    rig.advance(32_000)
    assert rig.one(Ended).session == session


@pytest.mark.parametrize(("status", "alive"), [(200, True), (405, True), (501, True), (481, False), (408, False)])
def test_probes(status: int, alive: bool) -> None:
    rig = Rig()
    session, _ = rig.established()
    rig.endpoint.probe(session, rig.now)
    (options,) = rig.sent()
    assert options.method == "OPTIONS" and options.to.tag == "f1"
    rig.feed(response(options, status))
    events = rig.events()
    assert events[0] == Probed(session, alive)
    assert [type(event) for event in events[1:]] == ([] if alive else [Ended])


def test_a_probe_of_nothing_says_nothing() -> None:
    rig = Rig()
    session, _ = rig.incoming()
    rig.endpoint.probe(session, rig.now)
    rig.endpoint.probe(99, rig.now)
    assert rig.sent() == [] and rig.events() == []


def test_options_are_answered_in_and_out_of_dialogs() -> None:
    rig = Rig()
    _, tag = rig.established()
    (outside,) = rig.feed(request("OPTIONS", branch="z9hG4bKo1", call_id="o", hops=0))
    assert outside.status == 200 and outside.get("allow") and outside.get("accept") and outside.get("supported")
    (inside,) = rig.feed(request("OPTIONS", branch="z9hG4bKo2", to_tag=tag, cseq=2))
    assert inside.status == 200 and inside.to.tag == tag
    assert rig.statuses(rig.feed(request("OPTIONS", branch="z9hG4bKo3", to_tag="gone"))) == [481]
    assert rig.events() == []

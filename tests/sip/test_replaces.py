"""Replaces: read, refused, found by both tags, written into a Refer-To."""

from __future__ import annotations

import pytest

from engine.errors import ProtocolError
from engine.sip import replaces
from engine.sip.events import Found, Incoming, Replaces
from engine.sip.headers import parse_name_addr
from tests.sip.pair import Pair, answering
from tests.sip.wire import OURS, SDP, Rig, request, response


def test_reading() -> None:
    assert replaces.read("a@b;to-tag=7;from-tag=8") == Replaces("a@b", "7", "8")
    assert replaces.read(" a ; from-tag=8 ;early-only; to-tag=7;x=y") == Replaces("a", "7", "8", True)


@pytest.mark.parametrize("text", ["", "a", "a;to-tag=1", "a;from-tag=1", "a;to-tag=;from-tag=1", ";to-tag=1;from-tag=2",
                                  "a b;to-tag=1;from-tag=2", 'a;to-tag="1";from-tag=2'])  # fmt: skip
def test_what_is_none(text: str) -> None:
    with pytest.raises(ProtocolError):
        replaces.read(text)


def test_the_event_carries_it_and_two_are_refused() -> None:
    rig = Rig()
    rig.feed(request("INVITE", body=SDP, extra=("Replaces: a;to-tag=1;from-tag=2",)))
    assert rig.one(Incoming).replaces == Replaces("a", "1", "2")
    two = ("Replaces: a;to-tag=1;from-tag=2", "Replaces: b;to-tag=1;from-tag=2")
    refused = rig.feed(request("INVITE", branch="z9hG4bK2", call_id="2", body=SDP, extra=two))
    assert rig.statuses(refused) == [400] and len(rig.endpoint.core.sessions) == 1


def test_found_by_our_tag_and_theirs_in_every_phase() -> None:
    rig = Rig()
    session, _ = rig.incoming()
    rig.endpoint.ring(session, 180, rig.now)
    tag = rig.sent()[0].to.tag
    assert rig.endpoint.dialog(Replaces("call1", tag, "f1")) == Found(session, "theirs")
    rig.endpoint.answer(session, OURS, rig.now)
    assert rig.endpoint.dialog(Replaces("call1", tag, "f1")) == Found(session, "up")
    for wrong in (Replaces("call1", "f1", tag), Replaces("call1", tag, "x"), Replaces("call2", tag, "f1")):
        assert rig.endpoint.dialog(wrong) is None
    rig.feed(request("ACK", branch="z9hG4bKa", to_tag=tag))
    rig.endpoint.hang_up(session, rig.now)
    assert rig.endpoint.dialog(Replaces("call1", tag, "f1")) == Found(session, "over")


def test_while_we_ring_any_tag_that_has_rung_will_do() -> None:
    rig = Rig()
    session, invite = rig.placed(0)
    what = Replaces(invite.call_id, invite.from_.tag, "t2")
    assert rig.endpoint.dialog(what) is None
    rig.feed(response(invite, 180, tag="t1"))
    rig.feed(response(invite, 180, tag="t2"))
    assert rig.endpoint.dialog(what) == Found(session, "ringing")
    rig.feed(response(invite, 200, tag="t1", body=SDP))
    assert rig.endpoint.dialog(what) is None, "the other fork is gone"


def test_what_we_write_the_far_end_finds() -> None:
    pair = Pair()
    pair.b.script = answering()
    session = pair.call()
    pair.run(500)
    text = replaces.refer_to("sip:100@10.0.0.2?x=y", pair.a.endpoint.core.sessions[session])
    parts = parse_name_addr(text).parts
    assert parts is not None and str(parts).startswith("sip:100@10.0.0.2?")
    found = pair.b.endpoint.dialog(replaces.read(parts.headers["replaces"]))
    assert found is not None and found.state == "up"

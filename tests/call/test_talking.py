"""Answering, early media and tones, offerless INVITEs, re-INVITEs, and what follows a hang-up."""

from __future__ import annotations

import msgspec
import pytest

from engine.call.effects import Received
from engine.sdp.negotiation import make_offer
from engine.sim.phone import Habit, Phone
from engine.sim.world import World
from engine.sip.events import Path
from tests.call.calls import SITE, agent, changed, over, ring, said, talk, told, up, wire, world

CARRIER = "192.0.2.1"


def carrier(w: World, **habit: object) -> Phone:
    phone = w.phone("carrier", host=CARRIER, password="")
    phone.habit = Habit(**habit)  # type: ignore[arg-type]
    return phone


@pytest.mark.parametrize(("country", "tone"), [("gb", "tone/ringback.gb"), ("cn", "tone/ringback.cn")])
def test_an_answered_caller_hears_his_countrys_ringback(country: str, tone: str) -> None:
    w = world(changed(SITE, "carrier", country=country))
    agent(w, "201", answer_ms=-1)
    agent(w, "202", answer_ms=-1)
    caller = ring(w, "720", phone=w.phone("44", host="192.0.2.4", password=""))
    w.run(500)
    assert w.hears(caller) == tone


def test_a_stranger_hears_the_tenants_ringback_and_a_dialplan_may_play_music_instead() -> None:
    w = world()
    agent(w, "201", answer_ms=-1)
    one, two = ring(w, "720"), ring(w, "722", "5550002")
    w.run(500)
    assert w.hears(one) == "tone/ringback.gb" and w.hears(two) == "music/default"


def test_early_media_is_heard_before_the_answer_by_an_answered_caller() -> None:
    w = world()
    line = carrier(w, answer_ms=2_000, early=True)
    agent(w, "201", answer_ms=100, status=486)
    caller = ring(w, "721")
    w.run(1_500)
    assert line.sessions and w.hears(caller).startswith("row") and not w.kinds("call.bridged")
    w.run(1_500)
    assert line.up() and w.hears(line).startswith("row")


def test_early_media_reaches_an_unanswered_caller_by_183() -> None:
    w = world()
    carrier(w, answer_ms=2_000, early=True)
    ana = agent(w, "201")
    ring(w, "9555", phone=ana)
    w.run(1_000)
    assert (told(ana), ana.up()) == ("progress 183", []) and w.hears(ana).startswith("row")
    w.run(2_000)
    assert ana.up()


def test_without_early_media_an_unanswered_caller_gets_180() -> None:
    w = world()
    agent(w, "202", answer_ms=-1)
    ana = agent(w, "201")
    ring(w, "202", phone=ana)
    w.run(500)
    assert told(ana) == "progress 180" and w.hears(ana) == "nothing"


def test_after_lost_early_media_the_caller_hears_ringback_again() -> None:
    w = world()
    ana = agent(w, "201", answer_ms=700, status=500, early=True)
    line = carrier(w, answer_ms=-1)
    caller = ring(w, "721")
    w.run(500)
    assert w.hears(caller).startswith("row")
    w.run(700)
    assert not ana.sessions and line.sessions and w.hears(caller) == "tone/ringback.gb"


def test_an_offerless_invite_is_answered_when_the_ack_brings_the_answer() -> None:
    w = world(law9=True)
    caller = ring(w, "9196", offer=False)
    w.run(500)
    assert caller.up() and w.hears(caller) == "echo" and w.row(caller).far == (caller.host, 40_000)
    caller.hang_up(w.now_ms)
    over(w)


def test_an_offerless_invite_whose_ack_brings_nothing_is_hung_up() -> None:
    w = world()
    caller = w.phone("5551234", password="")
    caller.call("9196", w.now_ms, offer=False)
    caller.offerless.clear()  # it never answers our offer
    w.run(40_000)
    assert not caller.up() and w.last("call.ended").data["outcome"] != "served"
    over(w)


def test_sdp_that_cannot_be_served_is_488_with_a_reason() -> None:
    w = world()
    caller = w.phone("5551234", password="")
    session = caller.call("9196", w.now_ms)
    caller.hang_up(w.now_ms)
    bad = (
        b"v=0\r\no=- 1 1 IN IP4 10.0.1.10\r\ns=-\r\nc=IN IP4 10.0.1.10\r\nt=0 0\r\n"
        b"m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n"
    )
    session = caller.endpoint.invite(
        "sip:9196@10.0.0.1", Path(1, "10.0.0.1", 5060), w.now_ms, caller=("", "555", ""), sdp=bad
    )
    caller.sessions[session] = "calling"
    w.run(500)
    assert "rejected 488" in [text for _, text in caller.log] and wire(w, "SIP/2.0 488", "cause=88")
    over(w)


def dialog_request(phone: Phone, w: World, method: str, cseq: int, body: bytes = b"") -> bytes:
    """A request in the phone's one dialog, written by hand."""
    session = phone.endpoint.core.sessions[up(phone)]
    dialog = session.dialog
    kind = "Content-Type: application/sdp\r\n" if body else ""
    return (
        f"{method} {dialog.target} SIP/2.0\r\nVia: SIP/2.0/UDP {phone.host}:5060;branch=z9hG4bK{method}{cseq}\r\n"
        f"Max-Forwards: 70\r\nFrom: {dialog.local}\r\nTo: {dialog.remote}\r\nCall-ID: {dialog.call_id}\r\n"
        f"CSeq: {cseq} {method}\r\nContact: <sip:{phone.user}@{phone.host}:5060>\r\n{kind}"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


@pytest.mark.parametrize("answered", [True, False])
def test_an_offerless_reinvite_gets_our_offer_and_the_ack_may_bring_an_answer(answered: bool) -> None:
    w = world()
    caller, desk = talk(w)
    path = Path(1, caller.host, 5060)
    w.give(Received(path, dialog_request(caller, w, "INVITE", 2_000_000)))
    assert wire(w, "SIP/2.0 200", "CSeq: 2000000 INVITE", "m=audio")
    caller.media_host = "10.0.7.7"
    from engine.sdp.negotiation import make_offer

    body = make_offer(caller.local()) if answered else b""
    w.give(Received(path, dialog_request(caller, w, "ACK", 2_000_000, body)))
    w.run(300)
    assert caller.up() and desk.up()
    assert any(row.far[0] == "10.0.7.7" for row in w.media.rows.values()) is answered


def test_a_changed_address_is_followed() -> None:
    w = world()
    caller, desk = talk(w)
    caller.media_host = "10.0.8.8"
    caller.hold(up(caller), w.now_ms, direction="sendrecv")
    w.run(300)
    assert w.row(caller).far[0] == "10.0.8.8" and w.hears(desk).startswith("row")


def test_a_reinvite_that_cannot_be_served_leaves_the_conversation_as_it_was() -> None:
    w = world()
    caller, desk = talk(w)
    bad = caller.local()
    bad.codecs = (8,)
    offer = b"v=0\r\no=- 1 9 IN IP4 10.0.1.10\r\ns=-\r\nc=IN IP4 10.0.1.10\r\nt=0 0\r\nm=video 4000 RTP/AVP 96\r\n"
    caller.endpoint.offer(up(caller), offer, w.now_ms)
    w.run(500)
    assert told(caller) == "offer refused 488" and w.hears(caller).startswith("row") and desk.up()


def test_the_agent_who_hangs_up_first_lets_the_dialplan_go_on() -> None:
    w = world()
    caller, desk = talk(w, "711")
    desk.hang_up(w.now_ms)
    w.run(200)
    assert w.hears(caller) == "en/thank_you"
    ended = over(w)
    assert (ended.data["by"], ended.data["outcome"]) == ("dialplan", "served")


def test_the_far_end_of_a_direct_call_that_hangs_up_ends_it() -> None:
    w = world()
    ana, ben = agent(w, "201"), agent(w, "202")
    ring(w, "202", phone=ana)
    assert w.run_until(lambda: bool(ana.up()), 3_000)
    ben.hang_up(w.now_ms)
    w.run(200)
    assert not ana.up() and over(w).data["by"] == "agent"


def test_nobody_free_to_open_media_is_503_and_a_limit_event() -> None:
    w = world()
    w._more_ports = lambda: None  # type: ignore[method-assign]
    w.switch.room.rows.ready.clear()
    caller = ring(w, "9196")
    w.run(300)
    assert told(caller) == "rejected 503" and w.last("engine.limit").data["name"] == "rtp_port_last"
    assert wire(w, "SIP/2.0 503", "etry-")
    over(w)


def test_hold_told_in_the_ack_of_an_offerless_reinvite_is_hold() -> None:
    from engine.sdp.negotiation import make_offer

    w = world()
    caller, desk = talk(w)
    path = Path(1, caller.host, 5060)
    w.give(Received(path, dialog_request(caller, w, "INVITE", 2_000_000)))
    w.give(Received(path, dialog_request(caller, w, "ACK", 2_000_000, make_offer(caller.local("sendonly")))))
    w.run(300)
    assert w.hears(desk) == "music/default" and w.last("call.held").data["held"] is True


# --- 100rel and causes -----------------------------------------------------------------------------------------
REQUIRED = (("Require", "100rel"),)


def test_an_unanswered_caller_who_requires_it_is_told_by_prack() -> None:
    w = world()
    carrier(w, answer_ms=2_000, early=True)
    ana = agent(w, "201")
    ana.headers = REQUIRED
    ring(w, "9555", phone=ana)
    w.run(1_000)
    assert told(ana) == "progress 183" and w.hears(ana).startswith("row")
    assert wire(w, "SIP/2.0 183", "Require: 100rel", "RSeq: ") and wire(w, "SIP/2.0 200 OK", "PRACK")
    w.run(2_000)
    assert ana.up() and w.hears(ana).startswith("row")
    (ok,) = {text.partition("\r\n\r\n")[2] for text in wire(w, "SIP/2.0 200 OK", "INVITE") if "201" in text}
    assert ok == "", "the early answer stands"
    ana.hang_up(w.now_ms)
    over(w)


def test_and_without_an_offer_of_his_ours_comes_with_the_ringing() -> None:
    w = world()
    ben = agent(w, "202", answer_ms=1_500)
    ana = agent(w, "201")
    ana.headers = REQUIRED
    session = ring(w, "202", phone=ana, offer=False) and next(iter(ana.sessions))
    w.run(300)
    assert wire(w, "SIP/2.0 180", "RSeq: ", "m=audio") and not ana.up()
    ana.endpoint.accept_offer(session, make_offer(ana.local()), w.now_ms)
    assert w.run_until(lambda: bool(ana.up()) and bool(ben.up()), 5_000)
    w.run(300)
    assert w.hears(ana).startswith("row") and w.hears(ben).startswith("row")
    ben.hang_up(w.now_ms)
    over(w)


@pytest.mark.parametrize("asked", [True, False])
def test_a_trunk_may_ask_for_it(asked: bool) -> None:
    w = world(changed(SITE, "gateway", reliable=asked))
    carrier(w, answer_ms=2_000, early=True)
    caller = ring(w, "723", phone=w.phone("44", host="198.51.100.7", password=""))
    w.run(1_000)
    assert told(caller) == "progress 183" and bool(wire(w, "SIP/2.0 183", "RSeq: ")) == asked
    caller.hang_up(w.now_ms)
    over(w)


def test_causes_are_kept_and_passed_on() -> None:
    w = world()
    line = carrier(w, answer_ms=100, status=404)
    ana = agent(w, "201")
    ring(w, "9555", phone=ana)
    w.run(1_000)
    assert told(ana) == "rejected 404" and w.last("dial.ended").data["cause"] == 1
    assert wire(w, "SIP/2.0 404", "Reason: Q.850;cause=1")
    assert w.last("call.ended").data["cause"] == 1
    line.habit = msgspec.structs.replace(line.habit, status=200)
    session = ana.call("9555", w.now_ms)
    assert w.run_until(lambda: session in ana.up(), 5_000)
    w.run(200)
    ana.endpoint.hang_up(session, w.now_ms, cause=31)
    w.run(300)
    assert "Reason: Q.850;cause=31" in said(line, "BYE")[0]
    assert over(w).data["cause"] == 31


def test_a_caller_who_gives_up_says_so_onward() -> None:
    w = world()
    ben = agent(w, "202", answer_ms=-1)
    ana = agent(w, "201")
    ring(w, "202", phone=ana)
    w.run(500)
    ana.hang_up(w.now_ms)
    w.run(300)
    assert "Reason: Q.850;cause=16" in said(ben, "CANCEL")[0]
    over(w)

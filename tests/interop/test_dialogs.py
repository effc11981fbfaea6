"""Exchanges that depend on the moment, by a scripted phone: races, glare, what is lost, what never comes."""

from __future__ import annotations

import time

import pytest
from harness.children import until
from harness.desks import desk
from harness.phone import FINAL, Phone
from harness.rtp import Ear
from harness.server import Engine

from tools.load import wire


def test_the_dialog_of_a_plain_call(engine: Engine, caller: Phone) -> None:
    dialog = caller.call("9196", media=40_000)
    assert dialog.final is not None
    assert wire.tag_of(dialog.final.get("to")) and dialog.final.get("contact") and dialog.final.get("allow")
    assert dialog.media.codecs[0] in (0, 8) and dialog.media.port and dialog.media.event == 101
    assert dialog.bye().status == 200
    dialog.request("BYE")
    assert dialog.expect(*FINAL, method="BYE").status == 481


def test_trying_comes_at_once_and_a_repeated_invite_gets_the_same_answer(engine: Engine, caller: Phone) -> None:
    dialog = caller.invite("9100")
    dialog.expect(200)
    caller.send(caller.sent[-1])
    again = dialog.expect(200)
    assert wire.tag_of(again.get("to")) == wire.tag_of(dialog.remote)
    dialog.ack()
    dialog.bye()


def test_an_answered_invite_is_repeated_until_the_ack(engine: Engine, caller: Phone) -> None:
    """RFC 3261 §13.3.1.4: 0.5 s, 1 s, 2 s …; an ACK stops it."""
    dialog = caller.invite("9100")
    dialog.expect(200)
    began = time.monotonic()
    dialog.expect(200, within=1.5)
    assert 0.3 < time.monotonic() - began < 1.0
    dialog.expect(200, within=2.5)
    dialog.ack()
    assert not [m for m in caller.drain(2.5) if m.status == 200]
    dialog.bye()


@pytest.mark.slow
def test_a_lost_ack_ends_in_bye(engine: Engine, caller: Phone) -> None:
    dialog = caller.invite("9100")
    dialog.expect(200)
    began = time.monotonic()
    bye = dialog.expect("BYE", within=40)
    assert 28 < time.monotonic() - began < 36
    dialog.reply(bye, 200, "OK")
    repeats = [m for m in caller.backlog if m.status == 200]
    assert 6 <= len(repeats) <= 12


def test_cancel_racing_the_answer(engine: Engine, caller: Phone) -> None:
    """9100 answers at once: the CANCEL meets a 200 already sent, or wins; both ends must agree."""
    for _ in range(10):
        dialog = caller.invite("9100")
        dialog.cancel()
        final = dialog.expect(*FINAL)
        assert final.status in (200, 487), final.start
        cancelled = dialog.expect(*FINAL, method="CANCEL")
        assert cancelled.status in (200, 481)
        dialog.ack()
        if final.status == 200:
            assert dialog.bye().status == 200
    engine.wait_idle()


def test_cancel_of_nothing(engine: Engine, caller: Phone) -> None:
    caller.request("CANCEL", caller.uri("100"))
    assert caller.expect(*FINAL, method="CANCEL").status == 481


def test_glare(engine: Engine, caller: Phone) -> None:
    """A second INVITE while our first re-INVITE is open: 491 or 500 with Retry-After (§14.2), and the call goes on."""
    with Ear() as ear:
        dialog = caller.call("9664", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        sdp = wire.offer("127.0.0.1", ear.port, version=2)
        head = [caller.contact(), ("Content-Type", "application/sdp")]
        dialog.request("INVITE", headers=head, body="")
        first = dialog.expect(200)
        dialog.request("INVITE", headers=head, body=sdp)  # before the ACK with our answer
        second = dialog.expect(*FINAL)
        while second.get("cseq") == first.get("cseq"):
            second = dialog.expect(*FINAL)
        assert second.status in (491, 500), second.start
        if second.status == 500:
            assert second.get("retry-after")
        dialog.ack()
        dialog.final = first
        dialog.ack(sdp=wire.offer("127.0.0.1", ear.port, codecs=(0,), version=3))
        until(lambda: ear.count(since=time.monotonic() - 0.2) > 5, 3, what="music after the glare")
        assert dialog.bye().status == 200


def test_our_reinvite_meets_theirs(engine: Engine, caller: Phone) -> None:
    """Both sides re-INVITE at once while an agent holds: 491 each way, then the calls still work."""
    with desk(engine, "204") as agent, engine.phone("202") as other:
        dialog = other.place("204")
        there = agent.wait_call()
        there.answer()
        dialog.expect(200)
        dialog.ack()
        hold = wire.offer("127.0.0.1", 9, direction="sendonly", version=2, codecs=(0,))
        for side in (dialog, there):
            side.request("INVITE", headers=[side.phone.contact(), ("Content-Type", "application/sdp")], body=hold)
        for side in (dialog, there):
            final = side.expect(*FINAL)
            assert final.status in (200, 491), final.start
            side.ack()
        dialog.bye()
        there.expect_bye()


def test_hold_by_each_way_and_back(engine: Engine, caller: Phone) -> None:
    with Ear() as ear:
        dialog = caller.call("9664", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        until(lambda: ear.count() > 10, 3, what="music")
        ways = ({"direction": "inactive"}, {"direction": "sendonly"}, {"connection": "0.0.0.0"})
        for version, way in enumerate(ways):
            held = wire.offer("127.0.0.1", ear.port, version=2 * version + 2, **way)  # type: ignore[arg-type]
            reply = dialog.offer(held)
            assert reply.status == 200
            answer = wire.Media(reply.body)
            allowed = ("inactive",) if way.get("direction") == "inactive" else ("inactive", "recvonly")
            assert answer.direction in allowed
            time.sleep(0.3)
            assert ear.count(since=time.monotonic() - 0.2) == 0, f"music while on hold by {way}"
            assert dialog.offer(wire.offer("127.0.0.1", ear.port, version=2 * version + 3)).status == 200
            until(lambda: ear.count(since=time.monotonic() - 0.2) > 5, 3, what="music after hold")
        assert ear.timeline_faults() == []
        dialog.bye()


def test_media_moves_to_another_port(engine: Engine, caller: Phone) -> None:
    with Ear() as first, Ear() as second:
        dialog = caller.call("9664", media=first.port)
        first.start(dialog.media.host, dialog.media.port)
        until(lambda: first.count() > 5, 3)
        first.muted = True
        reply = dialog.offer(wire.offer("127.0.0.1", second.port, version=2))
        second.start(wire.Media(reply.body).host, wire.Media(reply.body).port)
        until(lambda: second.count() > 5, 3, what="music at the new port")
        time.sleep(0.3)
        assert first.count(since=time.monotonic() - 0.2) == 0
        assert {p.ssrc for p in first.packets} == {p.ssrc for p in second.packets}, "one SSRC per leg for life"
        dialog.bye()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 3 97\r\n", 488),
        ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 4000 RTP/AVP 96\r\n", 488),
        ("this is not SDP\r\n", 400),
    ],
)
def test_sdp_that_cannot_be_served(engine: Engine, caller: Phone, body: str, status: int) -> None:
    dialog = caller.invite("9100", sdp=body)
    final = dialog.expect(*FINAL)
    assert final.status in (status, 488), final.start
    dialog.ack()


def test_video_and_fax_lines_are_refused_by_port_zero(engine: Engine, caller: Phone) -> None:
    more = "m=video 5000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\nm=image 5002 udptl t38\r\n"
    dialog = caller.call("9100", sdp=wire.offer("127.0.0.1", 40_000) + more)
    lines = dialog.media.lines
    assert [line.split()[0] for line in lines] == ["audio", "video", "image"]
    assert [line.split()[1] == "0" for line in lines] == [False, True, True]
    dialog.bye()


def test_session_timer_is_agreed_and_a_too_small_one_refused(engine: Engine, caller: Phone) -> None:
    small = caller.invite("9100", headers=[("Supported", "timer"), ("Session-Expires", "30")])
    refused = small.expect(*FINAL)
    assert refused.status == 422 and int(refused.get("min-se")) >= 90
    small.ack()
    headers = [("Supported", "timer"), ("Session-Expires", "90;refresher=uac")]
    dialog = caller.invite("9100", headers=headers)
    agreed = dialog.expect(200).get("session-expires")
    dialog.ack()
    assert agreed.startswith("90") and "refresher=uac" in agreed
    head = [caller.contact(), ("Content-Type", "application/sdp"), *headers]
    dialog.request("INVITE", headers=head, body=wire.offer("127.0.0.1", 9))
    assert dialog.expect(200).get("session-expires").startswith("90")
    dialog.ack()
    dialog.bye()


@pytest.mark.slow
def test_a_lost_bye_is_found_by_the_session_timer(engine: Engine, caller: Phone) -> None:
    """The refresher (we) never refreshes: the engine ends the call before 90 s are over, RTP flowing all the while."""
    with Ear() as ear:
        headers = [("Supported", "timer"), ("Session-Expires", "90;refresher=uac")]
        dialog = caller.call("9664", media=ear.port, headers=headers)
        ear.start(dialog.media.host, dialog.media.port)
        began = time.monotonic()
        dialog.expect("BYE", within=95)
        assert 55 < time.monotonic() - began <= 91
        engine.wait_idle()


def test_a_bye_for_a_dialog_with_another_tag_is_not_ours(engine: Engine, caller: Phone) -> None:
    dialog = caller.call("9664")
    right = dialog.remote
    dialog.remote = right.rpartition("tag=")[0] + "tag=wrong"
    dialog.request("BYE")
    assert dialog.expect(*FINAL, method="BYE").status == 481
    dialog.remote = right
    assert dialog.bye().status == 200


def test_tcp_call(engine: Engine) -> None:
    with engine.phone("stranger", secret=False, transport="tcp") as phone:
        dialog = phone.call("9100")
        assert "transport=tcp" in dialog.final.get("contact").lower()  # type: ignore[union-attr]
        assert dialog.bye().status == 200


def test_a_tcp_caller_whose_connection_breaks_can_still_hang_up(engine: Engine) -> None:
    with engine.phone("stranger", secret=False, transport="tcp") as phone:
        dialog = phone.call("9100")
        phone.close()
        with engine.phone("stranger", secret=False, transport="tcp") as again:
            dialog.phone = again
            assert dialog.bye().status == 200


@pytest.mark.parametrize(
    "method", ["MESSAGE", "SUBSCRIBE", "PUBLISH", "UPDATE", "PRACK", "REFER", "NOTIFY", "FROBNICATE"]
)
def test_methods_outside_dialogs_get_a_final_answer(engine: Engine, caller: Phone, method: str) -> None:
    headers = [caller.contact(), ("Event", "presence")]
    caller.request(method, caller.uri("100"), headers=headers)
    assert caller.expect(*FINAL, method=method).status in (405, 489, 481, 501, 403)


def test_required_extension_that_we_lack(engine: Engine, caller: Phone) -> None:
    dialog = caller.invite("9100", headers=[("Require", "sec-agree, nonsense")])
    final = dialog.expect(*FINAL)
    assert final.status == 420 and "nonsense" in final.get("unsupported")
    dialog.ack()

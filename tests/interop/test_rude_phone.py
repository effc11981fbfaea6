"""pyVoIP 1.6.8, a phone with manners of its own (models.md §6): what we forgive, and what we must merely survive.

Forgiven: an ACK for our 2xx with an invented To-tag (matched by Call-ID and CSeq while we wait for it), a BYE that
carries our own Via. Survived: an answer after CANCEL, a reused Call-ID, short RTP packets, a deaf leg.
"""

from __future__ import annotations

import time
from pathlib import Path

import listening
from harness.phone import FINAL, Phone
from harness.rtp import Ear
from harness.rude import RudePhone
from harness.server import Engine

from tools.load import wire


def test_it_serves_as_an_agent(engine: Engine, caller: Phone, tmp_path: Path) -> None:
    """Registers, is offered the call, answers, is heard, reads a digit, is hung up."""
    with RudePhone(tmp_path, engine.address, "205", engine.passwords()["205"]) as rude, Ear() as ear:
        rude.saw("^registered")
        engine.login("205")
        engine.wait_agent("205", "ready")
        dialog = caller.call("700", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        rude.saw("^answered", 8)
        engine.wait_agent("205", "talking", seconds=8)
        time.sleep(3)
        assert listening.has_tone(ear.heard(since=time.monotonic() - 1.5), 700) > 0.5
        ear.press("7")
        rude.saw("^digit 7")
        dialog.bye()
        rude.saw("^ended")
        engine.wait_idle()
        engine.logout("205")


def test_its_own_hang_up_with_our_via_ends_the_call(engine: Engine, caller: Phone, tmp_path: Path) -> None:
    with RudePhone(tmp_path, engine.address, "205", engine.passwords()["205"]) as rude, Ear() as ear:
        rude.saw("^registered")
        engine.login("205")
        dialog = caller.call("700", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        rude.saw("^answered", 8)
        engine.wait_agent("205", "talking", seconds=8)
        time.sleep(1)
        rude.tell("hangup")
        dialog.expect_bye(within=20)  # the dialplan goes on (thank you, goodbye) and ends
        engine.wait_idle()
        engine.logout("205")


def test_a_ghost_answer_after_cancel_gets_ack_and_bye(engine: Engine, caller: Phone, tmp_path: Path) -> None:
    with RudePhone(tmp_path, engine.address, "205", engine.passwords()["205"]) as rude, Ear() as ear:
        rude.saw("^registered")
        engine.login("205")
        dialog = caller.call("700", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        rude.saw("^ringing", 8)
        dialog.bye()  # before pyVoIP's second is over
        time.sleep(2)
        engine.wait_idle()
        engine.wait_agent("205", "ready", "wrap_up", "resting")
        engine.logout("205")


def test_an_ack_with_an_invented_tag_is_forgiven(engine: Engine, caller: Phone) -> None:
    """As pyVoIP sends it: wrong To-tag, wrong Request-URI, the INVITE's branch. The call must not die after 32 s."""
    dialog = caller.invite("9100")
    dialog.expect(200)
    right, branch = dialog.remote, next(p for p in dialog.invite.get("via").split(";") if p.startswith("branch="))[7:]
    dialog.remote = right.rpartition("tag=")[0] + "tag=" + wire.fresh(4)
    dialog.request("ACK", cseq=1, branch=branch, target="sip:9100@127.0.0.1")
    dialog.remote = right
    assert not [m for m in caller.drain(2.5) if m.status == 200], "the 200 is still repeated"
    assert dialog.bye().status == 200


def test_a_call_id_used_again_is_a_new_call(engine: Engine) -> None:
    """pyVoIP counts its Call-IDs from the same start in every process."""
    for _ in range(2):
        with engine.phone("rude", secret=False) as phone:
            dialog = phone.invite("9100", call_id="6b86b273ff34fce19d6b804eff5a3f57@127.0.0.1")
            dialog.expect(200)
            dialog.ack()
            assert dialog.bye().status == 200


def test_short_packets_and_flash_events_do_no_harm(engine: Engine, caller: Phone) -> None:
    with Ear() as ear:
        dialog = caller.call("9196", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        time.sleep(0.3)
        head = b"\x80\x00\x12\x34\x00\x00\x10\x00\x00\x00\x12\x34"
        for packet in (b"", b"\x80", head[:11], head, head + b"\xff", b"\x80\x65" + head[2:] + bytes((16, 10, 0, 160))):
            ear.raw(packet)
        said = listening.chirps(41, 1.5)
        ear.play(said)
        time.sleep(2)
        assert listening.align(said, ear.heard()).score > 0.9
        dialog.bye()


def test_it_calls_in_unchallenged(engine: Engine, tmp_path: Path) -> None:
    """Its INVITE must not need a second try (it would repeat the branch): public numbers answer at once.

    pyVoIP registers first, so its call comes from an agent's registered phone and is challenged; whatever becomes of
    that, the engine must end idle.
    """
    with RudePhone(tmp_path, engine.address, "205", engine.passwords()["205"]) as rude:
        rude.saw("^registered")
        rude.tell("dial 9100")
        rude.saw("^dialling", 8)
        time.sleep(1.5)
        rude.tell("hangup")
        time.sleep(1)
    for call in engine.ask("calls"):
        engine.ask("call.hangup", call=str(call["call"]))
    assert FINAL

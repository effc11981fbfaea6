"""The scenario files and the phones of this folder, proved against one another before they judge the engine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import listening
import pytest
from harness.baresip import Baresip
from harness.fakes import FakeSwitch
from harness.phone import FINAL, Dialog, Phone
from harness.rtp import Ear
from harness.rude import RudePhone
from harness.sipp import Sipp, run

from tools.load import wire


@pytest.fixture
def switch() -> Iterator[FakeSwitch]:
    with FakeSwitch({"200": "pw", "201": "pw"}) as running:
        yield running


def called(sipp: Sipp) -> tuple[Phone, Dialog]:
    """A call from a scripted phone straight to a SIPp phone."""
    phone = Phone(("127.0.0.1", sipp.port), "caller")
    time.sleep(0.3)  # SIPp opens its socket without saying so
    return phone, phone.invite("phone")


def test_plain_call_scenario_over_udp_and_tcp(tmp_path: Path, switch: FakeSwitch) -> None:
    run(tmp_path, "uac_call.xml", ("127.0.0.1", switch.port), "9100", calls=3).check(3)
    with Sipp(tmp_path, "uas", transport="t1") as answering:
        time.sleep(0.3)
        run(tmp_path, "uac_call.xml", ("127.0.0.1", answering.port), "x", transport="t1").check()


def test_a_failed_run_says_why(tmp_path: Path, switch: FakeSwitch) -> None:
    result = run(tmp_path, "uac_call.xml", ("127.0.0.1", switch.port), "404404", seconds=10)
    with pytest.raises(AssertionError, match="404 Not Found"):
        result.check()
    run(tmp_path, "uac_unknown.xml", ("127.0.0.1", switch.port), "404404", seconds=10).check()


@pytest.mark.parametrize("scenario", ["uas_answer.xml", "uas_early.xml"])
def test_answering_scenarios(tmp_path: Path, scenario: str) -> None:
    with Sipp(tmp_path, scenario, seconds=15) as sipp:
        phone, dialog = called(sipp)
        with phone:
            early = dialog.expect(180, 183)
            assert (early.status == 183) == bool(early.body)
            dialog.expect(200)
            dialog.ack()
            assert dialog.bye().status == 200
        sipp.wait().check()


@pytest.mark.parametrize("status", ["486 Busy Here", "603 Decline", "480 Temporarily Unavailable"])
def test_refusing_scenario(tmp_path: Path, status: str) -> None:
    with Sipp(tmp_path, "uas_refuse.xml", keys={"status": status}, seconds=15) as sipp:
        phone, dialog = called(sipp)
        with phone:
            assert dialog.expect(*FINAL).status == int(status[:3])
            dialog.ack()
        sipp.wait().check()


def test_moved_scenario_names_its_target(tmp_path: Path) -> None:
    with Sipp(tmp_path, "uas_moved.xml", keys={"target": "sip:other@127.0.0.1:9"}, seconds=15) as sipp:
        phone, dialog = called(sipp)
        with phone:
            assert "sip:other@127.0.0.1:9" in dialog.expect(302).get("contact")
            dialog.ack()
        sipp.wait().check()


@pytest.mark.parametrize("scenario", ["uas_silent.xml", "uas_ghost.xml"])
def test_cancelled_scenarios(tmp_path: Path, scenario: str) -> None:
    with Sipp(tmp_path, scenario, seconds=15) as sipp:
        phone, dialog = called(sipp)
        with phone:
            dialog.expect(180)
            dialog.cancel()
            dialog.expect(200, method="CANCEL")
            final = dialog.expect(*FINAL)
            assert final.status == (200 if "ghost" in scenario else 487)
            dialog.ack()
            if "ghost" in scenario:
                dialog.bye()
        sipp.wait().check()


def test_transfer_scenario(tmp_path: Path) -> None:
    with Sipp(tmp_path, "uas_refer.xml", keys={"target": "sip:201@127.0.0.1"}, seconds=20) as sipp:
        phone, dialog = called(sipp)
        with phone:
            dialog.expect(200)
            dialog.ack()
            refer = dialog.expect("REFER", within=5)
            assert refer.get("refer-to") == "<sip:201@127.0.0.1>"
            dialog.reply(refer, 202, "Accepted")
            for text, state in (("100 Trying", "active"), ("200 OK", "terminated")):
                head = [("Event", "refer"), ("Subscription-State", state), ("Content-Type", "message/sipfrag")]
                dialog.request("NOTIFY", headers=head, body=f"SIP/2.0 {text}\r\n")
                dialog.expect(200, method="NOTIFY")
            dialog.bye()
        sipp.wait().check()


def test_digits_from_captures_and_from_our_own_sender(tmp_path: Path) -> None:
    """SIPp's captures arrive at a scripted phone, so the capture scenario really sends something."""
    with Phone(("127.0.0.1", 9), "ear") as phone, Ear() as ear, Ear() as mouth:
        sipp = Sipp(tmp_path, "uac_dtmf.xml", server=("127.0.0.1", phone.port), number="x", seconds=20)
        with sipp:
            phone.server = ("127.0.0.1", sipp.port)
            dialog = phone.wait_call()
            dialog.answer(media=ear.port)
            bye = dialog.expect("BYE", within=15)
            dialog.reply(bye, 200, "OK")
            sipp.wait().check()
        events = {packet.kind for packet in ear.packets} - {0, 8}
        assert events, "SIPp sent no telephone-event packets"
        ear.event = events.pop()
        assert ear.digits() == "420#"
        ear.packets.clear()
        ear.event = 101
        mouth.start("127.0.0.1", ear.port)
        mouth.press("19#", markers=False, ends=1, shuffle=True, twice=True)
        time.sleep(0.1)
        assert ear.digits() == "19#"


def test_baresip_hears_and_is_heard(tmp_path: Path, switch: FakeSwitch) -> None:
    said, answered = listening.chirps(1, 4), listening.chirps(2, 4)
    server = ("127.0.0.1", switch.port)
    with Baresip(tmp_path, server, "200", "pw", microphone=said, auto_answer=True) as phone:
        phone.registered()
        with Phone(server, "201") as caller, Ear() as ear:
            dialog = caller.call("200", media=ear.port)
            ear.start(dialog.media.host, dialog.media.port).play(answered)
            phone.wait_event("CALL_ESTABLISHED")
            time.sleep(5)
            dialog.bye()
            phone.wait_event("CALL_CLOSED")
        match = listening.align(said, ear.heard())
        assert match.score > 0.999 and match.snr_db > 30, match
        assert listening.share_heard(answered, phone.heard()) >= 0.7
        assert listening.share_heard(said, phone.heard()) == 0.0


def test_pyvoip_rings_answers_and_reads_digits(tmp_path: Path, switch: FakeSwitch) -> None:
    server = ("127.0.0.1", switch.port)
    with RudePhone(tmp_path, server, "200", "pw") as rude, Phone(server, "201") as caller, Ear() as ear:
        rude.saw("^registered")
        dialog = caller.call("200", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        rude.saw("^answered")
        ear.press("5#")
        rude.saw("^digit #")
        time.sleep(1)
        assert listening.has_tone(ear.heard(), 700) > 0.4
        dialog.bye()
        rude.saw("^ended")


# --- the ears themselves ---------------------------------------------------------------------------------------
def test_g711_tables_hold_the_digital_milliwatt() -> None:
    mulaw = listening.decode(bytes.fromhex("1E0B0B1E9E8B8B9E"), 0)
    assert list(mulaw) == [-8828, -20860, -20860, -8828, 8828, 20860, 20860, 8828]
    alaw = listening.decode(bytes.fromhex("34212134B4A1A1B4"), 8)
    assert list(alaw) == [-8960, -20992, -20992, -8960, 8960, 20992, 20992, 8960]


@pytest.mark.parametrize("codec", [0, 8])
def test_alignment_finds_delay_and_noise(codec: int) -> None:
    import numpy as np

    sound = listening.chirps(3, 3)
    heard = np.concatenate((np.zeros(2400), listening.decode(listening.encode(sound, codec), codec), np.zeros(900)))
    match = listening.align(sound, heard)
    assert match.delay_s == pytest.approx(0.3) and match.snr_db > 35 and abs(match.gain_db) < 0.1
    assert listening.share_heard(sound, heard) == 1.0
    assert listening.share_heard(listening.chirps(4, 3), heard) == 0.0
    assert listening.which_prompts(heard, {"right": sound, "wrong": listening.chirps(5, 2)}) == [(0.3, "right")]


def test_tones_are_told_apart() -> None:
    ring = listening.tone((440, 480), 1)
    assert listening.has_tone(ring, 440, share=0.4) > 0.9 and listening.has_tone(ring, 1000) == 0
    assert listening.loud_seconds(ring) == pytest.approx(1.0)


def test_digest_answers_both_algorithms() -> None:
    """The examples of RFC 7616 section 3.9.1, without its cnonce: shape and choice of the challenge."""
    plain = 'Digest realm="a", nonce="n", qop="auth"'
    challenges = [plain + ", algorithm=SHA-256", plain]
    for prefer, size in (("SHA-256", 64), ("MD5", 32)):
        found = wire.parameters(wire.authorization(challenges, "u", "p", "REGISTER", "sip:x", prefer=prefer))
        assert found["algorithm"] == prefer and len(found["response"]) == size

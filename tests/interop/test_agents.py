"""Agents' phones as SIPp and scripted phones: what ringing, refusing, forwarding and silence do to the caller."""

from __future__ import annotations

import time
from pathlib import Path

import listening
import pytest
from harness import queue_log
from harness.children import until
from harness.desks import desk, sipp_desk
from harness.phone import FINAL, Phone
from harness.rtp import Ear
from harness.server import Engine

from tools.load import wire


def queue_call(caller: Phone, ear: Ear) -> object:
    """Into the support queue, with RTP both ways."""
    dialog = caller.call("8700", media=ear.port)
    ear.start(dialog.media.host, dialog.media.port)
    return dialog


def test_an_agent_phone_rings_and_answers(engine: Engine, caller: Phone, tmp_path: Path) -> None:
    with sipp_desk(engine, "202", tmp_path, "uas_answer.xml") as sipp, Ear() as ear:
        dialog = queue_call(caller, ear)
        engine.wait_agent("202", "talking", seconds=8)
        time.sleep(0.5)
        dialog.bye()  # type: ignore[attr-defined]
        sipp.wait().check()
    row = engine.last_call(dialled="8700")
    kinds = engine.kinds(row["call"])
    assert next(k for k in kinds if k.startswith("queue.")) == "queue.joined"
    assert "queue.connected" in kinds and "queue.completed" in kinds
    words = [line[4] for line in engine.queue_log() if line[1] == row["call"]]
    assert words[0] == "ENTERQUEUE" and "CONNECT" in words and words[-1] == "COMPLETECALLER"


def test_early_media_of_a_phone_dialled_by_an_agent(engine: Engine, tmp_path: Path) -> None:
    """183 with SDP is passed on or rung for; the answer comes through."""
    with sipp_desk(engine, "202", tmp_path, "uas_early.xml") as sipp, engine.phone("201") as caller:
        dialog = caller.place("202")
        early = dialog.expect(180, 183)
        assert early.status in (180, 183)
        dialog.expect(200)
        dialog.ack()
        time.sleep(0.3)
        dialog.bye()
        sipp.wait().check()


@pytest.mark.parametrize(
    ("status", "word"),
    [("486 Busy Here", "busy"), ("603 Decline", "rejected"), ("480 Temporarily Unavailable", "")],
)
def test_a_refusing_agent_costs_the_caller_nothing_but_time(
    engine: Engine, caller: Phone, tmp_path: Path, status: str, word: str
) -> None:
    """The caller keeps his place, hears music, and is offered to the next agent; the record has the reason."""
    with sipp_desk(engine, "202", tmp_path, "uas_refuse.xml", keys={"status": status}) as sipp, Ear() as ear:
        dialog = queue_call(caller, ear)
        sipp.wait(10).check()
        until(lambda: ear.count(since=time.monotonic() - 0.2) > 5, 3, what="music after the refusal")
        with desk(engine, "203") as other:
            there = other.wait_call(8)
            there.answer()
            time.sleep(0.3)
            dialog.bye()  # type: ignore[attr-defined]
            there.expect_bye()
    row = engine.last_call(dialled="8700")
    reasons = [e["data"]["reason"] for e in engine.events(row["call"]) if e["kind"] == "queue.offer_ended"]
    assert reasons and (not word or word in str(reasons[0])), reasons
    assert ear.timeline_faults() == []


def test_a_forwarding_phone_is_never_followed(engine: Engine, caller: Phone, tmp_path: Path) -> None:
    with engine.phone("elsewhere", secret=False) as elsewhere, Ear() as ear:
        keys = {"target": f"sip:elsewhere@127.0.0.1:{elsewhere.port}"}
        with sipp_desk(engine, "202", tmp_path, "uas_moved.xml", keys=keys) as sipp:
            dialog = queue_call(caller, ear)
            sipp.wait(10).check()
            assert elsewhere.receive(1.0) is None, "the 302 was followed"
            dialog.bye()  # type: ignore[attr-defined]


@pytest.mark.slow
def test_no_answer_is_cancelled_after_the_ring_time(engine: Engine, caller: Phone, tmp_path: Path) -> None:
    with sipp_desk(engine, "202", tmp_path, "uas_silent.xml", seconds=60) as sipp, Ear() as ear:
        dialog = queue_call(caller, ear)
        sipp.wait(50).check()
        state = engine.agent_state("202")
        assert state in ("resting", "not_ready"), state
        dialog.bye()  # type: ignore[attr-defined]
    row = engine.last_call(dialled="8700")
    assert any(line[4] == "RINGNOANSWER" for line in engine.queue_log() if line[1] == row["call"])
    assert "queue.abandoned" in engine.kinds(row["call"])


@pytest.mark.parametrize("scenario", ["uas_silent.xml", "uas_ghost.xml"])
def test_the_caller_gives_up_while_it_rings(engine: Engine, caller: Phone, tmp_path: Path, scenario: str) -> None:
    """CANCEL reaches the phone; one that answers all the same gets ACK and BYE, and the agent is free."""
    with sipp_desk(engine, "202", tmp_path, scenario) as sipp, Ear() as ear:
        dialog = queue_call(caller, ear)
        engine.wait_agent("202", "alerting", "reserved", seconds=6)
        time.sleep(0.3)
        dialog.bye()  # type: ignore[attr-defined]
        sipp.wait(10).check()
        engine.wait_agent("202", "ready", seconds=5)
    row = engine.last_call(dialled="8700")
    assert [line[4] for line in engine.queue_log() if line[1] == row["call"]][-1] == "ABANDON"


def test_ring_all_and_two_answers_connect_one(engine: Engine, caller: Phone) -> None:
    """Two agents free: whoever is offered and answers is connected; nobody is connected twice."""
    with desk(engine, "203") as one, desk(engine, "204") as two, Ear() as ear:
        dialog = queue_call(caller, ear)
        offered = []
        limit = time.monotonic() + 6
        while not offered and time.monotonic() < limit:
            for phone in (one, two):
                message = phone.receive(0.1)
                if message is not None and message.method == "INVITE":
                    phone.backlog.append(message)
                    offered.append(phone.wait_call(0.1))
        assert offered, "nobody was offered the call"
        offered[0].answer()
        time.sleep(0.5)
        states = [engine.agent_state(user) for user in ("203", "204")]
        assert states.count("talking") == 1, states
        dialog.bye()  # type: ignore[attr-defined]
        offered[0].expect_bye()


def test_the_offer_shows_who_calls_and_for_what(engine: Engine, caller: Phone) -> None:
    with desk(engine, "203") as agent, Ear() as ear:
        dialog = queue_call(caller, ear)
        offer = agent.wait_call()
        shown = offer.invite.get("from") + offer.invite.get("p-asserted-identity")
        assert "support" in shown.lower() and "stranger" in shown
        offer.answer()
        dialog.bye()  # type: ignore[attr-defined]
        offer.expect_bye()


def test_blind_transfer_by_refer(engine: Engine, caller: Phone, tmp_path: Path) -> None:
    """An agent on SIPp sends REFER; the caller is connected to the other agent, and both hear each other."""
    target = f"sip:203@127.0.0.1:{engine.port}"
    with sipp_desk(engine, "202", tmp_path, "uas_refer.xml", keys={"target": target}, more=()) as sipp, Ear() as ear:
        dialog = queue_call(caller, ear)
        engine.wait_agent("202", "talking", seconds=8)
        with desk(engine, "203", ready=False) as other, Ear() as far:
            there = other.wait_call(8)
            there.ring()
            there.answer(media=far.port)
            far.start(there.media.host, there.media.port)
            sipp.wait(15).check()
            said, reply = listening.chirps(11, 2), listening.chirps(12, 2)
            ear.play(said)
            far.play(reply)
            time.sleep(2.6)
            assert listening.align(said, far.heard()).score > 0.98
            assert listening.align(reply, ear.heard()).score > 0.98
            dialog.bye()  # type: ignore[attr-defined]
            there.expect_bye()
    row = engine.last_call(dialled="8700")
    assert "call.transferred" in engine.kinds(row["call"]) and row["transfers"] == 1
    path = engine.data / "queue_log"
    log = queue_log.read(path)  # as strict as Asterisk's documentation
    ours = [line.split("|") for line in path.read_text().splitlines() if line.split("|")[1] == row["call"]]
    assert [words[4] for words in ours].count("BLINDTRANSFER") == 1 and row["call"] not in log.talking


@pytest.mark.parametrize("way", [{"direction": "sendonly"}, {"direction": "inactive"}, {"connection": "0.0.0.0"}])
def test_the_caller_hears_music_while_the_agent_holds(engine: Engine, caller: Phone, way: dict[str, str]) -> None:
    with desk(engine, "203") as agent, Ear() as ear, Ear() as far:
        dialog = queue_call(caller, ear)
        there = agent.wait_call()
        there.answer(media=far.port)
        far.start(there.media.host, there.media.port)
        time.sleep(0.5)
        quiet_from = time.monotonic()
        time.sleep(0.8)
        assert listening.loud_seconds(ear.heard(since=quiet_from)) < 0.1, "music although the agent talks"
        held = time.monotonic()
        reply = there.offer(wire.offer("127.0.0.1", far.port, version=2, codecs=(0,), **way))  # type: ignore[arg-type]
        assert reply.status == 200
        time.sleep(2.0)
        assert listening.loud_seconds(ear.heard(since=held + 0.3)) > 0.5, "no music while on hold"
        assert there.offer(wire.offer("127.0.0.1", far.port, version=3, codecs=(0,))).status == 200
        said = listening.chirps(21, 1.5)
        far.play(said)
        time.sleep(2.2)
        assert listening.align(said, ear.heard(since=held + 2)).score > 0.95
        dialog.bye()  # type: ignore[attr-defined]
        there.expect_bye()
    assert ear.timeline_faults() == []
    assert engine.last_call(dialled="8700")["held_ms"] >= 1_500


def test_digits_cross_a_bridge_once(engine: Engine, caller: Phone) -> None:
    with desk(engine, "203") as agent, Ear() as ear, Ear() as far:
        dialog = queue_call(caller, ear)
        there = agent.wait_call()
        far.event = there.media.event
        there.answer(media=far.port)
        far.start(there.media.host, there.media.port)
        time.sleep(0.4)
        ear.press("147", twice=True, ends=1)
        time.sleep(0.5)
        assert far.digits() == "147"
        far.press("9")
        time.sleep(0.4)
        assert ear.digits() == "9"
        dialog.bye()  # type: ignore[attr-defined]
        there.expect_bye()


def test_codecs_that_differ_are_transcoded(engine: Engine, caller: Phone) -> None:
    """Caller µ-law only, agent A-law only."""
    with desk(engine, "203") as agent, Ear(codec=0) as ear, Ear(codec=8) as far:
        dialog = caller.call("8700", sdp=wire.offer("127.0.0.1", ear.port, codecs=(0,)))
        ear.start(dialog.media.host, dialog.media.port)
        there = agent.wait_call()
        event = there.media.event
        there.answer(sdp=wire.offer("127.0.0.1", far.port, codecs=(8,), event=event))
        far.start(there.media.host, there.media.port)
        time.sleep(0.4)
        said, reply = listening.chirps(31, 2), listening.chirps(32, 2)
        ear.play(said)
        far.play(reply)
        time.sleep(2.8)
        for sound, listener in ((said, far), (reply, ear)):
            match = listening.align(sound, listener.heard())
            assert match.score > 0.98 and match.snr_db > 25, match
        assert {p.kind for p in far.packets} <= {8, event} and {p.kind for p in ear.packets} <= {0, 101}
        dialog.bye()
        there.expect_bye()


def test_feature_codes_by_dialling(engine: Engine) -> None:
    with engine.phone("209") as agent:
        assert agent.register().status == 200
        for code, state in (("*50", "ready"), ("*52", "not_ready"), ("*53", "ready"), ("*51", "logged_out")):
            dialog = agent.call(code)
            engine.wait_agent("209", state)
            dialog.bye() if engine.calls_now() else None
            engine.wait_idle()
        agent.register(expires=0, contact="*")


def test_a_busy_agent_is_not_offered_a_second_call(engine: Engine, caller: Phone) -> None:
    with desk(engine, "203") as agent, engine.phone("second", secret=False) as second, Ear() as ear, Ear() as other:
        dialog = queue_call(caller, ear)
        there = agent.wait_call()
        there.answer()
        waiting = queue_call(second, other)
        assert agent.receive(1.5) is None, "a talking agent was offered another call"
        assert other.count() > 20
        waiting.bye()  # type: ignore[attr-defined]
        dialog.bye()  # type: ignore[attr-defined]
        there.expect_bye()


def test_a_cancelled_direct_call_frees_both(engine: Engine) -> None:
    with desk(engine, "203") as agent, engine.phone("201") as caller:
        dialog = caller.place("203")
        there = agent.wait_call()
        there.ring()
        dialog.expect(180, 183)
        dialog.cancel()
        dialog.expect(200, method="CANCEL")
        assert dialog.expect(*FINAL).status == 487
        dialog.ack()
        there.reply(there.expect("CANCEL"), 200, "OK")
        there.reply(there.invite, 487, "Request Terminated")
        there.expect("ACK")
        engine.wait_agent("203", "ready")

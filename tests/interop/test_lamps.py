"""Real peers at the lamps: SIPp watches, baresips ring, pick up and hear each other; boxes register with us."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import listening
import numpy as np
import pytest
from harness.baresip import Baresip
from harness.children import until
from harness.ports import free_port
from harness.server import Engine
from harness.sipp import Sipp, run

from tests.sip.dialog_schema import NS, faults

ADA, BEN, CHO = (listening.chirps(seed, 60) for seed in (364, 365, 366))
BOX = "box7-pass-word"
TRUNKS = "attic: {register: accept, account: [attic, loft], auth: secret attic}\n"


@pytest.fixture(scope="module")
def lamps() -> Iterator[Engine]:
    """An engine with a trunk that no address is known of."""
    patch = pytest.MonkeyPatch()
    patch.setenv("RINGDOWN_TRUNK_ATTIC", BOX)
    made = Engine()
    (made.site / "trunks.yaml").write_text(TRUNKS)
    (made.site / "outbound.yaml").write_text("0x.: {trunk: attic, strip: 1}\n")
    with made:
        yield made
    patch.undo()


def phone(engine: Engine, folder: Path, user: str, **more: object) -> Baresip:
    return Baresip(folder, engine.address, user, engine.passwords()[user], **more)  # type: ignore[arg-type]


def hears(ear: Baresip, voice: np.ndarray) -> bool:
    """Is what it has heard in the last two seconds that voice, and little else?"""
    return listening.share_heard(ear.heard()[-16_000:], voice, score=0.9) > 0.7


def lamp(engine: Engine, folder: Path, watched: str, user: str) -> Sipp:
    """Agent `user` watches; it has been told once."""
    key = Sipp(
        folder, "uac_lamp.xml", server=engine.address, number=watched, user=(user, engine.passwords()[user]),
        keys={"user": user}, seconds=40, more=("-trace_msg",),
    )  # fmt: skip
    until(lambda: bool(documents(key)), 5, what="the first NOTIFY")
    return key


def documents(key: Sipp) -> list[ElementTree.Element]:
    """What the key was told, each document once, in order."""
    text = "".join(path.read_text(errors="replace") for path in sorted(key.folder.glob("*_messages.log")))
    found = re.findall(r"<\?xml.*?</dialog-info>", text, re.DOTALL)
    return [ElementTree.fromstring(each) for each in dict.fromkeys(found)]


def states(key: Sipp) -> list[str]:
    """Every document is valid, and counts up; its one dialog's state. A phone that has said nothing yet is left out."""
    found = documents(key)
    assert [fault for root in found for fault in faults(root)] == []
    assert [int(root.get("version", "")) for root in found] == list(range(len(found)))
    words = [root.findtext(f"{NS}dialog/{NS}state", "") for root in found]
    return [word for word in words if word != "trying"]


def test_a_key_blinks_and_a_colleague_picks_the_call_up_by_code(lamps: Engine, tmp_path: Path) -> None:
    """201 calls 200, whose phone rings; 202 dials *78200: they hear each other, and the key of 203 goes out."""
    engine = lamps
    with (
        phone(engine, tmp_path, "200") as rings, phone(engine, tmp_path, "201", microphone=ADA) as caller,
        phone(engine, tmp_path, "202", microphone=BEN) as picker,
    ):  # fmt: skip
        for each in (rings, caller, picker):
            each.registered()
        with lamp(engine, tmp_path, "200", "203") as key:
            begun = caller.dial("200")
            rings.wait_event("CALL_INCOMING")
            until(lambda: states(key)[-1] == "early", 5, what="the key blinks")
            dialog = documents(key)[-1].find(f"{NS}dialog")
            assert dialog is not None and dialog.get("direction") == "recipient" and dialog.get("call-id")
            assert dialog.findtext(f"{NS}remote/{NS}identity", "").startswith("sip:201@")
            picker.wait_event("CALL_ESTABLISHED", after=picker.dial("*78200"))
            caller.wait_event("CALL_ESTABLISHED", after=begun)
            rings.wait_event("CALL_CLOSED")
            key.wait().check()
            assert states(key) == ["terminated", "early", "terminated"]
        time.sleep(2.5)
        assert hears(picker, ADA) and hears(caller, BEN)
        picker.command("hangup")
        caller.wait_event("CALL_CLOSED")
    engine.wait_idle()


def test_a_key_that_blinks_takes_the_call_with_what_it_was_told(lamps: Engine, tmp_path: Path) -> None:
    """SIPp reads Call-ID and tags off the document and sends INVITE with Replaces; the caller hears SIPp's echo."""
    engine = lamps
    with (
        phone(engine, tmp_path, "200") as rings, phone(engine, tmp_path, "201", microphone=ADA) as caller,
        lamp(engine, tmp_path, "200", "203") as key,
    ):  # fmt: skip
        rings.registered()
        caller.registered()
        begun = caller.dial("200")
        until(lambda: states(key)[-1] == "early", 5, what="the key blinks")
        (dialog,) = documents(key)[-1]
        tags = f"to-tag={dialog.get('remote-tag')};from-tag={dialog.get('local-tag')}"
        user = dialog.findtext(f"{NS}remote/{NS}identity", "").removeprefix("sip:").partition("@")[0]
        with Sipp(
            tmp_path, "uac_replaces.xml", server=engine.address, number=user, user=("203", engine.passwords()["203"]),
            keys={"agent": "203", "taken": f"{dialog.get('call-id')};{tags}"}, seconds=15, more=("-rtp_echo",),
        ) as taker:  # fmt: skip
            caller.wait_event("CALL_ESTABLISHED", after=begun)
            rings.wait_event("CALL_CLOSED")
            time.sleep(2.5)
            assert hears(caller, ADA)
            taker.wait().check()
        caller.wait_event("CALL_CLOSED")
        key.wait().check()
        assert states(key) == ["terminated", "early", "terminated"]


def test_lamps_outlive_an_engine_that_is_killed(lamps: Engine, tmp_path: Path) -> None:
    engine = lamps
    with phone(engine, tmp_path, "200") as rings, lamp(engine, tmp_path, "200", "203") as key:
        rings.registered()
        engine.kill()
        engine.start()
        with engine.phone("204") as caller:
            dialog = caller.place("200")
            rings.wait_event("CALL_INCOMING", 10)
            until(lambda: states(key)[-1] == "early", 5, what="the key blinks, though nobody has subscribed again")
            dialog.cancel()
        key.wait().check()
        assert states(key) == ["terminated", "early", "terminated"]


def test_who_picks_a_queues_caller_up_is_talking_and_wraps_up(lamps: Engine, tmp_path: Path) -> None:
    """202, in a pause, takes by *78200 what the queue rings at 200; an engine that is killed still knows it, his
    wrap-up follows, then his pause goes on; the queue's log and its figures name him, and 200 has missed nobody."""
    engine = lamps
    engine.send_home()
    with (
        phone(engine, tmp_path, "200") as rings, phone(engine, tmp_path, "202", microphone=BEN) as picker,
        phone(engine, tmp_path, "203", microphone=ADA) as caller,
    ):  # fmt: skip
        for each in (rings, picker, caller):
            each.registered()
        engine.login("200")
        engine.login("202")
        engine.ask("agent.not_ready", agent="default/202", reason="")
        caller.dial("700")
        rings.wait_event("CALL_INCOMING", 20)
        picker.wait_event("CALL_ESTABLISHED", after=picker.dial("*78200"))
        rings.wait_event("CALL_CLOSED")
        engine.wait_agent("202", "talking")
        engine.wait_agent("200", "ready")
        until(lambda: hears(picker, ADA) and hears(caller, BEN), 12, what="they hear each other")
        engine.kill()
        engine.start()
        engine.wait_agent("202", "talking")
        caller.command("hangup")
        picker.wait_event("CALL_CLOSED")
        engine.wait_agent("202", "wrap_up")
        engine.wait_agent("202", "not_ready", seconds=15)
    call = engine.last_call(dialled="700")["call"]
    (connected,) = [each["data"] for each in engine.events(call) if each["kind"] == "queue.connected"]
    assert (connected["agent"], connected["way"]) == ("default/202", "picked_up")
    mine = [(line[3], line[4]) for line in engine.queue_log() if line[1] == call]
    assert ("default/202", "CONNECT") in mine and ("default/202", "COMPLETECALLER") in mine
    assert not [verb for _, verb in mine if verb in ("RINGNOANSWER", "WITHDRAW")]
    (row,) = [each for each in engine.ask("queues") if str(each["name"]).endswith("support")]
    assert row["answered"] >= 1 and row["missed"] == 0


def attic(engine: Engine) -> dict[str, object]:
    return next(row for row in engine.ask("trunks") if row["trunk"] == "attic")


def test_boxes_that_register_are_a_trunk_both_ways(lamps: Engine, tmp_path: Path) -> None:
    """`loft` calls in by its own registration; a call out goes to `attic`, as SIPp has registered it."""
    engine = lamps
    assert attic(engine)["state"] == "down"
    with Baresip(tmp_path, engine.address, "loft", BOX, microphone=CHO) as loft:
        loft.registered()
        assert attic(engine)["state"] == "up"
        loft.wait_event("CALL_ESTABLISHED", after=loft.dial("9196"))
        time.sleep(2.5)
        assert hears(loft, CHO), "his own voice, from the echo"
        loft.command("hangup")
        call = engine.last_call(dialled="9196")
        assert (call["trunk"], call["via"]) == ("attic", "trunk")

        port = free_port()
        run(
            tmp_path, "uac_register.xml", engine.address, "attic", user=("attic", BOX), port=port, seconds=10
        ).check()  # fmt: skip
        assert len(attic(engine)["addresses"]) == 2  # type: ignore[arg-type]
        with (
            Sipp(tmp_path, "uas_answer.xml", port=port, seconds=20, more=("-aa", "-rtp_echo")) as far,
            phone(engine, tmp_path, "201", microphone=ADA) as agent,
        ):
            agent.registered()
            agent.wait_event("CALL_ESTABLISHED", after=agent.dial("05551"))
            time.sleep(2.5)
            assert hears(agent, ADA), "his own voice, from the box's far end"
            agent.command("hangup")
            far.wait()
    started = [each["data"] for each in engine.events() if each["kind"] == "dial.started" and each["data"]["trunk"]]
    assert [(each["target"], each["trunk"]) for each in started] == [("5551", "attic")]
    assert BOX not in engine.output()

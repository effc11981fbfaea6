"""Transfers by a phone's REFER: to a queue, without the one who made it; and back to him when nobody answers."""

from __future__ import annotations

import time
from pathlib import Path

from harness.desks import desk, sipp_desk
from harness.phone import Phone
from harness.rtp import Ear
from harness.server import Engine


def results(engine: Engine, call: str) -> list[str]:
    return [event["data"]["result"] for event in engine.events(call) if event["kind"] == "call.transferred"]


def offered(engine: Engine, call: str) -> list[str]:
    return [event["data"]["agent"] for event in engine.events(call) if event["kind"] == "queue.offered"]


def test_refer_to_a_queue_offers_the_caller_to_everybody_but_the_transferor(
    engine: Engine, caller: Phone, tmp_path: Path
) -> None:
    """SIPp is agent 202 and sends its caller back into its own queue; it is ready again, and isn't asked."""
    target = f"sip:8700@127.0.0.1:{engine.port}"
    with sipp_desk(engine, "202", tmp_path, "uas_refer.xml", keys={"target": target}, more=()) as sipp, Ear() as ear:
        dialog = caller.call("8700", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        engine.wait_agent("202", "talking", seconds=8)
        sipp.wait(15).check()
        engine.ask("agent.ready", agent="default/202")
        engine.wait_agent("202", "ready")
        time.sleep(2.0)
        assert engine.agent_state("202") == "ready", "he has just passed the caller on"
        with desk(engine, "203") as other:
            there = other.wait_call(8)
            there.ring()
            there.answer()
            time.sleep(0.3)
            dialog.bye()
            there.expect_bye()
    row = engine.last_call(dialled="8700")
    assert results(engine, row["call"]) == ["started", "done"]
    assert offered(engine, row["call"]) == ["default/202", "default/203"]


def test_a_blind_transfer_that_nobody_takes_comes_back_to_the_transferor(
    engine: Engine, caller: Phone, tmp_path: Path
) -> None:
    """Agent 203 is busy: SIPp gets the final NOTIFY and its caller back, until he hangs up."""
    target = f"sip:203@127.0.0.1:{engine.port}"
    with sipp_desk(engine, "202", tmp_path, "uas_refer.xml", keys={"target": target}, more=()) as sipp, Ear() as ear:
        dialog = caller.call("8700", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        with desk(engine, "203", ready=False) as other:
            engine.wait_agent("202", "talking", seconds=8)
            there = other.wait_call(8)
            there.reply(there.invite, 486, "Busy Here")
            time.sleep(1.0)
            assert engine.agent_state("202") == "talking"
            dialog.bye()
            sipp.wait(15).check()
    row = engine.last_call(dialled="8700")
    assert results(engine, row["call"]) == ["started", "busy"]

"""SIPp calls the engine: every exchange of issue 3 that a caller can begin."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.desks import desk
from harness.server import Engine
from harness.sipp import Sipp, run


@pytest.mark.parametrize("transport", ["u1", "t1"])
def test_plain_call(engine: Engine, tmp_path: Path, transport: str) -> None:
    run(tmp_path, "uac_call.xml", engine.address, "9100", transport=transport, calls=3, rate=5).check(3)
    row = engine.last_call(dialled="9100")
    assert row["answered_ms"] and row["ended_by"] == "caller" and row["duration_ms"] >= 900


def test_twenty_calls_at_once(engine: Engine, tmp_path: Path) -> None:
    result = run(tmp_path, "uac_call.xml", engine.address, "9664", calls=20, rate=20).check(20)
    assert max(result.timings_ms[:20]) < 500


def test_the_engine_hangs_up_after_its_prompt(engine: Engine, tmp_path: Path) -> None:
    run(tmp_path, "uac_heard_out.xml", engine.address, "9102", seconds=25).check()
    row = engine.last_call(dialled="9102")
    assert 9_000 <= row["duration_ms"] <= 14_000 and row["ended_by"] != "caller"


def test_invite_without_sdp(engine: Engine, tmp_path: Path) -> None:
    run(tmp_path, "uac_offerless.xml", engine.address, "9196").check()


def test_hold_resume_new_address_and_offerless_reinvite(engine: Engine, tmp_path: Path) -> None:
    run(tmp_path, "uac_reinvite.xml", engine.address, "9664").check()


def test_options(engine: Engine, tmp_path: Path) -> None:
    run(tmp_path, "uac_options.xml", engine.address, "9100").check()


def test_unknown_number(engine: Engine, tmp_path: Path) -> None:
    run(tmp_path, "uac_unknown.xml", engine.address, "4711471").check()


@pytest.mark.parametrize("number", ["200", "*50"])
def test_a_stranger_reaches_public_numbers_only(engine: Engine, tmp_path: Path, number: str) -> None:
    run(tmp_path, "uac_challenged.xml", engine.address, number).check()


def test_digits_by_info(engine: Engine, tmp_path: Path) -> None:
    run(tmp_path, "uac_info.xml", engine.address, "9101").check()
    assert digits_of(engine) == "15#"


def test_digits_by_capture(engine: Engine, tmp_path: Path) -> None:
    run(tmp_path, "uac_dtmf.xml", engine.address, "9101").check()
    assert digits_of(engine) == "420#"


def test_a_caller_gives_up_before_the_answer(engine: Engine, tmp_path: Path) -> None:
    with desk(engine, "203") as other:
        with Sipp(tmp_path, "uac_cancel.xml", server=engine.address, number="8203", seconds=15) as sipp:
            dialog = other.wait_call(8)
            dialog.ring()
            dialog.reply(dialog.expect("CANCEL"), 200, "OK")
            dialog.reply(dialog.invite, 487, "Request Terminated")
            dialog.expect("ACK")
            sipp.wait().check()
        engine.wait_agent("203", "ready")
    assert engine.last_call(dialled="8203")["answered_ms"] == 0


def digits_of(engine: Engine) -> str:
    """The digits in the event stream of the last call to 9101."""
    row = engine.last_call(dialled="9101")
    return "".join(str(e["data"]["digit"]) for e in engine.events(row["call"]) if e["kind"] == "call.digit")


def test_an_agent_calls_with_credentials(engine: Engine, tmp_path: Path) -> None:
    """SIPp, like baresip 1.0 and many desk phones, knows MD5 only: a challenge must leave it a way."""
    secret = ("201", engine.passwords()["201"])
    run(tmp_path, "uac_agent_call.xml", engine.address, "*50", user=secret, keys={"agent": "201"}).check()
    assert engine.agent_state("201") != "logged_out"
    engine.logout("201")
    assert engine.last_call(dialled="*50")["caller"] == "201"

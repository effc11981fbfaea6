"""A phone that vanishes: both sides are free within 50 s while media should flow, else by a stated deadline."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from harness.children import until
from harness.desks import desk, sipp_desk
from harness.phone import Phone
from harness.rtp import Ear
from harness.server import Engine

pytestmark = pytest.mark.slow


def test_a_vanished_agent_frees_the_caller_and_himself(engine: Engine, caller: Phone, tmp_path: Path) -> None:
    with sipp_desk(engine, "202", tmp_path, "uas_vanish.xml") as sipp, Ear() as ear:
        dialog = caller.call("700", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        sipp.wait(15).check()
        began = time.monotonic()
        engine.wait_agent("202", "talking", seconds=5)
        engine.wait_agent("202", "ready", "wrap_up", "not_ready", "resting", "logged_out", seconds=50)
        assert time.monotonic() - began < 50
        caller.drain(0.1)
        if engine.calls_now():
            dialog.bye()


def test_a_vanished_caller_frees_the_agent(engine: Engine) -> None:
    with desk(engine, "203") as agent, Ear() as far:
        with engine.phone("stranger", secret=False) as caller, Ear() as ear:
            dialog = caller.call("700", media=ear.port)
            ear.start(dialog.media.host, dialog.media.port)
            there = agent.wait_call()
            there.answer(media=far.port)
            far.start(there.media.host, there.media.port)
            time.sleep(1)
        there.expect_bye(within=50)
        engine.wait_idle()


def test_a_caller_who_vanishes_in_a_prompt(engine: Engine) -> None:
    with engine.phone("stranger", secret=False) as caller, Ear() as ear:
        dialog = caller.call("9664", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        time.sleep(0.5)
    until(lambda: engine.calls_now() == 0, 50, every=0.5, what="the call of a vanished caller ended")


def test_a_muted_phone_that_answers_options_stays(engine: Engine, caller: Phone) -> None:
    """No RTP for 25 s, but its dialog is alive: the probe's 200 keeps it."""
    with Ear() as ear:
        dialog = caller.call("9664", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        time.sleep(0.5)
        ear.muted = True
        assert not [m for m in caller.drain(25) if m.is_request and m.method == "BYE"]
        assert engine.calls_now() == 1
        dialog.bye()

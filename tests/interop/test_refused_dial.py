"""A real phone dials what its class of service refuses: it hears a prompt before the answer, then gets the status."""

from __future__ import annotations

import shutil
from pathlib import Path

import listening
from conftest import ROOT
from harness.baresip import Baresip
from harness.server import DEMO, Engine

CLASSES = "classes:\n  default: {allow: ['+4930.']}\nnumbers:\n"


def test_who_may_not_dial_a_number_hears_so(tmp_path: Path) -> None:
    site = tmp_path / "site"
    shutil.copytree(DEMO, site)
    (site / "trunks.yaml").write_text("office: {host: 127.0.0.9, numbers: {country: de}}\n")
    (site / "outbound.yaml").write_text("0.: office\n")
    text = (site / "site.yaml").read_text()
    (site / "site.yaml").write_text(text.replace("numbers:\n", CLASSES, 1))
    with Engine(site) as engine, Baresip(tmp_path, engine.address, "200", engine.passwords()["200"]) as phone:
        phone.registered()
        mark, place = phone.mark(), phone.dial("0891234567")
        closed = phone.wait_event("CALL_CLOSED", 15, after=place)
        assert "403" in str(closed), closed
        known = {
            name: listening.read_wav(ROOT / "prompts" / "en" / f"{name}.wav")
            for name in ("agent_dial_refused", "agent_ready", "not_available")
        }
        heard = phone.heard_out()[mark:]
        scores = {name: (round(listening.align(sound, heard).score, 2), heard.size) for name, sound in known.items()}
        assert [name for _, name in listening.which_prompts(heard, known)] == ["agent_dial_refused"], scores
        (refused,) = [event["data"] for event in engine.events() if event["kind"] == "dial.refused"]
        assert (refused["agent"], refused["why"]) == ("default/200", "prefix")

"""The agent's life at real phones: wrap-up and codes, a missed call told by MESSAGE, reasons, and what `*54` says."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import listening
import pytest
from conftest import DIALPLAN, NUMBERS, ROOT
from harness.baresip import Baresip
from harness.children import until
from harness.desks import desk
from harness.phone import Phone
from harness.ports import free_port
from harness.rtp import Ear
from harness.server import Engine
from harness.sipp import Sipp

REASONS = "reasons: {1: {name: break, budget: 15min}, 2: lunch}\n"
QUEUE = """\
  ring: 3s
  misses: 1
  display: 'Q {queue} {caller}'
  alert_info: '<urn:alert:source:external>'
  wrap_up:
    mode: mandatory-discretionary
    codes: {1: sold, 2: complaint}
    required: yes
"""


@pytest.fixture(scope="module")
def life() -> Iterator[Engine]:
    """An engine whose support queue demands a code, and whose site has reasons."""
    edits = {
        "queues.yaml": ("  ring: 20s\n  wrap_up: 10s\n", QUEUE),
        "site.yaml": ("numbers:\n", REASONS + "numbers:\n" + NUMBERS),
    }
    with Engine(edits=edits, extra=DIALPLAN) as running:
        yield running


def call(engine: Engine, ear: Ear) -> tuple[Phone, object]:
    """A stranger in the support queue, with media."""
    caller = engine.phone("stranger", secret=False)
    dialog = caller.call("8700", media=ear.port)
    ear.start(dialog.media.host, dialog.media.port)
    return caller, dialog


def dial(phone: Phone, code: str) -> None:
    """The agent dials a feature code at his phone and hears it out."""
    dialog = phone.call(code)
    dialog.expect_bye(8)


def kinds(engine: Engine, kind: str) -> list[dict[str, object]]:
    return [event for event in engine.events() if event["kind"] == kind]


def test_a_missed_call_is_told_to_a_real_phone_and_54_says_why(life: Engine, tmp_path: Path) -> None:
    """baresip rings unanswered: its agent is not ready, is told so within 5 s, hears why, and comes back by `*53`."""
    words = life.passwords()
    with Baresip(tmp_path, life.address, "200", words["200"], display=True) as phone, Ear() as ear:
        phone.registered()
        life.login("200")
        life.wait_agent("200", "ready")
        caller, dialog = call(life, ear)
        life.wait_agent("200", "not_ready", seconds=12)
        began = time.monotonic()
        phone.child.wait_for(r"Not ready: calls rang unanswered\. To be ready again dial \*53\.", 5)
        assert time.monotonic() - began < 5
        dialog.bye()  # type: ignore[attr-defined]
        caller.close()
        assert life.agent("200")["reason"] == "missed"
        mark, place = phone.mark(), phone.dial("*54")
        phone.wait_event("CALL_CLOSED", 25, after=place)
        heard = phone.heard_out()[mark:]
        stock = ROOT / "prompts" / "en"
        wanted = ["agent_not_ready", "agent_reason", "reason_missed", "agent_waiting_none", "agent_to_return"]
        also = ["agent_ready", "agent_logged_out", "reason_lunch", "agent_to_log_in"]
        known = {name: listening.read_wav(stock / f"{name}.wav") for name in [*wanted, *also]}
        assert [name for _, name in listening.which_prompts(heard, known)] == wanted
        place = phone.dial("*53")
        phone.wait_event("CALL_CLOSED", 10, after=place)
        life.wait_agent("200", "ready")
        life.logout("200")


def test_a_pause_by_an_operator_is_told_to_sipp_with_its_reason(life: Engine, tmp_path: Path) -> None:
    port = free_port()
    with life.phone("202", port=port) as phone:
        phone.reads = True
        assert phone.register().status == 200
        life.login("202")
        life.wait_agent("202", "ready")
        phone.drain(0.5)
        assert phone.texts and phone.texts[0].startswith("Ready: ")
    keys = {"text": "Not ready: lunch"}
    with Sipp(tmp_path, "uas_message.xml", port=port, keys=keys, seconds=15, more=("-aa",)) as sipp:
        time.sleep(0.5)
        told = life.command("agent", "202", "pause", "--reason", "2")
        assert told.returncode == 0 and "not ready (lunch)" in told.stdout, told
        sipp.wait(15).check()
    refused = life.command("agent", "202", "pause", "--reason", "nap")
    assert refused.returncode == 1 and "1 break, 2 lunch" in refused.stdout + refused.stderr
    assert life.agent("202")["reason"] == "lunch"
    life.logout("202")


def test_wrap_up_by_mode_with_codes_dialled_and_keyed(life: Engine) -> None:
    """A scripted agent: a code is keyed while he talks (the caller hears nothing of it), another dialled afterwards."""
    with desk(life, "203") as agent, Ear() as ear, Ear() as his:
        caller, dialog = call(life, ear)
        offer = agent.wait_call()
        assert '"Q support stranger"' in offer.invite.get("from"), offer.invite.get("from")
        assert offer.invite.get("alert-info") == "<urn:alert:source:external>"
        offer.answer(media=his.port)
        his.start(offer.media.host, offer.media.port)
        life.wait_agent("203", "talking")
        his.press("*42")
        until(lambda: kinds(life, "agent.wrap_up_code"), 6, what="the keyed code")
        assert ear.digits() == ""
        dialog.bye()  # type: ignore[attr-defined]
        offer.expect_bye()
        caller.close()
        life.wait_agent("203", "wrap_up")
        refused = life.command("agent", "203", "code", "9")
        assert refused.returncode == 1 and "1 sold, 2 complaint" in refused.stdout + refused.stderr
        dial(agent, "*551")
        dial(agent, "*56")
        dial(agent, "*53")
        life.wait_agent("203", "ready")
        late = life.command("agent", "203", "code", "sold")
        assert late.returncode == 1 and "nothing was changed" in late.stdout + late.stderr
        dial(agent, "*521")
        life.wait_agent("203", "not_ready")
        assert life.agent("203")["reason"] == "break"
    row = life.last_call(dialled="8700")
    assert row["path"].endswith(" > code sold"), row["path"]
    counted = life.command("report", "--codes", "--all", "--json", "--queue", "default/support").stdout
    assert [(each["name"], each["calls"]) for each in json.loads(counted)] == [("sold", 1)], counted
    codes = [event for event in life.events(row["call"]) if event["kind"] == "agent.wrap_up_code"]
    assert [(each["data"]["code"], each["data"]["name"], each["data"]["by"]) for each in codes] == [
        ("2", "complaint", "phone"), ("1", "sold", "phone"),
    ]  # fmt: skip

"""Real phones and boxes: a message is spoken, shown by the lamp, heard by *97 with its PIN; a prompt is recorded by *77
and heard by the next caller."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import listening
import pytest
from harness.baresip import Baresip
from harness.children import until
from harness.server import Engine

SPOKEN = listening.chirps(121, 60)
DIALPLAN = """\
ringdown: 1
about: 8720 takes a message.
entry: box
flows:
  box:
    - answer
    - voicemail: {box: front, prompt: thank_you}
    - hangup: served
  outage:
    - answer
    - play: outage
    - hangup: served
"""
NUMBERS = """\
recorded_prompts: {1: outage}
numbers:
  8720: {dialplan: interop, entry: box, public: yes}
  8721: {dialplan: interop, entry: outage, public: yes}
"""
EDITS = {
    "site.yaml": ("numbers:\n", NUMBERS),
    "agents.yaml": ("200: {name: Ana Reyes,", "200: {name: Ana Reyes, records_prompts: yes,"),
}  # fmt: skip
BOXES = "front: {queue: support, number: 900, hears: [200], min: 1s}\n"


def pin(engine: Engine, box: str) -> str:
    found = re.search(rf"box default/{box}\s+(\d{{6}})", engine.output())
    assert found, engine.output()[-2_000:]
    return found[1]


@pytest.fixture(scope="module")
def running() -> Iterator[Engine]:
    """An engine with a box, and a prompt that has no recording yet."""
    made = Engine(edits=EDITS, extra=DIALPLAN)
    (made.site / "boxes.yaml").write_text(BOXES)
    for language in ("en", "zh"):
        with (made.site / "prompts" / f"{language}.yaml").open("a") as file:
            file.write("outage: There is an outage.\n")
    with made:
        yield made


FLOOD = 50  # SUBSCRIBEs within a moment, before any answer: this baresip has lost its head, and another is started
PHONES_MAX = 6


@contextlib.contextmanager
def lit_phone(folder: Path, engine: Engine) -> Iterator[Baresip]:
    """Agent 200's phone with a lamp. Some starts of baresip 1.0's mwi module send thousands of SUBSCRIBEs at once."""
    for number in range(PHONES_MAX):
        home = folder / f"phone{number}"
        home.mkdir()
        with Baresip(home, engine.address, "200", engine.passwords()["200"], lamp=True) as phone:
            phone.registered()
            end = time.monotonic() + 5
            while time.monotonic() < end and phone.child.output().count("mwi: subscribing") < FLOOD:
                if "Messages-Waiting: no" in phone.child.output():
                    yield phone
                    return
                time.sleep(0.01)
            flooded = phone.child.output().count("mwi: subscribing")
        assert flooded >= FLOOD, f"no word of the lamp within 5 s, {flooded} SUBSCRIBEs"
        print(f"baresip {number} sent {flooded} SUBSCRIBEs at once and was ended")
    raise AssertionError(f"{PHONES_MAX} baresips in a row flooded the engine with SUBSCRIBEs")


def test_a_message_reaches_the_phone_of_who_must_hear_it(running: Engine, tmp_path: Path) -> None:
    engine = running
    with lit_phone(tmp_path, engine) as agent:
        with Baresip(tmp_path, engine.address, "stranger", microphone=SPOKEN, register=False) as caller:
            caller.wait_event("CALL_ESTABLISHED", after=caller.dial("8720"))
            time.sleep(5.5)  # the greeting, the beep, and some seconds of his
            caller.press("#")
            caller.wait_event("CALL_CLOSED", 5)
        agent.child.wait_for(r"Voice-Message: 1/0", 5)
        (row,) = engine.ask("messages", box="front")
        assert 2_000 <= row["duration_ms"] <= 5_500 and row["state"] == "new", row
        kept = listening.read_wav(engine.data / row["message"], side=0)
        assert listening.share_heard(kept, SPOKEN, score=0.9) > 0.7

        place = agent.mark()
        agent.wait_event("CALL_ESTABLISHED", after=agent.dial("*97900"))
        time.sleep(2.6)
        agent.press(pin(engine, "front") + "#")
        agent.child.wait_for(r"Voice-Message: 0/1", 20)  # heard to its end
        heard = agent.heard()[place:]
        assert listening.share_heard(kept, heard, score=0.9) > 0.7
        agent.press("3")
        agent.child.wait_for(r"Voice-Message: 0/0", 5)
        agent.wait_event("CALL_CLOSED", 8)
        until(lambda: not (engine.data / row["message"]).exists(), 3, what="the file is gone")
        until(lambda: _rows(engine) == 0, 3, what="its row is gone")


def test_a_prompt_recorded_by_phone_is_heard_by_the_next_caller(running: Engine, tmp_path: Path) -> None:
    engine = running
    with Baresip(tmp_path, engine.address, "200", engine.passwords()["200"], microphone=SPOKEN) as agent:
        agent.registered()
        agent.wait_event("CALL_ESTABLISHED", after=agent.dial("*771"))
        time.sleep(5.0)  # "Speak after the tone", the tone, and two seconds of his
        agent.press("#")
        time.sleep(1.0)
        agent.press("1")  # without hearing it to its end
        until(lambda: (engine.data / "prompts" / "default" / "en" / "outage.wav").exists(), 5, what="it is kept")
        agent.wait_event("CALL_CLOSED", 10)
    kept = listening.read_wav(engine.data / "prompts" / "default" / "en" / "outage.wav")
    assert listening.share_heard(kept, SPOKEN, score=0.9) > 0.6
    with Baresip(tmp_path, engine.address, "stranger", register=False) as caller:
        place = caller.mark()
        caller.wait_event("CALL_ESTABLISHED", after=caller.dial("8721"))
        caller.wait_event("CALL_CLOSED", 10)
        assert listening.share_heard(kept, caller.heard_out()[place:], score=0.9) > 0.6


def _rows(engine: Engine) -> int:
    db = sqlite3.connect(f"file:{engine.data / 'ringdown.db'}?mode=ro", uri=True)
    try:
        return int(db.execute("SELECT count(*) FROM voicemail").fetchone()[0])
    finally:
        db.close()

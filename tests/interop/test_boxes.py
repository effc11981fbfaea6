"""A message from a real phone to a real phone: spoken into a box, shown by the lamp, heard by *97 with its PIN."""

from __future__ import annotations

import re
import sqlite3
import time
from pathlib import Path

import listening
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
"""
EDITS = {"site.yaml": ("numbers:\n", "numbers:\n  8720: {dialplan: interop, entry: box, public: yes}\n")}
BOXES = "front: {queue: support, number: 900, hears: [200], min: 1s}\n"


def pin(engine: Engine, box: str) -> str:
    found = re.search(rf"box default/{box}\s+(\d{{6}})", engine.output())
    assert found, engine.output()[-2_000:]
    return found[1]


def test_a_message_reaches_the_phone_of_who_must_hear_it(tmp_path: Path) -> None:
    engine = Engine(edits=EDITS, extra=DIALPLAN)
    (engine.site / "boxes.yaml").write_text(BOXES)
    with engine, Baresip(tmp_path, engine.address, "200", engine.passwords()["200"], lamp=True) as agent:
        agent.registered()
        agent.child.wait_for(r"Messages-Waiting: no", 5)
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


def _rows(engine: Engine) -> int:
    db = sqlite3.connect(f"file:{engine.data / 'ringdown.db'}?mode=ro", uri=True)
    try:
        return int(db.execute("SELECT count(*) FROM voicemail").fetchone()[0])
    finally:
        db.close()

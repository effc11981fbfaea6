"""What crosses between dialplan, call and recogniser comes back whole, also without the ports."""

from __future__ import annotations

import subprocess
import sys

import msgspec

from engine.speech.utterance import MATCH, Heard, Listening, Utterance


def test_they_come_back_with_typed_slots() -> None:
    heard = Heard("on friday yes", "day", {"day": "2026-11-27", "sure": True, "n": 3}, 0.9)
    for each in (Utterance(MATCH, (heard,), 100, 900), Listening("digest", "en", lists={"who": ("ana", "bo")})):
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(each), type=type(each)) == each


def test_a_dialplan_is_read_without_numpy() -> None:
    code = "import sys, engine.dialplan.reader, engine.call.listening; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

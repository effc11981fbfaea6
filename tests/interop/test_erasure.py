"""A caller is erased beside a running engine, and nobody else notices."""

from __future__ import annotations

import json
import subprocess
import sys
import time

from harness.children import until
from harness.desks import desk
from harness.rtp import Ear
from harness.server import ROOT, Engine

HIS, OTHER = "+441514960001", "+441514960002"
DIGITS = HIS[1:].encode()


def talk(engine: Engine, caller: str) -> str:
    """A conversation with agent 203 from the support queue; the call's name."""
    with engine.phone(caller, secret=False) as phone, desk(engine, "203") as agent:
        dialog = phone.call("700")
        there = agent.wait_call()
        there.answer()
        time.sleep(0.5)
        dialog.bye()
        there.expect_bye()
        return str(engine.last_call(caller=caller)["call"])


def where(engine: Engine, needle: bytes) -> list[str]:
    """Files of the data folder that hold these bytes. One that a running engine has just renamed is there under its
    new name: looked at again until all that were listed could be read."""
    while True:
        files = [path for path in engine.data.rglob("*") if path.is_file()]
        try:
            return sorted(str(path.relative_to(engine.data)) for path in files if needle in path.read_bytes())
        except FileNotFoundError:
            continue


def test_a_caller_is_forgotten_beside_a_running_engine() -> None:
    with Engine() as engine:
        his, other = talk(engine, HIS), talk(engine, OTHER)
        before = where(engine, DIGITS)
        assert any(name.startswith("journal/") for name in before) and "queue_log" in before, before
        looked = json.loads(engine.command("forget", HIS, "--dry-run", "--json").stdout)
        assert looked["found"]["calls"] == 1 and where(engine, DIGITS) == before

        with engine.phone("stranger", secret=False) as phone, Ear() as ear:
            dialog = phone.call("9664", media=ear.port)  # somebody listens to music meanwhile
            ear.start(dialog.media.host, dialog.media.port)
            until(lambda: ear.count() > 20, 3)
            done = engine.command("forget", "0044 1514 960001", "--json", seconds=150)
            assert done.returncode == 0, done.stdout + done.stderr
            assert ear.timeline_faults() == []
            dialog.bye()
        found = json.loads(done.stdout)
        assert found["left"] == {} and found["found"]["calls"] == 1 and found["found"]["journals"] >= 1
        assert found["found"]["signalling"] > 5 and found["found"]["queue_log_lines"] == 1
        assert where(engine, DIGITS) == [], "read byte by byte"

        assert where(engine, OTHER[1:].encode()), "somebody else was erased too"
        assert engine.last_call(caller=OTHER)["call"] == other
        ladder = engine.command("tail", "--sip", his)
        assert HIS not in ladder.stdout
        notes = [event["data"] for event in engine.events() if event["kind"] == "engine.records"]
        assert [(note["act"], note["subject"]) for note in notes] == [("forget", found["subject"])]
        assert "calls=1" in notes[0]["counts"] and HIS[1:] not in json.dumps(notes)
        numbers = [event["n"] for event in engine.events()]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "the stream has gaps"

        talk(engine, "+441514960003")  # and it goes on
        engine.stop()
        newest = max((engine.data / "journal").glob("*.journal"), key=lambda path: path.stat().st_mtime_ns)
        command = [sys.executable, "-m", "engine", "replay", str(newest)]
        replay = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert replay.returncode == 0 and "same outputs" in replay.stdout, replay.stdout + replay.stderr


def test_not_while_he_is_talking(engine: Engine) -> None:
    with engine.phone("+441514960009", secret=False) as phone:
        dialog = phone.call("9100")
        name = next(call["call"] for call in engine.ask("calls") if call["caller"] == "+441514960009")
        done = engine.command("forget", "+441514960009", "--json")
        assert done.returncode == 1 and name in done.stderr and "is up" in done.stderr, done.stderr
        dialog.bye()
    assert engine.last_call(caller="+441514960009")["call"] == name

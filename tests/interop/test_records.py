"""Records tell one story, and a locked database, a reload or a drain costs no call."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import listening
import pytest
from harness.children import Child, until
from harness.desks import desk
from harness.phone import FINAL, Phone
from harness.rtp import Ear
from harness.server import PASSWORD, ROOT, Engine

RECORDING = """\
ringdown: 1
about: A call recorded from its first word, then bridged.
entry: recorded

flows:
  recorded:
    - answer
    - record: start
    - queue:
        name: support
        waiting: on_hold
        full: over
        no_agents: over
        timeout: over
    - hangup: served
  over:
    - hangup: failed

waits:
  on_hold:
    - music: 30s
"""


def test_calls_tail_and_database_tell_the_same_story(engine: Engine, caller: Phone, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "engine", "tail", "--data", str(engine.data)]
    tail = Child(command, tmp_path / "tail.txt", cwd=ROOT, env={"PYTHONUNBUFFERED": "1"})
    try:
        until(lambda: (caller.call("9100").bye(), tail.output())[1], 15, every=0.3, what="the tail follows")
        dialog = caller.call("9101")
        time.sleep(0.3)
        dialog.request("INFO", headers=[("Content-Type", "application/dtmf-relay")], body="Signal=6\r\nDuration=90\r\n")
        dialog.expect(200, method="INFO")
        time.sleep(0.7)
        dialog.bye()
        row = engine.last_call(dialled="9101", caller="stranger")
        tail.wait_for(row["call"], 3)
        lines = [line for line in tail.output().splitlines() if row["call"] in line]
        assert len(lines) >= 3, lines
        assert any("9101" in line for line in lines)
    finally:
        tail.stop(1)
    listed = json.loads(engine.command("calls", "--json", "-n", "5").stdout)
    mine = next(entry for entry in listed if entry["call"] == row["call"])
    assert {key: mine[key] for key in ("dialled", "outcome", "duration_ms", "ended_by")} == {
        key: row[key] for key in ("dialled", "outcome", "duration_ms", "ended_by")
    }
    events = engine.events(row["call"])
    assert events[0]["kind"] == "call.started" and "call.ended" in [event["kind"] for event in events]


def test_events_have_no_gaps(engine: Engine, caller: Phone) -> None:
    for _ in range(5):
        caller.call("9100").bye()
    engine.last_call(dialled="9100")
    time.sleep(0.5)
    numbers: dict[str, list[int]] = {}
    for event in engine.events():
        numbers.setdefault(event["boot"], []).append(event["n"])
    for boot, found in numbers.items():
        assert found == list(range(found[0], found[0] + len(found))), f"gaps in boot {boot}"


def test_unanswered_and_refused_calls_are_recorded(engine: Engine, caller: Phone) -> None:
    """A caller who gives up before the answer has a record too (direct call between agents)."""
    with desk(engine, "203") as agent, engine.phone("201") as other:
        dialog = other.place("203")
        there = agent.wait_call()
        there.refuse(486)
        final = dialog.expect(*FINAL)
        assert final.status in (486, 480), final.start
        dialog.ack()
    row = engine.last_call(dialled="203")
    assert row["answered_ms"] == 0 and row["caller"] == "201"


def test_calls_go_on_while_the_database_is_locked(engine: Engine, caller: Phone) -> None:
    lock = sqlite3.connect(engine.data / "ringdown.db", isolation_level=None)
    try:
        lock.execute("BEGIN IMMEDIATE")
        for _ in range(5):
            assert caller.call("9100").bye().status == 200
        until(lambda: engine.ask("status")["switch"]["storage"] != "ok", 15, what="ops are told that records spool")
        began = time.monotonic()
        assert caller.call("9100").bye().status == 200
        assert time.monotonic() - began < 1.0
    finally:
        lock.execute("ROLLBACK")
        lock.close()
    until(lambda: engine.ask("status")["switch"]["storage"] == "ok", 20, what="storage is well again")
    until(lambda: len(engine.rows("SELECT 1 FROM calls WHERE dialled = '9100'")) >= 6, 10, what="spooled records")


def test_reload_in_mid_call_keeps_the_call(engine: Engine, caller: Phone) -> None:
    with Ear() as ear:
        dialog = caller.call("9664", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        until(lambda: ear.count() > 20, 3)
        engine.edit("site.yaml", "9100: {dialplan: diagnostics, entry: stay_silent, public: yes}",
                    "9100: {dialplan: diagnostics, entry: stay_silent, public: yes}\n"
                    "  9109: {dialplan: diagnostics, entry: stay_silent, public: yes}")  # fmt: skip
        try:
            began, heard = time.monotonic(), ear.count()
            done = engine.command("reload")
            assert done.returncode == 0, done.stdout + done.stderr
            caller_two = caller.call("9109")
            caller_two.bye()
            time.sleep(0.5)
            assert ear.count() - heard > 50 * (time.monotonic() - began) * 0.95 - 5
            assert ear.timeline_faults() == []
            dialog.bye()
        finally:
            engine.edit("site.yaml", "\n  9109: {dialplan: diagnostics, entry: stay_silent, public: yes}", "")
            engine.command("reload")


def test_a_wrong_file_is_refused_and_the_running_site_stays(engine: Engine, caller: Phone) -> None:
    path = engine.site / "dialplans" / "diagnostics.yaml"
    text = path.read_text()
    path.write_text(text.replace("- echo\n", "- ecco\n", 1))
    try:
        done = engine.command("reload")
        said = done.stdout + done.stderr
        assert done.returncode == 1 and "diagnostics.yaml:" in said and "^" in said and "echo" in said, said
        with Ear() as ear:
            dialog = caller.call("9196", media=ear.port)
            dialog.bye()
    finally:
        path.write_text(text)
    assert engine.command("reload").returncode == 0


def test_both_sides_are_recorded(tmp_path: Path) -> None:
    """Two channels: the caller left, the agent right, aligned with one another."""
    number = "700: {dialplan: main, entry: support, public: yes}"
    edits = {"site.yaml": (number, number + "\n  800: {dialplan: recorded, public: yes}")}
    engine = Engine(edits=edits)
    (engine.site / "dialplans" / "recorded.yaml").write_text(RECORDING)
    with engine, engine.phone("stranger", secret=False) as caller, Ear() as ear, Ear() as far:
        with desk(engine, "203") as agent:
            dialog = caller.call("800", media=ear.port)
            ear.start(dialog.media.host, dialog.media.port)
            there = agent.wait_call()
            there.answer(media=far.port)
            far.start(there.media.host, there.media.port)
            time.sleep(0.5)
            said, reply = listening.chirps(51, 3), listening.chirps(52, 3)
            ear.play(said)
            far.play(reply)
            time.sleep(4)
            dialog.bye()
            there.expect_bye()
        engine.last_call(dialled="800")
        files = until(lambda: sorted(engine.data.rglob("*.wav")), 5, what="a recording")
        assert isinstance(files, list)
        left, right = (listening.read_wav(files[0], side=side) for side in (0, 1))
        # by small pieces: the jitter buffer before a recorder may slip by some ms where our own sender wasn't punctual,
        # and each slip costs the piece in which it lies
        assert listening.share_heard(said, left, seconds=0.2) >= 0.8
        assert listening.share_heard(reply, right, seconds=0.2) >= 0.8
        assert listening.share_heard(said, right) == 0 and listening.share_heard(reply, left) == 0
        first = [listening.pieces(sound, side)[0].delay_s for sound, side in ((said, left), (reply, right))]
        assert abs(first[0] - first[1]) < 0.1, first
        assert not any(file.stat().st_mode & 0o077 for file in files), "a recording that others can read"


def test_sigterm_drains(tmp_path: Path) -> None:
    with Engine() as engine, engine.phone("a", secret=False) as one, engine.phone("b", secret=False) as two:
        dialog = one.call("9664")
        engine.drain()
        time.sleep(0.3)
        refused = two.invite("9100")
        final = refused.expect(*FINAL)
        assert final.status == 503 and final.get("retry-after")
        refused.ack()
        assert engine.child is not None and engine.child.running()
        assert dialog.bye().status == 200
        assert engine.child.wait(8) == 0
        rows = engine.rows("SELECT duration_ms FROM calls WHERE dialled = '9664'")
        assert len(rows) == 1 and rows[0]["duration_ms"] > 0


def test_killed_engine_starts_again_on_the_same_data(tmp_path: Path) -> None:
    with Engine() as engine, engine.phone("a", secret=False) as phone:
        words = engine.passwords()
        phone.call("9100").bye()
        engine.last_call(dialled="9100")
        assert engine.child is not None
        engine.child.process.send_signal(signal.SIGKILL)
        engine.child.wait(5)
        shown = len(engine.output())
        engine.start()
        assert not PASSWORD.search(engine.output()[shown:]), "passwords shown twice"
        with Phone(engine.address, "201", words["201"]) as agent:
            assert agent.register().status == 200
        phone.call("9100").bye()
        until(lambda: len(engine.rows("SELECT 1 FROM calls WHERE dialled = '9100'")) == 2, 5)


@pytest.mark.parametrize("seed", ["0", "1", "random"])
def test_a_journal_replays_to_the_same_outputs(tmp_path: Path, seed: str) -> None:
    with Engine() as engine, engine.phone("a", secret=False) as phone:
        phone.call("9100").bye()
        with desk(engine, "203") as agent:
            dialog = phone.call("700")
            there = agent.wait_call()
            there.answer()
            dialog.bye()
            there.expect_bye()
        engine.wait_idle()
        engine.stop()
        journals = sorted(engine.data.rglob("*journal*"))
        files = [path for path in journals if path.is_file()]
        assert files, sorted(engine.data.rglob("*"))
        done = subprocess.run(
            [sys.executable, "-m", "engine", "replay", str(files[-1])], cwd=ROOT, capture_output=True, text=True,
            timeout=60, env={"PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

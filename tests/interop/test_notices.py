"""Notices and hours with real callers: heard by the next one, over a restart, by phone and over the bus."""

from __future__ import annotations

import getpass
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import listening
from harness.children import Child, until
from harness.ports import free_port
from harness.rtp import Ear
from harness.server import ROOT, Engine

DIALPLAN = """\
ringdown: 1
flows:
  main:
    - answer
    - notice: storm
    - hours: {calendar: office, closed: shut}
    - play: thank_you
    - hangup: served
  shut:
    - hangup: shut
"""
STORM = listening.chirps(77, 2.0)
CALENDARS = "office: {open: [mon-sun 00:00-24:00]}\n"
AGENT = ("skills: {en: 3}, team: front}", "skills: {en: 3}, team: front, switches: [office]}")
HEARD_S_MAX = 10.0


def known() -> dict[str, listening.Samples]:
    names = ("thank_you", "switch_number", "switch_closed", "switch_auto", "switch_until_midnight")
    return {name: listening.read_wav(ROOT / "prompts" / "en" / f"{name}.wav") for name in names} | {"storm": STORM}


def caller_hears(engine: Engine, number: str = "8801", user: str = "stranger", *, secret: bool = False) -> list[str]:
    """One call, until the engine ends it: the sounds it had, in their order."""
    with engine.phone(user, secret=secret) as phone, Ear() as ear:
        dialog = phone.call(number, media=ear.port)
        dialog.expect_bye(12)
        until(lambda: ear.count(since=time.monotonic() - 0.5) == 0, 5, what="the last packets")
        # other sounds score below 0.3; a frame that a busy machine skipped must not hide one
        return [name for _, name in listening.which_prompts(ear.heard(), known(), score=0.5)]


@contextmanager
def mosquitto(folder: Path, port: int) -> Iterator[None]:
    (folder / "mosquitto.conf").write_text(
        f"user {getpass.getuser()}\nlistener {port} 127.0.0.1\nallow_anonymous true\n"
    )
    child = Child(["/usr/sbin/mosquitto", "-c", str(folder / "mosquitto.conf")], folder / "mosquitto.txt", cwd=folder)
    try:
        yield
    finally:
        child.stop()


def published(port: int, topic: str, text: str) -> None:
    command = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), "-t", topic, "-m", text]
    subprocess.run(command, check=True, timeout=9)


def retained(port: int, topic: str) -> str:
    command = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(port), "-t", topic, "-C", "1", "-W", "5"]
    found = subprocess.run(command, check=False, capture_output=True, text=True, timeout=9).stdout
    return str(json.loads(found)["state"]) if found else ""


def test_switched_by_command_phone_and_bus_and_kept_over_a_restart(tmp_path: Path) -> None:
    port = free_port()
    bus = ("numbers:\n", f"bus: {{broker: '127.0.0.1:{port}'}}\nnumbers:\n  8801: {{dialplan: interop, public: yes}}\n")
    engine = Engine(extra=DIALPLAN, edits={"site.yaml": bus, "agents.yaml": AGENT})
    (engine.site / "calendars.yaml").write_text(CALENDARS)
    listening.write_wav(tmp_path / "storm.wav", STORM)
    with engine:  # the broker is dead meanwhile: calls go on
        assert caller_hears(engine) == ["thank_you"]
        began = time.monotonic()
        said = engine.command("notice", "storm", "on", "--recording", str(tmp_path / "storm.wav"), "--by", "Mrs Hill")
        assert said.returncode == 0 and "until" in said.stdout and "undo: ringdown notice default/storm off" in (
            said.stdout
        ), said
        assert caller_hears(engine) == ["storm", "thank_you"]
        assert time.monotonic() - began < HEARD_S_MAX + 8, "the next caller, within 10 s and the length of his call"
        shown = engine.command("status").stdout
        assert "switch   notice default/storm on" in shown and "by Mrs Hill (" in shown and "bus      down" in shown
        engine.stop()
        engine.start()
        assert caller_hears(engine) == ["storm", "thank_you"]
        with mosquitto(tmp_path, port):
            until(lambda: "bus      connected" in engine.command("status").stdout, 40, what="the broker is met")
            assert retained(port, "ringdown/state/notice/default/storm") == "on"
            published(port, "ringdown/set/notice/default/storm", "off")
            until(lambda: not engine.ask("status")["switch"]["switches"], 5, what="the notice off")
            assert retained(port, "ringdown/state/notice/default/storm") == "off"
            assert caller_hears(engine) == ["thank_you"]
            # the first start showed the passwords: agent 200 switches the office by his phone
            assert caller_hears(engine, "*7012", "200", secret=True) == [
                "switch_number", "switch_closed", "switch_until_midnight"
            ]  # fmt: skip
            assert retained(port, "ringdown/state/calendar/default/office") == "closed"
            assert caller_hears(engine) == []
            assert engine.last_call(dialled="8801")["outcome"] == "shut"
            assert engine.command("hours", "office", "auto").returncode == 0
            assert caller_hears(engine) == ["thank_you"]
        told = sorted(engine.events(), key=lambda each: int(each["at_ms"]))  # over two boots
        moved = [e["data"] for e in told if e["kind"] == "operator.switch"]
        assert [(each["name"], each["state"]) for each in moved] == [
            ("default/storm", "on"), ("default/storm", "default"), ("default/office", "closed"),
            ("default/office", "default"),
        ]  # fmt: skip
        assert moved[1]["author"] == "mqtt" and moved[2]["author"] == "agent default/200"

"""A restart is refused while nothing has changed, when the new program can't go on with the calls."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from engine import __version__
from engine.media.image import Image
from engine.runtime import rehearsal as room
from engine.runtime.replaying import pack
from tests.house.source import ROOT
from tests.runtime.recorded import busy_world, header


def given() -> bytes:
    world = busy_world()
    world.phone("5551234", password="").call("700", world.now_ms, secret=False)
    world.run(2_000)
    return room.give(header(world, "b1", 1), pack(world.switch, Image()))


def test_a_state_that_it_knows_is_gone_on_with(capsys: pytest.CaptureFixture[str]) -> None:
    assert room.main(given()) == 0
    assert capsys.readouterr().out.strip() == __version__


@pytest.mark.parametrize("harm", ["torn", "foreign", "nothing"])
def test_a_state_that_it_does_not_know_is_refused_in_a_sentence(harm: str, capsys: pytest.CaptureFixture[str]) -> None:
    whole = given()
    part = msgspec.msgpack.decode(whole, type=room.Part)
    harmed = {
        "torn": room.give(part.header, part.state[: len(part.state) // 2]),
        "foreign": room.give(part.header, msgspec.msgpack.encode([b"\x93\x01\x02\x03", b"\x80"])),
        "nothing": b"",
    }[harm]
    assert room.main(harmed) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "drain that one instead" in said


def test_as_a_child() -> None:
    command = [sys.executable, "-m", "engine.runtime.rehearsal"]
    done = subprocess.run(command, input=given(), capture_output=True, cwd=ROOT, timeout=200)
    assert done.returncode == 0 and done.stdout.decode().strip() == __version__

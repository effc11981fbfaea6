"""Recognisers that others made: vosk's own transcriber as a client of ours, vosk's own classes as a server for a call;
and what remains of a call whose recognisers are killed."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from harness import speaker
from harness.children import Child, until
from harness.ports import free_port
from harness.server import ROOT, Engine
from harness.visit import Visiting, gathered, heard

from engine.runtime.graph_shelf import Shelf, shipped
from engine.speech.grammar import Grammar, Line, Slot
from tools import peer_packages

SAID = {"one": "billing", "two": "my bill", "three": "an operator please"}
GRAMMAR = Grammar(
    "en", (Line("(billing|my bill|sales|[an] operator [please])", "menu"), Line("$number", "number")),
    {"number": Slot("digits", 4, 4)}, fillers=False,
)  # fmt: skip
TRANSCRIBER_PORT = 2700  # which vosk-transcriber --server can't be told
SITE = """\
speech:
  en: {remote: ['ws://127.0.0.1:VOSK', 'ws://127.0.0.1:OURS'], timeout: 2s}
numbers:
  8820: {dialplan: interop, public: yes}
"""
DIALPLAN = """\
ringdown: 1
entry: main
person: desk
languages: [en]
phrases:
  billing: [billing, my bill]
  sales: sales
variables:
  account: digits 4
  again: digits 4
flows:
  main:
    - answer
    - menu: {prompt: ten_seconds, listen: [keys, speech], timeout: 2s, choices: {1: billing, 2: sales}, failed: lost}
  billing:
    - gather: {into: account, prompt: say_again, listen: [keys, speech], timeout: 4s, failed: lost}
    - gather: {into: again, prompt: say_again, listen: [keys, speech], timeout: 4s, failed: lost}
    - hangup: billing
  sales:
    - hangup: sales
  desk:
    - hangup: desk
  lost:
    - hangup: lost
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our network with a graph of its own: a model folder as vosk's own programs load it."""
    shelf = Shelf(tmp_path_factory.mktemp("shelf"))
    return shelf.prepared(str(shipped("en")), GRAMMAR, {}).model.folder


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What vosk's programs need beside our packages: ffmpeg, and a subtitle library that it imports."""
    folder = tmp_path_factory.mktemp("surroundings")
    packages = peer_packages.folder()
    srt = Path("/usr/lib/python3/dist-packages/srt.py")
    assert packages.is_dir() and srt.is_file(), "missing: python -m tools.peer_packages, or Debian's python3-srt"
    (found,) = packages.glob("imageio_ffmpeg/binaries/ffmpeg-linux-*")
    (folder / "ffmpeg").symlink_to(found)
    (folder / "srt.py").symlink_to(srt)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(folder)}


def recognizer(folder: Path, port: int, *arguments: str) -> Child:
    """`ringdown recognizer`, listening."""
    command = [sys.executable, "-m", "engine", "recognizer", f"--listen=127.0.0.1:{port}", *arguments]
    child = Child(command, folder / f"recognizer-{port}.txt", cwd=ROOT, env={"PYTHONPATH": str(ROOT)})
    child.wait_for(r"^ready ws://", 20)
    return child


def transcriber(folder: Path, what: Path, to: Path, model: Path, env: dict[str, str]) -> Child:
    """vosk's own client. It loads a model even when a server is to do the work."""
    program = str(Path(sys.executable).parent / "vosk-transcriber")
    command = [program, "--server", "--model", str(model), "--input", str(what), "--output", str(to)]
    return Child(command, folder / f"transcriber-{what.stem}.txt", env=env)


def test_vosk_transcriber_is_served_while_another_is_killed(
    tmp_path: Path, model: Path, surroundings: dict[str, str]
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    for name, text in SAID.items():
        said = (speaker.pause(300), speaker.words(text), speaker.pause(500))
        soundfile.write(tmp_path / "in" / f"{name}.wav", speaker.in_room(speaker.joined(*said), 30, 1), speaker.RATE)
    long = speaker.in_room(speaker.joined(*[speaker.words("my bill"), speaker.pause(500)] * 40), 30, 1)
    soundfile.write(tmp_path / "long.wav", long, speaker.RATE)
    ours = recognizer(tmp_path, TRANSCRIBER_PORT, "--phrases", "billing|my bill|sales|[an] operator [please]")
    try:
        killed = transcriber(tmp_path, tmp_path / "long.wav", tmp_path / "long.txt", model, surroundings)
        killed.wait_for(r"partial", 20)
        killed.process.kill()
        began = time.monotonic()
        served = transcriber(tmp_path, tmp_path / "in", tmp_path / "out", model, surroundings)
        assert served.wait(20) == 0, served.tail()
        print(f"three files in {time.monotonic() - began:.2f} s")
        assert ours.running() and "Traceback" not in ours.output(), ours.tail()
    finally:
        ours.stop()
    assert {name: (tmp_path / "out" / f"{name}.txt").read_text().strip() for name in SAID} == SAID
    assert not (tmp_path / "long.txt").exists()


@pytest.fixture(scope="module")
def peers(
    tmp_path_factory: pytest.TempPathFactory, model: Path, surroundings: dict[str, str]
) -> Iterator[tuple[Child, Child]]:
    """vosk's classes and `ringdown recognizer`, each behind its port."""
    tmp_path = tmp_path_factory.mktemp("peers")
    server = str(Path(__file__).with_name("vosk_server.py"))
    vosk = Child([sys.executable, server, str(model)], tmp_path / "vosk.txt", env=surroundings)
    ours = recognizer(tmp_path, free_port())
    try:
        yield vosk, ours
    finally:
        vosk.stop()
        ours.stop()


def ports_of(peers: tuple[Child, Child]) -> tuple[str, str]:
    vosk, ours = peers
    return vosk.wait_for(r"^listening (\d+)", 20)[1], ours.wait_for(r"^ready ws://127.0.0.1:(\d+)", 1)[1]


@pytest.fixture(scope="module")
def engine(peers: tuple[Child, Child]) -> Iterator[Engine]:
    """One that asks both of them."""
    ports = ports_of(peers)
    site = SITE.replace("VOSK", ports[0]).replace("OURS", ports[1])
    with Engine(edits={"site.yaml": ("numbers:\n", site)}, extra=DIALPLAN) as made:
        yield made


def wait_understood(engine: Engine, count: int) -> None:
    """Until so many utterances of the engine's life are over: its packets' pace is judged elsewhere."""
    until(lambda: sum(each["kind"] == "speech.heard" for each in engine.events()) >= count, 15)


def test_a_call_outlives_both_its_recognisers(engine: Engine, peers: tuple[Child, Child]) -> None:
    vosk, ours = peers
    ports = ports_of(peers)
    with Visiting(engine) as visit:
        visit.wait_loud()
        time.sleep(0.3)
        visit.say(speaker.words("billing"))
        wait_understood(engine, 1)
        visit.say(speaker.words("two seven"))
        ours.process.kill()
        visit.say(speaker.pause(200), speaker.words("four one"))
        wait_understood(engine, 2)
        visit.say(speaker.words("nine three"))
        vosk.process.kill()
        visit.say(speaker.pause(200), speaker.words("eight six"))
    said = heard(engine, visit)
    print(f"answers {[round(visit.answer_ms(n)) for n in (0, 1)]} ms", said)
    taken, told = gathered(engine, visit), engine.output()
    assert (visit.outcome, taken) == ("billing", {"account": "2741", "again": "9386"})
    by = [str(each["engine"]) for each in said]
    assert by[0].startswith("remote ws://127.0.0.1:") and by[1] == f"remote ws://127.0.0.1:{ports[0]}"
    assert by[2].startswith("embedded (stands in: ")
    assert all(f"the recogniser ws://127.0.0.1:{port} fails: " in told for port in ports)
    assert '"text" : "two seven four one"' in vosk.output()  # the library's own words


def test_a_broken_model_is_refused_by_a_reload_and_keys_go_on(engine: Engine, model: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(model, tmp_path / "model"))
    (broken / "am/final.mdl").write_bytes((model / "am/final.mdl").read_bytes()[:100_000])
    engine.edit("site.yaml", "timeout: 2s}", f"timeout: 2s, folder: {broken}}}")
    refused = engine.command("reload")
    print(refused.stdout, refused.stderr)
    assert refused.returncode == 1
    assert re.search(r"site\.yaml:\d+:\d+: error RD324: .*can't be used", refused.stdout + refused.stderr)
    with Visiting(engine) as visit:  # by what was in force before; nobody that it names is left
        visit.wait_loud()
        visit.ear.press("2")
    assert visit.outcome == "sales"

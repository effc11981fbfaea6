"""The real Switch, from a header or from its own encoded state, replays what it did, under any hash seed."""

from __future__ import annotations

import lzma
import os
import subprocess
import sys
from pathlib import Path as FilePath

import msgspec
import pytest

from engine.call.effects import Deadline, Emit, Entropy, Input, Listening, Received, Resumed, SiteLoaded, WallClock
from engine.errors import UsageError
from engine.media.image import Image
from engine.runtime.journal import FORMAT, Header, Journal, replay
from engine.runtime.replaying import build, chain, files_of, pack, unpack
from engine.sip.events import Path
from tests.runtime.fakes import site

PATH = Path(1, "127.0.0.1", 40_000)
OPTIONS = (
    b"OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:40000;branch=z9hG4bK%d\r\nFrom: <sip:a@b>;tag=1\r\n"
    b"To: <sip:x@127.0.0.1>\r\nCall-ID: c%d\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)
INVITE = (
    b"INVITE sip:%d@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:40000;branch=z9hG4bKi%d\r\n"
    b"From: <sip:a@b>;tag=1\r\nTo: <sip:x@127.0.0.1>\r\nCall-ID: i%d\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n"
    b"Contact: <sip:a@127.0.0.1:40000>\r\nContent-Length: 0\r\n\r\n"
)


def record(folder: FilePath) -> Journal:
    header = Header(FORMAT, "0.1", "b1", "a", 7, b"k" * 32, "s", 1, 64)
    journal = Journal(folder, header)
    switch = build(header, None)
    inputs: list[Input] = [
        Entropy(b"e" * 32), WallClock(1_700_000_000_000), Listening(1, "udp", "127.0.0.1", 5060, "127.0.0.1", 5060),
        SiteLoaded("version-1", msgspec.msgpack.encode(site())),
    ]
    for number in range(20):
        inputs += [Received(PATH, OPTIONS % (number, number)), Received(PATH, INVITE % (100 + number, number, number)),
                   Received(PATH, b"garbage %d" % number), Deadline()]
    for number, each in enumerate(inputs):
        journal.append(number * 100, each, switch.seal_for(each))
        journal.outputs(switch.handle(each, number * 100))
        if number % 7 == 6:
            journal.write(journal.take())
        if number == 40:
            journal.rotate(pack(switch, Image()), "s")
    journal.close()
    return journal


def test_every_file_of_a_boot_replays(tmp_path: FilePath) -> None:
    record(tmp_path)
    for path in sorted(tmp_path.glob("*.journal")):
        report = replay(path, build)
        assert report.differs is None and not report.faults and report.clean_end and report.outputs > 40


def test_three_hash_seeds_one_digest(tmp_path: FilePath) -> None:
    path = record(tmp_path).path
    digests = []
    for seed in ("0", "1", "4711"):
        done = subprocess.run(
            [sys.executable, "-m", "engine", "replay", str(path), "--hash-outputs"], check=True, capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed}, timeout=60,
        )
        digests.append(done.stdout.strip())
    assert len(set(digests)) == 1 and len(digests[0]) == 64


def test_which_files(tmp_path: FilePath) -> None:
    record(tmp_path)
    names = [path.name for path in files_of(tmp_path)]
    assert names == ["b1-000000.journal", "b1-000001.journal"]
    assert [path.name for path in files_of(tmp_path, 1)] == names[1:]
    assert files_of(tmp_path / names[1]) == [tmp_path / names[1]]
    assert [path.name for path in files_of(tmp_path / names[0])] == names
    copy = tmp_path / "copy.journal"
    copy.write_bytes((tmp_path / names[0]).read_bytes())
    assert files_of(copy) == [copy] and [path.name for path in files_of(tmp_path)] == names
    for nothing in (tmp_path / "none", tmp_path / "b1-000009.journal"):
        with pytest.raises(UsageError, match="no journal at"):
            files_of(nothing)
    with pytest.raises(UsageError, match="the last is 1"):
        files_of(tmp_path, 2)


def test_a_chain_proves_each_checkpoint_by_the_inputs_before_it(tmp_path: FilePath) -> None:
    record(tmp_path)
    files = files_of(tmp_path)
    assert [each.follows for each in chain(files)] == [None, True]
    assert [each.follows for each in chain(files[1:])] == [None]
    torn = files[0].read_bytes()
    files[0].write_bytes(torn[:-9])  # its end is missing: nobody knows what came before the checkpoint
    assert [each.follows for each in chain(files)] == [None, None]


STORED = sorted((FilePath(__file__).parents[1] / "vectors" / "state").glob("*.states.xz"))


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.name)
def test_states_of_earlier_engines_are_gone_on_with(path: FilePath) -> None:
    """An upgrade under calls: this engine reads the old one's state, and every call comes to its end on all sides."""
    states = msgspec.msgpack.decode(lzma.decompress(path.read_bytes()), type=dict[str, bytes])
    assert len(states) >= 10
    for phase, state in states.items():
        switch, image = unpack(Header(FORMAT, "0.1", "b", "a", 1, b"", "", 0, 256), state)
        room, calls = switch.room, list(switch.room.calls.values())
        assert calls and (phase == "closing" or image.rows), phase
        now_ms, said = room.now_ms + 1, []
        listening = Listening(1, "udp", "192.0.2.9", 5060, "192.0.2.9", 5060)
        for event in (Resumed(500, "restart", 0), listening, *([Deadline()] * 60)):
            said += [each.event for each in switch.handle(event, now_ms) if isinstance(each, Emit)]
            now_ms += 100
        ended = {event.call for event in said if event.kind == "call.ended"}
        assert ended == {call.name for call in calls} and not room.calls, phase


def test_a_version_without_its_stored_states_would_be_noticed() -> None:
    assert STORED

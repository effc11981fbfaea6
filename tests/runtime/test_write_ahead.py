"""The mapped file: what was put comes back although nobody closed it; what is torn does not."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.runtime import write_ahead as room
from engine.runtime.journal import frame, frames
from engine.runtime.write_ahead import MAGIC, WriteAhead, read

ROOT = Path(__file__).parents[2]
SIZE = 256


def ahead(folder: Path, slots: int = 3, size: int = SIZE) -> WriteAhead:
    made = WriteAhead(folder / "ahead", "boot1", slots=slots, size=size)
    assert made.detail == ""
    return made


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.binary(min_size=1, max_size=90), st.booleans()), max_size=20))
def test_what_was_put_and_not_released_comes_back_in_order(
    tmp_path_factory: pytest.TempPathFactory, records: list[tuple[bytes, bool]]
) -> None:
    folder = tmp_path_factory.mktemp("ahead")
    made = ahead(folder)
    kept: list[tuple[int, bytes]] = []  # (number, record) that no journal has yet
    slot, mine = None, list[tuple[int, bytes]]()
    for number, (body, release) in enumerate(records, 1):
        record = frame(b"I" + body)
        if slot is None or not slot.put(record):
            slot = made.slot(number, len(record))
            mine = []
            assert slot.put(record)
        mine.append((number, record))
        if slot.mapped:
            kept.append((number, record))
        if release:
            made.release(slot)
            kept = [each for each in kept if each not in mine]
            slot = None
    found = read(folder / "ahead", size=SIZE)
    assert found is not None and found.boot == "boot1" and found.machine_boot == room.machine_boot()
    back = []
    for first, chunk in found.chunks:
        back += [(first + at, frame(kind + body)) for at, (kind, body) in enumerate(frames(chunk))]
    assert back == sorted(kept)
    made.close()
    assert not (folder / "ahead").exists()


def test_a_kill_loses_nothing_that_was_put(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom engine.runtime.write_ahead import WriteAhead\n"
        "ahead = WriteAhead(Path(sys.argv[1]), 'b9')\nahead.alive(1234, 5678)\nslot = ahead.slot(41)\n"
        "assert slot.put(b'one') and slot.put(b'two')\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "ahead")], cwd=ROOT, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    found = read(tmp_path / "ahead")
    assert found is not None and found.chunks == ((41, b"onetwo"),)
    assert (found.boot, found.alive_ms, found.alive_unix_ms) == ("b9", 1_234, 5_678)
    assert (tmp_path / "ahead").stat().st_mode & 0o777 == 0o600


def test_a_slot_that_is_full_says_so_and_stays_as_it_was(tmp_path: Path) -> None:
    made = ahead(tmp_path)
    slot = made.slot(1)
    assert slot.put(b"x" * slot.room) and not slot.put(b"y")
    with slot.records() as view:
        assert bytes(view) == b"x" * slot.room
    made.close()


def test_when_slots_run_out_plain_memory_takes_over(tmp_path: Path) -> None:
    made = ahead(tmp_path, slots=2)
    slots = [made.slot(number) for number in (1, 2, 3)]
    assert [slot.mapped for slot in slots] == [True, True, False]
    large = made.slot(4, 5_000)
    assert not large.mapped and large.put(b"z" * 5_000)
    made.release(slots[2])  # never comes into the pool of mapped ones
    made.release(slots[0])
    assert made.slot(5).mapped and not made.slot(6).mapped
    made.close()


def test_a_new_engine_wipes_what_the_dead_one_left(tmp_path: Path) -> None:
    ahead(tmp_path).slot(7).put(b"old")
    ahead(tmp_path)
    found = read(tmp_path / "ahead", size=SIZE)
    assert found is not None and found.chunks == ()


@pytest.mark.parametrize("content", [b"", b"RDAHEAD1", b"something else" * 1_000])
def test_what_is_none_of_ours_is_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ahead").write_bytes(content)
    assert read(tmp_path / "ahead") is None and read(tmp_path / "none") is None


@pytest.mark.parametrize(("first", "used"), [(0, 30), (5, 0), (5, -3), (5, SIZE), (-1, 30)])
def test_a_torn_slot_is_left_out_and_the_others_stay(tmp_path: Path, first: int, used: int) -> None:
    made = ahead(tmp_path)
    for number in (1, 2):
        assert made.slot(number).put(b"record")
    made._map.close()  # type: ignore[union-attr]
    content = bytearray((tmp_path / "ahead").read_bytes())
    room._SLOT.pack_into(content, room._PAGE, first, used)
    (tmp_path / "ahead").write_bytes(content)
    found = read(tmp_path / "ahead", size=SIZE)
    assert found is not None and found.chunks == ((2, b"record"),)


def test_a_full_disk_is_said_at_start_and_costs_only_the_last_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(room.os, "posix_fallocate", full)
    made = WriteAhead(tmp_path / "ahead", "b")
    assert "No space left" in made.detail and "200 ms" in made.detail
    slot = made.slot(1)
    assert not slot.mapped and slot.put(b"goes on")
    made.alive(1, 2)
    made.release(slot)
    made.close()


def test_a_machine_has_one_name_until_it_boots_again() -> None:
    assert room.machine_boot() == room.machine_boot() != ""


def test_the_file_is_reserved_whole(tmp_path: Path) -> None:
    """A hole would be a SIGBUS when the disk is full."""
    ahead(tmp_path, slots=4, size=1 << 16)
    status = (tmp_path / "ahead").stat()
    assert status.st_blocks * 512 >= status.st_size == room._PAGE + 4 * (1 << 16)
    assert (tmp_path / "ahead").read_bytes().startswith(MAGIC)

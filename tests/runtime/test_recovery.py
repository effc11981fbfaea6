"""A killed engine's Switch again, to the byte; what is damaged costs itself, is named, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.call.effects import Deadline, Drain, Input, MediaHappened
from engine.media.commands import Latched
from engine.runtime import journal as files
from engine.runtime import write_ahead
from engine.runtime.journal import MAGIC, frame, records
from engine.runtime.recovery import Lost, dead_boot, recover
from engine.runtime.seal import Keys
from engine.switch import Switch
from tests.call.calls import ring, row_of
from tests.runtime.recorded import BATCH, Recorder, busy_world, record
from tests.scenarios.soak import Mischief


@pytest.fixture(scope="module")
def inputs() -> list[tuple[int, Input]]:
    mischief = Mischief(7)
    while len(mischief.world.inputs) < 200 or not mischief.world.switch.room.calls:
        mischief.act()
    while len(mischief.world.inputs) % BATCH < 2:  # some must be on their way to the disk
        mischief.world.give(Deadline())
    return mischief.world.inputs


@pytest.fixture
def killed(tmp_path: Path, inputs: list[tuple[int, Input]]) -> Recorder:
    """Killed in the middle of calls, with inputs that only the write-ahead file has."""
    world = busy_world(7)
    world.inputs = inputs
    return record(tmp_path, world, seed=7, every=len(inputs) // 3 - 5)


def same(made: Recorder, *, inputs: int = 0) -> None:
    found = recover(made.journal.folder)
    assert found is not None and found.notes == []
    assert found.inputs == (inputs or made.journal.inputs)
    assert found.switch.encode() == made.switch.encode()
    assert found.image == made.image
    assert found.last_ms == made.switch.room.now_ms <= found.broke_ms


def test_the_state_in_which_it_died_to_the_byte(killed: Recorder) -> None:
    killed.journal.ahead.alive(killed.switch.room.now_ms + 400, 1_700_000_000_000)
    on_disk = sum(kind in (b"I", b"S") for path in killed.files for kind, _ in records(path.read_bytes()))
    assert on_disk < killed.journal.inputs  # the rest is in memory that a kill can't reach
    same(killed)
    found = recover(killed.journal.folder)  # recovering changes nothing: once more
    assert found is not None and found.switch.encode() == killed.switch.encode()
    assert found.broke_ms == killed.switch.room.now_ms + 400 and found.broke_unix_ms == 1_700_000_000_000
    assert found.machine == write_ahead.machine_boot()
    assert [event.n for event in found.events] == sorted({event.n for event in found.events})


def test_what_the_plane_told_since_the_checkpoint_is_in_the_image(tmp_path: Path) -> None:
    world = busy_world()
    caller = ring(world, "730")
    world.run(2_500)  # its first prompt has ended, the second one plays
    world.press(caller, "1")
    world.give(MediaHappened(Latched(*row_of(world, caller), "198.51.100.9", 9_000)))
    made = record(tmp_path, world)
    same(made)
    (row,) = made.image.rows.values()
    assert row.latched == ("198.51.100.9", 9_000) and row.play is None


def test_what_only_the_write_ahead_file_had_is_in_the_journal_afterwards(killed: Recorder) -> None:
    same(killed)
    (killed.journal.folder / write_ahead.FILE_NAME).unlink()
    same(killed)


def test_without_its_write_ahead_file_it_is_the_last_batch(killed: Recorder) -> None:
    (killed.journal.folder / write_ahead.FILE_NAME).unlink()
    found = recover(killed.journal.folder)
    assert found is not None and found.notes == [] and 0 < killed.journal.inputs - found.inputs < BATCH + 3


def test_another_boots_write_ahead_file_is_none_of_ours(killed: Recorder, tmp_path: Path) -> None:
    write_ahead.WriteAhead(tmp_path / write_ahead.FILE_NAME, "other").slot(1).put(frame(b"Inonsense"))
    found = recover(tmp_path)
    assert found is not None and found.notes == []


def test_an_engine_that_ended_is_not_continued(killed: Recorder, tmp_path: Path) -> None:
    killed.journal.close()
    assert dead_boot(tmp_path) == [] and recover(tmp_path) is None
    assert recover(tmp_path / "never") is None


def damage(path: Path, kinds: bytes, change: Callable[[bytearray, int, int], None], nth: int = 0) -> None:
    """Let `change(content, at, size)` loose on the nth record of these kinds."""
    content = bytearray(path.read_bytes())
    at = len(MAGIC)
    for kind, body in records(bytes(content)):
        size = 9 + len(body)
        if kind in kinds:
            if nth == 0:
                change(content, at, size)
                break
            nth -= 1
        at += size
    path.write_bytes(content)


def flip(content: bytearray, at: int, size: int) -> None:
    content[at + size // 2] ^= 0x40


def test_a_torn_checkpoint_sends_us_to_the_one_before(killed: Recorder) -> None:
    damage(killed.files[-1], b"C", flip)
    found = recover(killed.journal.folder)
    assert found is not None and found.switch.encode() == killed.switch.encode()
    assert found.image == killed.image and found.inputs == killed.journal.inputs
    assert any(killed.files[-1].name in note for note in found.notes)


def test_a_torn_header_too(killed: Recorder) -> None:
    damage(killed.files[-1], b"H", flip)
    found = recover(killed.journal.folder)
    assert found is not None and found.notes == [f"{killed.files[-1].name}: its beginning is torn"]
    assert found.inputs == killed.journal.inputs and found.switch.encode() == killed.switch.encode()


@pytest.mark.parametrize("content", [b"", MAGIC[:5], MAGIC, MAGIC + b"\0\0"])
def test_a_kill_while_the_next_file_was_begun(killed: Recorder, content: bytes) -> None:
    """The file before it is whole, so nothing is lost, and the next engine doesn't write behind the torn beginning."""
    folder = killed.journal.folder
    begun = folder / f"{killed.journal.header.boot}-{len(killed.files):06d}.journal"
    begun.write_bytes(content)
    found = recover(folder)
    assert found is not None and found.switch.encode() == killed.switch.encode()
    assert found.header.serial == len(killed.files)
    assert len(found.notes) == 1 and begun.name in found.notes[0]
    (folder / write_ahead.FILE_NAME).unlink()
    again = recover(folder)
    assert again is not None and again.switch.encode() == killed.switch.encode()


def test_a_damaged_input_is_passed_over_and_named(killed: Recorder) -> None:
    damage(killed.files[-1], b"IS", flip, nth=3)
    found = recover(killed.journal.folder)
    assert found is not None and found.inputs == killed.journal.inputs
    assert len(found.notes) == 1 and "is damaged and was passed over" in found.notes[0]
    size = killed.files[-1].stat().st_size
    again = recover(killed.journal.folder)  # nothing that was whole has been cut off behind the damage
    assert again is not None and again.inputs == found.inputs and killed.files[-1].stat().st_size == size


def test_a_torn_tail_is_made_good_from_memory(killed: Recorder) -> None:
    path = killed.files[-1]
    path.write_bytes(path.read_bytes()[:-20])
    same(killed)
    (killed.journal.folder / write_ahead.FILE_NAME).unlink()
    found = recover(killed.journal.folder)
    assert found is not None and found.inputs == killed.journal.inputs


def test_inputs_that_never_reached_the_disk_are_named(killed: Recorder, tmp_path: Path) -> None:
    number = killed.journal.inputs + 1
    killed.journal.write(killed.journal.take())
    ahead = write_ahead.WriteAhead(tmp_path / write_ahead.FILE_NAME, killed.journal.header.boot)
    ahead.slot(number + 10).put(frame(b"I" + files._encode((killed.switch.room.now_ms, Drain()))))
    found = recover(tmp_path)
    assert found is not None and found.inputs == number + 10 and found.switch.room.draining
    assert found.notes == [f"inputs {number} to {number + 9} never reached the disk"]


def test_destroyed_keys_cost_their_inputs(killed: Recorder, tmp_path: Path) -> None:
    names = {line.rpartition(" ")[0] for line in (tmp_path / f"{killed.journal.header.boot}.keys").read_text()
             .splitlines()}
    assert {"state", "secrets"} <= names
    Keys(tmp_path / f"{killed.journal.header.boot}.keys").destroy("secrets")
    found = recover(tmp_path)
    assert found is not None  # the newest state stands on its own key
    Keys(tmp_path / f"{killed.journal.header.boot}.keys").destroy("state")
    found = recover(tmp_path)  # from the boot's very first file, without its secrets
    assert found is not None and any("can't be read" in note for note in found.notes)


def test_nothing_to_build_on_is_said(killed: Recorder) -> None:
    for path in killed.files:
        damage(path, b"H", flip)
    with pytest.raises(Lost, match="beginning is torn"):
        recover(killed.journal.folder)


def test_a_foreign_file_in_the_folder_is_not_the_last_boot(killed: Recorder, tmp_path: Path) -> None:
    (tmp_path / "copy.journal").write_bytes(b"hello")
    same(killed)


def test_an_input_at_which_the_switch_raised_is_one_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Recorder(tmp_path, files.Header(files.FORMAT, "0.1", "b", "a", 1, b"k" * 32, "s", 1, 8))
    handle = Switch.handle

    def broken(self: Switch, event: Input, now_ms: int) -> object:
        if isinstance(event, Drain):
            raise RuntimeError("on purpose")
        return handle(self, event, now_ms)

    monkeypatch.setattr(Switch, "handle", broken)
    with pytest.raises(RuntimeError):
        made.give(5, Drain())
    found = recover(tmp_path)
    assert found is not None and found.inputs == 1 and found.replayed == 1

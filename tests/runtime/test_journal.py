"""The journal: what was written is what is replayed; differences, torn tails and destroyed keys are named."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.call.effects import Deadline, Entropy, Input, LogLine, Received, Reply, SecretsLoaded
from engine.runtime import journal as room
from engine.runtime.journal import FORMAT, Header, Journal, JournalError, replay
from engine.sip.events import Path, Send

HEADER = {"format": FORMAT, "version": "0.1", "boot": "b1", "node": "a", "seed": 7, "tokens_key": b"k" * 32,
          "site": "s", "began_ms": 1, "rows_max": 4}


class Counter:
    """A tiny deterministic switch: its outputs depend on everything it has seen."""

    def __init__(self, header: Header | None = None, state: bytes | None = None, *, off: int = 0) -> None:
        self.total = int(state) if state else 0
        self.off = off

    def handle(self, input: Input, now_ms: int) -> list[Any]:
        if isinstance(input, Entropy) and input.fresh == b"boom":
            raise ValueError("boom")
        self.total += now_ms + (len(input.data) if isinstance(input, Received) else 1)
        value = self.total + (self.off if self.total > 100 else 0)
        path = Path(1, "h", 5060)
        return [Send(path, b"%d" % value), LogLine("info", str(value))] if value % 3 else [Reply(value, True, b"1")]


class Silent:
    """Puts nothing out."""

    def handle(self, input: Input, now_ms: int) -> list[Any]:
        return []


def header(**changes: Any) -> Header:
    return Header(**(HEADER | changes))


Inputs = list[tuple[int, Input, str | None]]


def record(folder: FilePath, inputs: Inputs, *, batch: int = 3, **settings: Any) -> Journal:
    switch = Counter()
    journal = Journal(folder, header(), **settings)
    for number, (now_ms, input, key) in enumerate(inputs):
        journal.append(now_ms, input, key)
        try:
            journal.outputs(switch.handle(input, now_ms))
        except ValueError:
            journal.outputs([])
        if number % batch == batch - 1:
            journal.write(journal.take())
    return journal


def some(count: int) -> Inputs:
    path = Path(1, "192.0.2.1", 5060)
    return [(n * 10, Received(path, b"x" * n) if n % 4 else Deadline(), None) for n in range(count)]


def test_same_outputs_bit_for_bit(tmp_path: FilePath) -> None:
    journal = record(tmp_path, some(20))
    journal.close()
    assert journal.path.stat().st_mode & 0o777 == 0o600
    seen: list[int] = []
    report = replay(journal.path, Counter, lambda number, *_: seen.append(number))
    assert report.differs is None and report.clean_end and not report.torn
    assert (report.inputs, report.checked, report.engine_ms) == (20, 7, 190)
    assert seen == list(range(1, 21))
    assert report.digest == journal._digest.hexdigest()


def test_batches_do_not_change_the_digest(tmp_path: FilePath) -> None:
    digests = []
    for number, batch in enumerate((1, 4, 50)):
        journal = record(tmp_path / str(number), some(20), batch=batch)
        journal.close()
        digests.append(replay(journal.path, Counter).digest)
    assert len(set(digests)) == 1


def test_a_difference_is_found_within_its_batch(tmp_path: FilePath) -> None:
    journal = record(tmp_path, some(20))
    journal.close()
    report = replay(journal.path, lambda head, state: Counter(head, state, off=1))
    first = next(n for n in range(20) if sum(n * 10 + (n if n % 4 else 1) for n in range(n + 1)) > 100) + 1
    assert report.differs is not None
    agreed, at = report.differs
    assert agreed < first <= at <= agreed + 3


def test_an_input_at_which_the_switch_raised_is_replayed_as_such(tmp_path: FilePath) -> None:
    journal = record(tmp_path, [*some(4), (50, Entropy(b"boom"), None), *some(3)])
    journal.close()
    report = replay(journal.path, Counter)
    assert report.faults == 1 and report.differs is None and report.inputs == 8


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 400), st.binary(max_size=30))
def test_a_torn_tail_is_tolerated(tmp_path_factory: pytest.TempPathFactory, cut: int, junk: bytes) -> None:
    folder = tmp_path_factory.mktemp("torn")
    journal = record(folder, some(20))
    journal.close()
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole[: max(len(room.MAGIC) + 200, len(whole) - cut)] + junk)
    report = replay(journal.path, Counter)
    assert report.differs is None and report.inputs <= 20
    assert report.torn or (cut == 0 and not junk) or report.clean_end or (cut and not junk)


def test_a_flipped_bit_ends_the_reading(tmp_path: FilePath) -> None:
    journal = record(tmp_path, some(20))
    journal.close()
    data = bytearray(journal.path.read_bytes())
    data[len(data) // 2] ^= 1
    journal.path.write_bytes(data)
    report = replay(journal.path, Counter)
    assert report.torn and 0 < report.inputs < 20 and report.differs is None


def test_sealed_inputs_are_unreadable_and_replay_with_the_key(tmp_path: FilePath) -> None:
    secret = SecretsLoaded({"default/200": {"MD5": "topsecrethash"}}, {"gw": ("us", "trunkpassword")})
    journal = record(tmp_path, [*some(5), (60, secret, "secrets"), (70, secret, "call bako-1"), *some(3)])
    journal.close()
    raw = journal.path.read_bytes()
    assert b"topsecret" not in raw and b"trunkpassword" not in raw
    keys_file = tmp_path / "b1.keys"
    assert keys_file.stat().st_mode & 0o777 == 0o600
    report = replay(journal.path, Counter)
    assert report.differs is None and report.inputs == 10 and not report.sealed
    room.Keys(keys_file).destroy("call bako-1")
    report = replay(journal.path, Counter)
    assert report.sealed == "call bako-1" and report.inputs == 6 and report.differs is None and not report.torn


def test_rotation_begins_with_the_state(tmp_path: FilePath) -> None:
    switch = Counter()
    journal = Journal(tmp_path, header(), bytes_max=4_000)
    files = [journal.path]
    for number, (now_ms, input, key) in enumerate(some(300)):
        journal.append(now_ms, input, key)
        journal.outputs(switch.handle(input, now_ms))
        if number % 5 == 4:
            journal.write(journal.take())
        if journal.due_for_rotation():
            journal.rotate(str(switch.total).encode(), "s2")
            files.append(journal.path)
    journal.close()
    assert len(files) > 5 and journal.path.name.endswith(f"-{len(files) - 1:06d}.journal")
    kept = sorted(tmp_path.glob("*.journal"))
    assert len(kept) < len(files) and sum(path.stat().st_size for path in kept) < 12_000
    states: list[bytes | None] = []

    def build(head: Header, state: bytes | None) -> Counter:
        states.append(state)
        return Counter(head, state)

    for path in kept:
        report = replay(path, build)
        assert report.differs is None and report.clean_end and (report.inputs or path == journal.path)
    assert all(states)


def test_old_boots_are_pruned_with_their_keys(tmp_path: FilePath) -> None:
    for boot in ("old1", "old2"):
        journal = Journal(tmp_path, header(boot=boot))
        journal.append(1, SecretsLoaded({}), "secrets")
        journal.close()
    room.prune(tmp_path, 0)
    assert not list(tmp_path.glob("*.journal")) and not list(tmp_path.glob("*.keys"))


def test_a_full_disk_stops_the_journal_and_nothing_else(tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = record(tmp_path, some(6))

    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(room.os, "write", full)
    journal.append(1_000, Deadline(), None)
    journal.write(journal.take())
    assert journal.failed == "journal stopped: No space left on device"
    monkeypatch.undo()
    journal.append(1_001, Deadline(), None)
    journal.close()
    report = replay(journal.path, Counter)
    assert report.inputs == 6 and report.differs is None and not report.clean_end  # no gap was papered over


def test_a_disk_that_is_full_at_the_start_is_tried_again(tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(room.os, "write", full)
    journal = Journal(tmp_path, header())
    assert journal.failed == "journal stopped: No space left on device"
    journal.append(1, Deadline(), None)
    journal.write(journal.take())
    monkeypatch.undo()
    journal.rotate(b"5", "s")
    assert not journal.failed
    journal.append(2, Deadline(), None)
    journal.outputs([])
    journal.close()
    assert replay(journal.path, lambda head, state: Silent()).inputs == 1


def test_other_files_are_refused(tmp_path: FilePath) -> None:
    path = tmp_path / "x.journal"
    path.write_bytes(b"hello")
    with pytest.raises(JournalError, match="no Ringdown journal"):
        replay(path, Counter)
    journal = Journal(tmp_path / "future", header(format=99))
    journal.close()
    with pytest.raises(JournalError, match="format 99"):
        replay(journal.path, Counter)
    path.write_bytes(room.MAGIC + room.frame(b"I" + b"\x92\x01\x91\xa8Deadline"))
    with pytest.raises(JournalError, match="no header"):
        replay(path, Counter)


def test_nothing_happened_writes_nothing(tmp_path: FilePath) -> None:
    journal = Journal(tmp_path, header())
    assert journal.take() is None
    journal.close()
    report = replay(journal.path, Counter)
    assert report.inputs == 0 and report.clean_end


# --- frames, damage, checkpoints ------------------------------------------------------------------------------
BODIES = st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=8)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(BODIES, st.data())
def test_a_damaged_record_costs_itself_and_is_named(bodies: list[bytes], data: st.DataObject) -> None:
    wrong = data.draw(st.integers(0, len(bodies) - 1))
    content, places = bytearray(room.MAGIC), list[int]()
    for body in bodies:
        places.append(len(content))
        content += room.frame(body)
    end = len(content)
    content[places[wrong] + 8 + data.draw(st.integers(0, len(bodies[wrong]) - 1))] ^= data.draw(st.integers(1, 255))
    damage: list[int] = []
    found = [kind + body for kind, body in room.records(bytes(content), damage)]
    assert found == bodies[:wrong] + bodies[wrong + 1:] and damage == [places[wrong]]
    assert [kind + body for kind, body in room.records(bytes(content))] == bodies[:wrong]
    assert room.end_of_records(bytes(content)) == end  # nothing whole may be cut off behind the damage


@settings(max_examples=200, deadline=None, derandomize=True)
@given(BODIES, st.data())
def test_the_end_of_records_lies_before_a_torn_one(bodies: list[bytes], data: st.DataObject) -> None:
    whole = room.MAGIC + b"".join(map(room.frame, bodies))
    last = room.frame(b"last one")
    cut = data.draw(st.integers(0, len(last) - 1))
    damage: list[int] = []
    assert len(list(room.records(whole + last[:cut], damage))) == len(bodies) and damage == []
    assert room.end_of_records(whole + last[:cut]) == len(whole)
    assert [kind + body for kind, body in room.frames(whole[len(room.MAGIC):] + last[:cut])] == bodies


def test_a_checkpoint_closes_its_batch_and_the_old_file_ends_after_the_new_one_stands(tmp_path: FilePath) -> None:
    switch = Counter()
    journal = Journal(tmp_path, header())
    old = journal.path
    for now_ms, input, key in some(5):
        journal.append(now_ms, input, key)
        journal.outputs(switch.handle(input, now_ms))
    begin = journal.checkpoint()
    state = str(switch.total).encode()
    for now_ms, input, key in some(3):  # the Switch goes on while the other thread writes
        journal.append(1_000 + now_ms, input, key)
        journal.outputs(switch.handle(input, 1_000 + now_ms))
    assert b"E" not in [kind for kind, _ in room.records(old.read_bytes())]
    begin(state, "s2")
    assert [kind for kind, _ in room.records(old.read_bytes())] == [b"H", *[b"I"] * 5, b"D", b"E"]
    journal.close()
    kinds = [kind for kind, _ in room.records(journal.path.read_bytes())]
    assert kinds == [b"H", b"C", *[b"I"] * 3, b"D", b"E"]
    assert state not in journal.path.read_bytes()  # sealed: it holds passwords' hashes
    for path, inputs in ((old, 5), (journal.path, 3)):
        report = replay(path, Counter)
        assert report.differs is None and report.inputs == inputs and report.checked == 1


def test_after_a_failure_the_journal_begins_anew_with_the_state(
    tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = record(tmp_path, some(6))
    first = journal.path

    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(room.os, "write", full)
    journal.append(1_000, Deadline(), None)
    journal.write(journal.take())
    assert journal.failed and not journal.due_for_rotation()
    journal.rotate(b"11", "s")  # the disk is still full
    assert journal.failed == "journal stopped: No space left on device"
    monkeypatch.undo()
    switch = Counter(None, b"77")
    journal.rotate(b"77", "s")
    assert journal.failed == ""
    for now_ms, input, key in some(4):
        journal.append(2_000 + now_ms, input, key)
        journal.outputs(switch.handle(input, 2_000 + now_ms))
    journal.close()
    report = replay(journal.path, Counter)
    assert report.differs is None and report.inputs == 4 and report.clean_end
    gap = replay(first, Counter)  # an end there would say that nothing is missing
    assert gap.inputs == 6 and not gap.clean_end


def test_a_checkpoint_is_due_by_inputs_and_by_bytes(tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room.limits, "checkpoint_inputs_max", 10)
    journal = record(tmp_path / "inputs", some(9))
    assert not journal.due_for_rotation()
    journal.append(1, Deadline(), None)
    assert journal.due_for_rotation()
    journal.rotate(b"1", "s")
    assert not journal.due_for_rotation()
    large = record(tmp_path / "bytes", some(3), bytes_max=4_000)
    assert not large.due_for_rotation()
    large.append(1, Received(Path(1, "h", 1), b"x" * 600), None)
    large.write(large.take())
    assert large.due_for_rotation()


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(8_000, 60_000), st.integers(0, 5_000), st.integers(1, 900))
def test_journals_are_bounded_on_disk_for_ever(
    tmp_path_factory: pytest.TempPathFactory, bytes_max: int, state_bytes: int, input_bytes: int
) -> None:
    """What lies on disk never exceeds `bytes_max`, a batch and the states of the files that a restart needs."""
    folder = tmp_path_factory.mktemp("bounded")
    journal = Journal(folder, header(), bytes_max=bytes_max)
    old = Journal(folder, header(boot="b0"), bytes_max=bytes_max)
    old.close()
    most, rotations = 0, 0
    for number in range(600):
        journal.append(number, Received(Path(1, "h", 1), b"x" * input_bytes), None)
        if number % 5 == 4:
            journal.write(journal.take())
            if journal.due_for_rotation():
                rotations += 1
                journal.rotate(b"s" * state_bytes, "s")
        most = max(most, sum(path.stat().st_size for path in folder.glob("*.journal")))
    journal.close()
    batch = 5 * (input_bytes + 40) + 300
    assert most <= bytes_max + 3 * (state_bytes + batch + 300)
    if rotations > 12:
        assert not list(folder.glob("b0-*")) and not (folder / "b0.keys").exists()
    newest = sorted(folder.glob("b1-*.journal"))
    assert len(newest) >= min(2, rotations + 1)


def test_the_two_newest_files_of_the_boot_stay_whatever_they_take(tmp_path: FilePath) -> None:
    journal = Journal(tmp_path, header(), bytes_max=2_000)
    for _ in range(4):
        journal.rotate(b"s" * 50_000, "s")
    names = sorted(path.name for path in tmp_path.glob("*.journal"))
    # when the fifth was begun, 000002 and 000003 were the newest; it has a whole state only afterwards
    assert names == ["b1-000002.journal", "b1-000003.journal", "b1-000004.journal"]
    assert (tmp_path / "b1.keys").exists()
    journal.close()


def test_a_boot_that_goes_on_counts_on(tmp_path: FilePath) -> None:
    journal = Journal(tmp_path, header(serial=3), state=b"5", inputs=400)
    journal.append(1, Deadline(), None)
    journal.close()
    numbers: list[int] = []
    replay(journal.path, Counter, lambda number, *_: numbers.append(number))
    assert numbers == [401] and journal.path.name == "b1-000003.journal"


def test_keys_go_with_the_files_that_needed_them(tmp_path: FilePath) -> None:
    """A boot may live for months: its keys file must not grow with every call that was asked for a secret."""
    journal = Journal(tmp_path, header(), bytes_max=20_000)
    for number in range(400):
        journal.append(number, Received(Path(1, "h", 5060), b"x" * 150), f"call c{number}" if number % 2 else None)
        journal.outputs([])
        journal.write(journal.take())
        if journal.due_for_rotation():
            journal.rotate(b"0", "s")
    kept = sorted(tmp_path.glob("*.journal"))
    assert len(kept) > 2 and kept[0].name != "b1-000000.journal"
    names = [line.rpartition(" ")[0] for line in journal.keys.path.read_text().splitlines()]
    assert "call c1" not in names and "call c399" in names and room.STATE_KEY in names
    assert len(names) < 200 and len(set(names)) == len(names)
    journal.close()
    for path in sorted(tmp_path.glob("*.journal")):
        report = replay(path, lambda head, state: Silent())
        assert not report.sealed and report.differs is None

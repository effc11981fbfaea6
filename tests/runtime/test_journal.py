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

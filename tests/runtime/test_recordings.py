"""The writing thread: files, order, faults."""

from __future__ import annotations

import threading
import wave
from pathlib import Path

import pytest

from engine.media.commands import TapEnded
from engine.runtime.recordings import Recording, Recordings

FRAME = bytes(range(256)) * 2 + bytes(128)  # 160 stereo frames


class Desk:
    def __init__(self, folder: Path) -> None:
        self.told = threading.Event()
        self.recordings = Recordings(folder, self.told.set)

    def ended(self) -> TapEnded:
        assert self.told.wait(5)
        self.told.clear()
        return self.recordings.ended.popleft()


def test_frames_are_written_in_order_and_the_end_is_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    recording = Recording(3, 9, 77, "calls/one.wav")
    desk.recordings.append(recording, FRAME * 2, False)
    desk.recordings.append(recording, FRAME[::-1], True)
    assert desk.ended() == TapEnded(3, 9, 77, "calls/one.wav", 60, "")
    with wave.open(str(tmp_path / "calls" / "one.wav")) as stream:
        assert stream.readframes(10_000) == FRAME * 2 + FRAME[::-1]
    desk.recordings.stop()


def test_a_recording_of_nothing_is_an_empty_file(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.recordings.append(Recording(0, 1, 1, "empty.wav"), b"", True)
    assert desk.ended().duration_ms == 0
    assert (tmp_path / "empty.wav").stat().st_size == 44
    desk.recordings.stop()


@pytest.mark.parametrize("name", ["../outside.wav", "/tmp/ringdown-outside.wav", "a/../../outside.wav"])
def test_names_stay_inside_the_data_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    desk = Desk(folder)
    desk.recordings.append(Recording(0, 1, 1, name), FRAME, True)
    assert "outside" in desk.ended().detail
    assert not (tmp_path / "outside.wav").exists() and not Path("/tmp/ringdown-outside.wav").exists()
    desk.recordings.stop()


def test_a_disk_that_fails_is_told_once_and_the_thread_lives(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    desk = Desk(tmp_path)
    bad, good = Recording(0, 1, 1, "file/call.wav"), Recording(0, 1, 2, "good.wav")
    desk.recordings.append(bad, FRAME, False)
    desk.recordings.append(bad, FRAME, True)
    ended = desk.ended()
    assert ended.detail and ended.duration_ms == 0
    desk.recordings.append(good, FRAME, True)
    assert desk.ended().detail == ""
    desk.recordings.stop()


def test_a_fault_known_before_is_passed_on(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    recording = Recording(0, 1, 1, "x.wav")
    recording.detail = "too many recordings at once"
    desk.recordings.append(recording, b"", True)
    assert desk.ended().detail == "too many recordings at once"
    assert not (tmp_path / "x.wav").exists()
    desk.recordings.stop()


def test_stop_writes_what_is_queued_and_may_be_called_twice(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    recording = Recording(0, 1, 1, "open.wav")
    for _ in range(50):
        desk.recordings.append(recording, FRAME, False)
    desk.recordings.stop()
    desk.recordings.stop()
    with wave.open(str(tmp_path / "open.wav")) as stream:
        assert stream.getnframes() == 8_000

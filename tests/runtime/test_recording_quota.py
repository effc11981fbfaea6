"""A tenant's recordings stay within its quota: the oldest give way, or none begins."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from types import SimpleNamespace

from engine.runtime.recording_quota import Shelves, tell
from engine.runtime.recordings import Recording, Recordings

KEPT = 1_000


def shelf(folder: Path, *sizes: int, tenant: str = "press") -> list[Path]:
    """Recordings of these sizes, the first the oldest."""
    home = folder / "recordings" / tenant
    home.mkdir(parents=True, exist_ok=True)
    paths = []
    for place, size in enumerate(sizes):
        path = home / f"call-{place}.wav"
        path.write_bytes(bytes(size))
        os.utime(path, (1_000 + place, 1_000 + place))
        paths.append(path)
    return paths


def test_the_oldest_give_way_until_there_is_room(tmp_path: Path) -> None:
    first, second, third = shelf(tmp_path, 400, 300, 200)
    shelves = Shelves(tmp_path)
    shelves.rules = {"press": (KEPT, "oldest")}
    assert shelves.grows("recordings/press/new.wav", 100, ()) == ""
    assert first.exists() and not shelves.gave_way
    (first.parent / "new.wav").write_bytes(bytes(100))
    assert shelves.grows("recordings/press/new.wav", 50, ()) == ""
    assert not first.exists() and second.exists() and third.exists()
    assert list(shelves.gave_way) == [("press", 1)]


def test_what_is_being_written_never_gives_way(tmp_path: Path) -> None:
    first, second = shelf(tmp_path, 500, 500)
    shelves = Shelves(tmp_path)
    shelves.rules = {"press": (KEPT, "oldest")}
    assert shelves.grows("recordings/press/new.wav", 10, ("recordings/press/call-0.wav",)) == ""
    assert first.exists() and not second.exists()
    assert "quota" in shelves.grows("recordings/press/new.wav", 900, ("recordings/press/call-0.wav",))


def test_or_no_recording_begins_and_what_was_removed_beside_us_counts(tmp_path: Path) -> None:
    first, _ = shelf(tmp_path, 500, 500)
    shelves = Shelves(tmp_path)
    shelves.rules = {"press": (KEPT, "refuse")}
    why = shelves.grows("recordings/press/new.wav", 44, ())
    assert "tenant press" in why and "quota" in why and first.exists()
    first.unlink()  # retention
    assert shelves.grows("recordings/press/new.wav", 44, ()) == ""


def test_other_tenants_and_other_files_have_no_part_in_it(tmp_path: Path) -> None:
    (mine,) = shelf(tmp_path, 5_000, tenant="chess")
    shelves = Shelves(tmp_path)
    shelves.rules = {"press": (KEPT, "oldest")}
    assert shelves.grows("recordings/chess/new.wav", 5_000, ()) == ""
    assert shelves.grows("voicemail/press/new.wav", 5_000, ()) == "" and mine.exists()


def test_a_recording_that_outgrows_a_refusing_quota_ends_and_says_why(tmp_path: Path) -> None:
    told = threading.Event()
    recordings = Recordings(tmp_path, told.set)
    recordings.shelves.rules = {"press": (4_000, "refuse")}
    recording = Recording(0, 1, 1, "recordings/press/call.wav")
    for last in (False, False, True):
        recordings.append(recording, bytes(1_600), last)
    assert told.wait(5)
    ended = recordings.ended.popleft()
    recordings.stop()
    assert "quota" in ended.detail and ended.duration_ms == 100
    assert (tmp_path / "recordings/press/call.wav").stat().st_size == 44 + 2 * 1_600


def test_ops_are_told_by_a_line_and_an_event(tmp_path: Path) -> None:
    shelves = Shelves(tmp_path)
    shelves.gave_way.append(("press", 3))
    lines: list[str] = []
    asked: list[tuple[str, str, dict[str, str]]] = []

    async def ask(author: str, verb: str, told: dict[str, str]) -> None:
        asked.append((author, verb, told))

    async def main() -> None:
        server = SimpleNamespace(
            plane=SimpleNamespace(shelves=shelves), loop=asyncio.get_running_loop(), ask=ask,
            log=SimpleNamespace(warning=lambda text, key: lines.append(text)),
        )  # fmt: skip
        tell(server)  # type: ignore[arg-type]
        await asyncio.sleep(0)

    asyncio.run(main())
    assert "3 oldest recordings of tenant press" in lines[0]
    assert asked == [("quota", "noted", {"act": "quota", "subject": "press", "counts": "recordings=3"})]

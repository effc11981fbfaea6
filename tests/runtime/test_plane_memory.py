"""A dead plane's numbers are read back exactly, and never from the wrong place."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from engine.media import columns as c
from engine.media import commands as m
from engine.media.image import Image, Timeline
from engine.rtp import quality
from engine.runtime import plane_memory as room
from engine.runtime.plane_memory import LegMemory, PlaneMemory, file_of, together


def image(*generations: int) -> Image:
    made = Image()
    for row, generation in enumerate(generations):
        made.apply(m.OpenLeg(row, generation, "127.0.0.1", 20_000, 1, 2, 3), 0)
    return made


def dead_plane(path: Path) -> None:
    """Row 0 plays clip 2 of its list, row 1 is silent, row 2 is closed, row 3 is an earlier life."""
    memory = PlaneMemory(path)
    assert memory.detail == ""
    plane = c.allocate(memory.array)
    for row, state, generation in ((0, c.OPEN, 5), (1, c.OPEN, 6), (2, c.OPEN + 1, 7), (3, c.OPEN, 8)):
        leg = plane.legs[row]
        leg[c.STATE], leg[c.GENERATION], leg[c.SEQUENCE], leg[c.TIMESTAMP] = state, generation, 65_000 + row, 99 + row
        leg[c.DUE_US], leg[c.PACKETS_OUT], leg[c.IGNORED], leg[c.DIGITS_HEARD] = 1_000_000, 40, 3, 2
    plane.legs[0][c.SOURCE], plane.legs[0][c.CLIP_AT], plane.legs[0][c.CURSOR] = c.PLAYING, 2, 8 * 345
    plane.legs[1][c.CLIP_AT] = 1
    plane.quality[0][quality.PACKETS], plane.quality[0][quality.GAP_MAX_US] = 44, 61_000


def test_what_a_dead_plane_knew(tmp_path: Path) -> None:
    dead_plane(tmp_path / "plane")
    assert (tmp_path / "plane").stat().st_mode & 0o777 == 0o600
    found = LegMemory(tmp_path / "plane", image(5, 6, 7, 9), 1_250_000)
    assert found.timelines == {(0, 5): Timeline(65_000, 99, 250, 2, 345), (1, 6): Timeline(65_001, 100, 250, -1, 0)}
    figures = found.closed[0, 5]
    assert (figures.packets_in, figures.packets_out, figures.ignored, figures.digits) == (44, 40, 3, 2)
    assert figures.gap_max_us == 61_000 and set(found.closed) == {(0, 5), (1, 6)}
    early = LegMemory(tmp_path / "plane", image(5), 900_000)
    assert early.timelines[0, 5].idle_ms == 0  # the next packet wasn't due yet


def test_no_file_another_layout_and_a_torn_one_are_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "plane"
    assert not LegMemory(path, image(5), 0).timelines
    dead_plane(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: room._shared_bytes()])
    assert not LegMemory(path, image(5), 0).timelines
    path.write_bytes(whole)
    assert LegMemory(path, image(5), 0).timelines
    monkeypatch.setattr(room, "_layout_name", lambda: b"another layout!!")
    assert not LegMemory(path, image(5), 0).timelines


def test_a_new_plane_begins_with_zeroes(tmp_path: Path) -> None:
    dead_plane(tmp_path / "plane")
    memory = PlaneMemory(tmp_path / "plane")
    assert not memory.array.any() and memory.array.size == c.LAYOUT.itemsize
    memory.forget()
    memory.forget()
    assert not (tmp_path / "plane").exists()


def test_without_shared_memory_the_plane_still_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = PlaneMemory(tmp_path / "none" / "plane")
    assert "No such file" in lost.detail and "estimated" in lost.detail
    c.allocate(lost.array).legs[0][c.STATE] = c.OPEN
    assert lost.array.any()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(room.os, "posix_fallocate", full)
    assert "No space left" in PlaneMemory(tmp_path / "plane").detail


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("mine")
    (tmp_path / "plane").symlink_to(target)
    assert PlaneMemory(tmp_path / "plane").detail and target.read_text() == "mine"


def test_one_file_a_data_folder(tmp_path: Path) -> None:
    one, other = file_of(tmp_path / "a"), file_of(tmp_path / "b")
    assert one != other and one == file_of(tmp_path / "x" / ".." / "a") and str(os.getuid()) in one.name
    assert file_of(tmp_path, tmp_path).parent == tmp_path


def test_figures_of_both_lives() -> None:
    before = m.LegClosed(3, 4, 100, 101, 1, 2, 3, 4, 500, 900, 70_000, 6)
    after = m.LegClosed(3, 4, 10, 11, 10, 20, 30, 40, 250, 300, 80_000, 60)
    assert together(before, after) == m.LegClosed(3, 4, 110, 112, 11, 22, 33, 44, 250, 900, 80_000, 66)
    heard = m.Sound(1, 90_000, 2, 800, 3, 9_000, 1, 4, 4, 50, 20, 700, 900, 30_000, 80_000, 6, 55, 41)
    later = m.Sound(2, 70_000, 3, 80, 1, 9_500, 2, 1, 1, 60, 10, 500, 500, 20_000, 40_000, 0, 50, 40)
    sounds = [
        together(msgspec.structs.replace(before, sound=heard), msgspec.structs.replace(after, sound=told)).sound
        for told in (later, m.Sound())
    ]
    assert sounds[0] == m.Sound(
        3, 90_000, 5, 880, 4, 9_500, 3, 5, 5, 60, 20, 500, 900, 20_000, 80_000, 0, 50, 40
    ), "the far end counts on: its own figures are those that it told last"
    assert sounds[1] == heard, "without a report since, what it told before"
    silent = m.LegClosed(3, 4, *[0] * 10)
    assert together(before, silent) == before

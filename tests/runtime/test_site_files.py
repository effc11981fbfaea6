"""A folder becomes a Site: here, and in a child for reloads."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.dialplan.prompts import WavInfo
from engine.errors import SiteError
from engine.runtime import site_files as room
from tests.runtime.fakes import run


def test_collecting(tmp_path: Path) -> None:
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "x.yaml").write_text("x")
    (tmp_path / "prompts" / "en").mkdir(parents=True)
    (tmp_path / "prompts" / "en" / "a.wav").write_bytes(b"no wav at all")
    (tmp_path / "b.yaml").write_text("b: 1")
    (tmp_path / "a.yaml").write_text("a: 1")
    (tmp_path / "program.exe").write_bytes(b"MZ")
    found = room.collect(tmp_path)
    assert list(found) == ["a.yaml", "b.yaml", "prompts/en/a.wav"]
    bad = found["prompts/en/a.wav"]
    assert found["a.yaml"] == b"a: 1" and isinstance(bad, WavInfo) and "no sound that can be read" in bad.fault
    assert list(room.collect(tmp_path, wavs=False)) == ["a.yaml", "b.yaml"]


def test_what_is_no_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SiteError, match=r"is no folder.*site\.yaml"):
        room.collect(tmp_path / "gone")
    (tmp_path / "big.yaml").write_text("x" * 100)
    monkeypatch.setattr(room, "text_bytes_max", 50)
    with pytest.raises(SiteError, match=r"big\.yaml: 100 bytes"):
        room.collect(tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr(room, "files_max", 0)
    with pytest.raises(SiteError, match="more than 0 files"):
        room.collect(tmp_path)


def test_the_demo_is_usable_and_its_prompts_exist() -> None:
    reading = room.read_folder(room.demo_site())
    assert reading.site is not None and not reading.errors()
    assert "100" in reading.site.numbers and "default/200" in reading.site.agents
    for prompt in reading.site.prompts.values():
        assert not prompt.path or (Path(prompt.path).is_absolute() and Path(prompt.path).is_file()), prompt


def test_stock_prompts_are_known_without_reading_their_audio() -> None:
    folder, stock = room.stock_prompts()
    assert any(name.startswith("en/") for name in stock) and any(name.startswith("music/") for name in stock)
    assert (folder / next(prompt.path for prompt in stock.values())).is_file()


def broken_site(folder: Path) -> Path:
    (folder / "dialplans").mkdir(parents=True)
    (folder / "site.yaml").write_text("ringdown: 1\nlanguages: [en]\nnumbers:\n  100: main\n")
    (folder / "dialplans" / "main.yaml").write_text("ringdown: 1\nflows:\n  start:\n    - answr\n")
    return folder


def test_a_child_gives_the_same_reading(tmp_path: Path) -> None:
    folder = broken_site(tmp_path / "s")
    here, there = room.read_folder(folder), run(room.read_in_child(folder), 60)
    assert there.site is None and there.findings == here.findings and there.errors()
    demo = room.demo_site()
    kept = room.read_folder(demo).site
    again = run(room.read_in_child(demo, kept), 60)
    assert again.site is not None and kept is not None
    assert {name: prompt.clip for name, prompt in again.site.prompts.items()} == {
        name: prompt.clip for name, prompt in kept.prompts.items()}


def test_a_child_that_fails_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SiteError, match="is no folder"):
        run(room.read_in_child(tmp_path / "gone"), 60)


def test_wavs_become_what_the_reader_must_know() -> None:
    demo = room.collect(room.demo_site())
    waves = [content for name, content in demo.items() if name.endswith(".wav")]
    assert waves and all(isinstance(each, WavInfo) and each.duration_ms > 0 for each in waves)


def test_a_folder_that_the_installation_lacks() -> None:
    with pytest.raises(SiteError, match="install ringdown again"):
        room.package_folder("no-such-folder")

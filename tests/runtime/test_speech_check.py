"""A model folder is looked at where the site is read: refused at its place, or taken."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.runtime import speech_check
from engine.runtime.graph_shelf import Shelf
from engine.runtime.site_files import read_folder
from tests.runtime.spoken import DIGITS, MODEL

LISTENS = """\
ringdown: 1
entry: main
person: desk
languages: [en]
phrases: {sales: [the sales department]}
flows:
  main:
    - answer
    - menu: {prompt: thank_you, listen: [keys, speech], timeout: 2s, choices: {1: sales}, failed: desk}
  sales: [hangup]
  desk: [hangup]
"""


def site(folder: Path, model: str) -> Path:
    (folder / "dialplans").mkdir(parents=True, exist_ok=True)
    (folder / "site.yaml").write_text(
        f"ringdown: 1\nlanguages: [en, de]\nspeech:\n  de: {{folder: {model}}}\nnumbers: {{100: main}}\n"
    )
    (folder / "dialplans/main.yaml").write_text("ringdown: 1\nflows:\n  main: [answer, hangup]\n")
    return folder


def test_a_folder_without_a_model_refuses_the_site_at_its_place(tmp_path: Path) -> None:
    reading = read_folder(site(tmp_path / "site", "/nowhere"), data=tmp_path / "data")
    (finding,) = reading.errors()
    assert (finding.code, finding.file, finding.line, finding.column) == ("RD324", "site.yaml", 4, 16)
    assert "there is no such folder" in finding.message and reading.site is None


def test_a_whole_one_is_taken(tmp_path: Path) -> None:
    reading = read_folder(site(tmp_path / "site", MODEL))
    assert reading.site is not None and not reading.errors()
    assert reading.site.tenants["default"].speech["de"].folder == MODEL


def test_a_folder_with_a_broken_file_refuses_the_site_at_its_place(tmp_path: Path) -> None:
    made = Shelf(tmp_path / "shelf").prepared(MODEL, DIGITS, {}).model.folder
    model = Path(shutil.copytree(made, tmp_path / "model"))
    assert read_folder(site(tmp_path / "site", str(model))).errors() == []
    (model / "am/final.mdl").write_bytes(b"\0BNnet3")
    reading = read_folder(site(tmp_path / "site", str(model)))
    (finding,) = reading.errors()
    assert (finding.code, finding.file, finding.line, finding.column) == ("RD324", "site.yaml", 4, 16)
    assert f"the model {model} can't be used" in finding.message and "or write: none" in finding.suggestion
    assert reading.site is None


@pytest.mark.parametrize(("speech", "line", "column"), [
    ("", 2, 12), ("speech: {en: embedded}\n", 3, 9), ("speech: {en: none}\n", 0, 0),
])
def test_a_broken_model_of_ours_refuses_whoever_listens_with_it(
    speech: str, line: int, column: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech_check, "MODELS", tmp_path / "models")
    folder = Path(shutil.copytree(MODEL, tmp_path / "models/en"))
    (folder / "words.txt.xz").unlink()
    where = site(tmp_path / "site", "/nowhere")
    (where / "site.yaml").write_text(f"ringdown: 1\nlanguages: [en]\n{speech}numbers: {{100: main}}\n")
    (where / "dialplans/main.yaml").write_text(LISTENS)
    errors = read_folder(where).errors()
    assert [(each.code, each.line, each.column) for each in errors] == ([("RD324", line, column)] if line else [])
    assert all("words.txt.xz" in each.message and "install ringdown again" in each.message for each in errors)
    (where / "dialplans/main.yaml").write_text("ringdown: 1\nflows:\n  main: [answer, hangup]\n")
    assert not read_folder(where).errors()  # keys alone need no model

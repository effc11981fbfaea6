"""A model folder is looked at where the site is read: refused at its place, or taken."""

from __future__ import annotations

from pathlib import Path

from engine.runtime.site_files import read_folder
from tests.runtime.spoken import MODEL


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

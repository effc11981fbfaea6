"""A voice that nobody here can speak with is told at its place, and refuses nothing."""

from __future__ import annotations

from pathlib import Path

from engine.dialplan.findings import render
from engine.runtime.site_files import read_folder


def test_a_missing_program_is_told_at_its_place(tmp_path: Path) -> None:
    (tmp_path / "tenants" / "press").mkdir(parents=True)
    (tmp_path / "site.yaml").write_text(
        "ringdown: 1\nlanguages: [en]\nvoices:\n  en: {command: 'no-such-synthesiser -o {file}'}\n"
    )
    (tmp_path / "tenants" / "press" / "tenant.yaml").write_text("name: Press\nvoices: {en: {command: cat}}\n")
    reading = read_folder(tmp_path)
    assert reading.site is not None
    (found,) = [each for each in reading.findings if each.code == "RD333"]
    assert (found.file, found.line, found.column, found.severity) == ("site.yaml", 4, 7, "warning")
    assert "there is no program no-such-synthesiser on this machine" in render(found) and "^" in found.snippet

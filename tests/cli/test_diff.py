"""`ringdown diff`: versions and folders, in words."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.cli.app import run
from engine.runtime.site_files import read_folder
from engine.runtime.versions import Store, Version
from tests.runtime.test_reloading import MAIN, folder

OTHER = MAIN.replace("tone/beep", "music/default")
WORDS = "flow main: play(music/default) instead of play(tone/beep)"


def kept(tmp_path: Path) -> tuple[Path, str]:
    site, data = folder(tmp_path / "site"), tmp_path / "data"
    found = read_folder(site, None, data).site
    assert found is not None
    Store(data).enter(Version(found.version, 1, "start", "engine"), str(site))
    return data, found.version


def test_what_a_reload_would_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, version = kept(tmp_path)
    assert run(["diff", "--data", str(data)]) == 0
    assert "nothing has changed" in capsys.readouterr().out
    folder(tmp_path / "site", OTHER)
    assert run(["diff", "--data", str(data)]) == 1
    out = capsys.readouterr().out
    assert out.startswith(f"from {version[:12]} to ") and WORDS in out
    assert run(["diff", str(tmp_path / "site"), version[:6], "--json", "--data", str(data)]) == 1
    assert json.loads(capsys.readouterr().out)["difference"] == [
        "flow main: play(tone/beep) instead of play(music/default)"
    ]


def test_one_name_is_compared_with_what_is_in_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, _ = kept(tmp_path)
    other = folder(tmp_path / "other", OTHER)
    assert run(["diff", str(other), "--data", str(data)]) == 1
    assert "play(tone/beep) instead of play(music/default)" in capsys.readouterr().out


def test_what_cannot_be_compared_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", "--data", str(tmp_path)]) == 1
    assert "no version is kept" in capsys.readouterr().err
    data, _ = kept(tmp_path)
    assert run(["diff", "zzzz", "--data", str(data)]) == 1
    assert "lists them" in capsys.readouterr().err
    broken = folder(tmp_path / "broken", MAIN.replace("hangup", "hangpu"))
    assert run(["diff", str(broken), "--data", str(data)]) == 1
    assert "dialplans/main.yaml:6" in capsys.readouterr().err


def test_no_kernel_is_needed(tmp_path: Path) -> None:
    data, _ = kept(tmp_path)
    code = (
        "import sys; from engine.cli.app import run; "
        f"assert run(['diff', '--data', {str(data)!r}]) == 0 and run(['versions', '--data', {str(data)!r}]) == 0; "
        "assert 'numba' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0

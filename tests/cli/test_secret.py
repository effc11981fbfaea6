"""`ringdown secret`: from standard input into the data folder, never shown, and used by an engine that runs."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from engine.cli.app import run
from engine.runtime.secrets import Secrets


def put(monkeypatch: pytest.MonkeyPatch, data: Path, text: str, *arguments: str) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    return run(["secret", *arguments, "--data", str(data)])


def test_it_is_kept_used_at_once_listed_by_name_and_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    running = Secrets(tmp_path)
    assert running.lookup("crm-token") == ""
    assert put(monkeypatch, tmp_path, "tok en-1\n", "crm-token") == 0
    assert running.lookup("crm-token") == "tok en-1"
    assert running.path.stat().st_mode & 0o777 == 0o600
    assert put(monkeypatch, tmp_path, "other", "other", "--json") == 0
    assert run(["secret", "--data", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "tok en-1" not in out and out.splitlines()[-2:] == ["crm-token", "other"]
    assert json.loads(out[out.index("{") : out.index("}") + 1]) == {"secret": "other", "done": "kept"}
    for done in ("forgotten", "was not there"):
        assert run(["secret", "crm-token", "--remove", "--data", str(tmp_path)]) == 0
        assert capsys.readouterr().out == f"secret crm-token: {done}\n"
    assert running.lookup("crm-token") == "" and running.lookup("other") == "other"


@pytest.mark.parametrize("text", ["", "\n", "a\nb\n", "ä", "x" * 4_097])
def test_what_no_header_can_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    assert put(monkeypatch, tmp_path, text, "crm") == 2
    assert "one line of 1 to 4096" in capsys.readouterr().err
    assert Secrets(tmp_path).lookup_names() == []
    assert run(["secret", "--remove", "--data", str(tmp_path)]) == 2
    assert put(monkeypatch, tmp_path, "fine", "a b") == 2 and "letters, digits" in capsys.readouterr().err

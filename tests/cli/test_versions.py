"""`ringdown versions`: the book of a data folder, engine or not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import run
from engine.runtime.versions import Store, Version


def test_the_newest_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = Store(tmp_path)
    for number, (name, act) in enumerate((("aaaa1111aaaa1111", "start"), ("bbbb2222bbbb2222", "reload"))):
        store.keep(name, {"site.yaml": name.encode()}, tmp_path)
        store.enter(Version(name, number, act, "ann", 1, 4, number, "2 passed", "storm" if number else ""), "/site")
    store.enter(Version("aaaa1111aaaa1111", 9, "rollback", "bob"), "/site", ["bbbb2222bbbb2222"])
    assert run(["versions", "--data", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[0] == "aaaa1111aaaa" and "in force" in lines[1] and "bob" in lines[1]
    assert "held back" in lines[2] and "untested: storm" in lines[2] and "start" in lines[3]
    assert run(["versions", "--json", "--data", str(tmp_path)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["active"] == "aaaa1111aaaa1111" and found["held"] == ["bbbb2222bbbb2222"]
    assert [each["act"] for each in found["versions"]] == ["rollback", "reload", "start"]


def test_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["versions", "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out.strip() == "none"

"""`ringdown import`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import run
from tests.dialplan.test_import_asterisk import EXTENSIONS, QUEUES
from tests.dialplan.test_import_freeswitch import XML


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    (tmp_path / "extensions.conf").write_text(EXTENSIONS)
    (tmp_path / "queues.conf").write_text(QUEUES)
    (tmp_path / "ivr.xml").write_text(XML)
    return tmp_path


def test_asterisk(sources: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = sources / "site"
    words = ["import", "asterisk", str(sources / "extensions.conf"), str(sources / "queues.conf"), "--to", str(target)]
    assert run(words) == 1  # something was not understood, and said
    out = capsys.readouterr().out
    assert "extensions.conf:32: AGI(lookup.py,${ACCOUNT}): not in the subset" in out and "11 menu keys" in out
    assert run(["check", str(target), "--json"]) == 0
    assert "extensions.conf:32" in (target / "IMPORTED.md").read_text()
    assert (target / "dialplans" / "main.test.yaml").read_text().count("- flow: ") == 11
    capsys.readouterr()
    assert run(["test", str(target)]) == 0  # every key of every menu leads where it led
    assert "11 tests in 1 files, 0 failed" in capsys.readouterr().out
    assert run(words) == 2  # nothing is overwritten
    assert "not empty" in capsys.readouterr().err


def test_freeswitch(sources: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = sources / "site"
    assert run(["import", "freeswitch", str(sources / "ivr.xml"), "--to", str(target), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert "dialplans/main.test.yaml" in found["written"] and found["not_understood"][0]["file"] == "ivr.xml"
    assert run(["check", str(target), "--json"]) == 0
    capsys.readouterr()
    assert run(["test", str(target)]) == 0
    assert "10 tests in 1 files, 0 failed" in capsys.readouterr().out


def test_all_understood_is_status_0(sources: Path) -> None:
    plan = "[a]\nexten => 500,1,Answer\n same => n,Playback(vm-goodbye)\n same => n,Hangup\n"
    (sources / "small.conf").write_text(plan)
    assert run(["import", "asterisk", str(sources / "small.conf"), "--to", str(sources / "small")]) == 0
    assert run(["check", str(sources / "small"), "--strict"]) == 0


def test_what_can_not_be_imported(sources: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, why in (
        (["asterisk", str(sources / "gone.conf")], "can't read"), (["3cx", str(sources / "ivr.xml")], "not '3cx'"),
        (["freeswitch", str(sources / "ivr.xml"), str(sources / "ivr.xml")], "one file"),
        (["asterisk", str(sources / "ivr.xml")], "nothing in these files"),
    ):  # fmt: skip
        assert run(["import", *words, "--to", str(sources / "x")]) == 2
        assert why in capsys.readouterr().err and not (sources / "x").exists()
    (sources / "bad.xml").write_text("<menus>")
    assert run(["import", "freeswitch", str(sources / "bad.xml"), "--to", str(sources / "x")]) == 1
    assert "not well-formed" in capsys.readouterr().err

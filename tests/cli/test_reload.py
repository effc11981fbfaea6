"""`ringdown reload`: accepted with its version, refused with its findings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import run
from tests.cli.engine_double import engine, refused

GOOD = {
    "old": "a" * 20, "new": "b" * 20, "changed": True, "findings": ["w.yaml:1:1: warning"], "notes": ["later"],
    "passwords": [{"agent": "default/203", "password": "aaaa-bbbb-cccc"}],
    "difference": ["key 3 of main_menu now leads to billing (was: support)"], "finishing": 14,
    "tests": {"files": 1, "ok": True, "summary": "3 passed", "lines": []}, "untested": "",
    "undo": "ringdown rollback aaaaaaaaaaaa",
}  # fmt: skip


def test_accepted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(tmp_path, {"reload": GOOD}):
        assert run(["reload", "--data", str(tmp_path)]) == 0
        out = capsys.readouterr().out
        assert "site bbbbbbbbbbbb is active" in out and "w.yaml:1:1" in out and "aaaa-bbbb-cccc" in out
        assert "tests: 3 passed" in out and "  key 3 of main_menu now leads to billing (was: support)" in out
        assert "14 calls finish on aaaaaaaaaaaa   (undo: ringdown rollback aaaaaaaaaaaa)" in out
        assert run(["reload", "--json", "--data", str(tmp_path)]) == 0
        assert json.loads(capsys.readouterr().out)["ok"] is True


def test_nothing_new(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(tmp_path, {"reload": GOOD | {"changed": False}}):
        assert run(["reload", "--data", str(tmp_path)]) == 0
    assert "nothing has changed" in capsys.readouterr().out


@pytest.mark.parametrize("json_too", [False, True])
def test_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], json_too: bool) -> None:
    with engine(tmp_path, {"reload": refused("the site has errors", {"findings": ["main.yaml:3:5: error"]})}):
        assert run(["reload", "--data", str(tmp_path), *(["--json"] if json_too else [])]) == 1
    out = capsys.readouterr().out
    assert "main.yaml:3:5" in out and "the site has errors" in out


def test_a_failing_test_and_a_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failed = {"files": 1, "ok": False, "summary": "1 failed", "lines": ["storm: no notice", "1 failed"]}
    with engine(tmp_path, {"reload": refused("a test fails: 1 failed", {"findings": [], "tests": failed})}):
        assert run(["reload", "--data", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "storm: no notice" in out and "--untested REASON" in out
    (tmp_path / "ringdown.sock").unlink()
    loaded = GOOD | {"tests": failed, "untested": "the storm is here", "finishing": 1}
    with engine(tmp_path, {"reload": loaded}) as asked:
        assert run(["reload", "--untested", "the storm is here", "--data", str(tmp_path)]) == 0
    assert asked[0]["arguments"] == {"untested": "the storm is here"}
    out = capsys.readouterr().out
    assert "loaded all the same: the storm is here" in out and "1 call finishes on" in out


def test_a_long_difference_is_cut_and_says_how_to_see_it_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with engine(tmp_path, {"reload": GOOD | {"difference": [f"change {number}" for number in range(100)]}}):
        assert run(["reload", "--data", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "change 59\n" in out and "change 60\n" not in out and "and 40 more: ringdown diff aaaaaaaaaaaa" in out


def test_a_share_with_its_guard_and_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    share = {"share": "5%", "guard": "abandoned<=8%", "until_ms": 1_900_000_000_000, "judged": "", "version": "b" * 20}
    with engine(tmp_path, {"reload": GOOD | {"share": share, "undo": "ringdown rollback"}}) as asked:
        assert run(["reload", "--share", "5%", "--guard", "abandoned<=8%", "--for", "1h", "--data", str(tmp_path)]) == 0
    arguments = asked[0]["arguments"]
    assert 3_590 <= int(arguments.pop("for_s")) <= 3_600
    assert arguments == {"share": "5%", "guard": "abandoned<=8%"}
    out = capsys.readouterr().out
    assert "5% of new calls run on bbbbbbbbbbbb until " in out and "then for all; guard abandoned<=8%" in out
    assert "(undo: ringdown rollback)" in out and "is active" not in out

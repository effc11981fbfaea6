"""`ringdown schema` and the git hook that it writes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from engine.cli import schema
from engine.cli.app import run
from tests.house.source import ROOT

SITE = {
    "site.yaml": "ringdown: 1\nlanguages: [en]\nnumbers: {100: main}\n",
    "dialplans/main.yaml": "ringdown: 1\nflows:\n  main:\n    - answer\n    - play: goodbye\n    - hangup: served\n",
}


def site_in(folder: Path) -> Path:
    for path, text in SITE.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def test_everything_is_written_and_kept_out_of_git(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = site_in(tmp_path / "site")
    assert run(["schema", "--site", str(site)]) == 0
    out = capsys.readouterr().out
    assert "# yaml-language-server: $schema=../.ringdown/schemas/dialplans.main.json" in out
    plan = json.loads((site / ".ringdown" / "schemas" / "dialplans.main.json").read_text())
    assert "play" in plan["definitions"]["step"]["anyOf"][0]["properties"]
    named = json.loads((site / ".ringdown" / "settings.json").read_text())["yaml.schemas"]
    assert named["./.ringdown/schemas/dialplans.main.json"] == "/dialplans/main.yaml"
    assert (site / ".ringdown" / ".gitignore").read_text() == "*\n"
    assert os.access(site / ".ringdown" / "pre-commit", os.X_OK)
    assert not (site / ".vscode").exists()


def test_schemas_of_files_that_went_are_removed(tmp_path: Path) -> None:
    site = site_in(tmp_path / "site")
    (site / "dialplans" / "old.yaml").write_text("ringdown: 1\n")
    assert run(["schema", "--site", str(site), "--json"]) == 0
    (site / "dialplans" / "old.yaml").unlink()
    assert run(["schema", "--site", str(site), "--json"]) == 0
    assert not (site / ".ringdown" / "schemas" / "dialplans.old.json").exists()


def test_an_editors_settings_keep_what_they_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = site_in(tmp_path / "site")
    settings = site / ".vscode" / "settings.json"
    settings.parent.mkdir()
    settings.write_text('{"a": 1, "yaml.schemas": {"other": "x", "./.ringdown/schemas/gone.json": "y"}}')
    assert run(["schema", "--site", str(site), "--vscode"]) == 0
    found = json.loads(settings.read_text())
    assert found["a"] == 1 and found["yaml.schemas"]["other"] == "x"
    assert found["yaml.schemas"]["./.ringdown/schemas/queues.json"] == "/queues.yaml"
    assert "./.ringdown/schemas/gone.json" not in found["yaml.schemas"]
    settings.write_text("{ // a comment\n}")
    assert run(["schema", "--site", str(site), "--vscode"]) == 2
    assert "by hand" in capsys.readouterr().err and settings.read_text() == "{ // a comment\n}"


def test_no_site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "--site", str(tmp_path)]) == 2
    assert "there is no site.yaml" in capsys.readouterr().err


def test_a_site_that_is_its_own_repository_has_a_short_hook(tmp_path: Path) -> None:
    (site_in(tmp_path / "site") / ".git").mkdir()
    text = schema.hook(tmp_path / "site")
    assert "ln -s ../../.ringdown/pre-commit .git" in text and 'check "$scratch"/.\n' in text


def test_a_commit_that_breaks_the_site_is_refused(tmp_path: Path) -> None:
    """By the state that is committed, not by what lies in the folder."""
    assert shutil.which("git")
    top = tmp_path / "repository"
    site = site_in(top / "voice sites" / "one")

    def git(*words: str) -> subprocess.CompletedProcess[str]:
        named = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
        return subprocess.run(["git", *named, *words], cwd=top, capture_output=True, text=True, env=environment)

    assert git("init", "-q").returncode == 0
    assert run(["schema", "--site", str(site), "--json"]) == 0
    line = (site / ".ringdown" / "pre-commit").read_text().splitlines()[2]
    subprocess.run(line.removeprefix("#   "), shell=True, cwd=top, check=True)
    git("add", ".")
    done = git("commit", "-q", "-m", "fine")
    assert done.returncode == 0, done.stderr
    plan = site / "dialplans" / "main.yaml"
    plan.write_text(plan.read_text().replace("goodbye", "goodbey"))
    git("add", ".")
    plan.write_text(SITE["dialplans/main.yaml"])
    done = git("commit", "-q", "-m", "broken")
    assert done.returncode == 1 and "did you mean 'goodbye'?" in done.stdout + done.stderr


def test_the_hook_for_the_pre_commit_framework_names_a_command_that_exists(tmp_path: Path) -> None:
    import yaml

    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert [hook["id"] for hook in hooks] == ["ringdown-check"]
    hook = hooks[0]
    program, *words = hook["entry"].split()
    assert program == "ringdown" and hook["pass_filenames"] is False
    assert run([*words, str(site_in(tmp_path / "site"))]) == 0

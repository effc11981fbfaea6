"""README, CHANGELOG and the scripts say what is so, and name no machine or address they shouldn't."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import ROOT, tracked

TEXTS = ("**/*.py", "**/*.md", "**/*.toml", "**/*.yaml", "**/*.txt", "**/*.xml", "tools/*", ".ci/*")
# spelt in two halves so that this file doesn't find itself
ABSOLUTE = re.compile(r"(?<![\w.])/(?:ho" r"me|ro" r"ot|wo" r"rk|Us" r"ers)/[\w.-]{2,}")
CODE = re.compile(r"```(?:sh|console|bash)\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"^\s*\$?\s*(?:tools/run|ringdown)(?:\s+([a-z][a-z-]*))?", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def absolute_paths(text: str) -> list[str]:
    return ABSOLUTE.findall(text)


def commands(markdown: str) -> set[str]:
    """The ringdown commands that a document's shell blocks use."""
    return {match for block in CODE.findall(markdown) for match in COMMAND.findall(block) if match}


def broken_links(path: Path) -> list[str]:
    """Relative links that lead nowhere."""
    targets = LINK.findall(path.read_text("utf-8"))
    return [target for target in targets if "://" not in target and not (path.parent / target).exists()]


def changelog_faults(text: str) -> list[str]:
    """What Keep a Changelog asks for and isn't there."""
    faults = [] if text.startswith("# Changelog\n") else ["no title"]
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
    if not titles or titles[0] != "[Unreleased]":
        faults.append("the first section is not [Unreleased]")
    faults += [title for title in titles[1:] if not re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", title)]
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Decisions"}
    faults += [kind for kind in re.findall(r"^### (.*)$", text, re.MULTILINE) if kind not in kinds]
    return faults


def test_no_path_of_one_machine() -> None:
    found = {}
    for path in tracked(*TEXTS):
        paths = absolute_paths(path.read_text("utf-8", errors="replace"))
        if paths:
            found[str(path.relative_to(ROOT))] = paths
    assert not found


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "hardware/README.md"])
def test_links_lead_somewhere(name: str) -> None:
    assert not broken_links(ROOT / name)


def test_commands_in_the_documents_exist() -> None:
    known = subprocess.run(
        [sys.executable, "-m", "engine", "--help"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30
    ).stdout
    used = {name for path in tracked("*.md", "*/*.md") for name in commands(path.read_text("utf-8"))}
    assert {"serve", "dial"} <= used
    missing = sorted(name for name in used if not re.search(rf"\b{re.escape(name)}\b", known))
    assert not missing, known


def test_changelog_has_its_form() -> None:
    assert not changelog_faults((ROOT / "CHANGELOG.md").read_text("utf-8"))


def test_licence_is_apache() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License" in text and "Version 2.0" in text and "END OF TERMS AND CONDITIONS" in text


def test_continuous_integration_runs_the_readmes_command() -> None:
    assert re.search(r"^exec .*tools/test", (ROOT / ".ci/run").read_text("utf-8"), re.MULTILINE)
    assert "tools/test" in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", ["tools/run", "tools/test", "tools/setup", "tools/lock", ".ci/run"])
def test_scripts_parse(name: str) -> None:
    assert (ROOT / name).read_text("utf-8").startswith("#!/bin/sh\n")
    assert subprocess.run(["sh", "-n", name], cwd=ROOT, capture_output=True, timeout=10).returncode == 0


def test_the_checks_see_faults(tmp_path: Path) -> None:
    assert absolute_paths("see " + "/ho" + "me/somebody/x")
    assert not absolute_paths("GET /calls/home/x and ~/.cache")
    assert commands("```sh\ntools/run dial 100 --press 1\n$ ringdown tail\n```\n") == {"dial", "tail"}
    assert changelog_faults("# Changelog\n\n## [Unreleased]\n\n## 1.0\n") == ["1.0"]
    assert changelog_faults("# Changelog\n\n## [Unreleased]\n### Stuff\n") == ["Stuff"]
    page = tmp_path / "page.md"
    page.write_text("[a](gone.md) [b](page.md#x) [c](http://example.org/)")
    assert broken_links(page) == ["gone.md"]

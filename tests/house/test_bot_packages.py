"""tools/bot_packages: the bot of the interop tests is exactly what the list says, and lies outside our environment."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tools import bot_packages


def test_every_package_has_its_version_and_hash() -> None:
    lines = [line for line in bot_packages.LIST.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert lines and all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+ --hash=sha256:[0-9a-f]{64}", line) for line in lines)
    assert any(line.startswith("pipecat-ai==") for line in lines)


def test_they_lie_in_the_cache_and_a_changed_list_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGDOWN_CACHE", str(tmp_path))
    first = bot_packages.folder()
    assert first.parent == tmp_path and not str(first).startswith(sys.prefix)
    other = tmp_path / "list.txt"
    other.write_text("loguru==0.7.3 --hash=sha256:" + "0" * 64)
    monkeypatch.setattr(bot_packages, "LIST", other)
    assert bot_packages.folder() != first


def test_what_can_not_be_fetched_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                capsys: pytest.CaptureFixture[str]) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("no such line ==\n")
    monkeypatch.setattr(bot_packages, "LIST", listed)
    monkeypatch.setenv("RINGDOWN_CACHE", str(tmp_path / "cache"))
    assert bot_packages.main() == 1 and "bot packages: " in capsys.readouterr().err
    assert not bot_packages.folder().exists()

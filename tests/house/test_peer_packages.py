"""tools/peer_packages: peers of the interop tests are made of exactly what the list says, outside our environment."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tools import peer_packages


def test_every_package_has_its_version_and_hash() -> None:
    lines = [line for line in peer_packages.LIST.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert lines and all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+ --hash=sha256:[0-9a-f]{64}", line) for line in lines)
    assert any(line.startswith("pipecat-ai==") for line in lines)


def test_they_lie_in_the_cache_and_a_changed_list_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGDOWN_CACHE", str(tmp_path))
    first = peer_packages.folder()
    assert first.parent == tmp_path and not str(first).startswith(sys.prefix)
    other = tmp_path / "list.txt"
    other.write_text("loguru==0.7.3 --hash=sha256:" + "0" * 64)
    monkeypatch.setattr(peer_packages, "LIST", other)
    assert peer_packages.folder() != first


def test_what_can_not_be_fetched_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                capsys: pytest.CaptureFixture[str]) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("no such line ==\n")
    monkeypatch.setattr(peer_packages, "LIST", listed)
    monkeypatch.setenv("RINGDOWN_CACHE", str(tmp_path / "cache"))
    assert peer_packages.main() == 1 and "peer packages: " in capsys.readouterr().err
    assert not peer_packages.folder().exists()

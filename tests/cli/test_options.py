"""Where the data folder is."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.cli.options import data_folder
from engine.runtime.secrets import default_data_folder


def test_told_or_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_folder(Path("/x")) == Path("/x")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert data_folder(None) == Path("/state/ringdown") == default_data_folder()
    monkeypatch.delenv("XDG_STATE_HOME")
    assert data_folder(None) == default_data_folder()

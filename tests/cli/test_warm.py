"""`ringdown warm` (the compiling itself belongs to the media room's tests)."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from engine.cli.app import run
from engine.runtime import warming


def test_progress_and_result(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def work(progress: Callable[[int, int, str], None]) -> None:
        progress(0, 1, "rings")
        progress(1, 1, "")

    monkeypatch.setattr(warming, "warm", work)
    assert run(["warm"]) == 0
    assert "kernels ready in" in capsys.readouterr().out
    assert run(["warm", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] and [each["kernel"] for each in found["steps"]] == ["rings"]

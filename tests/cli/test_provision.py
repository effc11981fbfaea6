"""`ringdown provision` shows the address, where to enter it and what is left; without a device it lists them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import run
from tests.cli.engine_double import engine, refused

MADE = {
    "device": "805ec0112233", "profile": "yealink", "owner": "default/201", "base": "http://10.0.0.1:8090/provision/T/",
    "url": "http://10.0.0.1:8090/provision/T/805ec0112233.cfg", "enter": "Settings, Auto Provision", "minutes": 15,
    "by_hand": ["a last thing"],
}  # fmt: skip


def test_it_shows_where_to_enter_what(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(tmp_path, {"provision": MADE}) as asked:
        assert run(["provision", "201", "--data", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert asked[0]["arguments"] == {"device": "201"}
    for part in (MADE["url"], MADE["base"], "once within 15 minutes", "Settings, Auto Provision", "a last thing"):
        assert str(part) in out
    assert any(letter in out for letter in "█▀▄"), "a QR code"


def test_it_lists_devices(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = {"device": "805ec0112233", "profile": "yealink", "owner": "default/201", "state": "fetched",
           "fetched_ago_s": 12, "by": "10.0.0.7"}  # fmt: skip
    with engine(tmp_path, {"provision": [row]}):
        assert run(["provision", "--data", str(tmp_path)]) == 0
        assert "fetched, 12 s ago by 10.0.0.7" in capsys.readouterr().out
        assert run(["provision", "--data", str(tmp_path), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)[0]["by"] == "10.0.0.7"


def test_it_says_when_it_is_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(tmp_path, {"provision": refused("provisioning is off: start the engine with --provision")}):
        assert run(["provision", "201", "--data", str(tmp_path)]) == 1
    assert "provisioning is off" in capsys.readouterr().err

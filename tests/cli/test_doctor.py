"""`ringdown doctor`: every check answers, every failure has its remedy."""

from __future__ import annotations

import json
from collections import namedtuple
from pathlib import Path

import pytest

from engine.cli import doctor as room
from engine.cli.app import run
from engine.runtime import net
from tests.runtime.test_site_files import broken_site


def test_on_this_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = run(["doctor", "--json", "--data", str(tmp_path)])
    results = json.loads(capsys.readouterr().out)
    assert {"python", "clock", "site", "address", "sdp address", "rtp ports", "open files", "udp buffers", "disk",
            "records", "engine"} <= {each["check"] for each in results}
    assert status == (1 if any(each["state"] == "fail" for each in results) else 0)
    assert all(each["remedy"] for each in results if each["state"] == "fail" and each["check"] != "address")
    sdp = next(each for each in results if each["check"] == "sdp address")
    assert "127.0.0.1" in sdp["detail"] and "listening address itself" in sdp["detail"] and "--lan" in sdp["remedy"]


def test_text_shows_the_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--site", str(broken_site(tmp_path / "s")), "--data", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "fail  site" in out and "→ ringdown check" in out


def test_a_site_that_is_gone(tmp_path: Path) -> None:
    (found,) = room.site_and_addresses(tmp_path / "gone")
    assert found["state"] == "fail" and "no folder" in found["detail"]


def test_a_full_disk_and_few_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(10, 9, 1_000))
    assert room.disk(tmp_path / "not" / "yet")["state"] == "fail"
    monkeypatch.setattr(net, "raise_file_limit", lambda: (1_024, 1_024))
    assert room.files()["state"] == "fail" and "LimitNOFILE" in room.files()["remedy"]


def test_overlapping_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(net, "ephemeral_range", lambda: (1_024, 65_000))
    assert room.rtp_ports()["state"] == "warn" and "ip_local_port_range" in room.rtp_ports()["remedy"]
    monkeypatch.setattr(net, "ephemeral_range", lambda: (40_000, 60_999))
    assert room.rtp_ports()["state"] == "ok"


def test_records_of_another_product(tmp_path: Path) -> None:
    (tmp_path / "ringdown.db").write_bytes(b"nonsense" * 200)
    assert room.records(tmp_path)["state"] == "fail"

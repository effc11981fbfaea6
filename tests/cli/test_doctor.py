"""`ringdown doctor` as a whole: every check answers, every failure has its remedy, beside an engine or without one."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from engine.cli import doctor as room
from engine.cli.app import run
from tests.cli.engine_double import engine, refused
from tests.runtime.test_site_files import broken_site

CHECKS = {
    "python", "clock", "clock steps", "time zones", "site", "site zones", "address", "sdp address", "names",
    "certificates", "rtp range", "rtp ports", "open files", "udp buffers", "disk", "disk writes", "records", "speech",
    "engine", "voices",
}  # fmt: skip
STATUS = {"up_s": 5, "addresses": ["udp:127.0.0.1:25999"], "runtime": {"media": {"legs": 4}}}


def test_on_this_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = run(["doctor", "--json", "--data", str(tmp_path)])
    results = json.loads(capsys.readouterr().out)
    assert {each["check"] for each in results} == CHECKS
    assert status == (1 if any(each["state"] == "fail" for each in results) else 0)
    assert all(each["remedy"] for each in results if each["state"] == "fail")
    assert {each["state"] for each in results} <= {"ok", "warn", "fail"}


def test_text_shows_the_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--site", str(broken_site(tmp_path / "s")), "--data", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "fail  site" in out and "→ ringdown check" in out


def test_wrong_use_is_status_2() -> None:
    assert run(["doctor", "--nonsense"]) == 2


def test_beside_a_running_engine(tmp_path: Path) -> None:
    with engine(tmp_path, {"status": STATUS}):
        results = {each["check"]: each for each in room.checks(None, tmp_path)}
    assert results["engine"]["detail"] == "up 5 s at udp:127.0.0.1:25999; legs 4"
    assert results["address"]["detail"] == "udp:127.0.0.1:25999 is the running engine's"
    assert results["rtp ports"]["detail"] == "held by the running engine"


def test_an_engine_that_refuses(tmp_path: Path) -> None:
    with engine(tmp_path, {"status": refused("too many operators")}):
        found, line = room.engine(tmp_path)
    assert found is None and line["state"] == "warn" and line["remedy"]


def test_records_of_another_product_and_of_a_newer_engine(tmp_path: Path) -> None:
    path = tmp_path / "ringdown.db"
    assert room.records(tmp_path)["state"] == "ok"
    path.write_bytes(b"nonsense" * 200)
    assert room.records(tmp_path)["state"] == "fail" and room.jumps(tmp_path)["state"] == "ok"
    path.unlink()
    base = sqlite3.connect(path)
    base.executescript("CREATE TABLE schema_versions (version, at); CREATE TABLE calls (n);"
                       "INSERT INTO schema_versions VALUES (999, 0)")
    base.close()
    found = room.records(tmp_path)
    assert found["state"] == "fail" and "999" in found["detail"] and "newer engine" in found["remedy"]


def test_steps_of_the_clock_are_remembered(tmp_path: Path) -> None:
    base = sqlite3.connect(tmp_path / "ringdown.db")
    base.execute("CREATE TABLE events (at_ms, kind, data)")
    now_ms = int(time.time() * 1000)
    rows: list[tuple[Any, ...]] = [
        (now_ms - 8 * 86_400_000, "engine.clock", '{"jump_ms": 5000}'), (now_ms - 2_000, "call.ended", "{}"),
        (now_ms - 1_000, "engine.clock", '{"jump_ms": -3600000}'),
    ]  # fmt: skip
    base.executemany("INSERT INTO events VALUES (?, ?, ?)", rows)
    base.commit()
    base.close()
    found = room.jumps(tmp_path)
    assert found["state"] == "warn" and found["detail"].startswith("1 in") and "by -3600.0 s" in found["detail"]

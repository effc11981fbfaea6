"""The doctor's lines about secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.cli import doctor
from engine.cli.doctor_secrets import secrets
from tests.cli.engine_double import engine
from tests.cli.test_doctor import STATUS


def row(name: str, source: str, *used_by: str, key: str = "") -> dict[str, Any]:
    return {"secret": name, "used_by": list(used_by), "source": source, "key": key}


def lines(folder: Path, *rows: dict[str, Any]) -> list[tuple[str, str]]:
    listed = {"key": "0a0b0c0d", "place": "the credential secrets_key", "secrets": list(rows)}
    with engine(folder, {"status": STATUS, "secret.list": listed}):
        found = [each for each in doctor.checks(None, folder) if each["check"].startswith("secrets")]
    assert all(each["remedy"] for each in found if each["state"] == "fail")
    return [(each["state"], each["detail"]) for each in found]


def test_all_there(tmp_path: Path) -> None:
    assert lines(tmp_path, row("a", "file", "trunk a", key="0a0b0c0d"), row("unused", "file, unreadable", key="1")) == [
        ("ok", "2 known by name, sealed with the key 0a0b0c0d from the credential secrets_key")
    ]  # fmt: skip


def test_what_the_engine_lacks(tmp_path: Path) -> None:
    rows = (row("a", "missing", "trunk a", "lookup b"), row("c", "file, unreadable", "bus", key="11111111"))
    assert lines(tmp_path, *rows) == [(
        "fail",
        "a of trunk a, lookup b is missing; c of bus is sealed with the key 11111111, which is not here",
    )]  # fmt: skip


def test_files_that_others_can_read_and_no_engine(tmp_path: Path) -> None:
    assert list(secrets(tmp_path, None)) == []
    path = tmp_path / "secrets.key"
    path.write_text("")
    path.chmod(0o640)
    (found,) = secrets(tmp_path, None)
    assert found["state"] == "fail" and f"chmod 600 {path}" in found["remedy"]
    assert path.stat().st_mode & 0o777 == 0o640, "it changes nothing"


def test_an_engine_that_does_not_know_the_question(tmp_path: Path) -> None:
    with engine(tmp_path, {"status": STATUS}):
        assert list(secrets(tmp_path, STATUS)) == []

"""`ringdown forget NUMBER`: a report of what went, a note without the number, status 1 while anything is left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import run
from tests.cli.engine_double import engine, refused
from tests.runtime.test_erasing import HIS, data  # noqa: F401  the stored story with files and journals
from tests.runtime.test_storage import rows

NOTES = "SELECT data FROM events WHERE kind = 'engine.records'"


def said(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert run(["forget", *arguments]) == status
    out = capsys.readouterr()
    return out.out + out.err


def test_a_dry_run_changes_nothing(data: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    found = json.loads(said(capsys, HIS, "--dry-run", "--json", "--data", str(data)))
    assert found["found"]["calls"] == 3 and found["erased"] is False
    assert "kept now" in said(capsys, HIS, "--dry-run", "--data", str(data))
    assert json.loads(said(capsys, HIS, "--dry-run", "--json", "--data", str(data))) == found
    assert rows(data / "ringdown.db", NOTES) == [] and not (data / "erasure.key").exists()


def test_erased_with_a_stopped_engine(data: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    text = said(capsys, HIS, "--data", str(data))
    assert "nothing of that number is left" in text and "out of reach: backups" in text
    ((note,),) = rows(data / "ringdown.db", NOTES)
    told = json.loads(note)
    assert told["act"] == "forget" and told["subject"].startswith("k:") and told["subject"] in text
    assert "calls=3" in told["counts"] and "journals=2" in told["counts"] and "441514960001" not in note
    again = json.loads(said(capsys, "00441514960001", "--json", "--data", str(data)))
    assert set(again["found"].values()) == {0} and again["subject"] == told["subject"]


def test_erased_beside_a_running_engine(data: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    ready = {"journal": str(data / "journal" / "aaaa0003-000000.journal"), "signalling": 4}
    with engine(data, {"forget.prepare": ready, "noted": {}}) as asked:
        found = json.loads(said(capsys, HIS, "--country", "44", "--json", "--data", str(data)))
    assert found["found"]["signalling"] == 4 and found["found"]["journals"] == 1
    assert asked[0]["arguments"] == {"number": HIS, "country": "44"}
    assert asked[1]["arguments"]["act"] == "forget" and HIS not in json.dumps(asked[1])
    assert (data / "journal" / "aaaa0003-000000.journal").exists()


def test_an_engine_that_says_not_yet(data: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    before = (data / "ringdown.db").read_bytes()
    with engine(data, {"forget.prepare": refused("a call of that number is up (bako-0): wait for its end")}):
        assert "is up (bako-0)" in said(capsys, HIS, "--data", str(data), status=1)
    assert (data / "ringdown.db").read_bytes() == before and (data / "queue_log").read_text().count(HIS) == 2


@pytest.mark.parametrize("arguments", [["201"], [HIS, "--country", "UK"], [HIS, "--country", "12345"]])
def test_used_wrongly(tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert said(capsys, *arguments, "--data", str(tmp_path), status=2)


def test_nothing_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nothing of that number is left" in said(capsys, HIS, "--data", str(tmp_path))
    assert list(tmp_path.iterdir()) == []

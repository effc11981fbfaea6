"""A note about the store, written while no engine runs, is an event like any other."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from engine.errors import SiteError
from engine.records.events import KINDS
from engine.runtime import record_notes
from tests.runtime.test_storage import rows

VECTOR = Path(__file__).parents[1] / "vectors" / "records" / "v1.db"


def test_it_is_an_event_of_a_boot_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "ringdown.db"
    shutil.copy(VECTOR, path)
    for _ in range(2):
        record_notes.write(path, "ops", "forget", "k:01", record_notes.counts_text({"calls": 2, "events": 0}))
    found = rows(path, "SELECT node, boot, n, data FROM events WHERE kind = 'engine.records'")
    assert [each[0] for each in found] == ["a", "a"] and found[0][1] != found[1][1] and found[0][2] == 1
    data = json.loads(found[0][3])
    assert data == {"author": "ops", "act": "forget", "subject": "k:01", "counts": "calls=2"}
    assert tuple(data) == KINDS["engine.records"]


def test_a_store_that_refuses(tmp_path: Path) -> None:
    (tmp_path / "ringdown.db").write_text("no database" * 99)
    with pytest.raises(SiteError, match="didn't take the note"):
        record_notes.write(tmp_path / "ringdown.db", "ops", "forget", "", "")


def test_a_subject_names_nobody_and_is_the_same_for_every_spelling(tmp_path: Path) -> None:
    one = record_notes.subject(tmp_path, "+441514960001")
    assert one == record_notes.subject(tmp_path, "0044 1514 960001") and "1514" not in one
    assert one != record_notes.subject(tmp_path, "+441514960002")
    (tmp_path / "other").mkdir()
    assert one != record_notes.subject(tmp_path / "other", "+441514960001")
    assert (tmp_path / record_notes.KEY).stat().st_mode & 0o777 == 0o600

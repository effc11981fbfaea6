"""What was done to the records is told by the running engine, or written beside a stopped one."""

from __future__ import annotations

import getpass
import json
import shutil
from pathlib import Path

from engine.cli import audit
from tests.cli.engine_double import engine
from tests.runtime.test_storage import rows

VECTOR = Path(__file__).parents[1] / "vectors" / "records" / "v1.db"
NOTES = "SELECT data FROM events WHERE kind = 'engine.records'"


def test_by_the_engine_when_one_runs(tmp_path: Path) -> None:
    shutil.copy(VECTOR, tmp_path / "ringdown.db")
    with engine(tmp_path, {"noted": {}}) as asked:
        audit.note(tmp_path, "forget", "k:01", {"calls": 2, "events": 0})
    assert asked == [{"verb": "noted", "arguments": {"act": "forget", "subject": "k:01", "counts": "calls=2"}}]
    assert rows(tmp_path / "ringdown.db", NOTES) == []


def test_into_the_store_otherwise(tmp_path: Path) -> None:
    shutil.copy(VECTOR, tmp_path / "ringdown.db")
    audit.note(tmp_path, "forget", "k:01", {"calls": 2})
    ((data,),) = rows(tmp_path / "ringdown.db", NOTES)
    assert json.loads(data) == {"author": getpass.getuser(), "act": "forget", "subject": "k:01", "counts": "calls=2"}

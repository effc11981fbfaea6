"""Utterances from a data folder, and labels that last."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.errors import SiteError, UsageError
from engine.records import schema
from engine.records.events import Event
from engine.runtime import utterances
from engine.runtime.migrations import migrate

STEP = "choose/menu(main_menu)"
AUDIO = "utterances/default/bako-0-aaaa0001-1.wav"


def store(folder: Path, *told: tuple[str, str, dict[str, Any]]) -> Path:
    """A data folder whose records hold these events: (call, kind, data)."""
    now_ms = time.time_ns() // 1_000_000
    with closing(sqlite3.connect(folder / "ringdown.db", isolation_level=None)) as db:
        migrate(db, folder / "ringdown.db")
        for n, (call, kind, data) in enumerate(told, 1):
            event = Event(n, "aaaa0001", now_ms - 60_000 + n, n, kind, "default", call, data)
            db.execute(schema.INSERT_EVENT, schema.event_row("a", event))
    return folder


def heard(text: str = "sales", **more: Any) -> dict[str, Any]:
    usual = {"step": STEP, "dialplan": "default/front", "grammar": "g", "language": "en", "result": "match",
             "intent": "sales", "confidence": 40, "slots": "", "audio": AUDIO}  # fmt: skip
    return {**usual, "text": text, **more}


def test_read_since_and_one(tmp_path: Path) -> None:
    folder = store(tmp_path, ("bako-0", "speech.heard", heard()), ("", "speech.heard", heard("erased")),
                   ("dilo-0", "speech.heard", heard("support")))  # fmt: skip
    found = utterances.read(folder, 0)
    assert [(each.id, each.text, each.wrong) for each in found] == [
        ("bako-0/1", "sales", ["unsure"]), ("dilo-0/3", "support", ["unsure"]),
    ]  # fmt: skip
    assert utterances.read(folder, found[1].at_ms) == found[1:]
    assert utterances.one(folder, "dilo-0/3") == found[1]
    with pytest.raises(UsageError, match="no utterance 'dilo-0/4'"):
        utterances.one(folder, "dilo-0/4")
    assert utterances.read(tmp_path / "nowhere", 0) == []
    (folder / "ringdown.db").write_bytes(b"no database" * 100)
    with pytest.raises(SiteError, match="can't read"):
        utterances.read(folder, 0)


def test_a_label_lasts_and_can_be_changed(tmp_path: Path) -> None:
    folder = store(tmp_path, ("bako-0", "speech.heard", heard()))
    each = utterances.one(folder, "bako-0/1")
    assert utterances.sound_of(folder, each) is None
    assert utterances.label(folder, each, "  my   bill ", "ana").audio == ""  # it has no sound (any more)
    (folder / AUDIO).write_bytes(b"RIFF")
    made = utterances.label(folder, each, "my bill", "ana")
    ((path, kept),) = utterances.labels(folder)
    assert kept == made and (made.said, made.audio, made.heard, made.by) == ("my bill", AUDIO, "sales", "ana")
    assert path.name == "bako-0-aaaa0001-n1.json"  # as `forget` finds it
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.stat().st_mtime_ns
    utterances.noted(path, made, "dialplans/front.speech.yaml")
    assert utterances.labels(folder)[0][1].case == "dialplans/front.speech.yaml"
    assert path.stat().st_mtime_ns == before  # retention goes by it
    path.write_bytes(b"{")
    with pytest.raises(SiteError, match="is no label"):
        utterances.labels(folder)


def test_no_label_of_a_secret_nor_a_novel(tmp_path: Path) -> None:
    folder = store(tmp_path, ("bako-0", "speech.heard", heard("····", audio="")))
    each = utterances.one(folder, "bako-0/1")
    with pytest.raises(UsageError, match="sensitive"):
        utterances.label(folder, each, "one two three four", "ana")
    each.text = "sales"
    with pytest.raises(UsageError, match="at most 300"):
        utterances.label(folder, each, "word " * 100, "ana")
    assert utterances.labels(folder) == []


def test_a_name_that_leaves_the_folder_is_no_sound(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{}")
    folder = store(tmp_path, ("bako-0", "speech.heard", heard(audio="utterances/../secrets.json")))
    assert utterances.sound_of(folder, utterances.one(folder, "bako-0/1")) is None


def test_a_disk_that_refuses(tmp_path: Path) -> None:
    folder = store(tmp_path, ("bako-0", "speech.heard", heard()))
    (folder / "utterances").write_text("a file")
    with pytest.raises(SiteError, match="can't write"):
        utterances.label(folder, utterances.one(folder, "bako-0/1"), "my bill", "ana")

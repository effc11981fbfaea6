"""After `forget` no message of his is left: no row, no file, no letter; and everybody else's are."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.runtime import erasing_boxes
from engine.runtime.erasing import Erasure
from engine.runtime.migrations import prepare
from tests.runtime.test_storage import rows

HIS, OTHER = "+441514960001", "+441514960002"


def message(folder: Path, name: str, caller: str, *, row: bool = True) -> Path:
    path = folder / "voicemail" / "default" / "front" / f"{name}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"RIFF")
    if row:
        with closing(sqlite3.connect(folder / "ringdown.db")) as db:
            values = (path.relative_to(folder).as_posix(), "default", "default/front", "c-1", caller, "", "700", 1, 2)
            db.execute("INSERT INTO voicemail VALUES (?,?,?,?,?,?,?,?,?,'new',0)", values)
            db.commit()
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    prepare(tmp_path / "ringdown.db", 1.0)
    message(tmp_path, "his", HIS)
    message(tmp_path, "spelled", "00441514960001")
    message(tmp_path, "others", OTHER)
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "1.json").write_text(f'{{"caller": "{HIS}"}}')
    (tmp_path / "mail" / "2.json").write_text('{"message": "voicemail/default/front/his.wav"}')
    (tmp_path / "mail" / "3.json").write_text(f'{{"caller": "{OTHER}"}}')
    return tmp_path


def test_he_is_found_in_every_place(data: Path) -> None:
    counts = Erasure(data, HIS).find()
    assert (counts.voicemail, counts.mails) == (2, 2)


def test_he_is_gone_and_the_others_are_not(data: Path) -> None:
    erasure = Erasure(data, HIS)
    counts = erasure.erase()
    assert (counts.voicemail, counts.mails) == (2, 2) and erasure.left() == {}
    assert [path.name for path in (data / "voicemail").rglob("*.wav")] == ["others.wav"]
    assert [path.name for path in (data / "mail").iterdir()] == ["3.json"]
    assert rows(data / "ringdown.db", "SELECT caller FROM voicemail") == [(OTHER,)]
    digits = HIS[1:].encode()
    assert not [path for path in data.rglob("*") if path.is_file() and digits in path.read_bytes()]


def test_a_file_whose_row_is_gone_is_found_by_its_call(data: Path) -> None:
    path = message(data, "bako-0-aaaa0001-7", HIS, row=False)
    found = erasing_boxes.files(data, [("a", "aaaa0001", 1, "bako-0"), ("a", "aaaa0001", 2, "")])
    assert found == [path.relative_to(data).as_posix()]


def test_a_store_of_before_has_no_such_table(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "ringdown.db")) as db:
        assert erasing_boxes.names(db, "1514960001", lambda _: True) == []
        erasing_boxes.delete(db, ["x"])
    assert erasing_boxes.known(tmp_path, ["voicemail/x.wav", "../x"]) == []

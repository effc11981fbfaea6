"""Every stored format of tests/vectors/records opens with today's engine, whole, and its reports are right."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from engine.records import kpi, schema
from engine.runtime.migrations import StorageRefused, prepare

VECTORS = Path(__file__).parents[1] / "vectors" / "records"
STORES = sorted(VECTORS.glob("v*.db"))


def version(path: Path) -> int:
    return int(path.stem[1:])


@pytest.fixture(params=STORES, ids=lambda path: path.stem)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    copy = tmp_path / "ringdown.db"
    shutil.copy(request.param, copy)
    return copy


def test_every_version_before_this_one_is_kept() -> None:
    """A new schema comes with a stored file of the one before: see the folder's README."""
    assert [version(path) for path in STORES] == list(range(1, schema.VERSION))
    readme = (VECTORS / "README.md").read_text()
    assert all(f"`{path.name}`" in readme for path in STORES)


def test_vectors_are_what_they_say() -> None:
    for path in STORES:
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        assert db.execute("SELECT max(version) FROM schema_versions").fetchone() == (version(path),)
        assert db.execute("PRAGMA application_id").fetchone() == (schema.APPLICATION_ID,)
        db.close()


def test_it_opens_whole(store: Path) -> None:
    before = sqlite3.connect(store)
    kept = {table: before.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall()
            for table in ("events", "calls", "queue_events", "agent_logins")}
    before.close()
    prepare(store, 1.0)
    prepare(store, 1.0)  # once more changes nothing
    db = sqlite3.connect(store)
    assert db.execute("SELECT max(version) FROM schema_versions").fetchone() == (schema.VERSION,)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    for table, rows in kept.items():
        assert db.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall() == rows
    db.close()
    assert store.stat().st_mode & 0o777 == 0o600


def test_it_has_the_tables_of_a_new_one(store: Path, tmp_path: Path) -> None:
    prepare(store, 1.0)
    prepare(tmp_path / "new.db", 1.0)

    def shape(path: Path) -> list[tuple[str, str]]:
        db = sqlite3.connect(path)
        rows = db.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name").fetchall()
        db.close()
        return [(name, " ".join(sql.split())) for name, sql in rows]

    assert shape(store) == shape(tmp_path / "new.db")


def test_its_figures_are_made_from_its_events(store: Path) -> None:
    """The story of make.py: four stays accepted (three served), one refused; Ana's time by hand."""
    prepare(store, 1.0)
    db = sqlite3.connect(store)
    rows = db.execute("SELECT queue, result, waited_ms, talked_ms, who FROM contacts ORDER BY at_ms").fetchall()
    assert [row[:4] for row in rows] == [
        ("default/support", "connected", 4_000, 50_000), ("default/support", "connected", 31_000, 20_000),
        ("default/support", "abandoned", 9_000, 0), ("press/orders", "full", 0, 0),
        ("default/support", "connected", 12_000, 100_000),
    ]
    assert rows[0][4] == rows[1][4] != 0  # +44… and 0044… are one caller
    sums = kpi.add_up([kpi.Contact(*row[:4]) for row in rows], 20_000)
    assert kpi.level(sums) == 50.0
    spent = dict(db.execute("SELECT state, sum(ms) FROM agent_times GROUP BY state"))
    assert spent == {"ready": 4_000 + 31_000 + 9_000 + 12_000, "talking": 170_000, "wrap_up": 90_000}
    db.close()


# --- what is not ours ---------------------------------------------------------------------------------------
def foreign(path: Path) -> bytes:
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE shop (price)")
    db.commit()
    db.close()
    return path.read_bytes()


def test_another_products_file_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "ringdown.db"
    content = foreign(path)
    with pytest.raises(StorageRefused, match="another product's database: move it away"):
        prepare(path, 1.0)
    assert path.read_bytes() == content and sorted(tmp_path.iterdir()) == [path]


def test_another_products_mark_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ringdown.db"
    foreign(path)
    db = sqlite3.connect(path)
    db.execute("PRAGMA application_id = 99")
    db.close()
    with pytest.raises(StorageRefused, match="another product"):
        prepare(path, 1.0)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ringdown.db"
    path.write_bytes(b"minutes of the meeting\n" * 100)
    with pytest.raises(StorageRefused, match="no record store"):
        prepare(path, 1.0)
    assert path.read_bytes() == b"minutes of the meeting\n" * 100


def test_a_store_from_the_future_is_refused_and_not_touched(store: Path) -> None:
    prepare(store, 1.0)
    db = sqlite3.connect(store)
    db.execute("PRAGMA journal_mode=DELETE")
    db.execute("INSERT INTO schema_versions VALUES (999, 0)")
    db.commit()
    db.close()
    content = store.read_bytes()
    with pytest.raises(StorageRefused, match="has schema 999, this engine knows"):
        prepare(store, 1.0)
    assert store.read_bytes() == content


def test_a_migration_that_fails_leaves_the_old_store(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS[:-1], (schema.VERSION, "DROP TABLE calls; NONSENSE")))
    found = version_of(store)
    with pytest.raises(sqlite3.OperationalError):
        prepare(store, 1.0)
    assert version_of(store) == found
    db = sqlite3.connect(store)
    assert db.execute("SELECT count(*) FROM calls").fetchone() == (5,)
    db.close()


def version_of(path: Path) -> int:
    db = sqlite3.connect(path)
    found = int(db.execute("SELECT max(version) FROM schema_versions").fetchone()[0])
    db.close()
    return found

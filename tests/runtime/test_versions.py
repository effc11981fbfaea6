"""Versions are kept whole, each file once, bounded; a damaged book or a full disk is said."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.dialplan.prompts import WavInfo
from engine.errors import SiteError
from engine.runtime import versions as room
from engine.runtime.site_files import collect, demo_site
from engine.runtime.versions import Store, Version


def entered(store: Store, *names: str, act: str = "reload") -> None:
    for number, name in enumerate(names):
        store.keep(name, {"site.yaml": name.encode(), "shared.txt": b"the same"}, store.folder)
        store.enter(Version(name, number, act, "ann"), "/site")


def test_a_version_is_kept_whole_and_each_file_once(tmp_path: Path) -> None:
    store, demo = Store(tmp_path), demo_site()
    files = collect(demo)
    size = store.keep("aaaa1111", files, demo)
    before = store.bytes()
    kept = store.tree("aaaa1111")
    for name in files:
        assert (kept / name).read_bytes() == (demo / name).read_bytes()
    assert sorted(collect(kept)) == sorted(files) and size >= before > 0
    store.keep("bbbb2222", files | {"about.txt": b"twelve bytes"}, demo)
    assert store.bytes() == before + 12  # only what is new
    assert store.keep("bbbb2222", {}, demo) == size + 12  # is there already


def test_records_come_first_on_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=room.FREE_BYTES_MIN + 1_000))
    store = Store(tmp_path)
    with pytest.raises(SiteError, match="it needs 2 kB of 64001 kB free, and 64 MB stay for records"):
        store.keep("aaaa1", {"site.yaml": bytes(2_000)}, tmp_path)
    assert not store.bytes() and not (tmp_path / "versions" / "aaaa1").exists()
    store.keep("bbbb2", {"site.yaml": bytes(1_000)}, tmp_path)


def test_a_recording_changed_while_it_was_read(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"other")
    with pytest.raises(SiteError, match="changed while the site was read"):
        Store(tmp_path / "data").keep("aaaa", {"a.wav": WavInfo(1, sha256="0" * 64)}, tmp_path)


def test_a_file_that_the_reader_could_not_read_is_kept_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"no sound")
    store = Store(tmp_path / "data")
    store.keep("aaaa1", {"a.wav": WavInfo(0, fault="no sound")}, tmp_path)
    assert (store.tree("aaaa1") / "a.wav").read_bytes() == b"no sound"


def test_the_book_says_what_was_in_force(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.book().entries == [] and store.before("aaaa") == ""
    entered(store, "aaaa1", "bbbb2", "aaaa3")
    assert store.book().active == "aaaa3" and store.before("aaaa3") == "bbbb2" and store.before("bbbb2") == "aaaa1"
    assert store.named("bbbb") == "bbbb2"
    with pytest.raises(SiteError, match="several versions: aaaa3, aaaa1"):
        store.named("aaaa")
    for name, words in (("bb", "at least 4 letters"), ("cccc", "lists them")):
        with pytest.raises(SiteError, match=words):
            store.named(name)


def test_a_share_is_held_back_and_not_in_force(tmp_path: Path) -> None:
    store = Store(tmp_path)
    entered(store, "aaaa1")
    store.keep("bbbb2", {"site.yaml": b"b"}, tmp_path)
    store.enter(Version("bbbb2", 5, "share", "ann"), "/site", ["bbbb2"])
    assert store.book().active == "aaaa1" and store.book().held == ["bbbb2"] and store.before("aaaa1") == ""
    store.enter(Version("bbbb2", 6, "reload", "ann"), "/site")
    assert store.book().active == "bbbb2" and store.book().held == [] and store.before("bbbb2") == "aaaa1"


def test_starts_with_the_same_version_are_one_entry(tmp_path: Path) -> None:
    store = Store(tmp_path)
    entered(store, "aaaa1", "aaaa1", "aaaa1", act="start")
    assert len(store.book().entries) == 1


def test_the_oldest_go_but_never_those_that_somebody_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "VERSIONS_MAX", 3)
    store = Store(tmp_path)
    entered(store, "aaaa1", "bbbb2", "cccc3")
    store.keep("dddd4", {"site.yaml": b"dddd4"}, tmp_path)
    store.enter(Version("dddd4", 9, "reload", "ann"), "/site", in_use=["aaaa1"])
    assert [entry.version for entry in store.book().entries] == ["aaaa1", "cccc3", "dddd4"]
    with pytest.raises(SiteError, match="not kept any more"):
        store.tree("bbbb2")
    assert store.tree("aaaa1").is_dir()
    objects = {path.read_bytes() for path in store.objects.iterdir()}
    assert objects == {b"the same", b"aaaa1", b"cccc3", b"dddd4"}
    monkeypatch.setattr(room, "BYTES_MAX", 12)
    assert store.prune() == ["aaaa1"]  # the one in force and the one before it stay, whatever they weigh


def test_what_was_read_and_refused_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    entered(store, "aaaa1")
    store.keep("bbbb2", {"site.yaml": b"refused"}, tmp_path)
    store.prune()
    assert not (store.folder / "bbbb2").exists() and b"refused" not in {p.read_bytes() for p in store.objects.iterdir()}


def test_a_book_that_cannot_be_read(tmp_path: Path) -> None:
    store = Store(tmp_path)
    entered(store, "aaaa1")
    store.path.write_bytes(b"{")
    with pytest.raises(SiteError, match="put aside"):
        store.book()
    assert store.book().entries == []
    store.path.write_bytes(b'{"format": 9}')
    with pytest.raises(SiteError, match="format 9"):
        store.book()


def test_a_disk_that_takes_nothing(tmp_path: Path) -> None:
    (tmp_path / "versions").write_bytes(b"in the way")
    with pytest.raises(SiteError, match="can't keep this version"):
        Store(tmp_path).keep("aaaa1", {"site.yaml": b"x"}, tmp_path)
    with pytest.raises(SiteError, match="can't write"):
        Store(tmp_path).write(room.Book())

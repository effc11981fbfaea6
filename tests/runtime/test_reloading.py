"""Reload and rollback: all or nothing, tested, told in words, kept; and what was rolled back stays so over a start."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.call.effects import Reply
from engine.dialplan.findings import Finding
from engine.errors import SiteError
from engine.runtime import reloading as room
from engine.runtime import site_tests
from engine.runtime.site_files import Reading, read_folder
from engine.runtime.versions import Store, Version
from tests.runtime.fakes import run, site
from tests.runtime.test_desk import Fake, ask, data

MAIN = "ringdown: 1\nflows:\n  main:\n    - answer\n    - play: {prompt: tone/beep}\n    - hangup: served\n"


class Engine(Fake):
    """As the desk's double, with calls on the version in force and notes of what was told to the Switch."""

    def __init__(self, folder: Path, calls: dict[str, int] | None = None) -> None:
        super().__init__(folder)
        self.calls = calls or {}
        self.noted: list[tuple[str, dict[str, str]]] = []

    async def ask(self, author: str, verb: str, arguments: dict[str, str]) -> Reply:
        if verb == "site_noted":
            self.noted.append((author, arguments))
        return Reply(1, True, msgspec.json.encode({"calls_by_version": self.calls}))


def reading(monkeypatch: pytest.MonkeyPatch, found: Reading | SiteError) -> list[Any]:
    asked: list[Any] = []

    async def read(folder: Path, kept: Any, into: Path | None = None) -> Reading:
        asked.append((folder, kept, into))
        await asyncio.sleep(0)
        if isinstance(found, SiteError):
            raise found
        return found

    monkeypatch.setattr(room, "read_in_child", read)
    return asked


def kept(folder: Path, version: str) -> None:
    store = Store(folder)
    store.keep(version, {"site.yaml": version.encode()}, folder)
    store.enter(Version(version, 1, "reload", "ann"), str(folder))


def test_a_good_reload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Engine(tmp_path, {"version-1": 3, "version-0": 1})
    old = fake.site
    new = site(version="version-2", listen=("udp:0.0.0.0:5060",))
    difference = ["key 3 leads elsewhere"]
    asked = reading(monkeypatch, Reading(new, [], 9, str(tmp_path), difference=difference, unkept="disk full"))
    found = data(ask(fake, "reload"))
    assert asked == [(tmp_path, old, tmp_path)]
    assert (found["old"], found["new"], found["changed"]) == ("version-1", "version-2", True)
    assert found["notes"][0].endswith("next start") and "disk full" in found["notes"][1]
    assert found["difference"] == ["key 3 leads elsewhere"] and found["finishing"] == 3
    assert found["undo"] == "ringdown rollback version-1" and len(found["passwords"]) == 2
    assert fake.notified == ["reloading", "reloaded"]
    assert fake.site.version == "version-2" and "reload by ann" in fake.printed.getvalue()
    ((author, noted),) = fake.noted
    assert author == "ann" and (noted["act"], noted["changes"], noted["reason"]) == ("reload", "1", "")
    assert Store(tmp_path).book().active == "version-2"


def test_a_wrong_site_is_refused_and_the_running_one_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Engine(tmp_path)
    finding = Finding("RD030", "error", "dialplans/main.yaml", 3, 5, "unknown verb", snippet="x\n^")
    reading(monkeypatch, Reading(None, [finding], 9))
    answer = ask(fake, "reload")
    assert not answer.ok and "dialplans/main.yaml:3:5" in msgspec.json.decode(answer.data)["findings"][0]
    assert fake.loaded == [] and "the running site stays: dialplans/main.yaml:3" in fake.printed.getvalue()


def test_a_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Engine(tmp_path)
    reading(monkeypatch, SiteError("/gone is no folder"))
    assert ask(fake, "reload").error == "/gone is no folder" and fake.loaded == []
    assert fake.notified == ["reloading", "reloaded"]  # a manager that waits for the end of a reload hears of it


def test_the_same_version_changes_nothing_and_leaves_no_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Engine(tmp_path)
    reading(monkeypatch, Reading(site(), [], 9, str(tmp_path)))
    found = data(ask(fake, "reload"))
    assert not found["changed"] and found["undo"] == "" and fake.noted == []
    assert Store(tmp_path).book().entries == []


def outcome(monkeypatch: pytest.MonkeyPatch, status: int, words: str) -> None:
    code = f"import sys; print({words!r}); print(sys.argv[1]); sys.exit({status})"
    monkeypatch.setattr(site_tests, "COMMAND", (sys.executable, "-c", code))


def test_a_failing_test_refuses_unless_there_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Engine(tmp_path)
    (tmp_path / "main.test.yaml").write_text("storm: []\n")
    outcome(monkeypatch, 1, "storm: expected the notice")
    reading(monkeypatch, Reading(site(version="version-2"), [], 9, str(tmp_path), difference=["a change"], unkept="x"))
    answer = ask(fake, "reload")
    given = msgspec.json.decode(answer.data)
    assert not answer.ok and "a test fails" in answer.error and fake.loaded == [] and fake.noted == []
    assert given["tests"]["lines"][0] == "storm: expected the notice" and given["difference"] == ["a change"]
    found = data(ask(fake, "reload", untested="the storm is here"))
    assert found["untested"] == "the storm is here" and fake.site.version == "version-2"
    assert fake.noted[0][1]["reason"] == "the storm is here"
    assert Store(tmp_path).book().entries[-1].untested == "the storm is here"


def test_a_reason_that_was_not_needed_is_not_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Engine(tmp_path)
    (tmp_path / "main.test.yaml").write_text("storm: []\n")
    outcome(monkeypatch, 0, "1 passed")
    reading(monkeypatch, Reading(site(version="version-2"), [], 9, str(tmp_path), unkept="x"))
    found = data(ask(fake, "reload", untested="hurry"))
    assert found["untested"] == "" and found["tests"]["ok"] and fake.noted[0][1]["reason"] == ""


def test_rollback_to_the_one_before_and_to_a_named_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Engine(tmp_path, {"version-1": 2})
    kept(tmp_path, "older-00")
    kept(tmp_path, "version-1")
    asked = reading(monkeypatch, Reading(site(version="older-00"), [], 9, str(tmp_path)))
    found = data(ask(fake, "rollback"))
    assert asked[0][0] == Store(tmp_path).tree("older-00") and asked[0][2] is None
    assert found["new"] == "older-00" and found["finishing"] == 2 and found["undo"] == "ringdown rollback version-1"
    book = Store(tmp_path).book()
    assert book.active == "older-00" and book.held == ["version-1"] and book.entries[-1].act == "rollback"
    assert "in force already" in ask(fake, "rollback", version="older").error
    reading(monkeypatch, Reading(site(version="version-1"), [], 9, str(tmp_path)))
    assert data(ask(fake, "rollback", version="version"))["new"] == "version-1"
    assert Store(tmp_path).book().held == ["older-00"]
    assert "lists them" in ask(fake, "rollback", version="nothing").error


def test_nothing_to_go_back_to_and_files_that_were_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Engine(tmp_path)
    assert "no earlier version" in ask(fake, "rollback").error
    kept(tmp_path, "older-00")
    kept(tmp_path, "version-1")
    reading(monkeypatch, Reading(site(version="tampered"), [], 9, str(tmp_path)))
    assert "were changed" in ask(fake, "rollback").error and fake.loaded == []


def test_one_reload_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Engine(tmp_path)
    reading(monkeypatch, Reading(site(version="version-2"), [], 9, str(tmp_path), unkept="x"))

    async def both() -> list[Any]:
        reloads = room.Reloads(fake)  # type: ignore[arg-type]
        return list(await asyncio.gather(reloads.reload("ann", {}), reloads.reload("bob", {})))

    first, second = run(both())
    assert first.ok and "another reload is under way" in second.error and len(fake.loaded) == 1


# --- with real folders -----------------------------------------------------------------------
def folder(path: Path, main: str = MAIN) -> Path:
    (path / "dialplans").mkdir(parents=True, exist_ok=True)
    (path / "site.yaml").write_text("ringdown: 1\nlanguages: [en]\nnumbers:\n  100: main\n")
    (path / "dialplans" / "main.yaml").write_text(main)
    return path


class OnDisk(Engine):
    """Started with a real folder."""

    def __init__(self, home: Path) -> None:
        super().__init__(home / "data")
        self.options = msgspec.structs.replace(self.options, site=folder(home / "site"))
        found = self.read()
        assert found.site is not None
        self.site = found.site

    def read(self) -> Reading:
        return room.Reloads(self).reader(read_folder)(self.options.site)  # type: ignore[arg-type]

    def begin(self) -> None:
        async def work() -> None:
            reloads = room.Reloads(self)  # type: ignore[arg-type]
            reloads.started(self.read(), going_on=False)
            await reloads.close()

        run(work())


def test_versions_of_a_real_folder(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    fake = OnDisk(tmp_path)
    fake.begin()
    first = fake.site.version
    assert Store(tmp_path / "data").book().active == first
    folder(tmp_path / "site", MAIN.replace("tone/beep", "music/default"))
    found = data(ask(fake, "reload"))
    assert found["difference"][0] == "flow main: play(music/default) instead of play(tone/beep)"
    second = fake.site.version
    assert data(ask(fake, "rollback"))["new"] == first and fake.site.version == first
    # a start reads the folder, which still holds what was rolled back
    assert read_folder(fake.options.site).site.version == second  # type: ignore[union-attr]
    again = fake.read()
    assert again.site is not None and again.site.version == first and "stays in force" in fake.printed.getvalue()
    fake.begin()
    assert Store(tmp_path / "data").book().held == [second]
    # an edit is neither: it comes into force as any other would
    folder(tmp_path / "site", MAIN.replace("served", "failed"))
    edited = fake.read()
    assert edited.site is not None and edited.site.version not in (first, second)
    assert data(ask(fake, "reload"))["new"] == edited.site.version
    assert Store(tmp_path / "data").book().held == []


def test_a_book_that_cannot_be_read_costs_nobody_his_start(tmp_path: Path) -> None:
    (tmp_path / "data" / "versions").mkdir(parents=True)
    (tmp_path / "data" / "versions" / "book.json").write_text("{")
    fake = OnDisk(tmp_path)
    assert fake.site.version and "put aside" in fake.printed.getvalue()

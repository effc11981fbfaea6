"""`--share`: asked for, refused, judged, withdrawn by itself, in force for all at the end."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.call.effects import Reply, SiteLoaded
from engine.dialplan.model import PromptModel, QueueModel
from engine.errors import SiteError
from engine.records.events import Event
from engine.records.guard import Bound
from engine.runtime import reloading, sharing
from engine.runtime.admin import Answer
from engine.runtime.site_files import Reading
from engine.runtime.versions import Store
from tests.runtime.fakes import event, run, site, until
from tests.runtime.test_reloading import Engine, kept, reading

NEW = site(version="version-2", prompts={"en/a": PromptModel(7, "en/a", "", "", 1)})


class Shares(Engine):
    """With what sharing needs: deliveries, clips, and a share in its status."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.given: list[Any] = []
        self.asked: list[str] = []
        self.share: dict[str, str] | None = None
        self.deliver = self.given.append
        self.plane.load_clips = lambda prompts: []

    async def ask(self, author: str, verb: str, arguments: dict[str, str]) -> Reply:
        self.asked.append(verb)
        if verb == "status" and self.share:
            return Reply(1, True, msgspec.json.encode({"share": self.share}))
        return await super().ask(author, verb, arguments)


async def shared(fake: Shares, monkeypatch: pytest.MonkeyPatch, **arguments: str) -> tuple[reloading.Reloads, Answer]:
    kept(fake.options.data, "version-1")
    reading(monkeypatch, Reading(NEW, [], 9, str(fake.options.data), difference=["a change"], unkept="x"))
    reloads = reloading.Reloads(fake)  # type: ignore[arg-type]
    return reloads, await reloads.reload("ann", {"share": "5%"} | arguments)


def calls(count: int, *, bad: bool) -> list[Event]:
    found = []
    for number in range(count):
        call = f"c{number}{bad}"
        found += [event(1, "call.started", call), event(2, "call.shared", call)]
        found += [event(3, "call.fault", call)] if bad else []
        found.append(event(4, "call.ended", call, outcome="served"))
    return found


def test_wishes() -> None:
    assert sharing.wish({}) is None
    found = sharing.wish({"share": "2.5%", "guard": "abandoned<=8%", "for_s": "3600"})
    assert found == sharing.Wish(250, Bound("abandoned", 8.0), 3_600.0)
    for arguments, words in (({"share": "lots"}, "say 5%"), ({"share": "100%"}, "99.99%"), ({"share": "0"}, "99.99%"),
                             ({"share": "5", "guard": "x"}, "no guard"), ({"guard": "faults<=1%"}, "go with --share"),
                             ({"share": "5", "for_s": "9999999"}, "at most 30 days")):  # fmt: skip
        with pytest.raises(SiteError, match=words):
            sharing.wish(arguments)


def test_what_all_calls_have_in_common_cannot_be_shared() -> None:
    sharing.refuse(site(), NEW)
    other = msgspec.structs.replace(NEW, queues={"default/a": QueueModel("default", "a")})
    with pytest.raises(SiteError, match="changes queues, which all calls have in common"):
        sharing.refuse(site(), other)


def test_a_share_begins_and_the_version_in_force_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        fake = Shares(tmp_path)
        reloads, answer = await shared(fake, monkeypatch, for_s="3600")
        found = msgspec.json.decode(answer.data)
        assert answer.ok and found["share"]["share"] == "5%" and found["undo"] == "ringdown rollback"
        (loaded,) = fake.given
        assert isinstance(loaded, SiteLoaded) and (loaded.version, loaded.share) == ("version-2", 500)
        assert fake.loaded == [] and fake.site.version == "version-1"
        book = Store(tmp_path).book()
        assert (book.active, book.held, book.entries[-1].act) == ("version-1", ["version-2"], "share")
        assert reloads.sharing.until_ms > time.time() * 1000 and fake.noted[-1][1]["act"] == "share"
        numbered = reloads.sharing.numbering(fake.site)
        assert max(each.clip for each in numbered.prompts.values()) == 7  # the next version gives its number to nobody
        again = await reloads.rollback("bob", {})
        assert msgspec.json.decode(again.data)["withdrawn"] == "version-2"
        assert fake.noted[-1][1]["act"] == "withdrawn" and "share_over" in fake.asked
        assert reloads.sharing.row() is None and Store(tmp_path).book().held == ["version-2"]

    run(work())


def test_the_guard_takes_it_back_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        fake = Shares(tmp_path)
        reloads, answer = await shared(fake, monkeypatch, guard="faults<=5%")
        assert answer.ok
        for each in calls(1, bad=True) + calls(10, bad=False):
            reloads.sharing.feed(each)
        assert reloads.sharing.version() == "version-2"
        for each in calls(3, bad=True):
            reloads.sharing.feed(each)
        await until(lambda: "share_over" in fake.asked and fake.noted[-1][1]["act"] == "withdrawn")
        author, noted = fake.noted[-1]
        assert author == "engine" and noted["reason"].startswith("guard faults<=5% broken: faults ")
        assert reloads.sharing.version() == "" and fake.asked.count("share_over") == 1
        assert "is withdrawn" in fake.printed.getvalue() and fake.site.version == "version-1"

    run(work())


@pytest.mark.parametrize("enough", [True, False])
def test_the_end_of_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, enough: bool) -> None:
    async def work() -> None:
        fake = Shares(tmp_path)
        reloads, answer = await shared(fake, monkeypatch, for_s="0.3")
        assert answer.ok
        for each in calls(25 if enough else 5, bad=False):
            reloads.sharing.feed(each)
        await until(lambda: fake.noted[-1][1]["act"] in ("shared", "withdrawn"))
        if enough:
            assert fake.site.version == "version-2" and Store(tmp_path).book().active == "version-2"
            assert Store(tmp_path).book().held == [] and fake.noted[-1][1]["act"] == "shared"
        else:
            assert fake.site.version == "version-1" and "only 5 calls were judged" in fake.noted[-1][1]["reason"]

    run(work())


def test_a_restart_withdraws_what_nobody_counted(tmp_path: Path) -> None:
    async def work() -> None:
        fake = Shares(tmp_path)
        fake.share = {"version": "version-2"}
        await reloading.Reloads(fake).sharing.started()  # type: ignore[arg-type]
        assert fake.asked[:2] == ["status", "share_over"] and fake.noted[-1][1]["reason"] == "the engine was restarted"
        fake.share = None
        await reloading.Reloads(fake).sharing.started()  # type: ignore[arg-type]
        assert fake.asked.count("share_over") == 1

    run(work())


def test_what_is_in_force_cannot_be_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        fake = Shares(tmp_path)
        reading(monkeypatch, Reading(site(), [], 9, str(tmp_path), unkept="x"))
        answer = await reloading.Reloads(fake).reload("ann", {"share": "5%"})  # type: ignore[arg-type]
        assert "in force already" in answer.error and fake.given == []
        await asyncio.sleep(0)

    run(work())

"""The running engine lets go of a caller, or says why not yet; nothing is erased by halves."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from engine.call.effects import Reply
from engine.dialplan.model import TrunkModel
from engine.runtime import forgetting as room
from engine.runtime.forgetting import NotYet, prepare
from engine.runtime.ladder import Ladder
from engine.sip.events import Path
from tests.runtime.fakes import run, site

HIS = "+441514960001"


class World:
    """As much of a Server as it touches."""

    def __init__(self) -> None:
        self.site = site()
        self.ladder = Ladder()
        self.calls: list[dict[str, str]] = []
        self.states = [b"\xa3abc"]
        self.flushed = self.rotated = 0
        self.asked: list[str] = []
        self.forgotten: list[Callable[[str], bool]] = []
        self.storage = SimpleNamespace(
            flush=self._flush, spooled=0, detail="", state="ok", forget=self.forgotten.append
        )
        self.answers_dropped: list[str] = []  # of lookups
        lookups = SimpleNamespace(forget=lambda: self.answers_dropped.append("all"))
        self.elsewhere = SimpleNamespace(lookups=lookups)
        self.switch = SimpleNamespace(encode=self._encode)
        self.journal = SimpleNamespace(path="journal/b-0001.journal", failed="")

    def _flush(self) -> None:
        self.flushed += 1

    def _encode(self) -> bytes:
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    async def ask(self, author: str, verb: str, arguments: dict[str, str]) -> Reply:
        assert author == "ops" and (verb, arguments) in (("calls", {}), ("let_go", {"number": HIS, "country": ""}))
        self.asked.append(verb)
        return Reply(1, True, msgspec.json.encode(self.calls))

    async def rotate_journal(self) -> None:
        assert self.flushed
        self.rotated += 1


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(room, "again_s", 0.01)
    monkeypatch.setattr(room, "state_s_max", 0.05)
    monkeypatch.setattr(room, "spool_s_max", 0.1)
    return World()


def prepared(world: World) -> Any:
    return run(prepare(world, "ops", HIS, ""))  # type: ignore[arg-type]


def test_memory_is_cleared_and_a_new_journal_begun(world: World) -> None:
    way = Path(1, "192.0.2.7", 5060, "udp")
    world.ladder.note(1, "in", way, b"INVITE sip:1@x SIP/2.0\r\nFrom: <sip:+441514960001@y>\r\nCall-ID: a\r\n\r\n")
    world.states = [b"sip:+441514960001@y", b"sip:00441514960001", b"nobody"]  # the last timers of his dialog
    assert prepared(world) == {"journal": "journal/b-0001.journal", "signalling": 1}
    assert world.rotated == world.flushed == 1 and world.ladder.of_call("a") == []
    assert world.asked == ["calls", "let_go"] and world.answers_dropped == ["all"]
    (is_his,) = world.forgotten
    assert is_his("00441514960001") and not is_his("+441514960002")


@pytest.mark.parametrize("row", [
    {"call": "bako-0", "caller": "00441514960001"}, {"call": "bako-0", "caller": "201", "dialled": HIS},
    {"call": "bako-0", "caller": "1", "dialled": "2", "with": "number 441514960001"},
])
def test_not_during_his_call(world: World, row: dict[str, str]) -> None:
    world.calls = [{"call": "dilo-0", "caller": "+441514960002"}, row]
    with pytest.raises(NotYet, match=r"is up \(bako-0\).*call bako-0 hangup"):
        prepared(world)
    assert not world.rotated and not world.forgotten


def test_not_while_records_wait(world: World) -> None:
    world.storage.spooled, world.storage.detail = 9, "ringdown.db: database is locked"
    with pytest.raises(NotYet, match=r"wait in memory .*locked"):
        prepared(world)
    assert not world.rotated and not world.forgotten


def test_not_while_the_state_names_him(world: World) -> None:
    world.states = [b"contact +441514960001"]
    with pytest.raises(NotYet, match="state still names"):
        prepared(world)
    assert not world.rotated


def test_not_a_number_of_the_site(world: World) -> None:
    world.site = site(trunks={"gw": TrunkModel("gw", user=HIS)})
    with pytest.raises(NotYet, match="the site itself names"):
        prepared(world)


def test_not_without_a_journal(world: World) -> None:
    world.journal.failed = "journal stopped: the disk is full"
    with pytest.raises(NotYet, match="disk is full"):
        prepared(world)

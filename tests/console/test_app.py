"""The console at 80×24: every view, key and page; empty, long, and without an engine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, RichLog, Static

from engine.console.app import VIEWS, Console
from engine.console.link import Gone, Link
from tests.console.pictures import rest
from tests.console.scenario import Recorded, busy

Scene = Callable[[Console, Pilot[None], Recorded], Awaitable[None]]


def play(tmp_path: Path, scene: Scene, *, view: str = "calls", size: tuple[int, int] = (80, 24)) -> None:
    async def work() -> None:
        world = busy()
        link = Recorded(tmp_path, world)
        app = Console(tmp_path, view, link=link, now_ms=world.wall_ms)
        async with app.run_test(size=size) as pilot:
            await rest(pilot)
            await scene(app, pilot, link)

    asyncio.run(work())


def text(app: Console, where: str) -> str:
    return str(app.screen.query_one(where, Static).render())


def cells(app: Console, view: str) -> list[list[str]]:
    table: DataTable[Any] = app.query_one(f"#{view}", DataTable)
    return [[str(cell) for cell in table.get_row_at(row)] for row in range(table.row_count)]


async def shown_events(pilot: Pilot[None]) -> list[str]:
    """The lines of the events view, once there are some (they are drawn four times a second)."""
    log = pilot.app.query_one("#events", RichLog)
    for _ in range(100):
        if log.lines:
            break
        await pilot.pause(0.05)
    return [str(line.text) for line in log.lines]


def acts(link: Recorded) -> list[tuple[str, dict[str, str]]]:
    return [(verb, arguments) for verb, arguments in link.asked if "." in verb]


def test_every_view_has_its_rows_and_keys(tmp_path: Path) -> None:
    async def scene(app: Console, pilot: Pilot[None], link: Recorded) -> None:
        assert cells(app, "calls")[0][4] == "talks with agent 204"
        assert "[1 calls]" in text(app, "#views") and "h hang up" in text(app, "#help")
        for number, view in enumerate(VIEWS[1:], 2):
            await pilot.press(str(number))
            await rest(pilot)
            assert f"[{number} {view}]" in text(app, "#views") and app.view == view
        assert any("queue.close" in line for line in await shown_events(pilot))
        assert [row[0] for row in cells(app, "queues")][:2] == ["support", "sales CLOSED"]
        assert ["202", "李雷", "not ready (lunch)"] in [row[:3] for row in cells(app, "agents")]
        assert cells(app, "trunks") == []
        await pilot.press("tab")
        await rest(pilot)
        assert app.view == "calls"

    play(tmp_path, scene)


def test_hanging_up_asks_first(tmp_path: Path) -> None:
    async def scene(app: Console, pilot: Pilot[None], link: Recorded) -> None:
        first = cells(app, "calls")[0][0]
        await pilot.press("h")
        await rest(pilot)
        await pilot.press("n")
        await rest(pilot)
        assert acts(link) == []
        await pilot.press("h")
        await rest(pilot)
        await pilot.press("y")
        await rest(pilot)
        assert acts(link) == [("call.hangup", {"call": first})]
        assert f"{first}: hung up   (undo: none" in text(app, "#message")
        assert link.world.last("operator.command").data["verb"] == "call.hangup"

    play(tmp_path, scene)


def test_transfer_asks_where_and_a_refusal_is_said(tmp_path: Path) -> None:
    async def scene(app: Console, pilot: Pilot[None], link: Recorded) -> None:
        await pilot.press("t")
        await rest(pilot)
        await pilot.press(*"777", "enter")
        await rest(pilot)
        assert "nobody answers to '777'" in text(app, "#message")
        await pilot.press("t")
        await rest(pilot)
        await pilot.press("escape")
        await rest(pilot)
        assert len(acts(link)) == 1
        await pilot.press("t", *"100", "enter")
        await rest(pilot)
        assert "transferred to 100" in text(app, "#message")

    play(tmp_path, scene)


def test_queues_and_agents_are_acted_on(tmp_path: Path) -> None:
    async def scene(app: Console, pilot: Pilot[None], link: Recorded) -> None:
        for keys in (("2", "c", "y"), ("o",), ("3", "r"), ("x", "y"), ("i",), ("n", "enter"), ("h",), ("s",)):
            for key in keys:
                await pilot.press(key)
                await rest(pilot)
        done = [(verb, arguments.get("queue") or arguments.get("agent")) for verb, arguments in acts(link)]
        who = "default/200"
        assert done == [
            ("queue.close", "default/support"), ("queue.open", "default/support"), ("agent.ready", who),
            ("agent.logout", who), ("agent.login", who), ("agent.not_ready", who),
        ]  # fmt: skip
        assert "not ready (break)" in text(app, "#message")

    play(tmp_path, scene)


def test_a_filter_narrows_and_escape_shows_all_again(tmp_path: Path) -> None:
    async def scene(app: Console, pilot: Pilot[None], link: Recorded) -> None:
        await pilot.press("slash", *"1555", "enter")
        await rest(pilot)
        assert [row[1] for row in cells(app, "calls")] == ["15550123"] and "filter: 1555" in text(app, "#views")
        await pilot.press("escape")
        await rest(pilot)
        assert len(cells(app, "calls")) == 4
        await pilot.press("5", "slash", *"lunch", "enter")
        await rest(pilot)
        lines = await shown_events(pilot)
        assert lines and all("lunch" in line for line in lines)

    play(tmp_path, scene)


def test_keys_of_the_lists_rest_while_a_page_is_in_front(tmp_path: Path) -> None:
    async def scene(app: Console, pilot: Pilot[None], link: Recorded) -> None:
        await pilot.press("enter")
        await rest(pilot)
        for key in ("2", "tab", "slash", "c", "r", "i"):
            await pilot.press(key)
            await rest(pilot)
        assert app.view == "calls" and len(app.screen_stack) == 2 and acts(link) == []
        asked = len(link.asked)
        link.gone = True
        for _ in range(3):
            await app.look()
        assert "no engine runs here" in text(app, "#message") and len(link.asked) == asked  # said on the page as well

    play(tmp_path, scene)


def test_an_engine_that_goes_is_said_and_found_again(tmp_path: Path) -> None:
    async def scene(app: Console, pilot: Pilot[None], link: Recorded) -> None:
        before = cells(app, "calls")
        link.gone = True
        await app.look()
        assert "NO ENGINE since" in text(app, "#head") and "looking again" in text(app, "#message")
        assert cells(app, "calls") == before  # what was stays readable
        await pilot.press("h", "y")
        await rest(pilot)
        assert "no engine runs here" in text(app, "#message")
        link.gone = False
        await app.look()
        assert "answers again" in text(app, "#message") and "NO ENGINE" not in text(app, "#head")

    play(tmp_path, scene)


@pytest.mark.parametrize("view", VIEWS)
def test_no_engine_and_nothing_recorded_is_no_fault(tmp_path: Path, view: str) -> None:
    async def work() -> None:
        app = Console(tmp_path, view)
        async with app.run_test(size=(80, 24)) as pilot:
            await rest(pilot)
            assert "NO ENGINE" in text(app, "#head")
            await pilot.press("enter", "h", "s", "c", "r", "t")
            await rest(pilot)
            assert app.is_running and len(app.screen_stack) == 1

    asyncio.run(work())


class Crowd(Link):
    """A thousand calls, of which some end and some begin between two looks."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.first = 0

    async def ask(self, verb: str, **arguments: str) -> Any:
        if verb == "status":
            return {"version": "x", "draining": True, "switch": {"calls": 1_000, "waiting": 0, "switches": []}}
        if verb != "calls":
            raise Gone("not asked in this test")
        offset, limit = int(arguments["offset"]), int(arguments["limit"])
        rows = [
            {"call": f"call-{n}", "caller": f"{n}", "dialled": "700", "seconds": n, "phase": "script", "path": ""}
            for n in range(self.first, self.first + 1_000)
        ]
        return rows[offset : offset + limit]


def test_a_thousand_calls_come_and_go_and_the_cursor_stays(tmp_path: Path) -> None:
    async def work() -> None:
        link = Crowd(tmp_path)
        app = Console(tmp_path, link=link)
        async with app.run_test(size=(80, 24)) as pilot:
            await rest(pilot)
            table = app.query_one("#calls", DataTable)
            assert table.row_count == 1_000 and "DRAINING" in text(app, "#head")
            await pilot.press(*["down"] * 12)
            assert app.chosen() == "call-12"
            link.first = 10
            await app.look()
            assert table.row_count == 1_000 and app.chosen() == "call-12" and cells(app, "calls")[-1][0] == "call-1009"
            link.first = 500
            await app.look()
            assert [row[0] for row in cells(app, "calls")] == [f"call-{n}" for n in range(500, 1_500)]

    asyncio.run(work())

"""Draws the console's pictures for the README from the recorded scenario: `python -m tests.console.pictures`.

tests/console/test_pictures.py draws them again and compares: a picture can't go stale without notice.
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
import time
from pathlib import Path

from textual.pilot import Pilot

from engine.console.app import Console
from tests.console.scenario import Recorded, busy

FOLDER = Path(__file__).resolve().parents[2] / "engine" / "console" / "pictures"
SIZE = (80, 24)
WAITER = "861012345678"  # of the scenario: he waits while agents don't answer
TALKER = "15550123"
_FONTS = re.compile(r"\s*@font-face \{.*?\}\n", re.S)


async def rest(pilot: Pilot[None]) -> None:
    """Let the console finish what a key has begun."""
    for _ in range(4):
        await pilot.pause(0.05)
    await pilot.app.workers.wait_for_complete()
    await pilot.pause(0.05)


def picture(app: Console) -> str:
    """The screen as SVG without fonts from elsewhere: a README must not fetch anything."""
    return _FONTS.sub("", app.export_screenshot(title="ringdown console"))


async def draw() -> dict[str, str]:
    """file name -> SVG of every page worth showing."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        world = busy()
        names = {event.data["caller"]: event.call for event in world.events if event.kind == "call.started"}
        app = Console(Path(folder), link=Recorded(Path(folder), world), now_ms=world.wall_ms)
        async with app.run_test(size=SIZE) as pilot:
            await rest(pilot)
            found["calls.svg"] = picture(app)
            await pilot.press("2")
            await rest(pilot)
            found["queues.svg"] = picture(app)
            for name, page, caller in (("why.svg", "story", WAITER), ("ladder.svg", "ladder", TALKER)):
                await pilot.press("1")
                await rest(pilot)
                table = app.query_one("#calls")
                table.move_cursor(row=table.get_row_index(names[caller]))  # type: ignore[attr-defined]
                await pilot.press("enter" if page == "story" else "s")
                await rest(pilot)
                found[name] = picture(app)
                await pilot.press("escape")
                await rest(pilot)
    return found


def drawn() -> dict[str, str]:
    """The pictures, with clocks in UTC whatever this machine's zone is."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    try:
        return asyncio.run(draw())
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, svg in drawn().items():
        (FOLDER / name).write_text(svg)
        print(FOLDER.relative_to(Path.cwd()) / name)


if __name__ == "__main__":
    main()

"""The console's questions: only y is a yes, Esc gives up, the help knows every key."""

from __future__ import annotations

import asyncio

import pytest
from textual.app import App

from engine.console.app import KEYS
from engine.console.dialogs import HELP, Ask, Confirm, Help


def answer(screen: Confirm | Ask | Help, *keys: str) -> object:
    """What a dialog says after these keys."""
    found: list[object] = []

    async def work() -> None:
        app: App[None] = App()
        async with app.run_test(size=(80, 24)) as pilot:
            app.push_screen(screen, found.append)  # type: ignore[arg-type]
            await pilot.pause()
            await pilot.press(*keys)
            await pilot.pause()

    asyncio.run(work())
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(("key", "yes"), [("y", True), ("n", False), ("enter", False), ("escape", False), ("q", False)])
def test_only_y_is_a_yes(key: str, yes: bool) -> None:
    assert answer(Confirm("Hang up?"), key) is yes


def test_a_line_is_asked_and_given_up() -> None:
    assert answer(Ask("Where to?"), *"201", "enter") == "201"
    assert answer(Ask("Why?", "break"), "enter") == "break"
    assert answer(Ask("Why?", "break"), "escape") == ""


def test_any_key_closes_the_help_and_it_names_every_key() -> None:
    assert answer(Help(), "x") is None
    for keys in KEYS.values():
        for part in filter(None, keys.split("  ")):
            assert f"{part.split()[0]} " in HELP, part

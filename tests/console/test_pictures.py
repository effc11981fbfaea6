"""The README's pictures are what the console draws today."""

from __future__ import annotations

import re

from tests.console import pictures


def test_the_pictures_are_what_the_console_draws() -> None:
    found = pictures.drawn()
    assert sorted(found) == sorted(path.name for path in pictures.FOLDER.iterdir())
    stale = [name for name, svg in found.items() if (pictures.FOLDER / name).read_text() != svg]
    assert not stale, f"{stale} are stale: run `python -m tests.console.pictures`, look at them, commit them"


def test_they_fetch_nothing_and_show_what_they_are_for() -> None:
    for path in pictures.FOLDER.glob("*.svg"):
        text = path.read_text()
        assert not re.search(r"https?://(?!www\.w3\.org|www\.textualize)", text), path.name
    words = {
        "calls.svg": "waits", "queues.svg": "CLOSED", "why.svg": "answer", "ladder.svg": "INVITE",
    }  # fmt: skip
    for name, word in words.items():
        assert word in (pictures.FOLDER / name).read_text(), name

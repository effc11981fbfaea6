"""Which recogniser hears an utterance, at once or after its grammar has been compiled."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import SpeechError
from engine.runtime import recognizer_wire as wire
from engine.runtime.graph_shelf import Shelf
from engine.runtime.hearers import Hearers
from engine.speech.grammar import Grammar, Line, Slot
from engine.speech.ports import Listening
from tests.runtime.fakes import run
from tests.runtime.spoken import DIGITS, MODEL, digits, frames

ENGINE = wire.Engine("embedded", MODEL)
WISH = Listening("digits", "en")


def test_at_once_when_it_is_ready_and_later_when_not(tmp_path: Path) -> None:
    async def work() -> None:
        hearers = Hearers(Shelf(tmp_path))
        hearers.warm()
        assert hearers.at_once(ENGINE, DIGITS, WISH, print) is None
        first = await hearers.hearer(ENGINE, DIGITS, WISH)
        second = hearers.at_once(ENGINE, DIGITS, WISH, print)
        assert second is not None
        for each in (first, second):
            for frame in frames(digits("4079")):
                each.feed(frame)
            assert (await each.result())[0].slots == {"number": "4079"} and each.name == "embedded"
        await hearers.close()

    run(work(), 30)


def test_an_open_list_is_not_compiled_ahead_and_a_broken_model_is_told(tmp_path: Path) -> None:
    async def work() -> None:
        hearers = Hearers(Shelf(tmp_path))
        names = Grammar("en", (Line("$who", "person"),), {"who": Slot("choice", open_list=True)})
        await hearers.prepare(names, MODEL)
        assert not (tmp_path / "graphs").exists()
        with pytest.raises(SpeechError, match="no such folder"):
            await hearers.hearer(wire.Engine("folder", "/nowhere"), DIGITS, WISH)
        await hearers.close()

    run(work(), 30)

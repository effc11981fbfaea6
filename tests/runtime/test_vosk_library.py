"""The library against real models: what it hears, and what it says of folders that are none."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from engine.errors import SpeechError
from engine.runtime import vosk_library
from engine.runtime.graph_shelf import Shelf
from engine.runtime.vosk_library import Decoder, Model, lacks
from tests.runtime.spoken import DIGITS, MODEL, digits


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return Shelf(tmp_path_factory.mktemp("graphs")).prepared(MODEL, DIGITS, {}).model


def test_the_package_itself_is_never_imported() -> None:
    vosk_library.load()
    assert "vosk" not in sys.modules and "srt" not in sys.modules


def test_four_digits_with_alternatives_and_without(model: Model) -> None:
    for alternatives in (0, 5):
        decoder = Decoder(model, (), alternatives)
        decoder.feed(digits("4079"))
        assert decoder.partial() == "four zero seven nine"
        readings = decoder.final()
        assert readings[0].words == "four zero seven nine"
        assert len(readings) <= max(1, alternatives) and readings == sorted(readings, key=lambda each: -each.score)


def test_two_utterances_side_by_side_know_nothing_of_each_other(model: Model) -> None:
    first, second = Decoder(model), Decoder(model)
    a, b = digits("1111"), digits("8888")
    for at in range(0, max(len(a), len(b)), 160):
        first.feed(a[at : at + 160])
        second.feed(b[at : at + 160])
    assert first.final()[0].words == "one one one one"
    assert second.final()[0].words == "eight eight eight eight"


def test_nothing_is_heard_in_nothing(model: Model) -> None:
    assert [each.words for each in Decoder(model).final()] in ([], [""])
    silent = Decoder(model)
    silent.feed(np.zeros(8_000, np.int16))
    assert not any("one" in each.words for each in silent.final())


def test_folders_that_are_no_models(tmp_path: Path) -> None:
    assert lacks(tmp_path / "nowhere") == "there is no such folder"
    assert lacks(tmp_path) == "it has no am/final.mdl and no conf/mfcc.conf and no conf/model.conf"
    for name in ("am/final.mdl", "conf/mfcc.conf", "conf/model.conf"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert "neither graph/HCLG.fst nor" in lacks(tmp_path)
    with pytest.raises(SpeechError, match="can't be used: it has neither"):
        Model(tmp_path)
    (tmp_path / "graph").mkdir()
    (tmp_path / "graph/HCLG.fst").write_bytes(b"\0" * 64)
    with pytest.raises(SpeechError, match="broken or of another kind"):
        Model(tmp_path)


def test_a_fixed_graph_knows_its_words(model: Model) -> None:
    assert model.own_grammar
    assert model.knows("seven") and not model.knows("billing")

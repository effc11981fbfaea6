"""Graphs on the shelf: compiled once, found again, made again when broken; models that are none are refused."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import msgspec
import pytest

from engine.errors import SpeechError
from engine.runtime import graph_shelf, guessing
from engine.runtime.graph_shelf import OwnModel, Shelf, problem, shipped
from engine.speech.grammar import Grammar, Line, Slot
from tests.runtime.spoken import DIGITS, MENU, MODEL


def test_a_grammar_is_compiled_once_and_found_again_by_its_content(tmp_path: Path) -> None:
    first = Shelf(tmp_path)
    assert not first.holds(MODEL, DIGITS, {})
    prepared = first.prepared(MODEL, DIGITS, {})
    assert first.holds(MODEL, DIGITS, {}) and first.prepared(MODEL, DIGITS, {}) is prepared
    (kept,) = (tmp_path / "graphs").iterdir()
    stamp = (kept / "graph/HCLG.fst").stat().st_mtime_ns
    assert Shelf(tmp_path).prepared(MODEL, msgspec.structs.replace(DIGITS), {}).model.folder == kept
    assert (kept / "graph/HCLG.fst").stat().st_mtime_ns == stamp
    first.prepared(MODEL, MENU, {})
    assert len(list((tmp_path / "graphs").iterdir())) == 2


def test_a_broken_graph_is_made_again(tmp_path: Path) -> None:
    kept = Shelf(tmp_path).prepared(MODEL, MENU, {}).model.folder
    whole = (kept / "graph/HCLG.fst").read_bytes()
    (kept / "graph/HCLG.fst").write_bytes(whole[:100])
    Shelf(tmp_path).prepared(MODEL, MENU, {})
    assert (kept / "graph/HCLG.fst").read_bytes() == whole


def test_lists_that_only_a_call_knows_make_another_graph(tmp_path: Path) -> None:
    names = Grammar("en", (Line("$who", "person"),), {"who": Slot("choice", open_list=True)})
    shelf = Shelf(tmp_path)
    ana = shelf.prepared(MODEL, names, {"who": ("anna smith",)})
    bob = shelf.prepared(MODEL, names, {"who": ("robert jones",)})
    assert ana.model.folder != bob.model.folder
    assert ana.matcher.read(["anna", "smith"])[0].slots == {"who": "anna smith"}
    with pytest.raises(SpeechError, match="open list"):
        shelf.prepared(MODEL, MENU, {"who": ("anna",)})


def test_memory_and_disk_keep_a_number_of_graphs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_shelf, "in_memory_max", 2)
    monkeypatch.setattr(graph_shelf, "on_disk_max", 2)
    shelf = Shelf(tmp_path)
    made = [Grammar("en", (Line(word, word),)) for word in ("one", "two", "three")]
    for grammar in made:
        shelf.prepared(MODEL, grammar, {})
    assert [shelf.holds(MODEL, grammar, {}) for grammar in made] == [False, True, True]
    assert len(list((tmp_path / "graphs").iterdir())) == 2


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "graphs").write_text("a file")
    with pytest.raises(SpeechError, match="set RINGDOWN_CACHE to a folder"):
        Shelf(tmp_path).prepared(MODEL, MENU, {})


def test_a_thousand_phrases_within_a_second(tmp_path: Path) -> None:
    dictionary = OwnModel(Path(MODEL)).dictionary
    words = [word for word in (line.partition("\t")[0] for line in dictionary.lines[5_000::50]) if word.isalpha()]
    lines = tuple(Line(f"{a} {b}", a) for a, b in zip(words[:1_000], words[1_000:2_000], strict=True))
    shelf = Shelf(tmp_path)
    shelf.own(MODEL).dictionary  # noqa: B018  (unpacked once per process)
    began = time.process_time()
    shelf.prepared(MODEL, Grammar("en", lines), {})
    assert time.process_time() - began < 1.5  # 0.5 s on a quiet machine


def test_what_a_broken_model_is_told_to_be(tmp_path: Path) -> None:
    assert problem(Path(MODEL)) == "" and shipped("en-GB") == Path(MODEL) and shipped("xx") is None
    copy = tmp_path / "en"
    shutil.copytree(MODEL, copy)
    data = bytearray((copy / "am/final.mdl").read_bytes())
    data[1_000] ^= 1
    (copy / "am/final.mdl").write_bytes(data)
    assert "am/final.mdl is not what its manifest says" in problem(copy)
    with pytest.raises(SpeechError, match="install ringdown again"):
        Shelf(tmp_path).prepared(str(copy), MENU, {})
    (copy / "phones.txt").unlink()
    assert "incomplete: No such file" in problem(copy)
    (copy / "manifest.yaml").write_text("language: [")
    assert "broken manifest" in problem(copy)
    assert "there is no such folder" in problem(tmp_path / "nowhere")


def test_a_word_that_nobody_can_say_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guessing, "PROGRAM", "no-such-program")
    with pytest.raises(SpeechError, match="'qwrtzp'"):
        Shelf(tmp_path).prepared(MODEL, Grammar("en", (Line("qwrtzp", "x"),)), {})
    said = Grammar("en", (Line("qwrtzp", "x"),), words={"qwrtzp": ("K W ER T S",)})
    assert Shelf(tmp_path).prepared(MODEL, said, {}).ours

"""Graphs on the shelf: compiled once, found again, made again when broken; models that are none are refused."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine import limits
from engine.errors import SpeechError
from engine.runtime import graph_shelf, guessing
from engine.runtime.embedded_recognizer import EmbeddedRecognizer
from engine.runtime.graph_shelf import OwnModel, Shelf, problem, shipped
from engine.speech.grammar import Grammar, Line, Slot
from tests.bench.yardstick import units
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


def test_what_another_process_kept_meanwhile_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Removed and laid out anew, it would be gone for an instant in which the other one loads it."""
    compile_, stamps = graph_shelf.graph.compile, []

    def slowly(*given: Any) -> Any:
        monkeypatch.setattr(graph_shelf.graph, "compile", compile_)
        faster = Shelf(tmp_path).prepared(MODEL, MENU, {}).model.folder / "graph/HCLG.fst"
        stamps.append((faster, faster.stat().st_ino))
        return compile_(*given)

    monkeypatch.setattr(graph_shelf.graph, "compile", slowly)
    Shelf(tmp_path).prepared(MODEL, MENU, {})
    ((file, inode),) = stamps
    assert file.stat().st_ino == inode


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


def test_a_cache_that_cannot_be_written_makes_nobody_dumb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    shelf = Shelf(tmp_path / "file")
    assert shelf.prepared(MODEL, DIGITS, {}).ours and "can't be kept" in shelf.unkept
    monkeypatch.setattr(graph_shelf, "_MEMORY", tmp_path / "nowhere")
    assert shelf.prepared(MODEL, MENU, {}).ours  # by way of the system's temporary folder
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(SpeechError, match="nor in a temporary folder; set RINGDOWN_CACHE to a folder"):
        Shelf(tmp_path / "file").prepared(MODEL, DIGITS, {})


def test_a_full_disk_leaves_nothing_half_written_and_once_there_is_room_the_graph_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf, write, full = Shelf(tmp_path), Path.write_bytes, [True]

    def when_full(path: Path, data: bytes) -> int:
        if full[0] and tmp_path in path.parents:
            write(path, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", when_full)
    assert shelf.prepared(MODEL, DIGITS, {}).ours and "No space left" in shelf.unkept
    assert not list((tmp_path / "graphs").iterdir())
    full[0] = False
    Shelf(tmp_path).prepared(MODEL, DIGITS, {})
    (kept,) = (tmp_path / "graphs").iterdir()
    assert (kept / "graph/HCLG.fst").is_file()


def test_a_thousand_phrases_cost_a_bounded_number_of_units(tmp_path: Path) -> None:
    dictionary = OwnModel(Path(MODEL)).dictionary
    words = [word for word in (line.partition("\t")[0] for line in dictionary.lines[5_000::50]) if word.isalpha()]
    lines = tuple(Line(f"{a} {b}", a) for a, b in zip(words[:1_000], words[1_000:2_000], strict=True))
    shelf = Shelf(tmp_path)
    shelf.own(MODEL).dictionary  # noqa: B018  (unpacked once per process)
    assert units(lambda: shelf.prepared(MODEL, Grammar("en", lines), {}), rounds=1) < 100  # 42 to 47


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


def test_an_entry_that_nobody_knows_how_to_say_costs_the_others_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph_shelf, "guess", lambda words, language: {})
    open_slot = Grammar("en", (Line("$town", "town"),), {"town": Slot("choice", open_list=True)})
    shelf = Shelf(tmp_path)
    made = shelf.prepared(MODEL, open_slot, {"town": ("york", "djpfrwy spa", "bath")})
    assert made.mute == ("djpfrwy spa",)
    assert made.matcher.read(["bath"])[0].slots == {"town": "bath"} and not made.matcher.read(["djpfrwy", "spa"])
    assert shelf.holds(MODEL, open_slot, {"town": ("york", "djpfrwy spa", "bath")})
    recognizer = EmbeddedRecognizer(shelf, MODEL, {"town": ("york", "djpfrwy spa", "bath")})
    recognizer.start(open_slot)
    assert recognizer.name == "embedded (can't hear 1 entries without a pronunciation: djpfrwy spa)"
    recognizer.cancel()
    own = msgspec.structs.replace(open_slot, words={"djpfrwy": ("like jeff fray",)})
    assert shelf.prepared(MODEL, own, {"town": ("djpfrwy spa",)}).mute == ()
    with pytest.raises(SpeechError, match="choice without choices"):
        shelf.prepared(MODEL, open_slot, {"town": ("djpfrwy",)})


def test_a_list_of_the_largest_size_costs_a_bounded_number_of_units(tmp_path: Path) -> None:
    """Beside the load of its model: names as a directory has them."""
    first = "anna ben carol david emma frank grace henry irene jack".split()
    last = "baker carter davis evans fisher".split()
    names = tuple(f"{a} {b} {c}" for a in first for b in last for c in first)[: limits.spoken_list_entries_max]
    shelf = Shelf(tmp_path)
    open_slot = Grammar("en", (Line("$who", "who"),), {"who": Slot("choice", open_list=True)})
    shelf.prepared(MODEL, open_slot, {"who": names[:1]})

    def ready() -> None:
        assert shelf.prepared(MODEL, open_slot, {"who": names}).matcher.read(names[-1].split())

    assert units(ready, rounds=1) < 60  # 17 to 21

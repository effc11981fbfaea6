"""Model folders as a disk may leave them: the library's own word on each, without its end being ours."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.runtime import model_trial
from engine.runtime.graph_shelf import Shelf
from tests.runtime.spoken import DIGITS, MODEL

BROKEN: dict[str, Callable[[Path], object]] = {
    "a truncated network": lambda folder: _cut(folder / "am/final.mdl", 100_000),
    "a network without its last byte": lambda folder: _cut(folder / "am/final.mdl", -1),
    "an empty network": lambda folder: _cut(folder / "am/final.mdl", 0),
    "something else as a network": lambda folder: (folder / "am/final.mdl").write_bytes(bytes(range(256)) * 400),
    "a truncated graph": lambda folder: _cut(folder / "graph/HCLG.fst", 1_000),
    "no words": lambda folder: (folder / "graph/words.txt").unlink(),
    "an unknown option": lambda folder: (folder / "conf/model.conf").write_text("--nonsense=3\n"),
    "no rate at all, at which the library ends its process": lambda folder: _rate(folder, "0"),
    "a rate that is none": lambda folder: _rate(folder, "fast"),
    "fewer coefficients than the network takes": lambda folder: _more(folder / "conf/mfcc.conf", "--num-ceps=13\n"),
}


def _cut(path: Path, size: int) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:size])


def _more(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def _rate(folder: Path, rate: str) -> None:
    conf = folder / "conf/mfcc.conf"
    conf.write_text(conf.read_text().replace("--sample-frequency=8000", f"--sample-frequency={rate}"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as vosk has them, with a graph of its own."""
    folder = tmp_path_factory.mktemp("model") / "whole"
    made = Shelf(tmp_path_factory.mktemp("shelf")).prepared(MODEL, DIGITS, {}).model.folder
    shutil.copytree(made, folder)
    return folder


def test_a_whole_one_is_tried_once(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert model_trial.trial(whole) == ""
    monkeypatch.setattr(model_trial.subprocess, "run", lambda *_, **__: pytest.fail("tried again"))
    assert model_trial.trial(whole) == ""


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_one_is_refused(what: str, whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(whole, folder)
    BROKEN[what](folder)
    why = model_trial.trial(folder)
    assert why.startswith(f"the model {folder} ") and "\n" not in why


def test_one_that_takes_for_ever_is_given_up(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "slow"
    shutil.copytree(whole, folder)
    monkeypatch.setattr(model_trial, "trial_s_max", 0.01)
    assert "isn't loaded within" in model_trial.trial(folder)

"""Models of ours with a file that is gone, cut short or another one: told before anybody listens."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from engine.errors import SpeechError
from engine.runtime import model_files
from engine.runtime.graph_shelf import problem
from tests.runtime.spoken import MODEL
from tools.train import manifest
from tools.train.manifest import SEALED


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MODEL, tmp_path / "en"))


def test_the_shipped_one_is_whole() -> None:
    model_files.check(Path(MODEL))


def test_the_shipped_manifest_answers_for_every_file() -> None:
    """What isn't sealed can be cut short by a disk, and the model would go on, wrong."""
    folder = Path(MODEL)
    listed = msgspec.yaml.decode((folder / "manifest.yaml").read_bytes())["sha256"]
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {*listed} == {*SEALED} == files - {"manifest.yaml", "words.LICENSE.txt"}


@pytest.mark.parametrize("name", SEALED)
def test_what_was_cut_short_is_not_what_the_manifest_says(model: Path, name: str) -> None:
    data = (model / name).read_bytes()
    (model / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(SpeechError, match=f"{name} is not what its manifest says; install ringdown again"):
        model_files.check(model)
    assert name in problem(model)


@pytest.mark.parametrize("name", [
    "am/final.mdl", "words.txt.xz", "phones.txt", "conf/mfcc.conf", "conf/model.conf", "manifest.yaml",
])  # fmt: skip
def test_what_is_missing_is_named(model: Path, name: str) -> None:
    (model / name).unlink()
    with pytest.raises(SpeechError, match=rf"incomplete: No such file or directory \(.*{name}\)"):
        model_files.check(model)


@pytest.mark.parametrize(("conf", "why"), [
    ("--sample-frequency=16000\n", "for sound of 16000 Hz, and a telephone's has 8000"),
    ("--dither=0\n", "for no known rate of sound"), ("--sample-frequency=fast\n", "for no known rate of sound"),
])
def test_another_rate_of_sound(model: Path, conf: str, why: str) -> None:
    (model / "conf/mfcc.conf").write_text(conf)
    manifest.seal(model)
    with pytest.raises(SpeechError, match=why):
        model_files.check(model)


@pytest.mark.parametrize("text", ["language: en\n", "words: [a]\n", "words: {\n", "\x00"])
def test_a_broken_manifest(model: Path, text: str) -> None:
    (model / "manifest.yaml").write_text(text)
    with pytest.raises(SpeechError, match="has a broken manifest"):
        model_files.check(model)

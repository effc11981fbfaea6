"""`python -m tools.train corpus|train|export` makes a shipped speech model; README.md says in which order."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when numpy is imported: processes share the cores, not threads

import argparse
import json
import sys
from pathlib import Path

import yaml

from tools.train import corpus, texts
from tools.train.recipe import Recipe

MODEL = Path(__file__).resolve().parents[2] / "engine" / "speech" / "models" / "en"


def read_phones(manifest: Path) -> list[str]:
    """The phones of a model, in the order of its transition model."""
    return [str(phone) for phone in yaml.safe_load(manifest.read_text("utf-8"))["phones"]]


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m tools.train", description=__doc__)
    steps = options.add_subparsers(dest="step", required=True)
    speech = steps.add_parser("corpus", help="speak the texts with every family of synthetic voices")
    speech.add_argument("--families", nargs="+", default=list(corpus.SHARES), choices=list(corpus.SHARES))
    speech.add_argument("--workers", type=int, default=2)
    speech.add_argument("--folder", type=Path, required=True)
    training = steps.add_parser("train", help="train on the corpus; every epoch is kept")
    training.add_argument("--folder", type=Path, required=True)
    training.add_argument("--out", type=Path, required=True)
    training.add_argument("--epochs", type=int, default=Recipe.epochs)
    training.add_argument("--minutes", type=float, default=Recipe.minutes)
    training.add_argument("--threads", type=int, default=1)
    training.add_argument("--seed", type=int, default=Recipe.seed)
    return options


def step_train(arguments: argparse.Namespace) -> int:
    import torch  # type: ignore[import-not-found, unused-ignore]

    from tools.train.learn import Trainer

    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)  # what is too small to matter costs a hundred times as much
    recipe = Recipe(seed=arguments.seed, epochs=arguments.epochs, minutes=arguments.minutes)
    words = texts.read_words(MODEL / "words.txt.xz")
    Trainer(arguments.folder, recipe, words, read_phones(MODEL / "manifest.yaml"), arguments.out).run()
    return 0


def step_corpus(arguments: argparse.Namespace) -> int:
    words = texts.read_words(MODEL / "words.txt.xz")
    usual = arguments.folder / "common.json"
    if not usual.exists():
        arguments.folder.mkdir(parents=True, exist_ok=True)
        usual.write_text(json.dumps(corpus.common_words(words, 20_000)))
    for family in arguments.families:
        corpus.make(family, words, json.loads(usual.read_text("utf-8")), arguments.folder, arguments.workers)
    return 0


def main() -> int:
    arguments = parser().parse_args()
    return {"corpus": step_corpus, "train": step_train}[arguments.step](arguments)


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tools.train corpus|train|export` makes a shipped speech model; README.md says in which order."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when numpy is imported: processes share the cores, not threads

import argparse
import json
import shutil
import sys
from pathlib import Path

import yaml

from tools.train import corpus, export, features, manifest, texts
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
    training.add_argument("--resume", type=Path, help="an epoch's file to go on from, with a new cycle")
    training.add_argument("--threads", type=int, default=1)
    training.add_argument("--seed", type=int, default=Recipe.seed)
    shipping = steps.add_parser("export", help="write the model folder that Vosk and the engine read")
    shipping.add_argument("--run", type=Path, required=True, help="the folder that `train` wrote")
    shipping.add_argument("--epochs", nargs="+", type=int, required=True, help="epochs whose weights are averaged")
    shipping.add_argument("--model", type=Path, required=True)
    return options


def step_export(arguments: argparse.Namespace) -> int:
    import torch  # type: ignore[import-not-found, unused-ignore]

    from tools.train import network

    phones = read_phones(MODEL / "manifest.yaml")
    states = [torch.load(arguments.run / f"epoch{epoch:02}.pt") for epoch in arguments.epochs]
    shape = network.Shape(features.BANDS, 2 * len(phones))
    export.write_folder(arguments.model, phones, network.layers(shape, network.averaged(states)), features.BANDS)
    if arguments.model.resolve() != MODEL:
        for name in ("words.txt.xz", "manifest.yaml"):
            shutil.copy(MODEL / name, arguments.model / name)
    manifest.seal(arguments.model)
    return 0


def step_train(arguments: argparse.Namespace) -> int:
    import torch  # type: ignore[import-not-found, unused-ignore]

    from tools.train.learn import Trainer

    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)  # what is too small to matter costs a hundred times as much
    recipe = Recipe(seed=arguments.seed, epochs=arguments.epochs, minutes=arguments.minutes)
    words = texts.read_words(MODEL / "words.txt.xz")
    trainer = Trainer(arguments.folder, recipe, words, read_phones(MODEL / "manifest.yaml"), arguments.out)
    if arguments.resume:
        trainer.network.restore(torch.load(arguments.resume))
    trainer.run()
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
    return {"corpus": step_corpus, "train": step_train, "export": step_export}[arguments.step](arguments)


if __name__ == "__main__":
    sys.exit(main())

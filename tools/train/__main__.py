"""`python -m tools.train corpus|train|export|tune` makes a shipped speech model; README.md says in which order."""

from __future__ import annotations

import os

# Read when numpy and numba are imported: processes share the cores, not threads. On a busy machine a second thread is
# mostly waited for, and waiting means spinning: batches took ten times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import yaml

from tools.train import corpus, export, features, mandarin, manifest, texts
from tools.train.recipe import Recipe

MODEL = Path(__file__).resolve().parents[2] / "engine" / "speech" / "models" / "en"


def phones_and_words(language: str) -> tuple[list[str], texts.Pronunciations]:
    """The phones of a language, in the order of its transition model, and how its words are said."""
    if language == "zh":
        return mandarin.PHONES, mandarin.words()
    told = yaml.safe_load((MODEL / "manifest.yaml").read_text("utf-8"))
    return [str(phone) for phone in told["phones"]], texts.read_words(MODEL / "words.txt.xz")


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m tools.train", description=__doc__)
    steps = options.add_subparsers(dest="step", required=True)
    speech = steps.add_parser("corpus", help="speak the texts with every family of synthetic voices")
    speech.add_argument("--families", nargs="+", help="all of the language if not given")
    speech.add_argument("--workers", type=int, default=2)
    speech.add_argument("--folder", type=Path, required=True)
    speech.add_argument("--language", choices=list(corpus.LANGUAGES), default="en")
    training = steps.add_parser("train", help="train on the corpus; every epoch is kept")
    training.add_argument("--folder", type=Path, required=True)
    training.add_argument("--out", type=Path, required=True)
    training.add_argument("--epochs", type=int, default=Recipe.epochs)
    training.add_argument("--minutes", type=float, default=Recipe.minutes)
    training.add_argument("--rate", type=float, default=Recipe.rate, help="the peak of the learning rate")
    training.add_argument("--resume", type=Path, help="an epoch's file to go on from, with a new cycle")
    training.add_argument("--borrow", type=Path, help="an epoch's file of another language: all but its last layer")
    training.add_argument("--threads", type=int, default=1)
    training.add_argument("--seed", type=int, default=Recipe.seed)
    training.add_argument("--language", choices=list(corpus.LANGUAGES), default="en")
    shipping = steps.add_parser("export", help="write the model folder that Vosk and the engine read")
    shipping.add_argument("--run", type=Path, required=True, help="the folder that `train` wrote")
    shipping.add_argument("--epochs", nargs="+", type=int, required=True, help="epochs whose weights are averaged")
    shipping.add_argument("--model", type=Path, required=True)
    shipping.add_argument("--language", choices=list(corpus.LANGUAGES), default="en")
    tuning = steps.add_parser("tune", help="find the costs and the calibration for the manifest")
    tuning.add_argument("--model", type=Path, default=MODEL)
    tuning.add_argument("--costs", nargs="+", type=float, default=[2.0, 2.5, 2.75, 3.0, 3.25, 3.5, 4.0])
    tuning.add_argument("--reject", type=float, default=98.0, help="per cent of the foreign sentences")
    tuning.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "ringdown-speech-table")
    return options


def step_tune(arguments: argparse.Namespace) -> int:
    from tools.train import evaluate

    for found in evaluate.tuned(arguments.model, arguments.costs, arguments.reject, arguments.cache):
        calibration = found.calibration
        print(
            f"tuning: {{garbage_phone_cost: {found.garbage_phone_cost}}}  confidence: {{even: {calibration.even}, "
            f"steep: {calibration.steep}, spread: {calibration.spread}}}  # {found.understood:.1f} % understood, "
            f"{found.rejected:.1f} % rejected"
        )
    return 0


def step_export(arguments: argparse.Namespace) -> int:
    import torch  # type: ignore[import-not-found, unused-ignore]

    from tools.train import network

    phones, words = phones_and_words(arguments.language)
    states = [torch.load(arguments.run / f"epoch{epoch:02}.pt") for epoch in arguments.epochs]
    shape = network.Shape(features.BANDS, 2 * len(phones))
    export.write_folder(arguments.model, phones, network.layers(shape, network.averaged(states)), features.BANDS)
    if arguments.language != "en":
        export.write_words(arguments.model, words)
        manifest.begin(arguments.model, arguments.language, phones)
    elif arguments.model.resolve() != MODEL:
        for name in ("words.txt.xz", "manifest.yaml"):
            shutil.copy(MODEL / name, arguments.model / name)
    manifest.seal(arguments.model)
    return 0


def step_train(arguments: argparse.Namespace) -> int:
    import torch  # type: ignore[import-not-found, unused-ignore]

    from tools.train.learn import Trainer

    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)  # what is too small to matter costs a hundred times as much
    recipe = Recipe(arguments.seed, arguments.epochs, rate=arguments.rate, minutes=arguments.minutes)
    phones, words = phones_and_words(arguments.language)
    trainer = Trainer(arguments.folder, recipe, words, phones, arguments.out)
    begun = arguments.resume or arguments.borrow
    trainer.begin(torch.load(begun) if begun else None, borrowed=arguments.resume is None)
    trainer.run()
    return 0


def english(folder: Path) -> Callable[[int, bool], texts.Texts]:
    """Who draws English texts, by the words' usualness, which is kept in `folder`."""
    words = texts.read_words(MODEL / "words.txt.xz")
    usual = folder / "common.json"
    if not usual.exists():
        folder.mkdir(parents=True, exist_ok=True)
        usual.write_text(json.dumps(corpus.common_words(words, 20_000)))
    common = json.loads(usual.read_text("utf-8"))
    return lambda seed, brief: texts.Texts(words, common, seed, 3 if brief else 6)


def step_corpus(arguments: argparse.Namespace) -> int:
    drawer: Callable[[int, bool], corpus.Drawer]
    if arguments.language == "zh":
        drawer = lambda seed, brief: mandarin.Texts(seed, 2 if brief else 4)  # noqa: E731
    else:
        drawer = english(arguments.folder)
    for share in arguments.families or corpus.LANGUAGES[arguments.language]:
        if share not in corpus.LANGUAGES[arguments.language]:
            print(f"{share!r} is none of {', '.join(corpus.LANGUAGES[arguments.language])}", file=sys.stderr)
            return 2
        corpus.make(share, drawer, arguments.folder, arguments.workers)
    return 0


def main() -> int:
    arguments = parser().parse_args()
    steps = {"corpus": step_corpus, "train": step_train, "export": step_export, "tune": step_tune}
    return steps[arguments.step](arguments)


if __name__ == "__main__":
    sys.exit(main())

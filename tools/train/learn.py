"""Training: flat start, no alignments; numerator against denominator (mmi.py), AdamW, one cycle of learning rate."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch  # type: ignore[import-not-found, unused-ignore]
from numpy.typing import NDArray

from tools.train import batches, corpus, features, mmi
from tools.train.network import Network, Shape
from tools.train.recipe import Recipe
from tools.train.speakers import RATE_HZ
from tools.train.texts import Pronunciations

SILENCE, NOISE = 0, 1  # phone numbers
MEMORY = 0.01  # of the mean of the weights that is kept: it reaches back about 100 batches


class _Objective(torch.autograd.Function):  # type: ignore[misc, unused-ignore]
    """Mean over frames of denominator minus numerator; utterances that can't be said in their frames don't count."""

    @staticmethod
    def forward(
        context: Any, scores: Any, lengths: NDArray[np.int64], graphs: mmi.Graphs, start: Any, follow: Any
    ) -> Any:
        plain = scores.detach().numpy()
        said, posteriors = mmi.numerator(plain, lengths, graphs)
        anything, others = mmi.denominator(plain, lengths, start, follow)
        counts = said > mmi.NEVER / 2
        frames = float(lengths[counts].sum()) or 1.0
        gradient = (others - posteriors) * counts[:, None, None] / frames
        context.gradient = torch.from_numpy(gradient.astype(np.float32))
        return torch.tensor(float((anything - said)[counts].sum() / frames))

    @staticmethod
    def backward(context: Any, above: Any) -> Any:
        return context.gradient * above, None, None, None, None


class Lessons:
    """Numbers for words, the numerator's graphs and the denominator's bigram."""

    def __init__(self, words: Pronunciations, phones: Sequence[str], texts: Sequence[str]) -> None:
        numbers = {phone: number for number, phone in enumerate(phones)}
        needed = {word for text in texts for word in text.split()}
        self.said = {
            word: [[numbers[phone] for phone in way] for way in words[word]] for word in needed if word in words
        }
        known = [
            [self.said[word] for word in text.split()]
            for text in texts
            if all(word in self.said for word in text.split())
        ]
        self.start, self.follow = mmi.bigram(known, len(phones), [SILENCE, NOISE])

    def graphs(self, batch: batches.Batch) -> mmi.Graphs:
        spoken = [[self.said[word] for word in text.split()] for text in batch.texts]
        pauses = [[SILENCE, NOISE] if struck else [SILENCE] for struck in batch.struck]
        must = [struck and not text for struck, text in zip(batch.struck, batch.texts, strict=True)]
        return mmi.graphs(spoken, pauses, must)


def measure_inputs(network: Network, maker: batches.Maker, usable: Sequence[int]) -> None:
    """Mean and scale of the cepstra, from the first 256 utterances as they would be trained on."""
    chance = np.random.default_rng(1)
    rows = [
        features.cepstra(maker.utterance(number, chance)[0]) for number in usable[:: max(1, len(usable) // 256)][:256]
    ]
    every = np.concatenate(rows)
    network.running["input.mean"] = torch.from_numpy(every.mean(0))
    network.running["input.scale"] = torch.from_numpy(1 / (every.std(0) + 1e-5))


def rate_at(progress: float) -> float:
    """The share of the peak rate: up during the first twentieth, then down as a cosine to a hundredth."""
    if progress < 0.05:
        return max(0.02, progress / 0.05)
    return float(0.01 + 0.99 * (0.5 + 0.5 * np.cos(np.pi * min(1.0, (progress - 0.05) / 0.95))))


class Trainer:
    def __init__(self, folder: Path, recipe: Recipe, words: Pronunciations, phones: Sequence[str], out: Path) -> None:
        self.recipe, self.out = recipe, out
        self.out.mkdir(parents=True, exist_ok=True)
        families = batches.folder_families(folder)
        voices = corpus.load(folder, families)
        found = batches.usable(voices, words)
        self.judged = found[::60][:320]
        apart = set(self.judged)
        self.taught = [
            number
            for number in found
            if number not in apart
            for _ in range(batches.REPEATS.get(voices.speakers[number].split()[0], 1))
        ]
        self.durations = np.diff(voices.offsets)
        shape = Shape(features.BANDS, 2 * len(phones))
        bank = batches.noise_bank(voices, recipe.seed)
        self.maker = batches.Maker(voices, bank, shape.context, recipe.seed)
        self.lessons = Lessons(words, phones, voices.texts)
        self.network, self.mean = Network(shape, recipe.seed), Network(shape, recipe.seed)
        measure_inputs(self.network, self.maker, self.taught)
        weights = self.network.weights
        self.optimizer = torch.optim.AdamW(
            [
                {"params": [weight for name, weight in weights.items() if name.endswith("weight")]},
                {"params": [weight for name, weight in weights.items() if name.endswith("bias")], "weight_decay": 0.0},
            ],
            lr=recipe.rate, weight_decay=recipe.decay, betas=(0.9, 0.98), fused=True,
        )  # fmt: skip
        self.lines: list[dict[str, Any]] = []
        hours = self.durations[self.taught].sum() / RATE_HZ / 3600
        parameters = sum(weight.numel() for weight in weights.values())
        print(
            f"{', '.join(families)}: {len(self.taught)} utterances, {hours:.1f} hours; {parameters} parameters",
            flush=True,
        )

    def begin(self, state: dict[str, Any] | None, borrowed: bool = False) -> None:
        """Go on from an epoch's file, or from nothing. `borrowed`: of another language, so its scores are not ours."""
        if state is not None:
            self.network.restore({name: part for name, part in state.items() if not borrowed or "output" not in name})
        self.mean.restore(self.network.state())

    def loss(self, batch: batches.Batch, network: Network) -> tuple[Any, Any]:
        """(objective, penalty on large scores)."""
        with torch.autocast("cpu", torch.bfloat16):
            scores = network(torch.from_numpy(batch.cepstra))
        scores = scores.float().contiguous()
        lessons = self.lessons
        objective = _Objective.apply(scores, batch.lengths, lessons.graphs(batch), lessons.start, lessons.follow)
        return objective, self.recipe.output_penalty * (scores**2).mean()

    def judge(self) -> float:
        """The objective of the mean on utterances kept apart, with noises as in training, the same each time."""
        self.mean.training = False
        order = sorted(self.judged, key=lambda number: int(self.durations[number]))
        with torch.no_grad():
            found = [
                float(self.loss(self.maker.batch(0, at, order[at : at + 64]), self.mean)[0])
                for at in range(0, len(order), 64)
            ]
        return float(np.mean(found))

    def run(self) -> None:
        recipe, started = self.recipe, time.monotonic()
        kitchen = batches.Kitchen(self.maker, recipe.workers)
        torch.manual_seed(recipe.seed)
        for epoch in range(1, recipe.epochs + 1):
            plan = batches.plan(self.durations, self.taught, recipe.size, epoch, recipe.seed)
            total, began = 0.0, time.monotonic()
            for number, batch in enumerate(kitchen.epoch(epoch, plan), 1):
                spent = (time.monotonic() - started) / 60 / recipe.minutes
                progress = max(spent, (epoch - 1 + number / len(plan)) / recipe.epochs)
                for group in self.optimizer.param_groups:
                    group["lr"] = recipe.rate * rate_at(progress)
                objective, penalty = self.loss(batch, self.network)
                self.optimizer.zero_grad()
                (objective + penalty).backward()
                torch.nn.utils.clip_grad_norm_(list(self.network.weights.values()), 1.0)
                self.optimizer.step()
                self.mean.follow(self.network, MEMORY)
                total += float(objective.detach())
                if number % 50 == 0:
                    print(f"{epoch} {number}/{len(plan)} {total / number:.4f} {time.monotonic() - began:.0f} s "
                          f"progress {progress:.3f}", flush=True)  # fmt: skip
                    torch.save(self.mean.state(), self.out / "latest.pt")  # to go on from, should the run be ended
                if progress >= 1.0:
                    break
            self.keep(epoch, total / number, time.monotonic() - began)
            if progress >= 1.0:
                break
        kitchen.close()

    def keep(self, epoch: int, loss: float, seconds: float) -> None:
        self.lines.append(
            {"epoch": epoch, "loss": round(loss, 4), "judged": round(self.judge(), 4), "seconds": round(seconds)}
        )
        print(json.dumps(self.lines[-1]), flush=True)
        torch.save(self.mean.state(), self.out / f"epoch{epoch:02}.pt")
        (self.out / "log.json").write_text(json.dumps(self.lines))

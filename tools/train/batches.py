"""Batches: utterances drawn, sent through a telephone line and turned into cepstra by processes beside the training.

Every pass draws rooms, noises, speeds and throats anew, so no batch is ever seen twice. A batch is a function of
(seed, epoch, number) alone.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.train import corpus, features, noises, rooms
from tools.train.speakers import RATE_HZ
from tools.train.texts import Pronunciations

POOL = 40  # batches that are cut from one shuffled pool, sorted by length
TAKES, TAKE_S = 20, 10
NOISE_SHARE = 0.06  # of a batch: utterances of noise alone
SPEEDS = range(80, 125, 2)


@dataclass(frozen=True)
class Batch:
    """cepstra (utterances, frames + context, bands); lengths in output frames; who says what, and if noises struck."""

    cepstra: NDArray[np.float32]
    lengths: NDArray[np.int64]
    texts: list[str]
    struck: list[bool]


def noise_bank(voices: corpus.Corpus, seed: int) -> rooms.Noises:
    """Takes of every noise from seeds below the judged ones, and babble of two to six of the corpus's voices."""
    if seed >= noises.JUDGED_SEED:
        raise ValueError(f"seeds from {noises.JUDGED_SEED} up are kept for judging")
    count = TAKE_S * rooms.RATE_HZ
    banks: list[dict[str, NDArray[np.float32]]] = [{}, {}]
    for bank, kinds in zip(banks, (noises.STEADY, noises.TRANSIENT), strict=True):
        for number, kind in enumerate(kinds):
            takes = [noises.make(kind, count, np.random.default_rng([seed, number, take])) for take in range(TAKES)]
            bank[kind] = np.stack(takes)
    chance = np.random.default_rng([seed, 1000])
    for name, low, high in (("babble", 3, 7), ("talker", 1, 2), ("crowd", 3, 7)):
        takes = []
        for _ in range(TAKES):
            total = np.zeros(count, np.float32)
            for _ in range(int(chance.integers(low, high))):
                voice = [np.zeros(0, np.float32)]
                while sum(map(len, voice)) < count:
                    chosen = voices.utterance(int(chance.integers(len(voices))))
                    voice += [rooms.resample(chosen, 2, 1), np.zeros(int(chance.integers(0, 4000)), np.float32)]
                total += np.concatenate(voice)[:count]
            takes.append(total / np.sqrt((total.astype(np.float64) ** 2).mean()).astype(np.float32))
        banks[0][name] = np.stack(takes)
    return rooms.Noises(*banks)


class Maker:
    """Makes one utterance or one batch; each process has one."""

    def __init__(self, voices: corpus.Corpus, bank: rooms.Noises, context: int, seed: int) -> None:
        self.voices, self.bank, self.context, self.seed = voices, bank, context, seed

    def utterance(self, number: int, chance: np.random.Generator) -> tuple[NDArray[np.float32], str, bool]:
        """Log mel energies, text, and whether noises struck. Number −1: noise alone."""
        if number < 0:
            return self._noise(chance)
        speed = int(chance.choice(SPEEDS)) if chance.random() < 0.75 else 100
        samples, struck = rooms.telephone(self.voices.utterance(number), self.bank, chance, speed)
        # the speed has changed the throat already: 0.8 to 1.25 in all
        warp = 1.0
        if chance.random() < 0.5:
            warp = float(np.clip(chance.uniform(0.88, 1.14), 0.78 * speed / 100, 1.28 * speed / 100))
        return features.log_mel(samples, round(warp, 2)), self.voices.texts[number], struck

    def _noise(self, chance: np.random.Generator) -> tuple[NDArray[np.float32], str, bool]:
        count, struck = int(chance.uniform(0.8, 3.0) * rooms.RATE_HZ), bool(chance.random() < 0.7)
        level = np.float32(10 ** (chance.uniform(-50, -15) / 20))
        sound = self.bank.strikes(count, chance) if struck else self.bank.background(count, chance)
        loud = rooms.active_level(sound)
        if struck and loud < 1e-3:
            return self._noise(chance)
        heard = sound * (level / np.float32(loud or 1)) + chance.standard_normal(count, np.float32) * level * 0.003
        return features.log_mel(rooms.mu_law(np.clip(heard, -1, 1))), "", struck

    @staticmethod
    def _varied(mel: NDArray[np.float32], chance: np.random.Generator) -> NDArray[np.float32]:
        """What is heard, as yet another person might have said it, now and then with parts missing."""
        for change, share in ((features.paced, 0.5), (features.bent, 0.4), (features.masked, 0.3)):
            if chance.random() < share:
                mel = change(mel, chance)
        return mel

    def batch(self, epoch: int, number: int, chosen: Sequence[int]) -> Batch:
        chance = np.random.default_rng([self.seed, epoch, number])
        made = [self.utterance(each, chance) for each in chosen]
        if epoch > 0:
            made = [(self._varied(mel, chance) if text else mel, text, struck) for mel, text, struck in made]
        made = [each for each in made if len(each[0]) >= 6]
        lengths = np.asarray([(len(mel) + 2) // 3 for mel, _, _ in made])
        frames = 3 * int(lengths.max()) - 2 + 2 * self.context
        cepstra = np.empty((len(made), frames, features.BANDS), np.float32)
        for row, (mel, _, _) in zip(cepstra, made, strict=True):
            found = features.cepstra(mel)
            row[: self.context] = found[0]
            row[self.context : self.context + len(found)] = found
            row[self.context + len(found) :] = found[-1]
        return Batch(cepstra, lengths, [text for _, text, _ in made], [struck for _, _, struck in made])


def plan(durations: NDArray[np.int64], usable: Sequence[int], size: int, epoch: int, seed: int) -> list[list[int]]:
    """The batches of an epoch: utterances of like length together, batches in random order, noise in each."""
    chance = np.random.default_rng([seed, 7, epoch])
    order = chance.permutation(np.asarray(usable))
    batches = []
    for start in range(0, len(order), size * POOL):
        pool = sorted(order[start : start + size * POOL].tolist(), key=lambda number: int(durations[number]))
        batches += [pool[first : first + size] for first in range(0, len(pool), size)]
    for batch in batches:
        batch += [-1] * max(1, round(len(batch) * NOISE_SHARE))
    return [batches[number] for number in chance.permutation(len(batches))]


def _serve(maker: Maker, jobs: Any, done: Any) -> None:
    while (job := jobs.get()) is not None:
        done.put((job[1], maker.batch(*job)))


class Kitchen:
    """Processes that make batches ahead of the training; `close` ends them."""

    def __init__(self, maker: Maker, workers: int) -> None:
        context = multiprocessing.get_context("fork")
        self.jobs, self.done = context.Queue(), context.Queue(maxsize=6)
        self.workers = [
            context.Process(target=_serve, args=(maker, self.jobs, self.done), daemon=True) for _ in range(workers)
        ]
        for worker in self.workers:
            worker.start()

    def epoch(self, epoch: int, batches: Sequence[Sequence[int]]) -> Iterator[Batch]:
        """The batches in order, whichever process was first: a run repeats exactly."""
        for number, chosen in enumerate(batches):
            self.jobs.put((epoch, number, list(chosen)))
        early: dict[int, Batch] = {}
        for number in range(len(batches)):
            while number not in early:
                at, batch = self.done.get()
                early[at] = batch
            yield early.pop(number)

    def close(self) -> None:
        for _ in self.workers:
            self.jobs.put(None)
        for worker in self.workers:
            worker.join(10)


REPEATS = {"kokoro": 2, "people": 6, "hanzi": 6}  # the voices nearest to a person's are heard more often


def usable(voices: corpus.Corpus, words: Pronunciations) -> list[int]:
    """Utterances whose every word the dictionary knows and that last 0.15 to 9 s."""
    lengths = np.diff(voices.offsets) / RATE_HZ
    return [
        number
        for number, text in enumerate(voices.texts)
        if 0.15 <= lengths[number] <= 9 and all(word in words for word in text.split())
    ]


def folder_families(folder: Path) -> list[str]:
    """The families whose corpus is complete in `folder`, in the order of corpus.SHARES."""
    return [family for family in corpus.SHARES if (folder / f"{family}.json").exists()]

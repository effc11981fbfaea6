"""The corpus: texts spoken by every family of voices, kept as one array of 16-bit samples per family.

A family's folder holds `<family>.npy` (int16 at 16 kHz, utterances end to end, each at the same active level) and
`<family>.json` (texts, speakers, offsets). Families are independent of each other, so a slow one can come later.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tools.train.rooms import active_level
from tools.train.speakers import RATE_HZ, Speaker, draw, speak

# How many utterances each family speaks, and the family's own seed. What stands behind a hyphen tells shares of one
# family apart.
SHARES = {
    "espeak": (9_000, 101),
    "flite": (3600, 102),
    "festival": (800, 103),
    "hibari": (10_000, 104),
    "kokoro": (2000, 105),
    "people": (1536, 106),
    "people-2": (700, 107),
    "cmn": (5000, 201),
    "hanzi": (300, 202),
    "hanzi-2": (900, 203),
}
_MANDARIN = ("cmn", "hanzi", "hanzi-2")
LANGUAGES = {"en": tuple(share for share in SHARES if share not in _MANDARIN), "zh": _MANDARIN}
BRIEF = {"people", "hanzi"}  # families so slow that they had better say much in little: one to five words
LEVEL = 0.05  # active level of every stored utterance, of full scale
CHUNK = 64


@dataclass(frozen=True)
class Corpus:
    """`samples` int16 at 16 kHz; utterance i is `samples[offsets[i]:offsets[i + 1]]` and says `texts[i]`."""

    samples: NDArray[np.int16]
    offsets: NDArray[np.int64]
    texts: list[str]
    speakers: list[str]

    def __len__(self) -> int:
        return len(self.texts)

    def utterance(self, number: int) -> NDArray[np.float32]:
        return self.samples[self.offsets[number] : self.offsets[number + 1]].astype(np.float32) / np.float32(32768)


def _said(job: tuple[Speaker, str]) -> NDArray[np.int16] | None:
    """The utterance at the corpus's level; None (and a line on stderr) where the synthesiser failed or kept silent."""
    speaker, text = job
    try:
        samples = speak(speaker, text)
    except (subprocess.CalledProcessError, ValueError, FileNotFoundError) as error:
        print(f"{speaker.name} could not say {text!r}: {error}", file=sys.stderr)
        return None
    level = active_level(samples, RATE_HZ)
    if len(samples) < RATE_HZ // 10 or level < 1e-4:
        print(f"{speaker.name} said nothing for {text!r}", file=sys.stderr)
        return None
    return np.asarray(np.clip(samples / level * LEVEL, -1, 1) * 32767, np.int16)


class Drawer(Protocol):
    """Draws what is said next: words with spaces between them."""

    def draw(self) -> str: ...


def make(share: str, drawer: Callable[[int, bool], Drawer], folder: Path, workers: int) -> int:
    """Speak one of SHARES into `folder`; returns the number of utterances. `drawer`: of a seed and whether to be
    brief."""
    count, seed = SHARES[share]
    family = share.partition("-")[0]
    texts, chance, started = drawer(seed, family in BRIEF), random.Random(seed + 1000), time.monotonic()
    jobs = [(draw(family, chance), texts.draw()) for _ in range(count)]
    with multiprocessing.Pool(workers) as pool:
        said = [(job, samples) for job, samples in zip(jobs, pool.imap(_said, jobs, CHUNK), strict=True)]
    kept = [(speaker, text, samples) for (speaker, text), samples in said if samples is not None]
    offsets = np.cumsum([0, *(len(samples) for _, _, samples in kept)])
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{share}.npy", np.concatenate([samples for _, _, samples in kept]))
    meta: dict[str, Any] = {
        "texts": [text for _, text, _ in kept],
        "speakers": [speaker.name for speaker, _, _ in kept],
        "offsets": offsets.tolist(),
    }
    (folder / f"{share}.json").write_text(json.dumps(meta))
    hours = offsets[-1] / RATE_HZ / 3600
    print(f"{share}: {len(kept)} utterances, {hours:.2f} hours, {time.monotonic() - started:.0f} s", flush=True)
    return len(kept)


def load(folder: Path, families: Sequence[str]) -> Corpus:
    """The families' corpora as one. Raises FileNotFoundError for one that was not made."""
    samples, texts, speakers, offsets, end = [], list[str](), list[str](), [np.zeros(1, np.int64)], 0
    for family in families:
        meta = json.loads((folder / f"{family}.json").read_text("utf-8"))
        samples.append(np.load(folder / f"{family}.npy", mmap_mode="r"))
        texts += meta["texts"]
        speakers += meta["speakers"]
        offsets.append(np.asarray(meta["offsets"][1:], np.int64) + end)
        end += meta["offsets"][-1]
    return Corpus(np.concatenate(samples), np.concatenate(offsets), texts, speakers)


def common_words(words: dict[str, list[tuple[str, ...]]], count: int) -> list[str]:
    """The `count` most usual words of the dictionary, by the language model inside the pocketsphinx wheel."""
    import pocketsphinx  # type: ignore[import-not-found, import-untyped, unused-ignore]

    model = Path(pocketsphinx.get_model_path("en-us"))
    decoder = pocketsphinx.Decoder(
        hmm=str(model / "en-us"),
        dict=str(model / "cmudict-en-us.dict"),
        lm=str(model / "en-us.lm.bin"),
        loglevel="FATAL",
    )
    chances = decoder.get_lm()
    usual = [word for word in words if word.replace("'", "").isalpha() and word.isascii()]
    return sorted(usual, key=lambda word: (-chances.prob([word]), word))[:count]

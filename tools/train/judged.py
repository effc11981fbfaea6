"""What a model is judged on: utterances of voices, people and noises that never train.

Synthetic voices: speakers.HELD_OUT. A person: Debian's `asterisk-core-sounds-en-wav` (one professional voice, 8 kHz,
CC-BY-SA). Amateurs: the names that Debian's `tuxpaint-stamps-default` (GPL-2) speaks. Noises: `engine.speech.noises`,
whose recipes are not the trainer's; babble is of held-out voices. Nothing of this is copied into the repository.
"""

from __future__ import annotations

import random
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from engine.speech import noises
from engine.speech.line import band
from tools.train.rooms import active_level, mu_law, resample
from tools.train.speakers import HELD_OUT, RATE_HZ, Speaker, speak
from tools.train.texts import DIGITS, FOREIGN, PHRASES

Sound = NDArray[np.float32]
LINE_HZ = 8000
LEVEL_DBFS = -26
LEAD_S, TAIL_S = 0.3, 0.5  # of the line around the voice: what an end-pointer hands over
CLEAN = ("", 60)

PERSON = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
# File name → what is said, where the name is not the word itself.
_NUMBERS = [*DIGITS, *"ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split()]
_TENS = dict(zip("30 40 50 60 70 80 90".split(), "thirty forty fifty sixty seventy eighty ninety".split(), strict=True))
_DAYS = "sunday monday tuesday wednesday thursday friday saturday".split()
_MONTHS = "january february march april may june july august september october november december".split()
_SAME = """activated added calling cancelled disabled enabled extension goodbye hello hours is location minute
minutes number removed second seconds sorry time with your""".split()
_COUNTS = "hundred thousand million billion dollars minus oh pound star today tomorrow yesterday".split()
_MAIL = (
    """Family Friends Old Urgent Work and first from last message messages no password press received saved""".split()
)
PERSON_WORDS: dict[str, str] = {
    **{f"digits/{number}": word for number, word in enumerate(_NUMBERS)},
    **{f"digits/{number}": word for number, word in _TENS.items()},
    **{f"digits/day-{number}": word for number, word in enumerate(_DAYS)},
    **{f"digits/mon-{number}": word for number, word in enumerate(_MONTHS)},
    **{f"digits/{word}": word for word in _COUNTS},
    **{word: word for word in _SAME},
    **{f"vm-{word}": word.lower() for word in _MAIL},
    **{f"letters/{word}": word for word in "dash dot equals plus slash space asterisk".split()},
    **{f"dictate/{word}": word for word in "pause paused playback record".split()},
    "digits/oclock": "o'clock", "vm-INBOX": "new", "pbx-transfer": "transfer", "spy-agent": "agent",
    "spy-local": "local", "spy-console": "console", "digits/h-3": "third", "digits/h-5": "fifth",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One utterance: `said` is "" where what is said stands in no phrase; `phrases` may be said."""

    sound: NDArray[np.int16]
    said: str
    phrases: tuple[str, ...]
    digits: int = 0  # instead of phrases: exactly so many digits


def heard(voice: Sound, condition: tuple[str, int], seed: int, babble: Sound | None = None) -> NDArray[np.int16]:
    """`voice` (8 kHz) as a line delivers it: 300–3,400 Hz, noise so many dB below the speech, one pass of µ-law."""
    kind, below_db = condition
    narrow = band(voice)
    level = 10 ** (LEVEL_DBFS / 20)
    placed = np.concatenate([
        np.zeros(int(LEAD_S * LINE_HZ), np.float32), narrow * np.float32(level / (active_level(narrow) or 1)),
        np.zeros(int(TAIL_S * LINE_HZ), np.float32),
    ])  # fmt: skip
    if kind == "babble" and babble is not None:
        start = int(np.random.default_rng(seed).integers(0, len(babble) - len(placed)))
        around = babble[start : start + len(placed)]
    else:
        # ten seconds, of which a piece is taken: the level is that of the whole, so strikes may fall between words
        whole = noises.make(kind or "pink", 10 * LINE_HZ, seed)
        start = int(np.random.default_rng(seed).integers(0, len(whole) - len(placed)))
        around = whole[start : start + len(placed)]
    placed = placed + band(around) * np.float32(level * 10 ** (-below_db / 20))
    return np.asarray(np.round(mu_law(np.clip(placed, -1, 1)) * 32767), np.int16)


def read_person(name: str) -> Sound:
    """A recording of the person, without the silence around it. Raises FileNotFoundError where it isn't installed."""
    with wave.open(str(PERSON / f"{name}.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / np.float32(32768)
    return trimmed(samples)


def trimmed(samples: Sound) -> Sound:
    """Without the silence around: 60 ms stay before and behind what is within 35 dB of the loudest."""
    frame = LINE_HZ // 100
    levels = np.sqrt((samples[: len(samples) // frame * frame].reshape(-1, frame) ** 2).mean(1))
    loud = np.nonzero(levels > levels.max() * 10 ** (-35 / 20))[0]
    return samples[max(0, loud[0] - 6) * frame : (loud[-1] + 7) * frame]


def person_sentences() -> list[Sound]:
    """Prompts of the person between 1.6 and 5 s: sentences, none of them in a menu of single words."""
    found = []
    for path in sorted(PERSON.glob("*.wav")):
        with wave.open(str(path)) as file:
            if 1.6 <= file.getnframes() / file.getframerate() <= 5:
                found.append(read_person(path.stem))
    return found


def amateurs(folder: Path) -> list[tuple[str, Sound]]:
    """(word, recording) of the stamps below `folder` whose English name is one word."""
    found: dict[str, Sound] = {}
    for path in sorted(folder.rglob("*_desc.ogg")):
        text = path.with_name(path.name.removesuffix("_desc.ogg") + ".txt")
        lines = text.read_text("utf-8", errors="replace").splitlines() if text.exists() else []
        word = lines[0].strip().lower().rstrip(".!").removeprefix("a ").removeprefix("an ") if lines else ""
        if not word.isalpha() or word in found:
            continue
        samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
        found[word] = trimmed(resample(samples[:, 0], rate_hz, LINE_HZ))
    return list(found.items())


class Held:
    """The held-out voices' utterances, spoken once and kept in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def say(self, speaker: Speaker, text: str) -> Sound:
        place = self.folder / f"{speaker.family}-{speaker.voice}" / f"{text.replace(' ', '_')[:80]}.npy"
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            np.save(place, trimmed(resample(speak(speaker, text), RATE_HZ, LINE_HZ)))
        return np.asarray(np.load(place), np.float32)

    def babble(self) -> Sound:
        """A minute of five held-out voices together, RMS 1."""
        total = np.zeros(60 * LINE_HZ, np.float32)
        for number, speaker in enumerate(HELD_OUT[:9:2]):
            voice = np.concatenate([self.say(speaker, text) for text in FOREIGN[number % 3 :] if len(text) > 12])
            total += np.resize(voice / active_level(voice), len(total))
        return np.asarray(total / np.sqrt((total**2).mean()), np.float32)


def menu_cases(
    held: Held, condition: tuple[str, int], babble: Sound, voices: Sequence[Speaker] = HELD_OUT
) -> list[Case]:
    return [
        Case(heard(held.say(speaker, text), condition, 97 * number + at, babble), text, tuple(PHRASES))
        for number, speaker in enumerate(voices)
        for at, text in enumerate(PHRASES)
    ]


def digit_cases(held: Held, condition: tuple[str, int], babble: Sound) -> list[Case]:
    """Strings of four digits: eight of each voice, others for each."""
    cases = []
    for number, speaker in enumerate(HELD_OUT):
        chance = random.Random(number)
        for at in range(8):
            text = " ".join(chance.choice(DIGITS) for _ in range(4))
            cases.append(Case(heard(held.say(speaker, text), condition, 89 * number + at, babble), text, (), 4))
    return cases


def person_cases(condition: tuple[str, int], size: int) -> list[Case]:
    """Each word of the person in a menu of `size` random words with it; 0: all words at once."""
    words = list(dict.fromkeys(PERSON_WORDS.values()))
    return _word_cases([(word, read_person(name)) for name, word in PERSON_WORDS.items()], words, condition, size)


def amateur_cases(folder: Path, condition: tuple[str, int], size: int, known: Callable[[str], bool]) -> list[Case]:
    spoken = [(word, sound) for word, sound in amateurs(folder) if known(word)]
    return _word_cases(spoken, [word for word, _ in spoken], condition, size)


def _word_cases(spoken: list[tuple[str, Sound]], words: list[str], condition: tuple[str, int], size: int) -> list[Case]:
    cases = []
    for number, (word, sound) in enumerate(spoken):
        others = random.Random(number).sample([each for each in words if each != word], size - 1) if size else []
        phrases = tuple(sorted([word, *others])) if size else tuple(sorted(words))
        cases.append(Case(heard(sound, condition, 5000 + number), word, phrases))
    return cases


def foreign_cases(held: Held, condition: tuple[str, int], babble: Sound) -> list[Case]:
    """Sentences of four held-out voices against the menu."""
    return [
        Case(heard(held.say(speaker, text), condition, 71 * number + at, babble), "", tuple(PHRASES))
        for number, speaker in enumerate((HELD_OUT[0], HELD_OUT[3], HELD_OUT[9], HELD_OUT[10]))
        for at, text in enumerate(FOREIGN)
    ]


def person_foreign_cases(condition: tuple[str, int]) -> list[Case]:
    """Sentences of the person against menus of eight words."""
    words = list(dict.fromkeys(PERSON_WORDS.values()))
    return [
        Case(heard(sound, condition, 9000 + number), "", tuple(sorted(random.Random(number).sample(words, 8))))
        for number, sound in enumerate(person_sentences())
    ]

"""What a model is judged on: utterances of voices, people and noises that never train.

Synthetic voices: speakers.HELD_OUT. A person: Debian's `asterisk-core-sounds-en-wav` (one professional voice, 8 kHz,
CC-BY-SA). Amateurs: the names that Debian's `tuxpaint-stamps-default` (GPL-2) speaks. Accents: voices of other
languages (`speakers.ABROAD_HELD_OUT`) that speak English with learners' phones drawn from seeds that never train; they
stand in for amateurs with accents, of whom no recordings can be installed. Noises: `engine.speech.noises`, whose
recipes are not the trainer's; babble is of held-out voices. Nothing of this is copied into the repository.

The development set chooses the costs and thresholds that a model ships with: other voices, other sentences, other
seeds. What is judged has no part in that.
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
from engine.speech.grammar import Grammar, Line, Slot
from engine.speech.line import band
from tools.train import mandarin, texts
from tools.train.rooms import active_level, mu_law, resample
from tools.train.speakers import ABROAD_HELD_OUT, DEVELOPMENT, HELD_OUT, RATE_HZ, Speaker, speak
from tools.train.texts import DEVELOPMENT_FOREIGN, DIGITS, FOREIGN, PHRASES

Sound = NDArray[np.float32]
LINE_HZ = 8000
LEVEL_DBFS = -26
LEAD_S, TAIL_S = 0.3, 0.5  # of the line around the voice: what an end-pointer hands over
Condition = tuple[str, int]  # noise and how many dB it is below the speech
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


Meaning = tuple[str, tuple[tuple[str, str | int | bool], ...]]  # intent, slots by name


@dataclass(frozen=True)
class Case:
    """One utterance and the grammar that it is heard with; `meant` is None where it means nothing in it."""

    sound: NDArray[np.int16]
    meant: Meaning | None
    grammar: Grammar


def phrases_of(phrases: Sequence[str], language: str = "en") -> Grammar:
    """Each phrase is its own intent."""
    return Grammar(language, tuple(Line(phrase, phrase) for phrase in phrases), fillers=False)


def digits_of(count: int, language: str = "en") -> Grammar:
    """Exactly so many digits."""
    return Grammar(language, (Line("$digits", "digits"),), {"digits": Slot("digits", count, count)}, fillers=False)


def _digits(text: str) -> Meaning:
    return "digits", (("digits", "".join(str(DIGITS.index(word)) for word in text.split())),)


def order_grammar() -> Grammar:
    """Orders as `texts.order` draws them: five slots, four of them optional."""

    def choice(words: Sequence[str]) -> Slot:
        return Slot("choice", choices={word: (word,) for word in words})

    begin, end = ("|".join(dict.fromkeys(filter(None, words))) for words in (texts.OPENERS, texts.CLOSERS))
    phrase = f"[{begin}] [a|one|two] [$size] [$roast] $drink [with $first] [and $second] [{end}]"
    slots = {"size": choice(texts.SIZES), "roast": choice(texts.ROASTS), "drink": choice(texts.DRINKS),
             "first": choice(texts.ADDITIONS), "second": choice(texts.ADDITIONS)}  # fmt: skip
    return Grammar("en", (Line(phrase, "order"),), slots, fillers=False)


def heard(voice: Sound, condition: Condition, seed: int, babble: Sound | None = None) -> NDArray[np.int16]:
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
        who = f"{speaker.family}-{speaker.voice}" + (f"-{speaker.accent}" if speaker.accent else "")
        place = self.folder / who / f"{text.replace(' ', '_')[:80]}.npy"
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            np.save(place, trimmed(resample(speak(speaker, text), RATE_HZ, LINE_HZ)))
        return np.asarray(np.load(place), np.float32)

    def babble(self, voices: Sequence[Speaker] = HELD_OUT[:9:2], said: Sequence[str] = FOREIGN) -> Sound:
        """A minute of five voices together, RMS 1."""
        total = np.zeros(60 * LINE_HZ, np.float32)
        for number, speaker in enumerate(voices):
            voice = np.concatenate([self.say(speaker, text) for text in said[number % 3 :] if len(text) > 12])
            total += np.resize(voice / active_level(voice), len(total))
        return np.asarray(total / np.sqrt((total**2).mean()), np.float32)


def menu_cases(
    held: Held, condition: Condition, babble: Sound, voices: Sequence[Speaker] = HELD_OUT
) -> list[Case]:
    menu = phrases_of(PHRASES)
    return [
        Case(heard(held.say(speaker, text), condition, 97 * number + at, babble), (text, ()), menu)
        for number, speaker in enumerate(voices)
        for at, text in enumerate(PHRASES)
    ]


def digit_cases(held: Held, condition: Condition, voices: Sequence[Speaker] = HELD_OUT, length: int = 4) -> list[Case]:
    """Strings of digits: eight of each voice, others for each."""
    cases, grammar = [], digits_of(length)
    for number, speaker in enumerate(voices):
        chance = random.Random(number)
        for at in range(8):
            text = " ".join(chance.choice(DIGITS) for _ in range(length))
            cases.append(Case(heard(held.say(speaker, text), condition, 89 * number + at), _digits(text), grammar))
    return cases


def single_digit_cases(held: Held, condition: Condition) -> list[Case]:
    """Each digit of each voice from abroad, with two accents."""
    menu = phrases_of(DIGITS)
    return [
        Case(heard(held.say(speaker, text), condition, 83 * number + at), (text, ()), menu)
        for number, speaker in enumerate(ABROAD_HELD_OUT)
        for at, text in enumerate(DIGITS)
    ]


def order_cases(held: Held, condition: Condition) -> list[Case]:
    """Ten orders of each voice from abroad; every slot has to be right."""
    grammar = order_grammar()
    cases = []
    for number, speaker in enumerate(ABROAD_HELD_OUT):
        chance = random.Random(1000 + number)
        for at in range(10):
            text, slots = texts.order_slots(chance)
            meant = "order", tuple(sorted(slots.items()))
            cases.append(Case(heard(held.say(speaker, text), condition, 79 * number + at), meant, grammar))
    return cases


def person_cases(condition: Condition, size: int, every: int = 1) -> list[Case]:
    """Every so many-th word of the person in a menu of `size` random words with it; 0: all words at once."""
    words = list(dict.fromkeys(PERSON_WORDS.values()))
    names = list(PERSON_WORDS.items())[::every]
    return _word_cases([(word, read_person(name)) for name, word in names], words, condition, size)


def amateur_cases(folder: Path, condition: Condition, size: int, known: Callable[[str], bool]) -> list[Case]:
    spoken = [(word, sound) for word, sound in amateurs(folder) if known(word)]
    return _word_cases(spoken, [word for word, _ in spoken], condition, size)


def _word_cases(spoken: list[tuple[str, Sound]], words: list[str], condition: Condition, size: int) -> list[Case]:
    cases, every = [], phrases_of(sorted(words))
    for number, (word, sound) in enumerate(spoken):
        others = random.Random(number).sample([each for each in words if each != word], size - 1) if size else []
        menu = phrases_of(sorted([word, *others])) if size else every
        cases.append(Case(heard(sound, condition, 5000 + number), (word, ()), menu))
    return cases


def foreign_cases(held: Held, condition: Condition, babble: Sound) -> list[Case]:
    """Sentences of four held-out voices against the menu."""
    four = HELD_OUT[0], HELD_OUT[3], HELD_OUT[9], HELD_OUT[10]
    return _foreign(held, condition, babble, four, FOREIGN, 71)


def _foreign(
    held: Held, condition: Condition, babble: Sound, voices: Sequence[Speaker], said: Sequence[str], seed: int
) -> list[Case]:
    menu = phrases_of(PHRASES)
    return [
        Case(heard(held.say(speaker, text), condition, seed * number + at, babble), None, menu)
        for number, speaker in enumerate(voices)
        for at, text in enumerate(said)
    ]


def person_foreign_cases(condition: Condition) -> list[Case]:
    """Every third sentence of the person against menus of eight words."""
    words = list(dict.fromkeys(PERSON_WORDS.values()))
    return [
        Case(heard(sound, condition, 9000 + number), None, phrases_of(sorted(random.Random(number).sample(words, 8))))
        for number, sound in enumerate(person_sentences()[::3])
    ]


def development_words(held: Held) -> list[Case]:
    """What the development voices say that should be understood: menus, digits, and words among many."""
    words = sorted(set(PERSON_WORDS.values()))
    menu, many, none = phrases_of(PHRASES), phrases_of(words), np.zeros(0, np.float32)
    cases = []
    for condition in (CLEAN, ("pink", 20), ("pink", 10), ("household", 25)):
        cases += digit_cases(held, condition, DEVELOPMENT)[::2]
        for number, speaker in enumerate(DEVELOPMENT):
            said = [(text, menu) for text in PHRASES[number % 3 :: 3]] + [(word, many) for word in words[number::12]]
            for at, (text, grammar) in enumerate(said):
                sound = heard(held.say(speaker, text), condition, 61 * number + at, none)
                cases.append(Case(sound, (text, ()), grammar))
    return cases


def development_foreign(held: Held) -> list[Case]:
    """What they say that means nothing in the menu."""
    babble = held.babble(DEVELOPMENT, DEVELOPMENT_FOREIGN)
    return [
        case
        for condition in (CLEAN, ("pink", 20), ("pink", 10), ("babble", 10))
        for case in _foreign(held, condition, babble, DEVELOPMENT, DEVELOPMENT_FOREIGN, 59)
    ]


def mandarin_menu(held: Held, condition: Condition, voices: Sequence[Speaker]) -> list[Case]:
    """Every third phrase of the menu, among all of them."""
    menu = phrases_of(mandarin.MENU, "zh")
    return [
        Case(heard(held.say(speaker, text), condition, 97 * number + at), (text, ()), menu)
        for number, speaker in enumerate(voices)
        for at, text in enumerate(mandarin.MENU[number % 3 :: 3])
    ]


def mandarin_digits(held: Held, condition: Condition, voices: Sequence[Speaker]) -> list[Case]:
    """Strings of four digits: eight of each voice."""
    cases, grammar = [], digits_of(4, "zh")
    for number, speaker in enumerate(voices):
        chance = random.Random(number)
        for at in range(8):
            said = [chance.randrange(10) for _ in range(4)]
            sound = held.say(speaker, "".join(mandarin.DIGITS[digit] for digit in said))
            meant = "digits", (("digits", "".join(map(str, said))),)
            cases.append(Case(heard(sound, condition, 89 * number + at), meant, grammar))
    return cases


def mandarin_foreign(held: Held, condition: Condition, voices: Sequence[Speaker]) -> list[Case]:
    menu = phrases_of(mandarin.MENU, "zh")
    return [
        Case(heard(held.say(speaker, text), condition, 71 * number + at), None, menu)
        for number, speaker in enumerate(voices)
        for at, text in enumerate(mandarin.FOREIGN)
    ]

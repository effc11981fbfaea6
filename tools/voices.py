"""Offline synthesisers that speak prompts: festival, flite, espeak-ng. Each is a Debian package; none is imported."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path


class Missing(Exception):
    """No synthesiser for the language is installed."""


@dataclass(frozen=True)
class Voice:
    """A voice: `name` goes to the manifest, `licence` is what the Debian copyright file of `package` says."""

    name: str
    language: str
    program: str
    package: str
    licence: str
    probe: str = ""  # a file that must exist besides the program


_ESPEAK_LICENCE = "CC0-1.0 (espeak-ng itself is GPL-3.0-or-later; that covers the program, not what it says)"

# Best first (shared measurements: festival's HTS voice is the most natural that works offline).
VOICES = (
    Voice(
        "festival cmu_us_slt_arctic_hts",
        "en",
        "festival",
        "festvox-us-slt-hts",
        "CC0-1.0 (voice: Carnegie Mellon University and HTS working group, EST-2003, BSD-3-Clause; any purpose)",
        "/usr/share/festival/voices/us/cmu_us_slt_arctic_hts",
    ),
    Voice(
        "flite slt",
        "en",
        "flite",
        "flite",
        "CC0-1.0 (voice: Carnegie Mellon University; flite's own licence, free for any purpose)",
    ),
    Voice("espeak-ng en-us", "en", "espeak-ng", "espeak-ng", _ESPEAK_LICENCE),
    Voice("espeak-ng cmn-latn-pinyin", "zh", "espeak-ng", "espeak-ng", _ESPEAK_LICENCE),
)

# How a word must be spelt for the synthesiser so that it says what the text means.
RESPELT = {
    "en": {"Ringdown": "Ring down", "voicemail": "voice mail"},
    "zh": {"Ringdown": "铃当", **dict(zip("0123456789", "零一二三四五六七八九", strict=True))},
}

# Words whose characters pypinyin reads in another sense.
_PHRASES = {"重听": [["chóng"], ["tīng"]], "拨打的": [["bō"], ["dǎ"], ["de"]]}

# 一 changes its tone before a measure word; the dictionary of pypinyin misses these.
_YI_SECOND_TONE = "次个下段会样位路切定"

# A lone letter would be read as a word ("A" as an article), so letters are written as they sound.
_SOUNDS = (
    "ay bee see dee ee eff gee H eye jay kay ell em en oh pea queue are ess tea you vee double-you ex why zee"
).split()
LETTERS = {chr(ord("A") + index): sound for index, sound in enumerate(_SOUNDS)}


def choose(language: str) -> Voice:
    """The best installed voice of a language ("en", "zh"); Missing names the packages that would help."""
    fitting = [voice for voice in VOICES if voice.language == language]
    for voice in fitting:
        if shutil.which(voice.program) and (not voice.probe or Path(voice.probe).exists()):
            return voice
    packages = " or ".join(dict.fromkeys(voice.package for voice in fitting)) or "none known"
    raise Missing(f"no voice for {language!r} here; Debian packages that bring one: {packages}")


def spoken(text: str, language: str) -> str:
    """The text as the synthesiser must see it."""
    if language == "en" and text.strip() in LETTERS:
        return LETTERS[text.strip()]
    for written, sounds in RESPELT.get(language, {}).items():
        text = text.replace(written, sounds)
    return pinyin(text) if language == "zh" else text


def pinyin(text: str) -> str:
    """Mandarin as numbered pinyin with tone sandhi: "请稍等" -> "qing3 shao1 deng3".

    Debian's espeak-ng has no Chinese dictionary (it spells characters out in English), but speaks pinyin.
    """
    from pypinyin import Style, lazy_pinyin, load_phrases_dict

    load_phrases_dict(_PHRASES)
    text = re.sub(r"\s+", "", text)
    syllables = lazy_pinyin(
        list(text) if len(text) == 1 else text, style=Style.TONE3, neutral_tone_with_five=True, tone_sandhi=True
    )
    joined = " ".join(syllables)
    for follower in _YI_SECOND_TONE:
        after = lazy_pinyin(follower, style=Style.TONE3, neutral_tone_with_five=True)[0]
        if f"一{follower}" in text:
            joined = re.sub(rf"\byi[14] {after}\b", f"yi2 {after}", joined)
    return joined


def speak(voice: Voice, lines: list[tuple[str, Path]]) -> None:
    """Speak each (text, WAV path). CalledProcessError when the synthesiser fails."""
    lines = [(spoken(text, voice.language), path) for text, path in lines]
    if voice.program == "festival":
        _festival(lines)
        return
    for text, path in lines:
        path.parent.mkdir(parents=True, exist_ok=True)
        if voice.program == "flite":
            command = ["flite", "-voice", "slt", "-t", text, "-o", str(path)]
        else:
            speed = "165" if voice.language == "en" else "200"
            command = ["espeak-ng", "-v", voice.name.split()[1], "-s", speed, "-w", str(path), text]
        subprocess.run(command, check=True, capture_output=True, timeout=60)


def _festival(lines: list[tuple[str, Path]]) -> None:
    """One festival process for all lines: it takes a second to start and milliseconds to speak."""
    script = ["(voice_cmu_us_slt_arctic_hts)"]
    for text, path in lines:
        path.parent.mkdir(parents=True, exist_ok=True)
        quoted = re.sub(r'[\\"]', "", text)
        script.append(f'(utt.save.wave (utt.synth (Utterance Text "{quoted}")) "{path}" "riff")')
    subprocess.run(["festival", "--pipe"], input="\n".join(script), text=True, check=True, timeout=600)
    for text, path in lines:
        if not path.exists():
            raise subprocess.CalledProcessError(1, "festival", f"said nothing for {text!r}")

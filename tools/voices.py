"""Offline synthesisers that speak prompts: festival, flite, espeak-ng. Each is a Debian package; none is imported."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from engine.dialplan.voice_model import VoiceModel
from engine.errors import SpeechError
from engine.runtime import synthesizers
from engine.speech import wording


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


def choose(language: str) -> Voice:
    """The best installed voice of a language ("en", "zh"); Missing names the packages that would help."""
    fitting = [voice for voice in VOICES if voice.language == language]
    for voice in fitting:
        if shutil.which(voice.program) and (not voice.probe or Path(voice.probe).exists()):
            return voice
    packages = " or ".join(dict.fromkeys(voice.package for voice in fitting)) or "none known"
    raise Missing(f"no voice for {language!r} here; Debian packages that bring one: {packages}")


def speak(voice: Voice, lines: list[tuple[str, Path]]) -> None:
    """Speak each (text, WAV path). SpeechError when the synthesiser fails."""
    lines = [(wording.spoken(wording.clean(text), voice.language), path) for text, path in lines]
    for _, path in lines:
        path.parent.mkdir(parents=True, exist_ok=True)
    if voice.program == "festival":  # one process for all lines: it takes a second to start and milliseconds to speak
        asked = [(["festival", "--pipe"], synthesizers.Festival().script("", voice.language, lines))]
    else:
        program = synthesizers.of(VoiceModel(voice.program))
        assert isinstance(program, synthesizers.Program)
        asked = [program.asked(words, voice.language, "", path) for words, path in lines]
    for command, given in asked:
        synthesizers.run(command, given, seconds=600.0)
    for text, path in lines:
        if not path.exists():
            raise SpeechError(f"{voice.name} said nothing for {text!r}")

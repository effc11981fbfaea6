"""Texts as prompts: spoken by a site's voice, trimmed and levelled like a recording, and kept on disk where they are
nobody's secret.

What is kept lies in the user's cache folder, named by text, language, voice and the synthesiser's version: a new
version of any of them is spoken anew, and the folder can be deleted at any time.
"""

from __future__ import annotations

import contextlib
import os
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from engine.dialplan.voice_model import VoiceModel
from engine.errors import SiteError
from engine.runtime import sounds, synthesizers
from engine.runtime.wav import read_wav, write_wav

if TYPE_CHECKING:
    from engine.media.voice import Samples

_MADE = 1  # raise it when what `say` does with a sound changes: everything is spoken anew


def say(text: str, language: str, voice: VoiceModel | None = None) -> Samples:
    """The words at 8 kHz, in 16 bits, spoken now. `voice` None: the machine's best. Raises SpeechError in words."""
    import numpy as np

    from engine.media.voice import finish

    model = voice or synthesizers.best(language)
    said = synthesizers.of(model).speak(text, language, model.voice)
    return finish(said.samples.astype(np.float64) / 32_768, said.rate_hz)


def folder() -> Path:
    """Where spoken texts are kept."""
    return sounds.cache_folder().parent / "voices"


def kept_say(text: str, language: str, voice: VoiceModel | None = None) -> Samples:
    """The same, from the cache when it has been said before. For texts of a site, never for a caller's. Raises
    SpeechError."""
    model = voice or synthesizers.best(language)
    path = folder() / f"{key(text, language, model)}.wav"
    with contextlib.suppress(SiteError):
        return read_wav(path)
    samples = say(text, language, model)
    with contextlib.suppress(OSError):  # a cache that can't be written costs time only
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        write_wav(part, samples)
        part.replace(path)
    return samples


def key(text: str, language: str, model: VoiceModel) -> str:
    """What the sound of a text depends on. Raises SpeechError where its program isn't installed."""
    voice = msgspec.structs.replace(model, wait_ms=0, otherwise="")  # when it is said doesn't change how
    named = msgspec.msgpack.encode([_MADE, " ".join(text.split()), language, voice, synthesizers.of(model).version()])
    return blake2b(named, digest_size=16).hexdigest()

"""Recordings as admins have them (WAV, FLAC, OGG, Opus, MP3, any rate, any number of tracks) -> what the plane plays.

A WAV that the prompt builder made, or whose level and edges are fine, is played as it is. Everything else is converted
to 8 kHz mono, prompts are also trimmed and levelled, once: the result lies in the user's cache folder under the hash of
what it was made from, so `check`, `serve` and a reload in a child share it, and it can be deleted at any time.
"""

from __future__ import annotations

import os
import re
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from engine.dialplan.prompts import AUDIO, WavInfo, wav_info
from engine.errors import SiteError

if TYPE_CHECKING:
    from engine.media.voice import Signal

_MADE = 1  # raise it when what `finish` does changes: everything is made anew
length_s_max = 3_600
# of what comes from elsewhere while calls are going on: to convert an odd rate would take long
rates = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
tracks_max = 2
_HASH = re.compile(rb"sha256: '?([0-9a-f]{64})")


def is_sound(path: Path) -> bool:
    """By its name."""
    return path.suffix.lower() in AUDIO


def built(manifest: bytes) -> list[str]:
    """The hashes of the recordings that the prompt builder made."""
    return [found.decode() for found in _HASH.findall(manifest)]


def cache_folder() -> Path:
    """Where converted recordings lie: $RINGDOWN_CACHE, else the user's cache folder."""
    chosen = os.environ.get("RINGDOWN_CACHE")
    base = Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ringdown"
    return base / "prompts"


def take(path: Path, content: bytes, *, music: bool, made: dict[str, None]) -> WavInfo:
    """What the reader must know of a recording. `made`: hashes of the prompt builder's. Raises SiteError in words.

    Where the cache can't be written the file itself is named; a later `serve` with a cache converts it.
    """
    digest = sha256(content).hexdigest()
    if path.suffix.lower() == ".wav" and (music or digest in made):
        return wav_info(content, str(path))
    kept = cache_folder() / f"{digest[:40]}-{'music' if music else 'voice'}{_MADE}"
    found = _kept(kept)
    if found is None:
        found = _make(path, content, digest, kept, music=music)
    return found if found.path else msgspec.structs.replace(found, path=str(path))


def _kept(kept: Path) -> WavInfo | None:
    try:
        found = msgspec.json.decode(kept.with_suffix(".json").read_bytes(), type=WavInfo)
    except (OSError, msgspec.DecodeError):
        return None
    return found if not found.path or Path(found.path).is_file() else None


def _make(path: Path, content: bytes, digest: str, kept: Path, *, music: bool) -> WavInfo:
    from engine.media import voice
    from engine.runtime import wav

    signal, rate, tracks = decode(path, content)
    measured = voice.measure(signal, rate)
    is_wav = path.suffix.lower() == ".wav"
    info = WavInfo(
        measured.duration_ms, "", digest, rate, tracks, round(measured.clipped_ms), not music and measured.silent()
    )
    if is_wav and (measured.fine() or measured.silent()):
        target = None
    else:
        samples = voice.convert(signal, rate) if music else voice.finish(signal, rate)
        target = kept.with_suffix(".wav")
        info = msgspec.structs.replace(
            info, path=str(target), duration_ms=samples.size * 1_000 // voice.RATE, rate=voice.RATE, sides=1
        )
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        if target is not None:
            part = kept.with_suffix(f".{os.getpid()}.part")
            wav.write_wav(part, samples)
            part.replace(target)
        part = kept.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(msgspec.json.encode(info))
        part.replace(kept.with_suffix(".json"))
    except OSError:
        return msgspec.structs.replace(info, path="")
    return info


def decode(path: Path, content: bytes) -> tuple[Signal, int, int]:
    """(mono signal in [-1, 1], rate in Hz, tracks). Raises SiteError in words."""
    import io

    import soundfile  # type: ignore[import-untyped]

    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            rate, tracks = int(file.samplerate), int(file.channels)
            if not 1_000 <= rate <= 384_000:
                raise SiteError(f"a rate of {rate} Hz makes no sense")
            if file.frames > length_s_max * rate:
                raise SiteError(f"it lasts longer than {length_s_max // 60} minutes")
            # a header may promise less than there is: no more than the bound is read
            samples: Any = file.read(length_s_max * rate, dtype="float64", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise SiteError(f"this is no sound that can be read ({_said(error)})") from error
    if not samples.size:
        raise SiteError("it holds no sound")
    return samples.mean(axis=1), rate, tracks


def decode_bounded(content: bytes, ms_max: int) -> tuple[Signal, int]:
    """(mono signal in [-1, 1], rate in Hz) of a recording that nobody has looked at: at most `ms_max` of it, and never
    more memory than that needs, whatever its header says. Raises SiteError in words."""
    import io

    import numpy as np
    import soundfile

    parts: list[Any] = []
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            rate, tracks = int(file.samplerate), int(file.channels)
            if rate not in rates or tracks > tracks_max:
                taken = " ".join(map(str, rates))
                raise SiteError(f"{rate} Hz in {tracks} tracks: {taken} Hz in 1 or {tracks_max} are taken")
            left = ms_max * rate // 1_000
            while (block := file.read(rate, dtype="float32", always_2d=True)).shape[0]:
                left -= block.shape[0]
                if left < 0:
                    raise SiteError(f"it lasts longer than {ms_max // 1_000} s")
                parts.append(block.mean(axis=1))
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise SiteError(f"this is no sound that can be read ({_said(error)})") from error
    if not parts:
        raise SiteError("it holds no sound")
    return np.concatenate(parts), rate


def _said(error: Exception) -> str:
    return str(error).rpartition(": ")[2].rstrip(".") or type(error).__name__

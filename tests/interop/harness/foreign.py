"""Sounds that others make and others read: ffmpeg writes tones and noise, multimon-ng reads keys out of a sound."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import listening
import numpy as np

from tools import peer_packages

ZERO_DBM0 = 10 ** (-3.17 / 20)  # the peak of its sine, where 1 is the end of G.711's range (ITU-T G.711 table 2a)
LOW, HIGH = (697, 770, 852, 941), (1_209, 1_336, 1_477, 1_633)
KEYS = ("123A", "456B", "789C", "*0#D")
MULTIMON_RATE = 22_050


def ffmpeg(data: bytes, *arguments: str) -> bytes:
    """What ffmpeg makes of `data` (`-i -` where it is to be read)."""
    found = [*peer_packages.folder().glob("imageio_ffmpeg/binaries/ffmpeg-linux-*")]
    assert found, "ffmpeg is not there: python -m tools.peer_packages"
    command = [str(found[0]), "-v", "error", *arguments, "-"]
    return subprocess.run(command, input=data, capture_output=True, check=True, timeout=20).stdout


def tones(keys: str, *, law: int, dbm0: float = -10.0, on_ms: int = 100, gap_ms: int = 100) -> bytes:
    """Keys as ITU-T Q.23 has them, each of the two tones so loud, in G.711 (0 µ-law, 8 A-law): ffmpeg's sines."""
    parts, at = [], 0.2
    for key in keys:
        row = next(place for place, line in enumerate(KEYS) if key in line)
        pair = (LOW[row], HIGH[KEYS[row].index(key)])
        sines = "+".join(f"sin(2*PI*{hertz}*t)" for hertz in pair)
        parts.append(f"between(t,{at:.3f},{at + on_ms / 1_000:.3f})*({sines})")
        at += (on_ms + gap_ms) / 1_000
    peak = ZERO_DBM0 * 10 ** (dbm0 / 20)
    source = f"aevalsrc='{peak:.5f}*({'+'.join(parts)})':s=8000:d={at + 0.3:.3f}"
    name = "mulaw" if law == 0 else "alaw"
    return ffmpeg(b"", "-f", "lavfi", "-i", source, "-c:a", f"pcm_{name}", "-f", name)


def keys_heard(samples: np.ndarray, folder: Path) -> str:
    """What multimon-ng reads out of a sound at 8 kHz: one key per press."""
    from scipy.signal import resample_poly

    assert shutil.which("multimon-ng"), "multimon-ng is not installed (Debian: multimon-ng)"
    path = folder / "keys.raw"
    wide = resample_poly(np.asarray(samples, float), MULTIMON_RATE // 50, listening.RATE // 50)
    path.write_bytes(np.clip(np.rint(wide), -32_768, 32_767).astype("<i2").tobytes())
    command = ["multimon-ng", "-q", "-c", "-a", "DTMF", "-t", "raw", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    return "".join(re.findall(r"^DTMF: (\S)", done.stdout, re.M))

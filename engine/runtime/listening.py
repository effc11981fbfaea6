"""What does a phone hear? Received G.711 matched against the prompts a site can play, and named in their own words.

A prompt reaches the far end as the very bytes of its encoding, so a few loud 20 ms stretches of each clip, searched in
what arrives, are enough; both laws and their transcodings are tried. What matches no prompt but isn't silent is named
by its tones, or as sound.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
import numpy as np

from engine.errors import SiteError
from engine.media import g711
from engine.runtime.wav import read_wav

frame = 160  # samples of 20 ms
probe_every = 3_200  # one probe per 400 ms of a clip
window_max = 8_000  # bytes of the past that stay searchable
silent_rms = 60.0
loud_rms = 300.0
tone_after = 20  # frames of sound without a name: 400 ms, shorter than any country's busy tone
unknown_after = 40  # frames of sound without a name: 800 ms
tone_window = 1_600


class Clip(msgspec.Struct):
    """A prompt that may be heard."""

    name: str
    text: str
    samples: g711.Samples


class Heard(msgspec.Struct, frozen=True):
    """`at_ms` since listening began. `kind`: prompt | tone | sound; `words` is what to print, `until_ms` 0: unknown."""

    at_ms: int
    kind: str
    words: str
    name: str = ""
    until_ms: int = 0


def load(prompts: Iterable[tuple[str, str, str]]) -> list[Clip]:
    """Clips of (name, text, path); a file that can't be read is left out (its prompt can't be heard either)."""
    found = []
    for name, text, path in prompts:
        if not path or not Path(path).is_file():
            continue
        try:
            found.append(Clip(name, text, read_wav(Path(path))))
        except SiteError:
            continue
    return found


def probes(samples: g711.Samples) -> list[tuple[int, g711.Samples]]:
    """(offset, 160 samples) of the loudest stretch in each 400 ms of a clip, quiet ones left out."""
    found = []
    for start in range(0, len(samples) - frame + 1, probe_every):
        part = samples[start:start + probe_every].astype(np.float64)
        if len(part) < frame:
            break
        energy = np.convolve(part * part, np.ones(frame), "valid")
        at = start + int(np.argmax(energy))
        if (energy.max() / frame) ** 0.5 >= loud_rms:
            found.append((at, samples[at:at + frame]))
    return found


class Listener:
    """`hear(payload)` per packet, in order; returns what was recognised by it. `law` is that of the payloads."""

    def __init__(self, clips: Iterable[Clip], law: int) -> None:
        self.law = law
        self.sounding = False
        self.silent_ms = 0
        self.heard: list[Heard] = []
        self._decode = g711.decode_tables()[law]
        self._probes: list[tuple[Clip, int, bytes]] = []
        cross = g711.cross_tables()[1 - law].tobytes()
        for clip in clips:
            for offset, samples in probes(clip.samples):
                direct = g711.encode(samples, law)
                crossed = g711.encode(samples, 1 - law).translate(cross)
                self._probes.append((clip, offset, direct))
                if crossed != direct:
                    self._probes.append((clip, offset, crossed))
        self._past = b""
        self._total = 0  # samples heard so far
        self._named_until = -1
        self._unknown = 0
        self._said_unknown = False
        self._last: tuple[str, int] = ("", -1)

    def hear(self, payload: bytes) -> list[Heard]:
        """One packet's payload (a gap should be filled with silence by the caller)."""
        before = len(self._past)
        self._past += payload
        self._total += len(payload)
        found = self._search(max(0, before - frame + 1))
        self._measure(payload)
        if not found:
            found = self._unnamed()
        if len(self._past) > window_max:
            self._past = self._past[-window_max // 2:]
        self.heard.extend(found)
        return found

    @property
    def now_ms(self) -> int:
        """How much audio has been heard."""
        return self._total // 8

    def _search(self, begin: int) -> list[Heard]:
        past = self._past
        first = self._total - len(past)  # sample number of past[0]
        found = []
        for clip, offset, probe in self._probes:
            at = past.find(probe, begin)
            if at < 0:
                continue
            start = first + at - offset
            name, known = self._last
            if name == clip.name and (abs(start - known) <= 2 * frame or clip.name.startswith("music/")):
                self._named_until = max(self._named_until, start + len(clip.samples))
                continue
            self._last = (clip.name, start)
            self._named_until = start + len(clip.samples)
            self._said_unknown = False
            words = clip.text if clip.text.startswith("(") else f'"{clip.text}"' if clip.text else f"({clip.name})"
            found.append(Heard(max(0, start) // 8, "prompt", words, clip.name, self._named_until // 8))
        return found

    def _measure(self, payload: bytes) -> None:
        samples = self._decode[np.frombuffer(payload, np.uint8)].astype(np.float64)
        rms = float(np.sqrt(np.mean(samples * samples))) if len(samples) else 0.0
        if rms < silent_rms:
            self.silent_ms += len(payload) // 8
            self._unknown = 0
            if self.silent_ms >= 500:
                self.sounding = False
        else:
            self.silent_ms = 0
            self.sounding = True
            self._unknown = 0 if self._total <= self._named_until else self._unknown + 1

    def _unnamed(self) -> list[Heard]:
        """Sound that no prompt explains: a tone by its frequencies, else just sound; said once until it changes."""
        if self._unknown == tone_after:
            words = self._tone()
            if words and self._last != (words, -2):
                self._last = (words, -2)
                self._said_unknown = True
                return [Heard(self.now_ms - self._unknown * 20, "tone", words)]
            self._said_unknown = self._said_unknown or bool(words)
        if self._unknown == unknown_after and not self._said_unknown:
            self._said_unknown = True
            self._last = ("", -1)
            return [Heard(self.now_ms - self._unknown * 20, "sound", "(somebody speaks, or unknown sound)")]
        return []


    def _tone(self) -> str:
        """The tone of the last 400 ms, '' unless both halves agree: a vowel is pure at times, but never that steady."""
        samples = self._decode[np.frombuffer(self._past[-2 * tone_window:], np.uint8)]
        earlier, later = describe_tone(samples[:tone_window]), describe_tone(samples[tone_window:])
        return later if earlier == later else ""


_TONES = (
    ((440, 480), "ringing tone"), ((400, 450), "ringing tone"), ((480, 620), "busy or congestion tone"),
    ((350, 440), "dial tone"), ((425,), "tone of 425 Hz (ringing, busy or congestion)"),
    ((450,), "tone of 450 Hz (ringing, busy or congestion)"), ((400,), "tone of 400 Hz (busy or congestion)"),
    ((1_004,), "milliwatt test tone"), ((1_000,), "test tone or beep of 1000 Hz"),
)


def describe_tone(samples: g711.Samples) -> str:
    """Words for one or two steady frequencies that hold nearly all the power; '' for anything else."""
    if len(samples) < tone_window // 2:
        return ""
    spectrum = np.abs(np.fft.rfft(samples.astype(np.float64) * np.hanning(len(samples)), 8_000)) ** 2
    total = float(spectrum.sum())
    peaks: list[int] = []
    power = 0.0
    for _ in range(2):
        peak = int(np.argmax(spectrum))
        low, high = max(0, peak - 14), peak + 15
        share = float(spectrum[low:high].sum())
        if share < 0.08 * total:
            break
        power += share
        peaks.append(peak)
        spectrum[low:high] = 0
    if not peaks or power < 0.97 * total:
        return ""
    for frequencies, words in _TONES:
        if len(peaks) == len(frequencies) and all(
            abs(have - want) <= 3 for have, want in zip(sorted(peaks), frequencies, strict=True)
        ):
            return f"({words})"
    return f"(tone of {' + '.join(str(peak) for peak in sorted(peaks))} Hz)"

"""The playout buffer: adaptation, concealment, and what a listener keeps of speech under loss and jitter."""

from __future__ import annotations

import random

import numpy as np
import pytest

from engine.media import columns as c
from engine.media import g711, playout
from tests.media.rig import encoded, tone


class Line:
    """Packets of 20 ms written when they arrive, frames of 20 ms read on time."""

    def __init__(self) -> None:
        self.plane = c.allocate()
        playout.reset(self.plane, 0)
        self.heard: list[np.ndarray] = []

    def write(self, timestamp: int, payload: bytes, ssrc: int = 1, law: int = 0) -> None:
        packet = np.frombuffer(payload, np.uint8)
        playout.write(self.plane, 0, timestamp & 0xFFFFFFFF, ssrc, packet, 0, len(payload), law)

    def read(self, length: int = 160) -> int:
        target = np.zeros(length, np.int16)
        heard = int(playout.read(self.plane, 0, length, target))
        self.heard.append(target)
        return heard

    def run(self, samples: np.ndarray, *, loss: float = 0.0, jitter_ms: float = 0.0, seed: int = 1,
            first: int = 5_000) -> np.ndarray:
        """Play `samples` through the line; returns what is heard."""
        chance = random.Random(seed)
        octets = encoded(samples)
        arrivals = sorted(
            (place * 20.0 + chance.random() * jitter_ms, place)
            for place in range(len(octets) // 160) if chance.random() >= loss
        )
        for tick in range(len(octets) // 160 + 40):
            while arrivals and arrivals[0][0] <= tick * 20.0 + 10:
                place = arrivals.pop(0)[1]
                self.write(first + place * 160, octets[place * 160 : (place + 1) * 160])
            self.read()
        return np.concatenate(self.heard).astype(float)

    def word(self, name: int) -> int:
        return int(self.plane.playout[0, name])


def speechlike(seconds: float, seed: int = 3) -> np.ndarray:
    """Pitch pulses through two formants, in syllables: enough of a voice to hear concealment work."""
    chance = np.random.default_rng(seed)
    count = int(seconds * 8_000)
    pitch = 110 + 25 * np.sin(np.arange(count) / 8_000 * 2.1)
    phase = np.cumsum(pitch) / 8_000
    source = np.diff(np.floor(phase), prepend=0.0) + 0.01 * chance.standard_normal(count)
    out = np.zeros(count)
    for hertz, width, gain in ((550, 90, 1.0), (1_700, 140, 0.5)):
        radius = np.exp(-np.pi * width / 8_000)
        first, second = 2 * radius * np.cos(2 * np.pi * hertz / 8_000), -radius * radius
        y1 = y2 = 0.0
        formant = np.empty(count)
        for place in range(count):
            y1, y2 = source[place] + first * y1 + second * y2, y1
            formant[place] = y1
        out += gain * formant
    syllables = np.clip(np.sin(np.arange(count) / 8_000 * 2 * np.pi * 2.5) + 0.4, 0, 1)
    out *= syllables
    return np.rint(out / np.abs(out).max() * 14_000).astype(np.int16)


def spectral_distance(reference: np.ndarray, heard: np.ndarray) -> float:
    """Mean log-spectral distance in dB over 64 ms stretches with speech, each lined up by itself: a change of delay
    is no distortion."""
    reference = reference.astype(float)
    total, frames = 0.0, 0
    for start in range(1_600, min(reference.size, heard.size) - 4_000, 256):
        one = reference[start : start + 512]
        if np.sqrt((one**2).mean()) < 300:
            continue
        around = heard[start - 80 : start + 2_400 + 512]
        scores = np.correlate(around, one, "valid") / np.sqrt(np.convolve(around**2, np.ones(512), "valid") + 1e6)
        lag = int(scores.argmax())
        window = np.hanning(512)
        spectra = [np.log10(np.abs(np.fft.rfft(part * window))[8:216] ** 2 + 1e6)
                   for part in (one, around[lag : lag + 512])]
        total += 10 * float(np.sqrt(((spectra[0] - spectra[1]) ** 2).mean()))
        frames += 1
    return total / frames


def test_a_clean_line_is_transparent() -> None:
    samples = speechlike(2)
    heard = Line().run(samples)
    wanted = g711.decode(encoded(samples), 0).astype(float)
    start = 160  # the delay it begins with
    assert np.array_equal(heard[start + 200 : start + 15_000], wanted[200:15_000])


def test_timestamps_wrap() -> None:
    samples = tone(1)
    heard = Line().run(samples, first=2**32 - 3_000)
    assert np.array_equal(heard[360:7_000], g711.decode(encoded(samples), 0)[200:6_840].astype(float))


def test_reordering_within_the_delay_is_free() -> None:
    line = Line()
    octets = encoded(tone(0.1))
    line.write(1_000, octets[:160])
    line.read()
    line.write(1_320, octets[320:480])
    line.write(1_160, octets[160:320])
    assert [line.read() for _ in range(3)] == [160, 160, 160]
    assert np.array_equal(np.concatenate(line.heard[1:4])[40:], g711.decode(octets[:480], 0)[40:])


def test_a_late_packet_moves_the_delay_and_the_next_ones_fit() -> None:
    line = Line()
    octets = encoded(tone(1))
    for place in range(10):
        line.write(place * 160, octets[place * 160 : (place + 1) * 160])
        line.read()
    line.read()  # packet 10 is 40 ms late
    line.read()
    for place in range(10, 20):
        line.write(place * 160, octets[place * 160 : (place + 1) * 160])
        line.read()
    assert line.word(c.TARGET) >= playout.DELAY_START + 160


def test_a_delay_that_is_no_longer_needed_shrinks() -> None:
    line = Line()
    samples = speechlike(3)
    line.run(samples[:16_000], jitter_ms=80)
    grown = line.word(c.TARGET)
    line.run(speechlike(20), first=5_000 + 16_000 + 20_000)
    assert line.word(c.TARGET) < grown


def test_the_delay_has_a_limit() -> None:
    line = Line()
    line.run(tone(10), jitter_ms=900)
    assert line.word(c.TARGET) <= playout.DELAY_MAX


def test_a_lost_frame_is_concealed_at_its_level_and_joins_smoothly() -> None:
    line = Line()
    octets = encoded(tone(1, 200))
    for place in range(20):
        if place != 10:
            line.write(place * 160, octets[place * 160 : (place + 1) * 160])
        line.read()
    heard = np.concatenate(line.heard).astype(float)
    gap = heard[11 * 160 : 12 * 160]
    assert np.sqrt((gap**2).mean()) > 0.7 * np.sqrt((heard[5 * 160 : 10 * 160] ** 2).mean())
    assert np.abs(np.diff(heard[400:])).max() < 2_600  # a 200 Hz sine of this level steps by 1,257


def test_long_loss_fades_to_silence_within_sixty_milliseconds() -> None:
    line = Line()
    octets = encoded(tone(0.5))
    for place in range(20):
        line.write(place * 160, octets[place * 160 : (place + 1) * 160])
        line.read()
    assert [line.read() for _ in range(8)][2:] == [0] * 6
    assert playout.faded(line.plane, 0)
    assert not np.any(line.heard[-1])
    assert line.word(c.LIVE) == 0


def test_another_ssrc_or_a_far_jump_starts_afresh() -> None:
    for timestamp, ssrc in ((4_000_000, 1), (320, 2)):
        line = Line()
        line.write(0, b"\x10" * 160)
        line.read()
        line.write(timestamp, b"\x20" * 160, ssrc)
        assert sum(line.read() for _ in range(3)) == 160


def test_duplicates_change_nothing() -> None:
    one, other = Line(), Line()
    octets = encoded(tone(0.4))
    for place in range(20):
        payload = octets[place * 160 : (place + 1) * 160]
        one.write(place * 160, payload)
        other.write(place * 160, payload)
        other.write(place * 160, payload)
        one.read()
        other.read()
    assert np.array_equal(np.concatenate(one.heard), np.concatenate(other.heard))


@pytest.mark.parametrize(("loss", "jitter_ms", "limit"), [(0.0, 80, 1.0), (0.05, 0, 2.0), (0.05, 30, 2.0)])
def test_speech_survives_loss_and_jitter(loss: float, jitter_ms: float, limit: float) -> None:
    """The codec alone costs 0.85 dB by this measure."""
    samples = speechlike(8)
    heard = Line().run(samples, loss=loss, jitter_ms=jitter_ms)
    assert spectral_distance(samples, heard) < limit


def test_what_conceals_a_lost_frame_resembles_it() -> None:
    """Correlation and level of the concealed 20 ms with those that were lost, over 8 s of voice."""
    octets = encoded(speechlike(8))
    original = g711.decode(octets, 0).astype(float)
    resemblance, levels = [], []
    for lost in range(60, 380, 7):
        line = Line()
        for place in range(lost - 8, lost + 1):
            if place != lost:
                line.write(place * 160, octets[place * 160 : (place + 1) * 160])
            line.read()
        line.read()
        there, here = original[lost * 160 : (lost + 1) * 160], line.heard[9].astype(float)
        if np.sqrt((there**2).mean()) < 300:
            continue
        resemblance.append((here @ there) / np.sqrt((here @ here) * (there @ there) + 1))
        levels.append(np.sqrt((here @ here) / (there @ there)))
    assert np.median(resemblance) > 0.8
    assert 0.8 < np.mean(levels) < 1.1

"""G.722 against what two other implementations made of the same signal, and against what speech needs.

The digests were printed by spandsp 0.0.6 and ffmpeg 7.0.2, which agree; `tests/interop/test_codecs.py` asks both anew.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import pytest

from engine.media import g722


def _signal() -> np.ndarray:
    """Two seconds of buzz, pauses and noise at 16 kHz, from integers only."""
    time = np.arange(32_000)
    buzz = ((time % 131) * 410 - 26_000) * ((time // 1_600) % 3) // 2
    noise = np.random.default_rng(722).integers(-9_000, 9_000, 32_000)
    return np.clip(buzz // 2 + noise * ((time // 4_000) % 2), -32_768, 32_767).astype(np.int16)


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=8).hexdigest()


def _ratio(signal: np.ndarray, heard: np.ndarray) -> float:
    """Signal to noise in dB, at the best delay of up to 40 samples and the best gain."""
    best = -100.0
    for delay in range(40):
        wanted, got = signal[: signal.size - delay].astype(float), heard[delay:].astype(float)
        gain = (wanted * got).sum() / (wanted**2).sum()
        best = max(best, 10 * np.log10(((gain * wanted) ** 2).sum() / ((got - gain * wanted) ** 2).sum()))
    return float(best)


def test_the_coder_is_bit_exact() -> None:
    assert _digest(g722.encoded(_signal())) == "3f333d181c0f83a6"


def test_the_decoder_is_bit_exact() -> None:
    assert _digest(g722.decoded(g722.encoded(_signal())).astype("<i2").tobytes()) == "8a6374918a0a7aa6"


@pytest.mark.parametrize("hertz", [300, 1_000, 3_000, 5_000, 6_500])
def test_both_bands_carry_a_tone(hertz: int) -> None:
    tone = np.rint(9_000 * np.sin(2 * np.pi * hertz * np.arange(16_000) / 16_000)).astype(np.int16)
    assert _ratio(tone[4_000:], g722.decoded(g722.encoded(tone))[4_000:]) > 17


def test_the_lower_band_alone_is_a_telephone_line() -> None:
    """8 kHz in, through bands only, 8 kHz out: no mirror filter, no delay, level kept."""
    voice = np.rint(7_000 * np.sin(2 * np.pi * 600 * np.arange(8_000) / 8_000)).astype(np.int16)
    coder, decoder = g722.fresh(), g722.fresh()
    octets = [g722.encode_pair(coder, int(sample) >> 1, 0) for sample in voice]
    heard = np.array([2 * g722.decode_lower(decoder, octet) for octet in octets])
    error = heard[400:] - voice[400:]
    assert 10 * np.log10((voice[400:].astype(float) ** 2).mean() / (error.astype(float) ** 2).mean()) > 30
    wide = g722.decoded(bytes(octets))  # and whoever listens wideband hears the same, in the same octave
    assert np.abs(np.fft.rfft(wide[8_000:]))[1:].argmax() + 1 == 600 * 8_000 // 16_000


def test_coder_and_decoder_adapt_alike() -> None:
    """Who has decoded may go on coding: the bands of both states are the same after any octets."""
    signal = _signal()
    coder, decoder = g722.fresh(), g722.fresh()
    octets = np.zeros(signal.size // 2, np.uint8)
    g722.encode(coder, signal, octets)
    g722.decode(decoder, octets, np.zeros(signal.size, np.int16))
    bands = slice(g722.LOWER, 2 * g722.HIGHER)
    assert coder[bands].tolist() == decoder[bands].tolist()


def test_any_octets_give_sound_within_range_and_the_state_recovers() -> None:
    noise = np.random.default_rng(1).integers(0, 256, 40_000).astype(np.uint8)
    state, target = g722.fresh(), np.zeros(80_000, np.int16)
    g722.decode(state, noise, target)
    quiet = np.frombuffer(g722.encoded(np.zeros(16_000, np.int16)), np.uint8).copy()
    after = np.zeros(16_000, np.int16)
    g722.decode(state, quiet, after)
    assert np.abs(after[4_000:]).max() <= 40  # 250 ms later nothing is left of it


def test_a_lost_frame_is_forgotten() -> None:
    signal = _signal()
    octets = np.frombuffer(g722.encoded(signal), np.uint8)
    whole = g722.decoded(octets.tobytes())
    torn = g722.decoded(np.concatenate([octets[:8_000], octets[8_160:]]).tobytes())
    assert np.array_equal(whole[:16_000], torn[:16_000])
    late = slice(16_320 + 6_400, 32_000)
    difference = whole[late].astype(float) - torn[late.start - 320 : late.stop - 320]
    assert np.sqrt((difference**2).mean()) < 0.02 * np.sqrt((whole[late].astype(float) ** 2).mean())


def test_reset_is_where_both_ends_begin() -> None:
    state = g722.fresh()
    g722.encode(state, _signal(), np.zeros(16_000, np.uint8))
    g722.reset(state)
    assert state.tolist() == g722.fresh().tolist()

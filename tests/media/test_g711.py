"""Both laws against the Recommendation's own figures (field.md E4)."""

from __future__ import annotations

import numpy as np
import pytest

from engine.media import clips, g711

EVERY = bytes(range(256))
SAMPLES = np.arange(-32_768, 32_768).astype(np.int16)


@pytest.mark.parametrize(("law", "exceptions"), [(g711.MU_LAW, [0x7F]), (g711.A_LAW, [])])
def test_decode_then_encode_is_the_identity(law: int, exceptions: list[int]) -> None:
    again = g711.encode(g711.decode(EVERY, law), law)
    assert [code for code in range(256) if again[code] != code] == exceptions


def test_negative_zero_becomes_zero() -> None:
    assert g711.encode(g711.decode(b"\x7f", g711.MU_LAW), g711.MU_LAW) == b"\xff"


@pytest.mark.parametrize("law", [g711.MU_LAW, g711.A_LAW])
def test_every_sample_comes_back_within_ten_percent(law: int) -> None:
    again = g711.decode(g711.encode(SAMPLES, law), law).astype(int)
    loud = np.abs(SAMPLES.astype(int)) > 140
    error = np.abs(again - SAMPLES)[loud] / np.abs(SAMPLES.astype(int))[loud]
    assert error.max() <= 0.10
    assert np.abs(again - SAMPLES)[~loud].max() <= 8


@pytest.mark.parametrize("law", [g711.MU_LAW, g711.A_LAW])
def test_encoding_is_monotonic_and_odd(law: int) -> None:
    again = g711.decode(g711.encode(SAMPLES, law), law).astype(int)
    assert (np.diff(again) >= 0).all()
    positive = again[32_769:]
    assert np.array_equal(positive, -again[1:32_768][::-1]) or law == g711.A_LAW


def test_known_codes() -> None:
    assert g711.encode(np.array([0, 32_767, -32_768], np.int16), g711.MU_LAW).hex() == "ff8000"
    assert g711.encode(np.array([0, 32_767, -32_768], np.int16), g711.A_LAW).hex() == "d5aa2a"
    assert g711.decode(b"\xff\x80\x00", g711.MU_LAW).tolist() == [0, 32_124, -32_124]
    assert g711.decode(b"\xd5\xaa\x2a", g711.A_LAW).tolist() == [8, 32_256, -32_256]


@pytest.mark.parametrize(
    ("law", "octets"), [(g711.A_LAW, "34212134b4a1a1b4"), (g711.MU_LAW, "1e0b0b1e9e8b8b9e")]
)
def test_the_digital_milliwatt(law: int, octets: str) -> None:
    """1 kHz at 0 dBm0 for ever: eight bytes that decode to a sine of 8 samples' period and encode to themselves."""
    assert clips.MILLIWATT[law].hex() == octets
    wave = g711.decode(bytes.fromhex(octets), law).astype(float)
    assert g711.encode(wave.astype(np.int16), law).hex() == octets
    spectrum = np.abs(np.fft.rfft(np.tile(wave, 10)))
    assert spectrum.argmax() == 10  # 1 kHz of 8 kHz in 80 samples
    full_scale = {g711.A_LAW: 3.14, g711.MU_LAW: 3.17}[law]
    peak = {g711.A_LAW: 32_768, g711.MU_LAW: 32_636}[law]  # the virtual decision values 4,096 and 8,159
    level = 20 * np.log10(np.sqrt((wave**2).mean()) / (peak / np.sqrt(2))) + full_scale
    assert abs(level) < 0.01


@pytest.mark.parametrize(
    ("law", "floors"),
    [(g711.MU_LAW, (37.0, 37.7, 36.4, 35.4, 30.6)), (g711.A_LAW, (36.9, 38.8, 37.7, 36.4, 30.3))],
)
def test_sine_to_noise_ratio(law: int, floors: tuple[float, ...]) -> None:
    """1,015 Hz at 0 … −40 dBm0, within 1 dB of the figures measured in field.md E4."""
    for level, floor in zip((0, -10, -20, -30, -40), floors, strict=True):
        wave = clips.sine((1_015,), 2.0, level)
        again = g711.decode(g711.encode(np.rint(wave).astype(np.int16), law), law).astype(float)
        gain = (wave * again).sum() / (wave**2).sum()
        ratio = 10 * np.log10(((gain * wave) ** 2).sum() / ((again - gain * wave) ** 2).sum())
        assert ratio > floor - 1.0, (level, ratio)


def test_cross_tables_are_decode_then_encode() -> None:
    cross = g711.cross_tables()
    for law in (0, 1):
        assert cross[law].tobytes() == g711.encode(g711.decode(EVERY, law), 1 - law)
        assert g711.SILENCE[1 - law] == cross[law][g711.SILENCE[law]] or law == g711.A_LAW


def test_laws_and_codecs() -> None:
    assert (g711.law_of(0), g711.law_of(8), g711.codec_of(0), g711.codec_of(1)) == (0, 1, 0, 8)

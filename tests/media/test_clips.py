"""Tones: their frequencies, cadences and seams."""

from __future__ import annotations

import numpy as np
import pytest

from engine.media import clips, g711


def peaks(samples: np.ndarray) -> list[int]:
    """The two strongest frequencies, in Hz, rising."""
    spectrum = np.abs(np.fft.rfft(samples.astype(float) * np.hanning(samples.size)))
    first = int(spectrum.argmax())
    spectrum[max(0, first - 8) : first + 9] = 0
    return sorted(round(place * 8_000 / samples.size) for place in (first, int(spectrum.argmax())))


@pytest.mark.parametrize(
    ("name", "seconds", "frequencies"),
    [("tone/ringback.us", 6.0, [440, 480]), ("tone/busy.us", 1.0, [480, 620]), ("tone/congestion.us", 0.5, [480, 620]),
     ("tone/ringback.gb", 3.0, [400, 450]), ("tone/ringback.uk", 3.0, [400, 450])],
)
def test_tones_of_countries(name: str, seconds: float, frequencies: list[int]) -> None:
    both = clips.tone(name)
    assert both is not None
    for law, octets in enumerate(both):
        samples = g711.decode(octets, law)
        assert samples.size == round(seconds * 8_000)
        sounding = samples[:2_000] if "congestion" in name or "gb" in name or "uk" in name else samples[:4_000]
        assert all(abs(a - b) <= 4 for a, b in zip(peaks(sounding), frequencies, strict=True))
        assert np.abs(samples[-100:]).max() <= 16  # every pattern ends in its pause


def test_an_unknown_country_has_the_united_states_tones() -> None:
    assert clips.tone("tone/busy.xx") == clips.tone("tone/busy.us") == clips.tone("tone/busy")


def test_every_country_has_all_three() -> None:
    for country in clips._COUNTRIES:
        for kind in ("ringback", "busy", "congestion"):
            both = clips.tone(f"tone/{kind}.{country}")
            assert both is not None
            assert len(both[0]) == len(both[1]) > 1_000


@pytest.mark.parametrize("name", ["en/welcome", "tone/nothing.us", "tone/", "music/default"])
def test_other_names_are_no_tones(name: str) -> None:
    assert clips.tone(name) is None


def test_milliwatt_is_made_of_the_exact_bytes() -> None:
    both = clips.tone("tone/milliwatt")
    assert both is not None
    assert {both[0][index : index + 8] for index in range(0, len(both[0]), 8)} == {clips.MILLIWATT[0]}
    assert {both[1][index : index + 8] for index in range(0, len(both[1]), 8)} == {clips.MILLIWATT[1]}


def test_silence_is_silent_and_the_beep_is_one_kilohertz() -> None:
    silence, beep = clips.tone("tone/silence"), clips.tone("tone/beep")
    assert silence is not None and beep is not None
    assert set(silence[0]) == {0xFF} and set(silence[1]) == {0xD5}
    assert 1_000 in peaks(g711.decode(beep[0], 0))


@pytest.mark.parametrize("digit", "0123456789*#ABCD")
def test_dtmf_has_its_two_frequencies_and_loops(digit: str) -> None:
    samples = clips.dtmf(digit)
    row, column = divmod("123A456B789C*0#D".index(digit), 4)
    assert peaks(samples) == [(697, 770, 852, 941)[row], (1209, 1336, 1477, 1633)[column]]
    assert np.array_equal(clips.dtmf(digit, 2.0)[8_000:], samples)

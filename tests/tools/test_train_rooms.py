"""Lines and rooms: resampling, levels, µ-law, and what a voice becomes on its way."""

from __future__ import annotations

import numpy as np
import pytest

from tools.train import noises, rooms


def tone(hertz: float, rate_hz: int, seconds: float = 1.0) -> rooms.Samples:
    return (0.3 * np.sin(2 * np.pi * hertz * np.arange(int(rate_hz * seconds)) / rate_hz)).astype(np.float32)


@pytest.mark.parametrize(
    ("rate_from", "rate_to"), [(16000, 8000), (22050, 16000), (24000, 16000), (8000, 16000), (172, 100)]
)
def test_a_tone_stays_itself_at_another_rate(rate_from: int, rate_to: int) -> None:
    hertz = 0.1 * min(rate_from, rate_to)
    found = rooms.resample(tone(hertz, rate_from, 4000 / rate_from), rate_from, rate_to)
    wanted = tone(hertz, rate_to, 4000 / rate_from)
    assert abs(len(found) - len(wanted)) <= 1
    inner = slice(60, min(len(found), len(wanted)) - 60)
    assert found[inner] == pytest.approx(wanted[inner], abs=6e-3)


def test_what_the_new_rate_cannot_carry_is_gone() -> None:
    found = rooms.resample(tone(6000, 16000), 16000, 8000)
    assert np.sqrt((found[100:-100] ** 2).mean()) < 0.002


def test_active_level_leaves_pauses_out() -> None:
    voice = np.concatenate([np.zeros(8000, np.float32), tone(500, 8000), np.zeros(8000, np.float32)])
    assert rooms.active_level(voice) == pytest.approx(0.3 / np.sqrt(2), rel=0.01)
    assert rooms.active_level(np.zeros(10, np.float32)) == 0.0


def test_mu_law_has_its_codes() -> None:
    assert rooms.ENCODE[32768] == 0xFF, "zero"
    assert rooms.ENCODE[0] == 0x00 and rooms.ENCODE[65535] == 0x80, "the loudest, below and above"
    assert np.array_equal(rooms.mu_law(rooms.mu_law(tone(700, 8000))), rooms.mu_law(tone(700, 8000))), (
        "a second pass changes nothing"
    )
    error = rooms.mu_law(tone(700, 8000)) - tone(700, 8000)
    assert 34 < 10 * np.log10((tone(700, 8000) ** 2).mean() / (error**2).mean()) < 42


@pytest.fixture(scope="module")
def bank() -> rooms.Noises:
    def takes(kind: str) -> np.ndarray:
        return np.stack([noises.make(kind, 24000, np.random.default_rng(seed)) for seed in range(2)])

    return rooms.Noises({"pink": takes("pink")}, {"clatter": takes("clatter")})


def test_a_call_is_drawn_from_its_seed(bank: rooms.Noises) -> None:
    voice = tone(440, 16000)
    first, again = (rooms.telephone(voice, bank, np.random.default_rng(4), 92) for _ in range(2))
    assert np.array_equal(first[0], again[0]) and first[1] == again[1]
    other, _ = rooms.telephone(voice, bank, np.random.default_rng(5), 92)
    assert len(other) != len(first[0]) or not np.array_equal(other, first[0])


def test_calls_differ_in_level_and_some_hold_strikes(bank: rooms.Noises) -> None:
    calls = [rooms.telephone(tone(440, 16000), bank, np.random.default_rng(seed), None) for seed in range(60)]
    assert all(np.isfinite(heard).all() and np.abs(heard).max() <= 1 for heard, _ in calls)
    levels = [20 * np.log10(rooms.active_level(heard)) for heard, _ in calls]
    assert min(levels) < -35 and max(levels) > -18
    assert 8 < sum(struck for _, struck in calls) < 40


def test_speed_makes_a_voice_shorter_and_higher(bank: rooms.Noises) -> None:
    found = {}
    for speed in (84, 100, 120):
        heard, _ = rooms.telephone(
            tone(1000, 16000), rooms.Noises(bank.steady, bank.transient), np.random.default_rng(11), speed
        )
        found[speed] = np.fft.rfftfreq(len(heard), 1 / 8000)[int(np.abs(np.fft.rfft(heard)).argmax())]
    assert found[100] == pytest.approx(1000, abs=5)
    assert found[84] == pytest.approx(840, abs=5) and found[120] == pytest.approx(1200, abs=5)


def test_a_coders_noise_follows_the_voice_and_leaves_pauses_silent() -> None:
    voice = np.concatenate([np.zeros(4000, np.float32), tone(500, 8000)])
    ratios = []
    for seed in range(40):
        added = rooms._coded(voice, np.random.default_rng(seed)) - voice
        assert not added[:4000].any()
        ratios.append(10 * np.log10((voice**2).sum() / (added**2).sum()))
    assert 11 < min(ratios) < 16 and 31 < max(ratios) < 36

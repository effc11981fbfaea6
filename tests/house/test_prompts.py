"""The recordings in the repository are what their manifests say, sound right, and cover what callers must hear."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.dialplan.site import LETTERS, SAID, UNITS
from tests.house.source import ROOT
from tools import audio, music, prompts, voices

HOMES = [ROOT, *sorted(path.parent for path in (ROOT / "dialplans").glob("*/site.yaml"))]
STOCK = (
    "please_hold one_moment you_are_next position_is callers_before_you all_busy queue_closed invalid_choice no_input "
    "try_again you_pressed not_available number_unknown transfer_failed technical_fault leave_message thank_you "
    "goodbye agent_logged_in agent_logged_out agent_ready agent_not_ready ten_seconds digits/star digits/hash "
    "did_not_catch heard_nothing say_again say_in_few_words say_or_press say_yes_or_no press_yes_or_no use_keys say "
    "or_press i_heard did_you_say is_that_right all_right_again ask_for_person connecting_person yes no"
).split()


def recordings() -> list[tuple[Path, str, str]]:
    """(folder, language, name) of every line in every manifest."""
    found = []
    for home in HOMES:
        for folder, language in prompts.read_texts(home):
            found += [(folder, language, name) for name in prompts.read_manifest(folder, language)]
    return [*found, (ROOT / "prompts", "music", "default")]


@pytest.mark.parametrize("home", HOMES, ids=lambda home: home.name)
def test_texts_manifests_and_masters_agree(home: Path) -> None:
    texts = prompts.read_texts(home)
    assert texts
    assert not [line for (folder, language), each in texts.items() for line in prompts.check(folder, language, each)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_stock_set_is_complete(language: str) -> None:
    names = prompts.read_manifest(ROOT / "prompts", language).keys()
    wanted = [*STOCK, *(f"digits/{digit}" for digit in range(10))]
    if language == "en":
        wanted += [f"numbers/{number}" for number in [*range(21), *range(30, 100, 10)]]
        wanted += [f"numbers/{word}" for word in "hundred thousand million and minus point".split()]
        wanted += [f"letters/{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    else:
        wanted += [f"numbers/{number}" for number in range(11)]
        wanted += [f"numbers/{word}" for word in "hundred thousand ten_thousand hundred_million liang".split()]
    assert not {*wanted, *LETTERS, *UNITS, *SAID[language]} - names  # dates, times, amounts, ordinals, spelling


def test_every_recording_names_voice_and_licence() -> None:
    manifest = cache(prompts.read_manifest)
    for folder, language, name in recordings():
        entry = manifest(folder, language)[name]
        assert entry["licence"].startswith("CC0-1.0") and entry["voice"] and entry["text"], (language, name)


def test_every_recording_sounds_right() -> None:
    """8 and 16 kHz, equally long, at the agreed level, without clipping, starting and ending in silence."""
    for folder, language, name in recordings():
        narrow, narrow_rate = audio.read_wav(prompts.masters(folder, language, name)[0])
        wide, wide_rate = audio.read_wav(prompts.masters(folder, language, name)[1])
        where = f"{language}/{name}"
        assert (narrow_rate, wide_rate) == (8_000, 16_000), where
        assert abs(len(wide) - 2 * len(narrow)) <= 2, where
        wanted = -24 if language == "music" else audio.ACTIVE_DBFS
        assert abs(audio.active_level(wide, wide_rate) - wanted) < 1.5, where
        assert np.abs(wide).max() < 0.75 and np.abs(narrow).max() < 0.85, where
        if language != "music":
            assert max(abs(wide[0]), abs(wide[-1])) < 0.003, where
            assert 150 <= len(narrow) / 8 <= 20_000, where


@pytest.mark.parametrize("language", ["en", "zh"])
def test_ten_seconds_last_ten_seconds(language: str) -> None:
    signal, rate = audio.read_wav(ROOT / "prompts" / language / "ten_seconds.wav")
    assert abs(len(signal) / rate - 10.0) <= 0.5


def test_music_joins_its_own_beginning() -> None:
    """The step over the seam is no larger than steps elsewhere."""
    signal, rate = audio.read_wav(ROOT / "prompts" / "music" / "default.wav")
    assert 40 <= len(signal) / rate <= 60
    steps = np.abs(np.diff(signal))
    assert abs(signal[0] - signal[-1]) <= np.quantile(steps, 0.999)


def test_music_is_the_score() -> None:
    loop = music.render(1_000)
    assert len(loop) == music.BARS * 4 * 800
    assert all(0 <= bar < music.BARS and 0 <= beat < 4 for bar, beat, _ in music.TUNE)
    assert len(music.CHORDS) == music.BARS


# --- the studio -------------------------------------------------------------------------------------------
def tone(hertz: float, rate: int, seconds: float = 1.0) -> audio.Signal:
    return np.asarray(np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate))


def loudness(signal: audio.Signal) -> float:
    inner = signal[len(signal) // 10 : -len(signal) // 10]
    return float(10 * np.log10(np.mean(inner**2) * 2 + 1e-15))


@pytest.mark.parametrize(("rate", "to_rate"), [(16_000, 8_000), (32_000, 16_000), (22_050, 16_000), (8_000, 16_000)])
def test_resampling_keeps_the_band(rate: int, to_rate: int) -> None:
    out = audio.resample(tone(1_000, rate), rate, to_rate)
    assert len(out) == to_rate
    assert np.abs(out - tone(1_000, to_rate))[400:-400].max() < 1e-3


@pytest.mark.parametrize("hertz", [4_500, 5_500, 7_000])
def test_resampling_leaves_no_alias(hertz: int) -> None:
    assert loudness(audio.resample(tone(hertz, 16_000), 16_000, 8_000, band_hz=3_600)) < -75


def test_levelling_reaches_its_level_and_spares_peaks() -> None:
    quiet = tone(440, 16_000) * 0.01
    assert abs(audio.active_level(audio.level(quiet, 16_000), 16_000) - audio.ACTIVE_DBFS) < 0.2
    spiky = quiet.copy()
    spiky[8_000] = 1.0
    assert np.abs(audio.level(spiky, 16_000)).max() <= 10 ** (audio.PEAK_DBFS / 20)


def test_trimming_cuts_silence_only() -> None:
    padded = np.concatenate([np.zeros(8_000), tone(440, 16_000), np.zeros(16_000)])
    cut = audio.trim(padded, 16_000)
    assert abs(len(cut) / 16 - (1_000 + audio.LEAD_MS + audio.TAIL_MS)) <= 20
    assert not len(audio.trim(np.zeros(100), 16_000)) or not audio.trim(np.zeros(1_600), 16_000).any()


def test_padding_refuses_what_is_too_long() -> None:
    assert len(audio.pad_to(np.zeros(10), 8_000, 10)) == 80
    with pytest.raises(ValueError, match="more than 10 ms"):
        audio.pad_to(np.zeros(81), 8_000, 10)


def test_wav_files_survive_the_disk(tmp_path: Path) -> None:
    signal = tone(300, 8_000) * 0.5
    audio.write_wav(tmp_path / "a" / "b.wav", signal, 8_000)
    again, rate = audio.read_wav(tmp_path / "a" / "b.wav")
    assert rate == 8_000 and np.abs(again - signal).max() < 1 / 32_000


def test_a_language_without_a_voice_is_told() -> None:
    with pytest.raises(voices.Missing, match="none known"):
        voices.choose("xx")


def test_building_keeps_own_recordings_and_drops_what_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def speak(_: voices.Voice, lines: list[tuple[str, Path]]) -> None:
        for _, path in lines:
            audio.write_wav(path, np.concatenate([np.zeros(800), tone(440, 16_000, 0.4), np.zeros(800)]), 16_000)

    monkeypatch.setattr(voices, "speak", speak)
    monkeypatch.setattr(voices, "choose", lambda _: voices.VOICES[0])
    folder = tmp_path / "prompts"
    audio.write_wav(folder / "en" / "own.wav", tone(300, 8_000), 8_000)
    texts = {"own": "Recorded by hand.", "one": "One.", "two": "Two."}
    assert prompts.build(folder, "en", texts, everything=False) == 2
    assert "own recording" in capsys.readouterr().out
    assert prompts.read_manifest(folder, "en").keys() == {"one", "two"}
    assert not prompts.check(folder, "en", texts)

    assert prompts.build(folder, "en", texts, everything=False) == 0
    assert prompts.build(folder, "en", {"own": "x", "one": "Won."}, everything=False) == 1
    assert not (folder / "en" / "two.wav").exists()
    assert (folder / "en" / "own.wav").exists()
    assert prompts.check(folder, "en", {"one": "Won, now."}) == ["en/one: the text has changed since it was spoken"]
    (folder / "wideband" / "en" / "one.wav").write_bytes(b"")
    assert "wideband_sha256" in prompts.check(folder, "en", {"one": "Won."})[0]
    assert "no recording" in prompts.check(folder, "en", {"one": "Won.", "three": "Three."})[-1]


@pytest.mark.interop
def test_a_sites_prompts_are_spoken(tmp_path: Path) -> None:
    """The real synthesisers, from texts to masters, both languages."""
    assert shutil.which("espeak-ng")
    (tmp_path / "prompts").mkdir()
    (tmp_path / "site.yaml").write_text("ringdown: 1\n")
    (tmp_path / "prompts" / "en.yaml").write_text("greeting: Hello there.\ncode: Your code is $code, thank you.\n")
    (tmp_path / "prompts" / "zh.yaml").write_text("greeting: 您好。\n", "utf-8")
    for (folder, language), texts in prompts.read_texts(tmp_path).items():
        assert prompts.build(folder, language, texts, everything=False) == len(texts)
        assert not prompts.check(folder, language, texts)
    assert {path.name for path in (tmp_path / "prompts" / "en").glob("*.wav")} == {
        "greeting.wav", "code#1.wav", "code#2.wav"
    }  # fmt: skip

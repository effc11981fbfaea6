"""Recordings of every kind become what the media plane plays."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]

from engine.dialplan.prompts import WavInfo, wav_info
from engine.errors import SiteError
from engine.runtime import site_files, sounds
from engine.runtime.wav import read_wav, write_wav
from tests.media.test_voice import padded, speech

Kind = tuple[str, str, str, int, int]
KINDS: list[Kind] = [  # suffix, libsndfile's format and subtype, rate, tracks
    ("wav", "WAV", "PCM_16", 44_100, 2), ("wav", "WAV", "PCM_24", 48_000, 1), ("wav", "WAV", "FLOAT", 16_000, 6),
    ("wav", "WAV", "ULAW", 8_000, 1), ("wav", "WAV", "PCM_U8", 11_025, 1), ("flac", "FLAC", "PCM_16", 44_100, 2),
    ("flac", "FLAC", "PCM_24", 96_000, 1), ("ogg", "OGG", "VORBIS", 44_100, 2), ("opus", "OGG", "OPUS", 48_000, 1),
    ("mp3", "MP3", "MPEG_LAYER_III", 44_100, 2), ("mp3", "MP3", "MPEG_LAYER_III", 16_000, 1),
]  # fmt: skip


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RINGDOWN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "prompts"


def tone(rate: int, dbfs: float = -30.0) -> np.ndarray:
    """One second of 700 Hz between silences."""
    sine = np.sin(2 * np.pi * 700 * np.arange(rate) / rate) * 10 ** (dbfs / 20) * 2**0.5
    return padded(sine, rate, 0.7, 0.9)


def written(kind: Kind, signal: np.ndarray) -> bytes:
    _, form, subtype, rate, tracks = kind
    file = io.BytesIO()
    soundfile.write(file, np.repeat(signal[:, None], tracks, axis=1), rate, format=form, subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(map(str, kind)))
def test_every_kind_is_converted_trimmed_and_levelled(tmp_path: Path, own_cache: Path, kind: Kind) -> None:
    content = written(kind, tone(kind[3]))
    info = sounds.take(tmp_path / f"a.{kind[0]}", content, music=False, made={})
    assert Path(info.path).parent == own_cache and not info.silent and not info.clipped_ms
    samples = read_wav(Path(info.path)) / 32_768
    assert abs(info.duration_ms - 1_160) < 60 and abs(samples.size / 8 - info.duration_ms) < 1
    middle = samples[2_000:6_000]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(middle.size)))
    assert abs(int(spectrum.argmax()) * 8_000 / middle.size - 700) < 3
    assert abs(20 * np.log10(np.sqrt(np.mean(middle**2))) + 20) < 1.0


def test_it_is_made_once_and_found_again(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = written(KINDS[5], tone(44_100))
    first = sounds.take(tmp_path / "a.flac", content, music=False, made={})
    monkeypatch.setattr(sounds, "decode", None)
    assert sounds.take(tmp_path / "b.flac", content, music=False, made={}) == first
    Path(first.path).unlink()  # whoever empties the cache loses nothing
    monkeypatch.undo()
    monkeypatch.setenv("RINGDOWN_CACHE", str(tmp_path / "cache"))
    assert sounds.take(tmp_path / "a.flac", content, music=False, made={}) == first and Path(first.path).is_file()
    assert not list(own_cache.glob("*.part"))


def test_what_is_fine_or_built_is_played_as_it_is(tmp_path: Path, own_cache: Path) -> None:
    good = tmp_path / "good.wav"
    write_wav(good, np.rint(padded(speech(8_000, 1.0, -18.0), 8_000, 0.1, 0.1) * 32_768).astype(np.int16))
    assert sounds.take(good, good.read_bytes(), music=False, made={}).path == str(good)
    soft = tmp_path / "soft.wav"
    write_wav(soft, np.rint(tone(8_000) * 32_768).astype(np.int16))
    digest = wav_info(soft.read_bytes()).sha256
    assert sounds.take(soft, soft.read_bytes(), music=False, made={digest: None}).path == str(soft)
    assert sounds.take(soft, soft.read_bytes(), music=True, made={}).path == str(soft)
    assert sounds.take(soft, soft.read_bytes(), music=False, made={}).path != str(soft)


def test_music_keeps_its_level_and_length(tmp_path: Path) -> None:
    content = written(KINDS[5], tone(44_100))
    info = sounds.take(tmp_path / "jazz.flac", content, music=True, made={})
    samples = read_wav(Path(info.path)) / 32_768
    assert abs(info.duration_ms - 2_600) < 2 and not samples[:5_000].any()
    assert abs(20 * np.log10(np.sqrt(np.mean(samples[8_000:12_000] ** 2))) + 30) < 0.5


def test_silence_and_clipping_are_told(tmp_path: Path) -> None:
    silent = sounds.take(tmp_path / "a.flac", written(KINDS[5], np.zeros(44_100)), music=False, made={})
    assert silent.silent
    loud = sounds.take(tmp_path / "a.flac", written(KINDS[5], np.clip(tone(44_100, 3.0), -1, 1)), music=False, made={})
    assert loud.clipped_ms > 100


BROKEN = [b"", b"no sound", b"RIFF\x00\x00\x00\x00WAVEfmt ", b"ID3" + b"\xff" * 500, b"fLaC" * 9]


@pytest.mark.parametrize("content", BROKEN)
def test_what_is_no_sound_is_told_in_words(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SiteError, match="no sound"):
        sounds.take(tmp_path / "a.mp3", content, music=False, made={})


def test_without_a_cache_a_check_still_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RINGDOWN_CACHE", str(tmp_path / "file"))
    info = sounds.take(tmp_path / "a.flac", written(KINDS[5], tone(44_100)), music=False, made={})
    assert info.path == str(tmp_path / "a.flac") and info.duration_ms > 1_000


def test_a_site_takes_them(tmp_path: Path) -> None:
    """From a folder with an MP3 to a clip that the plane can load."""
    site = tmp_path / "site"
    for path, text in {
        "site.yaml": "ringdown: 1\nlanguages: [en]\nnumbers: {100: main}\n", "prompts/en.yaml": "hello: Hello.\n",
        "dialplans/main.yaml": "ringdown: 1\nflows:\n  main:\n    - answer\n    - play: hello\n    - hangup\n",
    }.items():  # fmt: skip
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)
    (site / "prompts" / "en").mkdir()
    (site / "prompts" / "en" / "hello.mp3").write_bytes(written(KINDS[9], tone(44_100)))
    (site / "prompts" / "en" / "bad.ogg").write_bytes(b"no sound")
    reading = site_files.read_folder(site)
    assert [(each.code, each.file) for each in reading.findings] == [("RD093", "prompts/en/bad.ogg")]
    (site / "prompts" / "en" / "bad.ogg").unlink()
    reading = site_files.read_folder(site, thorough=True)
    assert reading.site is not None and not reading.findings
    assert read_wav(Path(reading.site.prompts["en/hello"].path)).size > 8_000
    assert isinstance(site_files.collect(site)["prompts/en/hello.mp3"], WavInfo)


# --- what nobody has looked at, while calls are going on ---------------------------------------------------------
@pytest.mark.parametrize(("number", "rate"), [(5, 44_100), (9, 44_100)])
def test_what_comes_from_elsewhere_is_decoded_in_one_track(number: int, rate: int) -> None:
    wave = tone(rate)
    signal, found = sounds.decode_bounded(written(KINDS[number], wave), 60_000)
    assert found == rate and signal.ndim == 1
    assert abs(signal.size / wave.shape[0] - 1) < 0.1 and abs(float(np.abs(signal).max()) - wave.max()) < 0.1


@pytest.mark.parametrize("content", BROKEN)
def test_what_comes_from_elsewhere_and_is_no_sound(content: bytes) -> None:
    with pytest.raises(SiteError, match="no sound"):
        sounds.decode_bounded(content, 60_000)


def test_what_comes_from_elsewhere_is_bounded() -> None:
    exact = written(KINDS[5], tone(44_100, 1.0)[:44_100])
    assert sounds.decode_bounded(exact, 1_000)[0].size == 44_100
    with pytest.raises(SiteError, match="longer than 0 s"):
        sounds.decode_bounded(exact, 999)

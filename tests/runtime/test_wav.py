"""WAV in and out, as admins and crashes leave them."""

from __future__ import annotations

import os
import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import SiteError
from engine.media import g711
from engine.runtime import wav


def sine(rate: int, seconds: float = 0.4, hertz: float = 500) -> np.ndarray:
    return np.rint(9_000 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)).astype(np.int16)


def file(kind: int, tracks: int, bits: int, rate: int, body: bytes) -> bytes:
    return wav.header(kind, tracks, bits, rate, len(body)) + body


def close_to(one: np.ndarray, other: np.ndarray, tolerance: int) -> bool:
    inner = slice(300, -300)
    return one.size == other.size and int(np.abs(one[inner].astype(int) - other[inner]).max()) <= tolerance


def test_eight_kilohertz_pcm_is_read_as_it_is(tmp_path: Path) -> None:
    wav.write_wav(tmp_path / "a.wav", sine(8_000))
    assert np.array_equal(wav.read_wav(tmp_path / "a.wav"), sine(8_000))


@pytest.mark.parametrize("rate", [16_000, 22_050, 44_100, 48_000])
def test_other_rates_are_resampled(tmp_path: Path, rate: int) -> None:
    wav.write_wav(tmp_path / "a.wav", sine(rate), rate)
    assert close_to(wav.read_wav(tmp_path / "a.wav"), sine(8_000), 60)


def test_the_standard_library_reads_what_we_write(tmp_path: Path) -> None:
    both = np.stack([sine(8_000), -sine(8_000)], axis=1)
    wav.write_wav(tmp_path / "a.wav", both)
    with wave.open(str(tmp_path / "a.wav")) as stream:
        assert (stream.getnchannels(), stream.getframerate(), stream.getsampwidth()) == (2, 8_000, 2)
        assert stream.readframes(10**6) == both.tobytes()


@pytest.mark.parametrize(
    ("kind", "bits", "body", "tolerance"),
    [
        (1, 8, ((sine(8_000) // 256) + 128).astype(np.uint8).tobytes(), 256),
        (1, 24, b"".join(struct.pack("<i", int(x) << 8)[:3] for x in sine(8_000)), 0),
        (1, 32, (sine(8_000).astype("<i4") << 16).tobytes(), 0),
        (3, 32, (sine(8_000) / 32_767).astype("<f4").tobytes(), 1),
        (6, 8, g711.encode(sine(8_000), g711.A_LAW), 300),
        (7, 8, g711.encode(sine(8_000), g711.MU_LAW), 300),
    ],
)
def test_formats(kind: int, bits: int, body: bytes, tolerance: int) -> None:
    samples, rate = wav.decode_wav(file(kind, 1, bits, 8_000, body))
    assert rate == 8_000
    assert close_to(samples, sine(8_000), tolerance)


def test_stereo_becomes_its_mean() -> None:
    both = np.stack([sine(8_000), sine(8_000) // 2], axis=1).astype("<i2")
    samples, _ = wav.decode_wav(file(1, 2, 16, 8_000, both.tobytes()))
    assert close_to(samples, np.rint(both.mean(axis=1)).astype(np.int16), 1)


def test_extensible_headers_and_other_chunks() -> None:
    body = sine(8_000).tobytes()
    layout = struct.pack("<HHIIHHHHI", 0xFFFE, 1, 8_000, 16_000, 2, 16, 22, 16, 4) + struct.pack("<H", 1) + bytes(14)
    content = b"RIFF\0\0\0\0WAVE" + b"LIST" + struct.pack("<I", 3) + b"abc\0"
    content += b"fmt " + struct.pack("<I", len(layout)) + layout + b"data" + struct.pack("<I", len(body)) + body
    assert np.array_equal(wav.decode_wav(content)[0], sine(8_000))


def test_a_cut_file_gives_what_there_is() -> None:
    content = file(1, 1, 16, 8_000, sine(8_000).tobytes())[:1_045]
    assert wav.decode_wav(content)[0].size == 500


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a WAV"), (b"ID3" + bytes(50), "not a WAV"), (b"RIFF\0\0\0\0WAVE", "no audio"),
        (b"RIFF\0\0\0\0WAVEdata\x02\0\0\0ab", "before its format"),
        (b"RIFF\0\0\0\0WAVEfmt \x04\0\0\0abcd", "cut short"),
        (file(2, 1, 4, 8_000, b"abc"), "format 2 with 4 bits"), (file(1, 0, 16, 8_000, b""), "make no sense"),
        (file(1, 1, 16, 7, b""), "make no sense"),
    ],
)
def test_what_is_no_usable_file_says_why(content: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words):
        wav.decode_wav(content)
    (tmp_path / "bad.wav").write_bytes(content)
    with pytest.raises(SiteError, match=r"bad\.wav.*save it as 16-bit PCM"):
        wav.read_wav(tmp_path / "bad.wav")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match=r"gone\.wav"):
        wav.read_wav(tmp_path / "gone.wav")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=120), st.booleans())
def test_any_bytes_are_read_or_refused_in_words(data: bytes, framed: bool) -> None:
    content = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + data if framed else data
    try:
        samples, rate = wav.decode_wav(content)
    except ValueError as error:
        assert str(error)
    else:
        assert samples.dtype == np.int16 and 1_000 <= rate <= 384_000


def test_law_files(tmp_path: Path) -> None:
    octets = g711.encode(sine(8_000), g711.A_LAW)
    wav.write_law_wav(tmp_path / "a.wav", octets, g711.A_LAW)
    assert np.array_equal(wav.read_wav(tmp_path / "a.wav"), g711.decode(octets, g711.A_LAW))


def test_a_growing_file_is_valid_after_every_append(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "call.wav"
    writer = wav.WavWriter(path)
    for count in (0, 160, 480):
        with wave.open(str(path)) as stream:
            assert stream.getnframes() == count
        writer.append(bytes(4 * (160 if count == 0 else 320)))
    writer.close()
    assert writer.frames == 800


def test_a_process_that_dies_leaves_a_valid_file(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    child = os.fork()
    if child == 0:
        writer = wav.WavWriter(path)
        writer.append(sine(8_000).tobytes())
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    with wave.open(str(path)) as stream:
        assert stream.getnframes() == 1_600


@pytest.mark.parametrize("torn", [0, 1, 3])
def test_a_recording_goes_on_in_its_file(tmp_path: Path, torn: int) -> None:
    path = tmp_path / "r.wav"
    first = wav.WavWriter(path)
    first.append(b"\1\0\2\0" * 80)
    first.close()
    with path.open("ab") as file:
        file.write(b"\7" * torn)  # the kill came in the middle of a frame
    again = wav.WavWriter(path, go_on=True)
    assert again.frames == 80
    again.append(b"\3\0\4\0" * 40)
    again.close()
    with wave.open(str(path)) as found:
        assert found.getnframes() == 120 and found.readframes(120) == b"\1\0\2\0" * 80 + b"\3\0\4\0" * 40


@pytest.mark.parametrize("content", [None, b"", b"RIFF half"])
def test_a_recording_whose_file_is_gone_or_never_began_is_made_anew(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "r.wav"
    if content is not None:
        path.write_bytes(content)
    again = wav.WavWriter(path, go_on=True)
    again.append(b"\3\0\4\0" * 40)
    again.close()
    with wave.open(str(path)) as found:
        assert found.getnframes() == 40

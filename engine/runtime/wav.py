"""WAV files: reading what admins drop in, writing recordings that stay valid whatever happens to the process.

Read: PCM 8, 16, 24 and 32 bits, float 32, A-law and µ-law, any number of tracks (the mean is taken), any rate
(resampled to 8 kHz by `media.resample`). Written: 16-bit PCM, or one law's bytes.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from engine.errors import SiteError
from engine.media import g711
from engine.media.resample import resample

RATE = 8_000
_PCM, _FLOAT, _A_LAW, _MU_LAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_BYTES_MAX = 512_000_000
Samples = npt.NDArray[np.int16]


def read_wav(path: Path) -> Samples:
    """The file as 8 kHz mono int16; raises SiteError naming the file and what to do about it."""
    try:
        if path.stat().st_size > _BYTES_MAX:
            raise SiteError(f"{path}: larger than {_BYTES_MAX} bytes; split it")
        content = path.read_bytes()
    except OSError as error:
        raise SiteError(f"{path}: {error.strerror or error}") from error
    try:
        samples, rate = decode_wav(content)
    except ValueError as error:
        raise SiteError(f"{path}: {error}; save it as 16-bit PCM WAV, mono, 8 or 16 kHz") from error
    return resample(samples, rate, RATE)


def read_caller(path: Path) -> Samples:
    """The left side of one of our recordings: what the caller said. Raises SiteError naming the file."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SiteError(f"{path}: {error.strerror or error}") from error
    body = content[HEADER_BYTES:]
    if content[:4] != b"RIFF" or content[22:24] != b"\x02\x00" or content[34:36] != b"\x10\x00":
        raise SiteError(f"{path}: no recording of ours")
    return np.frombuffer(body[: len(body) // 4 * 4], "<i2").reshape(-1, 2)[:, 0].copy()


def write_caller(path: Path, goal: Path) -> None:
    """The same as a file of its own, mono. Raises SiteError, OSError."""
    write_wav(goal, read_caller(path))


def decode_wav(content: bytes) -> tuple[Samples, int]:
    """(mono int16 samples, rate in Hz) of a WAV file's bytes; raises ValueError in words."""
    if len(content) < 12 or content[:4] not in (b"RIFF", b"RF64") or content[8:12] != b"WAVE":
        raise ValueError("not a WAV file")
    layout: tuple[int, int, int, int] | None = None
    at = 12
    while at + 8 <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        body = content[at + 8 : at + 8 + size]  # a size beyond the file (a cut recording) is what there is
        if name == b"fmt ":
            layout = _layout(body)
        elif name == b"data":
            if layout is None:
                raise ValueError("its data comes before its format")
            return _mono(body, *layout[:3]), layout[3]
        at += 8 + size + (size & 1)
    raise ValueError("it holds no audio data")


def _layout(body: bytes) -> tuple[int, int, int, int]:
    """(format, tracks, bits a sample, rate) of a fmt chunk."""
    if len(body) < 16:
        raise ValueError("its format is cut short")
    kind, tracks, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
    if kind == _EXTENSIBLE and len(body) >= 26:
        kind = int.from_bytes(body[24:26], "little")
    if not 1 <= tracks <= 16 or not 1_000 <= rate <= 384_000:
        raise ValueError(f"{tracks} tracks at {rate} Hz make no sense")
    return kind, tracks, bits, rate


def _mono(body: bytes, kind: int, tracks: int, bits: int) -> Samples:
    width = {(_PCM, 8): 1, (_PCM, 16): 2, (_PCM, 24): 3, (_PCM, 32): 4, (_FLOAT, 32): 4, (_A_LAW, 8): 1,
             (_MU_LAW, 8): 1}.get((kind, bits))
    if width is None:
        raise ValueError(f"format {kind} with {bits} bits isn't supported")
    body = body[: len(body) // (width * tracks) * width * tracks]
    if kind in (_A_LAW, _MU_LAW):
        flat = g711.decode(body, g711.A_LAW if kind == _A_LAW else g711.MU_LAW).astype(np.float64)
    elif kind == _FLOAT:
        flat = np.nan_to_num(np.frombuffer(body, "<f4").astype(np.float64)) * 32_767
    elif width == 1:
        flat = (np.frombuffer(body, np.uint8).astype(np.float64) - 128) * 256
    elif width == 3:
        octets = np.frombuffer(body, np.uint8).reshape(-1, 3).astype(np.int32)
        flat = ((octets[:, 0] << 8 | octets[:, 1] << 16 | octets[:, 2] << 24) >> 16).astype(np.float64)
    else:
        flat = np.frombuffer(body, "<i2" if width == 2 else "<i4").astype(np.float64) / (1 if width == 2 else 65_536)
    mean = flat.reshape(-1, tracks).mean(axis=1) if tracks > 1 else flat
    return np.clip(np.rint(mean), -32_768, 32_767).astype(np.int16)


def header(kind: int, tracks: int, bits: int, rate: int, data_bytes: int) -> bytes:
    """The 44 bytes before the data of a WAV file."""
    frame = tracks * bits // 8
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + data_bytes, b"WAVE", b"fmt ", 16, kind, tracks, rate, rate * frame, frame,
        bits, b"data", data_bytes,
    )


def write_wav(path: Path, samples: Samples, rate: int = RATE) -> None:
    """Write mono int16 samples, or (n, 2) for stereo, as 16-bit PCM."""
    tracks = 1 if samples.ndim == 1 else samples.shape[1]
    body = samples.astype("<i2").tobytes()
    path.write_bytes(header(_PCM, tracks, 16, rate, len(body)) + body)


def write_law_wav(path: Path, octets: bytes, law: int) -> None:
    """Write bytes of a law at 8 kHz, mono, as they are."""
    path.write_bytes(header(_A_LAW if law == g711.A_LAW else _MU_LAW, 1, 8, RATE, len(octets)) + octets)


HEADER_BYTES = 44


class WavWriter:
    """A growing stereo 16-bit 8 kHz WAV whose header is right after every `append`, so a crash costs no more than
    what wasn't appended yet. Raises OSError where the file system does."""

    def __init__(self, path: Path, tracks: int = 2, *, go_on: bool = False) -> None:
        """`go_on`: append to a file of the same shape that a process before us left; it is made anew when it isn't."""
        self._tracks = tracks
        self.frames = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        if go_on and path.exists() and path.stat().st_size > HEADER_BYTES:
            self._file: BinaryIO = path.open("r+b")
            self.frames = (path.stat().st_size - HEADER_BYTES) // (2 * tracks)
            self._file.truncate(HEADER_BYTES + self.frames * 2 * tracks)
            return
        self._file = path.open("wb")
        self._file.write(header(_PCM, tracks, 16, RATE, 0))
        self._file.flush()

    def append(self, interleaved: bytes) -> None:
        """Add whole frames of little-endian int16: the data first, the header's sizes after."""
        file = self._file
        file.seek(0, 2)
        file.write(interleaved)
        file.flush()
        self.frames += len(interleaved) // (2 * self._tracks)
        size = self.frames * 2 * self._tracks
        file.seek(0)
        file.write(header(_PCM, self._tracks, 16, RATE, size))
        file.flush()

    def close(self) -> None:
        """Close the file; it is complete."""
        self._file.close()

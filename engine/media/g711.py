"""G.711 as tables: both laws exactly as the Recommendation's, for 16-bit samples.

Law 0 is µ-law (PCMU), law 1 A-law (PCMA). Silence is 0xFF and 0xD5. Encoding a decoded byte gives the byte back,
except µ-law 0x7F, negative zero, which becomes 0xFF.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.media.commands import PCMA, PCMU

MU_LAW, A_LAW = 0, 1
SILENCE = (0xFF, 0xD5)
Samples = npt.NDArray[np.int16]
Octets = npt.NDArray[np.uint8]

_MU_BIAS = 132  # 33 of the Recommendation's 14-bit scale
_MU_CLIP = 32_635


def law_of(codec: int) -> int:
    """The law of a codec number; anything but PCMA counts as µ-law."""
    return A_LAW if codec == PCMA else MU_LAW


def codec_of(law: int) -> int:
    """The codec number of a law."""
    return PCMA if law == A_LAW else PCMU


def decode_tables() -> Samples:
    """int16[2, 256]: the sample of each byte, per law."""
    octets = np.arange(256)
    mu = ~octets & 0xFF
    magnitude = (((mu & 0x0F) << 3) + _MU_BIAS << ((mu & 0x70) >> 4)) - _MU_BIAS
    mu_samples = np.where(mu & 0x80, -magnitude, magnitude)
    a = octets ^ 0x55
    segment, step = (a & 0x70) >> 4, (a & 0x0F) << 4
    magnitude = np.where(segment == 0, step + 8, (step + 0x108) << np.maximum(segment - 1, 0))
    a_samples = np.where(a & 0x80, magnitude, -magnitude)
    return np.stack([mu_samples, a_samples]).astype(np.int16)


def _segment(magnitude: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Which of the eight segments holds a magnitude: the first lies below 256, each further one is twice as long."""
    return np.searchsorted(256 << np.arange(7), magnitude, side="right").astype(np.int64)


def encode_tables() -> Octets:
    """uint8[2, 65536]: the byte of each sample, per law; the index is the sample & 0xFFFF."""
    samples = np.arange(65_536).astype(np.uint16).astype(np.int16).astype(np.int64)
    magnitude = np.minimum(np.abs(samples), _MU_CLIP) + _MU_BIAS
    segment = _segment(magnitude)
    mu = (segment << 4) | ((magnitude >> (segment + 3)) & 0x0F) | np.where(samples < 0, 0x80, 0)
    # A-law has no zero: negative samples are shifted by one so that both signs have equal steps
    magnitude = np.minimum(np.where(samples < 0, -samples - 1, samples), 32_767)
    segment = _segment(magnitude)
    a = (segment << 4) | ((magnitude >> np.maximum(segment + 3, 4)) & 0x0F) | np.where(samples < 0, 0, 0x80)
    return np.stack([~mu & 0xFF, (a ^ 0x55) & 0xFF]).astype(np.uint8)


def cross_tables() -> Octets:
    """uint8[2, 256]: row 0 turns µ-law bytes into A-law, row 1 A-law into µ-law."""
    decode, encode = decode_tables(), encode_tables()
    return np.stack([encode[A_LAW][decode[MU_LAW].astype(np.uint16)], encode[MU_LAW][decode[A_LAW].astype(np.uint16)]])


_DECODE = decode_tables()
_ENCODE = encode_tables()


def encode(samples: Samples, law: int) -> bytes:
    """The bytes of int16 samples in a law."""
    return bytes(_ENCODE[law][samples.astype(np.uint16)].tobytes())


def decode(octets: bytes, law: int) -> Samples:
    """The int16 samples of bytes in a law."""
    samples: Samples = _DECODE[law][np.frombuffer(octets, np.uint8)]
    return samples

"""Wideband with phones that are not ours: baresip (spandsp's G.722, L16) and linphone; and G.722 itself, bit by bit.

What each party says has a tone below 4 kHz and one above: the upper one is heard where both ends and the engine between
them kept the wide band, and only there.
"""

from __future__ import annotations

import ctypes
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import listening
import numpy as np
import pytest
from harness.baresip import Baresip
from harness.children import until
from harness.linphone import Linphone
from harness.server import Engine

from engine.media import g722
from tools import peer_packages

WIDE = 16_000
TONES = {"caller": (1_000, 6_000), "agent": (1_500, 5_200)}  # (lower, upper) Hz
LEVEL = 6_000.0
G722, L16, PCMU = "G722/16000/1", "L16/16000/1", "pcmu/8000/1"
NUMBERS = "numbers:\n  8203: {dialplan: interop, public: yes}\n"
DIALPLAN = """\
ringdown: 1
about: 8203 rings agent 203.
entry: ring

flows:
  ring:
    - dial: {to: 203, ring: 20s, failed: over}
    - hangup: served
  over:
    - hangup: failed
"""


@pytest.fixture(scope="module")
def wide() -> Iterator[Engine]:
    """The demo site, whose phones may speak wideband."""
    edits = {"site.yaml": ("numbers:\n", "codecs: [G722, L16/16000, PCMU, PCMA]\n" + NUMBERS)}
    with Engine(edits=edits, extra=DIALPLAN) as running:
        yield running


def said(who: str, seconds: float = 8.0, rate: int = WIDE) -> np.ndarray:
    """Both tones, or the lower one alone where the rate has no room for the upper."""
    place = np.arange(int(seconds * rate)) / rate
    return sum(LEVEL * np.sin(2 * np.pi * hertz * place) for hertz in TONES[who] if 2 * hertz < rate)


def amounts(samples: np.ndarray, who: str, rate: int = WIDE) -> tuple[float, float]:
    """Levels in dB against what was said, of the lower and the upper tone, in the best half second of the sound."""
    best = (-100.0, -100.0)
    half = rate // 2
    for first in range(0, max(samples.size - half, 0), half // 2):
        part = samples[first : first + half] * np.hanning(half) * 2
        place = np.arange(half) / rate
        found = [abs(part @ np.exp(-2j * np.pi * hertz * place)) * 2 / half / LEVEL for hertz in TONES[who]]
        best = max(best, (20 * np.log10(found[0] + 1e-6), 20 * np.log10(found[1] + 1e-6)))
    return best


def judge(samples: np.ndarray, who: str, *, upper: bool, rate: int = WIDE, gain_db: float = 0.0) -> None:
    """`gain_db`: what the phone itself adds."""
    low, high = amounts(samples, who, rate)
    print(f"{who} is heard at {low:.1f} dB, his upper band at {high:.1f} dB")
    assert abs(low - gain_db) < 1.0, (low, high)
    assert not upper or abs(high - gain_db) < 2.0, (low, high)
    assert upper or rate < WIDE or high < -35, (low, high)


@pytest.mark.parametrize(("caller_codec", "agent_codec", "upper"), [
    (G722, G722, True), (G722, PCMU, False), (L16, G722, True),
])  # fmt: skip
def test_two_phones_hear_each_other(
    wide: Engine, tmp_path: Path, caller_codec: str, agent_codec: str, upper: bool
) -> None:
    words, rate = wide.passwords(), WIDE if upper else listening.RATE
    with Baresip(
        tmp_path, wide.address, "203", words["203"], microphone=said("agent", rate=rate), codec=agent_codec, rate=rate,
        auto_answer=True,
    ) as agent, Baresip(
        tmp_path, wide.address, "stranger", microphone=said("caller"), codec=caller_codec, rate=WIDE, register=False
    ) as caller:  # fmt: skip
        agent.registered()
        caller.dial("8203")
        agent.wait_event("CALL_ESTABLISHED", 8)
        caller.wait_event("CALL_ESTABLISHED", 8)
        time.sleep(2.5)
        at_agent, at_caller = agent.heard()[-2 * rate :], caller.heard()[-2 * WIDE :]
        caller.command("hangup")
        judge(at_agent, "caller", upper=upper, rate=rate)
        judge(at_caller, "agent", upper=upper)
        until(lambda: not wide.ask("calls"), 6, what="the end of the call")


def test_linphone_speaks_g722(wide: Engine, tmp_path: Path) -> None:
    """linphone as the agent, G.722 its only codec; it plays a file and records what it hears.

    Its G.722 halves what it sends and doubles what it hears, against the Recommendation's scale and everybody else's.
    """
    words = wide.passwords()
    microphone = listening.write_wav(tmp_path / "agent.wav", said("agent", 12.0), rate=WIDE)
    with Linphone(tmp_path, wide.address, "203", words["203"]) as agent, Baresip(
        tmp_path, wide.address, "stranger", microphone=said("caller"), codec=G722, rate=WIDE, register=False
    ) as caller:  # fmt: skip
        agent.say("codec disable all")
        agent.say("codec enable 6")
        agent.say("codec list")
        agent.child.wait_for(r"G722 \(8000\) enabled", 5)
        until(lambda: wide.agent("203")["reachable"], 10, what="203 can be reached")
        caller.dial("8203")
        agent.answer(1)
        agent.say(f"play {microphone}")
        agent.say(f"record {tmp_path / 'heard.wav'}")
        time.sleep(3)
        judge(caller.heard()[-2 * WIDE :], "agent", upper=True, gain_db=-6.0)
        caller.command("hangup")
        until(lambda: not wide.ask("calls"), 6, what="the end of the call")
    judge(_wav(tmp_path / "heard.wav"), "caller", upper=True, gain_db=6.0)


def _wav(path: Path) -> np.ndarray:
    import wave

    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (WIDE, 1, 2)
    content = path.read_bytes()
    return np.frombuffer(content[44 : len(content) // 2 * 2], "<i2").astype(float)


# --- bit by bit -----------------------------------------------------------------------------------------
def _signals() -> dict[str, np.ndarray]:
    chance = np.random.default_rng(722)
    place = np.arange(4 * WIDE) / WIDE
    return {
        "loud noise": chance.integers(-32_768, 32_768, place.size).astype(np.int16),
        "soft noise": chance.normal(0, 300, place.size).astype(np.int16),
        "sweep": (30_000 * np.sin(2 * np.pi * (50 + 900 * place) * place)).astype(np.int16),
        "square": (np.sign(np.sin(2 * np.pi * 200 * place)) * 32_767).astype(np.int16),
        "speech": np.repeat(listening.chirps(1, 2.0), 2)[: place.size].astype(np.int16),
        "nothing": np.zeros(place.size, np.int16),
    }


class Spandsp:
    """The library behind baresip's G.722."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL("libspandsp.so.2")
        for name in ("g722_encode_init", "g722_decode_init"):
            function = getattr(self.library, name)
            function.restype, function.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
        for name in ("g722_encode", "g722_decode"):
            getattr(self.library, name).argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]

    def encode(self, samples: np.ndarray) -> bytes:
        state, target = self.library.g722_encode_init(None, 64_000, 0), np.zeros(samples.size // 2, np.uint8)
        assert self.library.g722_encode(state, target.ctypes.data, samples.ctypes.data, samples.size) == target.size
        return target.tobytes()

    def decode(self, octets: bytes) -> np.ndarray:
        source, target = np.frombuffer(octets, np.uint8).copy(), np.zeros(2 * len(octets), np.int16)
        state = self.library.g722_decode_init(None, 64_000, 0)
        assert self.library.g722_decode(state, target.ctypes.data, source.ctypes.data, source.size) == target.size
        return target


def _ffmpeg(data: bytes, *arguments: str) -> bytes:
    (program,) = peer_packages.folder().glob("imageio_ffmpeg/binaries/ffmpeg-linux-*")
    command = [str(program), "-v", "error", *arguments, "-"]
    return subprocess.run(command, input=data, capture_output=True, check=True, timeout=20).stdout


@pytest.mark.parametrize("name", _signals())
def test_g722_is_what_two_others_make_of_it(name: str) -> None:
    """Coder and decoder against spandsp's and ffmpeg's, over full scale too. (spandsp's decoder lets what is beyond
    full scale wrap around; there it is compared modulo 2**16, the Recommendation's limit being ours and ffmpeg's.)"""
    samples = _signals()[name]
    octets, other = g722.encoded(samples), Spandsp()
    assert octets == other.encode(samples)
    raw = ("-f", "s16le", "-ar", "16000", "-ac", "1", "-i", "-")
    assert octets == _ffmpeg(samples.tobytes(), *raw, "-c:a", "g722", "-f", "g722")[: len(octets)]
    heard, theirs = g722.decoded(octets), other.decode(octets)
    beyond = (heard == 32_767) | (heard == -32_768)
    assert np.array_equal(heard[~beyond], theirs[~beyond])
    wanted = np.frombuffer(_ffmpeg(octets, "-f", "g722", "-i", "-", "-f", "s16le"), np.int16)
    assert np.array_equal(heard[: wanted.size], wanted) and wanted.size >= heard.size - 2_048

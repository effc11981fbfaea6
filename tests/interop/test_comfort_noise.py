"""Comfort noise (RFC 3389) from others: linphone describes its silence, SIPp plays what ffmpeg said of a noise.

Whoever is at the far end hears noise of that level without a gap, though nothing comes from the caller meanwhile.
"""

from __future__ import annotations

import itertools
import struct
import time
from pathlib import Path

import listening
import numpy as np
from harness import foreign
from harness.baresip import Baresip
from harness.linphone import Linphone
from harness.server import Engine
from harness.sipp import run
from harness.wire import Wire

RATE = listening.RATE
FULL = 32_767.0  # 0 dBov
CN = 13


def dbov(samples: np.ndarray) -> float:
    return 20 * float(np.log10(max(np.sqrt(np.mean(np.asarray(samples, float) ** 2)), 1e-3) / FULL))


def frames(samples: np.ndarray) -> np.ndarray:
    """Levels of 20 ms each."""
    whole = samples[: samples.size // 160 * 160].reshape(-1, 160)
    return np.array([dbov(each) for each in whole])


def noise(level_dbov: float, seconds: float) -> np.ndarray:
    return np.random.default_rng(3389).normal(0, FULL * 10 ** (level_dbov / 20), int(seconds * RATE))


def test_linphones_silence_is_heard_as_noise(engine: Engine, tmp_path: Path) -> None:
    """A syllable each 0.8 s in a room of -41 dBov; by linphone's own measure, which its packets say, -46."""
    words = engine.passwords()
    room = noise(-41.0, 12.0)
    for number in range(15):
        begin = number * RATE * 8 // 10
        room[begin : begin + RATE // 4] += listening.chirps(number, 0.25)
    microphone = listening.write_wav(tmp_path / "room.wav", room)
    with Wire() as wire, Linphone(tmp_path, engine.address, "201", words["201"], noise=True) as caller, Baresip(
        tmp_path, engine.address, "203", words["203"], auto_answer=True
    ) as agent:  # fmt: skip
        agent.registered()
        caller.say("codec disable all")
        caller.say("codec enable 3")
        caller.child.wait_for(r"3: PCMU \(8000\) enabled|PCMU.*enabled", 5)
        caller.call("203")
        caller.child.wait_for(r"Call 1 with .* connected", 10)
        caller.say(f"play {microphone}")
        time.sleep(5.0)
        agent.command("hangup")
    (said,), (there,) = wire.streams(source=caller.rtp), wire.streams(to=agent.rtp)
    pauses = [(a, b) for a, b in itertools.pairwise(said) if a.kind == CN and b.at - a.at > 0.15]
    pauses = [(a, b) for a, b in pauses if abs(a.payload[0] - 46) < 3]  # before its room is heard it says -102
    assert pauses, [(round(each.at, 2), each.payload[0]) for each in said if each.kind == CN]
    levels = []
    for packet, after in pauses:
        sent = [one for one in there if packet.at + 0.03 < one.at < after.at]
        levels.append((packet.payload[0], dbov(listening.decode(b"".join(one.payload for one in sent), 0))))
    seconds = sum(after.at - packet.at for packet, after in pauses)
    print(f"linphone was silent for {seconds:.2f} s: " + ", ".join(f"-{a} said, {b:.1f} dBov heard" for a, b in levels))
    assert all(abs(heard + level) < 1.5 for level, heard in levels), levels
    begun = [each.at for each in there if each.at > pauses[0][0].at]
    assert max(b - a for a, b in itertools.pairwise(begun)) < 0.15


# --- ffmpeg's descriptions --------------------------------------------------------------------------------------------
def described(samples: np.ndarray) -> list[bytes]:
    """What ffmpeg's coder says about each 80 ms: a level and ten reflection coefficients."""
    raw = np.clip(np.rint(samples), -32_768, 32_767).astype("<i2").tobytes()
    source = ("-f", "s16le", "-ar", "8000", "-ac", "1", "-i", "-")
    data = foreign.ffmpeg(raw, *source, "-c:a", "comfortnoise", "-f", "data", "-map", "0:a")
    assert len(data) >= 11 and len(data) % 11 == 0, len(data)
    return [data[place : place + 11] for place in range(0, len(data), 11)]


def capture(path: Path, packets: list[tuple[float, int, int, bytes]]) -> Path:
    """A pcap of RTP packets: (second, payload type, timestamp, payload). SIPp puts its own addresses into them."""
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)]
    for number, (at, kind, stamp, payload) in enumerate(packets):
        rtp = struct.pack("!BBHII", 0x80, kind, number + 1, stamp, 0x3389) + payload
        udp = struct.pack("!HHHH", 6_000, 6_000, 8 + len(rtp), 0) + rtp
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1") + udp
        frame = b"\0" * 12 + b"\x08\0" + ip
        parts.append(struct.pack("<IIII", int(at), round(at % 1 * 1e6), len(frame), len(frame)) + frame)
    path.write_bytes(b"".join(parts))
    return path


def test_ffmpegs_description_sounds_as_ffmpeg_has_it(engine: Engine, tmp_path: Path) -> None:
    """Speech, two seconds of which only two packets tell, speech: level and colour as in the noise that was described,
    at baresip's speaker."""
    white = noise(-36.0, 1.0)
    rumble = np.convolve(white, np.ones(6) / 6, "same") * np.sqrt(6)  # most of it below 1 kHz
    payloads = described(rumble)
    speech = listening.encode(listening.chirps(5, 0.8), 8)
    packets = [(n * 0.02, 8, n * 160, speech[n * 160 : n * 160 + 160]) for n in range(40)]
    packets += [(0.8 + n, CN, 6_400 + n * 8_000, payloads[4 + n]) for n in range(2)]
    packets += [(2.8 + n * 0.02, 8, 22_400 + n * 160, speech[n * 160 : n * 160 + 160]) for n in range(40)]
    keys = {"audio": str(capture(tmp_path / "noise.pcap", packets))}
    with Baresip(tmp_path, engine.address, "203", engine.passwords()["203"], auto_answer=True, codec="pcma") as agent:
        agent.registered()
        mark = agent.mark()
        run(tmp_path, "uac_comfort_noise.xml", engine.address, "8203", keys=keys, seconds=15).check()
        heard = agent.heard()[mark:]
    spoken = listening.pieces(listening.chirps(5, 0.8), heard, seconds=0.8)[0]
    assert spoken.score > 0.9, spoken
    begins = [round(place * RATE) for place in places(listening.chirps(5, 0.8), heard)]
    assert len(begins) == 2, begins
    between = heard[begins[0] + round(0.9 * RATE) : begins[1] - round(0.1 * RATE)]
    levels = frames(between)
    print(f"{between.size / RATE:.2f} s between, {dbov(between):.1f} dBov of {dbov(rumble):.1f}, "
          f"softest {levels.min():.1f}, low bands {lowness(between):.1f} dB of {lowness(rumble):.1f}")  # fmt: skip
    assert between.size / RATE > 1.6 and np.mean(levels < dbov(rumble) - 12) < 0.05
    assert abs(dbov(between) - dbov(rumble)) < 2.0
    assert abs(lowness(between) - lowness(rumble)) < 3.0


def lowness(samples: np.ndarray) -> float:
    """How much louder what lies below 1 kHz is than what lies above, in dB."""
    power = np.abs(np.fft.rfft(np.asarray(samples, float))) ** 2
    edge = power.size // 4
    return 10 * float(np.log10(power[:edge].sum() / power[edge:].sum()))


def places(sound: np.ndarray, heard: np.ndarray) -> list[float]:
    """Where `sound` begins in the two halves of what was heard, in seconds."""
    first = listening.align(sound, heard).delay_s
    rest = heard.copy()
    begin = max(0, round(first * RATE))
    rest[begin : begin + sound.size] = 0
    second = listening.align(sound, rest)
    return sorted([first, second.delay_s]) if second.score > 0.5 else [first]

"""Hostile packets against every kind of leg: `python tests/media/fuzz.py PACKETS SEED`, exit status 0 if all is well.

Run under NUMBA_DISABLE_JIT=1 (plain Python finds every wrong index and type) and NUMBA_BOUNDSCHECK=1 (compiled code
does) by test_fuzz.py. Guard rows around the legs must stay as they were.
"""

from __future__ import annotations

import random
import struct
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.media import columns as c
from engine.media import control, ears, mouths
from tests.media.rig import FAR, Rig, rtp, tone

ROWS = (2, 3, 4, 5, 7, 8, 10, 13, 14, 15)
GUARDS = (0, 1, 6, 9, 11, 12, 16)
EARS = np.arange(4)
HEARD = np.zeros((9, c.EAR_WORDS), np.int16)
TYPES = (0, 8, 101, 13, 18, 127)


def furnished() -> Rig:
    """Bridges with equal and with different frames and laws, a mix, an echo, a recorded play, a leg on hold."""
    rig = Rig()
    rig.clip(1, tone(0.3))
    for row, frame_ms, codec in ((2, 20, 0), (3, 20, 8), (4, 30, 0), (5, 60, 8), (7, 20, 0), (8, 10, 0), (10, 20, 0)):
        rig.leg(row, frame_ms_out=frame_ms, codec_out=codec, payload_type_out=codec)
    rig.bridge(2, 3)
    rig.bridge(4, 5)
    rig.apply(control.ECHO, 7, 1)
    rig.play(1, row=8, flags=control.FLAG_LOOP | control.FLAG_STOP_ON_DIGIT)
    rig.apply(control.START_TAP, 8, 1, 0)
    rig.apply(control.START_TAP, 3, 1, 1)
    for ear, row in enumerate((2, 4, 4, 8)):
        rig.apply(control.START_EAR, row, 1, ear, ear)
    rig.apply(control.START_MOUTH, 14, 1, 0, 0)
    rig.set(10, send=False, receive=False)
    for row in (13, 14, 15):
        rig.leg(row, frame_ms_out=10 * (row - 11), codec_out=8 * (row & 1), payload_type_out=8 * (row & 1))
    rig.mix((13, (14, 15)), (14, (13, 15)), (15, (13, 14)))
    return rig


def hostile(chance: random.Random, number: int) -> bytes:
    """Noise, or a plausible packet bent somewhere."""
    kind = chance.randrange(10)
    if kind == 0:
        return chance.randbytes(chance.choice((0, 1, 2, 11, 12, 13, 40, 172, 1_500, 1_600)))
    payload_type = chance.choice(TYPES)
    if payload_type == 101:
        body = struct.pack(">BBH", chance.randrange(20), chance.randrange(256), chance.randrange(65_536))
        body = body[: chance.choice((4, 4, 4, 3, 0))]
    else:
        body = chance.randbytes(chance.choice((160, 160, 160, 80, 240, 320, 480, 1, 0, 159, 960, 961, 1_480)))
    sequence = number + chance.choice((0, 0, 0, 0, 1, -1, 5, -70, 4_000, 30_000))
    timestamp = number * 160 + chance.choice((0, 0, 0, 0, 160, -160, 3_000, -9_000, 2**31, 2**32 - 1))
    packet = bytearray(rtp(sequence, timestamp, body, ssrc=chance.choice((1, 1, 1, 1, 2, 2**32 - 1)),
                           payload_type=payload_type, marker=chance.randrange(2)))
    if kind < 4:
        packet[0] ^= 1 << chance.randrange(8)  # version, padding, extension, CSRC count
    if kind == 4:
        del packet[chance.randrange(len(packet)) :]
    if kind == 5:
        packet[chance.randrange(len(packet))] = chance.randrange(256)
    return bytes(packet)


def hostile_report(chance: random.Random) -> bytes:
    """RTCP whose parts' lengths, counts and kinds need not fit what they hold."""
    parts = []
    for _ in range(chance.randrange(1, 4)):
        body = chance.randbytes(4 * chance.choice((0, 1, 5, 6, 7, 12, 30)))
        words = len(body) // 4 + chance.choice((0, 0, 0, 0, 1, -1, 400))
        kind = chance.choice((200, 201, 201, 202, 203, 207, 255))
        parts.append(struct.pack(">BBH", chance.choice((0x80, 0x81, 0x9F, 0xA1, 0x41)), kind, words & 0xFFFF) + body)
    return b"".join(parts)


def run(packets: int, seed: int) -> None:
    chance = random.Random(seed)
    rig = furnished()
    guards = {row: rig.plane.legs[row].copy() for row in GUARDS}
    for number in range(packets):
        row = chance.choice(ROWS)
        host = chance.choice((FAR, FAR, FAR, FAR, "198.51.100.9", "2001:db8::1"))
        rig.receive(hostile(chance, number), row, host=host, port=chance.choice((4_000 + row, 4_000 + row, 7)))
        if number % 3 == 0:
            rig.receive_report(hostile_report(chance), row, host=host)
        if number % 4 == 0:
            rig.tick(1, fine=True)
        if number % 7 == 0:
            mouths.push(rig.plane.mouth_samples[0], rig.plane.mouth_shared[0], tone(0.05), 0)
            ears.drain(rig.plane.ear_frames, rig.plane.ear_shared, EARS, chance.randrange(5), HEARD)
        if number % 89 == 0:
            rig.apply(control.START_MOUTH, 14, 1, 0, 0)
            rig.apply(control.CLEAR_MOUTH, 14, 1, 0, chance.randrange(1 << chance.randrange(1, 40)))
        if number % 97 == 0:
            rig.digits("5#", row=chance.choice(ROWS), on_ms=40, gap_ms=40)
        if number % 61 == 0:
            rig.set(chance.choice(ROWS), frame_ms_out=chance.choice((10, 20, 30, 40, 60)))
        if number % 151 == 0:
            heard = [tuple(other for other in (2, 13, 14, 15) if chance.random() < 0.6) for _ in range(4)]
            rig.mix((13, heard[0]), (14, heard[1]), (15, heard[2]), (2, heard[3]))
        if number % 203 == 0:
            rig.play(1, row=8, flags=control.FLAG_LOOP | control.FLAG_STOP_ON_DIGIT)
            rig.bridge(2, 3)
            rig.bridge(4, 5)
        rig.sent.clear()
        rig.events.clear()
        rig.raw.clear()
    for row, before in guards.items():
        assert (rig.plane.legs[row] == before).all(), row
    for row in ROWS:
        rig.apply(control.CLOSE_LEG, row, 1)
    rig.tick(2)
    assert rig.plane.counters[c.ACTIVE] == 0
    assert rig.plane.counters[c.FREE_SLOTS] == c.SLOTS
    assert rig.plane.counters[c.TAPS_RUNNING] == 0
    assert rig.plane.counters[c.MIXES_RUNNING] == 0
    assert rig.plane.counters[c.EARS_RUNNING] == 0
    assert (rig.plane.legs[:, c.MOUTH] <= 0).all()
    assert not rig.plane.mixes.any()


if __name__ == "__main__":
    run(int(sys.argv[1]), int(sys.argv[2]))

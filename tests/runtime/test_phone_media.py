"""Two test phones facing each other."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Callable

import numpy as np
import pytest

from engine.media import g711
from engine.runtime.phone_media import PhoneMedia
from engine.sdp.negotiation import Agreed

SAID = np.rint(9_000 * np.sin(np.arange(3_200) * 0.3)).astype(np.int16)


def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def agreed(phone: PhoneMedia, direction: str = "sendrecv") -> Agreed:
    return Agreed(phone.host, phone.port, 8, 8, ((8, 8),), 101, 101, 20, direction, False)


@pytest.mark.parametrize("payload_type", [0, 8])
def test_what_one_says_the_other_hears(payload_type: int) -> None:
    one, other = PhoneMedia(), PhoneMedia()
    try:
        one.start((other.host, other.port), payload_type)
        other.start((one.host, one.port), payload_type)
        law = g711.law_of(payload_type)
        one.send_audio(SAID)
        # waited for where it is heard: when the last frame has left, the listener's thread may not have run yet
        until(lambda: g711.encode(SAID, law) in other.heard_payload()[0])
        assert not one.saying()
        one.send_digits("1#")
        until(lambda: other.heard_digits() == "1#")
        wanted = g711.decode(g711.encode(SAID, law), law)
        heard = other.heard()
        place = int(np.correlate(heard.astype(float), wanted.astype(float), "valid").argmax())
        assert np.array_equal(heard[place : place + wanted.size], wanted)
        assert 15 < float(np.median(other.heard_payload()[1])) < 25
        forgotten = time.monotonic()
        other.forget()
        assert all(at > forgotten for at, _ in other.heard_packets())
    finally:
        one.stop()
        other.stop()


def packet(sequence: int, timestamp: int, payload: bytes, ssrc: int = 5) -> bytes:
    return struct.pack(">BBHII", 0x80, 0, sequence, timestamp, ssrc) + payload


def test_losses_are_silence_and_late_packets_are_dropped() -> None:
    phone = PhoneMedia()
    phone._packets = [(0.02 * place, packet(number, number * 160, bytes([number]) * 160))
                      for place, number in enumerate([1, 2, 5, 4, 6])]
    heard = phone.heard()
    phone.stop()
    assert heard.size == 6 * 160
    assert not heard[320:640].any()
    assert heard[640] == g711.decode(b"\x05", 0)[0]


def test_a_muted_phone_and_one_on_hold_send_nothing() -> None:
    one, other = PhoneMedia(), PhoneMedia()
    try:
        one.muted = True
        one.agree(agreed(other))
        other.agree(agreed(one, "recvonly"))
        time.sleep(0.1)
        assert one.sent == other.sent == 0
        other.agree(agreed(one))
        until(lambda: other.sent > 2)
        one.muted = False
        until(lambda: len(other.heard_packets()) > 2)
        assert other.heard_packets()[0][1][1] & 0x7F == 8
    finally:
        one.close()
        other.close()


def test_a_listener_gets_each_payload_on_its_loop() -> None:
    async def work() -> list[bytes]:
        heard: list[bytes] = []
        enough = asyncio.Event()

        def listen(payload: bytes) -> None:
            asyncio.get_running_loop()  # raises outside the loop's thread
            heard.append(payload)
            if len(heard) >= 12:
                enough.set()

        phone, far = PhoneMedia(heard=listen), PhoneMedia()
        far.start((phone.host, phone.port))
        far.speak(SAID)
        far.press("5")
        try:
            await asyncio.wait_for(enough.wait(), 3)
        finally:
            far.stop()
            phone.stop()
        return heard

    heard = asyncio.run(work())
    assert all(len(payload) % 160 == 0 for payload in heard)


def test_gaps_are_handed_on_as_silence() -> None:
    heard: list[bytes] = []
    phone = PhoneMedia(heard=heard.append)
    for number in (1, 2, 4, 3, 5):
        phone._tell(packet(number, number * 160, bytes([number]) * 160))
    phone._tell(packet(6, 960, b"\x01\x8a\x03\x20")[:1] + bytes([101]) + packet(6, 960, b"\x01\x8a\x03\x20")[2:])
    phone.stop()
    assert b"".join(heard) == b"".join(bytes([n]) * 160 for n in (1, 2, 0xFF, 4, 5))

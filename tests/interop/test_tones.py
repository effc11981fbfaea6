"""Keys as tones in the sound, a fax that calls, T.38 that isn't taken: real sockets, real audio."""

from __future__ import annotations

import time

import listening
import numpy as np
import pytest
from harness.desks import desk
from harness.phone import Phone
from harness.rtp import Ear
from harness.server import Engine
from test_calls import digits_of

from engine.runtime.line_signals import ZERO_DBM0, dtmf, inband_digits
from tools.load import wire

T38 = """v=0
o=gateway 1 2 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=image 40000 udptl t38
a=T38FaxVersion:0
"""


def offer_without_events(port: int, codec: int) -> str:
    """A gateway that knows G.711 and nothing else."""
    name = ("PCMU", "PCMA")[codec // 8]
    lines = ("v=0", "o=gateway 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0",
             f"m=audio {port} RTP/AVP {codec}", f"a=rtpmap:{codec} {name}/8000", "a=ptime:20")  # fmt: skip
    return "".join(f"{line}\r\n" for line in lines)


def heard_by(ear: Ear) -> np.ndarray:
    """All audio that came, in order, without the pauses that weren't sent."""
    packets = sorted((each for each in ear.packets if each.kind == ear.codec), key=lambda each: each.at)
    return listening.decode(b"".join(each.payload for each in packets), ear.codec)


@pytest.mark.parametrize("codec", [0, 8], ids=["µ-law", "A-law"])
def test_a_gateway_without_telephone_event_is_understood(engine: Engine, caller: Phone, codec: int) -> None:
    """40 ms on and 50 off, as fast as E3 has it, and as people press."""
    with Ear(codec=codec) as ear:
        dialog = caller.call("9101", sdp=offer_without_events(ear.port, codec))
        ear.start(dialog.media.host, dialog.media.port)
        time.sleep(0.3)
        ear.play(dtmf("1590*", on_ms=40, gap_ms=50))
        time.sleep(0.8)
        ear.play(dtmf("2#", on_ms=120, gap_ms=100))
        time.sleep(1.0)
        dialog.bye()
    assert digits_of(engine) == "1590*2#"


def test_with_telephone_event_agreed_tones_are_only_sound(engine: Engine, caller: Phone) -> None:
    """A gateway that sends both: its events count, its tones don't, and no press counts twice."""
    with Ear() as ear:
        dialog = caller.call("9101", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        time.sleep(0.3)
        for digit in "482":
            ear.play(dtmf(digit, on_ms=100, gap_ms=40))
            time.sleep(0.06)
            ear.press(digit, length_ms=80, pause_ms=200)
        time.sleep(0.5)
        dialog.bye()
    assert digits_of(engine) == "482"


def test_a_key_crosses_a_bridge_once_in_each_ones_own_way(engine: Engine, caller: Phone) -> None:
    """In the sound from the gateway, as RFC 4733 to the agent, and what sounds there is too short for anybody."""
    with Ear(codec=0) as ear, desk(engine, "203") as other:
        dialog = caller.call("8700", sdp=offer_without_events(ear.port, 0))
        ear.start(dialog.media.host, dialog.media.port)
        there = other.wait_call(10)
        with Ear(codec=0) as far:
            there.ring()
            there.answer(media=far.port)
            far.start(there.media.host, there.media.port)
            time.sleep(1.0)
            far.packets.clear()
            ear.play(dtmf("73", on_ms=100, gap_ms=150))
            time.sleep(1.0)
            ends = {(each.stamp, each.payload[0]) for each in far.packets if each.kind == 101 and each.payload[1] & 128}
            assert [code for _, code in sorted(ends)] == [7, 3]
            sound = heard_by(far)
            assert inband_digits(sound) == ""
            loud = np.abs(sound.astype(np.int64)) > 1_500
            assert np.count_nonzero(loud) < 2 * 160
        dialog.bye()
        there.expect_bye()


def test_a_calling_fax_goes_its_own_way_and_t38_is_refused_cleanly(engine: Engine, caller: Phone) -> None:
    """CNG in the third second of a call; the fax's box answers, asks for T.38, and goes on in G.711 after the 488."""
    with Ear(codec=8) as ear, desk(engine, "203") as box:
        dialog = caller.call("8205", sdp=offer_without_events(ear.port, 8))
        ear.start(dialog.media.host, dialog.media.port)
        time.sleep(0.5)
        times = np.arange(4_000) / listening.RATE
        ear.play((ZERO_DBM0 * 0.3 * np.sin(2 * np.pi * 1_100 * times)).astype(np.int16))
        there = box.wait_call(6)
        with Ear(codec=8) as far:
            there.ring()
            there.answer(sdp=wire.offer("127.0.0.1", far.port, codecs=(8,)))
            far.start(there.media.host, there.media.port)
            time.sleep(0.5)
            assert there.offer(T38.replace("\n", "\r\n")).status == 488
            far.packets.clear()
            ear.play((ZERO_DBM0 * 0.3 * np.sin(2 * np.pi * 2_100 * times)).astype(np.int16))
            time.sleep(0.8)
            assert np.count_nonzero(np.abs(heard_by(far).astype(np.int64)) > 1_000) > 2_000
        dialog.bye()
        there.expect_bye()
    row = engine.last_call(dialled="8205")
    (told,) = [each["data"] for each in engine.events(row["call"]) if each["kind"] == "call.fax"]
    assert told == {"tone": "cng", "leg": "caller", "to": "ring"}
